//! Completions whose texts are elsewhere: counted by what an index keeps of them.

use super::desk::Desk;
use super::ledger::Ledger;
use super::slots::UNKNOWN;
use crate::problem::Verdict;

/// What the ledger takes of a completion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// Its number under its policy and problem.
    pub index: u32,
    /// [`text_hash`](super::text_hash) of its text; looked at only if it is correct.
    pub text: u64,
    /// Tokens, or [`Counted::UNKNOWN`].
    pub length: u32,
    /// Nats, or NaN; where only bounds are known, the lower one.
    pub token_entropy: f32,
    /// The upper bound, nats; NaN where the entropy itself is known, or nothing is.
    pub entropy_high: f32,
    /// Nats, or NaN.
    pub logprob: f32,
}

impl Counted {
    /// A length that is not known.
    pub const UNKNOWN: u32 = UNKNOWN;
}

impl Ledger {
    /// Makes room for `problems` problems; there are never fewer than before.
    pub fn grow(&mut self, problems: usize) {
        let desk = || Desk::new(self.policies);
        self.desks.resize_with(problems.max(self.desks.len()), desk);
    }

    /// The number of a verdict on a problem, for [`Ledger::count`]. `None` if there is no
    /// such problem.
    pub fn class(&mut self, problem: usize, verdict: &Verdict) -> Option<u32> {
        Some(self.desks.get_mut(problem)?.class(verdict))
    }

    /// As [`Ledger::add`], for a completion with a verdict that [`Ledger::class`] has
    /// numbered. A class of another problem is ignored.
    pub fn count(&mut self, policy: usize, problem: usize, class: u32, of: &Counted) {
        if policy < self.policies
            && let Some(desk) = self.desks.get_mut(problem)
            && (class as usize) < desk.classes.len()
        {
            desk.count(policy, class, of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::{Completion, Finish};
    use crate::support::{Lens, Pair, Unit, text_hash};

    #[test]
    fn counting_gives_the_figures_of_adding() {
        let (mut added, mut counted) = (Ledger::new(2, 1), Ledger::new(2, 0));
        counted.grow(1);
        for (i, (policy, text)) in
            [(0, "a!"), (0, "b!"), (0, "x"), (1, "a!"), (1, "a!"), (1, "y")].into_iter().enumerate()
        {
            let index = i as u32 % 3;
            let correct = text.ends_with('!');
            let verdict = Verdict { answer: Some(text.to_owned()), correct, ..Verdict::default() };
            let completion = Completion {
                index,
                text: text.to_owned(),
                length: (i > 1).then_some(7),
                logprob: Some(-0.5),
                token_entropy: None,
                entropy_range: None,
                trace: Vec::new(),
                finish: Finish::Stop,
            };
            added.add(policy, 0, &completion, &verdict);
            let class = counted.class(0, &verdict).unwrap();
            let length = completion.length.unwrap_or(Counted::UNKNOWN);
            let of = Counted {
                index,
                text: text_hash(text),
                length,
                token_entropy: f32::NAN,
                entropy_high: f32::NAN,
                logprob: -0.5,
            };
            counted.count(policy, 0, class, &of);
            counted.count(policy, 0, class, &of);
        }
        let pair = Pair::with_base(1);
        for unit in Unit::ALL {
            let lens = Lens { unit, ..Lens::default() };
            assert_eq!(added.counts(pair, &lens), counted.counts(pair, &lens), "{unit:?}");
        }
        assert_eq!(added.clusters(pair, 0), counted.clusters(pair, 0));
        assert_eq!(added.outcome(1, 0, 1), counted.outcome(1, 0, 1));
        assert_eq!(counted.class(1, &Verdict::default()), None);
        counted.count(
            0,
            0,
            99,
            &Counted {
                index: 9,
                text: 0,
                length: 0,
                token_entropy: 0.0,
                entropy_high: f32::NAN,
                logprob: 0.0,
            },
        );
        assert_eq!(counted.drawn(0, 0), 3);
    }
}
