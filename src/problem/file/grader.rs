//! Who judges the problems that name no task.

use super::GraderError;
use crate::problem::Problem;
use crate::problem::tasks::{self, matching};

/// The verifier of problems that name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grader {
    /// A task's, or a verifier's, by its name.
    Task(&'static str),
    /// The answer must match this as a whole; `{reference}` in it stands for the problem's
    /// reference, taken literally.
    Pattern(String),
}

impl Default for Grader {
    fn default() -> Self {
        Grader::Task("mathematics")
    }
}

impl Grader {
    /// Reads `exact`, `choice`, `regex` (the reference is the pattern), `regex:PATTERN` or
    /// the name of a task.
    ///
    /// # Errors
    /// A name of no task, or a pattern that is none.
    pub fn parse(text: &str) -> Result<Self, GraderError> {
        if let Some(pattern) = text.strip_prefix("regex:") {
            let checked = matching::pattern(pattern, "x");
            checked.map_err(|reason| GraderError::Pattern { pattern: pattern.to_owned(), reason })?;
            return Ok(Grader::Pattern(pattern.to_owned()));
        }
        let name = match text {
            "exact" => "exact_match",
            "choice" => "multiple_choice",
            "regex" => "regular_expression",
            name => name,
        };
        let known = || tasks::names().collect::<Vec<_>>().join(", ");
        tasks::find(name)
            .map(|task| Grader::Task(task.name()))
            .ok_or_else(|| GraderError::Unknown { name: text.to_owned(), known: known() })
    }

    /// Makes this the verifier of a problem.
    pub(super) fn grade(&self, problem: &mut Problem) {
        match self {
            Grader::Task(name) => problem.task = Some((*name).to_owned()),
            Grader::Pattern(pattern) => {
                problem.task = Some("regular_expression".to_owned());
                problem.metadata.insert("pattern".into(), pattern.clone().into());
            }
        }
    }
}
