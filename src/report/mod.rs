//! A run as JSON, table, Markdown and CSV.
//!
//! # The JSON
//!
//! [`Report`] is the JSON, field by field. `version` is [`VERSION`]; within a version a field
//! that is there stays what it is, and fields are only added. What is undefined is `null`,
//! never 0; k is completions per policy and problem; entropies are in nats; every interval
//! is 95 %, `[low, high]`.
//!
//! | field | |
//! |---|---|
//! | `k`, `k_max` | the least and the largest k at which the first pair is compared on a problem |
//! | `epsilon` | −ln ζ/k: what k draws did not show is less likely than this (the paper's appendix C.4) |
//! | `sampling` | temperature, top_p, top_k, max_tokens, seed, as recorded |
//! | `criterion` | `name` (`found`, `threshold`), `min_hits`, `zeta`: when an item is in support |
//! | `sound` | whether only completions whose steps derive the answer are correct |
//! | `policies[]` | [`PolicyReport`]: pass@k, avg@k, maj@k, pass^k, Cover@τ, coverage, unseen mass, luck floor, entropies |
//! | `dynamics`, `crossing`, `divergence` | of the first pair: [`Dynamics`] by unit, the k of the crossing, [`DivergenceReport`] |
//! | `pairs[]` | [`PairReport`]: the same for every RLVR policy against the base |
//! | `problems[]` | [`ProblemReport`]: hits, status, whether the draws decide, clusters |
//!
//! In `dynamics.{problem,answer,method,completion}` ([`Rates`]): `p`, `e`, `s`, `o`, `srr`,
//! `ndr`, `sds`, `nscr`, their `intervals`, the `noise_floor`, the `p_value` of NSCR and the
//! `regime` by the paper's names with its thresholds.

mod csv;
mod grid;
mod load;
mod pair;
mod policy;
mod problem;
mod svg;
mod text;

pub use grid::Grid;
pub use load::{Loaded, load};
pub use pair::{DivergenceReport, Dynamics, FloorReport, PairReport, RateIntervals, Rates, RegimeReport};
pub use policy::{
    CoverReport, PassReport, PolicyReport, RuleReport, UnitCurves, UnitUnseen, UnseenReport, ValueReport,
};
pub use problem::{BoundReport, ChangeReport, ClusterReport, ProblemReport};

use crate::completion::clean;
use crate::problem::Problem;
use crate::record::{Run, SamplingEntry};
use crate::support::luck::References;
use crate::support::{Criterion, Ledger, Lens, Pair};
use serde::Serialize;

/// Version of the JSON schema.
pub const VERSION: u32 = 1;

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
    /// Of the first pair; `null` where an entropy is not known.
    pub divergence: Option<DivergenceReport>,
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

impl Report {
    /// The figures of a ledger whose policies and problems are those of `run` and
    /// `problems`, in the same order, the base first. The lens's unit is not looked at:
    /// every unit is reported.
    pub fn new(run: &Run, problems: &[Problem], ledger: &Ledger, lens: &Lens) -> Report {
        let pairs: Vec<PairReport> = (1..ledger.policies())
            .map(|rlvr| PairReport::new(run, ledger, lens, Pair::with_base(rlvr)))
            .collect();
        let first = Pair::with_base(1);
        let ks = matched(ledger, first);
        let references = References::of(problems);
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
            policies: (0..ledger.policies())
                .map(|p| PolicyReport::new(run, ledger, lens, &references, p))
                .collect(),
            dynamics: pairs.first().map(|p| p.dynamics.clone()),
            crossing: pairs.first().and_then(|p| p.crossing),
            divergence: pairs.first().and_then(|p| p.divergence.clone()),
            pairs,
            problems: problem::reports(problems, ledger, lens),
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

/// The k at which a pair is compared, of every problem on which both have drawn, sorted.
fn matched(ledger: &Ledger, pair: Pair) -> Vec<u32> {
    let mut ks: Vec<u32> =
        (0..ledger.problems()).map(|i| ledger.matched(pair, i)).filter(|k| *k > 0).collect();
    ks.sort_unstable();
    ks
}

/// Text from a file, safe on a terminal and on one line.
fn plain(text: &str) -> String {
    clean(text).replace('\n', " ")
}

#[cfg(test)]
mod tests;
