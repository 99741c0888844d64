//! Curves against k, read off the ledger.

use super::interval::{Z95, mean_and_error, mean_interval, wilson};
use super::ledger::Ledger;
use super::pass::{all_at, grid, pass_at};
use super::unit::Pair;

/// One point of a curve, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub k: u32,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Where the base's pass@k overtakes the RLVR policy's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crossing {
    /// At the smallest k from which the base is not behind, having been behind at a
    /// smaller one. Within low..=high the paired difference of the problems is not
    /// distinguishable from 0 at 95 %; `high` is the largest k drawn where it stays so.
    At { k: u32, low: u32, high: u32 },
    /// The RLVR policy leads up to this k, or never led.
    NoneUpTo(u32),
    /// Nothing to compare yet.
    Unknown,
}

impl Ledger {
    /// Mean of the unbiased pass@k over the problems that have completions; `None` where
    /// one of them has fewer than k, so that every k is a mean over the same problems.
    pub fn pass_at(&self, policy: usize, k: u32) -> Option<f64> {
        mean(&self.over_problems(policy, |n, c| pass_at(n, c, k))?)
    }

    /// pass@k at k = 1, 2, 4 … and at the least number of completions of a problem. The
    /// band is [`mean_interval`].
    pub fn pass_curve(&self, policy: usize) -> Vec<Point> {
        let point = |k| {
            let values = self.over_problems(policy, |n, c| pass_at(n, c, k))?;
            let (low, high) = mean_interval(&values)?;
            Some(Point { k, value: mean(&values)?, low, high })
        };
        grid(self.least_drawn(policy)).into_iter().filter_map(point).collect()
    }

    /// Unbiased pass@k on one problem; `None` where fewer than k are drawn.
    pub fn problem_pass(&self, policy: usize, problem: usize, k: u32) -> Option<f64> {
        pass_at(self.drawn(policy, problem), self.correct(policy, problem), k)
    }

    /// pass@k on one problem at k = 1, 2, 4 … and at the last. The band is Wilson's for the
    /// pass rate p, carried over by 1 − (1 − p)^k.
    pub fn problem_curve(&self, policy: usize, problem: usize) -> Vec<Point> {
        let (n, c) = (self.drawn(policy, problem), self.correct(policy, problem));
        let Some((low, high)) = wilson(c.into(), n.into()) else { return Vec::new() };
        let point = |k: u32| {
            let value = pass_at(n, c, k)?;
            let reach = |p: f64| -(f64::from(k) * (-p).ln_1p()).exp_m1();
            Some(Point { k, value, low: reach(low).min(value), high: reach(high).max(value) })
        };
        grid(n).into_iter().filter_map(point).collect()
    }

    /// avg@n: the mean over problems of the share of correct completions, the paper's
    /// table 5; the same as pass@1.
    pub fn average(&self, policy: usize) -> Option<f64> {
        self.pass_at(policy, 1)
    }

    /// pass^k: the probability that all of k draws are correct, mean over problems.
    pub fn all_at(&self, policy: usize, k: u32) -> Option<f64> {
        mean(&self.over_problems(policy, |n, c| all_at(n, c, k))?)
    }

    /// Cover@τ: the share of problems, of those that have completions, whose share of
    /// correct completions is at least τ.
    pub fn cover_at(&self, policy: usize, tau: f64) -> Option<f64> {
        let covered = |n: u32, c: u32| Some(f64::from(u8::from(f64::from(c) >= tau * f64::from(n))));
        mean(&self.over_problems(policy, covered)?)
    }

    /// Where the base's pass@k overtakes the RLVR policy's, over the problems on which
    /// both have drawn.
    pub fn crossing(&self, pair: Pair) -> Crossing {
        let problems: Vec<[(u32, u32); 2]> = (0..self.problems())
            .filter(|&i| self.matched(pair, i) > 0)
            .map(|i| [pair.base, pair.rlvr].map(|p| (self.drawn(p, i), self.correct(p, i))))
            .collect();
        let last = problems.iter().flatten().map(|(n, _)| *n).min().unwrap_or(0);
        if last == 0 {
            return Crossing::Unknown;
        }
        // How far the RLVR policy leads at k, problem by problem.
        let leads = |k: u32| -> Vec<f64> {
            let pass = |(n, c): (u32, u32)| pass_at(n, c, k).unwrap_or(0.0);
            problems.iter().map(|&[base, rlvr]| pass(rlvr) - pass(base)).collect()
        };
        let lead = |k: u32| leads(k).iter().sum::<f64>();
        let grid = grid(last);
        let Some(led) = grid.iter().position(|&k| lead(k) > TIE) else { return Crossing::NoneUpTo(last) };
        let Some(lost) = (led..grid.len()).find(|&i| lead(grid[i]) <= TIE) else {
            return Crossing::NoneUpTo(last);
        };
        // Both curves are smooth in k: one change of sign between two points of the grid.
        let bisect = |mut above: u32, mut below: u32, holds: &dyn Fn(u32) -> bool| {
            while below - above > 1 {
                let middle = above + (below - above) / 2;
                *(if holds(middle) { &mut above } else { &mut below }) = middle;
            }
            below
        };
        let k = bisect(grid[lost - 1], grid[lost], &|k| lead(k) > TIE);
        let margin =
            |k: u32, side: f64| mean_and_error(&leads(k)).map_or(-side, |(m, error)| m + side * Z95 * error);
        let clear = |k: u32| margin(k, -1.0) > TIE;
        let not_behind = |k: u32| margin(k, 1.0) > -TIE;
        let low = match (0..lost).rev().find(|&i| clear(grid[i])) {
            Some(i) => bisect(grid[i], k.max(grid[i] + 1), &clear),
            None => 1,
        };
        let high = match (lost..grid.len()).find(|&i| !not_behind(grid[i])) {
            Some(i) => bisect(k.min(grid[i] - 1), grid[i], &not_behind),
            None => last,
        };
        Crossing::At { k, low: low.min(k), high: high.max(k) }
    }

    /// The least number of completions of a problem that has any; 0 if none has.
    pub fn least_drawn(&self, policy: usize) -> u32 {
        let drawn = (0..self.problems()).map(|i| self.drawn(policy, i));
        drawn.filter(|n| *n > 0).min().unwrap_or(0)
    }

    /// `of` (n, c) for every problem with completions; `None` if one is `None`.
    fn over_problems(&self, policy: usize, of: impl Fn(u32, u32) -> Option<f64>) -> Option<Vec<f64>> {
        let each = (0..self.problems()).map(|i| (self.drawn(policy, i), self.correct(policy, i)));
        each.filter(|(n, _)| *n > 0).map(|(n, c)| of(n, c)).collect()
    }
}

/// A lead that rounding could have made.
const TIE: f64 = 1e-9;

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
