//! What k draws reach, from n draws of which c are correct: without bias, and safe at any n.

use std::sync::LazyLock;

/// pass@k, the probability that at least one of k draws is correct: 1 − C(n−c, k)/C(n, k),
/// the unbiased estimate of Chen et al. 2021 (arXiv:2107.03374, eq. 1). `None` where
/// n < k or k = 0.
pub fn pass_at(n: u32, c: u32, k: u32) -> Option<f64> {
    (k >= 1 && k <= n && c <= n).then(|| 1.0 - misses(n, c, k))
}

/// pass^k, the probability that all of k draws are correct: C(c, k)/C(n, k) (Yao et al.
/// 2024, arXiv:2406.12045). `None` where n < k or k = 0.
pub fn all_at(n: u32, c: u32, k: u32) -> Option<f64> {
    (k >= 1 && k <= n && c <= n).then(|| misses(n, n - c, k))
}

/// How many different items k of n draws show on average, when item i came `hits[i]` times
/// among the n: Σ 1 − C(n−h, k)/C(n, k) (rarefaction, Hurlbert 1971). `None` where n < k.
pub fn distinct_at(n: u32, hits: &[u32], k: u32) -> Option<f64> {
    (k <= n && hits.iter().all(|&h| h <= n)).then(|| hits.iter().map(|&h| 1.0 - misses(n, h, k)).sum())
}

/// 1, 2, 4 … up to n, and n.
pub fn grid(n: u32) -> Vec<u32> {
    let powers = (0..32).map(|i| 1u32 << i).take_while(|&k| k <= n);
    let last = (n > 0 && !n.is_power_of_two()).then_some(n);
    powers.chain(last).collect()
}

/// C(n−c, k)/C(n, k): the probability that k of n draws miss all of c. c and k at most n.
pub(super) fn misses(n: u32, c: u32, k: u32) -> f64 {
    if k > n - c {
        return 0.0;
    }
    // The product over the fewer of c and k factors: exact to the last digits where it is
    // short. The logarithms cancel to about 10⁻¹¹ at n = 16 384, and cost the same for any.
    let (few, many) = (c.min(k), c.max(k));
    if few <= 8 {
        return (0..few).map(|j| 1.0 - f64::from(many) / f64::from(n - j)).product();
    }
    (ln_factorial(n - c) - ln_factorial(n - c - k) + ln_factorial(n - k) - ln_factorial(n)).exp().min(1.0)
}

/// ln n!: a table with compensated sums, then Stirling's series.
pub(super) fn ln_factorial(n: u32) -> f64 {
    const TABLE: usize = 1 << 15;
    static LN: LazyLock<Vec<f64>> = LazyLock::new(|| {
        let (mut sum, mut lost) = (0.0f64, 0.0f64);
        let mut next = |i: usize| {
            let term = (i.max(1) as f64).ln() - lost;
            let total = sum + term;
            lost = (total - sum) - term;
            sum = total;
            total
        };
        (0..TABLE).map(&mut next).collect()
    });
    if let Some(ln) = LN.get(n as usize) {
        return *ln;
    }
    let x = f64::from(n) + 1.0;
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Shares of all subsets of size k of n draws, the first c correct.
    fn enumerated(n: u32, c: u32, k: u32) -> (f64, f64) {
        let (mut any, mut all, mut total) = (0.0, 0.0, 0.0);
        for set in 0u32..1 << n {
            if set.count_ones() == k {
                let correct = (set & ((1 << c) - 1)).count_ones();
                total += 1.0;
                any += f64::from(u8::from(correct > 0));
                all += f64::from(u8::from(correct == k));
            }
        }
        (any / total, all / total)
    }

    #[test]
    fn it_equals_enumeration() {
        for n in 1..=10 {
            for c in 0..=n {
                for k in 1..=n {
                    let (any, all) = enumerated(n, c, k);
                    assert!((pass_at(n, c, k).unwrap() - any).abs() < 1e-12, "{n} {c} {k}");
                    assert!((all_at(n, c, k).unwrap() - all).abs() < 1e-12, "{n} {c} {k}");
                }
            }
        }
    }

    #[test]
    fn distinct_items_equal_enumeration() {
        // Draws 0–1 show a, 2 shows b, 3–6 show c, 7 shows nothing.
        let (n, hits) = (8, [2, 1, 4]);
        let masks = [0b11, 0b100, 0b111_1000];
        for k in 1..=n {
            let sets: Vec<u32> = (0u32..1 << n).filter(|s| s.count_ones() == k).collect();
            let seen: usize = sets.iter().map(|s| masks.iter().filter(|m| s & **m != 0).count()).sum();
            let want = seen as f64 / sets.len() as f64;
            assert!((distinct_at(n, &hits, k).unwrap() - want).abs() < 1e-12);
        }
    }

    #[test]
    fn it_is_blank_where_there_are_too_few_draws() {
        for (n, c, k) in [(0, 0, 1), (4, 4, 5), (4, 0, 0), (2, 3, 1)] {
            assert_eq!((pass_at(n, c, k), all_at(n, c, k)), (None, None));
        }
        assert_eq!(distinct_at(3, &[1], 4), None);
        assert!(grid(0).is_empty());
        assert_eq!(grid(6), [1, 2, 4, 6]);
        assert_eq!(grid(8), [1, 2, 4, 8]);
    }

    #[test]
    fn it_is_safe_at_large_n() {
        // The product over k factors, as the definition reads.
        let slow = |n: u32, c: u32, k: u32| -> f64 {
            1.0 - (0..k).map(|i| f64::from(n - c - i) / f64::from(n - i)).product::<f64>()
        };
        for n in [16_384, 40_000, 1_000_000] {
            for (c, k) in [(1, 1), (1, n), (40, 50), (100, 64), (3000, 200), (n / 2, 1000), (n, 1), (0, n)] {
                let fast = pass_at(n, c, k).unwrap();
                let slow = if k > n - c { 1.0 } else { slow(n, c, k) };
                assert!((fast - slow).abs() < 1e-13 * f64::from(n), "{n} {c} {k}: {fast} {slow}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_never_falls_with_k_or_c(n in 1u32..20_000, c in 0u32..20_000, k in 1u32..20_000) {
            prop_assume!(c < n && k < n);
            let p = |c, k| pass_at(n, c, k).unwrap();
            prop_assert!((0.0..=1.0).contains(&p(c, k)));
            prop_assert!(p(c, k) <= p(c, k + 1) + 1e-9);
            prop_assert!(p(c, k) <= p(c + 1, k) + 1e-9);
            prop_assert!(all_at(n, c, k).unwrap() <= p(c, k) + 1e-9);
        }
    }
}
