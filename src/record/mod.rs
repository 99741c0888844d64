//! A run on disk: JSON lines, append-only, one object a line, `kind` first.
//!
//! | kind | what |
//! |---|---|
//! | `run` | the first line: version, policies, settings of sampling |
//! | `problem` | one problem; it must stand before its completions |
//! | `completion` | one completion with its verdict |
//! | `score` | how likely one completion is under a policy |
//! | `import` | last, in what [`foreign`] wrote: where it is from and what could not be read |
//!
//! [`mod@format`] says what each field means. A reader ignores kinds and fields that it does
//! not know, fills verdicts that are missing with our verifiers, and survives a torn last
//! line. One process writes at a time, held by a lock on the file; others may follow it. What
//! is saved, and when, [`mod@recorder`] says; how a recording of any size is opened,
//! [`mod@index`]. A file whose name ends in `.zst` is the same, packed in zstd frames of
//! whole lines. `assets/recording.schema.json` is the format as JSON Schema.

pub mod error;
pub mod follow;
pub mod foreign;
pub mod format;
mod frames;
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
pub use follow::{Follow, Follower};
pub use format::{Given, PolicyEntry, Run, SamplingEntry};
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
    /// What the tool said that drew it, where it is not ours.
    pub given: Option<Given>,
}

#[cfg(test)]
mod tests;
