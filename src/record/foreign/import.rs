//! Writes files of other tools as one recording of ours.

use super::json::Object;
use super::matching::{MAX_POLICIES, Matched, Survey, Surveyor, digest, prompt_id};
use super::read;
use super::recognise::{self, Seen};
use super::row::{About, Place, Row, Sample, Sink};
use super::source::Source;
use super::{Format, Mapping, inside};
use crate::completion::{Completion, Finish};
use crate::problem::{Problem, Verdict, judge, tasks};
use crate::record::format::{CompletionOut, Given, LineOut, VERSION};
use crate::record::{Drawn, PolicyEntry, RecordError, Recording, Run, SamplingEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
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
    let mut files = paths.iter().map(|path| Input::open(path, options)).collect::<Result<Vec<_>, _>>()?;
    let several = files.len() > 1;
    let passes = if several || files.iter().any(|f| f.may_name_policies) { 2 } else { 1 };
    let total = files.iter().map(|f| f.source.size * passes).sum();
    let mut imported = Imported::default();
    if passes == 2 {
        for at in 0..files.len() {
            let others = others(&files, at);
            let mut survey = Survey::default();
            let source = files[at].source.clone();
            let mut tick = Tick { source: &source, others, of: total, progress, rows: 0 };
            files[at].rows(options, &mut Surveyor { survey: &mut survey, tick: &mut tick })?;
            files[at].survey = survey;
        }
    }
    let surveys: Vec<_> = files.iter().map(|f| (f.name(), &f.survey)).collect();
    let matched = Matched::new(&surveys, options.unmatched, &mut imported);
    let run = run(&files);
    let file = File::create_new(out).map_err(|source| RecordError::File { path: out.to_owned(), source })?;
    let mut writer = Recorder {
        out: BufWriter::with_capacity(1 << 16, file),
        path: out,
        run,
        options,
        matched,
        problems: HashMap::new(),
        ids: HashSet::new(),
        imported,
        unjudged: 0,
    };
    writer.line(&LineOut::Run(&writer.run.clone()))?;
    let mut first_policy = 0;
    for (number, file) in files.iter().enumerate() {
        let others = others(&files, number);
        let tick = Tick { source: &file.source, others, of: total, progress, rows: 0 };
        let mut sink = Writing { writer: &mut writer, file, number, first_policy, tick };
        file.rows(options, &mut sink)?;
        first_policy += file.policies();
    }
    writer.finish(&files)
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
}

impl Input {
    fn open(path: &Path, options: &Options) -> Result<Self, RecordError> {
        let source = Source::open(&inside(path))?;
        let seen = recognise::look(&source, &options.mapping)?;
        let about = match seen.format {
            Some(_) => read::about(&source, &seen)?,
            None => About::default(),
        };
        let may_name_policies = match seen.format {
            None => true,
            Some(Format::Plain) => options.mapping.has_policy(&seen.fields),
            Some(_) => false,
        };
        Ok(Self { source, seen, about, may_name_policies, survey: Survey::default() })
    }

    fn rows(&self, options: &Options, sink: &mut dyn Sink) -> Result<(), RecordError> {
        match self.seen.format {
            Some(_) => read::rows(&self.source, &self.seen, &options.mapping, sink),
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
        let row = Row { policy: Some(policy), completions: vec![sample], ..row(problem) };
        sink.row(&Place::Part(problem.id.clone()), row)?;
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

/// Writes the recording.
struct Recorder<'a> {
    out: BufWriter<File>,
    path: &'a Path,
    run: Run,
    options: &'a Options,
    matched: Matched,
    /// By the shared key.
    problems: HashMap<u128, Asked>,
    ids: HashSet<String>,
    imported: Imported,
    /// Completions with neither a score nor a reference.
    unjudged: u64,
}

/// A problem that is written.
struct Asked {
    problem: Problem,
    /// The prompt's digest in each file that it was met in.
    prompts: Vec<(usize, u128)>,
    /// Completions so far, by policy.
    drawn: Vec<u32>,
}

impl Recorder<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), RecordError> {
        let written = serde_json::to_writer(&mut self.out, line).map_err(std::io::Error::from);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| RecordError::File { path: self.path.to_owned(), source })
    }

    /// The problem of a row, written if it is new. An error says what is wrong with it.
    fn problem(&mut self, key: u128, file: usize, row: &Row) -> Result<Result<(), String>, RecordError> {
        let prompt = digest(row.prompt.as_bytes());
        if let Some(asked) = self.problems.get_mut(&key) {
            return Ok(match asked.prompts.iter().find(|(f, _)| *f == file) {
                Some((_, known)) if *known == prompt => Ok(()),
                Some(_) => Err(format!(
                    "the id {:?} stands here a second time with another prompt",
                    row.id.as_deref().unwrap_or_default()
                )),
                None => {
                    asked.prompts.push((file, prompt));
                    Ok(())
                }
            });
        }
        let ours = |task: &&String| tasks::find(task).is_some();
        let mut metadata = row.metadata.clone();
        if let Some(task) = row.task.as_ref().filter(|t| !ours(t)) {
            metadata.entry("task").or_insert_with(|| task.clone().into());
        }
        let task = row.task.as_ref().filter(ours).or(self.options.task.as_ref()).cloned();
        let wanted = row.id.clone().unwrap_or_else(|| prompt_id(prompt));
        let numbered = (2..).map(|n| format!("{wanted} ({n})"));
        let id = std::iter::once(wanted.clone()).chain(numbered).find(|id| !self.ids.contains(id));
        let id = id.unwrap_or(wanted);
        self.ids.insert(id.clone());
        let problem =
            Problem { id, task, prompt: row.prompt.clone(), reference: row.reference.clone(), metadata };
        self.line(&LineOut::Problem(&problem))?;
        let drawn = vec![0; self.run.policies.len()];
        self.problems.insert(key, Asked { problem, prompts: vec![(file, prompt)], drawn });
        self.imported.problems += 1;
        Ok(Ok(()))
    }

    fn completion(
        &mut self,
        key: u128,
        policy: usize,
        sample: Sample,
        threshold: f64,
    ) -> Result<(), RecordError> {
        let Some(asked) = self.problems.get_mut(&key) else { return Ok(()) };
        let given = Given {
            correct: sample.correct.or_else(|| sample.score.map(|s| s >= threshold)),
            score: sample.score,
            answer: sample.answer,
        };
        let ours = judge(&asked.problem, &sample.text);
        self.unjudged += u64::from(given.correct.is_none() && asked.problem.reference.is_none());
        let verdict = Verdict {
            rule: if given.answer.is_some() { None } else { ours.rule },
            answer: given.answer.clone().or(ours.answer),
            correct: given.correct.unwrap_or(ours.correct),
            ..ours
        };
        let index = asked.drawn[policy];
        asked.drawn[policy] += 1;
        let drawn = Drawn {
            policy,
            problem: 0,
            completion: Completion {
                entropy_range: None,
                index,
                text: sample.text,
                length: sample.tokens,
                logprob: sample.logprob,
                token_entropy: sample.token_entropy,
                trace: Vec::new(),
                finish: sample.finish.unwrap_or(Finish::Stop),
            },
            verdict,
            given: (given != Given::default()).then_some(given),
        };
        self.imported.completions += 1;
        let name = self.run.policies[policy].name.clone();
        let id = asked.problem.id.clone();
        self.line(&LineOut::Completion(Box::new(CompletionOut::new(&id, &name, &drawn, false))))
    }

    fn wrong(&mut self, error: &RecordError) {
        self.imported.wrong_count += 1;
        if self.imported.wrong.len() < KEPT {
            self.imported.wrong.push(error.to_string());
        }
    }

    fn finish(mut self, files: &[Input]) -> Result<Imported, RecordError> {
        let whose = |file: &Input| file.seen.format.map_or("a recording", Format::name);
        self.imported.from = files.iter().map(|f| format!("{} ({})", f.name(), whose(f))).collect();
        if self.unjudged > 0 {
            self.imported.notes.push(format!(
                "{} completions have neither a score nor a reference and count as wrong",
                self.unjudged
            ));
        }
        if self.imported.completions == 0 && self.imported.problems == 0 {
            let reason = match (self.imported.wrong.first(), self.imported.unmatched.is_empty()) {
                (_, false) => {
                    let of = |u: &Unmatched| {
                        format!(
                            "{} has {}",
                            u.file,
                            u.first.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
                        )
                    };
                    let shown: Vec<String> = self.imported.unmatched.iter().map(of).collect();
                    format!(
                        "no problem stands in all of the files, by id or else by the whole prompt; {}",
                        shown.join("; ")
                    )
                }
                (Some(first), _) => {
                    format!("there is nothing in it that can be read; the first line says why: {first}")
                }
                (None, _) => "there is no completion in it".to_owned(),
            };
            let path = files.first().map_or_else(PathBuf::new, |f| f.source.path.clone());
            return Err(RecordError::NoRecording { path, reason });
        }
        #[derive(Serialize)]
        struct Line<'a> {
            kind: &'static str,
            #[serde(flatten)]
            imported: &'a Imported,
        }
        let imported = self.imported.clone();
        self.line(&Line { kind: "import", imported: &imported })?;
        let flushed = self.out.flush();
        flushed.map_err(|source| RecordError::File { path: self.path.to_owned(), source })?;
        Ok(imported)
    }
}

/// The second pass over one file.
struct Writing<'a, 'b, 'c> {
    writer: &'a mut Recorder<'c>,
    file: &'a Input,
    number: usize,
    first_policy: usize,
    tick: Tick<'b>,
}

impl Sink for Writing<'_, '_, '_> {
    fn row(&mut self, place: &Place, row: Row) -> Result<(), RecordError> {
        self.tick.row();
        let Some(key) = self.writer.matched.of(self.number, &row) else { return Ok(()) };
        if let Err(reason) = self.writer.problem(key, self.number, &row)? {
            self.wrong(place, reason);
            return Ok(());
        }
        let policies = &self.file.survey.policies;
        let own = row.policy.as_ref().and_then(|name| policies.iter().position(|p| p == name));
        let policy = match (own, row.policy.is_some() && policies.len() >= MAX_POLICIES) {
            (None, true) => {
                self.wrong(place, format!("policy: more than {MAX_POLICIES} are named in this file"));
                return Ok(());
            }
            (own, _) => self.first_policy + own.unwrap_or(0),
        };
        let threshold = self.writer.options.threshold.or(self.file.about.threshold).unwrap_or(1.0);
        for sample in row.completions {
            self.writer.completion(key, policy, sample, threshold)?;
        }
        Ok(())
    }

    fn wrong(&mut self, place: &Place, reason: String) {
        let path = self.file.source.path.clone();
        self.writer.wrong(&match place {
            Place::Line(line) => RecordError::Line { path, line: *line, reason },
            Place::Row(row) => RecordError::Part { path, part: format!("row {row}"), reason },
            Place::Part(part) => RecordError::Part { path, part: part.clone(), reason },
        });
    }
}

/// The `import` line at the end of a recording that [`import`] wrote.
pub(super) fn told(line: &[u8]) -> Option<Imported> {
    let line: Object = serde_json::from_slice(line).ok()?;
    (line.get("kind")? == "import").then(|| serde_json::from_value(Value::Object(line)).ok())?
}
