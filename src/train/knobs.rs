//! The objective as a value: every knob of a pull, with its range, what it is, where it
//! comes from and what to expect. Screen, `--help` and README read this one table.

mod presets;
mod table;

pub use presets::{PRESETS, Preset};
use std::fmt::Write;
pub use table::KNOBS;

/// What a pull learns from, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Knobs {
    pub data: Data,
    /// Fresh problems a step.
    pub prompts: usize,
    /// Completions of each.
    pub group: usize,
    /// Updates a step: above 1 the later ones are slightly off-policy, and clipping bites.
    pub updates: usize,
    /// Learning rate of AdamW.
    pub rate: f64,
    /// How far a token's probability may fall within a step, as a share.
    pub clip_low: f64,
    /// How far it may rise.
    pub clip_high: f64,
    /// Weight of the divergence from the base.
    pub kl: f64,
    /// Weight of the entropy of the next-token distribution.
    pub entropy: f64,
    pub advantage: Advantage,
    pub samples: Samples,
    /// Of the completions that are learned from.
    pub temperature: f64,
    /// Weight of the cross-entropy on clean solutions by rare methods.
    pub seeding: f64,
    /// How much of its reward the likeliest correct completion loses.
    pub unlikely: f64,
    /// The reward is the best of so many completions.
    pub pass_k: usize,
    /// Standard deviation of the noise on the weights that draw, as a share of each
    /// tensor's own size.
    pub noise: f64,
}

/// What a policy learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Its own completions and their 0/1 verdicts: RLVR.
    Reward,
    /// A teacher's clean solutions of the same problems: SFT.
    Teacher,
    /// The base's correct completions of the same problems: SFT on what the verifier let through.
    Own,
}

/// How rewards become advantages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advantage {
    /// (r − mean) / std of the group, averaged over tokens.
    Grpo,
    /// r − mean, over a constant number of tokens.
    DrGrpo,
    /// r − the mean of the others.
    Rloo,
}

/// Which completions are learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    All,
    /// Those above their group's mean.
    Positive,
    /// Those below.
    Negative,
}

impl Default for Knobs {
    /// The recipe of the embedded RLVR policy.
    fn default() -> Self {
        Self {
            data: Data::Reward,
            prompts: 16,
            group: 32,
            updates: 2,
            rate: 5e-4,
            clip_low: 0.2,
            clip_high: 0.2,
            kl: 0.0,
            entropy: 0.0,
            advantage: Advantage::Grpo,
            samples: Samples::All,
            temperature: 1.0,
            seeding: 0.0,
            unlikely: 0.0,
            pass_k: 1,
            noise: 0.0,
        }
    }
}

/// One knob.
pub struct Knob {
    /// As in `--set NAME=VALUE`.
    pub name: &'static str,
    pub range: Range,
    /// One sentence.
    pub what: &'static str,
    pub source: &'static str,
    /// What to expect of it.
    pub expect: &'static str,
    /// The values that a key steps through, rising.
    pub ladder: &'static [f64],
    get: fn(&Knobs) -> f64,
    put: fn(&mut Knobs, f64),
}

/// What a knob takes. A choice is the number of its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    Number(f64, f64),
    Whole(f64, f64),
    Choice(&'static [&'static str]),
}

/// What is wrong with `--set`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    #[error("there is no knob {name:?}; there are {known}")]
    Unknown { name: String, known: String },
    #[error("{name} takes {range}, not {value:?}")]
    Value { name: &'static str, range: String, value: String },
    #[error("write NAME=VALUE, as in clip_high=0.28, not {0:?}")]
    Form(String),
}

impl Knob {
    /// The knob of a name.
    pub fn named(name: &str) -> Option<&'static Knob> {
        KNOBS.iter().find(|k| k.name == name)
    }

    /// Its value, as it is typed.
    pub fn value(&self, knobs: &Knobs) -> String {
        let value = (self.get)(knobs);
        match self.range {
            Range::Choice(names) => names.get(value as usize).copied().unwrap_or_default().to_owned(),
            Range::Number(..) if value != 0.0 && value.abs() < 1e-3 => format!("{value:e}"),
            _ => value.to_string(),
        }
    }

    /// Sets it from what was typed.
    ///
    /// # Errors
    /// A value outside its range.
    pub fn set(&self, knobs: &mut Knobs, text: &str) -> Result<(), KnobError> {
        let text = text.trim();
        let value = match self.range {
            Range::Choice(names) => names.iter().position(|n| *n == text).map(|i| i as f64),
            Range::Number(low, high) => number(text, low, high),
            Range::Whole(low, high) => number(text, low, high).filter(|v| v.fract() == 0.0),
        };
        let wrong = || KnobError::Value { name: self.name, range: self.range(), value: text.to_owned() };
        (self.put)(knobs, value.ok_or_else(wrong)?);
        Ok(())
    }

    /// The next rung of its ladder, up or down; it stays at the ends.
    pub fn turn(&self, knobs: &mut Knobs, up: bool) {
        let now = (self.get)(knobs);
        let near = 1e-9 * now.abs().max(1e-9);
        let next = match up {
            true => self.ladder.iter().copied().find(|v| *v > now + near),
            false => self.ladder.iter().copied().rev().find(|v| *v < now - near),
        };
        if let Some(value) = next {
            (self.put)(knobs, value);
        }
    }

    /// Its range in words: `0 to 10`, `grpo, dr-grpo or rloo`.
    pub fn range(&self) -> String {
        match self.range {
            Range::Number(low, high) => format!("{low} to {high}"),
            Range::Whole(low, high) => format!("a whole number, {low} to {high}"),
            Range::Choice(names) => {
                let (last, rest) = names.split_last().unwrap_or((&"", &[]));
                format!("{} or {last}", rest.join(", "))
            }
        }
    }
}

fn number(text: &str, low: f64, high: f64) -> Option<f64> {
    text.parse::<f64>().ok().filter(|v| (low..=high).contains(v))
}

impl Knobs {
    /// Sets one knob from `NAME=VALUE`.
    ///
    /// # Errors
    /// No such knob, or a value outside its range.
    pub fn set(&mut self, text: &str) -> Result<(), KnobError> {
        let (name, value) = text.split_once('=').ok_or_else(|| KnobError::Form(text.to_owned()))?;
        let known = || KNOBS.iter().map(|k| k.name).collect::<Vec<_>>().join(", ");
        let unknown = || KnobError::Unknown { name: name.trim().to_owned(), known: known() };
        Knob::named(name.trim()).ok_or_else(unknown)?.set(self, value)
    }

    /// The knobs that differ from another setting, as they are typed; empty if none does.
    pub fn differences(&self, from: &Knobs) -> String {
        let changed = KNOBS.iter().filter(|k| (k.get)(self) != (k.get)(from));
        changed.map(|k| format!("{}={}", k.name, k.value(self))).collect::<Vec<_>>().join(" ")
    }
}

/// The table as text, a paragraph a knob, for `--help`.
pub fn described() -> String {
    let defaults = Knobs::default();
    let mut out = String::from("Knobs, for --set NAME=VALUE:\n");
    for k in &KNOBS {
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "\n  {} ({}; {})\n    {} {}\n    {}.\n",
            k.name,
            k.range(),
            k.value(&defaults),
            k.what,
            k.expect,
            k.source
        );
    }
    out.push_str("\nPresets:\n");
    for p in &PRESETS {
        let differences = p.knobs().differences(&defaults);
        let _ = write!(out, "\n  {}\n    {}\n    {differences}\n", p.name, p.what);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_is_read_as_it_is_shown_and_says_what_it_is() {
        for preset in &PRESETS {
            let knobs = preset.knobs();
            for k in &KNOBS {
                let mut other = Knobs::default();
                other.set(&format!("{}={}", k.name, k.value(&knobs))).unwrap();
                assert_eq!((k.get)(&other), (k.get)(&knobs), "{}", k.name);
                assert!(k.what.ends_with('.') && k.expect.ends_with('.') && !k.source.is_empty());
            }
        }
    }

    #[test]
    fn a_knob_is_turned_along_its_ladder_and_stays_at_its_ends() {
        for k in &KNOBS {
            let mut knobs = Knobs::default();
            for _ in 0..20 {
                k.turn(&mut knobs, false);
            }
            assert_eq!((k.get)(&knobs), k.ladder[0], "{}", k.name);
            for rung in &k.ladder[1..] {
                k.turn(&mut knobs, true);
                assert_eq!((k.get)(&knobs), *rung);
                // Every rung can be typed too.
                Knobs::default().set(&format!("{}={}", k.name, k.value(&knobs))).unwrap();
            }
            k.turn(&mut knobs, true);
            assert_eq!(Some(&(k.get)(&knobs)), k.ladder.last());
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let says = |text: &str, part: &str| {
            let error = Knobs::default().set(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        says("clip=1", "clip_high");
        says("rate", "NAME=VALUE");
        says("rate=x", "0 to 0.1");
        says("kl=NaN", "0 to 10");
        says("group=1", "2 to 256");
        says("group=2.5", "whole");
        says("advantage=ppo", "grpo, dr-grpo or rloo");
    }

    #[test]
    fn presets_say_what_they_turn() {
        let of = |name: &str| Preset::named(name).unwrap().knobs().differences(&Knobs::default());
        assert_eq!(of("as-the-paper"), "clip_high=0.28");
        assert_eq!(of("pull-hard"), "rate=7e-4 samples=positive temperature=0.8");
        assert_eq!(of("sft"), "data=teacher");
        let text = described();
        assert!(KNOBS.iter().all(|k| text.contains(k.what)) && PRESETS.iter().all(|p| text.contains(p.what)));
    }
}
