//! Drawing a comparison again: what the counts could have been.
//!
//! Only whether an item comes out in support is drawn, not its completions: items alike
//! are one group, and a group is a handful of random numbers whatever k is.

use super::counts::Counts;
use super::pass::{ln_factorial, misses};
use super::unit::Status;
use crate::random::Stream;
use std::collections::BTreeMap;

/// One problem, as (items, probability of each of P, E, S) for groups of items alike.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    certain: Counts,
    groups: Vec<(u32, [f64; 3])>,
}

impl Model {
    /// The problem's completions drawn again, k from each policy's own: each side hits an
    /// item in support with its own probability. Items are drawn apart from each other.
    pub fn redrawn(items: &[[u32; 2]], k: u32, min_hits: u32) -> Model {
        Model::of(items, |hits| {
            let [b, r] = hits.map(|h| reaches(k, f64::from(h) / f64::from(k.max(1)), min_hits));
            [b * r, (1.0 - b) * r, b * (1.0 - r)]
        })
    }

    /// The problem's completions dealt again: both policies' together, k to each side, as
    /// if they came from one policy.
    pub fn dealt(items: &[[u32; 2]], k: u32, min_hits: u32) -> Model {
        Model::of(items, |hits| split(2 * k, hits[0] + hits[1], k, min_hits))
    }

    fn of(items: &[[u32; 2]], probabilities: impl Fn([u32; 2]) -> [f64; 3]) -> Model {
        let mut alike = BTreeMap::<[u32; 2], u32>::new();
        items.iter().for_each(|h| *alike.entry(*h).or_default() += 1);
        let mut model = Model::default();
        for (hits, n) in alike {
            let p = probabilities(hits);
            let sure = p.iter().position(|p| *p > 1.0 - 1e-9);
            match sure {
                Some(i) => model.certain.count(Status::ALL[i], n.into()),
                None if p.iter().sum::<f64>() < 1e-9 => model.certain.o += u64::from(n),
                None => model.groups.push((n, p)),
            }
        }
        model
    }

    /// One outcome.
    pub fn draw(&self, stream: &mut Stream) -> Counts {
        let mut counts = self.certain;
        for &(n, p) in &self.groups {
            let (mut left, mut rest) = (n, 1.0);
            for (i, p) in p.into_iter().enumerate() {
                let hit = binomial(stream, left, (p / rest).clamp(0.0, 1.0));
                counts.count(Status::ALL[i], hit.into());
                left -= hit;
                rest -= p;
                if left == 0 || rest <= 0.0 {
                    break;
                }
            }
            counts.o += u64::from(left);
        }
        counts
    }
}

/// P(Binomial(k, p) ≥ m).
pub(super) fn reaches(k: u32, p: f64, m: u32) -> f64 {
    if p <= 0.0 || m > k {
        return if m == 0 { 1.0 } else { 0.0 };
    }
    if p >= 1.0 {
        return 1.0;
    }
    if m == 1 {
        return -(f64::from(k) * (-p).ln_1p()).exp_m1();
    }
    let below = |x: u32| {
        let choose = ln_factorial(k) - ln_factorial(x) - ln_factorial(k - x);
        (choose + f64::from(x) * p.ln() + f64::from(k - x) * (-p).ln_1p()).exp()
    };
    (1.0 - (0..m).map(below).sum::<f64>()).clamp(0.0, 1.0)
}

/// An item with `h` hits among n draws, and two disjoint samples of k of them: the
/// probabilities that both have at least `m` hits, only the second, only the first.
/// 2k ≤ n.
pub(super) fn split(n: u32, h: u32, k: u32, m: u32) -> [f64; 3] {
    if m == 1 {
        let (one, both) = (misses(n, h, k), misses(n, h, 2 * k));
        return [1.0 - 2.0 * one + both, one - both, one - both].map(|p| p.max(0.0));
    }
    // The first sample has x hits, the second y of the h − x left.
    let below = |n: u32, h: u32| -> f64 { (0..m.min(h + 1)).map(|y| hypergeometric(n, h, k, y)).sum() };
    let one = below(n, h);
    let both: f64 = (0..m.min(h + 1)).map(|x| hypergeometric(n, h, k, x) * below(n - k, h - x)).sum();
    [1.0 - 2.0 * one + both, one - both, one - both].map(|p| p.max(0.0))
}

/// The probability that k of n draws hold x of h hits.
fn hypergeometric(n: u32, h: u32, k: u32, x: u32) -> f64 {
    if x > h || x > k || k - x > n - h {
        return 0.0;
    }
    let choose = |n: u32, k: u32| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    (choose(h, x) + choose(n - h, k - x) - choose(n, k)).exp()
}

/// How many of n come with probability p each: one by one for few, by leaps from hit to
/// hit where hits are rare, else by the normal approximation.
pub(super) fn binomial(stream: &mut Stream, n: u32, p: f64) -> u32 {
    if p > 0.5 {
        return n - binomial(stream, n, 1.0 - p);
    }
    if n <= 8 {
        return (0..n).filter(|_| stream.chance(p)).count() as u32;
    }
    let mean = f64::from(n) * p;
    if mean > 30.0 {
        let x = (mean + (mean * (1.0 - p)).sqrt() * stream.normal()).round();
        return x.clamp(0.0, n.into()) as u32;
    }
    if p <= 0.0 {
        return 0;
    }
    let (mut hits, mut at) = (0, 0.0);
    loop {
        at += 1.0 + ((1.0 - stream.unit()).ln() / (-p).ln_1p()).floor();
        if at > f64::from(n) {
            return hits;
        }
        hits += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomials_have_their_mean_and_variance() {
        let mut stream = Stream::new(1);
        for (n, p) in
            [(1, 0.3), (8, 0.9), (40, 0.05), (40, 0.8), (5000, 0.002), (5000, 0.4), (9, 0.0), (9, 1.0)]
        {
            let draws: Vec<f64> = (0..20_000).map(|_| binomial(&mut stream, n, p).into()).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let (m, v) = (f64::from(n) * p, f64::from(n) * p * (1.0 - p));
            assert!((mean - m).abs() <= 5.0 * (v / 20_000.0).sqrt(), "{n} {p}: {mean}");
            assert!((variance - v).abs() <= 0.06 * v, "{n} {p}: {variance}");
        }
    }

    #[test]
    fn reaching_equals_enumeration() {
        for k in 1..=9u32 {
            for m in 0..=k + 1 {
                for p in [0.0f64, 0.2, 0.7, 1.0] {
                    let of = |set: &u32| {
                        let hits = set.count_ones();
                        p.powi(hits as i32) * (1.0 - p).powi((k - hits) as i32)
                    };
                    let want: f64 = (0u32..1 << k).filter(|s| s.count_ones() >= m).map(|s| of(&s)).sum();
                    assert!((reaches(k, p, m) - want).abs() < 1e-12, "{k} {m} {p}");
                }
            }
        }
    }

    #[test]
    fn splitting_equals_enumeration() {
        // Every division of n draws, the first h of them hits, into k, k and the rest.
        for (n, h, k) in [(6, 2, 3), (7, 3, 2), (8, 4, 4), (7, 0, 3), (6, 6, 2)] {
            for m in 1..=3 {
                let (mut want, mut total) = ([0.0; 3], 0.0);
                for first in (0u32..1 << n).filter(|s| s.count_ones() == k) {
                    for second in (0u32..1 << n).filter(|s| s.count_ones() == k && s & first == 0) {
                        total += 1.0;
                        let hits = (1u32 << h) - 1;
                        let [a, b] = [first, second].map(|s| (s & hits).count_ones() >= m);
                        want[0] += f64::from(u8::from(a && b));
                        want[1] += f64::from(u8::from(!a && b));
                        want[2] += f64::from(u8::from(a && !b));
                    }
                }
                let got = split(n, h, k, m);
                for i in 0..3 {
                    assert!((got[i] - want[i] / total).abs() < 1e-9, "{n} {h} {k} {m}: {got:?}");
                }
            }
        }
    }

    #[test]
    fn drawing_again_keeps_the_items_and_what_is_sure() {
        let items = [[1000, 1000], [1, 0], [1, 0], [0, 3], [0, 0]];
        let model = Model::redrawn(&items, 2000, 1);
        let mut stream = Stream::new(3);
        let (mut lost, mut gained) = (0, 0);
        for _ in 0..4000 {
            let c = model.draw(&mut stream);
            assert_eq!((c.total(), c.p), (5, 1));
            (lost, gained) = (lost + c.s, gained + c.e);
        }
        let rate = |n: u64| n as f64 / 4000.0;
        assert!((rate(lost) - 2.0 * 0.632).abs() < 0.05 && (rate(gained) - 0.950).abs() < 0.02);
        // Dealt again, one hit is the one's or the other's, and some side always has it.
        let dealt = Model::dealt(&[[1, 0]; 40], 2000, 1);
        let c = dealt.draw(&mut stream);
        assert_eq!((c.p, c.e + c.s, c.o), (0, 40, 0));
    }
}
