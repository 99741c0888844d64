//! The bytes of a recording, at any place, from any thread.
//!
//! They are read where they are asked for instead of mapped into memory: another process
//! may cut the file at any time, and a map would then end this one.

use super::RecordError;
use memchr::memchr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The longest line that is read, bytes.
pub(super) const LONGEST: usize = 256 << 20;

/// A recording's file.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    file: File,
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a line feed.
    Whole,
    /// With the file.
    Open,
    /// It is longer than [`LONGEST`].
    TooLong,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let file = File::open(path).map_err(|source| RecordError::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// How many bytes there are now.
    pub fn len(&self) -> Result<u64, RecordError> {
        self.file.metadata().map(|m| m.len()).map_err(|e| self.failed(e))
    }

    /// Fills `to` with the bytes from `at` on, as far as there are any; how many there were.
    pub fn read_at(&self, at: u64, to: &mut [u8]) -> Result<usize, RecordError> {
        let mut n = 0;
        while n < to.len() {
            match self.file.read_at(&mut to[n..], at + n as u64) {
                Ok(0) => break,
                Ok(more) => n += more,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.failed(e)),
            }
        }
        Ok(n)
    }

    /// Lengthens `line`, the bytes from `at` on, to the end of the line: it is not looked
    /// for before `from`. The line feed is not among them.
    pub fn complete(&self, at: u64, line: &mut Vec<u8>, mut from: usize) -> Result<End, RecordError> {
        let mut step = 1 << 14;
        loop {
            if let Some(n) = memchr(b'\n', &line[from..]) {
                line.truncate(from + n);
                return Ok(End::Whole);
            }
            from = line.len();
            if from > LONGEST {
                return Ok(End::TooLong);
            }
            line.resize(from + step, 0);
            let n = self.read_at(at + from as u64, &mut line[from..])?;
            line.truncate(from + n);
            if n == 0 {
                return Ok(End::Open);
            }
            step = (step * 2).min(1 << 24);
        }
    }

    /// The line that begins at `at`, without its line feed.
    pub fn line(&self, at: u64, line: &mut Vec<u8>) -> Result<End, RecordError> {
        line.clear();
        self.complete(at, line, 0)
    }

    pub fn failed(&self, source: io::Error) -> RecordError {
        RecordError::File { path: self.path.clone(), source }
    }

    pub fn wrong(&self, line: u64, reason: String) -> RecordError {
        RecordError::Line { path: self.path.clone(), line, reason }
    }
}
