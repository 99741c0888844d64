//! What a pull has done so far: the policy beside the base on problems that training
//! never sees, at equal k.

use super::advantage::k3;
use super::network::{Network, Workspace};
use super::parallel;
use super::rollout::{Group, draw};
use super::{Ground, TrainError};
use crate::model::{Engine, Sampling};
use crate::problem::Problem;
use crate::random::Stream;
use crate::support::{Counts, Criterion, Ledger, Lens, Pair, Unit};
use std::collections::BTreeMap;

/// Problems with the base's completions of them.
pub struct Exam {
    problems: Vec<Problem>,
    /// Completions of each problem.
    k: u32,
    base: Ledger,
    weights: Vec<f32>,
}

/// The figures of one policy, and of it against the base, at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    pub step: usize,
    /// Tokens learned from so far.
    pub tokens: u64,
    pub k: u32,
    pub pass_1: f64,
    /// pass@k.
    pub pass_k: f64,
    /// Nats.
    pub token_entropy: f64,
    /// Nats.
    pub answer_entropy: f64,
    /// Mean tokens of a completion.
    pub length: f64,
    /// Mean over tokens of the divergence from the base, nats (the k3 estimator).
    pub kl: f64,
    /// Against the base, in unit problem.
    pub problems: Counts,
    /// Against the base, in unit answer.
    pub answers: Counts,
    /// Against the base, in unit method.
    pub methods: Counts,
    /// The share of each method among all completions, by name.
    pub shares: Vec<(String, f64)>,
}

impl Exam {
    /// Asks the base first. `None` where it was told to stop.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn new(
        ground: &Ground<'_>,
        base: &[f32],
        problems: Vec<Problem>,
        k: u32,
    ) -> Result<Option<Self>, TrainError> {
        let mut exam = Self { base: Ledger::new(2, problems.len()), problems, k, weights: base.to_vec() };
        let Some(groups) = exam.answers(ground, base, "base")? else { return Ok(None) };
        for (problem, group) in groups.into_iter().enumerate() {
            for (completion, verdict) in group.judged(ground) {
                exam.base.add(0, problem, &completion, &verdict);
            }
        }
        Ok(Some(exam))
    }

    /// Completions of each problem.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// Examines a policy. The base against itself gives what chance alone does: it draws
    /// anew. `None` where it was told to stop.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn take(
        &self,
        ground: &Ground<'_>,
        weights: &[f32],
        step: usize,
        tokens: u64,
    ) -> Result<Option<Evaluation>, TrainError> {
        let Some(groups) = self.answers(ground, weights, "policy")? else { return Ok(None) };
        let kl = self.divergence(ground.network, ground.threads, weights, &groups);
        let mut ledger = self.base.clone();
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        let all = f64::from(self.k) * self.problems.len() as f64;
        for (problem, group) in groups.into_iter().enumerate() {
            for (completion, verdict) in group.judged(ground) {
                ledger.add(1, problem, &completion, &verdict);
                if let Some(method) = verdict.method {
                    *shares.entry(method).or_default() += 1.0 / all;
                }
            }
        }
        Ok(Some(Evaluation::of(&ledger, step, tokens, self.k, kl, shares.into_iter().collect())))
    }

    fn answers(
        &self,
        ground: &Ground<'_>,
        weights: &[f32],
        who: &str,
    ) -> Result<Option<Vec<Group>>, TrainError> {
        let network = ground.network;
        let engine = Engine::new(network.config(), &network.unpack(weights, who))?;
        let group = |p: &Problem| Group::new(0, p.clone(), ground);
        let mut groups = self.problems.iter().map(group).collect::<Result<Vec<_>, _>>()?;
        let stream = Stream::new(ground.seed).with("train/exam").with(who);
        let sampling = Sampling::default();
        let whole = draw(&engine, ground, &sampling, stream, self.k as usize, &mut groups)?;
        Ok(whole.then_some(groups))
    }

    /// Over a few completions of each problem: a forward pass of both costs as much as
    /// drawing.
    fn divergence(&self, network: &Network, threads: usize, weights: &[f32], groups: &[Group]) -> f64 {
        const FEW: usize = 8;
        let mut sums = vec![(0.0, 0usize); groups.len()];
        parallel::each(threads, sums.iter_mut().zip(groups), |(sum, group)| {
            let few = group.completions.iter().take(FEW).map(|c| c.iter().map(|t| t.id).collect());
            let batch = super::rollout::continued(&group.prompt, few);
            let mut space = Workspace::default();
            let own = network.logprobs(weights, &batch, &mut space);
            let base = network.logprobs(&self.weights, &batch, &mut space);
            let each = own.iter().zip(&base).map(|(p, q)| f64::from(k3(q - p)));
            *sum = (each.sum(), own.len());
        });
        let (sum, n) = sums.iter().fold((0.0, 0), |(s, n), (x, m)| (s + x, n + m));
        sum / n.max(1) as f64
    }
}

impl Evaluation {
    /// The figures of policy 1 of a ledger against policy 0.
    fn of(ledger: &Ledger, step: usize, tokens: u64, k: u32, kl: f64, shares: Vec<(String, f64)>) -> Self {
        let counts = |unit| {
            let lens = Lens { unit, criterion: Criterion::default(), sound: false };
            ledger.counts(Pair::with_base(1), &lens)
        };
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Self {
            step,
            tokens,
            k,
            pass_1: known(ledger.pass_at(1, 1)),
            pass_k: known(ledger.pass_at(1, k)),
            token_entropy: known(ledger.token_entropy(1)),
            answer_entropy: known(ledger.answer_entropy(1)),
            length: known(ledger.mean_tokens(1)),
            kl,
            problems: counts(Unit::Problem),
            answers: counts(Unit::Answer),
            methods: counts(Unit::Method),
            shares,
        }
    }
}
