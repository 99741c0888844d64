//! The flags of `leash score` and `leash check`.

use super::{CampaignArgs, ModelArgs, ServedArgs};
use clap::Args;
use std::path::PathBuf;

/// What `leash score` is told.
#[derive(Clone, Debug, Args)]
pub struct ScoreArgs {
    /// A recording, or reference solutions as JSON lines: {"problem": ID, "text": …} with
    /// --problems, or {"prompt": …, "text": …}
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The policies that say how likely each text is: embedded:rlvr, a model's folder, a vLLM
    /// or SGLang server
    #[arg(long, value_name = "SPEC", num_args = 1.., required = true)]
    pub under: Vec<String>,

    /// Where the scores go: a file of their own, or the recording itself. If it is there
    /// already, scoring goes on where it stopped
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Score only what the base drew and the RLVR policy did not: correct completions
    #[arg(long)]
    pub lost: bool,

    /// Score only the completions of this policy of the recording
    #[arg(long, value_name = "NAME", conflicts_with = "lost")]
    pub policy: Option<String>,

    /// The problems that reference solutions are of, as JSON lines or a recording
    #[arg(long, value_name = "FILE")]
    pub problems: Option<PathBuf>,

    /// Leave out the figures of every single token: a smaller file
    #[arg(long)]
    pub no_traces: bool,

    #[command(flatten)]
    pub served: ServedArgs,

    #[command(flatten)]
    pub models: ModelArgs,
}

/// What `leash check` is told.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub campaign: CampaignArgs,

    /// Look in a recording for long texts that stand there more often than chance allows
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}
