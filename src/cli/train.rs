//! What `leash train` is told.

use crate::model::embedded;
use crate::train::course::{self, LegCounting};
use crate::train::knobs::{self, PRESETS, Preset};
use crate::train::{Course, Knobs, Size, pretrain};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;

/// Train a base by next-token prediction and an RLVR policy from it, on the CPU
#[derive(clap::Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct TrainArgs {
    #[command(subcommand)]
    pub pull: Option<PullCommand>,
    /// Folder to write: base, a checkpoint every so often, rlvr
    #[arg(long, value_name = "DIR", required = true)]
    pub out: Option<PathBuf>,
    /// The task: leg_counting or countdown
    #[arg(long, value_name = "TASK", default_value = "leg_counting", value_parser = course_parser())]
    pub task: String,
    /// Everything follows from it; the embedded pairs are those of seed 1
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
    /// Steps of the RLVR policy [default: those of the task's embedded one, 150 or 120]
    #[arg(long, value_name = "RLVR_STEPS")]
    pub rlvr_steps: Option<usize>,
    /// Problems in a step of the RLVR policy
    #[arg(long, default_value_t = Knobs::default().prompts)]
    pub prompts: usize,
    /// Completions of each of them
    #[arg(long, default_value_t = Knobs::default().group)]
    pub completions: usize,
    /// Learning rate of the RLVR policy
    #[arg(long, default_value_t = Knobs::default().rate)]
    pub rlvr_rate: f64,
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

/// Pulls from a base that is there already.
#[derive(Clone, Debug, Subcommand)]
pub enum PullCommand {
    /// Pull a base by RLVR, with one or several presets, and say what it did to support
    #[command(after_long_help = knobs::described())]
    Rlvr(PullArgs),
    /// Fine-tune a base on clean solutions of the problems that RLVR sees; with --report
    /// also pull it by RLVR, and compare
    Sft(SftArgs),
}

/// What `leash train rlvr` is told.
#[derive(clap::Args, Clone, Debug)]
pub struct PullArgs {
    /// Named settings of the knobs; several are compared
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1.., default_value = "as-the-paper",
          value_parser = preset_parser())]
    pub preset: Vec<Preset>,
    /// A knob of every preset, as in clip_high=0.28; the long help lists them
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    pub set: Vec<String>,
    #[command(flatten)]
    pub contest: ContestArgs,
}

/// What `leash train sft` is told.
#[derive(clap::Args, Clone, Debug)]
pub struct SftArgs {
    /// Whose solutions: a teacher's clean ones, or the base's own that the verifier let through
    #[arg(long, value_parser = ["clean", "own"], default_value = "clean")]
    pub teacher: String,
    #[command(flatten)]
    pub contest: ContestArgs,
}

/// What all pulls share.
#[derive(clap::Args, Clone, Debug)]
pub struct ContestArgs {
    /// The base: embedded:base, embedded:countdown-base or a folder with a small Llama model
    /// [default: the embedded base of the task]
    #[arg(long, value_name = "SPEC")]
    pub base: Option<String>,
    /// The task [default: that of the embedded base, else leg_counting]
    #[arg(long, value_name = "TASK", value_parser = course_parser())]
    pub task: Option<String>,
    /// Steps of each pull
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub steps: usize,
    /// Pulls of each preset, each from a seed of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Compare on the held-out suite: SRR, NDR, SDS, NSCR, pass@k, entropies, at equal steps
    /// and equal tokens, with intervals over the seeds
    #[arg(long)]
    pub report: bool,
    #[arg(long, value_enum, default_value_t = PullFormat::Table)]
    pub format: PullFormat,
    /// Completions of each held-out problem in the report
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub k: u32,
    /// Held-out problems in the report [default: all 50]
    #[arg(long, value_name = "N")]
    pub problems: Option<usize>,
    /// Steps between two looks at a few held-out problems
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = super::positive)]
    pub every: usize,
    /// Folder for the trained models, in Hugging Face layout; written at every look and at the end
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads; the result does not depend on them
    #[arg(long, default_value_t = cores())]
    pub threads: usize,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PullFormat {
    Table,
    Json,
}

impl ContestArgs {
    /// The task to pull on, with the base to pull from.
    pub fn course(&self) -> (&'static dyn Course, &str) {
        let named = self.task.as_deref().and_then(course::of_task);
        match &self.base {
            Some(base) => (named.unwrap_or_else(|| course::of_spec(base)), base),
            None => {
                let course = named.unwrap_or(&LegCounting);
                (course, embedded::pair(course.task()).unwrap_or_default().0)
            }
        }
    }
}

fn course_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(course::ALL.map(|c| c.task()))
}

fn preset_parser() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(PRESETS.iter().map(|p| p.name))
        .map(|name| Preset::named(&name).copied().unwrap_or(PRESETS[0]))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
