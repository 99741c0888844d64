//! What `leash train` is told.

use crate::train::{Size, grpo, pretrain};
use std::path::PathBuf;

/// Train a base by next-token prediction and an RLVR policy from it, on the CPU
#[derive(clap::Args, Clone, Debug)]
pub struct TrainArgs {
    /// Folder to write: base, a checkpoint every so often, rlvr
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Everything follows from it; the embedded pair is that of seed 1
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads; the result does not depend on them
    #[arg(long, default_value_t = cores())]
    pub threads: usize,
    /// Start the RLVR policy from the model in this folder instead of training a base
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// Steps of the base
    #[arg(long, default_value_t = pretrain::Settings::default().steps)]
    pub base_steps: usize,
    /// Worked solutions in a step of the base
    #[arg(long, default_value_t = pretrain::Settings::default().batch)]
    pub base_batch: usize,
    /// Steps of the RLVR policy
    #[arg(long, default_value_t = grpo::Settings::default().steps)]
    pub rlvr_steps: usize,
    /// Problems in a step of the RLVR policy
    #[arg(long, default_value_t = grpo::Settings::default().prompts)]
    pub prompts: usize,
    /// Completions of each of them
    #[arg(long, default_value_t = grpo::Settings::default().completions)]
    pub completions: usize,
    /// Learning rate of the RLVR policy
    #[arg(long, default_value_t = grpo::Settings::default().rate)]
    pub rlvr_rate: f32,
    /// Steps after which the RLVR policy is also written, besides the last
    #[arg(long, value_delimiter = ',', default_value = "10,20,40,70,100")]
    pub checkpoints: Vec<usize>,
    /// Width of the models
    #[arg(long, default_value_t = Size::default().hidden)]
    pub hidden: usize,
    #[arg(long, default_value_t = Size::default().layers)]
    pub layers: usize,
    #[arg(long, default_value_t = Size::default().heads)]
    pub heads: usize,
    /// Width of the feed-forward part
    #[arg(long, default_value_t = Size::default().intermediate)]
    pub intermediate: usize,
    /// Completions of each problem in the closing measurement, on the development suite; 0 leaves it out
    #[arg(long, value_name = "K", default_value_t = 256)]
    pub measure: u32,
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
