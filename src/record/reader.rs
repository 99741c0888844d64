//! Reads a recording, one line at a time: its size does not matter.

use super::format::{CompletionIn, Kind, ProblemIn, Run, VERSION};
use super::head::Head;
use super::source::{Source, Stream};
use super::{Drawn, RecordError};
use crate::problem::{Problem, judge};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A recording: what was asked of whom. Its completions are read when asked for.
#[derive(Clone, Debug)]
pub struct Recording {
    pub path: PathBuf,
    pub run: Run,
    pub problems: Vec<Problem>,
    /// Bytes of a last line that ends in the middle; it is not read.
    pub torn: u64,
}

impl Recording {
    /// Reads who was asked and what: the `run` and `problem` lines, wherever they are.
    ///
    /// # Errors
    /// A file that cannot be read, is no recording or is too new; a `run` or `problem`
    /// line that is wrong.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let mut lines = Lines::open(path)?;
        let mut run: Option<Run> = None;
        let mut problems: Vec<Problem> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        while lines.advance()? {
            // A line that is not even JSON is told by who reads the completions.
            let kind = lines.kind().unwrap_or_default().unwrap_or_default();
            match (kind.as_str(), &run) {
                ("run", None) => run = Some(lines.checked_run()?),
                ("run", Some(first)) if lines.checked_run()? != *first => {
                    return Err(
                        lines.wrong("a second run with other policies or settings; keep one run a file")
                    );
                }
                (_, None) => {
                    return Err(lines.no_recording("it does not begin with a line of kind \"run\""));
                }
                ("problem", _) => {
                    let problem: Problem = lines.parsed::<ProblemIn>()?.into();
                    match known.get(&problem.id) {
                        None => {
                            known.insert(problem.id.clone(), problems.len());
                            problems.push(problem);
                        }
                        Some(&at) if problems[at] == problem => {}
                        Some(_) => {
                            return Err(lines.wrong(&format!(
                                "problem {:?} stands here a second time with other contents",
                                problem.id
                            )));
                        }
                    }
                }
                _ => {}
            }
        }
        let torn = lines.torn;
        let run = run.ok_or_else(|| lines.no_recording("it is empty"))?;
        Ok(Self { path: path.to_owned(), run, problems, torn })
    }

    /// Reads who was asked, and what stands before the first completion.
    ///
    /// # Errors
    /// A file that cannot be read, is no recording or is too new.
    pub fn head(path: &Path) -> Result<Self, RecordError> {
        let Head { run, problems } = Head::read(&Source::open(path)?)?;
        Ok(Self { path: path.to_owned(), run, problems, torn: 0 })
    }

    /// Reads its completions, in the order of the file. A wrong line is an error of its
    /// own; the rest can still be read.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn completions(&self) -> Result<Completions<'_>, RecordError> {
        let number = |(i, name): (usize, String)| (name, i);
        let policies = self.run.policies.iter().map(|p| p.name.clone());
        Ok(Completions {
            recording: self,
            lines: Lines::open(&self.path)?,
            policies: policies.enumerate().map(number).collect(),
            problems: self.problems.iter().map(|p| p.id.clone()).enumerate().map(number).collect(),
            unnumbered: HashMap::new(),
            failed: false,
        })
    }
}

/// The completions of a recording.
#[derive(Debug)]
pub struct Completions<'a> {
    recording: &'a Recording,
    lines: Lines,
    policies: HashMap<String, usize>,
    problems: HashMap<String, usize>,
    /// Completions without an index so far, by policy and problem: they are numbered as
    /// they come.
    unnumbered: HashMap<(usize, usize), u32>,
    failed: bool,
}

impl Iterator for Completions<'_> {
    type Item = Result<Drawn, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            match self.lines.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                // The file itself fails: trying again would fail for ever.
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
            match self.lines.kind() {
                Err(error) => return Some(Err(error)),
                Ok(kind) if kind.as_deref() == Some("completion") => return Some(self.drawn()),
                Ok(_) => {}
            }
        }
        None
    }
}

impl Completions<'_> {
    fn drawn(&mut self) -> Result<Drawn, RecordError> {
        let mut read: CompletionIn = self.lines.parsed()?;
        let unknown =
            |what: &str, name: &str| self.lines.wrong(&format!("{what} {name:?} is not in this recording"));
        let policy = *self.policies.get(&read.policy).ok_or_else(|| unknown("policy", &read.policy))?;
        let problem = *self.problems.get(&read.problem).ok_or_else(|| unknown("problem", &read.problem))?;
        let index = read.index.unwrap_or_else(|| {
            let next = self.unnumbered.entry((policy, problem)).or_default();
            *next += 1;
            *next - 1
        });
        let verdict = read.verdict(|text| judge(&self.recording.problems[problem], text));
        let given = read.given.take();
        Ok(Drawn { policy, problem, completion: read.completion(index), verdict, given })
    }
}

/// Problems from a file of JSON lines: a recording's `problem` lines, or lines of no kind
/// with at least an `id` and a `prompt`.
///
/// # Errors
/// A file that cannot be read, a line that is no problem, an id that stands twice, or no
/// problem at all.
pub fn read_problems(path: &Path) -> Result<Vec<Problem>, RecordError> {
    let mut lines = Lines::open(path)?;
    let mut problems: Vec<Problem> = Vec::new();
    let mut ids = std::collections::HashSet::new();
    while lines.advance()? {
        if lines.kind()?.is_some_and(|kind| kind != "problem") {
            continue;
        }
        let problem: Problem = lines.parsed::<ProblemIn>()?.into();
        if !ids.insert(problem.id.clone()) {
            return Err(lines.wrong(&format!("the id {:?} stands here a second time", problem.id)));
        }
        problems.push(problem);
    }
    if problems.is_empty() {
        let reason = "there is no problem in it".to_owned();
        return Err(RecordError::NoRecording { path: path.to_owned(), reason });
    }
    Ok(problems)
}

/// The lines of a file, with their numbers. Blank lines are skipped, and a last line that
/// ends in the middle is counted in `torn`, not given.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    from: BufReader<Stream>,
    bytes: Vec<u8>,
    number: u64,
    torn: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, RecordError> {
        let from = BufReader::with_capacity(1 << 16, Source::open(path)?.stream()?);
        Ok(Self { path: path.to_owned(), from, bytes: Vec::new(), number: 0, torn: 0 })
    }

    /// Goes to the next line that is not blank; false at the end.
    fn advance(&mut self) -> Result<bool, RecordError> {
        loop {
            self.bytes.clear();
            let read = self.from.read_until(b'\n', &mut self.bytes);
            let n = read.map_err(|source| RecordError::File { path: self.path.clone(), source })?;
            if n == 0 {
                return Ok(false);
            }
            self.number += 1;
            if is_torn(&self.bytes) {
                self.torn = n as u64;
                return Ok(false);
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The kind of this line, where it says one.
    fn kind(&self) -> Result<Option<String>, RecordError> {
        // Nearly every line; as it is written by us, it need not be read twice.
        if self.bytes.starts_with(br#"{"kind":"completion","#) {
            return Ok(Some("completion".to_owned()));
        }
        self.parsed::<Kind>().map(|k| k.kind)
    }

    fn parsed<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        serde_json::from_slice(&self.bytes).map_err(|e| self.wrong(&reason(&e)))
    }

    fn checked_run(&self) -> Result<Run, RecordError> {
        checked_run(&self.bytes, &self.path, self.number)
    }

    fn wrong(&self, reason: &str) -> RecordError {
        RecordError::Line { path: self.path.clone(), line: self.number, reason: reason.to_owned() }
    }

    fn no_recording(&self, reason: &str) -> RecordError {
        RecordError::NoRecording { path: self.path.clone(), reason: reason.to_owned() }
    }
}

/// The `run` line that these bytes are.
pub(super) fn checked_run(line: &[u8], path: &Path, number: u64) -> Result<Run, RecordError> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let wrong = |reason: String| RecordError::Line { path: path.to_owned(), line: number, reason };
    let Version { version } = serde_json::from_slice(line).map_err(|e| wrong(reason(&e)))?;
    if version > VERSION {
        return Err(RecordError::Version { path: path.to_owned(), version });
    }
    let run: Run = serde_json::from_slice(line).map_err(|e| wrong(reason(&e)))?;
    if run.policies.is_empty() {
        return Err(wrong("policies: the list is empty; at least one is needed".to_owned()));
    }
    for (i, policy) in run.policies.iter().enumerate() {
        if run.policies[..i].iter().any(|p| p.name == policy.name) {
            return Err(wrong(format!("policies: two have the name {:?}", policy.name)));
        }
    }
    Ok(run)
}

/// What serde says of a line, with the column.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    // serde's own line number is of these bytes, and always 1.
    let (reason, _) = said.rsplit_once(" at line ").unwrap_or((&said, ""));
    format!("column {}: {reason}", error.column())
}

/// Whether these bytes are a line that was not written to its end: no line feed, and not
/// a whole JSON value either.
pub(super) fn is_torn(line: &[u8]) -> bool {
    !line.ends_with(b"\n")
        && !line.trim_ascii().is_empty()
        && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err()
}
