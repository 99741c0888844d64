//! A run as JSON, table, Markdown and CSV.
//!
//! [`Report`] is the JSON, field by field; its schema has a [`VERSION`], and a field that
//! is there stays what it is within a version. What is undefined is `null`.

mod grid;
mod load;
mod svg;
mod text;

pub use load::{Loaded, load};

use crate::completion::clean;
use crate::problem::Problem;
use crate::random::Stream;
use crate::record::{Run, SamplingEntry};
use crate::support::noise::{FloorSource, Intervals, NoiseFloor, Range};
use crate::support::{Cluster, Counts, Criterion, Crossing, Ledger, Lens, Pair, Unit};
use serde::Serialize;

/// Version of the JSON schema.
pub const VERSION: u32 = 1;

/// Resamples behind each interval.
const RESAMPLES: u32 = 1000;

/// Every figure of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub version: u32,
    /// The least number of completions at which the first pair is compared on a problem;
    /// `null` before both have drawn.
    pub k: Option<u32>,
    /// The largest: where it is not `k`, problems are compared at different k, each at its
    /// own.
    pub k_max: Option<u32>,
    /// −ln ζ/k at ζ = 0.05, or at the criterion's ζ: what was not seen in k draws is less
    /// likely than this.
    pub epsilon: Option<f64>,
    pub sampling: Option<SamplingEntry>,
    pub criterion: CriterionReport,
    /// Whether only completions whose steps derive the answer count as correct.
    pub sound: bool,
    /// The base first.
    pub policies: Vec<PolicyReport>,
    /// Of the first pair; `null` where there is only one policy.
    pub dynamics: Option<Dynamics>,
    /// The k at which the first pair's curves cross; `null` if they do not within what is
    /// drawn.
    pub crossing: Option<u32>,
    /// Every RLVR policy against the base, the first pair included.
    pub pairs: Vec<PairReport>,
    pub problems: Vec<ProblemReport>,
}

/// When an item is in support.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CriterionReport {
    /// `found` or `threshold`.
    pub name: &'static str,
    /// The hits that it takes.
    pub min_hits: u32,
    pub zeta: Option<f64>,
}

/// One policy over all problems.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyReport {
    pub name: String,
    pub role: String,
    pub spec: Option<String>,
    /// Completions of all problems together.
    pub n: u64,
    /// How many of them are correct.
    pub correct: u64,
    /// Unbiased, mean over problems, with 95 % intervals; at k = 1, 2, 4 … and at the least
    /// number of completions of a problem.
    pub pass_at_k: Vec<PassReport>,
    /// Nats; mean over problems.
    pub token_entropy: Option<f64>,
    /// Nats; mean over problems.
    pub answer_entropy: Option<f64>,
    pub mean_tokens: Option<f64>,
}

/// One point of a pass@k curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PassReport {
    pub k: u32,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

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

/// One problem. Lists go by policy, in the order of `policies`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProblemReport {
    pub id: String,
    pub reference: Option<String>,
    /// The k at which the first pair is compared.
    pub k: u32,
    /// Completions drawn.
    pub n: Vec<u32>,
    /// Correct completions among them.
    pub hits: Vec<u32>,
    /// hits/n.
    pub pass_rate: Vec<Option<f64>>,
    /// `P`, `E`, `S` or `O` in unit `problem`, of the first pair.
    pub status: Option<char>,
    /// Of the first pair, within its k.
    pub clusters: Vec<ClusterReport>,
}

/// Completions of one problem that share what they say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterReport {
    /// `null` for `NA`.
    pub answer: Option<String>,
    pub method: Option<String>,
    pub correct: bool,
    /// Of base and RLVR.
    pub hits: [u32; 2],
    /// How many of them are sound.
    pub sound: [u32; 2],
    /// `P`, `E` or `S`, by one hit.
    pub status: char,
}

impl Report {
    /// The figures of a ledger whose policies and problems are those of `run` and
    /// `problems`, in the same order, the base first. The lens's unit is not looked at:
    /// every unit is reported.
    pub fn new(run: &Run, problems: &[Problem], ledger: &Ledger, lens: &Lens) -> Report {
        let pairs: Vec<PairReport> = (1..ledger.policies())
            .map(|rlvr| pair_report(run, ledger, lens, Pair::with_base(rlvr)))
            .collect();
        let first = Pair::with_base(1);
        let ks = matched(ledger, first);
        let zeta = match lens.criterion {
            Criterion::Threshold { zeta } => Some(zeta),
            Criterion::Found { .. } => None,
        };
        Report {
            version: VERSION,
            k: ks.first().copied(),
            k_max: ks.last().copied(),
            epsilon: ks.first().map(|&k| Ledger::epsilon(k, zeta.unwrap_or(0.05))),
            sampling: run.sampling.clone(),
            criterion: CriterionReport {
                name: lens.criterion.name(),
                min_hits: lens.criterion.min_hits(),
                zeta,
            },
            sound: lens.sound,
            policies: (0..ledger.policies()).map(|p| policy_report(run, ledger, p)).collect(),
            dynamics: pairs.first().map(|p| p.dynamics.clone()),
            crossing: pairs.first().and_then(|p| p.crossing),
            pairs,
            problems: problems
                .iter()
                .enumerate()
                .map(|(i, problem)| problem_report(problem, i, ledger, lens))
                .collect(),
        }
    }

    /// The report as JSON, indented, with a line feed at its end.
    pub fn json(&self) -> String {
        // Only maps with keys that are no strings can fail, and there are none.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
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

/// The k at which a pair is compared, of every problem on which both have drawn, sorted.
fn matched(ledger: &Ledger, pair: Pair) -> Vec<u32> {
    let mut ks: Vec<u32> =
        (0..ledger.problems()).map(|i| ledger.matched(pair, i)).filter(|k| *k > 0).collect();
    ks.sort_unstable();
    ks
}

fn policy_report(run: &Run, ledger: &Ledger, policy: usize) -> PolicyReport {
    let entry = &run.policies[policy];
    let sum = |of: &dyn Fn(usize) -> u32| (0..ledger.problems()).map(|i| u64::from(of(i))).sum();
    let curve = ledger.pass_curve(policy).into_iter();
    PolicyReport {
        name: plain(&entry.name),
        role: plain(&entry.role),
        spec: entry.spec.as_deref().map(plain),
        n: sum(&|i| ledger.drawn(policy, i)),
        correct: sum(&|i| ledger.correct(policy, i)),
        pass_at_k: curve.map(|p| PassReport { k: p.k, value: p.value, low: p.low, high: p.high }).collect(),
        token_entropy: ledger.token_entropy(policy),
        answer_entropy: ledger.answer_entropy(policy),
        mean_tokens: ledger.mean_tokens(policy),
    }
}

fn pair_report(run: &Run, ledger: &Ledger, lens: &Lens, pair: Pair) -> PairReport {
    let rates = |unit| rates(ledger, pair, &Lens { unit, ..*lens });
    let (crossing, crossing_interval) = match ledger.crossing(pair) {
        Crossing::At { k, low, high } => (Some(k), Some([low, high])),
        Crossing::NoneUpTo(_) | Crossing::Unknown => (None, None),
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
    }
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

fn problem_report(problem: &Problem, number: usize, ledger: &Ledger, lens: &Lens) -> ProblemReport {
    let first = Pair::with_base(1);
    let each = |of: &dyn Fn(usize) -> u32| (0..ledger.policies()).map(of).collect::<Vec<u32>>();
    let (n, hits) = (each(&|p| ledger.drawn(p, number)), each(&|p| ledger.correct(p, number)));
    let rate = |(n, hits): (&u32, &u32)| (*n > 0).then(|| f64::from(*hits) / f64::from(*n));
    let cluster = |c: Cluster| ClusterReport {
        answer: c.key.answer.as_deref().map(plain),
        method: c.key.method.as_deref().map(plain),
        correct: c.correct,
        hits: c.hits,
        sound: c.sound,
        status: c.status.letter(),
    };
    ProblemReport {
        id: plain(&problem.id),
        reference: problem.reference.as_deref().map(plain),
        k: ledger.matched(first, number),
        pass_rate: n.iter().zip(&hits).map(rate).collect(),
        n,
        hits,
        status: ledger.status(first, number, lens).map(|s| s.letter()),
        clusters: ledger.clusters(first, number).into_iter().map(cluster).collect(),
    }
}

/// Text from a file, safe on a terminal and on one line.
fn plain(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests;
