//! The bytes of a recording, at any place, from any thread.
//!
//! They are read where they are asked for instead of mapped into memory: another process
//! may cut the file at any time, and a map would then end this one.

use super::RecordError;
use super::frames::{self, Frames};
use memchr::memchr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The longest line that is read, bytes.
pub(super) const LONGEST: usize = 256 << 20;

/// A recording's file.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    file: File,
    /// Of a compressed one; then all places are those of what it holds.
    frames: Option<Mutex<Frames>>,
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
        let failed = |source| RecordError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mut magic = [0; 4];
        let packed = file.read_at(&mut magic, 0).map_err(failed)? == 4 && magic == frames::MAGIC;
        let frames = packed.then(Mutex::default);
        Ok(Self { path: path.to_owned(), file, frames })
    }

    /// How many bytes there are now.
    pub fn len(&self) -> Result<u64, RecordError> {
        let Some(frames) = &self.frames else {
            return self.file.metadata().map(|m| m.len()).map_err(|e| self.failed(e));
        };
        let mut frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames.look(&self.file).map_err(|e| self.failed(e))?;
        Ok(frames.unpacked)
    }

    /// Fills `to` with the bytes from `at` on, as far as there are any; how many there were.
    pub fn read_at(&self, at: u64, to: &mut [u8]) -> Result<usize, RecordError> {
        let mut n = 0;
        while n < to.len() {
            match self.some_at(at + n as u64, &mut to[n..]) {
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

    /// Some of the bytes from `at` on; none at the end.
    fn some_at(&self, at: u64, to: &mut [u8]) -> io::Result<usize> {
        match &self.frames {
            None => self.file.read_at(to, at),
            Some(frames) => frames.lock().unwrap_or_else(PoisonError::into_inner).read_at(&self.file, at, to),
        }
    }

    /// The bytes one after the other, as many as there are now.
    pub fn stream(self) -> Result<Stream, RecordError> {
        self.len()?;
        Ok(Stream { source: self, at: 0 })
    }

    pub fn failed(&self, source: io::Error) -> RecordError {
        RecordError::File { path: self.path.clone(), source }
    }

    pub fn wrong(&self, line: u64, reason: String) -> RecordError {
        RecordError::Line { path: self.path.clone(), line, reason }
    }
}

/// The bytes of a recording, one after the other.
#[derive(Debug)]
pub(super) struct Stream {
    source: Source,
    at: u64,
}

impl Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.source.some_at(self.at, to)?;
        self.at += n as u64;
        Ok(n)
    }
}
