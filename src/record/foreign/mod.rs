//! Recordings of other tools: recognised by content, read row by row, and written as ours.
//!
//! | tool | file | problem, completions |
//! |---|---|---|
//! | verifiers | `results.jsonl` with `metadata.json` | `example_id`, a line each |
//! | verifiers 0.4 | `traces.jsonl` | the task's key, a trace each |
//! | lm-evaluation-harness | `samples_*.jsonl` | `doc_id`, all `resps` of one filter's row |
//! | Inspect | `.eval`, `.json` | sample, an epoch each |
//! | lighteval | details parquet | `doc.id`, `model_response.text` |
//! | Reasoning Gym | `eval.py`'s JSON; data set items | place in the data set, `completions` |
//! | limit-of-RLVR | JSON lines | `idx`, `code` with `pred` and `score` |
//! | verl | rollout dumps | same `input`, a line each |
//! | any | JSON lines or list, CSV, parquet | by [`Mapping`] |
//!
//! JSON files may be packed with zstd. A line, element or member of up to 128 MiB is read;
//! one that is longer, or wrong, is named and passed over, and the rest is read. What
//! unpacks to more than 250 times its size is refused. Nothing loads a whole file, but the
//! directory of an archive and one group of rows of a table.

mod archive;
mod cache;
mod export;
mod harness;
mod import;
mod inspect;
mod json;
mod lighteval;
mod limit;
mod live;
mod matching;
mod parquet;
mod plain;
mod read;
mod reasoning_gym;
mod recognise;
mod row;
mod source;
mod stream;
mod table;
mod transcript;
mod verifiers;
mod verl;

pub use cache::{Opened, open};
pub use export::write_verifiers;
pub use import::{Imported, Options, Progress, Unmatched, import};
pub use live::Live;
pub use parquet::panics_are_caught;
pub use plain::Mapping;
pub use source::MAX_PART;

use super::RecordError;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Whose layout a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Verifiers,
    /// verifiers' `traces.jsonl`.
    Traces,
    Harness,
    Inspect,
    Lighteval,
    ReasoningGym,
    /// Reasoning Gym's data set items: problems alone.
    Item,
    LimitOfRlvr,
    Verl,
    /// Any rows, by a [`Mapping`].
    Plain,
}

impl Format {
    /// The tool's name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Format::Verifiers => "verifiers results",
            Format::Traces => "verifiers traces",
            Format::Harness => "lm-evaluation-harness samples",
            Format::Inspect => "an Inspect log",
            Format::Lighteval => "lighteval details",
            Format::ReasoningGym => "a Reasoning Gym evaluation",
            Format::Item => "Reasoning Gym items",
            Format::LimitOfRlvr => "limit-of-RLVR completions",
            Format::Verl => "a verl rollout dump",
            Format::Plain => "plain rows",
        }
    }
}

/// Whose layout a file has; `None` for a recording of ours. A folder stands for the
/// `results.jsonl` or `traces.jsonl` in it.
///
/// # Errors
/// A file that cannot be read, or is of no known layout.
pub fn recognise(path: &Path, mapping: &Mapping) -> Result<Option<Format>, RecordError> {
    let source = source::Source::open(&inside(path))?;
    Ok(recognise::look(&source, mapping)?.format)
}

/// Whether the files are one recording of our own.
///
/// # Errors
/// Those of [`recognise()`].
pub fn is_ours(paths: &[PathBuf], options: &Options) -> Result<bool, RecordError> {
    Ok(match paths {
        [only] => recognise(only, &options.mapping)?.is_none(),
        _ => false,
    })
}

/// The file that a folder stands for; a file itself.
fn inside(path: &Path) -> PathBuf {
    let known = ["traces.jsonl", "results.jsonl"].map(|name| path.join(name));
    known.into_iter().find(|file| path.is_dir() && file.is_file()).unwrap_or_else(|| path.to_owned())
}

/// The JSON object in a file beside another, if there is one of up to 16 MiB.
fn beside(path: &Path, name: &str) -> Option<Map<String, Value>> {
    let file = path.with_file_name(name);
    let small = std::fs::metadata(&file).is_ok_and(|m| m.is_file() && m.len() <= 16 << 20);
    small.then(|| std::fs::read(&file).ok())?.and_then(|bytes| json::object(&bytes, &[]).ok())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod fuzz;
