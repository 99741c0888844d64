//! Work shared out to threads so that the result does not depend on how many there are.

use super::network::{Batch, Network, Workspace};
use std::sync::Mutex;

/// Calls `work` on every item, on up to `threads` threads.
pub fn each<T: Send>(threads: usize, items: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let queue = Mutex::new(items);
    let drain = || {
        // Not `while let`: its guard would be held while working.
        loop {
            let next = queue.lock().expect("no thread panics while it takes an item").next();
            let Some(item) = next else { break };
            work(item);
        }
    };
    std::thread::scope(|scope| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        for _ in 1..threads {
            // A helper bears its caller's name, so that its panics are told apart as its
            // caller's are. Where none can be started the caller does all the work.
            let _ = std::thread::Builder::new().name(name.clone()).spawn_scoped(scope, drain);
        }
        drain();
    });
}

/// Parts of a gradient that are summed in a fixed order.
const LANES: usize = 8;

/// Computes gradients of batches in parallel.
pub struct Gradients {
    threads: usize,
    lanes: Vec<Lane>,
}

#[derive(Default)]
struct Lane {
    gradient: Vec<f32>,
    space: Workspace,
}

impl Gradients {
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1), lanes: (0..LANES).map(|_| Lane::default()).collect() }
    }

    /// The gradient of the sum of the batches' losses, left in `sum`, and each target's
    /// log-probability by batch. `slope(b, i, lp)` is the derivative of the loss by the
    /// log-probability lp of target i of batch b.
    pub fn compute(
        &mut self,
        network: &Network,
        weights: &[f32],
        batches: &[Batch],
        slope: impl Fn(usize, usize, f32) -> f32 + Sync,
        sum: &mut [f32],
    ) -> Vec<Vec<f32>> {
        let mut logprobs: Vec<Vec<f32>> = batches.iter().map(|b| vec![0.0; b.targets.len()]).collect();
        let mut shares: Vec<Vec<(usize, &mut Vec<f32>)>> = (0..LANES).map(|_| Vec::new()).collect();
        for (b, kept) in logprobs.iter_mut().enumerate() {
            shares[b % LANES].push((b, kept));
        }
        each(self.threads, self.lanes.iter_mut().zip(shares), |(lane, share)| {
            lane.gradient.clear();
            lane.gradient.resize(network.parameters(), 0.0);
            for (b, kept) in share {
                network.step(weights, &batches[b], &mut lane.space, &mut lane.gradient, |i, lp| {
                    kept[i] = lp;
                    slope(b, i, lp)
                });
            }
        });
        sum.fill(0.0);
        for lane in &self.lanes {
            for (s, g) in sum.iter_mut().zip(&lane.gradient) {
                *s += g;
            }
        }
        logprobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{config::tests::tiny, weights::tests::random};

    #[test]
    fn the_gradient_does_not_depend_on_the_threads() {
        let network = Network::new(&tiny());
        let weights = network.pack(&random(&tiny(), 1)).unwrap();
        let batches: Vec<Batch> = (0..11)
            .map(|b| {
                let mut batch = Batch::default();
                let rows = batch.push(&[b, 2 * b, 3, 4], &[]);
                batch.targets.extend([(rows.start, 2 * b), (rows.start + 2, 4)]);
                batch
            })
            .collect();
        let run = |threads| {
            let mut sum = vec![0.0; network.parameters()];
            let lp =
                Gradients::new(threads).compute(&network, &weights, &batches, |_, _, lp| lp.exp(), &mut sum);
            (lp, sum)
        };
        let (lp, sum) = run(1);
        assert_eq!((lp.len(), lp[3].len()), (11, 2));
        assert!(sum.iter().any(|x| *x != 0.0));
        assert!(run(3) == (lp, sum));
    }
}
