//! What `leash convert` is told, and how other tools' files are read.

use super::unit_parser;
use crate::problem::tasks;
use crate::record::foreign::{Mapping, Options};
use crate::support::Unit;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How files of other tools are read.
#[derive(Clone, Debug, Default, Args)]
pub struct ImportArgs {
    /// Which field of JSON lines, CSV or parquet is what, as in
    /// prompt=question,text=response,score=reward; also id, reference, correct, answer,
    /// policy, task and tokens
    #[arg(long, value_name = "WHAT=FIELD,…", help_heading = "Other tools' files", value_parser = Mapping::parse)]
    pub map: Option<Mapping>,

    /// The task whose verifier judges the problems; `leash tasks` lists them [default: as
    /// the file says]
    #[arg(long, value_name = "TASK", help_heading = "Other tools' files", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(tasks::names()).map(|name: String| name))]
    pub task: Option<String>,

    /// The score from which a completion counts as correct [default: as the file says, else 1]
    #[arg(long, value_name = "SCORE", help_heading = "Other tools' files", allow_negative_numbers = true)]
    pub threshold: Option<f64>,

    /// Keep problems that are not in every file
    #[arg(long, help_heading = "Other tools' files")]
    pub unmatched: bool,
}

impl ImportArgs {
    /// As the readers take it.
    pub fn options(&self) -> Options {
        Options {
            mapping: self.map.clone().unwrap_or_default(),
            task: self.task.clone(),
            threshold: self.threshold,
            unmatched: self.unmatched,
        }
    }
}

/// What `leash convert` is told.
#[derive(Clone, Debug, Args)]
pub struct ConvertArgs {
    /// Recordings or other tools' files. Of several the first is the base, and problems are
    /// matched by id, else by prompt
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// What to write: a recording; with --lost or --gained JSON lines, or Markdown if the
    /// name ends in .md; with --to verifiers a folder
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// The layout to write
    #[arg(long, value_enum, default_value_t = Target::Leash)]
    pub to: Target,

    /// Write the completions that the base has and the RLVR policy lost
    #[arg(long, conflicts_with_all = ["gained", "to"])]
    pub lost: bool,

    /// Write the completions that the RLVR policy gained and the base has not
    #[arg(long, conflicts_with = "to")]
    pub gained: bool,

    /// What counts as lost or gained: problem, answer, method or completion
    #[arg(long, value_name = "UNIT", default_value = "method", hide_possible_values = true,
          value_parser = unit_parser())]
    pub unit: Unit,

    #[command(flatten)]
    pub import: ImportArgs,
}

/// A layout that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// A recording
    Leash,
    /// results.jsonl and metadata.json, a folder for each policy
    Verifiers,
}
