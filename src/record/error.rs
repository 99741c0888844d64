//! What can go wrong with a recording.

use std::path::{Path, PathBuf};

/// Each message names the file, the line where there is one, and the mend.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: line {line}: {reason}")]
    Line { path: PathBuf, line: u64, reason: String },
    #[error("{path}: {part}: {reason}")]
    Part { path: PathBuf, part: String, reason: String },
    #[error("{path}: this is no recording: {reason}")]
    NoRecording { path: PathBuf, reason: String },
    #[error(
        "{path}: this recording has version {version}, and this program reads up to {}: use a newer leash",
        super::format::VERSION
    )]
    Version { path: PathBuf, version: u32 },
    #[error("{path}: another process is writing this recording; wait for it, or write to another file")]
    Locked { path: PathBuf },
}

impl RecordError {
    /// Whether it is this file that cannot be read.
    pub(super) fn is_of(&self, file: &Path) -> bool {
        match self {
            Self::File { path, .. } | Self::NoRecording { path, .. } | Self::Part { path, .. } => {
                path == file
            }
            Self::Line { .. } | Self::Version { .. } | Self::Locked { .. } => false,
        }
    }
}
