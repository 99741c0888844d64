//! The head of a recording: who was asked, and what, up to the first completion.

use super::RecordError;
use super::format::{Kind, ProblemIn, Run};
use super::reader::{checked_run, reason};
use super::source::{End, Source};
use crate::problem::Problem;
use std::collections::HashSet;

/// What stands before the first completion.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub run: Run,
    /// In order, each id once.
    pub problems: Vec<Problem>,
}

impl Head {
    /// # Errors
    /// A file that cannot be read, does not begin with a line of kind `run`, or is too new.
    pub fn read(source: &Source) -> Result<Self, RecordError> {
        let no =
            |reason: &str| RecordError::NoRecording { path: source.path.clone(), reason: reason.to_owned() };
        source.len()?;
        let mut run: Option<Run> = None;
        let (mut problems, mut ids) = (Vec::new(), HashSet::new());
        let (mut at, mut number, mut line) = (0, 0, Vec::new());
        loop {
            let end = source.line(at, &mut line)?;
            number += 1;
            if line.trim_ascii().is_empty() && end == End::Whole {
                at += line.len() as u64 + 1;
                continue;
            }
            let kind = match end {
                End::Whole => serde_json::from_slice::<Kind>(&line).ok().and_then(|k| k.kind),
                // A line without its end is of no kind yet.
                End::Open | End::TooLong => None,
            };
            match (kind.as_deref(), &run) {
                (Some("run"), None) => {
                    run = Some(checked_run(&line, &source.path, number)?);
                }
                (Some("problem"), Some(_)) => {
                    // A problem that is wrong is told by the index, with the other lines.
                    let problem = serde_json::from_slice::<ProblemIn>(&line).map_err(|e| reason(&e));
                    if let Some(problem) = problem.ok().map(Problem::from)
                        && ids.insert(problem.id.clone())
                    {
                        problems.push(problem);
                    }
                }
                (_, None) if line.is_empty() => return Err(no("it is empty")),
                (_, None) => return Err(no("it does not begin with a line of kind \"run\"")),
                (Some("run"), Some(_)) => {}
                (_, Some(_)) => break,
            }
            at += line.len() as u64 + 1;
        }
        let run = run.ok_or_else(|| no("it is empty"))?;
        Ok(Self { run, problems })
    }
}
