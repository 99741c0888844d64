//! The command line.

mod bench;
mod convert;
mod grade;
mod models;
mod score;
mod served;
mod source;
mod train;

pub use bench::{BenchArgs, BenchFormat};
pub use convert::{ConvertArgs, ImportArgs, Target};
pub use grade::{GradeArgs, TasksArgs};
pub use models::{Bars, ModelArgs};
pub use score::{CheckArgs, ScoreArgs, ScoreFormat};
pub use served::ServedArgs;
pub use source::{FileArgs, JudgeArgs};
pub use train::{ContestArgs, PullArgs, PullCommand, PullFormat, SftArgs, TrainArgs};

use crate::model::{Sampling, embedded};
use crate::policy::{self, Policy};
use crate::problem::tasks;
use crate::problem::tasks::leg_counting::Suite;
use crate::problem::{Judge, Problem};
use crate::run::Settings;
use crate::source::problems;
use crate::support::{Criterion, Lens, Unit};
use crate::ui::theme::Choice;
use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;

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

/// Who is asked what, and how.
#[derive(Clone, Debug, Args)]
pub struct CampaignArgs {
    /// The reference policy: embedded:base, embedded:countdown-base, a model's folder, a .gguf file,
    /// `hf:owner/name[@revision]`, any of these with +adapter:FOLDER behind it (LoRA), a server
    /// (http://host:port/v1#model, several endpoints with commas between them), a recording,
    /// or script:FILE (texts with probabilities, for tests and demonstrations of the
    /// interface) [default: the embedded base of the task]
    #[arg(long, value_name = "SPEC", help_heading = "Policies")]
    pub base: Option<String>,

    /// The RLVR policies that are held against it; embedded:rlvr@STEP is a checkpoint
    /// [default: the embedded RLVR policy of the task]
    #[arg(long, value_name = "SPEC", num_args = 1.., help_heading = "Policies")]
    pub rlvr: Vec<String>,

    /// Every checkpoint of the embedded pair as an RLVR policy: `[` and `]` go through them
    #[arg(long, help_heading = "Policies", conflicts_with_all = ["base", "rlvr"])]
    pub timeline: bool,

    /// A fixed suite of problems that training never sees: heldout or development
    #[arg(long, value_name = "NAME", default_value = "heldout", help_heading = "Problems",
          value_parser = suite_parser(), conflicts_with_all = ["task", "problems"])]
    pub suite: Suite,

    /// Fresh problems of a task, such as dice or dice:hard, or of several; `leash tasks`
    /// lists them. The seed says which
    #[arg(long, value_name = "TASK", help_heading = "Problems", value_parser = choice, value_delimiter = ',',
          conflicts_with = "problems")]
    pub task: Vec<tasks::Choice>,

    /// Problems from a file (JSON lines, JSON, CSV, parquet, a recording), a data set's
    /// folder, or Reasoning Gym's server at http://HOST:PORT/experiments/NAME
    #[arg(long, value_name = "FILE|FOLDER|URL", help_heading = "Problems")]
    pub problems: Option<String>,

    #[command(flatten)]
    pub file: FileArgs,

    /// How many problems: the first of a suite or a file (else all of them), or so many of
    /// each task or from a server (else 50)
    #[arg(long, value_name = "N", help_heading = "Problems", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,

    /// Completions of each problem under each policy
    #[arg(long, value_name = "N", default_value_t = 1024, help_heading = "Sampling",
          value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub k: u32,

    /// Temperature; 0 takes the most likely token
    #[arg(long, value_name = "T", default_value_t = 1.0, help_heading = "Sampling",
          value_parser = temperature, allow_negative_numbers = true)]
    pub temperature: f64,

    /// Keep the most likely tokens with together at least this probability
    #[arg(long, value_name = "P", default_value_t = 1.0, help_heading = "Sampling", value_parser = top_p)]
    pub top_p: f64,

    /// Keep this many of the most likely tokens [default: all]
    #[arg(long, value_name = "K", help_heading = "Sampling", value_parser = positive)]
    pub top_k: Option<usize>,

    /// Tokens of a completion at most
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Sampling", value_parser = positive)]
    pub max_tokens: usize,

    /// The same seed gives the same completions, whatever the batch and the threads
    #[arg(long, value_name = "S", default_value_t = 0, help_heading = "Sampling")]
    pub seed: u64,

    /// Threads that draw [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = positive)]
    pub threads: Option<usize>,

    #[command(flatten)]
    pub models: ModelArgs,

    #[command(flatten)]
    pub served: ServedArgs,

    #[command(flatten)]
    pub judge: JudgeArgs,
}

impl CampaignArgs {
    /// How to draw.
    pub fn settings(&self) -> Settings {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Settings {
            k: self.k,
            sampling: Sampling {
                temperature: self.temperature,
                top_p: self.top_p,
                top_k: self.top_k,
                max_tokens: self.max_tokens,
                seed: self.seed,
            },
            threads: self.threads.unwrap_or_else(cores),
        }
    }

    /// What to ask: at least one problem, each with an id of its own.
    ///
    /// # Errors
    /// A file of problems that cannot be read.
    pub fn problems(&self) -> Result<Vec<Problem>> {
        if self.problems.is_none() && self.file.is_given() {
            bail!(
                "--field, --grader, --split and --wording are about a file of problems: name one with --problems"
            );
        }
        if !self.task.is_empty() {
            let mut problems = Vec::new();
            for (i, choice) in self.task.iter().enumerate() {
                // Named twice, a task would give the same problems twice.
                if !self.task[..i].iter().any(|c| c.is(choice)) {
                    problems.extend(choice.problems(self.seed, u64::from(self.count.unwrap_or(50))));
                }
            }
            return Ok(problems);
        }
        if let Some(from) = &self.problems {
            return Ok(problems(from, &self.file.query(self.count)?)?);
        }
        let mut problems = self.suite.problems();
        problems.truncate(self.count.map_or(usize::MAX, |count| count as usize));
        Ok(problems)
    }

    /// Who judges what the policies say.
    ///
    /// # Errors
    /// An outside verifier that is not there.
    pub fn judge(&self) -> Result<Arc<dyn Judge>> {
        self.judge.judge(self.problems.as_deref())
    }

    /// Whom to ask: the base, then the RLVR policies.
    ///
    /// # Errors
    /// What opening a policy reports.
    pub fn policies(&self) -> Result<Vec<Arc<dyn Policy>>> {
        let names = self.names();
        let rlvr = self.rlvr();
        let base = self.base();
        let specs = std::iter::once(&base).chain(&rlvr);
        let bars = Bars::new();
        let options = self.models.options(&self.served, names.len(), self.settings().threads, &bars);
        specs.zip(&names).map(|(spec, name)| Ok(policy::open_with(spec, name, &options)?)).collect()
    }

    /// The base's SPEC.
    fn base(&self) -> String {
        let embedded = embedded::pair(self.family()).map_or_else(String::new, |(base, _)| base.to_owned());
        self.base.clone().unwrap_or(embedded)
    }

    /// The RLVR policies' SPECs.
    fn rlvr(&self) -> Vec<String> {
        let specs = |of: &[&str]| of.iter().map(|spec| (*spec).to_owned()).collect();
        match embedded::along(self.family()).as_slice() {
            [_, along @ ..] if self.timeline => specs(along),
            [.., last] if self.rlvr.is_empty() => specs(&[last]),
            _ => self.rlvr.clone(),
        }
    }

    /// The task whose embedded pair is asked where no policy is named: the one of all
    /// problems if it has a pair, else Leg Counting.
    fn family(&self) -> &'static str {
        let mut tasks = self.task.iter().map(|c| c.task.name());
        let first = tasks.next().filter(|first| tasks.all(|t| t == *first));
        first.filter(|task| embedded::pair(task).is_some()).unwrap_or("leg_counting")
    }

    /// The policies' names: an embedded RLVR policy's own (`rlvr@40`), else `base`, `rlvr`,
    /// `rlvr 2`, …
    fn names(&self) -> Vec<String> {
        let mut names = vec!["base".to_owned()];
        for spec in &self.rlvr() {
            let own = embedded::name(spec).unwrap_or("rlvr");
            let numbered = (2..).map(|n| format!("{own} {n}"));
            let name = std::iter::once(own.to_owned()).chain(numbered).find(|name| !names.contains(name));
            names.extend(name);
        }
        names
    }
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
