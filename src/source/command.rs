//! A verifier that is any command: one JSON object in, one verdict out.

use super::SourceError;
use super::words::words;
use crate::completion::clean;
use crate::problem::{self, Judge, Problem, Rule, Unjudged, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// So much is read of what a command writes.
const OUTPUT: u64 = 1 << 16;

/// Completions of one problem that are judged side by side at most.
const ABREAST: usize = 4;

/// A command that judges completions. It is started anew for each, without a shell; its
/// standard input is one object with `prompt`, `reference`, `metadata` and `text`, and its
/// standard output one with `correct` and, where it likes, `answer`, `method` and `sound`.
/// What it does not say of these is taken from our own verifiers.
#[derive(Debug)]
pub struct Command {
    /// As it was given.
    line: String,
    program: PathBuf,
    arguments: Vec<String>,
    limit: Duration,
}

impl Command {
    /// A command with its arguments, quoted as for a shell.
    ///
    /// # Errors
    /// A quote without an end, or a program that is not there.
    pub fn new(line: &str, limit: Duration) -> Result<Self, SourceError> {
        let wrong =
            |reason: &str| SourceError::Verifier { command: line.to_owned(), reason: reason.to_owned() };
        let mut arguments = words(line).ok_or_else(|| wrong("has a quote without an end"))?;
        if arguments.is_empty() {
            return Err(wrong("names no program"));
        }
        let name = arguments.remove(0);
        let program = found(&name).ok_or_else(|| {
            wrong(&format!("cannot be run: there is no program {name:?}; write its path, or put it on PATH"))
        })?;
        Ok(Self { line: line.to_owned(), program, arguments, limit })
    }

    fn verdict(&self, problem: &Problem, text: &str) -> Result<Verdict, Unjudged> {
        let question = Question {
            prompt: &problem.prompt,
            reference: problem.reference.as_deref(),
            metadata: &problem.metadata,
            text,
        };
        let said = serde_json::to_vec(&question)
            .map_err(|e| e.to_string())
            .and_then(|question| self.run(question))
            .and_then(|said| {
                serde_json::from_slice::<Said>(&said).map_err(|e| {
                    let said = clean(&String::from_utf8_lossy(&said[..said.len().min(80)]));
                    format!("wrote no verdict ({e}): {said:?}; one object with \"correct\": true or false is expected")
                })
            });
        let failed =
            |reason| Unjudged(format!("the verifier {:?} {reason}, at problem {}", self.line, problem.id));
        Ok(said.map_err(failed)?.verdict(problem::judge(problem, text)))
    }

    /// Runs the command on one input, within its limits; what it wrote, or what went wrong.
    fn run(&self, input: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut process = Process::new(&self.program);
        process.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        let child = process.spawn().map_err(|e| format!("cannot be run: {e}"))?;
        let mut running = Running { child, ended: false };
        let child = &mut running.child;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // A command may write before it has read; who does not read everything is no error.
        if let Some(mut stdin) = stdin {
            thread::spawn(move || stdin.write_all(&input));
        }
        let (stdout, stderr) = (collected(stdout), collected(stderr));
        let end = Instant::now() + self.limit;
        let left = || end.saturating_duration_since(Instant::now());
        let late = |_| format!("took longer than {} s", self.limit.as_secs_f64());
        let said = stdout.recv_timeout(left()).map_err(late)?;
        let complaint = stderr.recv_timeout(left()).map_err(late)?;
        let status = loop {
            match child.try_wait().map_err(|e| e.to_string())? {
                Some(status) => {
                    running.ended = true;
                    break status;
                }
                None if left().is_zero() => return Err(late(mpsc::RecvTimeoutError::Timeout)),
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        if said.len() as u64 == OUTPUT {
            return Err(format!("wrote more than {OUTPUT} bytes"));
        }
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint).trim().lines().last().map(clean);
            let why = complaint.filter(|c| !c.is_empty()).map_or_else(String::new, |c| format!(": {c}"));
            return Err(format!("failed ({status}){why}"));
        }
        Ok(said)
    }
}

impl Judge for Command {
    fn judge(&self, problem: &Problem, texts: &[&str]) -> Vec<Result<Verdict, Unjudged>> {
        let next = AtomicUsize::new(0);
        let verdicts = Mutex::new(Vec::with_capacity(texts.len()));
        let work = || {
            while let Some((i, text)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, texts.get(i)?)))
            {
                let verdict = self.verdict(problem, text);
                verdicts.lock().unwrap_or_else(PoisonError::into_inner).push((i, verdict));
            }
        };
        thread::scope(|scope| {
            (1..ABREAST.min(texts.len())).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let mut verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
        verdicts.sort_by_key(|(i, _)| *i);
        verdicts.into_iter().map(|(_, verdict)| verdict).collect()
    }
}

/// What the command is told.
#[derive(Serialize)]
struct Question<'a> {
    prompt: &'a str,
    reference: Option<&'a str>,
    metadata: &'a Map<String, Value>,
    text: &'a str,
}

/// What the command says. The outer options say whether a field is there.
#[derive(Deserialize)]
struct Said {
    correct: bool,
    #[serde(default, deserialize_with = "given")]
    answer: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    method: Option<Option<String>>,
    #[serde(default)]
    sound: Option<bool>,
}

impl Said {
    /// This verdict, with what it does not say from `ours`.
    fn verdict(self, ours: Verdict) -> Verdict {
        let (answer, rule) = match self.answer {
            Some(answer) => (answer, Some(Rule::Verifier)),
            None => (ours.answer, ours.rule),
        };
        // Steps that end in a wrong answer derive nothing.
        let sound = self.sound.or(ours.sound).map(|s| s && self.correct);
        let method = self.method.unwrap_or(ours.method);
        Verdict { answer, rule, correct: self.correct, repairs: ours.repairs, method, sound }
    }
}

/// A text, or a number as it is written; `null` is none.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Ok(Some(match Value::deserialize(from)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }))
}

/// A process that does not outlive its use, nor do those that it started.
struct Running {
    child: Child,
    ended: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        #[cfg(unix)]
        if let Ok(group) = i32::try_from(self.child.id()) {
            // SAFETY: it touches no memory. The group is that of our child, which was not
            // waited for, so that its number is nobody else's.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what comes, up to [`OUTPUT`] bytes, on a thread of its own.
fn collected(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let _ = from.take(OUTPUT).read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}

/// The program of a name: a path as it is, else looked for on PATH.
fn found(name: &str) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) {
        return Path::new(name).is_file().then(|| name.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.is_file())
}
