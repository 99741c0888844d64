//! The RLVR policy: on-policy GRPO (Shao et al. 2024) from the base, whose only reward is
//! the 0/1 verdict on the final answer. No penalty for leaving the base.

use super::network::Batch;
use super::optimiser::{Optimiser, Rates, clip};
use super::parallel::{self, Gradients};
use super::{Ground, Progress, TrainError, Watch, corpus};
use crate::completion::Token;
use crate::model::{self, Engine, Generated, Generator, ModelError, Observer, Running, Sampling};
use crate::problem::{Problem, judge, tasks::leg_counting::generator};
use crate::random::Stream;
use std::ops::ControlFlow;

/// How the RLVR policy is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub steps: usize,
    /// Fresh problems a step.
    pub prompts: usize,
    /// Completions of each.
    pub completions: usize,
    /// Tokens of a completion at most.
    pub max_tokens: usize,
    /// Learning rate of AdamW.
    pub rate: f32,
    /// Updates a step.
    pub minibatches: usize,
    /// How far the probability of a token may move within a step, as a share.
    pub clip: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: 150,
            prompts: 16,
            completions: 32,
            max_tokens: 100,
            rate: 5e-4,
            minibatches: 2,
            clip: 0.2,
        }
    }
}

/// The completions of one problem with their rewards.
pub struct Group {
    pub problem: Problem,
    pub prompt: Vec<u32>,
    pub completions: Vec<Vec<Token>>,
    pub rewards: Vec<f32>,
}

/// Sees the weights after a step, by its number from 1.
pub type Checkpoint<'a> = dyn FnMut(usize, &[f32]) -> Result<(), TrainError> + 'a;

/// Trains `weights` in place; `checkpoint` sees them after every step.
///
/// # Errors
/// A gradient that is no number: `weights` are then the last good ones; what the model or
/// `checkpoint` reports.
pub fn train(
    ground: &Ground<'_>,
    settings: &Settings,
    weights: &mut Vec<f32>,
    watch: &mut dyn Watch,
    checkpoint: &mut Checkpoint<'_>,
) -> Result<(), TrainError> {
    let &Ground { network, threads, .. } = ground;
    let mut optimiser = Optimiser::adamw(network, [0.9, 0.95]);
    let mut gradients = Gradients::new(threads);
    let mut gradient = vec![0.0; network.parameters()];
    let mut good = weights.clone();
    for step in 0..settings.steps {
        let engine = Engine::new(network.config(), &network.unpack(weights, "the policy in training"))?;
        let groups = rollout(&engine, ground, settings, step)?;
        let kept: Vec<_> = groups.iter().filter_map(|g| Some((g, advantages(&g.rewards)?))).collect();
        for part in kept.chunks(kept.len().div_ceil(settings.minibatches).max(1)) {
            let batches: Vec<Batch> = part.iter().map(|(g, _)| g.batch()).collect();
            let tokens = batches.iter().map(|b| b.targets.len()).sum::<usize>() as f32;
            let drawn: Vec<Vec<(f32, f32)>> = part.iter().map(|(g, a)| g.drawn(a)).collect();
            let slope = |b: usize, i: usize, lp: f32| {
                let (old, advantage) = drawn[b][i];
                slope(lp - old, advantage, settings.clip) / tokens
            };
            gradients.compute(network, weights, &batches, slope, &mut gradient);
            let norm = clip(&mut gradient, 1.0);
            optimiser.step(weights, &gradient, Rates { adamw: settings.rate, muon: 0.0 }, threads);
            if !(norm.is_finite() && weights.iter().all(|w| w.is_finite())) {
                *weights = good;
                return Err(TrainError::Diverged { stage: "RLVR policy", step });
            }
            good.copy_from_slice(weights);
        }
        watch.stepped(&Progress::Rlvr {
            step: step + 1,
            steps: settings.steps,
            reward: mean(groups.iter().flat_map(|g| &g.rewards).copied()),
            entropy: mean(groups.iter().flat_map(|g| g.completions.iter().flatten()).map(|t| t.entropy)),
            groups: kept.len(),
        });
        checkpoint(step + 1, weights)?;
    }
    Ok(())
}

/// Each reward's advantage over its group, (r − mean) / std; `None` where all are equal,
/// which teaches nothing.
pub fn advantages(rewards: &[f32]) -> Option<Vec<f32>> {
    let n = rewards.len() as f32;
    let mean = rewards.iter().sum::<f32>() / n;
    let std = (rewards.iter().map(|r| (r - mean).powi(2)).sum::<f32>() / n).sqrt();
    (std > 1e-6).then(|| rewards.iter().map(|r| (r - mean) / std).collect())
}

/// The derivative of the clipped loss −min(ρ A, clip(ρ, 1 ± ε) A) by the token's
/// log-probability, where ρ = e^`moved`.
fn slope(moved: f32, advantage: f32, clip: f32) -> f32 {
    let ratio = moved.exp();
    let spent = if advantage > 0.0 { ratio > 1.0 + clip } else { ratio < 1.0 - clip };
    if spent { 0.0 } else { -advantage * ratio }
}

fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (n, sum) = values.fold((0u64, 0.0), |(n, sum), v| (n + 1, sum + f64::from(v)));
    sum / n.max(1) as f64
}

/// Draws and judges the completions of one step. The same whatever the number of threads.
fn rollout(
    generator: &dyn Generator,
    ground: &Ground<'_>,
    settings: &Settings,
    step: usize,
) -> Result<Vec<Group>, TrainError> {
    let &Ground { network, tokenizer, seed, threads } = ground;
    let sampling = Sampling { max_tokens: settings.max_tokens, ..Sampling::default() };
    let mut groups: Vec<Result<Group, ModelError>> = Vec::new();
    for i in 0..settings.prompts {
        let number = (step * settings.prompts + i) as u64;
        let herd = corpus::training_herd(&mut Stream::new(seed).with("train/rlvr").at(number));
        let problem = generator::problem(format!("leg_counting/rlvr/{number}"), &herd);
        let prompt = tokenizer.encode(&problem.prompt);
        groups.push(prompt.map(|prompt| Group { problem, prompt, completions: vec![], rewards: vec![] }));
    }
    parallel::each(threads, groups.iter_mut(), |slot| {
        let Ok(group) = slot else { return };
        let request = model::Request {
            prompt: &group.prompt,
            indices: 0..settings.completions as u32,
            stream: Stream::new(seed).with("train/rollout").with(&group.problem.id),
            sampling: &sampling,
            stop: &network.config().eos,
        };
        let mut collector = Collector::default();
        if let Err(error) = generator.generate(&request, &mut collector) {
            *slot = Err(error);
            return;
        }
        collector.0.sort_by_key(|g| g.index);
        group.completions = collector.0.into_iter().map(|g| g.tokens).collect();
        let reward = |tokens: &Vec<Token>| {
            let ids: Vec<u32> = tokens.iter().map(|t| t.id).collect();
            f32::from(u8::from(judge(&group.problem, &tokenizer.decode(&ids)).correct))
        };
        group.rewards = group.completions.iter().map(reward).collect();
    });
    Ok(groups.into_iter().collect::<Result<_, _>>()?)
}

#[derive(Default)]
struct Collector(Vec<Generated>);

impl Observer for Collector {
    fn finished(&mut self, completion: Generated) {
        self.0.push(completion);
    }

    fn stepped(&mut self, _: usize, _: Option<Running<'_>>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Group {
    /// The prompt once, and each completion as its continuation.
    fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        let prompt = batch.push(&self.prompt, 0..0);
        for tokens in self.completions.iter().filter(|c| !c.is_empty()) {
            let ids: Vec<u32> = tokens.iter().map(|t| t.id).collect();
            // The last token is asked for and never read.
            let rows = batch.push(&ids[..ids.len() - 1], prompt.clone());
            batch.targets.push((prompt.end - 1, ids[0]));
            batch.targets.extend(rows.zip(ids[1..].iter().copied()));
        }
        batch
    }

    /// Log-probability when drawn and advantage of each target of [`Group::batch`].
    fn drawn(&self, advantages: &[f32]) -> Vec<(f32, f32)> {
        let each = self.completions.iter().zip(advantages);
        each.flat_map(|(c, a)| c.iter().map(|t| (t.logprob, *a))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advantages_by_hand() {
        assert_eq!(advantages(&[1.0, 1.0, 1.0]), None);
        assert_eq!(advantages(&[0.0, 0.0]), None);
        assert_eq!(advantages(&[1.0, 0.0]), Some(vec![1.0, -1.0]));
        // Mean 1/4, standard deviation √(3/16).
        let a = advantages(&[1.0, 0.0, 0.0, 0.0]).unwrap();
        assert!((a[0] - 3f32.sqrt()).abs() < 1e-6 && (a[1] + 1.0 / 3f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_token_that_moved_far_enough_is_left_alone() {
        assert_eq!(slope(0.0, 2.0, 0.2), -2.0);
        assert_eq!(slope(0.0, -1.0, 0.2), 1.0);
        assert_eq!(slope(1.3f32.ln(), 2.0, 0.2), 0.0);
        assert_eq!(slope(0.7f32.ln(), -1.0, 0.2), 0.0);
        // It may still come back.
        assert!((slope(0.5f32.ln(), 1.0, 0.2) + 0.5).abs() < 1e-6);
        assert!((slope(1.5f32.ln(), -1.0, 0.2) - 1.5).abs() < 1e-6);
    }

    #[test]
    fn drawn_tokens_line_up_with_the_batch() {
        let token = |id| Token { id, logprob: -(id as f32), entropy: 0.0 };
        let group = Group {
            problem: Problem {
                id: String::new(),
                task: None,
                prompt: String::new(),
                reference: None,
                metadata: serde_json::Map::new(),
            },
            prompt: vec![9, 8],
            completions: vec![vec![token(4), token(5), token(0)], vec![token(6)]],
            rewards: vec![1.0, 0.0],
        };
        let batch = group.batch();
        assert_eq!(batch.tokens, [9, 8, 4, 5]);
        assert_eq!(batch.positions, [0, 1, 2, 3]);
        assert_eq!(batch.targets, [(1, 4), (2, 5), (3, 0), (1, 6)]);
        assert_eq!(group.drawn(&[1.0, -1.0]), [(-4.0, 1.0), (-5.0, 1.0), (0.0, 1.0), (-6.0, -1.0)]);
    }
}
