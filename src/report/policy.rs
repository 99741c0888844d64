//! One policy over all problems.

use super::plain;
use crate::random::Stream;
use crate::record::Run;
use crate::support::luck::References;
use crate::support::pass::grid;
use crate::support::{Ledger, Lens, Point, Unit};
use serde::Serialize;

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
    /// How many of the correct ones have steps that derive the answer.
    pub sound: u64,
    /// Correct ones whose steps nobody could check.
    pub unchecked: u64,
    /// Unbiased, mean over problems, with 95 % intervals; at k = 1, 2, 4 … and at the least
    /// number of completions of a problem.
    pub pass_at_k: Vec<PassReport>,
    /// As `pass_at_k`, of sound completions only (CoT-Pass@k); empty where no steps could be
    /// checked.
    pub sound_pass_at_k: Vec<PassReport>,
    /// avg@k: the share of correct completions, mean over problems; k is the least drawn.
    pub avg_at_k: Option<PassReport>,
    /// maj@k: how often the most frequent answer of k is correct, mean over problems.
    pub maj_at_k: Vec<PassReport>,
    /// pass^k: the probability that all of k are correct, mean over problems.
    pub pass_hat_k: Vec<ValueReport>,
    /// Cover@τ: the share of problems whose share of correct completions is at least τ.
    pub cover_at_tau: Vec<CoverReport>,
    /// How many distinct correct items k completions show, mean over problems.
    pub coverage: UnitCurves,
    /// What it can do and has not shown yet; all problems together.
    pub unseen: UnitUnseen,
    /// pass@k of the same completions against the references of other problems of the same
    /// task: what guessing alone reaches. Empty with fewer than two different references.
    pub luck_floor: Vec<PassReport>,
    /// Nats; mean over problems. `null` where a server's most likely tokens only bound it.
    pub token_entropy: Option<f64>,
    /// Between which bounds it lies, nats; both the same where it is known.
    pub token_entropy_range: Option<[f64; 2]>,
    /// Nats; plug-in, no answer as one class, mean over problems.
    pub answer_entropy: Option<f64>,
    /// The same after Miller and Madow.
    pub answer_entropy_corrected: Option<f64>,
    /// Entropy of the answers of correct completions only, nats; mean over problems.
    pub correct_answer_entropy: Option<f64>,
    /// Entropy of the methods of correct completions only, nats; mean over problems.
    pub correct_method_entropy: Option<f64>,
    pub mean_tokens: Option<f64>,
    /// By which rules its answers were found; no rule: no answer.
    pub rules: Vec<RuleReport>,
}

/// One point of a curve with its interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PassReport {
    pub k: u32,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// One point of a curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueReport {
    pub k: u32,
    pub value: f64,
}

/// Cover@τ at one τ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoverReport {
    pub tau: f64,
    pub value: f64,
}

/// A curve of each unit that has distinct items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitCurves {
    pub answer: Vec<ValueReport>,
    pub method: Vec<ValueReport>,
    pub completion: Vec<ValueReport>,
}

/// What was not seen yet, of each unit that has distinct items; `null` where nothing correct
/// was drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitUnseen {
    pub answer: Option<UnseenReport>,
    pub method: Option<UnseenReport>,
    pub completion: Option<UnseenReport>,
}

/// What was not seen yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnseenReport {
    /// Distinct correct items seen.
    pub seen: u64,
    /// Good–Turing: the share of the correct probability that is on items not seen.
    pub missing_mass: f64,
    /// Chao1: at least so many items there are.
    pub richness: f64,
    /// Good–Toulmin: new items that as many draws again would show.
    pub next: f64,
    /// The same for people.
    pub words: String,
}

/// How often a rule found an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleReport {
    pub rule: Option<&'static str>,
    pub n: u64,
}

/// The τ of Cover@τ.
const TAUS: [f64; 12] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Draws behind a point of maj@k: fewer samples of a larger k are as exact.
const VOTES: u32 = 1 << 16;

impl PolicyReport {
    pub(super) fn new(
        run: &Run,
        ledger: &Ledger,
        lens: &Lens,
        references: &References,
        policy: usize,
    ) -> Self {
        let entry = &run.policies[policy];
        let sum = |of: &dyn Fn(usize) -> u32| (0..ledger.problems()).map(|i| u64::from(of(i))).sum();
        let points = |curve: Vec<Point>| curve.into_iter().map(PassReport::from).collect::<Vec<_>>();
        let pass = ledger.pass_curve(policy);
        let least = ledger.least_drawn(policy);
        let sound: u64 = sum(&|i| ledger.sound(policy, i));
        let stream = Stream::new(0).with("report").at(policy as u64);
        let majority = |k: u32| ledger.majority_at(policy, k, (VOTES / k).clamp(16, 1000), stream);
        let reliable = |k: u32| Some(ValueReport { k, value: ledger.all_at(policy, k)? });
        let cover = |tau: f64| Some(CoverReport { tau, value: ledger.cover_at(policy, tau)? });
        let of = |unit| Lens { unit, ..*lens };
        let coverage = |unit| {
            let curve = ledger.coverage_curve(policy, &of(unit)).into_iter();
            curve.map(|p| ValueReport { k: p.k, value: p.value }).collect()
        };
        let name = plain(&entry.name);
        let unseen = |unit: Unit| {
            let unseen = ledger.unseen(policy, &of(unit))?;
            let words = unseen.sentence(&name, &format!("{}s", unit.name()));
            Some(UnseenReport {
                seen: unseen.seen,
                missing_mass: unseen.missing_mass,
                richness: unseen.richness,
                next: unseen.next,
                words,
            })
        };
        PolicyReport {
            role: plain(&entry.role),
            spec: entry.spec.as_deref().map(plain),
            n: sum(&|i| ledger.drawn(policy, i)),
            correct: sum(&|i| ledger.correct(policy, i)),
            sound,
            unchecked: sum(&|i| ledger.unchecked(policy, i)),
            avg_at_k: pass.first().map(|p| PassReport { k: least, ..PassReport::from(*p) }),
            pass_at_k: points(pass),
            sound_pass_at_k: if sound > 0 { points(ledger.sound_curve(policy)) } else { Vec::new() },
            maj_at_k: points(grid(least).into_iter().filter_map(majority).collect()),
            pass_hat_k: grid(least).into_iter().filter_map(reliable).collect(),
            cover_at_tau: TAUS.into_iter().filter_map(cover).collect(),
            coverage: UnitCurves {
                answer: coverage(Unit::Answer),
                method: coverage(Unit::Method),
                completion: coverage(Unit::Completion),
            },
            unseen: UnitUnseen {
                answer: unseen(Unit::Answer),
                method: unseen(Unit::Method),
                completion: unseen(Unit::Completion),
            },
            luck_floor: points(ledger.luck_floor(policy, references)),
            token_entropy: ledger.token_entropy(policy),
            token_entropy_range: ledger.token_entropy_range(policy),
            answer_entropy: ledger.answer_entropy(policy),
            answer_entropy_corrected: ledger.answer_entropy_corrected(policy),
            correct_answer_entropy: ledger.correct_entropy(policy, &of(Unit::Answer)),
            correct_method_entropy: ledger.correct_entropy(policy, &of(Unit::Method)),
            mean_tokens: ledger.mean_tokens(policy),
            rules: ledger
                .rules(policy)
                .into_iter()
                .map(|(rule, n)| RuleReport { rule: rule.map(|r| r.name()), n })
                .collect(),
            name,
        }
    }
}

impl From<Point> for PassReport {
    fn from(p: Point) -> Self {
        PassReport { k: p.k, value: p.value, low: p.low, high: p.high }
    }
}
