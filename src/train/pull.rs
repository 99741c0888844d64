//! One pull: a policy that learns step by step, from verdicts (on-policy GRPO and its
//! kin) or from a teacher.

use super::advantage::{advantages, clipped, is_spent, k3_slope};
use super::knobs::{Advantage, Data, Knobs};
use super::network::{Batch, Network, Workspace};
use super::optimiser::{Optimiser, Rates, clip};
use super::parallel::{self, Gradients};
use super::rollout::{Group, continued, draw};
use super::{Ground, TrainError};
use crate::model::{Engine, ModelError, Sampling};
use crate::random::Stream;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tokens of a completion at most.
pub const MAX_TOKENS: usize = 100;

/// A policy in training.
pub struct Pull {
    base: Arc<[f32]>,
    weights: Vec<f32>,
    /// The last weights that were all numbers.
    good: Vec<f32>,
    optimiser: Optimiser,
    gradients: Gradients,
    gradient: Vec<f32>,
    step: usize,
    /// The next problem's number in the course.
    next: u64,
    tokens: u64,
}

/// A step that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped {
    /// From 1.
    pub step: usize,
    /// Tokens learned from so far.
    pub tokens: u64,
    /// What was drawn; `None` where a teacher's solutions were learned from.
    pub drawn: Option<Drawn>,
    /// Groups whose completions differed in what they were worth.
    pub groups: usize,
    /// The share of tokens that moved as far as clipping lets them.
    pub clipped: f64,
    /// Norm of the last gradient, before it was shortened to 1.
    pub norm: f64,
}

/// The completions of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Mean 0/1 reward.
    pub reward: f64,
    /// Mean over tokens, nats, at T = 1.
    pub token_entropy: f64,
    /// Mean tokens of a completion.
    pub length: f64,
    /// The share of each method among them, by name.
    pub methods: Vec<(String, f64)>,
}

impl Pull {
    /// Begins at `from`, which has `step` steps behind it; `base` is what the divergence is
    /// measured from.
    pub fn new(network: &Network, base: Arc<[f32]>, from: &[f32], step: usize, threads: usize) -> Self {
        Self {
            base,
            weights: from.to_vec(),
            good: from.to_vec(),
            optimiser: Optimiser::adamw(network, [0.9, 0.95]),
            gradients: Gradients::new(threads),
            gradient: vec![0.0; network.parameters()],
            step,
            next: 0,
            tokens: 0,
        }
    }

    /// The last good weights.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Steps behind it.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Tokens learned from so far.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Takes one step. `None` where it was told to stop: the weights are then those of the
    /// step before.
    ///
    /// # Errors
    /// A gradient that is no number: the weights are then the last good ones.
    pub fn step(&mut self, ground: &Ground<'_>, knobs: &Knobs) -> Result<Option<Stepped>, TrainError> {
        let first = self.next.max((self.step * knobs.prompts) as u64);
        let numbers: Vec<u64> = (first..first + knobs.prompts as u64).collect();
        let (groups, clean) = match knobs.data {
            Data::Teacher => (Vec::new(), self.lessons(ground, knobs, &numbers)?),
            Data::Reward | Data::Own => {
                let drawn_by = self.drawing(ground, knobs);
                let Some(groups) = self.rollout(ground, knobs, &numbers, &drawn_by)? else { return Ok(None) };
                match knobs.data {
                    Data::Own => {
                        let clean = groups.iter().map(right_ones).collect();
                        (groups, clean)
                    }
                    _ if knobs.seeding > 0.0 => {
                        let clean = seeds(ground, &groups)?;
                        (groups, clean)
                    }
                    _ => (groups, Vec::new()),
                }
            }
        };
        let drawn = (!groups.is_empty()).then(|| drawn(&groups));
        let learned: usize = match knobs.data {
            Data::Reward => groups.iter().flat_map(|g| &g.completions).map(Vec::len).sum(),
            Data::Teacher | Data::Own => clean.iter().map(|b: &Batch| b.targets.len()).sum(),
        };
        let done = match knobs.data {
            Data::Reward => self.learn(ground, knobs, &groups, &clean, knobs.seeding as f32)?,
            Data::Teacher | Data::Own => self.learn(ground, knobs, &[], &clean, 1.0)?,
        };
        self.next = first + knobs.prompts as u64;
        self.step += 1;
        self.tokens += learned as u64;
        Ok(Some(Stepped { step: self.step, tokens: self.tokens, drawn, ..done }))
    }

    /// The weights that draw.
    fn drawing(&self, ground: &Ground<'_>, knobs: &Knobs) -> Vec<f32> {
        match knobs.data {
            Data::Own => self.base.to_vec(),
            _ if knobs.noise > 0.0 => noisy(ground, &self.weights, knobs.noise, self.step as u64),
            _ => self.weights.clone(),
        }
    }

    fn rollout(
        &self,
        ground: &Ground<'_>,
        knobs: &Knobs,
        numbers: &[u64],
        weights: &[f32],
    ) -> Result<Option<Vec<Group>>, TrainError> {
        let network = ground.network;
        let engine = Engine::new(network.config(), &network.unpack(weights, "the policy in training"))?;
        let group = |n: &u64| Group::new(*n, ground.course.problem(ground.seed, *n), ground);
        let mut groups = numbers.iter().map(group).collect::<Result<Vec<_>, _>>()?;
        let sampling =
            Sampling { max_tokens: MAX_TOKENS, temperature: knobs.temperature, ..Sampling::default() };
        let stream = Stream::new(ground.seed).with("train/rollout");
        let whole = draw(&engine, ground, &sampling, stream, knobs.group, &mut groups)?;
        if !whole {
            return Ok(None);
        }
        // What the engine gives is at T = 1; what moves is the distribution drawn from.
        if knobs.temperature != 1.0 {
            let batches: Vec<Batch> = groups.iter().map(|g| tempered(g.batch(), knobs)).collect();
            let logprobs = logprobs(ground, weights, &batches);
            for (group, logprobs) in groups.iter_mut().zip(logprobs) {
                let tokens = group.completions.iter_mut().flatten();
                tokens.zip(logprobs).for_each(|(t, lp)| t.logprob = lp);
            }
        }
        Ok(Some(groups))
    }

    /// As many clean solutions as RLVR would draw completions, of the same problems.
    fn lessons(&self, ground: &Ground<'_>, knobs: &Knobs, numbers: &[u64]) -> Result<Vec<Batch>, ModelError> {
        let methods = ground.course.methods();
        let shares: Vec<f64> = methods.iter().map(|(_, share)| *share).collect();
        let lesson = |number: &u64| {
            let mut stream = Stream::new(ground.seed).with("train/teacher").at(*number);
            let problem = ground.course.problem(ground.seed, *number);
            let group = Group::new(*number, problem, ground)?;
            let mut texts = Vec::new();
            for _ in 0..knobs.group {
                let (method, _) = methods[stream.weighted(&shares)];
                let text = ground.course.clean(ground.seed, *number, method, &mut stream);
                texts.extend(text.map(|t| answered(ground, &t)).transpose()?);
            }
            Ok(continued(&group.prompt, texts.into_iter()))
        };
        numbers.iter().map(lesson).collect()
    }

    /// Updates the weights: the groups by their advantages, the clean solutions by their
    /// cross-entropy times `weight`.
    fn learn(
        &mut self,
        ground: &Ground<'_>,
        knobs: &Knobs,
        groups: &[Group],
        clean: &[Batch],
        weight: f32,
    ) -> Result<Stepped, TrainError> {
        let worth = |g: &Group| advantages(&g.rewards(), &g.logprobs(), knobs);
        let kept: Vec<(&Group, Vec<f32>)> = groups.iter().filter_map(|g| Some((g, worth(g)?))).collect();
        let part = |n: usize| n.div_ceil(knobs.updates).max(1);
        let (mut spent, mut moved, mut norm) = (0usize, 0usize, 0.0);
        for update in 0..knobs.updates {
            let own = kept.chunks(part(kept.len())).nth(update).unwrap_or_default();
            let seeded = clean.chunks(part(clean.len())).nth(update).unwrap_or_default();
            if own.is_empty() && seeded.is_empty() {
                continue;
            }
            let (spent_now, moved_now) = self.differentiate(ground, knobs, own, seeded, weight);
            (spent, moved) = (spent + spent_now, moved + moved_now);
            norm = clip(&mut self.gradient, 1.0);
            let rates = Rates { adamw: knobs.rate as f32, muon: 0.0 };
            self.optimiser.step(&mut self.weights, &self.gradient, rates, ground.threads);
            if !(norm.is_finite() && self.weights.iter().all(|w| w.is_finite())) {
                self.weights.copy_from_slice(&self.good);
                return Err(TrainError::Diverged { stage: "RLVR policy", step: self.step });
            }
            self.good.copy_from_slice(&self.weights);
        }
        Ok(Stepped {
            step: 0,
            tokens: 0,
            drawn: None,
            groups: kept.len(),
            clipped: spent as f64 / moved.max(1) as f64,
            norm: f64::from(norm),
        })
    }

    /// The gradient of the objective over groups with their advantages and over clean
    /// solutions, left in `gradient`. Gives how many tokens have moved as far as they may,
    /// and of how many.
    fn differentiate(
        &mut self,
        ground: &Ground<'_>,
        knobs: &Knobs,
        own: &[(&Group, Vec<f32>)],
        clean: &[Batch],
        weight: f32,
    ) -> (usize, usize) {
        let (mut spent, mut moved) = (0, 0);
        let mut batches: Vec<Batch> = own.iter().map(|(g, _)| tempered(g.batch(), knobs)).collect();
        let tokens = batches.iter().map(|b| b.targets.len()).sum::<usize>().max(1) as f32;
        let over = match knobs.advantage {
            Advantage::Grpo | Advantage::Rloo => tokens,
            Advantage::DrGrpo => {
                (own.iter().map(|(g, _)| g.completions.len()).sum::<usize>() * MAX_TOKENS).max(1) as f32
            }
        };
        batches.iter_mut().for_each(|b| b.entropy = -knobs.entropy as f32 / over);
        let q = if knobs.kl > 0.0 { logprobs(ground, &self.base, &batches) } else { Vec::new() };
        let given: Vec<Vec<(f32, f32)>> = own.iter().map(|(g, a)| drawn_at(g, a)).collect();
        batches.extend(clean.iter().cloned());
        let asked = clean.iter().map(|b| b.targets.len()).sum::<usize>().max(1) as f32;
        let (low, high) = (knobs.clip_low as f32, knobs.clip_high as f32);
        let slope = |b: usize, i: usize, lp: f32| {
            let Some(given) = given.get(b) else { return -weight / asked };
            let (old, advantage) = given[i];
            let pull = clipped(lp - old, advantage, low, high);
            let back = q.get(b).map_or(0.0, |q| knobs.kl as f32 * k3_slope(q[i] - lp));
            (pull + back) / over
        };
        let now = self.gradients.compute(ground.network, &self.weights, &batches, slope, &mut self.gradient);
        for ((old, advantage), lp) in given.iter().flatten().zip(now.iter().flatten()) {
            moved += 1;
            spent += usize::from(*advantage != 0.0 && is_spent(lp - old, *advantage, low, high));
        }
        (spent, moved)
    }
}

/// Log-probability when drawn and advantage of each target of a group's batch.
fn drawn_at(group: &Group, advantages: &[f32]) -> Vec<(f32, f32)> {
    let logprobs = group.completions.iter().flatten().map(|t| t.logprob);
    logprobs.zip(group.spread(advantages)).collect()
}

fn tempered(batch: Batch, knobs: &Knobs) -> Batch {
    Batch { temperature: knobs.temperature as f32, ..batch }
}

/// The log-probability of each target of each batch.
pub fn logprobs(ground: &Ground<'_>, weights: &[f32], batches: &[Batch]) -> Vec<Vec<f32>> {
    let mut out: Vec<Vec<f32>> = vec![Vec::new(); batches.len()];
    parallel::each(ground.threads, out.iter_mut().zip(batches), |(out, batch)| {
        *out = ground.network.logprobs(weights, batch, &mut Workspace::default());
    });
    out
}

/// A solution's tokens, ended.
fn answered(ground: &Ground<'_>, text: &str) -> Result<Vec<u32>, ModelError> {
    let mut tokens = ground.tokenizer.encode(text)?;
    tokens.extend(ground.network.config().eos.first());
    Ok(tokens)
}

/// A group's correct completions.
fn right_ones(group: &Group) -> Batch {
    let right = group.completions.iter().zip(&group.verdicts).filter(|(_, v)| v.correct);
    continued(&group.prompt, right.map(|(c, _)| c.iter().map(|t| t.id).collect()))
}

/// One clean solution a problem, by a method drawn in proportion to how far it falls short
/// of its fair share among the step's right completions.
fn seeds(ground: &Ground<'_>, groups: &[Group]) -> Result<Vec<Batch>, TrainError> {
    let methods = ground.course.methods();
    let right = groups.iter().flat_map(|g| &g.verdicts).filter(|v| v.correct);
    let named: Vec<&str> = right.filter_map(|v| v.method.as_deref()).collect();
    let fair = 1.0 / methods.len().max(1) as f64;
    let share = |m: &str| named.iter().filter(|n| **n == m).count() as f64 / named.len().max(1) as f64;
    let short: Vec<f64> = methods.iter().map(|(m, _)| (fair - share(m)).max(0.0)).collect();
    if short.iter().sum::<f64>() <= 0.0 {
        return Ok(Vec::new());
    }
    let mut batches = Vec::new();
    for group in groups {
        let mut stream = Stream::new(ground.seed).with("train/seeds").at(group.number);
        let (method, _) = methods[stream.weighted(&short)];
        if let Some(text) = ground.course.clean(ground.seed, group.number, method, &mut stream) {
            batches.push(continued(&group.prompt, std::iter::once(answered(ground, &text)?)));
        }
    }
    Ok(batches)
}

/// The weights with noise of `size` times each tensor's root mean square.
fn noisy(ground: &Ground<'_>, weights: &[f32], size: f64, step: u64) -> Vec<f32> {
    let mut out = weights.to_vec();
    for t in ground.network.tensors() {
        let tensor = &mut out[t.range.clone()];
        let square: f64 = tensor.iter().map(|w| f64::from(*w).powi(2)).sum();
        let scale = size * (square / tensor.len().max(1) as f64).sqrt();
        let mut stream = Stream::new(ground.seed).with("train/noise").with(&t.name).at(step);
        tensor.iter_mut().for_each(|w| *w += (scale * stream.normal()) as f32);
    }
    out
}

fn drawn(groups: &[Group]) -> Drawn {
    let verdicts = || groups.iter().flat_map(|g| &g.verdicts);
    let tokens = || groups.iter().flat_map(|g| g.completions.iter().flatten());
    let n = verdicts().count().max(1) as f64;
    let mut methods: BTreeMap<&str, f64> = BTreeMap::new();
    for method in verdicts().filter_map(|v| v.method.as_deref()) {
        *methods.entry(method).or_default() += 1.0 / n;
    }
    Drawn {
        reward: verdicts().filter(|v| v.correct).count() as f64 / n,
        token_entropy: tokens().map(|t| f64::from(t.entropy)).sum::<f64>() / tokens().count().max(1) as f64,
        length: tokens().count() as f64 / n,
        methods: methods.into_iter().map(|(m, share)| (m.to_owned(), share)).collect(),
    }
}

#[cfg(test)]
mod tests;
