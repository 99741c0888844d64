//! One stretch of a recording, scanned by itself: names have numbers of their own until
//! they are put together with those of the other stretches.

use super::{Known, Record, Wrong};
use crate::problem::{Problem, Rule, Verdict, judge};
use crate::record::RecordError;
use crate::record::format::{CompletionIn, Kind, ProblemIn, Run};
use crate::record::reader::{is_torn, reason};
use crate::record::scan::{Fields, Scanned, scan};
use crate::record::source::{End, Source};
use crate::support::{Counted, text_hash};
use memchr::memchr;
use std::collections::HashMap;

/// The class of a record whose verdict takes a problem that this stretch does not know.
pub(super) const UNJUDGED: u32 = u32::MAX;

/// What one stretch holds.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Whose numbers its records have.
    pub scanner: usize,
    /// Where its first line begins.
    pub start: u64,
    /// After its last line that is whole.
    pub end: u64,
    /// Lines that begin in it.
    pub lines: u64,
    pub runs: Vec<(u64, Run)>,
    /// With the number of the line, from 1.
    pub problems: Vec<(u64, Problem)>,
    /// The names and classes that its scanner had not seen before.
    pub problem_names: Vec<Box<str>>,
    pub policy_names: Vec<Box<str>>,
    pub classes: Vec<Verdict>,
    pub records: Vec<Record>,
    pub wrong: Wrong,
}

/// One thread's scanner: its numbers hold for all stretches that it scans.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    number: usize,
    problems: Names,
    policies: Names,
    answers: Names,
    methods: Names,
    class_of: HashMap<Class, u32>,
    piece: Piece,
}

/// A verdict on a problem, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Class {
    problem: u32,
    answer: Option<u32>,
    method: Option<u32>,
    correct: bool,
    sound: Option<bool>,
    rule: Option<Rule>,
}

/// Strings to numbers, in order of appearance.
#[derive(Debug, Default)]
struct Names {
    of: HashMap<Box<str>, u32>,
    all: Vec<Box<str>>,
    /// The one that was asked for last: neighbouring lines name the same.
    last: u32,
    /// How many of them were given away.
    given: usize,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if self.all.get(self.last as usize).is_some_and(|n| **n == *name) {
            return self.last;
        }
        self.last = match self.of.get(name) {
            Some(&number) => number,
            None => {
                let number = self.all.len() as u32;
                self.all.push(name.into());
                self.of.insert(name.into(), number);
                number
            }
        };
        self.last
    }

    /// The names that are new since this was asked last.
    fn fresh(&mut self) -> Vec<Box<str>> {
        let from = std::mem::replace(&mut self.given, self.all.len());
        self.all[from..].to_vec()
    }
}

impl Scanner {
    pub fn new(number: usize) -> Self {
        Self { number, ..Self::default() }
    }

    /// Scans the lines that begin in `from..to`. `aligned` says that one begins at `from`.
    ///
    /// # Errors
    /// A file that cannot be read; a wrong line is no error.
    pub fn scan(
        &mut self,
        source: &Source,
        from: u64,
        to: u64,
        aligned: bool,
        known: &Known,
    ) -> Result<Piece, RecordError> {
        self.piece = Piece { scanner: self.number, start: from, end: from, ..Piece::default() };
        self.stretch(source, from, to, aligned, known)?;
        self.piece.problem_names = self.problems.fresh();
        self.piece.policy_names = self.policies.fresh();
        Ok(std::mem::take(&mut self.piece))
    }

    fn stretch(
        &mut self,
        source: &Source,
        from: u64,
        to: u64,
        aligned: bool,
        known: &Known,
    ) -> Result<(), RecordError> {
        let before = u64::from(!aligned);
        let mut bytes = vec![0; (to - from + before) as usize];
        let n = source.read_at(from - before, &mut bytes)?;
        bytes.truncate(n);
        let mut at = match aligned {
            true => 0,
            false => match memchr(b'\n', &bytes) {
                Some(feed) => feed + 1,
                None => return Ok(()),
            },
        };
        let base = from - before;
        // A line feed that completes what was read before without it is no line.
        if aligned && from > 0 && bytes.first() == Some(&b'\n') && !follows_feed(source, from)? {
            at = 1;
            self.piece.end = from + 1;
        }
        self.piece.start = base + at as u64;
        while let Some(length) = memchr(b'\n', &bytes[at..]) {
            self.line(&bytes[at..at + length], base + at as u64, known);
            at += length + 1;
            self.piece.end = base + at as u64;
        }
        if at < bytes.len() {
            bytes.drain(..at);
            let searched = bytes.len();
            self.last(source, base + at as u64, bytes, searched, known)?;
        }
        Ok(())
    }

    /// A line that goes on beyond the stretch.
    fn last(
        &mut self,
        source: &Source,
        at: u64,
        mut line: Vec<u8>,
        searched: usize,
        known: &Known,
    ) -> Result<(), RecordError> {
        match source.complete(at, &mut line, searched)? {
            End::Whole => {
                self.line(&line, at, known);
                self.piece.end = at + line.len() as u64 + 1;
            }
            End::Open if is_torn(&line) || line.is_empty() => {}
            End::Open => {
                self.line(&line, at, known);
                self.piece.end = at + line.len() as u64;
            }
            End::TooLong => {
                self.piece.lines += 1;
                let most = crate::record::source::LONGEST >> 20;
                self.piece
                    .wrong
                    .add(self.piece.lines, format!("it is longer than {most} MiB, and is left out"));
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], at: u64, known: &Known) {
        self.piece.lines += 1;
        if line.first() != Some(&b'{') && line.trim_ascii().is_empty() {
            return;
        }
        let taken = match scan(line) {
            Scanned::Completion(fields) => match self.fast(&fields, at) {
                Some(()) => Ok(()),
                None => self.slow(line, at, known),
            },
            Scanned::Other | Scanned::Unusual => self.other(line, at, known),
        };
        if let Err(reason) = taken {
            self.piece.wrong.add(self.piece.lines, reason);
        }
    }

    /// A completion whose line says its verdict. `None` if it does not.
    fn fast(&mut self, fields: &Fields<'_>, at: u64) -> Option<()> {
        let (answer, correct, method) = (fields.answer.as_ref()?, fields.correct?, fields.method.as_ref()?);
        let text = match correct {
            true => text_hash(&fields.text.decoded()?),
            false => 0,
        };
        let problem = self.problems.number(&fields.problem);
        let class = Class {
            problem,
            answer: answer.as_deref().map(|a| self.answers.number(a)),
            method: method.as_deref().map(|m| self.methods.number(m)),
            correct,
            sound: fields.sound,
            rule: fields.rule.as_deref().and_then(Rule::from_name),
        };
        let counted = Counted {
            index: fields.index.unwrap_or(0),
            text,
            length: fields.tokens.unwrap_or(Counted::UNKNOWN),
            token_entropy: fields.token_entropy.map_or(f32::NAN, |x| x as f32),
            // A line with bounds is read by serde_json.
            entropy_high: f32::NAN,
            logprob: fields.logprob.map_or(f32::NAN, |x| x as f32),
        };
        let class = self.class(class);
        self.record(at, &fields.policy, problem, class, fields.index.is_none(), counted);
        Some(())
    }

    /// A line as serde_json reads it, or the reason why it is wrong.
    fn other(&mut self, line: &[u8], at: u64, known: &Known) -> Result<(), String> {
        // As it is written by us, it need not be read twice.
        if line.starts_with(br#"{"kind":"completion","#) {
            return self.slow(line, at, known);
        }
        let kind = serde_json::from_slice::<Kind>(line).map_err(|e| reason(&e))?.kind;
        match kind.as_deref() {
            Some("completion") => self.slow(line, at, known),
            Some("problem") => {
                let problem: ProblemIn = serde_json::from_slice(line).map_err(|e| reason(&e))?;
                self.piece.problems.push((self.piece.lines, problem.into()));
                Ok(())
            }
            Some("run") => {
                let run: Run = serde_json::from_slice(line).map_err(|e| reason(&e))?;
                self.piece.runs.push((self.piece.lines, run));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn slow(&mut self, line: &[u8], at: u64, known: &Known) -> Result<(), String> {
        let mut read: CompletionIn = serde_json::from_slice(line).map_err(|e| reason(&e))?;
        let problem = self.problems.number(&read.problem);
        let counted = counted(&read);
        let (unnumbered, policy) = (read.index.is_none(), std::mem::take(&mut read.policy));
        if !read.is_judged() && !known.contains_key(read.problem.as_str()) {
            self.record(at, &policy, problem, UNJUDGED, unnumbered, counted);
            return Ok(());
        }
        let asked = known.get(read.problem.as_str());
        let verdict = read.verdict(|text| asked.map_or_else(Verdict::default, |p| judge(p, text)));
        let class = self.verdict(problem, verdict);
        self.record(at, &policy, problem, class, unnumbered, counted);
        Ok(())
    }

    fn verdict(&mut self, problem: u32, v: Verdict) -> u32 {
        let class = Class {
            problem,
            answer: v.answer.as_deref().map(|a| self.answers.number(a)),
            method: v.method.as_deref().map(|m| self.methods.number(m)),
            correct: v.correct,
            sound: v.sound,
            rule: v.rule,
        };
        self.class(class)
    }

    fn class(&mut self, class: Class) -> u32 {
        if let Some(&number) = self.class_of.get(&class) {
            return number;
        }
        let number = self.class_of.len() as u32;
        let text = |names: &Names, n: Option<u32>| n.map(|n| names.all[n as usize].to_string());
        let verdict = Verdict {
            answer: text(&self.answers, class.answer),
            method: text(&self.methods, class.method),
            correct: class.correct,
            sound: class.sound,
            rule: class.rule,
            ..Verdict::default()
        };
        self.piece.classes.push(verdict);
        self.class_of.insert(class, number);
        number
    }

    fn record(&mut self, at: u64, policy: &str, problem: u32, class: u32, unnumbered: bool, of: Counted) {
        // No run has so many policies: what is beyond them is a name that is not known.
        let policy = self.policies.number(policy).min(Record::MOST_POLICIES.into()) as u16;
        self.piece.records.push(Record::new(at, policy, unnumbered, problem, class, of));
    }
}

/// Whether the byte before `at` ends a line.
fn follows_feed(source: &Source, at: u64) -> Result<bool, RecordError> {
    let mut byte = [0];
    Ok(source.read_at(at - 1, &mut byte)? == 1 && byte[0] == b'\n')
}

/// What is counted of a completion, whatever its verdict.
pub(super) fn counted(read: &CompletionIn) -> Counted {
    let bounds = read.token_entropy_range.filter(|_| read.token_entropy.is_none());
    let low = read.token_entropy.or(bounds.map(|b| b[0]));
    Counted {
        index: read.index.unwrap_or(0),
        text: text_hash(&read.text),
        length: read.tokens.unwrap_or(Counted::UNKNOWN),
        token_entropy: low.map_or(f32::NAN, |x| x as f32),
        entropy_high: bounds.map_or(f32::NAN, |b| b[1] as f32),
        logprob: read.logprob.map_or(f32::NAN, |x| x as f32),
    }
}
