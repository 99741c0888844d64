//! Named settings of all knobs.

use super::{Data, Knobs, Samples};

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
