//! The objective as a value: every knob of a pull, with its range, what it is, where it
//! comes from and what to expect. Screen, `--help` and README read this one table.

use std::fmt::Write;

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

/// A named setting of all knobs.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    pub name: &'static str,
    /// One sentence.
    pub what: &'static str,
    turn: fn(&mut Knobs),
}

impl Preset {
    /// The preset of a name.
    pub fn named(name: &str) -> Option<&'static Preset> {
        PRESETS.iter().find(|p| p.name == name)
    }

    pub fn knobs(&self) -> Knobs {
        let mut knobs = Knobs::default();
        (self.turn)(&mut knobs);
        knobs
    }
}

/// The presets, in the order of their key.
pub const PRESETS: [Preset; 4] = [
    Preset {
        name: "as-the-paper",
        what: "DAPO's objective, by which the paper's table 4 was trained: clip-higher, no KL, groups \
               without spread dropped.",
        turn: |k| k.clip_high = 0.28,
    },
    Preset {
        name: "pull-hard",
        what: "Only what was right, drawn cool and learned fast: the quickest way to lose support.",
        turn: |k| {
            k.samples = Samples::Positive;
            k.temperature = 0.8;
            k.rate = 7e-4;
        },
    },
    Preset {
        name: "loosen",
        what: "Clean solutions by rare methods beside the reward, and less reward for the likeliest \
               right ones.",
        turn: |k| {
            k.clip_high = 0.28;
            k.seeding = 0.3;
            k.unlikely = 0.25;
        },
    },
    Preset {
        name: "sft",
        what: "No reward: a teacher's clean solutions of the same problems, as many of them.",
        turn: |k| k.data = Data::Teacher,
    },
];

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

/// Every knob, in the order of the screen.
pub const KNOBS: [Knob; 16] = [
    Knob {
        name: "data",
        range: Range::Choice(&["reward", "teacher", "own"]),
        what: "What the policy learns from: its own completions and their verdicts (RLVR), a teacher's \
               clean solutions (SFT), or the base's correct completions (SFT on its own).",
        source: "Wu et al. 2025, table 3",
        expect: "A teacher brings methods back that reward lets go.",
        ladder: &[0.0, 1.0, 2.0],
        get: |k| k.data as u8 as f64,
        put: |k, v| k.data = [Data::Reward, Data::Teacher, Data::Own][v as usize],
    },
    Knob {
        name: "prompts",
        range: Range::Whole(1.0, 256.0),
        what: "Fresh problems in a step.",
        source: "Shao et al. 2024, DeepSeekMath",
        expect: "More make steps slower and steadier.",
        ladder: &[4.0, 8.0, 16.0, 32.0, 64.0],
        get: |k| k.prompts as f64,
        put: |k, v| k.prompts = v as usize,
    },
    Knob {
        name: "group",
        range: Range::Whole(2.0, 256.0),
        what: "Completions of each problem, which are each other's baseline.",
        source: "Shao et al. 2024, DeepSeekMath",
        expect: "In a larger group a rare right way is drawn more often, and so kept longer.",
        ladder: &[4.0, 8.0, 16.0, 32.0, 64.0, 128.0],
        get: |k| k.group as f64,
        put: |k, v| k.group = v as usize,
    },
    Knob {
        name: "updates",
        range: Range::Whole(1.0, 16.0),
        what: "Updates of the weights on the completions of one step.",
        source: "Schulman et al. 2017, PPO",
        expect: "With one, nothing has moved and clipping does nothing; more squeeze a step harder.",
        ladder: &[1.0, 2.0, 4.0, 8.0],
        get: |k| k.updates as f64,
        put: |k, v| k.updates = v as usize,
    },
    Knob {
        name: "rate",
        range: Range::Number(0.0, 0.1),
        what: "Learning rate of AdamW.",
        source: "Loshchilov & Hutter 2019",
        expect: "Twice the rate pulls about twice as fast; from 1e-3 on this policy falls apart.",
        ladder: &[1e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3],
        get: |k| k.rate,
        put: |k, v| k.rate = v,
    },
    Knob {
        name: "clip_low",
        range: Range::Number(0.0, 1.0),
        what: "How far a token's probability may fall within a step, as a share.",
        source: "Schulman et al. 2017, PPO",
        expect: "A small one protects what is about to be lost.",
        ladder: &[0.05, 0.1, 0.2, 0.3, 0.5, 1.0],
        get: |k| k.clip_low,
        put: |k, v| k.clip_low = v,
    },
    Knob {
        name: "clip_high",
        range: Range::Number(0.0, 10.0),
        what: "How far a token's probability may rise within a step, as a share.",
        source: "Yu et al. 2025, DAPO (clip-higher, 0.28)",
        expect: "Higher lets rare tokens grow and is said to keep entropy up; with two updates little is clipped.",
        ladder: &[0.05, 0.1, 0.2, 0.28, 0.4, 0.8, 2.0],
        get: |k| k.clip_high,
        put: |k, v| k.clip_high = v,
    },
    Knob {
        name: "kl",
        range: Range::Number(0.0, 10.0),
        what: "Weight of the divergence from the base, by the k3 estimator q/π − 1 − ln q/π a token.",
        source: "Schulman 2020; Shao et al. 2024",
        expect: "Holds the policy near the base: support is kept, and pass@1 rises less.",
        ladder: &[0.0, 0.003, 0.01, 0.03, 0.1, 0.3],
        get: |k| k.kl,
        put: |k, v| k.kl = v,
    },
    Knob {
        name: "entropy",
        range: Range::Number(-1.0, 1.0),
        what: "Weight of the entropy of the next-token distribution in the objective.",
        source: "Mnih et al. 2016, A3C",
        expect: "A little keeps choices open; more also keeps slips of arithmetic alive.",
        ladder: &[-0.01, -0.003, 0.0, 0.001, 0.003, 0.01, 0.03],
        get: |k| k.entropy,
        put: |k, v| k.entropy = v,
    },
    Knob {
        name: "advantage",
        range: Range::Choice(&["grpo", "dr-grpo", "rloo"]),
        what: "How rewards become advantages: less the group's mean, over its spread (grpo) or not \
               (dr-grpo), or less the mean of the others (rloo).",
        source: "Shao et al. 2024; Liu et al. 2025; Ahmadian et al. 2024",
        expect: "Without the division, problems that are nearly solved or nearly lost weigh less.",
        ladder: &[0.0, 1.0, 2.0],
        get: |k| k.advantage as u8 as f64,
        put: |k, v| k.advantage = [Advantage::Grpo, Advantage::DrGrpo, Advantage::Rloo][v as usize],
    },
    Knob {
        name: "samples",
        range: Range::Choice(&["all", "positive", "negative"]),
        what: "Whether it learns from all completions, only from those above the group's mean, or only \
               from those below.",
        source: "Zhu et al. 2025, The Surprising Effectiveness of Negative Reinforcement",
        expect: "Positive ones alone sharpen; negative ones alone are said to spread what they take over the rest.",
        ladder: &[0.0, 1.0, 2.0],
        get: |k| k.samples as u8 as f64,
        put: |k, v| k.samples = [Samples::All, Samples::Positive, Samples::Negative][v as usize],
    },
    Knob {
        name: "temperature",
        range: Range::Number(0.1, 5.0),
        what: "Temperature at which the completions that are learned from are drawn, and at which the \
               policy is trained.",
        source: "Liu et al. 2025, ProRL (1.2)",
        expect: "Above 1 rare ways are drawn and rewarded more often.",
        ladder: &[0.6, 0.8, 1.0, 1.1, 1.2, 1.5],
        get: |k| k.temperature,
        put: |k, v| k.temperature = v,
    },
    Knob {
        name: "seeding",
        range: Range::Number(0.0, 10.0),
        what: "Weight of the cross-entropy on clean solutions, one a problem, by methods that are rare \
               among the step's right completions.",
        source: "Wu et al. 2025, §5: seed probability mass into underrepresented solution regions",
        expect: "The surest way to keep methods: most of them stay, and pass@1 rises less.",
        ladder: &[0.0, 0.1, 0.2, 0.3, 0.5, 1.0],
        get: |k| k.seeding,
        put: |k, v| k.seeding = v,
    },
    Knob {
        name: "unlikely",
        range: Range::Number(0.0, 1.0),
        what: "The likeliest right completion of a group loses this share of its reward, the others less \
               by rank.",
        source: "He et al. 2025, Rewarding the Unlikely",
        expect: "Rare right texts gain on common ones; long texts are rare too, so length may grow.",
        ladder: &[0.0, 0.1, 0.25, 0.5, 1.0],
        get: |k| k.unlikely,
        put: |k, v| k.unlikely = v,
    },
    Knob {
        name: "pass_k",
        range: Range::Whole(1.0, 256.0),
        what: "The reward is the best of so many completions of the group, in closed form.",
        source: "Chen et al. 2025, Pass@k Training",
        expect: "Problems solved now and then are left alone: slower at pass@1, gentler on support.",
        ladder: &[1.0, 2.0, 4.0, 8.0, 16.0],
        get: |k| k.pass_k as f64,
        put: |k, v| k.pass_k = v as usize,
    },
    Knob {
        name: "noise",
        range: Range::Number(0.0, 1.0),
        what: "Noise on the weights that draw a step's completions, as a share of each tensor's size.",
        source: "Plappert et al. 2018, Parameter Space Noise for Exploration",
        expect: "Explores whole ways, not single tokens; too much and nothing is right any more.",
        ladder: &[0.0, 0.01, 0.02, 0.05, 0.1],
        get: |k| k.noise,
        put: |k, v| k.noise = v,
    },
];

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
