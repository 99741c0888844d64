//! One problem.

use super::plain;
use crate::problem::Problem;
use crate::support::change::{Bound, Certainty, Change, false_discovery};
use crate::support::{Cluster, Criterion, Ledger, Lens, Pair, Status};
use serde::Serialize;

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
    /// Whether the draws decide that the pass rate changed; `null` before the first pair has
    /// drawn.
    pub change: Option<ChangeReport>,
    /// The rules that read the right answers of the policy that has them, where the problem is
    /// lost or gained and the other policy was never read by any of them: a sign of a change
    /// of format, not of ability.
    pub format: Option<Vec<&'static str>>,
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
    /// Whether the draws decide; `null` for wrong ones.
    pub change: Option<ChangeReport>,
}

/// Whether an item changed, or was only unlucky; of the first pair within its k.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeReport {
    /// Whether both policies showed it, or it is lost or gained beyond chance.
    pub certain: bool,
    /// About how many draws of each would decide; `null` where it is certain, or where no
    /// number would.
    pub deciding_k: Option<u32>,
    /// Fisher's exact test that both have the same probability, two-sided.
    pub p_value: f64,
    /// p adjusted for how many problems are tested (Benjamini & Hochberg); `null` for
    /// clusters.
    pub q_value: Option<f64>,
    /// Of base and RLVR, where it was not seen: what its probability is below with
    /// confidence 1 − ζ.
    pub bounds: [Option<BoundReport>; 2],
}

/// An upper bound of the probability of what k draws did not show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoundReport {
    /// 1 − ζ^(1/k).
    pub exact: f64,
    /// −ln ζ/k, the paper's.
    pub epsilon: f64,
}

/// Every problem's report.
pub(super) fn reports(problems: &[Problem], ledger: &Ledger, lens: &Lens) -> Vec<ProblemReport> {
    let changes: Vec<Option<Change>> = (0..problems.len()).map(|i| change(ledger, i, lens)).collect();
    let p_values: Vec<f64> = changes.iter().flatten().map(|c| c.p_value).collect();
    let mut q_values = false_discovery(&p_values).into_iter();
    let each = problems.iter().zip(changes).enumerate();
    each.map(|(i, (problem, change))| {
        let change = change.map(|c| ChangeReport { q_value: q_values.next(), ..c.into() });
        report(problem, i, change, ledger, lens)
    })
    .collect()
}

fn change(ledger: &Ledger, problem: usize, lens: &Lens) -> Option<Change> {
    let first = Pair::with_base(1);
    let change = ledger.problem_change(first, problem, lens, zeta(lens))?;
    match ledger.status(first, problem, lens) {
        Some(Status::Shrunk | Status::Expanded) => Change::of_flip(change.hits, change.drawn, zeta(lens)),
        _ => Some(change),
    }
}

fn zeta(lens: &Lens) -> f64 {
    match lens.criterion {
        Criterion::Threshold { zeta } => zeta,
        Criterion::Found { .. } => 0.05,
    }
}

fn report(
    problem: &Problem,
    number: usize,
    change: Option<ChangeReport>,
    ledger: &Ledger,
    lens: &Lens,
) -> ProblemReport {
    let first = Pair::with_base(1);
    let each = |of: &dyn Fn(usize) -> u32| (0..ledger.policies()).map(of).collect::<Vec<u32>>();
    let (n, hits) = (each(&|p| ledger.drawn(p, number)), each(&|p| ledger.correct(p, number)));
    let rate = |(n, hits): (&u32, &u32)| (*n > 0).then(|| f64::from(*hits) / f64::from(*n));
    let k = ledger.matched(first, number);
    let cluster = |c: Cluster| ClusterReport {
        answer: c.key.answer.as_deref().map(plain),
        method: c.key.method.as_deref().map(plain),
        correct: c.correct,
        hits: c.hits,
        sound: c.sound,
        status: c.status.letter(),
        change: Change::of(c.hits, [k; 2], zeta(lens)).filter(|_| c.correct).map(ChangeReport::from),
    };
    let format = ledger.format_sign(first, number, lens);
    ProblemReport {
        id: plain(&problem.id),
        reference: problem.reference.as_deref().map(plain),
        k,
        pass_rate: n.iter().zip(&hits).map(rate).collect(),
        n,
        hits,
        status: ledger.status(first, number, lens).map(|s| s.letter()),
        change,
        format: format.map(|rules| rules.into_iter().map(|r| r.name()).collect()),
        clusters: ledger.clusters(first, number).into_iter().map(cluster).collect(),
    }
}

impl From<Change> for ChangeReport {
    fn from(c: Change) -> Self {
        let bound = |b: Option<Bound>| b.map(|b| BoundReport { exact: b.exact, epsilon: b.epsilon });
        ChangeReport {
            certain: c.certainty == Certainty::Certain,
            deciding_k: match c.certainty {
                Certainty::Undecided { k } => k,
                Certainty::Certain => None,
            },
            p_value: c.p_value,
            q_value: None,
            bounds: c.bounds.map(bound),
        }
    }
}
