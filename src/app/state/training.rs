//! The Training screen: the knobs, the pulls and what is shown of them.

use super::State;
use crate::model::embedded;
use crate::support::{Criterion, Lens, Pair, Unit};
use crate::train::knobs::{KNOBS, Knob, Knobs, PRESETS};
use crate::train::session::{EXAM, Ended};
use crate::train::{Evaluation, Stepped};

/// What is selected and shown on Training, and every pull so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    pub pulls: Vec<Pull>,
    /// The selected pull's row.
    pub row: usize,
    /// Those of the next pull.
    pub knobs: Knobs,
    /// The selected knob.
    pub knob: usize,
    /// Steps and seed of the next pull.
    pub steps: usize,
    pub seed: u64,
    pub pane: Pane,
    /// Which charts stand first, where not all have room.
    pub page: usize,
    /// All pulls in each chart.
    pub all: bool,
    /// The slider's step; the newest until the user has moved it.
    pub step: Option<usize>,
    pub paused: bool,
}

/// One pull.
#[derive(Clone, Debug, PartialEq)]
pub struct Pull {
    /// From 1.
    pub id: u32,
    /// Its preset, or what it turns.
    pub name: String,
    pub seed: u64,
    /// The pull and the step that it began from; `None` for the base.
    pub from: Option<(u32, usize)>,
    pub last: usize,
    pub stepped: Vec<Stepped>,
    pub examined: Vec<Evaluation>,
    pub tokens_per_second: f64,
    pub seconds_left: f64,
    /// Where and how it ended; `None` while it runs.
    pub ended: Option<(usize, Ended)>,
}

/// The panes that keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Knobs,
    Pulls,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            pulls: Vec::new(),
            row: 0,
            knobs: PRESETS[0].knobs(),
            knob: 0,
            steps: 60,
            seed: 1,
            pane: Pane::default(),
            page: 0,
            all: false,
            step: None,
            paused: false,
        }
    }
}

impl Training {
    /// The selected pull.
    pub fn pull(&self) -> Option<&Pull> {
        self.pulls.get(self.row)
    }

    /// The pull that runs.
    pub fn running(&self) -> Option<&Pull> {
        self.pulls.iter().find(|p| p.ended.is_none())
    }

    /// The selected knob.
    pub fn selected(&self) -> &'static Knob {
        &KNOBS[self.knob.min(KNOBS.len() - 1)]
    }

    /// The step of the selected pull that the slider stands at; `None` before it was examined.
    pub fn at(&self) -> Option<&Evaluation> {
        let pull = self.pull()?;
        let wanted = self.step.and_then(|step| pull.examined.iter().rev().find(|e| e.step <= step));
        wanted.or(pull.examined.last())
    }
}

/// The preset whose knobs these are, or what they turn.
pub fn named(knobs: &Knobs) -> String {
    match PRESETS.iter().find(|p| p.knobs() == *knobs) {
        Some(preset) => preset.name.to_owned(),
        None => match knobs.differences(&Knobs::default()) {
            own if own.is_empty() => "grpo".to_owned(),
            own => own,
        },
    }
}

/// Completions of each problem in an examination.
pub const K: u32 = EXAM.1;

impl State {
    /// The embedded checkpoints among the policies, examined on what is drawn of them so far.
    pub fn timeline(&self) -> Vec<Evaluation> {
        let checkpoint = |i: usize| Some((i, embedded::step(&self.policies[i].spec)?));
        let mut all: Vec<(usize, usize)> = (1..self.policies.len()).filter_map(checkpoint).collect();
        all.sort_by_key(|(_, step)| *step);
        if all.len() < 2 || embedded::step(&self.policies[0].spec) != Some(0) {
            return Vec::new();
        }
        let examined = |(policy, step): (usize, usize)| {
            let (ledger, pair) = (&self.ledger, Pair::with_base(policy));
            let counts =
                |unit| ledger.counts(pair, &Lens { unit, criterion: Criterion::default(), sound: false });
            let k = ledger.least_drawn(policy);
            let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
            Evaluation {
                step,
                tokens: 0,
                k,
                pass_1: known(ledger.pass_at(policy, 1)),
                pass_k: known(ledger.pass_at(policy, k.max(1))),
                token_entropy: known(ledger.token_entropy(policy)),
                answer_entropy: known(ledger.answer_entropy(policy)),
                length: known(ledger.mean_tokens(policy)),
                kl: f64::NAN,
                problems: counts(Unit::Problem),
                answers: counts(Unit::Answer),
                methods: counts(Unit::Method),
                shares: Vec::new(),
            }
        };
        all.into_iter().map(examined).collect()
    }
}
