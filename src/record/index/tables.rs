//! The names of a whole recording, and how a stretch's own numbers become its numbers.

use super::piece::{Piece, UNJUDGED, counted};
use super::{Batch, Record, Wrong};
use crate::problem::{Problem, Verdict, judge};
use crate::record::format::CompletionIn;
use crate::record::reader::reason;
use crate::record::source::Source;
use crate::record::{RecordError, Run};
use memchr::memchr_iter;
use std::collections::HashMap;

/// Everything that has a number.
#[derive(Debug)]
pub(super) struct Tables {
    run: Run,
    policies: HashMap<Box<str>, u16>,
    problems: HashMap<Box<str>, u32>,
    all: Vec<Problem>,
    classes: HashMap<(u32, Verdict), u32>,
    /// What the numbers of each scanner are here.
    scanners: Vec<Numbers>,
    /// Completions without an index so far: they are numbered as they come.
    unnumbered: HashMap<(u16, u32), u32>,
}

/// What the numbers of one scanner are in the whole.
#[derive(Debug, Default)]
struct Numbers {
    policies: Vec<(Box<str>, Option<u16>)>,
    problems: Vec<(Box<str>, Option<u32>)>,
    /// [`UNJUDGED`] where the problem is not known yet.
    classes: Vec<(Verdict, u32)>,
}

impl Tables {
    pub fn new(run: &Run) -> Self {
        let name = |(i, p): (usize, &crate::record::PolicyEntry)| (p.name.as_str().into(), i as u16);
        Self {
            run: run.clone(),
            policies: run.policies.iter().enumerate().map(name).collect(),
            problems: HashMap::new(),
            all: Vec::new(),
            classes: HashMap::new(),
            scanners: Vec::new(),
            unnumbered: HashMap::new(),
        }
    }

    /// Takes in what a batch of the index beside the file holds.
    pub fn learn(&mut self, batch: &Batch) {
        for problem in &batch.problems {
            self.problems.insert(problem.id.as_str().into(), self.all.len() as u32);
            self.all.push(problem.clone());
        }
        for class in &batch.classes {
            let number = self.classes.len() as u32;
            self.classes.insert(class.clone(), number);
        }
        for record in batch.records.iter().filter(|r| r.is_unnumbered()) {
            *self.unnumbered.entry((record.policy() as u16, record.problem)).or_default() += 1;
        }
    }

    /// New scanners begin, with new numbers.
    pub fn forget_scanners(&mut self) {
        self.scanners.clear();
    }

    /// Gives a stretch the numbers of the whole. What is wrong with its lines comes by
    /// their numbers in the stretch.
    pub fn merge(&mut self, piece: Piece, source: &Source) -> Result<(Batch, Wrong), RecordError> {
        let from = piece.start;
        let mut batch = Batch::default();
        let mut wrong = piece.wrong;
        for (line, run) in piece.runs {
            if run != self.run {
                wrong.add(line, "a second run with other policies or settings; keep one run a file".into());
            }
        }
        for (line, problem) in piece.problems {
            self.problem(line, problem, &mut batch, &mut wrong);
        }
        if self.scanners.len() <= piece.scanner {
            self.scanners.resize_with(piece.scanner + 1, Numbers::default);
        }
        let mut numbers = std::mem::take(&mut self.scanners[piece.scanner]);
        numbers.policies.extend(piece.policy_names.into_iter().map(|name| (name, None)));
        numbers.problems.extend(piece.problem_names.into_iter().map(|name| (name, None)));
        numbers.classes.extend(piece.classes.into_iter().map(|v| (v, UNJUDGED)));
        batch.records.reserve_exact(piece.records.len());
        for record in piece.records {
            let (policy_name, policy) = &mut numbers.policies[record.policy()];
            *policy = policy.or_else(|| self.policies.get(policy_name).copied());
            let (problem_name, problem) = &mut numbers.problems[record.problem as usize];
            *problem = problem.or_else(|| self.problems.get(problem_name).copied());
            let (Some(policy), Some(problem)) = (*policy, *problem) else {
                let (what, name) = match policy {
                    None => ("policy", policy_name),
                    Some(_) => ("problem", problem_name),
                };
                let line = if wrong.is_full() { 0 } else { line_of(source, from, record.at())? };
                wrong.add(line, format!("{what} {name:?} is not in this recording"));
                continue;
            };
            let class = match numbers.classes.get_mut(record.class as usize) {
                Some((_, class)) if *class != UNJUDGED => *class,
                Some((verdict, class)) => {
                    *class = self.class(problem, std::mem::take(verdict), &mut batch);
                    *class
                }
                None => match self.judged(source, &record, problem, &mut batch)? {
                    Ok(class) => class,
                    Err(reason) => {
                        wrong.add(line_of(source, from, record.at())?, reason);
                        continue;
                    }
                },
            };
            let mut index = record.counted().index;
            let mut flags = policy;
            if record.is_unnumbered() {
                flags |= Record::UNNUMBERED;
                let next = self.unnumbered.entry((policy, problem)).or_default();
                index = *next;
                *next += 1;
            }
            batch.records.push(record.with(flags, problem, class, index));
        }
        self.scanners[piece.scanner] = numbers;
        wrong.lines.sort_by_key(|(line, _)| *line);
        Ok((batch, wrong))
    }

    fn problem(&mut self, line: u64, problem: Problem, batch: &mut Batch, wrong: &mut Wrong) {
        match self.problems.get(problem.id.as_str()) {
            None => {
                self.problems.insert(problem.id.as_str().into(), self.all.len() as u32);
                self.all.push(problem.clone());
                batch.problems.push(problem);
            }
            Some(&at) if self.all[at as usize] == problem => {}
            Some(_) => {
                let id = &problem.id;
                wrong.add(line, format!("problem {id:?} stands here a second time with other contents"));
            }
        }
    }

    fn class(&mut self, problem: u32, verdict: Verdict, batch: &mut Batch) -> u32 {
        let next = self.classes.len() as u32;
        *self.classes.entry((problem, verdict)).or_insert_with_key(|key| {
            batch.classes.push(key.clone());
            next
        })
    }

    /// The class of a completion that was scanned before its problem was known.
    fn judged(
        &mut self,
        source: &Source,
        record: &Record,
        problem: u32,
        batch: &mut Batch,
    ) -> Result<Result<u32, String>, RecordError> {
        let mut line = Vec::new();
        source.line(record.at(), &mut line)?;
        let mut read: CompletionIn = match serde_json::from_slice(&line) {
            Ok(read) => read,
            Err(e) => return Ok(Err(reason(&e))),
        };
        debug_assert_eq!(counted(&read).text, record.counted().text);
        let verdict = read.verdict(|text| judge(&self.all[problem as usize], text));
        let verdict = Verdict { repairs: Default::default(), ..verdict };
        Ok(Ok(self.class(problem, verdict, batch)))
    }
}

/// The number of the line at `at`, counted from the line at `from`.
fn line_of(source: &Source, from: u64, at: u64) -> Result<u64, RecordError> {
    let mut bytes = vec![0; (at - from) as usize];
    let n = source.read_at(from, &mut bytes)?;
    Ok(memchr_iter(b'\n', &bytes[..n]).count() as u64 + 1)
}
