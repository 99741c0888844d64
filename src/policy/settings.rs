//! What decides what a policy draws, side by side.

use crate::model::Sampling;
use std::borrow::Cow;

/// One setting of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: Cow<'static, str>,
    pub value: String,
}

impl Setting {
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Settings that do not decide what is drawn: where a policy comes from, and what is told of
/// its probabilities.
const ASIDE: [&str; 5] = ["endpoint", "model", "weights", "engine", "probabilities"];

/// The names of the settings in which policies differ, in the order of the first: those that
/// both know, and that decide what is drawn.
pub fn differences(all: &[Vec<Setting>]) -> Vec<&str> {
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let differs = |setting: &&Setting| {
        let there = |other: &Vec<Setting>| other.iter().find(|s| s.name == setting.name).cloned();
        let unlike = |s: Setting| s.value != setting.value && s.value != UNKNOWN && setting.value != UNKNOWN;
        !ASIDE.contains(&&*setting.name) && others.iter().filter_map(there).any(unlike)
    };
    first.iter().filter(differs).map(|s| &*s.name).collect()
}

/// The value of a setting that nobody can say.
pub const UNKNOWN: &str = "unknown";

/// The name of what is sent of a problem, to the last character; `{prompt}` stands in it for
/// the problem's text.
pub const SENT: &str = "sent";

/// What stands for the problem's text; alone, what is sent is that text as it is.
pub const PROMPT: &str = "{prompt}";

/// The settings that every policy has.
pub fn sampling_settings(sampling: &Sampling) -> Vec<Setting> {
    let top_k = sampling.top_k.map_or("off".to_owned(), |k| k.to_string());
    vec![
        Setting::new("temperature", sampling.temperature.to_string()),
        Setting::new("top-p", sampling.top_p.to_string()),
        Setting::new("top-k", top_k),
        Setting::new("max tokens", sampling.max_tokens.to_string()),
        Setting::new("seed", sampling.seed.to_string()),
    ]
}

/// A text whose tokens tell tokenizers apart: numbers, signs, scripts, spaces, and every
/// character of ASCII.
pub(super) const FINGERPRINT_TEXT: &str = "Q: 4 spiders, 3 dogs. How many legs?\nA: 4 × 8 = 32, 3*4=12; 32+12 = 44.\n#### 44\n\n\tnaïve Ünïcode 你好 🙂 12345\n\
    def f(x):\n    return x[0] if x != {} else \"~`\" # ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz\n\
    $\\boxed{\\frac{1}{2}}$ a|b & c^2 <d> @ 'e' 6789 % my_name/x-y";

/// A fingerprint of the tokens of that text: FNV-1a in 64 bits.
pub(super) fn fingerprint_of(tokens: &[u32]) -> String {
    let bytes = tokens.iter().flat_map(|t| t.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_what_nobody_knows_is_not() {
        let of = |temperature: &str, tokenizer: &str, endpoint: &str| {
            vec![
                Setting::new("temperature", temperature),
                Setting::new("tokenizer", tokenizer),
                Setting::new("endpoint", endpoint),
            ]
        };
        let a = of("1", "f00", "http://a");
        assert!(differences(&[a.clone(), of("1", UNKNOWN, "http://b")]).is_empty());
        assert_eq!(differences(&[a.clone(), of("0.6", "f01", "http://b")]), ["temperature", "tokenizer"]);
        assert_eq!(
            differences(&[a.clone(), a.clone(), vec![Setting::new("temperature", "2")]]),
            ["temperature"]
        );
        assert!(differences(&[a]).is_empty() && differences(&[]).is_empty());
        assert_ne!(fingerprint_of(&[1, 2]), fingerprint_of(&[2, 1]));
        let missing: String = (' '..='~').filter(|c| !FINGERPRINT_TEXT.contains(*c)).collect();
        assert_eq!(missing, "", "every character of ASCII is in the text");
    }
}
