//! The base: next-token prediction on worked solutions.

use super::network::{Batch, Network};
use super::optimiser::{Optimiser, Rates, clip};
use super::parallel::Gradients;
use super::{Ground, Progress, TrainError, Watch};
use crate::random::Stream;

/// How the base is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub steps: usize,
    /// Solutions a step; none is seen twice.
    pub batch: usize,
    /// Learning rate of Muon, for matrices.
    pub matrices: f32,
    /// Learning rate of AdamW, for embedding and norms.
    pub rest: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { steps: 800, batch: 96, matrices: 0.02, rest: 4e-3 }
    }
}

/// First weights: normal, of a size that keeps activations near 1; norms 1.
pub fn initial(network: &Network, seed: u64) -> Vec<f32> {
    let mut flat = vec![1.0; network.parameters()];
    // What each layer adds to the stream is scaled so that the sum stays of one size.
    let depth = (2.0 * network.config().layers as f64).sqrt();
    for t in network.tensors() {
        let [_, inputs] = t.shape.as_slice() else { continue };
        let mut scale = 0.5 / (*inputs as f64).sqrt();
        if t.name.ends_with("o_proj.weight") || t.name.ends_with("down_proj.weight") {
            scale /= depth;
        }
        let mut stream = Stream::new(seed).with("train/initial").with(&t.name);
        flat[t.range.clone()].iter_mut().for_each(|w| *w = (scale * stream.normal()) as f32);
    }
    flat
}

/// Trains `weights` in place.
///
/// # Errors
/// A loss that is no number: `weights` are then the last ones that gave a finite loss.
pub fn train(
    ground: &Ground<'_>,
    settings: &Settings,
    weights: &mut Vec<f32>,
    watch: &mut dyn Watch,
) -> Result<(), TrainError> {
    let &Ground { network, threads, .. } = ground;
    let mut optimiser = Optimiser::muon(network, [0.9, 0.95]);
    let mut gradients = Gradients::new(threads);
    let mut gradient = vec![0.0; network.parameters()];
    let mut good = weights.clone();
    for step in 0..settings.steps {
        let batches = batches(ground, settings, step)?;
        let targets = batches.iter().map(|b| b.targets.len()).sum::<usize>().max(1) as f32;
        let logprobs = gradients.compute(network, weights, &batches, |_, _, _| -1.0 / targets, &mut gradient);
        let loss = -logprobs.iter().flatten().map(|lp| f64::from(*lp)).sum::<f64>() / f64::from(targets);
        let norm = clip(&mut gradient, 1.0);
        if !(loss.is_finite() && norm.is_finite()) {
            *weights = good;
            return Err(TrainError::Diverged { stage: "base", step });
        }
        good.copy_from_slice(weights);
        let scale = schedule(step, settings.steps);
        let rates = Rates { adamw: settings.rest * scale, muon: settings.matrices * scale };
        optimiser.step(weights, &gradient, rates, threads);
        watch.stepped(&Progress::Base { step: step + 1, steps: settings.steps, loss });
    }
    Ok(())
}

/// Warm-up over 40 steps, flat, then down to 0 in a line over the last 60 %.
fn schedule(step: usize, steps: usize) -> f32 {
    let warm = (step + 1) as f32 / 40.0;
    let left = (steps - step) as f32 / (0.6 * steps as f32);
    warm.min(left).min(1.0)
}

/// Texts that are computed together: few enough to stay in the cache of a core.
const TOGETHER: usize = 12;

fn batches(ground: &Ground<'_>, settings: &Settings, step: usize) -> Result<Vec<Batch>, TrainError> {
    let &Ground { network, tokenizer, course, seed, .. } = ground;
    let end = network.config().eos[0];
    let first = (step * settings.batch) as u64;
    let numbers: Vec<u64> = (first..first + settings.batch as u64).collect();
    let pack = |numbers: &[u64]| {
        let mut batch = Batch::default();
        for number in numbers {
            let (problem, solution) = course.example(seed, *number);
            let mut tokens = tokenizer.encode(&format!("{}{solution}", problem.prompt))?;
            tokens.push(end);
            let rows = batch.push(&tokens[..tokens.len() - 1], &[]);
            batch.targets.extend(rows.zip(tokens[1..].iter().copied()));
        }
        Ok(batch)
    };
    numbers.chunks(TOGETHER).map(pack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_rises_stays_and_falls() {
        assert!(schedule(0, 1000) < 0.05 && schedule(20, 1000) < 0.6);
        assert_eq!(schedule(200, 1000), 1.0);
        assert!((schedule(700, 1000) - 0.5).abs() < 1e-6 && schedule(999, 1000) > 0.0);
    }
}
