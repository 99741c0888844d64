//! Opens a file of another tool through a copy in our own format, made once.

use super::import::{Imported, Options, Progress, import};
use super::matching::digest;
use super::transcript::told;
use super::{inside, is_ours};
use crate::record::{RecordError, Recording};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What is read anew when the importer changes.
const VERSION: u32 = 1;

/// A recording, and what its import came to if it is of another tool.
#[derive(Debug)]
pub struct Opened {
    pub recording: Recording,
    pub imported: Option<Imported>,
}

/// Opens one recording of ours, or whatever else the files are through a copy in `cache`
/// (default: the user's cache directory). The copy is made again when a file's size or
/// time has changed, and the old one removed.
///
/// # Errors
/// A file that cannot be read or is of no known layout; a copy that cannot be written.
pub fn open(
    paths: &[PathBuf],
    options: &Options,
    cache: Option<&Path>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Opened, RecordError> {
    if let [only] = paths
        && is_ours(paths, options)?
    {
        return Ok(Opened { recording: Recording::head(&inside(only))?, imported: None });
    }
    let folder = folder(cache)?;
    let failed = |source| RecordError::File { path: folder.clone(), source };
    let (which, state) = identity(paths, options)?;
    let copy = folder.join(format!("{which:016x}-{state:016x}.jsonl"));
    if let Some(imported) = last_line(&copy).ok().as_deref().and_then(told) {
        return Ok(Opened { recording: Recording::head(&copy)?, imported: Some(imported) });
    }
    remove_older(&folder, &format!("{which:016x}-")).map_err(failed)?;
    let unfinished = folder.join(format!("{which:016x}.{}.unfinished", std::process::id()));
    let _ = std::fs::remove_file(&unfinished);
    let imported = import(paths, options, &unfinished, progress).inspect_err(|_| {
        let _ = std::fs::remove_file(&unfinished);
    })?;
    std::fs::rename(&unfinished, &copy).map_err(failed)?;
    Ok(Opened { recording: Recording::head(&copy)?, imported: Some(imported) })
}

/// Where copies stand.
pub(super) fn folder(cache: Option<&Path>) -> Result<PathBuf, RecordError> {
    let folder = match cache {
        Some(folder) => folder.to_owned(),
        None => directories::ProjectDirs::from("", "", "leash")
            .map_or_else(std::env::temp_dir, |dirs| dirs.cache_dir().to_owned())
            .join("imports"),
    };
    match std::fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(source) => Err(RecordError::File { path: folder, source }),
    }
}

/// Which files are meant and how they are read; and what they are now.
fn identity(paths: &[PathBuf], options: &Options) -> Result<(u64, u64), RecordError> {
    let (mut which, mut state) = (format!("{options:?}"), format!("{VERSION}"));
    for path in paths {
        let file = inside(path);
        let failed = |source| RecordError::File { path: file.clone(), source };
        let about = std::fs::metadata(&file).map_err(failed)?;
        let changed = about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        which += &format!("\n{}", file.canonicalize().map_err(failed)?.display());
        state += &format!("\n{} {}", about.len(), changed.unwrap_or_default().as_nanos());
    }
    Ok((digest(which.as_bytes()) as u64, digest(format!("{which}\n{state}").as_bytes()) as u64))
}

fn remove_older(folder: &Path, beginning: &str) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(beginning)) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The last line of a file, if it has up to a megabyte.
fn last_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(1 << 20);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.take(1 << 20).read_to_end(&mut end)?;
    let end = end.trim_ascii_end();
    let start = memchr::memrchr(b'\n', end).map_or(0, |at| at + 1);
    Ok(end[start..].to_vec())
}
