//! Where problems come from, and verdicts that are not our own: files, folders of data
//! sets, Reasoning Gym's server, and any command.
//!
//! What a record means is the business of [`crate::problem::file`]; here it is fetched, with
//! bounds on its size and on the time that it may take.

mod command;
mod file;
mod folder;
mod gym;
mod parquet;
mod thrift;
mod words;

pub use command::Command;
pub use gym::Gym;

use crate::problem::file::{Fields, FileError};
use crate::problem::{Judge, Problem};
use crate::record::RecordError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What is wanted of a source of problems.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub fields: Fields,
    /// Of a data set's folder, `test` or `configuration/test`.
    pub split: Option<String>,
    /// So many problems at most.
    pub count: Option<u32>,
    /// How a problem is asked; `{prompt}` in it stands for its prompt.
    pub wording: Option<String>,
}

impl Query {
    fn most(&self) -> usize {
        self.count.map_or(usize::MAX, |n| n as usize)
    }
}

/// Why there are no problems, or nobody to judge them.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}", path = .path.display())]
    Content { path: PathBuf, reason: String },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{url}: {reason}")]
    Server { url: String, reason: String },
    #[error("the verifier {command:?} {reason}")]
    Verifier { command: String, reason: String },
}

/// The problems of a file, a data set's folder, or an experiment of Reasoning Gym's server:
/// at least one, each with an id of its own.
///
/// # Errors
/// What cannot be read, with its place and the mend.
pub fn problems(from: &str, query: &Query) -> Result<Vec<Problem>, SourceError> {
    let path = Path::new(from);
    let mut problems = match is_address(from) {
        true => Gym::new(from)?.problems(query.count.unwrap_or(GYM_PROBLEMS))?,
        false if path.is_dir() => folder::problems(path, query)?,
        false => file::problems(path, query)?,
    };
    problems.truncate(query.most());
    if let Some(wording) = &query.wording {
        problems.iter_mut().for_each(|p| p.prompt = wording.replace("{prompt}", &p.prompt));
    }
    Ok(problems)
}

/// Problems that a server is asked for, where no number is given.
const GYM_PROBLEMS: u32 = 50;

/// An outside judge: the address of an experiment of Reasoning Gym's server, or a command
/// with its arguments, which has `limit` for each completion.
///
/// # Errors
/// A command that is not there, an address that names no experiment.
pub fn judge(verifier: &str, limit: Duration) -> Result<Arc<dyn Judge>, SourceError> {
    match is_address(verifier) {
        true => Ok(Arc::new(Gym::new(verifier)?)),
        false => Ok(Arc::new(Command::new(verifier, limit)?)),
    }
}

/// Whether this is an address on the web.
pub fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

#[cfg(test)]
mod tests;
