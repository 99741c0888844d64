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

/// Which completions count as right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Correct,
    /// Correct, and the steps derive the answer: CoT-Pass@k (Wen et al. 2025,
    /// arXiv:2506.14245), with steps checked by the task.
    Sound,
}

impl Ledger {
    /// Mean of the unbiased pass@k over the problems that have completions; `None` where
    /// one of them has fewer than k, so that every k is a mean over the same problems.
    pub fn pass_at(&self, policy: usize, k: u32) -> Option<f64> {
        mean(&self.over_problems(policy, Right::Correct, |n, c| pass_at(n, c, k))?)
    }

    /// pass@k at k = 1, 2, 4 … and at the least number of completions of a problem. The
    /// band is [`mean_interval`].
    pub fn pass_curve(&self, policy: usize) -> Vec<Point> {
        self.mean_curve(policy, Right::Correct)
    }

    /// As [`Ledger::pass_curve`], of sound completions only.
    pub fn sound_curve(&self, policy: usize) -> Vec<Point> {
        self.mean_curve(policy, Right::Sound)
    }

    /// Unbiased pass@k on one problem; `None` where fewer than k are drawn.
    pub fn problem_pass(&self, policy: usize, problem: usize, k: u32) -> Option<f64> {
        pass_at(self.drawn(policy, problem), self.correct(policy, problem), k)
    }

    /// pass@k on one problem at k = 1, 2, 4 … and at the last. The band is Wilson's for the
    /// pass rate p, carried over by 1 − (1 − p)^k.
    pub fn problem_curve(&self, policy: usize, problem: usize) -> Vec<Point> {
        one_curve(self.drawn(policy, problem), self.correct(policy, problem))
    }

    /// As [`Ledger::problem_curve`], of sound completions only.
    pub fn problem_sound_curve(&self, policy: usize, problem: usize) -> Vec<Point> {
        one_curve(self.drawn(policy, problem), self.sound(policy, problem))
    }

    /// avg@n: the mean over problems of the share of correct completions, the paper's
    /// table 5; the same as pass@1.
    pub fn average(&self, policy: usize) -> Option<f64> {
        self.pass_at(policy, 1)
    }

    /// pass^k: the probability that all of k draws are correct, mean over problems.
    pub fn all_at(&self, policy: usize, k: u32) -> Option<f64> {
        mean(&self.over_problems(policy, Right::Correct, |n, c| all_at(n, c, k))?)
    }

    /// Cover@τ: the share of problems, of those that have completions, whose share of
    /// correct completions is at least τ.
    pub fn cover_at(&self, policy: usize, tau: f64) -> Option<f64> {
        let covered = |n: u32, c: u32| Some(f64::from(u8::from(f64::from(c) >= tau * f64::from(n))));
        mean(&self.over_problems(policy, Right::Correct, covered)?)
    }

    /// Each problem's share of correct completions, of those that have completions; the
    /// sound ones only with `sound`.
    pub fn pass_rates(&self, policy: usize, sound: bool) -> Vec<f64> {
        let right = if sound { Right::Sound } else { Right::Correct };
        let rate = |n: u32, c: u32| Some(f64::from(c) / f64::from(n));
        self.over_problems(policy, right, rate).unwrap_or_default()
    }

    /// Where the base's pass@k overtakes the RLVR policy's, over the problems on which
    /// both have drawn.
    pub fn crossing(&self, pair: Pair) -> Crossing {
        self.crossing_of(pair, Right::Correct)
    }

    /// As [`Ledger::crossing`], of sound completions only.
    pub fn sound_crossing(&self, pair: Pair) -> Crossing {
        self.crossing_of(pair, Right::Sound)
    }

    /// The least number of completions of a problem that has any; 0 if none has.
    pub fn least_drawn(&self, policy: usize) -> u32 {
        let drawn = (0..self.problems()).map(|i| self.drawn(policy, i));
        drawn.filter(|n| *n > 0).min().unwrap_or(0)
    }

    fn right(&self, policy: usize, problem: usize, right: Right) -> (u32, u32) {
        let hits = match right {
            Right::Correct => self.correct(policy, problem),
            Right::Sound => self.sound(policy, problem),
        };
        (self.drawn(policy, problem), hits)
    }

    /// `of` (n, c) for every problem with completions; `None` if one is `None`.
    fn over_problems(
        &self,
        policy: usize,
        right: Right,
        of: impl Fn(u32, u32) -> Option<f64>,
    ) -> Option<Vec<f64>> {
        let each = (0..self.problems()).map(|i| self.right(policy, i, right));
        each.filter(|(n, _)| *n > 0).map(|(n, c)| of(n, c)).collect()
    }

    fn mean_curve(&self, policy: usize, right: Right) -> Vec<Point> {
        let point = |k| {
            let values = self.over_problems(policy, right, |n, c| pass_at(n, c, k))?;
            let (low, high) = mean_interval(&values)?;
            Some(Point { k, value: mean(&values)?, low, high })
        };
        grid(self.least_drawn(policy)).into_iter().filter_map(point).collect()
    }

    fn crossing_of(&self, pair: Pair, right: Right) -> Crossing {
        let problems: Vec<[(u32, u32); 2]> = self
            .compared(pair)
            .map(|i| [pair.base, pair.rlvr].map(|policy| self.right(policy, i, right)))
            .collect();
        let last = problems.iter().flatten().map(|(n, _)| *n).min().unwrap_or(0);
        if last == 0 {
            return Crossing::Unknown;
        }
        let lead = |k: u32| {
            let pass = |(n, c): (u32, u32)| pass_at(n, c, k).unwrap_or(0.0);
            Lead::of(&problems.iter().map(|&[base, rlvr]| pass(rlvr) - pass(base)).collect::<Vec<_>>())
        };
        let grid = grid(last);
        let leads: Vec<Lead> = grid.iter().map(|&k| lead(k)).collect();
        let led = leads.iter().position(Lead::is_ahead);
        let Some(lost) = led.and_then(|led| (led..grid.len()).find(|&i| !leads[i].is_ahead())) else {
            return Crossing::NoneUpTo(last);
        };
        // Both curves are smooth in k: one change of sign between two points of the grid. It is
        // found to the k, the ends of its interval to a part in `precision`.
        let first_without = |mut with: u32, mut without: u32, precision: u32, holds: fn(&Lead) -> bool| {
            while without - with > (without / precision).max(1) {
                let middle = with + (without - with) / 2;
                *(if holds(&lead(middle)) { &mut with } else { &mut without }) = middle;
            }
            without
        };
        let k = first_without(grid[lost - 1], grid[lost], u32::MAX, Lead::is_ahead);
        let low = match (0..lost).rev().find(|&i| leads[i].is_clear()) {
            Some(i) => first_without(grid[i], grid[i + 1], 64, Lead::is_clear),
            None => 1,
        };
        let high = match (lost..grid.len()).find(|&i| !leads[i].is_not_behind()) {
            Some(i) => first_without(grid[i - 1], grid[i], 64, Lead::is_not_behind),
            None => last,
        };
        Crossing::At { k, low: low.min(k), high: high.max(k) }
    }
}

/// How far the RLVR policy leads at some k: mean over problems and its standard error.
struct Lead {
    mean: f64,
    error: f64,
}

impl Lead {
    fn of(differences: &[f64]) -> Lead {
        let mean = mean(differences).unwrap_or(0.0);
        // One problem says nothing of others.
        let error = mean_and_error(differences).map_or(f64::INFINITY, |(_, error)| error);
        Lead { mean, error }
    }

    fn is_ahead(&self) -> bool {
        self.mean > TIE
    }

    /// Ahead beyond chance.
    fn is_clear(&self) -> bool {
        self.mean - Z95 * self.error > TIE
    }

    /// Not behind beyond chance.
    fn is_not_behind(&self) -> bool {
        self.mean + Z95 * self.error > -TIE
    }
}

fn one_curve(n: u32, c: u32) -> Vec<Point> {
    let Some((low, high)) = wilson(c.into(), n.into()) else { return Vec::new() };
    let point = |k: u32| {
        let value = pass_at(n, c, k)?;
        let reach = |p: f64| -(f64::from(k) * (-p).ln_1p()).exp_m1();
        Some(Point { k, value, low: reach(low).min(value), high: reach(high).max(value) })
    };
    grid(n).into_iter().filter_map(point).collect()
}

/// A lead that rounding could have made.
const TIE: f64 = 1e-9;

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
