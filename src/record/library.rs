//! The user's own runs: recordings in one folder, which the explorer writes by itself.

use super::format::Run;
use super::head::Head;
use super::index::index_file;
use super::source::Source;
use super::{RecordError, Writer};
use crate::calendar::Moment;
use crate::problem::Problem;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A folder of runs.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

/// A run, as far as its head tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its file's name without the ending.
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was written last, `2025-11-23 14:51`, UTC.
    pub written: String,
    pub policies: Vec<String>,
    pub problems: usize,
    /// The task of its first problem, or that problem's id.
    pub task: String,
    /// Completions of each problem under each policy that were asked for, where known.
    pub k: Option<u32>,
}

/// The ending of a run's file.
const ENDING: &str = ".jsonl";

impl Library {
    /// The user's: `leash/runs` in the folder for data (`XDG_DATA_HOME`, else
    /// `~/.local/share`). `None` where there is no home.
    pub fn of_user() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "leash")?;
        Some(Self::at(&folders.data_dir().join("runs")))
    }

    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Makes the folder, if it is not there, and says whether it can be written.
    ///
    /// # Errors
    /// A folder that cannot be made or written.
    pub fn prepare(&self) -> Result<(), RecordError> {
        let failed = |source| RecordError::File { path: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let probe = self.folder.join(format!(".probe-{}", std::process::id()));
        fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(failed)
    }

    /// A name for a new run: the day, the time and what is asked.
    pub fn fresh(&self, problems: &[Problem]) -> PathBuf {
        let what = problems.first().map_or("no-problems", |p| p.task.as_deref().unwrap_or("problems"));
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let what: String = what.chars().map(plain).take(40).collect();
        let when = stamp(SystemTime::now()).replace([' ', ':'], "-");
        self.folder.join(format!("{when}-{what}{ENDING}"))
    }

    /// The newest run of these policies, settings and problems that nobody is writing, to
    /// go on with; it is locked from here on. The second value is how many bytes of a torn
    /// last line were cut off.
    pub fn find(&self, run: &Run, problems: &[Problem]) -> Option<(Writer, u64)> {
        let same = |path: &&PathBuf| {
            let head = Source::open(path).and_then(|source| Head::read(&source));
            head.is_ok_and(|h| {
                h.run.has_policies_of(run) && h.run.sampling == run.sampling && h.problems == problems
            })
        };
        let files = self.files();
        files.iter().filter(same).find_map(|path| Writer::resume(path, run, problems, true).ok())
    }

    /// The runs, the one that was written last first.
    pub fn list(&self) -> Vec<Listed> {
        self.files().iter().filter_map(|path| Listed::of(path)).collect()
    }

    /// Gives a run another name; its new file.
    ///
    /// # Errors
    /// A name that is no file's name or is taken; a folder that cannot be written.
    pub fn rename(&self, path: &Path, name: &str) -> Result<PathBuf, RecordError> {
        let name = name.trim();
        let refused = |why: &str| RecordError::NoRecording {
            path: path.to_owned(),
            reason: format!("it cannot be called {name:?}: {why}"),
        };
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return Err(refused("a name has letters, and no slash"));
        }
        let to = path.with_file_name(format!("{name}{ENDING}"));
        if to.exists() {
            return Err(refused("there is a run of this name"));
        }
        fs::rename(path, &to).map_err(|source| RecordError::File { path: path.to_owned(), source })?;
        // Without it the index is made anew.
        let _ = fs::rename(index_file(path), index_file(&to));
        Ok(to)
    }

    /// Deletes a run and its index.
    ///
    /// # Errors
    /// A run that is being written, or that cannot be deleted.
    pub fn delete(&self, path: &Path) -> Result<(), RecordError> {
        let failed = |source| RecordError::File { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(failed)?;
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(RecordError::Locked { path: path.to_owned() });
        }
        fs::remove_file(path).map_err(failed)?;
        let _ = fs::remove_file(index_file(path));
        Ok(())
    }

    /// Its files, the newest first.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let runs = entries.filter(|e| e.file_name().to_string_lossy().ends_with(ENDING));
        let mut all: Vec<(SystemTime, PathBuf)> = runs
            .filter_map(|e| Some((e.metadata().ok()?.modified().unwrap_or(UNIX_EPOCH), e.path())))
            .collect();
        all.sort_by(|a, b| b.cmp(a));
        all.into_iter().map(|(_, path)| path).collect()
    }
}

impl Listed {
    fn of(path: &Path) -> Option<Self> {
        let head = Source::open(path).and_then(|source| Head::read(&source)).ok()?;
        let data = fs::metadata(path).ok()?;
        let task = head.problems.first().map(|p| p.task.clone().unwrap_or_else(|| p.id.clone()));
        Some(Self {
            name: path.file_name()?.to_string_lossy().trim_end_matches(ENDING).to_owned(),
            path: path.to_owned(),
            bytes: data.len(),
            written: data.modified().map(stamp).unwrap_or_default(),
            policies: head.run.policies.iter().map(|p| p.name.clone()).collect(),
            problems: head.problems.len(),
            task: task.unwrap_or_default(),
            k: head.run.k,
        })
    }
}

/// A time as `2025-11-23 14:51`, UTC.
fn stamp(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let d = Moment(seconds).date();
    format!("{:04}-{:02}-{:02} {:02}:{:02}", d.year, d.month, d.day, d.hour, d.minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PolicyEntry;
    use std::time::Duration;

    fn run(seed: u64) -> Run {
        let entry = |name: &str| PolicyEntry {
            name: name.into(),
            role: name.into(),
            spec: None,
            settings: Default::default(),
        };
        let sampling = crate::record::SamplingEntry { seed: Some(seed), ..Default::default() };
        Run { version: 1, policies: vec![entry("base"), entry("rlvr")], sampling: Some(sampling), k: Some(8) }
    }

    fn problems() -> Vec<Problem> {
        crate::problem::tasks::leg_counting::Suite::HeldOut.problems().into_iter().take(2).collect()
    }

    #[test]
    fn the_newest_run_that_is_the_same_and_free_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::at(&folder.path().join("a/b"));
        assert!(library.list().is_empty() && library.find(&run(1), &problems()).is_none());
        library.prepare().unwrap();
        let path = library.fresh(&problems());
        drop(Writer::create(&path, &run(1), &problems(), true).unwrap());
        assert!(library.find(&run(2), &problems()).is_none());
        assert!(library.find(&run(1), &problems()[..1]).is_none());
        let (writer, _) = library.find(&run(1), &problems()).unwrap();
        assert!(library.find(&run(1), &problems()).is_none(), "somebody writes it");
        assert!(matches!(library.delete(&path), Err(RecordError::Locked { .. })));
        drop(writer);
        let listed = &library.list()[0];
        assert_eq!((listed.problems, listed.k, listed.task.as_str()), (2, Some(8), "leg_counting"));
        assert_eq!(listed.policies, ["base", "rlvr"]);

        let renamed = library.rename(&path, " my run ").unwrap();
        assert_eq!(library.list()[0].name, "my run");
        for name in ["", "a/b", "..", "my run"] {
            assert!(library.rename(&renamed, name).is_err(), "{name:?}");
        }
        library.delete(&renamed).unwrap();
        assert!(library.list().is_empty());
    }

    #[test]
    fn a_time_is_written_to_the_minute() {
        let at = |seconds| stamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00");
        assert_eq!(at(951_782_400 + 3600), "2000-02-29 01:00");
        assert_eq!(at(1_763_909_460), "2025-11-23 14:51");
    }
}
