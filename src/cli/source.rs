//! What is told of files of problems, and of who judges.

use crate::problem::file::{Fields, Grader};
use crate::problem::{Judge, Verifiers};
use crate::source::{self, Query};
use anyhow::{Result, bail};
use clap::Args;
use std::sync::Arc;
use std::time::Duration;

/// How a file of problems is read.
#[derive(Clone, Debug, Default, Args)]
pub struct FileArgs {
    /// Which fields of the file hold what: prompt=question,answer=gold. There are prompt,
    /// answer, id, task and choices; a.b is a field inside of another, choices=A|B|C|D are
    /// several, id= is none
    #[arg(long, value_name = "WHAT=NAME", help_heading = "Problems", value_delimiter = ',')]
    pub field: Vec<String>,

    /// Who judges problems that name no task: mathematics, exact, choice, regex,
    /// regex:PATTERN (in which {reference} may stand), or a task [default: mathematics]
    #[arg(long, value_name = "NAME", help_heading = "Problems", value_parser = grader)]
    pub grader: Option<Grader>,

    /// How each problem is asked: a text in which {prompt} stands for it, as in '{prompt}
    /// Put the answer in \\boxed{}.'
    #[arg(long, value_name = "TEXT", help_heading = "Problems", value_parser = wording)]
    pub wording: Option<String>,

    /// The split of a data set's folder, as in test or main/test [default: the only one, or
    /// test]
    #[arg(long, value_name = "NAME", help_heading = "Problems")]
    pub split: Option<String>,
}

impl FileArgs {
    /// What is wanted of the file.
    ///
    /// # Errors
    /// A mapping that says nothing.
    pub fn query(&self, count: Option<u32>) -> Result<Query> {
        let mut fields = Fields::default();
        self.field.iter().try_for_each(|mapping| fields.map(mapping))?;
        if let Some(grader) = &self.grader {
            fields.grader = grader.clone();
        }
        Ok(Query { fields, split: self.split.clone(), count, wording: self.wording.clone() })
    }

    /// Whether anything was said.
    pub fn is_given(&self) -> bool {
        !self.field.is_empty() || self.grader.is_some() || self.split.is_some() || self.wording.is_some()
    }
}

fn wording(text: &str) -> Result<String> {
    match text.contains("{prompt}") {
        true => Ok(text.to_owned()),
        false => bail!("it must hold {{prompt}}, where the problem stands"),
    }
}

fn grader(text: &str) -> Result<Grader> {
    Ok(Grader::parse(text)?)
}

/// Who judges.
#[derive(Clone, Debug, Default, Args)]
pub struct JudgeArgs {
    /// An outside verifier: a command, run for each completion without a shell, that reads
    /// {"prompt", "reference", "metadata", "text"} and writes {"correct": true|false, and
    /// maybe "answer", "method", "sound"}; or the address of an experiment of Reasoning
    /// Gym's server
    #[arg(long, value_name = "COMMAND|URL", help_heading = "Verdicts")]
    pub verifier: Option<String>,

    /// Seconds that the command may take for one completion
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, help_heading = "Verdicts", value_parser = seconds)]
    pub verifier_limit: f64,
}

impl JudgeArgs {
    /// The judge that was asked for; else, of problems from a server, that server; else our
    /// own verifiers.
    ///
    /// # Errors
    /// A command that is not there.
    pub fn judge(&self, problems: Option<&str>) -> Result<Arc<dyn Judge>> {
        let server = problems.filter(|from| source::is_address(from));
        match self.verifier.as_deref().or(server) {
            Some(verifier) => Ok(source::judge(verifier, Duration::from_secs_f64(self.verifier_limit))?),
            None => Ok(Arc::new(Verifiers)),
        }
    }
}

fn seconds(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => bail!("it must be above 0 and at most 86400"),
    }
}
