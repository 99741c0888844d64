//! Writes a recording, append-only.

use super::format::{CompletionOut, LineOut, Run};
use super::reader::is_torn;
use super::{Drawn, RecordError};
use crate::problem::Problem;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The one writer of a recording: it holds a lock on the file.
///
/// Lines are collected in memory until [`Writer::flush`], which gives them to the
/// operating system (they outlive a killed process), or [`Writer::sync`], which waits
/// until they are on the disk (they outlive a loss of power).
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    to: BufWriter<File>,
    policies: Vec<String>,
    problems: Vec<String>,
    traces: bool,
}

impl Writer {
    /// Begins a recording in a new file. `traces`: whether tokens are written one by one.
    ///
    /// # Errors
    /// A file that exists already or cannot be written.
    pub fn create(path: &Path, run: &Run, problems: &[Problem], traces: bool) -> Result<Self, RecordError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut writer = Self::locked(path, file, run, problems, traces)?;
        writer.write(&LineOut::Run(run))?;
        for problem in problems {
            writer.write(&LineOut::Problem(problem))?;
        }
        writer.sync()?;
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
        let cut = writer.mend().map_err(|source| RecordError::File { path: path.to_owned(), source })?;
        Ok((writer, cut))
    }

    /// Appends one completion. A policy or problem of another run is ignored.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn append(&mut self, drawn: &Drawn) -> Result<(), RecordError> {
        let (Some(policy), Some(problem)) =
            (self.policies.get(drawn.policy), self.problems.get(drawn.problem))
        else {
            return Ok(());
        };
        let line =
            serde_json::to_vec(&LineOut::Completion(CompletionOut::new(problem, policy, drawn, self.traces)));
        self.put(line)
    }

    /// Gives what was appended to the operating system.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.to.flush().map_err(|source| RecordError::File { path: self.path.clone(), source })
    }

    /// Waits until what was appended is on the disk.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn sync(&mut self) -> Result<(), RecordError> {
        self.flush()?;
        self.to.get_ref().sync_data().map_err(|source| RecordError::File { path: self.path.clone(), source })
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
        Ok(Self {
            path,
            to: BufWriter::with_capacity(1 << 16, file),
            policies: run.policies.iter().map(|p| p.name.clone()).collect(),
            problems: problems.iter().map(|p| p.id.clone()).collect(),
            traces,
        })
    }

    /// Goes to the end; cuts a torn last line, and ends a whole one that lacks its line feed.
    fn mend(&mut self) -> std::io::Result<u64> {
        let mut file = self.to.get_ref();
        let (mut end, mut last) = (0, Vec::new());
        let mut from = BufReader::with_capacity(1 << 16, file);
        loop {
            last.clear();
            let n = from.read_until(b'\n', &mut last)?;
            if n == 0 || !last.ends_with(b"\n") {
                break;
            }
            end += n as u64;
        }
        if is_torn(&last) {
            file.set_len(end)?;
            file.seek(SeekFrom::End(0))?;
            return Ok(last.len() as u64);
        }
        file.seek(SeekFrom::End(0))?;
        if !last.is_empty() {
            file.write_all(b"\n")?;
        }
        Ok(0)
    }

    fn write(&mut self, line: &LineOut<'_>) -> Result<(), RecordError> {
        self.put(serde_json::to_vec(line))
    }

    fn put(&mut self, line: serde_json::Result<Vec<u8>>) -> Result<(), RecordError> {
        let written = line.map_err(std::io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.to.write_all(&line)
        });
        written.map_err(|source| RecordError::File { path: self.path.clone(), source })
    }
}
