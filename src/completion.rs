//! One sampled text, with what is known of its tokens.

/// One completion of a problem under a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Its number among the completions of this problem under this policy, from 0.
    pub index: u32,
    /// The text, as the model wrote it: not cleaned, see [`clean`].
    pub text: String,
    /// Its length in tokens, the end-of-text token included, where known.
    pub length: Option<u32>,
    /// Log-probability of the whole text under the policy that drew it, nats, at T = 1.
    pub logprob: Option<f64>,
    /// Mean over its tokens of the entropy of the full next-token distribution, nats, at T = 1.
    pub token_entropy: Option<f64>,
    /// Between which bounds that mean lies, nats, where only the most likely tokens of each
    /// distribution are known; `None` where the mean itself is known, or nothing is.
    pub entropy_range: Option<[f64; 2]>,
    /// Token by token, where known; else empty.
    pub trace: Vec<Token>,
    /// Why it ended.
    pub finish: Finish,
}

/// One drawn token. Both figures are of the model's own distribution (T = 1, nothing cut
/// off), whatever the sampling temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    pub id: u32,
    /// ln p of this token, nats, at most 0.
    pub logprob: f32,
    /// Entropy of the distribution that it was drawn from, nats, from 0 to ln V; NaN where
    /// only the most likely tokens are known.
    pub entropy: f32,
}

/// Why a completion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The model ended it.
    Stop,
    /// It reached the limit of tokens.
    Length,
}

impl Completion {
    /// A completion whose tokens are all known.
    pub fn traced(index: u32, text: String, trace: Vec<Token>, finish: Finish) -> Self {
        let n = trace.len();
        let sum = |f: fn(&Token) -> f32| trace.iter().map(|t| f64::from(f(t))).sum::<f64>();
        Self {
            index,
            text,
            length: Some(n as u32),
            logprob: Some(sum(|t| t.logprob)),
            token_entropy: (n > 0).then(|| sum(|t| t.entropy) / n as f64),
            entropy_range: None,
            trace,
            finish,
        }
    }
}

/// `text` with everything removed that could move a terminal's cursor, change its colours
/// or reorder what is read: control characters but the line feed (a tab becomes a space),
/// and bidirectional formatting characters.
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' => Some('\n'),
            '\t' => Some(' '),
            c if c.is_control() => None,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => None,
            c => Some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_keeps_text_and_drops_what_steers_a_terminal() {
        assert_eq!(clean("a\x1b[31mb\r\n\tc\u{9b}2J\u{202e}d 漢é"), "a[31mb\n c2Jd 漢é");
    }

    #[test]
    fn a_trace_gives_its_sums() {
        let token = |logprob, entropy| Token { id: 0, logprob, entropy };
        let c = Completion::traced(0, String::new(), vec![token(-1.0, 0.5), token(-0.5, 0.0)], Finish::Stop);
        assert_eq!((c.length, c.logprob, c.token_entropy), (Some(2), Some(-1.5), Some(0.25)));
        assert_eq!(Completion::traced(0, String::new(), vec![], Finish::Stop).token_entropy, None);
    }
}
