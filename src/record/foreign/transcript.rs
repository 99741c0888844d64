//! The recording that an import writes.

use super::import::Imported;
use super::json::Object;
use super::matching::{digest, prompt_id};
use super::row::{Row, Sample};
use crate::completion::{Completion, Finish};
use crate::problem::{Problem, Verdict, judge, tasks};
use crate::record::format::{CompletionOut, Given, LineOut};
use crate::record::{Drawn, RecordError, Run};
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The recording, and what it holds so far.
pub(super) struct Transcript {
    out: BufWriter<File>,
    path: PathBuf,
    run: Run,
    /// The verifier of problems that name none.
    task: Option<String>,
    /// By the shared key.
    problems: HashMap<u128, Asked>,
    ids: HashSet<String>,
    pub completions: u64,
    /// Completions with neither a score nor a reference.
    pub unjudged: u64,
}

/// A problem that is written.
struct Asked {
    problem: Problem,
    /// The prompt's digest in each file that it was met in.
    prompts: Vec<(usize, u128)>,
    /// Completions so far, by policy.
    drawn: Vec<u32>,
}

impl Transcript {
    /// A new recording.
    ///
    /// # Errors
    /// A file that is there already or cannot be written.
    pub fn create(path: &Path, run: Run, task: Option<String>) -> Result<Self, RecordError> {
        let file =
            File::create_new(path).map_err(|source| RecordError::File { path: path.to_owned(), source })?;
        let mut new = Self {
            out: BufWriter::with_capacity(1 << 16, file),
            path: path.to_owned(),
            run,
            task,
            problems: HashMap::new(),
            ids: HashSet::new(),
            completions: 0,
            unjudged: 0,
        };
        new.line(&LineOut::Run(&new.run.clone()))?;
        Ok(new)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), RecordError> {
        let written = serde_json::to_writer(&mut self.out, line).map_err(std::io::Error::from);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| RecordError::File { path: self.path.clone(), source })
    }

    /// The problem of a row, written if it is new. The inner error says what is wrong with it.
    ///
    /// # Errors
    /// A full disk.
    pub fn problem(&mut self, key: u128, file: usize, row: &Row) -> Result<Result<(), String>, RecordError> {
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
        let task = row.task.as_ref().filter(ours).or(self.task.as_ref()).cloned();
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
        Ok(Ok(()))
    }

    /// One more completion of a problem that is written.
    ///
    /// # Errors
    /// A full disk.
    pub fn completion(
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
        self.completions += 1;
        let name = self.run.policies[policy].name.clone();
        let id = asked.problem.id.clone();
        self.line(&LineOut::Completion(Box::new(CompletionOut::new(&id, &name, &drawn, false))))
    }

    pub fn problems(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Writes the last line, which says that the import is whole.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(mut self, imported: &Imported) -> Result<(), RecordError> {
        #[derive(Serialize)]
        struct Line<'a> {
            kind: &'static str,
            #[serde(flatten)]
            imported: &'a Imported,
        }
        self.line(&Line { kind: "import", imported })?;
        self.flush()
    }

    /// # Errors
    /// A full disk.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.out.flush().map_err(|source| RecordError::File { path: self.path.clone(), source })
    }
}

/// The `import` line at the end of a recording that was finished.
pub(super) fn told(line: &[u8]) -> Option<Imported> {
    let line: Object = serde_json::from_slice(line).ok()?;
    (line.get("kind")? == "import").then(|| serde_json::from_value(Value::Object(line)).ok())?
}
