//! The recording that the state belongs to: read, written, or both.

use std::ops::Range;

/// The recording that the state belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Its file's name, cleaned; empty where nothing is recorded.
    pub file: String,
    /// Whether it was opened, rather than begun.
    pub opened: bool,
    /// Whether it is only read: nothing can be drawn.
    pub only_read: bool,
    /// Bytes read so far and of how many, while it is read.
    pub reading: Option<(u64, u64)>,
    /// Whether another process writes it, and what it adds is shown.
    pub followed: bool,
    /// Why nothing can be written now.
    pub blocked: Option<String>,
    /// Completions that came in, of this generation.
    pub drawn: u64,
    /// Problems that were read.
    pub(crate) problems: usize,
    /// Where each of the file's policies is among ours.
    pub order: Vec<usize>,
    /// The problem of each class, and its number in the ledger.
    pub(crate) classes: Vec<(u32, u32)>,
}

/// Completions of one problem under one policy: policy, problem, indices.
pub type There = (usize, usize, Range<u32>);

impl Recording {
    /// One that is opened, its policies in this order among ours.
    pub fn opened(file: String, order: Vec<usize>, only_read: bool, followed: bool) -> Self {
        let reading = Some((0, 0));
        Self { file, opened: true, only_read, reading, followed, order, ..Self::default() }
    }
}
