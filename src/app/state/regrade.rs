//! The run judged by other rules, beside the task's own.

use super::State;
use crate::support::Ledger;
use crate::support::audit::Grading;
use std::collections::BTreeSet;

/// Completions judged in one step, about a millisecond of work.
const STEP: u32 = 256;

/// The run judged again. As long as the grading is the usual one there is nothing to do.
#[derive(Debug, Default)]
pub struct Regrade {
    pub grading: Grading,
    /// What the other rules make of the completions, as far as they are judged.
    ledger: Option<Ledger>,
    /// Problems with completions that are not judged yet.
    behind: BTreeSet<usize>,
}

impl Regrade {
    /// Whether there are completions to judge.
    pub fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// A completion of a problem came in.
    pub fn touch(&mut self, problem: usize) {
        if self.ledger.is_some() {
            self.behind.insert(problem);
        }
    }
}

impl State {
    /// The ledger that is shown: by the task's rules, or by the others that were asked for.
    pub fn graded(&self) -> &Ledger {
        self.regrade.ledger.as_ref().unwrap_or(&self.ledger)
    }

    /// The ledger by the task's own rules, where others are shown.
    pub fn usual(&self) -> Option<&Ledger> {
        self.regrade.ledger.is_some().then_some(&self.ledger)
    }

    /// Turns to other rules; what is held in memory is judged again.
    pub(in crate::app) fn grade_by(&mut self, grading: Grading) {
        let other = grading != Grading::Usual;
        self.regrade = Regrade {
            grading,
            ledger: other.then(|| Ledger::new(self.policies.len(), self.problems.len())),
            behind: if other { (0..self.problems.len()).collect() } else { BTreeSet::new() },
        };
        self.figures.touch_all();
    }

    /// Judges some completions, those of the problem on screen first.
    pub(in crate::app) fn regrade_some(&mut self) {
        let Some(ledger) = &mut self.regrade.ledger else {
            self.regrade.behind.clear();
            return;
        };
        let next = self.regrade.behind.get(&self.current).or(self.regrade.behind.first()).copied();
        let Some(problem) = next else { return };
        let mut left = STEP;
        for policy in 0..self.policies.len() {
            for index in ledger.drawn(policy, problem)..self.ledger.drawn(policy, problem) {
                if left == 0 {
                    break;
                }
                let entry = self.archive.get(policy, problem, index);
                let Some((entry, asked)) = entry.zip(self.problems.get(problem)) else { break };
                let verdict = self.regrade.grading.judge(asked, &entry.completion.text);
                ledger.add(policy, problem, &entry.completion, &verdict);
                left -= 1;
            }
        }
        if left > 0 {
            self.regrade.behind.remove(&problem);
        }
        self.figures.touch_shown(problem);
    }
}
