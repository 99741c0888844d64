//! The command line.

mod bench;
mod campaign;
mod convert;
mod grade;
mod models;
mod score;
mod served;
mod source;
mod train;

pub use bench::{BenchArgs, BenchFormat};
pub use campaign::CampaignArgs;
pub use convert::{ConvertArgs, ImportArgs, Target};
pub use grade::{GradeArgs, TasksArgs};
pub use models::{Bars, ModelArgs};
pub use score::{CheckArgs, ScoreArgs, ScoreFormat};
pub use served::ServedArgs;
pub use source::{FileArgs, JudgeArgs};
pub use train::{ContestArgs, PullArgs, PullCommand, PullFormat, SftArgs, TrainArgs};

use crate::problem::tasks;
use crate::problem::tasks::leg_counting::Suite;
use crate::support::{Criterion, Lens, Unit};
use crate::ui::theme::Choice;
use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What RLVR does to the set of solutions that a language model can reach.
///
/// Without a command: explore the two policies, problem by problem, while both are sampled
/// in the background.
#[derive(Clone, Debug, Parser)]
#[command(name = "leash", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub explore: ExploreArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How the explorer looks.
#[derive(Clone, Debug, Default, Args)]
pub struct ScreenArgs {
    /// The colours: auto (for the background that the terminal has), dark, light,
    /// high-contrast or colour-blind
    #[arg(long, value_name = "THEME", value_parser = theme_parser(), hide_possible_values = true, help_heading = "Screen")]
    pub theme: Option<Choice>,

    /// Theme, mouse and keys from this file [default: leash/config.toml where the system
    /// keeps configurations]
    #[arg(long, value_name = "FILE", help_heading = "Screen")]
    pub config: Option<PathBuf>,

    /// Print the configuration that holds, with every key, and leave
    #[arg(long, help_heading = "Screen")]
    pub print_config: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Draw completions without a screen, into a recording
    Sample(SampleArgs),
    /// Explore a recording, and go on drawing where it stopped
    Open(OpenArgs),
    /// Every figure of a recording
    Report(ReportArgs),
    /// Judge the completions of a recording again, with our verifiers
    Grade(GradeArgs),
    /// The tasks, their difficulties and an example of each
    Tasks(TasksArgs),
    /// A screen of a recording as a picture
    Snapshot(SnapshotArgs),
    /// Train a base by next-token prediction and an RLVR policy from it, on the CPU
    Train(TrainArgs),
    /// Tokens a second of the sampling engine, against what this machine allows
    Bench(BenchArgs),
    /// A guided tour for an audience, on the live pair
    Demo(DemoArgs),
    /// What a shell needs to complete this command line
    Completions {
        /// The shell
        #[arg(value_enum, hide_possible_values = false)]
        shell: clap_complete::Shell,
    },
    /// The manual page, as roff
    Man,
    /// How likely recorded completions are under a policy, token by token
    Score(ScoreArgs),
    /// The settings of the policies side by side, what differs marked; long texts that come
    /// more often than chance allows
    Check(CheckArgs),
    /// Other tools' files as a recording; recordings for other tools; what was lost and gained
    Convert(ConvertArgs),
}

/// What the explorer is told.
#[derive(Clone, Debug, Args)]
pub struct ExploreArgs {
    #[command(flatten)]
    pub campaign: CampaignArgs,

    /// Record what is drawn in this file [default: a run of its own in the user's data
    /// folder]. If it is there already, drawing goes on where it stopped
    #[arg(long, value_name = "FILE", help_heading = "Recording", conflicts_with = "no_record")]
    pub record: Option<PathBuf>,

    /// Record nothing
    #[arg(long, help_heading = "Recording")]
    pub no_record: bool,

    #[command(flatten)]
    pub screen: ScreenArgs,
}

/// What `leash sample` is told.
#[derive(Clone, Debug, Args)]
pub struct SampleArgs {
    #[command(flatten)]
    pub campaign: CampaignArgs,

    /// The recording to write. If it is there already, drawing goes on where it stopped
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Leave out the log-probability and entropy of every single token: a smaller file
    #[arg(long)]
    pub no_traces: bool,
}

/// What `leash demo` is told.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub explore: ExploreArgs,

    /// Go on by itself, at the pace of reading aloud, and leave at the end
    #[arg(long)]
    pub auto: bool,

    /// Words a second that --auto takes an audience to read
    #[arg(long, value_name = "WORDS", default_value_t = crate::app::tour::ALOUD, requires = "auto",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub pace: u32,
}

/// What `leash open` is told.
#[derive(Clone, Debug, Args)]
pub struct OpenArgs {
    /// A recording, or other tools' files; of two the first is the base
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub import: ImportArgs,

    /// Show what another process adds to it, as it comes; draw nothing
    #[arg(long)]
    pub follow: bool,

    /// Draw nothing, even if something is missing
    #[arg(long)]
    pub read_only: bool,

    #[command(flatten)]
    pub screen: ScreenArgs,
}

/// What `leash snapshot` is told.
#[derive(Clone, Debug, Args)]
pub struct SnapshotArgs {
    /// The recording, or another tool's file; two make a pair, the base first
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// The picture to write, as SVG
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Keys to press first; a line feed is Enter, a tab Tab, ^ Escape
    #[arg(long, default_value = "")]
    pub keys: String,

    /// Columns and rows
    #[arg(long, value_name = "WxH", default_value = "120x36", value_parser = size)]
    pub size: (u16, u16),

    /// The colours: dark, light, high-contrast or colour-blind
    #[arg(long, value_name = "THEME", default_value = "dark", value_parser = theme_parser(), hide_possible_values = true)]
    pub theme: Choice,

    #[command(flatten)]
    pub import: ImportArgs,
}

/// Columns and rows, as in `120x36`; large enough to draw on, small enough to hold.
fn size(text: &str) -> Result<(u16, u16), String> {
    let parse = |n: &str| n.parse::<u16>().ok().filter(|n| (1..=1000).contains(n));
    let both = text.split_once('x').and_then(|(w, h)| Some((parse(w)?, parse(h)?)));
    both.ok_or_else(|| "write columns x rows, each 1 to 1000, as in 120x36".to_owned())
}

/// A table of `leash report --format csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableName {
    Problems,
    Clusters,
    Curves,
    Support,
    Policies,
}

/// What `leash report` is told.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// The recording, or another tool's file; two make a pair, the base first
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// csv is one table, which --table names; svg is the chart of pass@k
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,

    /// The table of --format csv: a row a problem, a cluster, a point of the curves, a unit of
    /// support, or a policy [default: problems]
    #[arg(long, value_enum)]
    pub table: Option<TableName>,

    /// Look at the first N completions only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub k: Option<u32>,

    /// Show one unit only, in tables: problem, answer, method or completion [default: all]
    #[arg(long, value_name = "UNIT", hide_possible_values = true, value_parser = unit_parser())]
    pub unit: Option<Unit>,

    /// When an item is in support: found (at least --min-hits hits) or threshold (its
    /// share of the completions is above ε = −ln ζ/k)
    #[arg(long, value_enum, default_value_t = CriterionName::Found, hide_possible_values = true)]
    pub criterion: CriterionName,

    /// Hits that put an item in support, with --criterion found [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub min_hits: Option<u32>,

    /// ζ of the threshold, with --criterion threshold [default: 0.05]
    #[arg(long, value_name = "Z", value_parser = probability)]
    pub zeta: Option<f64>,

    /// Count only completions whose steps derive their answer as correct
    #[arg(long)]
    pub sound: bool,

    #[command(flatten)]
    pub import: ImportArgs,
}

impl ReportArgs {
    /// How to look.
    ///
    /// # Errors
    /// A figure of the criterion that was not chosen.
    pub fn lens(&self) -> Result<Lens> {
        let criterion = match (self.criterion, self.min_hits, self.zeta) {
            (CriterionName::Found, hits, None) => Criterion::Found { min_hits: hits.unwrap_or(1) },
            (CriterionName::Threshold, None, zeta) => Criterion::Threshold { zeta: zeta.unwrap_or(0.05) },
            (CriterionName::Found, ..) => bail!("--zeta belongs to --criterion threshold"),
            (CriterionName::Threshold, ..) => bail!("--min-hits belongs to --criterion found"),
        };
        Ok(Lens { unit: self.unit.unwrap_or_default(), criterion, sound: self.sound })
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
    Csv,
    Markdown,
    Svg,
}

/// A criterion without its figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CriterionName {
    Found,
    Threshold,
}

fn suite_parser() -> impl TypedValueParser<Value = Suite> {
    PossibleValuesParser::new(["heldout", "development"])
        .map(|name| Suite::named(&name).unwrap_or(Suite::HeldOut))
}

fn theme_parser() -> impl TypedValueParser<Value = Choice> {
    PossibleValuesParser::new(Choice::ALL.map(Choice::name))
        .map(|name| Choice::named(&name).unwrap_or_default())
}

fn unit_parser() -> impl TypedValueParser<Value = Unit> {
    PossibleValuesParser::new(Unit::ALL.map(Unit::name))
        .map(|name| Unit::from_name(&name).unwrap_or_default())
}

fn choice(task: &str) -> Result<tasks::Choice> {
    Ok(tasks::Choice::parse(task)?)
}

fn number(text: &str, holds: impl Fn(f64) -> bool, range: &str) -> Result<f64> {
    let value: f64 = text.parse().with_context(|| format!("a number is needed, {range}"))?;
    if !holds(value) {
        bail!("it must be {range}");
    }
    Ok(value)
}

fn temperature(text: &str) -> Result<f64> {
    number(text, |t| t.is_finite() && t >= 0.0, "0 or more")
}

fn top_p(text: &str) -> Result<f64> {
    number(text, |p| p > 0.0 && p <= 1.0, "above 0 and at most 1")
}

fn probability(text: &str) -> Result<f64> {
    number(text, |p| p > 0.0 && p < 1.0, "between 0 and 1")
}

fn positive(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => bail!("a whole number of at least 1 is needed"),
    }
}

#[cfg(test)]
mod tests;
