//! A recording of ours that keeps up with other tools' files while they are written.

use super::cache::folder;
use super::import::{Imported, Importer, Options, Progress};
use super::matching::digest;
use crate::record::RecordError;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What the names of these recordings end with.
const ENDING: &str = ".followed.jsonl";

/// A copy that grows with the files that it is of. It is removed when this is dropped.
pub struct Live {
    importer: Importer,
    copy: PathBuf,
    /// Locked, so that others leave the copy alone.
    _lock: File,
    states: Vec<FileState>,
}

/// What tells that a file has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct FileState {
    size: u64,
    changed: Option<SystemTime>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("copy", &self.copy).finish_non_exhaustive()
    }
}

impl Live {
    /// Reads what the files hold now into a copy in `cache` (default: the user's cache
    /// directory). Problems are matched by id, else by prompt; those that only some of the
    /// files have are kept.
    ///
    /// # Errors
    /// Those of [`import`](super::import()); a table of comma-separated values, of which
    /// nobody knows where a row ends before the next one begins.
    pub fn open(
        paths: &[PathBuf],
        options: &Options,
        cache: Option<&Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, RecordError> {
        let folder = folder(cache)?;
        let failed = |source| RecordError::File { path: folder.clone(), source };
        remove_left(&folder).map_err(failed)?;
        let which = digest(format!("{paths:?}").as_bytes()) as u64;
        let copy = folder.join(format!("{which:016x}.{}{ENDING}", std::process::id()));
        let mut importer = Importer::begin(paths, options, &copy, true, progress)?;
        let lock = File::open(&copy).map_err(failed)?;
        let _ = lock.try_lock();
        // Before the first reading: what is added meanwhile is read by the next one.
        let states = importer.paths().map(|(path, _)| state(path)).collect();
        let read = importer.read(progress);
        let live = Self { importer, copy, _lock: lock, states };
        read.map(|()| live)
    }

    /// The copy.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// What came of it so far.
    pub fn imported(&self) -> Imported {
        self.importer.imported()
    }

    /// Copies what was added to the files since the last time.
    ///
    /// # Errors
    /// A file of lines that cannot be read on, or is shorter than it was; a full disk.
    pub fn catch_up(&mut self) -> Result<(), RecordError> {
        for number in 0..self.states.len() {
            let Some((path, goes_on)) = self.importer.paths().nth(number) else { continue };
            let (now, before) = (state(path), self.states[number]);
            if now == before {
                continue;
            }
            if goes_on && now.size < before.size {
                let path = path.to_owned();
                let reason = "it is shorter than it was: open it again".to_owned();
                return Err(RecordError::NoRecording { path, reason });
            }
            self.states[number] = now;
            self.importer.read_one(number, &mut |_| {})?;
        }
        self.importer.flush()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        remove(&self.copy);
    }
}

fn state(path: &Path) -> FileState {
    match std::fs::metadata(path) {
        Ok(about) => FileState { size: about.len(), changed: about.modified().ok() },
        Err(_) => FileState::default(),
    }
}

/// Removes the copies of processes that were killed.
fn remove_left(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_copy = path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.ends_with(ENDING));
        if is_copy && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            remove(&path);
        }
    }
    Ok(())
}

/// Removes a copy, and the index that may stand beside it.
fn remove(copy: &Path) {
    let mut index = copy.as_os_str().to_owned();
    index.push(".idx");
    let _ = std::fs::remove_file(index);
    let _ = std::fs::remove_file(copy);
}
