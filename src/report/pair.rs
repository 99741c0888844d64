//! An RLVR policy against the base.

use super::{matched, plain};
use crate::random::Stream;
use crate::record::Run;
use crate::support::entropy::{Divergence, Regime};
use crate::support::noise::{FloorSource, Intervals, NoiseFloor, Range};
use crate::support::{Counts, Crossing, Ledger, Lens, Pair, Unit};
use serde::Serialize;

/// Resamples behind each interval.
const RESAMPLES: u32 = 1000;

/// An RLVR policy against the base.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairReport {
    pub base: String,
    pub rlvr: String,
    pub k: Option<u32>,
    pub dynamics: Dynamics,
    pub crossing: Option<u32>,
    /// The k within which the crossing may as well lie, at 95 %.
    pub crossing_interval: Option<[u32; 2]>,
    /// Of sound completions only; `null` too where no steps could be checked.
    pub sound_crossing: Option<u32>,
    /// `null` where an entropy is not known.
    pub divergence: Option<DivergenceReport>,
}

/// Support dynamics in each unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dynamics {
    pub problem: Rates,
    pub answer: Rates,
    pub method: Rates,
    pub completion: Rates,
}

/// Support dynamics in one unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rates {
    pub p: u64,
    pub e: u64,
    pub s: u64,
    pub o: u64,
    pub srr: Option<f64>,
    pub ndr: Option<f64>,
    pub sds: Option<f64>,
    pub nscr: Option<f64>,
    /// 95 %, low and high.
    pub intervals: RateIntervals,
    /// What the same draws would show if both policies were the base.
    pub noise_floor: Option<FloorReport>,
    /// Of |NSCR| if completions were dealt to the two policies at random.
    pub p_value: Option<f64>,
    /// `null` where SRR or NDR is.
    pub regime: Option<RegimeReport>,
}

/// What RLVR does to support, by the paper's four names (its section 3.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegimeReport {
    pub name: &'static str,
    /// Why: `SRR ≥ 0.8, NDR < 0.1`. The paper gives no numbers; these are ours.
    pub because: String,
    /// SRR is high from here on.
    pub high_srr: f64,
    /// NDR is high from here on.
    pub high_ndr: f64,
}

/// How local and global uncertainty moved: token against answer entropy (the paper's
/// section 5.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DivergenceReport {
    /// Base and RLVR, nats.
    pub token_entropy: [f64; 2],
    /// Base and RLVR, nats.
    pub answer_entropy: [f64; 2],
    /// `local-only`, `collapse`, `exploration`, `global-only` or `still`.
    pub reading: &'static str,
    /// The same for people.
    pub words: &'static str,
    /// Nats within which an entropy has not moved.
    pub still: f64,
}

/// Intervals of the rates.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RateIntervals {
    pub srr: Option<[f64; 2]>,
    pub ndr: Option<[f64; 2]>,
    pub sds: Option<[f64; 2]>,
    pub nscr: Option<[f64; 2]>,
}

/// The noise floor: what is expected of chance, and the 95 % range of chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FloorReport {
    pub p: f64,
    pub e: f64,
    pub e_range: [f64; 2],
    pub s: f64,
    pub s_range: [f64; 2],
    pub srr: Option<f64>,
    pub ndr: Option<f64>,
    pub nscr: Option<f64>,
    pub nscr_range: Option<[f64; 2]>,
    /// `split` (the base's own draws in two) or `formula`.
    pub source: &'static str,
}

impl PairReport {
    pub(super) fn new(run: &Run, ledger: &Ledger, lens: &Lens, pair: Pair) -> Self {
        let rates = |unit| rates(ledger, pair, &Lens { unit, ..*lens });
        let (crossing, crossing_interval) = match ledger.crossing(pair) {
            Crossing::At { k, low, high } => (Some(k), Some([low, high])),
            Crossing::NoneUpTo(_) | Crossing::Unknown => (None, None),
        };
        let sound_crossing = match ledger.sound_crossing(pair) {
            Crossing::At { k, .. } => Some(k),
            Crossing::NoneUpTo(_) | Crossing::Unknown => None,
        };
        PairReport {
            base: plain(&run.policies[pair.base].name),
            rlvr: plain(&run.policies[pair.rlvr].name),
            k: matched(ledger, pair).first().copied(),
            dynamics: Dynamics {
                problem: rates(Unit::Problem),
                answer: rates(Unit::Answer),
                method: rates(Unit::Method),
                completion: rates(Unit::Completion),
            },
            crossing,
            crossing_interval,
            sound_crossing,
            divergence: divergence(ledger, pair),
        }
    }
}

impl Dynamics {
    /// The rates in a unit.
    pub fn of(&self, unit: Unit) -> &Rates {
        match unit {
            Unit::Problem => &self.problem,
            Unit::Answer => &self.answer,
            Unit::Method => &self.method,
            Unit::Completion => &self.completion,
        }
    }
}

fn divergence(ledger: &Ledger, pair: Pair) -> Option<DivergenceReport> {
    let both = |of: &dyn Fn(usize) -> Option<f64>| Some([of(pair.base)?, of(pair.rlvr)?]);
    let token = both(&|p| ledger.token_entropy(p))?;
    let answer = both(&|p| ledger.answer_entropy(p))?;
    let reading = Divergence::of(token.into(), answer.into());
    Some(DivergenceReport {
        token_entropy: token,
        answer_entropy: answer,
        reading: reading.name(),
        words: reading.words(),
        still: Divergence::STILL,
    })
}

fn rates(ledger: &Ledger, pair: Pair, lens: &Lens) -> Rates {
    let sample = ledger.sample(pair, lens);
    let stream = Stream::new(0).with("report").with(lens.unit.name()).at(pair.rlvr as u64);
    let Counts { p, e, s, o } = ledger.counts(pair, lens);
    let counts = Counts { p, e, s, o };
    let Intervals { srr, ndr, sds, nscr } = sample.intervals(RESAMPLES, stream);
    let both = |interval: Option<(f64, f64)>| interval.map(|(low, high)| [low, high]);
    Rates {
        p,
        e,
        s,
        o,
        srr: counts.srr(),
        ndr: counts.ndr(),
        sds: counts.sds(),
        nscr: counts.nscr(),
        intervals: RateIntervals { srr: both(srr), ndr: both(ndr), sds: both(sds), nscr: both(nscr) },
        noise_floor: ledger.noise_floor(pair, lens).map(floor_report),
        p_value: sample.permutation(RESAMPLES, stream),
        regime: Regime::of(&counts).map(|regime| RegimeReport {
            name: regime.name(),
            because: regime.thresholds(),
            high_srr: Regime::HIGH_SRR,
            high_ndr: Regime::HIGH_NDR,
        }),
    }
}

fn floor_report(floor: NoiseFloor) -> FloorReport {
    let range = |r: Range| [r.low, r.high];
    FloorReport {
        p: floor.p,
        e: floor.e.value,
        e_range: range(floor.e),
        s: floor.s.value,
        s_range: range(floor.s),
        srr: floor.srr,
        ndr: floor.ndr,
        nscr: floor.nscr.map(|r| r.value),
        nscr_range: floor.nscr.map(range),
        source: match floor.source {
            FloorSource::Split => "split",
            FloorSource::Formula => "formula",
        },
    }
}
