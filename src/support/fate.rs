//! What became of a lost solution: the RLVR policy draws it seldom, or not at all.

/// What the RLVR policy π says of something that only the base drew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// π is still above ε: k more draws would as like as not show it.
    Suppressed,
    /// π is at most ε: that k draws did not show it is no chance.
    Gone,
}

impl Fate {
    /// The fate of something with this log-probability under π, nats, that k draws of π did
    /// not show. ε = −ln ζ / k is what k draws can rule out with confidence 1 − ζ (the
    /// paper's appendix C.4).
    ///
    /// It holds for draws at T = 1 without truncation: there the log-probability is the one
    /// that was drawn from.
    pub fn of(logprob: f64, k: u32, zeta: f64) -> Fate {
        if logprob > log_epsilon(k, zeta) { Fate::Suppressed } else { Fate::Gone }
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Suppressed => "suppressed",
            Fate::Gone => "gone",
        }
    }
}

/// ln ε with ε = −ln ζ / k, nats.
pub fn log_epsilon(k: u32, zeta: f64) -> f64 {
    (-zeta.ln() / f64::from(k)).ln()
}

/// The log-probability that any one of these texts is drawn, nats: what is known of an
/// item's probability from the distinct texts that showed it, which is a lower bound.
pub fn together(logprobs: &[f64]) -> f64 {
    let top = logprobs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    (top + logprobs.iter().map(|l| (l - top).exp()).sum::<f64>().ln()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_above_epsilon_is_suppressed_and_the_rest_is_gone() {
        // ε = 0.0029 at k = 1024.
        assert_eq!(Fate::of(0.003f64.ln(), 1024, 0.05), Fate::Suppressed);
        assert_eq!(Fate::of(0.0029f64.ln(), 1024, 0.05), Fate::Gone);
        assert_eq!(Fate::of(f64::NEG_INFINITY, 1024, 0.05), Fate::Gone);
        assert!((log_epsilon(1024, 0.05).exp() - 0.0029255).abs() < 1e-6);
    }

    #[test]
    fn probabilities_of_texts_add_up() {
        assert!((together(&[0.1f64.ln(), 0.2f64.ln()]) - 0.3f64.ln()).abs() < 1e-12);
        assert!((together(&[-2000.0, -2000.0]) + 2000.0 - 2f64.ln()).abs() < 1e-9);
        assert_eq!(together(&[]), f64::NEG_INFINITY);
        assert_eq!(together(&[0.0, -1e-9]), 0.0);
    }
}
