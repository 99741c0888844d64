//! What the threads that read and write recordings tell whoever watches.

use super::{FileTexts, index::Batch};

/// What happened to a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// More of it was read.
    Read(Batch),
    /// All that is there is read: so many lines are wrong, the first of them for this
    /// reason. More follows only if the file grows.
    Complete { wrong: u64, first: Option<String> },
    /// Reading it failed: nothing more comes.
    Unreadable(String),
    /// Completions are written to this file from now on, and can be read there.
    Writes { generation: u64, file: String, texts: FileTexts },
    /// These are on their way to the disk: the operating system has them.
    Saved { generation: u64, places: Vec<Place> },
    /// Nothing can be written, for this reason; it is tried again every second.
    Blocked(String),
    /// Writing goes on.
    Unblocked,
}

/// Where a completion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub policy: usize,
    pub problem: usize,
    pub index: u32,
    /// Where its line begins.
    pub at: u64,
}
