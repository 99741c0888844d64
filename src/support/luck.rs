//! The luck floor: what guessing alone would reach.

use super::curve::Point;
use super::interval::mean_interval;
use super::ledger::Ledger;
use super::pass::{grid, pass_at};
use crate::problem::{Problem, reference_form};
use std::collections::BTreeMap;

/// Every problem's reference, and of which form it is.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// The form and the reference of each problem, where it has one.
    own: Vec<Option<(String, String)>>,
    /// By form: each reference, and how many problems have it.
    shares: BTreeMap<String, BTreeMap<String, f64>>,
}

/// A policy's completions of one problem against the references of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Luck {
    /// Completions.
    drawn: u32,
    /// How many other problems' references there are.
    weight: f64,
    /// (problems with this reference, completions that gave it), where any did.
    hits: Vec<(f64, u32)>,
}

impl References {
    /// Those of problems: a task is a form.
    pub fn of(problems: &[Problem]) -> Self {
        let own = |p: &Problem| Some((p.task.clone().unwrap_or_default(), reference_form(p)?));
        References::new(problems.iter().map(own).collect())
    }

    /// From (form, reference) of each problem: a form is a task, and the reference is in the
    /// normal form of its answers.
    pub fn new(own: Vec<Option<(String, String)>>) -> Self {
        let mut shares: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for (form, reference) in own.iter().flatten() {
            *shares.entry(form.clone()).or_default().entry(reference.clone()).or_default() += 1.0;
        }
        Self { own, shares }
    }
}

impl Ledger {
    /// pass@k of a policy's completions judged against the references of the *other*
    /// problems of the same form: what k answers of the right form reach without looking at
    /// the question. Mean over problems, each a mean over every other problem's reference
    /// that is not its own; at k = 1, 2, 4 … and at the least drawn. Empty with fewer than
    /// two different references of a form.
    pub fn luck_floor(&self, policy: usize, references: &References) -> Vec<Point> {
        let problems = (0..references.own.len()).filter_map(|i| self.luck(policy, i, references));
        luck_curve(&problems.collect::<Vec<_>>())
    }

    /// One problem's part of the luck floor; `None` where nothing is drawn, or where there
    /// is no other reference.
    pub fn luck(&self, policy: usize, problem: usize, references: &References) -> Option<Luck> {
        let (form, own) = references.own.get(problem)?.as_ref()?;
        let drawn = self.drawn(policy, problem);
        let foreign = || references.shares.get(form).into_iter().flatten().filter(|(r, _)| *r != own);
        let weight: f64 = foreign().map(|(_, share)| share).sum();
        let hits = foreign().map(|(r, share)| (*share, self.answered(policy, problem, r)));
        let hits = hits.filter(|(_, hits)| *hits > 0).collect();
        (drawn > 0 && weight > 0.0).then_some(Luck { drawn, weight, hits })
    }

    /// How many of a policy's completions of a problem gave an answer.
    fn answered(&self, policy: usize, problem: usize, answer: &str) -> u32 {
        self.desk(problem).map_or(0, |d| {
            let number = d.answers.find(answer);
            d.shelves.get(policy).zip(number).map_or(0, |(shelf, number)| shelf.answered(number))
        })
    }
}

/// The luck floor of problems; see [`Ledger::luck_floor`].
pub fn luck_curve(problems: &[Luck]) -> Vec<Point> {
    let least = problems.iter().map(|p| p.drawn).min().unwrap_or(0);
    let point = |k: u32| {
        let reached = |p: &Luck| {
            let each = p.hits.iter().filter_map(|(w, hits)| Some(w * pass_at(p.drawn, *hits, k)?));
            each.sum::<f64>() / p.weight
        };
        let values: Vec<f64> = problems.iter().map(reached).collect();
        let (low, high) = mean_interval(&values)?;
        Some(Point { k, value: values.iter().sum::<f64>() / values.len() as f64, low, high })
    };
    grid(least).into_iter().filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{judged, ledger_of};

    fn references(all: &[Option<&str>]) -> References {
        References::new(all.iter().map(|r| Some((String::new(), (*r)?.to_owned()))).collect())
    }

    #[test]
    fn the_floor_is_what_the_answers_of_one_problem_score_on_others() {
        let of = |answers: &[&str], own: &str| {
            answers.iter().map(|a| judged(Some(a), *a == own, None, None)).collect::<Vec<_>>()
        };
        // The first says 4, 5 or 6, whatever is asked; the second only 6, rightly.
        let (first, second) = (of(&["4", "5", "6", "6"], "4"), of(&["6", "6", "6", "6"], "6"));
        let ledger = ledger_of(&[[&first, &[]], [&second, &[]]]);
        let floor = ledger.luck_floor(0, &references(&[Some("4"), Some("6")]));
        // The first reaches 6 in 2 of 4; the second never reaches 4.
        let want = [(1, 0.25), (2, (1.0 - 1.0 / 6.0) / 2.0), (4, 0.5)];
        assert_eq!(floor.len(), want.len());
        for (got, (k, value)) in floor.iter().zip(want) {
            assert!(got.k == k && (got.value - value).abs() < 1e-12);
        }
        // The third problem's reference is the first's: it is no foreign one to it.
        let ledger = ledger_of(&[[&first, &[]], [&second, &[]], [&first, &[]]]);
        let floor = ledger.luck_floor(0, &references(&[Some("4"), Some("6"), Some("4")]));
        assert!((floor[0].value - 1.0 / 3.0).abs() < 1e-12);
        assert!(floor.iter().all(|p| p.low <= p.value && p.value <= p.high));
    }

    #[test]
    fn without_other_references_there_is_no_floor() {
        let one = [judged(Some("4"), true, None, None)];
        let ledger = ledger_of(&[[&one, &[]], [&one, &[]]]);
        for all in [[None, None], [Some("4"), None], [Some("4"), Some("4")]] {
            assert!(ledger.luck_floor(0, &references(&all)).is_empty());
        }
        assert!(ledger.luck_floor(9, &references(&[Some("4"), Some("5")])).is_empty());
        // Answers of another form are not guessed.
        let apart = ["a", "b"].map(|form| Some((form.to_owned(), format!("{form}4"))));
        assert!(ledger.luck_floor(0, &References::new(apart.to_vec())).is_empty());
    }
}
