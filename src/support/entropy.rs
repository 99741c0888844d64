//! Entropies, and the paper's reading of them and of the rates.

use super::counts::Counts;

/// Entropy of the empirical distribution, plug-in, nats. `None` without counts.
pub fn plug_in(counts: &[u32]) -> Option<f64> {
    let n: f64 = counts.iter().map(|c| f64::from(*c)).sum();
    let part = |c: &u32| if *c > 0 { f64::from(*c) / n * (n / f64::from(*c)).ln() } else { 0.0 };
    (n > 0.0).then(|| counts.iter().map(part).sum::<f64>().max(0.0))
}

/// The plug-in entropy plus (classes seen − 1)/2n: what it falls short on average, to first
/// order (Miller 1955). Nats.
pub fn miller_madow(counts: &[u32]) -> Option<f64> {
    let n: f64 = counts.iter().map(|c| f64::from(*c)).sum();
    let classes = counts.iter().filter(|c| **c > 0).count() as f64;
    plug_in(counts).map(|h| h + (classes - 1.0) / (2.0 * n))
}

/// How local and global uncertainty moved under RLVR: token against answer entropy, the
/// paper's section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Divergence {
    /// Token up, answer down: what the paper calls local stochasticity without global
    /// exploration.
    LocalOnly,
    /// Both down.
    Collapse,
    /// Both up.
    Exploration,
    /// Token down, answer up.
    GlobalOnly,
    /// One of them did not move by more than [`Divergence::STILL`].
    Still,
}

impl Divergence {
    /// A change of at most 0.02 nats is no change: a little over the rounding of the paper's
    /// table 5.
    pub const STILL: f64 = 0.02;

    /// From (base, RLVR) entropies of tokens and of answers, nats.
    pub fn of(token: (f64, f64), answer: (f64, f64)) -> Divergence {
        let up = |(base, rlvr): (f64, f64)| ((rlvr - base).abs() > Divergence::STILL).then_some(rlvr > base);
        match (up(token), up(answer)) {
            (Some(true), Some(false)) => Divergence::LocalOnly,
            (Some(false), Some(false)) => Divergence::Collapse,
            (Some(true), Some(true)) => Divergence::Exploration,
            (Some(false), Some(true)) => Divergence::GlobalOnly,
            _ => Divergence::Still,
        }
    }

    /// The name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Divergence::LocalOnly => "local-only",
            Divergence::Collapse => "collapse",
            Divergence::Exploration => "exploration",
            Divergence::GlobalOnly => "global-only",
            Divergence::Still => "still",
        }
    }

    /// A few words, where there is little room.
    pub fn brief(self) -> &'static str {
        match self {
            Divergence::LocalOnly => "local up, global down",
            Divergence::Collapse => "local and global down",
            Divergence::Exploration => "local and global up",
            Divergence::GlobalOnly => "local down, global up",
            Divergence::Still => "no clear change",
        }
    }

    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Divergence::LocalOnly => "local stochasticity without global exploration",
            Divergence::Collapse => "less uncertain locally and globally",
            Divergence::Exploration => "more uncertain locally and globally",
            Divergence::GlobalOnly => "less uncertain locally, more diverse answers",
            Divergence::Still => "no clear change",
        }
    }
}

/// What RLVR does to support, by the paper's four names (section 3.2). The paper gives no
/// numbers for high and low; ours are [`Regime::HIGH_SRR`] and [`Regime::HIGH_NDR`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Regime {
    /// SRR high, NDR low.
    SupportConstrained,
    /// Both high.
    CapabilityExpansion,
    /// Both low.
    InefficientRedistribution,
    /// SRR low, NDR high.
    AggressiveExploration,
}

impl Regime {
    /// From here on SRR is high: below every SRR that the paper calls high (0.80 is the
    /// lowest, DAPO on Minerva in its table 3).
    pub const HIGH_SRR: f64 = 0.8;
    /// From here on NDR is high: the paper calls up to 0.04 rare in its sums, and 0.08 low.
    pub const HIGH_NDR: f64 = 0.1;

    /// The regime of counts; `None` where a rate is undefined.
    pub fn of(counts: &Counts) -> Option<Regime> {
        Some(match (counts.srr()? >= Regime::HIGH_SRR, counts.ndr()? >= Regime::HIGH_NDR) {
            (true, false) => Regime::SupportConstrained,
            (true, true) => Regime::CapabilityExpansion,
            (false, false) => Regime::InefficientRedistribution,
            (false, true) => Regime::AggressiveExploration,
        })
    }

    /// The paper's name.
    pub fn name(self) -> &'static str {
        match self {
            Regime::SupportConstrained => "support-constrained optimization",
            Regime::CapabilityExpansion => "genuine capability expansion",
            Regime::InefficientRedistribution => "inefficient redistribution",
            Regime::AggressiveExploration => "aggressive exploration",
        }
    }

    /// What puts it there: `SRR ≥ 0.8, NDR < 0.1`.
    pub fn thresholds(self) -> String {
        let (srr, ndr) = match self {
            Regime::SupportConstrained => ("≥", "<"),
            Regime::CapabilityExpansion => ("≥", "≥"),
            Regime::InefficientRedistribution => ("<", "<"),
            Regime::AggressiveExploration => ("<", "≥"),
        };
        format!("SRR {srr} {}, NDR {ndr} {}", Regime::HIGH_SRR, Regime::HIGH_NDR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::support::paper::paper;

    #[test]
    fn entropies_of_small_counts() {
        let near = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} {b}");
        near(plug_in(&[2, 2]), 2f64.ln());
        near(plug_in(&[5, 0]), 0.0);
        near(plug_in(&[1, 3]), 0.25 * 4f64.ln() + 0.75 * (4.0f64 / 3.0).ln());
        near(miller_madow(&[2, 2, 0]), 2f64.ln() + 1.0 / 8.0);
        assert_eq!((plug_in(&[]), plug_in(&[0]), miller_madow(&[])), (None, None, None));
    }

    #[test]
    fn miller_madow_is_nearer_than_plug_in() {
        let mut stream = Stream::new(8);
        let (mut plain, mut mended) = (0.0, 0.0);
        for _ in 0..500 {
            let mut counts = [0; 8];
            (0..40).for_each(|_| counts[stream.below(8)] += 1);
            plain += plug_in(&counts).unwrap() / 500.0;
            mended += miller_madow(&counts).unwrap() / 500.0;
        }
        let truth = 8f64.ln();
        assert!((mended - truth).abs() < 0.01 && truth - plain > 0.06, "{plain} {mended}");
    }

    #[test]
    fn the_papers_models_get_the_papers_reading() {
        let entropy = &paper().entropy;
        let reading = |base: &str, rlvr: &str| {
            let of = |table: &crate::support::paper::Listed<crate::support::paper::Listed<f64>>| {
                let average = |model: &str| *table.get(model).unwrap().get("Avg").unwrap();
                (average(base), average(rlvr))
            };
            Divergence::of(of(&entropy.token), of(&entropy.answer))
        };
        assert_eq!(reading("DeepSeek-1.5B", "ProRL-1.5B"), Divergence::LocalOnly);
        assert_eq!(reading("Qwen2.5-32B", "DAPO-32B"), Divergence::LocalOnly);
        assert_eq!(reading("DeepSeek-7B", "AceReason-7B"), Divergence::Collapse);
        assert_eq!(Divergence::of((0.2, 0.3), (1.0, 1.01)), Divergence::Still);
        assert_eq!(Divergence::of((0.2, 0.3), (1.0, 2.0)), Divergence::Exploration);
        assert_eq!(Divergence::of((0.3, 0.2), (1.0, 2.0)), Divergence::GlobalOnly);
    }

    #[test]
    fn the_papers_sums_are_support_constrained() {
        for (model, table) in &paper().support_tables.0 {
            for sum in &table.aggregate {
                assert_eq!(Regime::of(&sum.counts()), Some(Regime::SupportConstrained), "{model}");
            }
        }
        let of = |p, e, s| Regime::of(&Counts { p, e, s, o: 0 });
        assert_eq!(of(9, 2, 1), Some(Regime::CapabilityExpansion));
        assert_eq!(of(3, 0, 7), Some(Regime::InefficientRedistribution));
        assert_eq!(of(3, 3, 7), Some(Regime::AggressiveExploration));
        assert_eq!(of(0, 3, 0), None);
        assert_eq!(Regime::SupportConstrained.thresholds(), "SRR ≥ 0.8, NDR < 0.1");
    }
}
