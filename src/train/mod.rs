//! Training of the embedded pair: the base by next-token prediction on a synthetic corpus,
//! the RLVR policy from it by reinforcement learning with a 0/1 verdict as its only reward.

pub mod corpus;
pub mod network;
pub mod optimiser;
pub mod parallel;
pub mod pretrain;
pub mod vocabulary;

use crate::model::ModelError;

/// What training says of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// A step of the base is done; `loss` in nats a token.
    Base { step: usize, steps: usize, loss: f64 },
}

/// Who watches a training.
pub trait Watch {
    fn stepped(&mut self, progress: &Progress);
}

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(
        "training of the {stage} stopped at step {step}: the loss is no longer a number; the last good \
         weights are kept, try a lower learning rate"
    )]
    Diverged { stage: &'static str, step: usize },
    #[error(transparent)]
    Model(#[from] ModelError),
}
