//! The flags of `leash score` and `leash check`.

use super::{CampaignArgs, ImportArgs, ModelArgs, ServedArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What `leash score` is told.
#[derive(Clone, Debug, Args)]
pub struct ScoreArgs {
    /// A recording, or traces that others wrote, in any file that `leash report` takes: JSON
    /// lines, CSV or parquet with a prompt, a text and maybe a policy (--map says which field
    /// is what), or {"problem": ID, "text": …} with --problems
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The policies that say how likely each text is: embedded:rlvr, a model's folder, a vLLM
    /// or SGLang server
    #[arg(long, value_name = "SPEC", num_args = 1.., required = true)]
    pub under: Vec<String>,

    /// Where the scores go, token by token: a file of their own, or the recording itself. If
    /// it is there already, scoring goes on where it stopped [default: they are shown only]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What is printed: table, json, or csv with a row a text
    #[arg(long, value_enum, default_value_t = ScoreFormat::Table)]
    pub format: ScoreFormat,

    /// Score only what the base drew and the RLVR policy did not: correct completions
    #[arg(long)]
    pub lost: bool,

    /// Score only the completions of this policy of the recording
    #[arg(long, value_name = "NAME", conflicts_with = "lost")]
    pub policy: Option<String>,

    /// The problems that traces name by their id, as JSON lines or a recording
    #[arg(long, value_name = "FILE")]
    pub problems: Option<PathBuf>,

    /// Leave out the figures of every single token: a smaller file
    #[arg(long)]
    pub no_traces: bool,

    #[command(flatten)]
    pub served: ServedArgs,

    #[command(flatten)]
    pub models: ModelArgs,

    #[command(flatten)]
    pub import: ImportArgs,
}

/// How scores are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScoreFormat {
    Table,
    Json,
    Csv,
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
