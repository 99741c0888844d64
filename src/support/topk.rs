//! The entropy of a distribution of which only the most likely tokens are known.

/// Between which bounds the entropy of a next-token distribution lies, nats, if these
/// log-probabilities of it are known and no other token is more likely than `cap`.
///
/// With r = 1 − Σp the mass that is not known and h = −Σ p ln p the part that is, the
/// entropy is highest where r is spread evenly over the V − K other tokens, h − r ln(r/(V−K)),
/// and lowest where as many of them as possible are as likely as can be: with m = ⌊r/p_K⌋ and
/// ρ = r − m·p_K it is h − m·p_K ln p_K − ρ ln ρ. Both are the same where nothing is left.
///
/// `None` where a number is no log-probability (above 0 or not a number), or none is given.
pub fn entropy_bounds(logprobs: &[f64], cap: f64, vocab_size: usize) -> Option<[f64; 2]> {
    // Servers round: a log-probability a little above 0 is 0.
    const ROUNDING: f64 = 1e-3;
    if logprobs.is_empty() || logprobs.iter().any(|l| l.is_nan() || *l > ROUNDING) {
        return None;
    }
    let p = || logprobs.iter().map(|l| l.min(0.0).exp());
    let h: f64 = p().map(surprise).sum();
    let rest = (1.0 - p().sum::<f64>()).clamp(0.0, 1.0);
    let others = vocab_size.saturating_sub(logprobs.len());
    if others == 0 || rest == 0.0 {
        return Some([h, h]);
    }
    let high = h + rest * (others as f64 / rest).ln();
    let cap = cap.clamp(0.0, 1.0);
    let low = if cap > 0.0 && cap < rest {
        let full = (rest / cap).floor();
        h + full * surprise(cap) + surprise((rest - full * cap).max(0.0))
    } else {
        h + surprise(rest)
    };
    // The mass that rounding moved can put the one above the other.
    Some([low.min(high), high.max(low)])
}

/// −p ln p.
fn surprise(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(p: &[f64]) -> f64 {
        p.iter().map(|p| surprise(*p)).sum()
    }

    #[test]
    fn the_formulas_by_hand() {
        // Known 0.5 and 0.2 of five tokens: 0.3 is left for three, none above 0.2.
        let h = exact(&[0.5, 0.2]);
        let [low, high] = entropy_bounds(&[0.5f64.ln(), 0.2f64.ln()], 0.2, 5).unwrap();
        assert!((low - (h + exact(&[0.2, 0.1]))).abs() < 1e-12);
        assert!((high - (h + 3.0 * surprise(0.1))).abs() < 1e-12);
        assert_eq!(entropy_bounds(&[0.0], 1.0, 9), Some([0.0, 0.0]));
        assert_eq!(entropy_bounds(&[f64::NEG_INFINITY], 0.0, 1), Some([0.0, 0.0]));
        for wrong in [&[][..], &[0.5], &[f64::NAN]] {
            assert_eq!(entropy_bounds(wrong, 1.0, 9), None);
        }
    }

    proptest! {
        #[test]
        fn the_interval_contains_the_entropy(
            weights in prop::collection::vec(prop_oneof![Just(0.0), 1e-9..1.0f64, 1.0..1e4f64], 1..60),
            k in 1usize..60,
            drawn in 0usize..60,
            spare in 0usize..1000,
        ) {
            let sum: f64 = weights.iter().sum();
            prop_assume!(sum > 0.0);
            let mut p: Vec<f64> = weights.iter().map(|w| w / sum).collect();
            p.sort_by(|a, b| b.total_cmp(a));
            let k = k.min(p.len());
            let mut known = p[..k].to_vec();
            // The token that was drawn may lie below the top K.
            known.extend(p[k..].get(drawn));
            let logprobs: Vec<f64> = known.iter().map(|p| p.ln()).collect();
            let [low, high] = entropy_bounds(&logprobs, p[k - 1], p.len() + spare).unwrap();
            let truth = exact(&p);
            prop_assert!(low <= truth + 1e-9 && truth <= high + 1e-9, "{low} {truth} {high}");
            if k == p.len() && spare == 0 {
                prop_assert!(high - low < 1e-9);
            }
        }
    }
}
