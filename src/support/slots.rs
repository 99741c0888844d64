//! The outcomes of one policy on one problem: 20 bytes a completion, and 4 more where only
//! bounds of its entropy are known.

use super::desk::ClassId;
use super::table::push_tight;
use crate::completion::Completion;
use std::collections::BTreeMap;

/// A length or a text that is not known.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// The outcome of one completion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// What the verifier said.
    pub class: u32,
    /// Which distinct text it is if it is correct, else [`UNKNOWN`].
    pub text: u32,
    /// Tokens, or [`UNKNOWN`].
    pub length: u32,
    /// Nats, or NaN; where only bounds are known, the lower one.
    pub token_entropy: f32,
    /// Nats, or NaN.
    pub logprob: f32,
}

/// An outcome on its way to its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub slot: Slot,
    /// The upper bound of its entropy, nats; NaN where the entropy itself is known, or
    /// nothing is.
    pub entropy_high: f32,
}

impl Arrival {
    pub fn new(class: u32, text: u32, completion: &Completion) -> Self {
        let short = |x: Option<f64>| x.map_or(f32::NAN, |x| x as f32);
        let range = completion.entropy_range.filter(|_| completion.token_entropy.is_none());
        let slot = Slot {
            class,
            text,
            length: completion.length.unwrap_or(UNKNOWN),
            token_entropy: short(completion.token_entropy.or(range.map(|r| r[0]))),
            logprob: short(completion.logprob),
        };
        Self { slot, entropy_high: short(range.map(|r| r[1])) }
    }
}

/// The entropies of the first k completions of a problem, nats; NaN where unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entropies {
    pub k: u32,
    /// Between which bounds the mean token entropy lies: both the same where it is known.
    pub token: [f64; 2],
    pub answer: f64,
}

/// The outcomes of one policy on one problem. Figures are of the contiguous prefix: they
/// depend neither on the order of arrival nor favour the short completions, which arrive
/// first.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    pub slots: Vec<Slot>,
    /// Upper bounds by index, as far as the last outcome that has one; NaN where none is.
    highs: Vec<f32>,
    /// What arrived before its turn.
    pending: BTreeMap<u32, Arrival>,
    pub correct: u32,
    pub sound: u32,
    /// Correct completions whose steps nobody could check.
    pub unchecked: u32,
    /// Of the completions whose entropy itself is known.
    token_entropy: Mean,
    /// Lower and upper bounds of all whose entropy is known or bounded, and whether any is
    /// only bounded.
    entropy_bounds: [Mean; 2],
    bounded: bool,
    pub length: Mean,
    answers: Answers,
    /// At k = 1, 2, 4 …
    history: Vec<Entropies>,
}

impl Shelf {
    pub fn has(&self, index: u32) -> bool {
        (index as usize) < self.slots.len() || self.pending.contains_key(&index)
    }

    /// Gives an outcome back if it is its turn, else keeps it until then.
    pub fn offer(&mut self, index: u32, arrival: Arrival) -> Option<Arrival> {
        if index as usize == self.slots.len() {
            return Some(arrival);
        }
        self.pending.insert(index, arrival);
        None
    }

    /// The outcome whose turn it is, if it is here.
    pub fn next(&mut self) -> Option<Arrival> {
        self.pending.remove(&(self.slots.len() as u32))
    }

    pub fn push(&mut self, arrival: Arrival, class: &ClassId) {
        let Arrival { slot, entropy_high } = arrival;
        if !entropy_high.is_nan() {
            self.highs.resize(self.slots.len(), f32::NAN);
            push_tight(&mut self.highs, entropy_high);
        }
        push_tight(&mut self.slots, slot);
        if class.correct {
            self.correct += 1;
            self.sound += u32::from(class.is_sound());
            self.unchecked += u32::from(class.sound.is_none());
        }
        if !slot.token_entropy.is_nan() {
            let exact = entropy_high.is_nan();
            let high = if exact { slot.token_entropy } else { entropy_high };
            self.entropy_bounds[0].add(slot.token_entropy.into());
            self.entropy_bounds[1].add(high.into());
            self.bounded |= !exact;
            if exact {
                self.token_entropy.add(slot.token_entropy.into());
            }
        }
        if slot.length != UNKNOWN {
            self.length.add(slot.length.into());
        }
        self.answers.add(class.answer);
        if self.slots.len().is_power_of_two() {
            self.history.push(self.now());
        }
    }

    /// Mean token entropy, nats, where every completion that says anything says the entropy
    /// itself.
    pub fn exact_entropy(&self) -> Option<f64> {
        self.token_entropy.mean().filter(|_| !self.bounded)
    }

    /// Between which bounds the mean token entropy lies, nats; both are the same where it is
    /// known.
    pub fn entropy_range(&self) -> Option<[f64; 2]> {
        let [low, high] = &self.entropy_bounds;
        Some([low.mean()?, high.mean()?])
    }

    /// The upper bound of an entropy that is not known itself, nats; else NaN.
    pub fn entropy_high(&self, index: usize) -> f32 {
        self.highs.get(index).copied().unwrap_or(f32::NAN)
    }

    /// The entropies against k: at powers of two and at the last k.
    pub fn history(&self) -> Vec<Entropies> {
        let mut all = self.history.clone();
        if !self.slots.is_empty() && !self.slots.len().is_power_of_two() {
            all.push(self.now());
        }
        all
    }

    /// Entropy of the empirical distribution of answers, `NA` as one class, nats.
    pub fn answer_entropy(&self) -> Option<f64> {
        self.answers.entropy(self.slots.len())
    }

    /// How often an answer came.
    pub fn answered(&self, answer: u32) -> u32 {
        self.answers.counts.get(answer as usize + 1).copied().unwrap_or(0)
    }

    pub fn bytes(&self) -> usize {
        let kept = self.slots.capacity() * size_of::<Slot>() + self.highs.capacity() * size_of::<f32>();
        kept + self.pending.len() * size_of::<(u32, Arrival)>()
    }

    fn now(&self) -> Entropies {
        Entropies {
            k: self.slots.len() as u32,
            token: self.entropy_range().unwrap_or([f64::NAN; 2]),
            answer: self.answer_entropy().unwrap_or(f64::NAN),
        }
    }
}

/// A mean of what is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    sum: f64,
    n: u32,
}

impl Mean {
    pub fn add(&mut self, x: f64) {
        self.sum += x;
        self.n += 1;
    }

    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / f64::from(self.n))
    }
}

/// How often each answer came, with Σ c ln c kept, so that the entropy is at hand.
#[derive(Clone, Debug, Default)]
struct Answers {
    /// 0 for `NA`, then by the answer's number.
    counts: Vec<u32>,
    sum: f64,
}

impl Answers {
    fn add(&mut self, answer: Option<u32>) {
        let at = answer.map_or(0, |a| a as usize + 1);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        let c = f64::from(self.counts[at]);
        self.counts[at] += 1;
        let x_ln_x = |x: f64| if x > 0.0 { x * x.ln() } else { 0.0 };
        self.sum += x_ln_x(c + 1.0) - x_ln_x(c);
    }

    /// ln n − Σ c ln c / n.
    fn entropy(&self, n: usize) -> Option<f64> {
        let n = n as f64;
        (n > 0.0).then(|| (n.ln() - self.sum / n).max(0.0))
    }
}
