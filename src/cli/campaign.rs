//! Who is asked what, and how.

use super::{
    Bars, FileArgs, JudgeArgs, ModelArgs, ServedArgs, choice, positive, suite_parser, temperature, top_p,
};
use crate::model::{Sampling, embedded};
use crate::policy::{self, Policy};
use crate::problem::tasks;
use crate::problem::tasks::leg_counting::Suite;
use crate::problem::{Judge, Problem};
use crate::run::Settings;
use crate::source::problems;
use anyhow::{Result, bail};
use clap::Args;
use std::sync::Arc;

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
    pub(super) fn base(&self) -> String {
        let embedded = embedded::pair(self.family()).map_or_else(String::new, |(base, _)| base.to_owned());
        self.base.clone().unwrap_or(embedded)
    }

    /// The RLVR policies' SPECs.
    pub(super) fn rlvr(&self) -> Vec<String> {
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
    pub(super) fn names(&self) -> Vec<String> {
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
