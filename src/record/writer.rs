//! Writes a recording, append-only.

use super::format::{CompletionOut, LineOut, Run};
use super::frames::{Frames, MAGIC, pack};
use super::reader::is_torn;
use super::{Drawn, RecordError};
use crate::problem::Problem;
use std::borrow::Cow;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Bytes that are collected before they are given to the operating system unasked.
const COLLECT: usize = 1 << 16;

/// The one writer of a recording: it holds a lock on the file.
///
/// Lines are collected in memory until [`Writer::flush`], which gives them to the
/// operating system (they outlive a killed process), or [`Writer::sync`], which waits
/// until they are on the disk (they outlive a loss of power).
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines in the file.
    end: u64,
    /// And of what they are unpacked, the same if they are not packed.
    at: u64,
    /// Whether it is compressed.
    packs: bool,
    lines: Unwritten,
    policies: Vec<String>,
    problems: Vec<String>,
    traces: bool,
}

impl Writer {
    /// Begins a recording in a new file, compressed if its name ends in `.zst`. `traces`: whether tokens are written one by one.
    ///
    /// # Errors
    /// A file that exists already or cannot be written.
    pub fn create(path: &Path, run: &Run, problems: &[Problem], traces: bool) -> Result<Self, RecordError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut writer = Self::locked(path, file, run, problems, traces)?;
        writer.lines.push(&line(&LineOut::Run(run)));
        for problem in problems {
            writer.lines.push(&line(&LineOut::Problem(problem)));
        }
        if let Err(error) = writer.sync() {
            // A head without its end is no recording.
            writer.lines.clear();
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(writer)
    }

    /// Goes on with a recording of this run and these problems. A torn last line is cut
    /// off; the second value is how many bytes that were.
    ///
    /// # Errors
    /// A file that cannot be written, or that another process is writing.
    pub fn resume(
        path: &Path,
        run: &Run,
        problems: &[Problem],
        traces: bool,
    ) -> Result<(Self, u64), RecordError> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let mut writer = Self::locked(path, file, run, problems, traces)?;
        let cut = writer.mend().map_err(|source| writer.failed(source))?;
        Ok((writer, cut))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the numbers of completions are those of these policies and problems.
    pub fn ask(&mut self, policies: Vec<String>, problems: &[Problem]) {
        self.policies = policies;
        self.problems = problems.iter().map(|p| p.id.clone()).collect();
    }

    /// Appends one completion. A policy or problem of another run is ignored.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn append(&mut self, drawn: &Drawn) -> Result<(), RecordError> {
        if let Some(line) = self.line(drawn) {
            self.lines.push(&line);
        }
        if self.lines.len() < COLLECT { Ok(()) } else { self.flush() }
    }

    /// Gives what was appended to the operating system. What could not be written is kept,
    /// and no part of it stays in the file: this can be tried again.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        let lines = std::mem::take(&mut self.lines);
        let written = self.put(&lines);
        if written.is_err() {
            self.lines = lines;
        }
        written.map(|_| ())
    }

    /// Waits until what was appended is on the disk.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn sync(&mut self) -> Result<(), RecordError> {
        self.flush()?;
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    /// The line of a completion, with its line feed; `None` for a policy or problem of
    /// another run.
    pub(super) fn line(&self, drawn: &Drawn) -> Option<Vec<u8>> {
        let policy = self.policies.get(drawn.policy)?;
        let problem = self.problems.get(drawn.problem)?;
        Some(line(&LineOut::Completion(Box::new(CompletionOut::new(problem, policy, drawn, self.traces)))))
    }

    /// As [`Writer::line`], for a file that is not made yet.
    pub(super) fn line_of(run: &Run, problems: &[Problem], drawn: &Drawn) -> Option<Vec<u8>> {
        let policy = &run.policies.get(drawn.policy)?.name;
        let problem = &problems.get(drawn.problem)?.id;
        Some(line(&LineOut::Completion(Box::new(CompletionOut::new(problem, policy, drawn, true)))))
    }

    /// Writes lines; where the first of them begins. All of them are written, or none.
    pub(super) fn put(&mut self, lines: &Unwritten) -> Result<u64, RecordError> {
        let (start, end) = (self.at, self.end);
        if lines.bytes.is_empty() {
            return Ok(start);
        }
        let bytes = match self.packs {
            false => Cow::Borrowed(&lines.bytes[..]),
            true => Cow::Owned(pack(&lines.bytes).map_err(|e| self.failed(e))?),
        };
        if let Err(error) = self.file.write_all_at(&bytes, end) {
            let _ = self.file.set_len(end);
            return Err(self.failed(error));
        }
        self.end += bytes.len() as u64;
        self.at += lines.bytes.len() as u64;
        Ok(start)
    }

    fn locked(
        path: &Path,
        file: std::io::Result<File>,
        run: &Run,
        problems: &[Problem],
        traces: bool,
    ) -> Result<Self, RecordError> {
        let path = path.to_owned();
        let file = match file {
            Ok(file) => file,
            Err(source) => return Err(RecordError::File { path, source }),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RecordError::Locked { path }),
            // A file system without locks: one writer is then the user's care.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(RecordError::File { path, source }),
        }
        ignore_limit_signal();
        let packs = path.extension().is_some_and(|e| e == "zst");
        Ok(Self {
            path,
            file,
            end: 0,
            at: 0,
            packs,
            lines: Unwritten::default(),
            policies: run.policies.iter().map(|p| p.name.clone()).collect(),
            problems: problems.iter().map(|p| p.id.clone()).collect(),
            traces,
        })
    }

    /// Goes to the end; cuts a torn last line, and ends a whole one that lacks its line feed.
    fn mend(&mut self) -> io::Result<u64> {
        let length = self.file.metadata()?.len();
        let mut magic = [0; 4];
        self.packs = self.file.read_at(&mut magic, 0)? == 4 && magic == MAGIC;
        if self.packs {
            let mut frames = Frames::default();
            frames.look(&self.file)?;
            (self.end, self.at) = (frames.packed, frames.unpacked);
            self.file.set_len(self.end)?;
            return Ok(length - self.end);
        }
        let (mut start, mut last) = (length, Vec::new());
        while start > 0 {
            let before = start.saturating_sub(COLLECT as u64);
            let mut block = vec![0; (start - before) as usize];
            self.file.read_exact_at(&mut block, before)?;
            let feed = memchr::memrchr(b'\n', &block);
            let rest = feed.map_or(0, |feed| feed + 1);
            last.splice(..0, block[rest..].iter().copied());
            start = before + rest as u64;
            if feed.is_some() {
                break;
            }
        }
        (self.end, self.at) = (start, start);
        if is_torn(&last) {
            self.file.set_len(start)?;
            return Ok(last.len() as u64);
        }
        self.end = length;
        if !last.is_empty() {
            self.file.write_all_at(b"\n", length)?;
            self.end += 1;
        }
        self.at = self.end;
        Ok(0)
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::File { path: self.path.clone(), source }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Who wants to know calls `flush` before.
        let _ = self.flush();
    }
}

/// Whole lines that are not in the file yet.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    bytes: Vec<u8>,
}

impl Unwritten {
    /// Adds a line; where it begins among these.
    pub fn push(&mut self, line: &[u8]) -> u64 {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(line);
        at
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// A line of the file, with its line feed.
fn line(line: &LineOut<'_>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("strings and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

/// A file that reaches a limit (`ulimit -f`) is an error as a full disk is, and not the end
/// of the process.
fn ignore_limit_signal() {
    static ONCE: Once = Once::new();
    // SAFETY: it touches no memory, and nothing else handles this signal.
    ONCE.call_once(|| unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    });
}
