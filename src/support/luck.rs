//! The luck floor: what guessing alone would reach.

use super::curve::Point;
use super::interval::mean_interval;
use super::ledger::Ledger;
use super::pass::{grid, pass_at};
use std::collections::BTreeMap;

impl Ledger {
    /// pass@k of a policy's completions judged against the references of the *other*
    /// problems: what k answers of the right form reach without looking at the question.
    /// Mean over problems, each a mean over every other problem's reference that is not its
    /// own; at k = 1, 2, 4 … and at the least drawn.
    ///
    /// `references` holds each problem's reference in the normal form of the answers;
    /// problems without one are left out. Empty with fewer than two different references.
    pub fn luck_floor(&self, policy: usize, references: &[Option<&str>]) -> Vec<Point> {
        let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
        references.iter().flatten().for_each(|r| *shares.entry(r).or_default() += 1.0);
        // For each problem: completions, and per foreign reference its weight and its hits.
        let mut problems: Vec<(u32, Vec<(f64, u32)>)> = Vec::new();
        for (problem, own) in references.iter().enumerate().filter_map(|(i, r)| Some((i, (*r)?))) {
            let drawn = self.drawn(policy, problem);
            let foreign: Vec<(f64, u32)> = shares
                .iter()
                .filter(|(reference, _)| **reference != own)
                .map(|(reference, share)| (*share, self.answered(policy, problem, reference)))
                .collect();
            if drawn > 0 && !foreign.is_empty() {
                problems.push((drawn, foreign));
            }
        }
        let least = problems.iter().map(|p| p.0).min().unwrap_or(0);
        let point = |k: u32| {
            let values: Vec<f64> = problems
                .iter()
                .map(|(n, foreign)| {
                    let weight: f64 = foreign.iter().map(|(w, _)| w).sum();
                    let reached: f64 = foreign
                        .iter()
                        .filter(|(_, hits)| *hits > 0)
                        .filter_map(|(w, hits)| Some(w * pass_at(*n, *hits, k)?))
                        .sum();
                    reached / weight
                })
                .collect();
            let (low, high) = mean_interval(&values)?;
            Some(Point { k, value: values.iter().sum::<f64>() / values.len() as f64, low, high })
        };
        grid(least).into_iter().filter_map(point).collect()
    }

    /// How many of a policy's completions of a problem gave an answer.
    fn answered(&self, policy: usize, problem: usize, answer: &str) -> u32 {
        self.desk(problem).map_or(0, |d| {
            let number = d.answers.find(answer);
            d.shelves.get(policy).zip(number).map_or(0, |(shelf, number)| shelf.answered(number))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::support::tests::{judged, ledger_of};

    #[test]
    fn the_floor_is_what_the_answers_of_one_problem_score_on_others() {
        let of = |answers: &[&str], own: &str| {
            answers.iter().map(|a| judged(Some(a), *a == own, None, None)).collect::<Vec<_>>()
        };
        // The first says 4, 5 or 6, whatever is asked; the second only 6, rightly.
        let (first, second) = (of(&["4", "5", "6", "6"], "4"), of(&["6", "6", "6", "6"], "6"));
        let ledger = ledger_of(&[[&first, &[]], [&second, &[]]]);
        let floor = ledger.luck_floor(0, &[Some("4"), Some("6")]);
        // The first reaches 6 in 2 of 4; the second never reaches 4.
        let want = [(1, 0.25), (2, (1.0 - 1.0 / 6.0) / 2.0), (4, 0.5)];
        assert_eq!(floor.len(), want.len());
        for (got, (k, value)) in floor.iter().zip(want) {
            assert!(got.k == k && (got.value - value).abs() < 1e-12);
        }
        // The third problem's reference is the first's: it is no foreign one to it.
        let ledger = ledger_of(&[[&first, &[]], [&second, &[]], [&first, &[]]]);
        let floor = ledger.luck_floor(0, &[Some("4"), Some("6"), Some("4")]);
        assert!((floor[0].value - 1.0 / 3.0).abs() < 1e-12);
        assert!(floor.iter().all(|p| p.low <= p.value && p.value <= p.high));
    }

    #[test]
    fn without_other_references_there_is_no_floor() {
        let one = [judged(Some("4"), true, None, None)];
        let ledger = ledger_of(&[[&one, &[]], [&one, &[]]]);
        for references in [[None, None], [Some("4"), None], [Some("4"), Some("4")]] {
            assert!(ledger.luck_floor(0, &references).is_empty());
        }
        assert!(ledger.luck_floor(9, &[Some("4"), Some("5")]).is_empty());
    }
}
