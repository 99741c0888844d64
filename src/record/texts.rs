//! Completions in full, read when they are asked for.

use super::RecordError;
use super::format::CompletionIn;
use super::reader::reason;
use super::source::{End, Source};
use crate::completion::Completion;
use crate::problem::{Problem, Verdict, judge};
use std::path::Path;
use std::sync::Arc;

/// Where completions can be read in full, by the place that an [`Index`](super::Index) or
/// a [`Recorder`](super::Recorder) gave.
pub trait Texts {
    /// The completion of `problem` at a place. Its index is only as good as its line says.
    ///
    /// # Errors
    /// A file that is gone or was written over, a place where there is no such completion.
    fn read(&self, at: u64, problem: &Problem) -> Result<(Completion, Verdict), RecordError>;
}

/// The completions of a file.
#[derive(Clone, Debug)]
pub struct FileTexts(Arc<Source>);

impl FileTexts {
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self(Arc::new(Source::open(path)?)))
    }

    pub(super) fn new(source: Arc<Source>) -> Self {
        Self(source)
    }
}

impl PartialEq for FileTexts {
    fn eq(&self, other: &Self) -> bool {
        self.0.path == other.0.path
    }
}

impl Texts for FileTexts {
    fn read(&self, at: u64, problem: &Problem) -> Result<(Completion, Verdict), RecordError> {
        let wrong = |reason: String| RecordError::NoRecording {
            path: self.0.path.clone(),
            reason: format!("at byte {at}: {reason}; was it written over? Open it again"),
        };
        // A compressed file may have frames that were not seen yet.
        self.0.len()?;
        let mut line = Vec::new();
        if self.0.line(at, &mut line)? == End::TooLong {
            return Err(wrong("the line has no end".to_owned()));
        }
        let mut read: CompletionIn = serde_json::from_slice(&line).map_err(|e| wrong(reason(&e)))?;
        if read.problem != problem.id {
            return Err(wrong(format!("this is a completion of {:?}", read.problem)));
        }
        let verdict = read.verdict(|text| judge(problem, text));
        let index = read.index.unwrap_or(0);
        Ok((read.completion(index), verdict))
    }
}
