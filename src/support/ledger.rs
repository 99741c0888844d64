//! The ledger: every figure of a run, kept up to date completion by completion.

use super::counts::Counts;
use super::desk::{Class, Desk, Matched};
pub use super::slots::Entropies;
use super::slots::{Shelf, UNKNOWN};
use super::unit::{Lens, Pair, Status, Unit};
use crate::completion::Completion;
use crate::problem::Verdict;
use std::collections::BTreeMap;

/// Every figure of a run.
///
/// Completions arrive in any order; [`Ledger::add`] does constant work for each. All
/// figures are of the contiguous prefix 0..drawn of each policy and problem, so that they
/// depend on what was drawn and not on when it arrived. A pair of policies is compared at
/// the same k, the shorter of the two prefixes.
///
/// A number of a policy or a problem that does not exist gives empty figures, and a
/// completion of one is ignored.
///
/// Texts are not kept: a completion costs 20 bytes, and a distinct correct text, answer or
/// method its entry in a table.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub(super) policies: usize,
    pub(super) desks: Vec<Desk>,
}

/// Completions of one problem that are one item on screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub key: ClusterKey,
    /// Base and RLVR, within matched k.
    pub hits: [u32; 2],
    /// By at least one hit.
    pub status: Status,
    pub correct: bool,
    /// How many of the hits have steps that derive the answer.
    pub sound: [u32; 2],
}

/// What the completions of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterKey {
    /// `None` for `NA`.
    pub answer: Option<String>,
    /// `None` for wrong ones, and where the task knows no methods.
    pub method: Option<String>,
}

/// What the ledger keeps of one completion.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub length: Option<u32>,
    /// Nats, to single precision.
    pub token_entropy: Option<f64>,
    /// Bounds of it where it is not known itself, nats, to single precision.
    pub entropy_range: Option<[f64; 2]>,
    /// Nats, to single precision.
    pub logprob: Option<f64>,
}

impl Ledger {
    /// An empty ledger. Policy 0 is the base.
    pub fn new(policies: usize, problems: usize) -> Self {
        Self { policies, desks: vec![Desk::new(policies); problems] }
    }

    /// Takes a completion in. Any order; a duplicate index is ignored.
    pub fn add(&mut self, policy: usize, problem: usize, completion: &Completion, verdict: &Verdict) {
        if policy < self.policies
            && let Some(desk) = self.desks.get_mut(problem)
        {
            desk.add(policy, completion, verdict);
        }
    }

    /// The ledger of each policy's first k completions only.
    pub fn at(&self, k: u32) -> Ledger {
        Ledger { policies: self.policies, desks: self.desks.iter().map(|d| d.at(k)).collect() }
    }

    /// Makes room for one more policy, of which nothing is drawn yet.
    pub fn add_policy(&mut self) {
        self.policies += 1;
        self.desks.iter_mut().for_each(Desk::grow);
    }

    pub fn policies(&self) -> usize {
        self.policies
    }

    pub fn problems(&self) -> usize {
        self.desks.len()
    }

    /// Completions of the contiguous prefix.
    pub fn drawn(&self, policy: usize, problem: usize) -> u32 {
        self.shelf(policy, problem).map_or(0, |s| s.slots.len() as u32)
    }

    /// Correct completions among those drawn.
    pub fn correct(&self, policy: usize, problem: usize) -> u32 {
        self.shelf(policy, problem).map_or(0, |s| s.correct)
    }

    /// Correct and sound completions among those drawn.
    pub fn sound(&self, policy: usize, problem: usize) -> u32 {
        self.shelf(policy, problem).map_or(0, |s| s.sound)
    }

    /// Correct completions among those drawn whose steps nobody could check: the sound view
    /// leaves them out.
    pub fn unchecked(&self, policy: usize, problem: usize) -> u32 {
        self.shelf(policy, problem).map_or(0, |s| s.unchecked)
    }

    /// The k at which a pair is compared on a problem: the shorter prefix.
    pub fn matched(&self, pair: Pair, problem: usize) -> u32 {
        self.matches(pair, problem).map_or(0, |m| m.k)
    }

    /// The counts of all problems together, each at its own matched k.
    pub fn counts(&self, pair: Pair, lens: &Lens) -> Counts {
        (0..self.desks.len()).map(|problem| self.problem_counts(pair, problem, lens)).sum()
    }

    /// The counts of one problem.
    ///
    /// In unit `problem` there is one item once the pair has drawn: out of support if
    /// neither solves it. In the other units the items are those seen at least once within
    /// matched k; out of support are those that neither policy hits often enough, so that
    /// by one hit there are none: what nobody drew is not counted.
    pub fn problem_counts(&self, pair: Pair, problem: usize, lens: &Lens) -> Counts {
        let Some(matched) = self.matches(pair, problem) else { return Counts::default() };
        let view = usize::from(lens.sound);
        let min_hits = lens.criterion.min_hits();
        match lens.unit {
            Unit::Problem => {
                let mut counts = matched.problem[view].counts(min_hits);
                counts.o += u64::from(matched.k > 0) - counts.total();
                counts
            }
            Unit::Answer => matched.answers[view].counts(min_hits),
            Unit::Method => matched.methods[view].counts(min_hits),
            Unit::Completion => matched.texts[view..].iter().map(|t| t.counts(min_hits)).sum(),
        }
    }

    /// What became of a problem, in unit `problem` whatever the lens's unit. `None` before
    /// the pair has drawn.
    pub fn status(&self, pair: Pair, problem: usize, lens: &Lens) -> Option<Status> {
        let lens = Lens { unit: Unit::Problem, ..*lens };
        let counts = self.problem_counts(pair, problem, &lens);
        Status::ALL.into_iter().find(|s| counts.of(*s) > 0)
    }

    /// Base and RLVR hits of every item of a unit seen within matched k, in no particular
    /// order; for unit `problem` one item, also if it has no hits.
    pub fn items(&self, pair: Pair, problem: usize, lens: &Lens) -> Vec<[u32; 2]> {
        let Some(matched) = self.matches(pair, problem) else { return Vec::new() };
        let view = usize::from(lens.sound);
        match lens.unit {
            Unit::Problem if matched.k == 0 => Vec::new(),
            Unit::Problem => vec![matched.problem[view].seen().next().unwrap_or_default()],
            Unit::Answer => matched.answers[view].seen().collect(),
            Unit::Method => matched.methods[view].seen().collect(),
            Unit::Completion => matched.texts[view..].iter().flat_map(|t| t.seen()).collect(),
        }
    }

    /// The completions of a problem within matched k, put together: correct ones by answer
    /// and method, wrong ones by answer, those without an answer as one. Correct ones
    /// first, then by hits of both policies, the most first.
    pub fn clusters(&self, pair: Pair, problem: usize) -> Vec<Cluster> {
        let (Some(desk), Some(_)) = (self.desks.get(problem), self.matches(pair, problem)) else {
            return Vec::new();
        };
        let mut all: BTreeMap<(bool, ClusterKey), ([u32; 2], [u32; 2])> = BTreeMap::new();
        for class in &desk.classes {
            let [base, rlvr] = class.matched[pair.rlvr - 1];
            if [base, rlvr] == [0, 0] {
                continue;
            }
            let (hits, sound) = all.entry((class.id.correct, desk.key(class))).or_default();
            for (side, n) in [base, rlvr].into_iter().enumerate() {
                hits[side] += n;
                sound[side] += if class.id.is_sound() { n } else { 0 };
            }
        }
        let mut clusters: Vec<Cluster> = all
            .into_iter()
            .map(|((correct, key), (hits, sound))| {
                let status = Status::of(hits[0] > 0, hits[1] > 0);
                Cluster { key, hits, status, correct, sound }
            })
            .collect();
        clusters.sort_by_key(|c| (!c.correct, std::cmp::Reverse(c.hits[0] + c.hits[1])));
        clusters
    }

    /// The indices of a cluster's completions under a policy, of all that are drawn.
    pub fn members(&self, policy: usize, problem: usize, key: &ClusterKey) -> Vec<u32> {
        let (Some(desk), Some(shelf)) = (self.desks.get(problem), self.shelf(policy, problem)) else {
            return Vec::new();
        };
        let wanted: Vec<bool> = desk.classes.iter().map(|c| desk.key(c) == *key).collect();
        let all = shelf.slots.iter().enumerate();
        all.filter(|(_, slot)| wanted[slot.class as usize]).map(|(i, _)| i as u32).collect()
    }

    /// What is kept of a completion that is drawn.
    pub fn outcome(&self, policy: usize, problem: usize, index: u32) -> Option<Outcome> {
        let known = |x: f32| (!x.is_nan()).then_some(f64::from(x));
        let desk = self.desks.get(problem)?;
        let shelf = self.shelf(policy, problem)?;
        let slot = shelf.slots.get(index as usize)?;
        let high = known(shelf.entropy_high(index as usize));
        Some(Outcome {
            verdict: desk.verdict(&desk.classes[slot.class as usize]),
            length: (slot.length != UNKNOWN).then_some(slot.length),
            token_entropy: known(slot.token_entropy).filter(|_| high.is_none()),
            entropy_range: known(slot.token_entropy).zip(high).map(Into::into),
            logprob: known(slot.logprob),
        })
    }

    /// Every distinct verdict on a policy's drawn completions of a problem, and how many
    /// got it.
    pub fn verdicts(&self, policy: usize, problem: usize) -> Vec<(Verdict, u32)> {
        let Some(desk) = self.desks.get(problem).filter(|_| policy < self.policies) else {
            return Vec::new();
        };
        desk.classes
            .iter()
            .filter(|c| c.drawn[policy] > 0)
            .map(|c| (desk.verdict(c), c.drawn[policy]))
            .collect()
    }

    /// Mean over a problem's drawn completions of their token entropy, nats, where known.
    /// `None` where some are only bounded: see [`Ledger::problem_token_entropy_range`].
    pub fn problem_token_entropy(&self, policy: usize, problem: usize) -> Option<f64> {
        self.shelf(policy, problem)?.exact_entropy()
    }

    /// Between which bounds [`Ledger::problem_token_entropy`] lies, nats: where a server gave
    /// the most likely tokens only. Both are the same where it is known.
    pub fn problem_token_entropy_range(&self, policy: usize, problem: usize) -> Option<[f64; 2]> {
        self.shelf(policy, problem)?.entropy_range()
    }

    /// Entropy of the answers drawn on a problem, `NA` as one class, plug-in, nats.
    pub fn problem_answer_entropy(&self, policy: usize, problem: usize) -> Option<f64> {
        self.shelf(policy, problem)?.answer_entropy()
    }

    /// Mean length of the drawn completions of a problem, tokens, where known.
    pub fn problem_mean_tokens(&self, policy: usize, problem: usize) -> Option<f64> {
        self.shelf(policy, problem)?.length.mean()
    }

    /// Mean over problems of [`Ledger::problem_token_entropy`]; `None` where a problem's is
    /// only bounded.
    pub fn token_entropy(&self, policy: usize) -> Option<f64> {
        let bounded = |p| {
            self.problem_token_entropy(policy, p).is_none()
                && self.problem_token_entropy_range(policy, p).is_some()
        };
        let exact = !(0..self.desks.len()).any(bounded);
        exact.then(|| self.mean(|problem| self.problem_token_entropy(policy, problem))).flatten()
    }

    /// Mean over problems of [`Ledger::problem_token_entropy_range`].
    pub fn token_entropy_range(&self, policy: usize) -> Option<[f64; 2]> {
        let bound = |i: usize| self.mean(|p| self.problem_token_entropy_range(policy, p).map(|r| r[i]));
        Some([bound(0)?, bound(1)?])
    }

    /// Mean over problems of [`Ledger::problem_answer_entropy`].
    pub fn answer_entropy(&self, policy: usize) -> Option<f64> {
        self.mean(|problem| self.problem_answer_entropy(policy, problem))
    }

    /// Mean over problems of [`Ledger::problem_mean_tokens`].
    pub fn mean_tokens(&self, policy: usize) -> Option<f64> {
        self.mean(|problem| self.problem_mean_tokens(policy, problem))
    }

    /// The entropies at k = 1, 2, 4 … and at the last k.
    pub fn entropy_history(&self, policy: usize, problem: usize) -> Vec<Entropies> {
        self.shelf(policy, problem).map(|s| s.history()).unwrap_or_default()
    }

    /// ε = −ln ζ / k: what k draws did not show has probability below ε with confidence
    /// 1 − ζ (the paper's appendix C.4). Infinite at k = 0.
    pub fn epsilon(k: u32, zeta: f64) -> f64 {
        -zeta.ln() / f64::from(k)
    }

    /// Bytes of the outcomes and of the tables of distinct correct texts, spare room
    /// included.
    pub fn bytes(&self) -> (usize, usize) {
        let slots = self.desks.iter().flat_map(|d| &d.shelves).map(|s| s.bytes()).sum();
        let tables = self.desks.iter().flat_map(|d| &d.texts).map(|t| t.bytes()).sum::<usize>();
        let hits = self.desks.iter().flat_map(|d| &d.matches).flat_map(|m| &m.texts).map(|t| t.bytes());
        (slots, tables + hits.sum::<usize>())
    }

    pub(super) fn mean(&self, of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let known: Vec<f64> = (0..self.desks.len()).filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    pub(super) fn desk(&self, problem: usize) -> Option<&Desk> {
        self.desks.get(problem)
    }

    fn shelf(&self, policy: usize, problem: usize) -> Option<&Shelf> {
        self.desks.get(problem)?.shelves.get(policy)
    }

    /// The base against itself, against nothing or against nobody is no pair.
    fn matches(&self, pair: Pair, problem: usize) -> Option<&Matched> {
        let other = pair.rlvr.checked_sub(1).filter(|_| pair.base == 0)?;
        self.desks.get(problem)?.matches.get(other)
    }
}

impl Desk {
    fn verdict(&self, class: &Class) -> Verdict {
        Verdict {
            answer: class.id.answer.map(|a| self.answers.name(a).to_owned()),
            rule: class.id.rule,
            correct: class.id.correct,
            method: class.id.method.map(|m| self.methods.name(m).to_owned()),
            sound: class.id.sound,
            ..Verdict::default()
        }
    }

    fn key(&self, class: &Class) -> ClusterKey {
        ClusterKey {
            answer: class.id.answer.map(|a| self.answers.name(a).to_owned()),
            method: class.id.method.filter(|_| class.id.correct).map(|m| self.methods.name(m).to_owned()),
        }
    }
}
