//! Whether an item changed, or was only unlucky.

use super::pass::ln_factorial;

/// What the draws say of one item under two policies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Base and RLVR.
    pub hits: [u32; 2],
    /// How many were drawn of each.
    pub drawn: [u32; 2],
    /// Where there are no hits: what the item's probability is below with confidence 1 − ζ.
    pub bounds: [Option<Bound>; 2],
    /// Fisher's exact test that both have the same probability, two-sided.
    pub p_value: f64,
    pub certainty: Certainty,
}

/// An upper bound of the probability of what n draws did not show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// 1 − ζ^(1/n): solves (1 − p)^n = ζ.
    pub exact: f64,
    /// ε = −ln ζ / n, the paper's, always above the exact bound.
    pub epsilon: f64,
}

/// Whether the draws decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Both policies showed the item, or it is lost or gained and the test rejects chance
    /// at level ζ.
    Certain,
    /// Not at this k. `k` is about how many draws of each would decide if the rates stayed
    /// as they are; `None` where nothing was seen, where the rates are equal, or where it
    /// would take over 10⁹.
    Undecided { k: Option<u32> },
}

impl Change {
    /// Judges an item at level ζ. `None` where a policy has drawn nothing, or more hits
    /// than draws.
    pub fn of(hits: [u32; 2], drawn: [u32; 2], zeta: f64) -> Option<Change> {
        let possible = (0..2).all(|i| drawn[i] > 0 && hits[i] <= drawn[i]);
        if !possible {
            return None;
        }
        let p_value = fisher(hits, drawn);
        let seen = hits.map(|h| h > 0);
        let certainty = if seen == [true, true] || (seen != [false, false] && p_value < zeta) {
            Certainty::Certain
        } else {
            Certainty::Undecided { k: deciding(hits, drawn, zeta) }
        };
        let bounds = [0, 1].map(|i| (hits[i] == 0).then(|| Bound::after(drawn[i], zeta)));
        Some(Change { hits, drawn, bounds, p_value, certainty })
    }

    /// As [`Change::of`], for an item that its criterion calls lost or gained although both
    /// policies may have shown it: certain only where the test rejects chance.
    pub fn of_flip(hits: [u32; 2], drawn: [u32; 2], zeta: f64) -> Option<Change> {
        let change = Change::of(hits, drawn, zeta)?;
        let certainty = match change.p_value < zeta {
            true => Certainty::Certain,
            false => Certainty::Undecided { k: deciding(hits, drawn, zeta) },
        };
        Some(Change { certainty, ..change })
    }
}

impl Certainty {
    /// The label: `certain`, `undecided, k ≈ 190 would decide`.
    pub fn words(self) -> String {
        match self {
            Certainty::Certain => "certain".to_owned(),
            Certainty::Undecided { k: Some(k) } => format!("undecided, k ≈ {k} would decide"),
            Certainty::Undecided { k: None } => "undecided".to_owned(),
        }
    }
}

impl Bound {
    /// The bound after n draws without a hit.
    pub fn after(n: u32, zeta: f64) -> Bound {
        let epsilon = -zeta.ln() / f64::from(n);
        Bound { exact: -(-epsilon).exp_m1(), epsilon }
    }
}

/// Fisher's exact test, two-sided: the probability, with the hits of both together given,
/// of a division no likelier than the one seen, in (0, 1]. Hits at most drawn. The work grows
/// with the spread of the divisions, not with the hits.
pub fn fisher(hits: [u32; 2], drawn: [u32; 2]) -> f64 {
    let [a, b] = hits;
    let [n, m] = drawn;
    let total = a + b;
    // ln of the hypergeometric probability that x of the hits are the base's.
    let ln_p = |x: u32| {
        let choose = |n: u32, k: u32| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
        choose(n, x) + choose(m, total - x) - choose(n + m, total)
    };
    let (first, last) = (total.saturating_sub(m), total.min(n));
    let seen = ln_p(a) + 1e-7;
    // The pmf has one peak, here: on each side of it what is no likelier reaches to the end.
    let peak = (u128::from(n + 1) * u128::from(total + 1) / (u128::from(n) + u128::from(m) + 2)) as u32;
    let peak = peak.clamp(first, last);
    if ln_p(peak) <= seen {
        return 1.0;
    }
    let edge = |mut inside: u32, mut outside: u32| {
        // `inside` is likelier than what was seen; `outside`, beyond the end, stands for less.
        while inside.abs_diff(outside) > 1 {
            let middle = inside.min(outside) + inside.abs_diff(outside) / 2;
            *(if ln_p(middle) > seen { &mut inside } else { &mut outside }) = middle;
        }
        outside
    };
    let enough = seen.exp() * 1e-18;
    let counts = |p: &f64| *p > enough;
    let upper = if ln_p(last) > seen { last + 1 } else { edge(peak, last) };
    let right: f64 = (upper..=last).map(|x| ln_p(x).exp()).take_while(counts).sum();
    let left: f64 = if ln_p(first) > seen {
        0.0
    } else {
        (first..=edge(peak, first)).rev().map(|x| ln_p(x).exp()).take_while(counts).sum()
    };
    (left + right).clamp(f64::MIN_POSITIVE, 1.0)
}

/// The q of each p-value of many (Benjamini & Hochberg 1995): calling every item certain
/// whose q is below ζ keeps the expected share of false calls below ζ.
pub fn false_discovery(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let mut q = vec![1.0; p_values.len()];
    let mut least = 1.0f64;
    for (i, &item) in order.iter().enumerate() {
        let rank = p_values.len() - i;
        least = least.min(p_values[item] * p_values.len() as f64 / rank as f64);
        q[item] = least;
    }
    q
}

/// The least k of a few per cent's precision at which the rates seen would be told apart.
fn deciding(hits: [u32; 2], drawn: [u32; 2], zeta: f64) -> Option<u32> {
    // Equal rates are never told apart.
    if u64::from(hits[0]) * u64::from(drawn[1]) == u64::from(hits[1]) * u64::from(drawn[0]) {
        return None;
    }
    let rates = [0, 1].map(|i| f64::from(hits[i]) / f64::from(drawn[i]));
    let decides = |k: u32| fisher(rates.map(|r| (r * f64::from(k)).round() as u32), [k, k]) < zeta;
    let mut high = drawn[0].min(drawn[1]).max(1);
    while !decides(high) {
        high = high.checked_mul(2).filter(|k| *k <= 1_000_000_000)?;
    }
    let mut low = high / 2;
    while high - low > (high / 64).max(1) {
        let middle = low + (high - low) / 2;
        *(if decides(middle) { &mut high } else { &mut low }) = middle;
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By going through every way to mark `total` of n + m draws.
    fn enumerated(hits: [u32; 2], drawn: [u32; 2]) -> f64 {
        let ways = |x: u32| {
            let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
            let other = hits[0] + hits[1] - x;
            if x > drawn[0] || other > drawn[1] { 0.0 } else { choose(drawn[0], x) * choose(drawn[1], other) }
        };
        let all: Vec<f64> = (0..=hits[0] + hits[1]).map(ways).collect();
        let seen = ways(hits[0]) * (1.0 + 1e-7);
        all.iter().filter(|w| **w <= seen).sum::<f64>() / all.iter().sum::<f64>()
    }

    #[test]
    fn fisher_equals_enumeration() {
        for (n, m) in [(1, 1), (4, 4), (5, 9), (12, 7)] {
            for a in 0..=n {
                for b in 0..=m {
                    let (fast, slow) = (fisher([a, b], [n, m]), enumerated([a, b], [n, m]));
                    assert!((fast - slow).abs() < 1e-9, "{a} of {n}, {b} of {m}: {fast} {slow}");
                }
            }
        }
        // The lady tasting tea.
        assert!((fisher([3, 1], [4, 4]) - 34.0 / 70.0).abs() < 1e-12);
    }

    #[test]
    fn the_bounds_are_those_of_no_hit() {
        let bound = Bound::after(1024, 0.05);
        assert!(((1.0 - bound.exact).powi(1024) - 0.05).abs() < 1e-12);
        assert!((bound.epsilon - 0.002926).abs() < 1e-6 && bound.exact < bound.epsilon);
    }

    #[test]
    fn a_lost_item_is_certain_or_says_what_would_decide() {
        let of = |a, b, k| Change::of([a, b], [k, k], 0.05).unwrap();
        assert_eq!(of(64, 0, 1024).certainty, Certainty::Certain);
        assert_eq!(of(1, 900, 1024).certainty, Certainty::Certain);
        let Certainty::Undecided { k: Some(k) } = of(2, 0, 64).certainty else { panic!("2 of 64 is luck") };
        // Six hits against none are needed.
        assert!((170..=200).contains(&k), "{k}");
        assert_eq!(of(0, 0, 64).certainty, Certainty::Undecided { k: None });
        assert_eq!((of(2, 0, 64).bounds[0], of(2, 0, 64).bounds[1]), (None, Some(Bound::after(64, 0.05))));
        assert_eq!(Change::of([0, 0], [0, 5], 0.05), None);
        assert_eq!(Change::of([6, 0], [5, 5], 0.05), None);
    }

    #[test]
    fn a_flip_by_a_criterion_is_certain_only_where_chance_is_rejected() {
        let of = |a, b, k| Change::of_flip([a, b], [k, k], 0.05).unwrap().certainty;
        assert_eq!(of(40, 2, 64), Certainty::Certain);
        let Certainty::Undecided { k: Some(k) } = of(4, 2, 64) else { panic!("4 against 2 is luck") };
        assert!((300..900).contains(&k), "{k}");
        assert_eq!(of(4, 4, 64), Certainty::Undecided { k: None });
        let words = of(2, 0, 64).words();
        assert!(words.starts_with("undecided, k ≈ 17") && words.ends_with(" would decide"), "{words}");
    }

    #[test]
    fn false_discovery_gives_the_textbook_figures() {
        let q = false_discovery(&[0.01, 0.04, 0.03, 0.5]);
        for (got, want) in q.iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, 0.5]) {
            assert!((got - want).abs() < 1e-12, "{q:?}");
        }
        assert!(false_discovery(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn any_item_gets_a_probability(a in 0u32..20_000, b in 0u32..20_000, n in 1u32..20_000, m in 1u32..20_000) {
            prop_assume!(a <= n && b <= m);
            let p = fisher([a, b], [n, m]);
            prop_assert!(p > 0.0 && p <= 1.0, "{p}");
        }
    }
}
