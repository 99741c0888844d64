//! How much of the figures is noise: intervals, the noise floor, a permutation test.

use super::counts::Counts;
use super::interval::{Z95, wilson};
use super::resample::{Model, reaches, split};
use super::unit::{Status, Unit};
use crate::random::Stream;

/// The items of every problem with the k at which they were seen: what
/// [`Ledger::items`](super::Ledger::items) gives.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub unit: Unit,
    pub min_hits: u32,
    /// (k, hits of base and RLVR for each item) of each problem.
    pub problems: Vec<(u32, Vec<[u32; 2]>)>,
}

/// 95 % intervals of the four rates; `None` where a rate is undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Intervals {
    pub srr: Option<(f64, f64)>,
    pub ndr: Option<(f64, f64)>,
    pub sds: Option<(f64, f64)>,
    pub nscr: Option<(f64, f64)>,
}

/// What the counts would be if both policies were the base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseFloor {
    /// The least and the largest k of the problems.
    pub k: (u32, u32),
    pub p: f64,
    /// E with its 95 % range.
    pub e: Range,
    /// S: the same distribution as E.
    pub s: Range,
    pub srr: Option<f64>,
    pub ndr: Option<f64>,
    /// Around 0 by symmetry.
    pub nscr: Option<Range>,
    pub source: FloorSource,
}

/// A figure and the range within which chance leaves it 95 % of the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// What the noise floor was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloorSource {
    /// All ways to split the base's own draws in two samples of k: exact.
    Split,
    /// (1 − (1 − p)^k)(1 − p)^k over p = hits/k of the items the base showed. Items it did
    /// not show are left out, so that it is rather too low.
    Formula,
}

impl Sample {
    /// The counts of all problems together.
    pub fn counts(&self) -> Counts {
        self.problems.iter().map(|p| counted(&p.1, self.min_hits)).sum()
    }

    /// Intervals by `times` resamples over problems and, within each, over completions
    /// (percentile, two levels).
    ///
    /// A problem's items are drawn again from the hits they had. What was found can only
    /// get lost by this, so that resamples stand off from the observed rate; they are
    /// moved back on it. In unit `problem` SRR and NDR are plain proportions, and theirs
    /// are Wilson's. A bootstrap is too sure of itself where few items changed: no interval
    /// is narrower than Wilson's over the items (for SDS and NSCR put together by square
    /// and add, Newcombe 1998), and where no resample differs from another, over the
    /// problems.
    pub fn intervals(&self, times: u32, stream: Stream) -> Intervals {
        let each: Vec<Counts> = self.problems.iter().map(|p| counted(&p.1, self.min_hits)).collect();
        let all: Counts = each.iter().copied().sum();
        let models: Vec<Model> =
            self.problems.iter().map(|(k, items)| Model::redrawn(items, *k, self.min_hits)).collect();
        let draws: Vec<Counts> = (0..if models.is_empty() { 0 } else { times })
            .map(|i| {
                let mut stream = stream.with("intervals").at(i.into());
                (0..models.len()).map(|_| models[stream.below(models.len())].draw(&mut stream)).sum()
            })
            .collect();
        // Items or problems that a rate counts.
        let base = |inside: fn(&Counts) -> u64, spread: bool| {
            let problems = each.iter().filter(|c| inside(c) > 0).count() as u64;
            (if spread { inside(&all) } else { problems }) as f64
        };
        let proportion = |of: fn(&Counts) -> Option<f64>, inside: fn(&Counts) -> u64| {
            let rate = of(&all)?;
            let drawn = recentred(rate, &draws, of, (0.0, 1.0)).filter(|_| self.unit != Unit::Problem);
            let n = base(inside, drawn.is_some() || self.unit == Unit::Problem);
            widened(drawn, wilson(rate * n, n)?)
        };
        let srr = proportion(Counts::srr, |c| c.p + c.s);
        let ndr = proportion(Counts::ndr, |c| c.p + c.e);
        let sds = all.sds().and_then(|rate| {
            let plain = harmonic([all.srr()?, all.ndr()?], [srr?, ndr?]);
            widened(recentred(rate, &draws, Counts::sds, (0.0, 1.0)), plain)
        });
        let nscr = all.nscr().and_then(|rate| {
            let drawn = recentred(rate, &draws, Counts::nscr, (-1.0, 1.0));
            let seen: fn(&Counts) -> u64 = |c| c.p + c.e + c.s;
            let n = base(seen, drawn.is_some() || self.unit == Unit::Problem);
            let share = |items: u64| items as f64 / seen(&all) as f64;
            widened(drawn, difference(share(all.e), share(all.s), n)?)
        });
        Intervals { srr, ndr, sds, nscr }
    }

    /// The probability that |NSCR| is at least as large as observed when every problem's
    /// completions are dealt to the two policies at random, from `times` deals; two-sided,
    /// never 0. `None` where NSCR is undefined.
    ///
    /// Exact in unit `problem`. In the other units the items of a problem are dealt apart
    /// from each other, which makes the test a little cautious.
    pub fn permutation(&self, times: u32, stream: Stream) -> Option<f64> {
        let observed = self.counts().nscr()?.abs() - 1e-12;
        let models: Vec<Model> =
            self.problems.iter().map(|(k, items)| Model::dealt(items, *k, self.min_hits)).collect();
        let mut as_large = 1u32;
        for i in 0..times {
            let mut stream = stream.with("permutation").at(i.into());
            let counts: Counts = models.iter().map(|m| m.draw(&mut stream)).sum();
            as_large += u32::from(counts.nscr().unwrap_or(0.0).abs() >= observed);
        }
        Some(f64::from(as_large) / f64::from(times + 1))
    }

    /// The noise floor. `base` gives for each problem how many completions the base has
    /// drawn in all, and its hits of each item among them: where every problem has at
    /// least 2k of them, the floor comes from splitting them. `None` without problems.
    pub fn noise_floor(&self, base: &[(u32, Vec<u32>)]) -> Option<NoiseFloor> {
        if self.problems.is_empty() || base.len() != self.problems.len() {
            return None;
        }
        let m = self.min_hits;
        let enough = self.problems.iter().zip(base).all(|((k, _), (n, _))| n / 2 >= *k);
        let (mut p, mut e, mut spread_e, mut spread) = (0.0, 0.0, 0.0, 0.0);
        for ((k, items), (n, hits)) in self.problems.iter().zip(base) {
            let mut count = |[both, one, _]: [f64; 3]| {
                p += both;
                e += one;
                spread_e += one * (1.0 - one);
                spread += 2.0 * one;
            };
            if enough {
                hits.iter().for_each(|h| count(split(*n, *h, *k, m)));
            } else {
                for [h, _] in items {
                    let q = reaches(*k, f64::from(*h) / f64::from((*k).max(1)), m);
                    count([q * q, q * (1.0 - q), q * (1.0 - q)]);
                }
            }
        }
        let ks = || self.problems.iter().map(|p| p.0);
        let k = (ks().min()?, ks().max()?);
        let half = Z95 * spread_e.sqrt();
        let count = Range { value: e, low: (e - half).max(0.0), high: e + half };
        let seen = p + 2.0 * e;
        let nscr = (seen > 0.0).then(|| {
            let half = (Z95 * spread.sqrt() / seen).min(1.0);
            Range { value: 0.0, low: -half, high: half }
        });
        let kept = (p + e > 0.0).then(|| p / (p + e));
        let source = if enough { FloorSource::Split } else { FloorSource::Formula };
        Some(NoiseFloor { k, p, e: count, s: count, srr: kept, ndr: kept.map(|r| 1.0 - r), nscr, source })
    }
}

fn counted(items: &[[u32; 2]], min_hits: u32) -> Counts {
    let mut counts = Counts::default();
    items.iter().for_each(|[b, r]| counts.count(Status::of(*b >= min_hits, *r >= min_hits), 1));
    counts
}

/// The central 95 % of a rate over resamples, moved so that their mean is the observed
/// rate. `None` where the rate is defined in fewer than half of them, or never differs.
fn recentred(
    rate: f64,
    draws: &[Counts],
    of: fn(&Counts) -> Option<f64>,
    bounds: (f64, f64),
) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = draws.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = (*values.first()?, *values.last()?);
    if values.len() * 2 < draws.len() || first == last {
        return None;
    }
    let shift = rate - values.iter().sum::<f64>() / values.len() as f64;
    let quantile = |q: f64| values[(q * (values.len() - 1) as f64).round() as usize] + shift;
    Some((quantile(0.025).clamp(bounds.0, rate), quantile(0.975).clamp(rate, bounds.1)))
}

/// The hull of both intervals.
fn widened(drawn: Option<(f64, f64)>, plain: (f64, f64)) -> Option<(f64, f64)> {
    let drawn = drawn.unwrap_or(plain);
    Some((drawn.0.min(plain.0), drawn.1.max(plain.1)))
}

/// The interval of e − s, two shares of the same n: square and add.
fn difference(e: f64, s: f64, n: f64) -> Option<(f64, f64)> {
    let (of_e, of_s) = (wilson(e * n, n)?, wilson(s * n, n)?);
    let low = (e - s) - (e - of_e.0).hypot(of_s.1 - s);
    let high = (e - s) + (of_e.1 - e).hypot(s - of_s.0);
    Some((low.max(-1.0), high.min(1.0)))
}

/// The interval of the harmonic mean of two rates: square and add on its reciprocal, the
/// mean of theirs; where a rate is 0, from the ends of both intervals.
fn harmonic(rates: [f64; 2], intervals: [(f64, f64); 2]) -> (f64, f64) {
    let mean = |a: f64, b: f64| if a * b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 };
    let [(a_low, a_high), (b_low, b_high)] = intervals;
    let [a, b] = rates.map(|r| 0.5 / r);
    if rates[0] * rates[1] == 0.0 {
        return (0.0, mean(a_high, b_high));
    }
    let high = 1.0 / ((a + b) - (a - 0.5 / a_high).hypot(b - 0.5 / b_high));
    let low = 1.0 / ((a + b) + (0.5 / a_low - a).hypot(0.5 / b_low - b));
    (low, high.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
