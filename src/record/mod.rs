//! A run on disk: JSON lines, append-only, one object a line, `kind` first.
//!
//! | kind | what |
//! |---|---|
//! | `run` | the first line: version, policies, settings of sampling |
//! | `problem` | one problem, before its completions |
//! | `completion` | one completion with its verdict |
//! | `score` | how likely one completion is under a policy |
//!
//! [`mod@format`] says what each field means. A reader ignores kinds and fields that it does
//! not know, fills verdicts that are missing with our verifiers, and survives a torn last
//! line. One process writes at a time, held by a lock on the file.

pub mod error;
pub mod follow;
pub mod format;
mod head;
pub mod index;
pub mod library;
pub mod news;
pub mod reader;
pub mod recorder;
mod scan;
pub mod scores;
mod source;
mod texts;
pub mod writer;

pub use error::RecordError;
pub use follow::Follower;
pub use format::{PolicyEntry, Run, SamplingEntry};
pub use index::Index;
pub use library::{Library, Listed};
pub use news::{News, Place};
pub use reader::{Completions, Recording, read_problems};
pub use recorder::{Recorder, Target};
pub use scores::{Score, ScoreWriter};
pub use texts::{FileTexts, Texts};
pub use writer::Writer;

use crate::completion::Completion;
use crate::problem::Verdict;

/// One completion of a run, judged. Policies and problems are named by their numbers in
/// the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    pub policy: usize,
    pub problem: usize,
    pub completion: Completion,
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests;
