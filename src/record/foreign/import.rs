//! Writes files of other tools as one recording of ours.

use super::matching::{MAX_POLICIES, Matched, Survey, Surveyor, digest};
use super::read::{self, Mark};
use super::recognise::{self, Seen, Shape};
use super::row::{About, Place, Row, Sample, Sink};
use super::source::Source;
use super::transcript::Transcript;
use super::{Format, Mapping, inside};
use crate::problem::Problem;
use crate::record::format::VERSION;
use crate::record::{PolicyEntry, RecordError, Recording, Run, SamplingEntry};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// How files of other tools are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Of plain rows.
    pub mapping: Mapping,
    /// The task whose verifier judges problems that name none that we know.
    pub task: Option<String>,
    /// The score from which a completion is correct [default: as the tool says, else 1].
    pub threshold: Option<f64>,
    /// Keep problems that are not in every file.
    pub unmatched: bool,
}

/// How far an import is, in bytes of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub read: u64,
    pub of: u64,
}

/// What came of an import. It is the last line of the recording, of kind `import`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// The files, by name, with whose they are.
    pub from: Vec<String>,
    pub problems: u64,
    pub completions: u64,
    /// What could not be read: the first messages, each with file and line.
    pub wrong: Vec<String>,
    /// How many there are of them.
    pub wrong_count: u64,
    /// Of several files: problems that stand in some of them only.
    pub unmatched: Vec<Unmatched>,
    /// What else is worth a look.
    pub notes: Vec<String>,
}

/// Problems of one file that not every file has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unmatched {
    pub file: String,
    pub count: u64,
    /// The first ids.
    pub first: Vec<String>,
}

/// Messages of [`Imported::wrong`] that are kept.
const KEPT: usize = 20;

/// Reads the files and writes them as one recording. Of several files the first is the
/// base; problems are matched by id, else by prompt.
///
/// # Errors
/// A file that cannot be read or is of no known layout; a recording that is there already
/// or cannot be written.
pub fn import(
    paths: &[PathBuf],
    options: &Options,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, RecordError> {
    let mut importer = Importer::begin(paths, options, out, false, progress)?;
    importer.read(progress)?;
    importer.finish()
}

/// An import under way.
pub(super) struct Importer {
    options: Options,
    files: Vec<Input>,
    matched: Matched,
    transcript: Transcript,
    /// What was told of the files at the beginning.
    imported: Imported,
    /// Bytes that all passes read.
    total: u64,
}

impl Importer {
    /// Opens the files and begins the recording. Files that are `growing` may be read again
    /// and again, and of them every problem is kept: the others may come to have it.
    ///
    /// # Errors
    /// Those of [`import`].
    pub fn begin(
        paths: &[PathBuf],
        options: &Options,
        out: &Path,
        growing: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, RecordError> {
        let open = |path: &PathBuf| Input::open(path, options, growing);
        let mut files = paths.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let several = files.len() > 1;
        let passes = if several || files.iter().any(|f| f.may_name_policies) { 2 } else { 1 };
        let total = files.iter().map(|f| f.source.size * passes).sum();
        if passes == 2 {
            for at in 0..files.len() {
                let others = others(&files, at);
                let mut survey = Survey::default();
                let source = files[at].source.clone();
                let mut tick = Tick { source: &source, others, of: total, progress, rows: 0 };
                let mut mark = files[at].mark.clone();
                files[at].rows(options, &mut mark, &mut Surveyor { survey: &mut survey, tick: &mut tick })?;
                files[at].survey = survey;
            }
        }
        let mut imported = Imported::default();
        let surveys: Vec<_> = files.iter().map(|f| (f.name(), &f.survey)).collect();
        let matched = Matched::new(&surveys, options.unmatched || growing, &mut imported);
        let transcript = Transcript::create(out, run(&files), options.task.clone())?;
        Ok(Self { options: options.clone(), files, matched, transcript, imported, total })
    }

    /// Reads what was not read yet of all files.
    ///
    /// # Errors
    /// A file that cannot be read on; a full disk.
    pub fn read(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), RecordError> {
        for number in 0..self.files.len() {
            self.read_one(number, progress)?;
        }
        self.transcript.flush()
    }

    /// Reads what was not read yet of one file.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_one(&mut self, number: usize, progress: &mut dyn FnMut(Progress)) -> Result<(), RecordError> {
        let first_policy = self.files[..number].iter().map(Input::policies).sum();
        let others = others(&self.files, number);
        let mut mark = std::mem::take(&mut self.files[number].mark);
        let mut wrong = std::mem::take(&mut self.files[number].wrong);
        let mut taken = mark.taken.take();
        // What is read again is found to be wrong again.
        if taken.is_some() {
            wrong = Wrong::default();
        }
        let file = &self.files[number];
        let tick = Tick { source: &file.source, others, of: self.total, progress, rows: 0 };
        let mut sink = Writing {
            transcript: &mut self.transcript,
            matched: &mut self.matched,
            options: &self.options,
            file,
            number,
            first_policy,
            wrong: &mut wrong,
            taken: taken.as_mut(),
            last: None,
            tick,
        };
        let mut read = file.rows(&self.options, &mut mark, &mut sink);
        // What is written anew is not whole at every moment: it is read at its next change.
        if taken.is_some()
            && let Err(error) = &read
            && error.is_of(&file.source.path)
        {
            wrong.add(|| error.to_string());
            read = Ok(());
        }
        mark.taken = taken;
        self.files[number].mark = mark;
        self.files[number].wrong = wrong;
        read
    }

    /// # Errors
    /// A full disk.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.transcript.flush()
    }

    /// The files, in order, and whether each is read on from where it was left.
    pub fn paths(&self) -> impl Iterator<Item = (&Path, bool)> {
        self.files.iter().map(|f| (f.source.path.as_path(), f.mark.taken.is_none()))
    }

    /// What came of it so far.
    pub fn imported(&self) -> Imported {
        let mut imported = self.imported.clone();
        let whose = |file: &Input| file.seen.format.map_or("a recording", Format::name);
        imported.from = self.files.iter().map(|f| format!("{} ({})", f.name(), whose(f))).collect();
        imported.problems = self.transcript.problems();
        imported.completions = self.transcript.completions;
        imported.wrong_count = self.files.iter().map(|f| f.wrong.count).sum();
        imported.wrong = self.files.iter().flat_map(|f| &f.wrong.first).take(KEPT).cloned().collect();
        if self.transcript.unjudged > 0 {
            imported.notes.push(format!(
                "{} completions have neither a score nor a reference and count as wrong",
                self.transcript.unjudged
            ));
        }
        imported
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// There is nothing in it; a full disk.
    fn finish(self) -> Result<Imported, RecordError> {
        let imported = self.imported();
        if imported.completions > 0 || imported.problems > 0 {
            self.transcript.finish(&imported)?;
            return Ok(imported);
        }
        let reason = match (imported.wrong.first(), &imported.unmatched[..]) {
            (Some(first), []) => {
                format!("there is nothing in it that can be read; the first line says why: {first}")
            }
            (None, []) => "there is no completion in it".to_owned(),
            (_, unmatched) => {
                let ids = |u: &Unmatched| u.first.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                let of = |u: &Unmatched| format!("{} has {}", u.file, ids(u));
                let shown: Vec<String> = unmatched.iter().map(of).collect();
                format!(
                    "no problem stands in all of the files, by id or else by the whole prompt; {}",
                    shown.join("; ")
                )
            }
        };
        let path = self.files.first().map_or_else(PathBuf::new, |f| f.source.path.clone());
        Err(RecordError::NoRecording { path, reason })
    }
}

/// Bytes that were read so far of all files but this one.
fn others(files: &[Input], this: usize) -> u64 {
    files.iter().enumerate().filter(|(i, _)| *i != this).map(|(_, f)| f.source.position()).sum()
}

/// A file that is imported.
struct Input {
    source: Source,
    seen: Seen,
    about: About,
    may_name_policies: bool,
    survey: Survey,
    mark: Mark,
    wrong: Wrong,
}

/// What could not be read of one file.
#[derive(Clone, Debug, Default)]
struct Wrong {
    count: u64,
    first: Vec<String>,
}

impl Wrong {
    fn add(&mut self, message: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(message());
        }
    }
}

impl Input {
    fn open(path: &Path, options: &Options, growing: bool) -> Result<Self, RecordError> {
        let source = Source::open(&inside(path))?;
        let seen = recognise::look(&source, &options.mapping)?;
        if growing && seen.shape == Shape::Csv {
            return Err(source.no_recording(
                "a table of comma-separated values is not followed, since nobody knows where a row ends before the next one begins; open it without --follow",
            ));
        }
        let about = match seen.format {
            Some(_) => read::about(&source, &seen)?,
            None => About::default(),
        };
        let may_name_policies = match seen.format {
            None => true,
            Some(Format::Plain) => options.mapping.has_policy(&seen.fields),
            Some(_) => false,
        };
        let mark = if growing { Mark::growing(&source, &seen) } else { Mark::default() };
        let (survey, wrong) = (Survey::default(), Wrong::default());
        Ok(Self { source, seen, about, may_name_policies, survey, mark, wrong })
    }

    fn rows(&self, options: &Options, mark: &mut Mark, sink: &mut dyn Sink) -> Result<(), RecordError> {
        match self.seen.format {
            Some(_) => read::rows(&self.source, &self.seen, &options.mapping, mark, sink),
            None => ours(&self.source.path, sink),
        }
    }

    /// Its name, for people.
    fn name(&self) -> String {
        let path = &self.source.path;
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
    }

    fn policies(&self) -> usize {
        self.survey.policies.len().max(1)
    }
}

/// A recording of ours as rows, so that two make a pair like any others.
fn ours(path: &Path, sink: &mut dyn Sink) -> Result<(), RecordError> {
    let recording = Recording::open(path)?;
    let row = |problem: &Problem| Row {
        id: Some(problem.id.clone()),
        prompt: problem.prompt.clone(),
        reference: problem.reference.clone(),
        task: problem.task.clone(),
        metadata: problem.metadata.clone(),
        ..Row::default()
    };
    for problem in &recording.problems {
        sink.row(&Place::Part(problem.id.clone()), row(problem))?;
    }
    for drawn in recording.completions()? {
        let drawn = match drawn {
            Ok(drawn) => drawn,
            Err(RecordError::Line { line, reason, .. }) => {
                sink.wrong(&Place::Line(line), reason);
                continue;
            }
            Err(error) => return Err(error),
        };
        let given = drawn.given.unwrap_or_default();
        let completion = drawn.completion;
        let index = completion.index;
        let sample = Sample {
            text: completion.text,
            answer: given.answer,
            score: given.score,
            correct: given.correct.or(Some(drawn.verdict.correct)),
            tokens: completion.length,
            logprob: completion.logprob,
            token_entropy: completion.token_entropy,
            finish: Some(completion.finish),
        };
        let problem = &recording.problems[drawn.problem];
        let policy = recording.run.policies[drawn.policy].name.clone();
        let place = Place::Part(format!("{policy}, {}, completion {}", problem.id, index));
        let row = Row { policy: Some(policy), completions: vec![sample], ..row(problem) };
        sink.row(&place, row)?;
    }
    Ok(())
}

/// Tells how far a file is read, now and then.
pub(super) struct Tick<'a> {
    source: &'a Source,
    /// Bytes that were read of the other files.
    others: u64,
    of: u64,
    progress: &'a mut dyn FnMut(Progress),
    rows: u64,
}

impl Tick<'_> {
    pub fn row(&mut self) {
        self.rows += 1;
        if self.rows % 64 == 1 {
            let read = self.others + self.source.position();
            (self.progress)(Progress { read: read.min(self.of), of: self.of });
        }
    }
}

/// Who drew: the policies of all files, the first one the base.
fn run(files: &[Input]) -> Run {
    let mut policies: Vec<PolicyEntry> = Vec::new();
    for file in files {
        let model = file.about.model.clone().unwrap_or_else(|| file.name());
        let names: Vec<Option<&String>> = match &file.survey.policies[..] {
            [] => vec![None],
            names => names.iter().map(Some).collect(),
        };
        for own in &names {
            let role = if policies.is_empty() { "base" } else { "rlvr" };
            // Names of a file's own are kept where it has several.
            let name = own.filter(|_| names.len() > 1).map_or(role, String::as_str);
            let taken = |name: &str| policies.iter().any(|p| p.name == name);
            let numbered = (2..).map(|n| format!("{name} {n}"));
            let name = std::iter::once(name.to_owned()).chain(numbered).find(|n| !taken(n));
            let spec = own.map_or_else(|| model.clone(), Clone::clone);
            policies.push(PolicyEntry {
                name: name.unwrap_or_default(),
                role: role.to_owned(),
                spec: Some(spec),
                settings: Default::default(),
            });
        }
    }
    // Of several policies that a file names, the one called base is it.
    if let Some(base) = policies.iter().position(|p| p.name == "base") {
        for (at, policy) in policies.iter_mut().enumerate() {
            policy.role = if at == base { "base" } else { "rlvr" }.to_owned();
        }
    }
    let sampling = files.first().map(|f| f.about.sampling.clone()).unwrap_or_default();
    let same = files.iter().all(|f| f.about.sampling == sampling) && sampling != SamplingEntry::default();
    Run { version: VERSION, policies, sampling: same.then_some(sampling), k: None }
}

/// The second pass over one file.
struct Writing<'a, 'b> {
    transcript: &'a mut Transcript,
    matched: &'a mut Matched,
    options: &'a Options,
    file: &'a Input,
    number: usize,
    first_policy: usize,
    wrong: &'a mut Wrong,
    /// Rows that are written already, of a file that is read again.
    taken: Option<&'a mut HashSet<u128>>,
    /// The last row's place, and how many rows it gave.
    last: Option<(Place, u32)>,
    tick: Tick<'b>,
}

impl Writing<'_, '_> {
    /// Whether a row is new in a file that is read again.
    fn is_new(&mut self, place: &Place) -> bool {
        let Some(taken) = &mut self.taken else { return true };
        let nth = match &self.last {
            Some((last, nth)) if last == place => nth + 1,
            _ => 0,
        };
        self.last = Some((place.clone(), nth));
        taken.insert(digest(format!("{place:?} {nth}").as_bytes()))
    }
}

impl Sink for Writing<'_, '_> {
    fn row(&mut self, place: &Place, row: Row) -> Result<(), RecordError> {
        self.tick.row();
        if !self.is_new(place) {
            return Ok(());
        }
        let Some(key) = self.matched.of(self.number, &row) else { return Ok(()) };
        if let Err(reason) = self.transcript.problem(key, self.number, &row)? {
            self.wrong(place, reason);
            return Ok(());
        }
        let policies = &self.file.survey.policies;
        let own = row.policy.as_ref().and_then(|name| policies.iter().position(|p| p == name));
        let policy = match (own, &row.policy) {
            (None, Some(_)) if policies.len() >= MAX_POLICIES => {
                self.wrong(place, format!("policy: more than {MAX_POLICIES} are named in this file"));
                return Ok(());
            }
            (None, Some(name)) if !policies.is_empty() => {
                self.wrong(place, format!("policy: {name:?} was not in this file when it was opened"));
                return Ok(());
            }
            (own, _) => self.first_policy + own.unwrap_or(0),
        };
        let threshold = self.options.threshold.or(self.file.about.threshold).unwrap_or(1.0);
        for sample in row.completions {
            self.transcript.completion(key, policy, sample, threshold)?;
        }
        Ok(())
    }

    fn wrong(&mut self, place: &Place, reason: String) {
        let path = self.file.source.path.clone();
        let error = || match place {
            Place::Line(line) => RecordError::Line { path, line: *line, reason },
            Place::Row(row) => RecordError::Part { path, part: format!("row {row}"), reason },
            Place::Part(part) => RecordError::Part { path, part: part.clone(), reason },
        };
        self.wrong.add(|| error().to_string());
    }
}
