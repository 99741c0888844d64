//! Training of the embedded pairs: the base by next-token prediction on a synthetic corpus,
//! the RLVR policy from it by reinforcement learning with a 0/1 verdict as its only reward.
//!
//! Everything follows from one seed. On one machine the same seed gives the same weights,
//! whatever the number of threads.

pub mod advantage;
pub mod compare;
pub mod corpus;
pub mod countdown;
pub mod course;
pub mod drive;
pub mod exam;
pub mod knobs;
pub mod measure;
pub mod network;
pub mod optimiser;
pub mod parallel;
pub mod pretrain;
pub mod pull;
pub mod rollout;
pub mod session;
#[cfg(test)]
mod tests;
pub mod trainee;
pub mod vocabulary;

pub use course::Course;
pub use exam::{Evaluation, Exam};
pub use knobs::Knobs;
pub use pull::{Pull, Stepped};
pub use session::Trainer;
pub use trainee::Trainee;

use crate::model::config::{Architecture, Layout, Scaling};
use crate::model::{Config, LocalModel, ModelError, Tokenizer};
use crate::policy::PolicyError;
use network::Network;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What is trained, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub seed: u64,
    pub threads: usize,
    pub size: Size,
    pub base: pretrain::Settings,
    /// Steps of the RLVR policy.
    pub steps: usize,
    pub knobs: Knobs,
    /// Steps after which the RLVR policy is also written; the last is always.
    pub checkpoints: Vec<usize>,
    /// A folder whose model is the base: then none is trained.
    pub from: Option<PathBuf>,
}

/// How large the models are.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    pub hidden: usize,
    pub layers: usize,
    /// Divides `hidden` into an even size.
    pub heads: usize,
    pub intermediate: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { hidden: 96, layers: 4, heads: 3, intermediate: 256 }
    }
}

impl Size {
    fn config(&self, vocab_size: usize, end: u32) -> Result<Config, ModelError> {
        let config = Config {
            architecture: Architecture::Llama,
            vocab_size,
            hidden_size: self.hidden,
            layers: self.layers,
            heads: self.heads,
            kv_heads: self.heads,
            head_dim: self.hidden / self.heads.max(1),
            intermediate_size: self.intermediate,
            norm_eps: 1e-5,
            rope_theta: 10_000.0,
            max_positions: 192,
            tied: true,
            eos: vec![end],
            bos: None,
            rope_scaling: Scaling::None,
            layout: Layout::default(),
        };
        // Read back, so that sizes that do not fit together are refused in words.
        Config::from_json(&config.to_json(), "the sizes given")
    }
}

/// What training stands on.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub network: &'a Network,
    pub tokenizer: &'a Tokenizer,
    pub course: &'a dyn Course,
    pub seed: u64,
    pub threads: usize,
    /// Set, it ends what is going on within one decode step.
    pub stop: &'a AtomicBool,
}

impl Ground<'_> {
    /// Whether it was told to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What training says of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// A step of the base is done; `loss` in nats a token.
    Base { step: usize, steps: usize, loss: f64 },
    /// A step of the RLVR policy is done: mean reward and mean token entropy (nats) of its
    /// completions, and the groups of completions that differed in reward.
    Rlvr { step: usize, steps: usize, reward: f64, entropy: f64, groups: usize },
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
    #[error("{origin} cannot be trained here: {reason}")]
    Unfit { origin: String, reason: String },
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// Trains a pair on a course and writes it below `out`: `base`, `rlvr-0010` and so on, `rlvr`.
///
/// # Errors
/// Sizes that do not fit together, a loss that is no number (the last good weights are
/// written first), what the file system reports.
pub fn run(
    settings: &Settings,
    course: &dyn Course,
    out: &Path,
    watch: &mut dyn Watch,
) -> Result<(), TrainError> {
    let vocabulary = vocabulary::tokenizer_json(course)?;
    let tokenizer = Tokenizer::from_json(vocabulary.as_bytes(), "the new vocabulary")?;
    let (network, mut weights) = match &settings.from {
        Some(folder) => {
            let model = LocalModel::from_folder(folder)?;
            let network = Network::new(&model.config);
            let weights = network.pack(&model.weights)?;
            (network, weights)
        }
        None => {
            let end = tokenizer.encode(vocabulary::END)?;
            let config = settings.size.config(tokenizer.vocab_size(), end.first().copied().unwrap_or(0))?;
            let network = Network::new(&config);
            let weights = pretrain::initial(&network, settings.seed);
            (network, weights)
        }
    };
    let write = |name: &str, weights: &[f32]| {
        let folder = out.join(name);
        LocalModel::write_folder(&folder, network.config(), &vocabulary, &network.unpack(weights, name))
    };
    let stop = AtomicBool::new(false);
    let ground = Ground {
        network: &network,
        tokenizer: &tokenizer,
        course,
        seed: settings.seed,
        threads: settings.threads,
        stop: &stop,
    };
    if settings.from.is_none() {
        let result = pretrain::train(&ground, &settings.base, &mut weights, watch);
        write("base", &weights)?;
        result?;
        // What is shipped, rounded to f16, is what RLVR starts from.
        let shipped = LocalModel::from_folder(&out.join("base"))?;
        weights = network.pack(&shipped.weights)?;
    } else {
        write("base", &weights)?;
    }
    let mut pull = Pull::new(&network, weights.as_slice().into(), &weights, 0, settings.threads);
    let result = (0..settings.steps).try_for_each(|_| {
        let Some(stepped) = pull.step(&ground, &settings.knobs)? else { return Ok(()) };
        let step = stepped.step;
        watch.stepped(&Progress::Rlvr {
            step,
            steps: settings.steps,
            reward: stepped.drawn.as_ref().map_or(f64::NAN, |d| d.reward),
            entropy: stepped.drawn.as_ref().map_or(f64::NAN, |d| d.token_entropy),
            groups: stepped.groups,
        });
        if settings.checkpoints.contains(&step) && step < settings.steps {
            write(&format!("rlvr-{step:04}"), pull.weights())?;
        }
        Ok(())
    });
    write("rlvr", pull.weights())?;
    result
}
