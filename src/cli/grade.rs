//! What is told of tasks and of judging again.

use super::JudgeArgs;
use clap::Args;
use std::path::PathBuf;

/// What `leash tasks` is told.
#[derive(Clone, Debug, Args)]
pub struct TasksArgs {
    /// Show how this task is judged, and an example of each of its difficulties
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// What `leash grade` is told.
#[derive(Clone, Debug, Args)]
pub struct GradeArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The recording to write, with the new verdicts in it
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Judge only completions that have no verdict
    #[arg(long)]
    pub only_missing: bool,

    #[command(flatten)]
    pub judge: JudgeArgs,
}
