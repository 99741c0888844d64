//! A file as bytes and lines: unpacked, counted and bounded.

use super::json::Constants;
use crate::record::RecordError;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one line, one element of a list or one member of an archive at most.
pub const MAX_PART: u64 = 128 << 20;

/// What unpacks to more than this many times its size, beyond [`FREE`] bytes, is taken for
/// a decompression bomb.
const MAX_RATIO: u64 = 250;
const FREE: u64 = 64 << 20;

/// A file that is read, zstd unpacked on the way.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    /// Of the file, in bytes.
    pub size: u64,
    packed: bool,
    read: Arc<AtomicU64>,
}

impl Source {
    /// # Errors
    /// A file that cannot be read, or is packed in a way that is not unpacked.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let failed = |source| RecordError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mut magic = Vec::new();
        Read::by_ref(&mut file).take(4).read_to_end(&mut magic).map_err(failed)?;
        if magic.starts_with(&[0x1f, 0x8b]) {
            return Err(RecordError::NoRecording {
                path: path.to_owned(),
                reason: "it is packed with gzip; unpack it first (gunzip)".into(),
            });
        }
        let size = file.metadata().map_err(failed)?.len();
        let packed = magic == [0x28, 0xb5, 0x2f, 0xfd];
        Ok(Self { path: path.to_owned(), size, packed, read: Arc::default() })
    }

    /// Bytes of the file that were read so far, of all readings together.
    pub fn position(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Whether its bytes are not those of the file.
    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// The unpacked bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn bytes(&self) -> Result<Box<dyn Read>, RecordError> {
        if !self.packed {
            return Ok(Box::new(self.counted(0)?));
        }
        let counted = self.counted(0)?;
        let mut unpacked = zstd::Decoder::new(counted).map_err(|e| self.failed(e))?;
        // A window of 128 MiB, as of `zstd --long=27`.
        unpacked.window_log_max(27).map_err(|e| self.failed(e))?;
        Ok(Box::new(Bounded::new(unpacked, self.size)))
    }

    /// Its lines.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn lines(&self) -> Result<Lines, RecordError> {
        self.lines_from(0, 0)
    }

    /// Its lines from byte `offset` on, which is behind line `number`. A packed file is read
    /// from its beginning: its offset is 0.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn lines_from(&self, offset: u64, number: u64) -> Result<Lines, RecordError> {
        let bytes = if offset == 0 { self.bytes()? } else { Box::new(self.counted(offset)?) };
        let from = BufReader::with_capacity(1 << 16, bytes);
        Ok(Lines { from, bytes: Vec::new(), number, offset, ended: true })
    }

    /// The file's own bytes from `offset` on.
    fn counted(&self, offset: u64) -> Result<Counted, RecordError> {
        let mut from = File::open(&self.path).map_err(|e| self.failed(e))?;
        from.seek(SeekFrom::Start(offset)).map_err(|e| self.failed(e))?;
        Ok(Counted { from, read: Arc::clone(&self.read) })
    }

    pub fn failed(&self, source: io::Error) -> RecordError {
        RecordError::File { path: self.path.clone(), source }
    }

    pub fn no_recording(&self, reason: impl Into<String>) -> RecordError {
        RecordError::NoRecording { path: self.path.clone(), reason: reason.into() }
    }
}

struct Counted {
    from: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Unpacked bytes, up to what is plausible for the packed size.
pub(super) struct Bounded<R> {
    from: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub fn new(from: R, packed: u64) -> Self {
        Self { from, left: packed.saturating_mul(MAX_RATIO).max(FREE) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            let reason = format!("it unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does; unpack it yourself if it is none");
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })?;
        Ok(n)
    }
}

/// The lines of a file, each up to [`MAX_PART`] bytes. Blank ones are passed over.
pub(super) struct Lines {
    from: BufReader<Box<dyn Read>>,
    /// The line, without its line feed.
    pub bytes: Vec<u8>,
    /// Its number, from 1.
    pub number: u64,
    /// Where the next line begins.
    pub offset: u64,
    /// Whether a line feed ends the line: without one more of it may come.
    pub ended: bool,
}

/// What [`Lines::advance`] came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Line,
    /// A line of so many bytes, which is not kept.
    TooLong(u64),
    End,
}

impl Lines {
    /// # Errors
    /// A file that cannot be read on.
    pub fn advance(&mut self) -> io::Result<Step> {
        loop {
            self.bytes.clear();
            let mut length = 0;
            let ended = loop {
                let chunk = self.from.fill_buf()?;
                if chunk.is_empty() {
                    break length == 0;
                }
                let end = memchr::memchr(b'\n', chunk);
                let taken = end.unwrap_or(chunk.len());
                length += taken as u64;
                if length <= MAX_PART {
                    self.bytes.extend_from_slice(&chunk[..taken]);
                }
                let used = end.map_or(taken, |end| end + 1);
                self.from.consume(used);
                self.offset += used as u64;
                self.ended = end.is_some();
                if self.ended {
                    break false;
                }
            };
            if ended {
                return Ok(Step::End);
            }
            self.number += 1;
            if length > MAX_PART {
                self.bytes = Vec::new();
                return Ok(Step::TooLong(length));
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(Step::Line);
            }
        }
    }
}

/// Bytes up to a budget, which whoever reads elements from them renews.
pub(super) struct Budgeted<R> {
    from: R,
    budget: Budget,
}

/// Bytes that may still be read, up to [`MAX_PART`].
#[derive(Clone, Debug)]
pub(super) struct Budget(Rc<Cell<u64>>);

impl Budget {
    pub fn renew(&self) {
        self.0.set(MAX_PART);
    }
}

impl<R: Read> Budgeted<R> {
    pub fn new(from: R) -> Self {
        Self { from, budget: Budget(Rc::new(Cell::new(MAX_PART))) }
    }

    pub fn budget(&self) -> Budget {
        self.budget.clone()
    }
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        let left = self.budget.0.get().checked_sub(n as u64).ok_or_else(|| {
            let reason = format!("one element is longer than {MAX_PART} bytes, which is more than is read");
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })?;
        self.budget.0.set(left);
        Ok(n)
    }
}

/// JSON bytes with Python's constants mended.
pub(super) struct Json<R> {
    from: R,
    constants: Constants,
    chunk: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Json<R> {
    pub fn new(from: R) -> Self {
        let chunk = vec![0; 1 << 16];
        Self { from, constants: Constants::default(), chunk, ready: Vec::new(), given: 0 }
    }
}

impl<R: Read> Read for Json<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            self.given = 0;
            self.ready.clear();
            let n = self.from.read(&mut self.chunk)?;
            if n == 0 {
                self.constants.end(&mut self.ready);
                if self.ready.is_empty() {
                    return Ok(0);
                }
            }
            for &byte in &self.chunk[..n] {
                self.constants.push(byte, &mut self.ready);
            }
        }
        let n = buffer.len().min(self.ready.len() - self.given);
        buffer[..n].copy_from_slice(&self.ready[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_bounded_and_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut bytes = b"a\n\n \r\n".to_vec();
        bytes.resize(bytes.len() + MAX_PART as usize + 1, b'x');
        bytes.extend(b"\nlast");
        for packed in [false, true] {
            let stored = if packed { zstd::encode_all(&bytes[..], 1).unwrap() } else { bytes.clone() };
            // So much of one letter packs too well to be taken.
            let bomb = packed && stored.len() as u64 * MAX_RATIO < MAX_PART;
            std::fs::write(&path, &stored).unwrap();
            let mut lines = Source::open(&path).unwrap().lines().unwrap();
            assert_eq!(lines.advance().unwrap(), Step::Line);
            assert_eq!((&lines.bytes[..], lines.number), (&b"a"[..], 1));
            if bomb {
                assert!(lines.advance().unwrap_err().to_string().contains("decompression bomb"));
                continue;
            }
            assert_eq!(lines.advance().unwrap(), Step::TooLong(MAX_PART + 1));
            assert_eq!(lines.advance().unwrap(), Step::Line);
            assert_eq!((&lines.bytes[..], lines.number), (&b"last"[..], 5));
            assert_eq!(lines.advance().unwrap(), Step::End);
        }
    }

    #[test]
    fn gzip_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        std::fs::write(&path, [0x1f, 0x8b, 8, 0]).unwrap();
        assert!(Source::open(&path).unwrap_err().to_string().contains("gunzip"));
    }
}
