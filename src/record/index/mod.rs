//! What is counted of a recording of any size: a small fixed record of each completion,
//! with the place of its line in the file. Texts stay where they are.
//!
//! [`Index::read`] scans the file once, in parallel, and keeps what it found beside it
//! (its module `store` says where and how); the next reader takes it from there and scans only what
//! was added since. The caller gets everything in batches, in the order of the file, and
//! keeps what it wants to: a batch costs 48 bytes a completion while it lasts.

mod piece;
pub(super) mod store;
mod stretch;
mod tables;

use super::head::Head;
use super::source::Source;
use super::{PolicyEntry, RecordError, Run};
use crate::problem::{Problem, Verdict};
use crate::support::Counted;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use tables::Tables;

/// Problems by id, for those lines that have to be judged.
type Known = HashMap<Box<str>, Problem>;

/// A recording's index.
#[derive(Debug)]
pub struct Index {
    source: Arc<Source>,
    head: Head,
    known: Arc<Known>,
    tables: Tables,
    /// Everything before this is read.
    covered: u64,
    lines: u64,
    wrong: Wrong,
    torn: u64,
    /// Bytes of a stretch.
    stretch: u64,
    /// Bytes from which on an index is kept on disk.
    worth: u64,
}

/// What one step of reading found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Further problems; the first is the one after those known before.
    pub problems: Vec<Problem>,
    /// Further classes, the problem of each and what the verifier says.
    pub classes: Vec<(u32, Verdict)>,
    pub records: Vec<Record>,
    /// Bytes of the file that are read so far, and that it has.
    pub progress: (u64, u64),
}

/// One completion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Where its line begins, 48 bits, and its policy.
    place: u64,
    text: u64,
    pub problem: u32,
    /// Its class, counted over all batches.
    pub class: u32,
    index: u32,
    length: u32,
    token_entropy: f32,
    entropy_high: f32,
    logprob: f32,
}

impl Record {
    const UNNUMBERED: u16 = 1 << 15;
    const MOST_POLICIES: u16 = Self::UNNUMBERED - 1;

    fn new(at: u64, policy: u16, unnumbered: bool, problem: u32, class: u32, of: Counted) -> Self {
        let policy = policy & !Self::UNNUMBERED | if unnumbered { Self::UNNUMBERED } else { 0 };
        let Counted { index, text, length, token_entropy, entropy_high, logprob } = of;
        Self {
            place: at << 16 | u64::from(policy),
            text,
            problem,
            class,
            index,
            length,
            token_entropy,
            entropy_high,
            logprob,
        }
    }

    /// Where its line begins.
    pub fn at(&self) -> u64 {
        self.place >> 16
    }

    /// Its policy, by number.
    pub fn policy(&self) -> usize {
        usize::from(self.place as u16 & !Self::UNNUMBERED)
    }

    /// What is counted of it.
    pub fn counted(&self) -> Counted {
        let Self { index, text, length, token_entropy, entropy_high, logprob, .. } = *self;
        Counted { index, text, length, token_entropy, entropy_high, logprob }
    }

    fn is_unnumbered(&self) -> bool {
        self.place as u16 & Self::UNNUMBERED != 0
    }

    fn with(&self, policy: u16, problem: u32, class: u32, index: u32) -> Self {
        Self { place: self.place & !0xffff | u64::from(policy), problem, class, index, ..*self }
    }
}

/// Lines that could not be read: the first of them with their reasons.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Wrong {
    /// The number of the line, from 1, and what is wrong with it.
    pub lines: Vec<(u64, String)>,
    /// How many there are.
    pub count: u64,
}

impl Wrong {
    /// So many are kept with their reasons.
    const KEPT: usize = 200;

    fn add(&mut self, line: u64, reason: String) {
        self.count += 1;
        if self.lines.len() < Self::KEPT {
            self.lines.push((line, reason));
        }
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= Self::KEPT
    }

    fn join(&mut self, other: Wrong, after: u64) {
        let more = other.count - other.lines.len() as u64;
        other.lines.into_iter().for_each(|(line, reason)| self.add(line + after, reason));
        self.count += more;
    }
}

impl Index {
    /// Reads who was asked, and as much of what as stands before the first completion.
    ///
    /// # Errors
    /// A file that cannot be read, is no recording or is too new.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let source = Arc::new(Source::open(path)?);
        let head = Head::read(&source)?;
        let known = head.problems.iter().map(|p| (p.id.as_str().into(), p.clone())).collect();
        let tables = Tables::new(&head.run);
        Ok(Self {
            source,
            known: Arc::new(known),
            tables,
            covered: 0,
            lines: 0,
            wrong: Wrong::default(),
            torn: 0,
            stretch: stretch::BYTES,
            worth: store::WORTH,
            head,
        })
    }

    pub fn path(&self) -> &Path {
        &self.source.path
    }

    pub fn run(&self) -> &Run {
        &self.head.run
    }

    /// The problems that stand before the first completion.
    pub fn first_problems(&self) -> &[Problem] {
        &self.head.problems
    }

    /// Lines that could not be read so far.
    pub fn wrong(&self) -> &Wrong {
        &self.wrong
    }

    /// The wrong lines that are kept with their reasons, as errors.
    pub fn errors(&self) -> impl Iterator<Item = RecordError> + '_ {
        self.wrong.lines.iter().map(|(line, reason)| self.source.wrong(*line, reason.clone()))
    }

    /// Bytes of a last line that ends in the middle.
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Where completions are read in full when they are asked for.
    pub fn texts(&self) -> super::FileTexts {
        super::FileTexts::new(Arc::clone(&self.source))
    }

    /// Reads everything that is there and was not read before, and gives it away batch by
    /// batch. `Break` ends it early. The first call takes what the index beside the file
    /// has, where it matches.
    ///
    /// # Errors
    /// A file that cannot be read, or that has become shorter than it was.
    pub fn read(
        &mut self,
        each: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordError> {
        let length = self.source.len()?;
        if length < self.covered {
            let reason = "it has become shorter while it was read; open it again".to_owned();
            return Err(RecordError::NoRecording { path: self.source.path.clone(), reason });
        }
        let mut store = (length >= self.worth).then(|| Store::beside(&self.source));
        if let Some(store) = store.as_mut().filter(|_| self.covered == 0)
            && self.stored(store, length, each)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        // What follows is worth keeping once it is much.
        let much = length - self.covered >= self.worth;
        let mut keep = store.filter(|_| much).and_then(|store| store.begin(self.covered, &self.source));
        let source = Arc::clone(&self.source);
        let flow = stretch::scan(self, length, &mut |batch, bounds| {
            if let Some(keeper) = &mut keep {
                keeper.add(&source, &batch, &bounds);
            }
            each(batch)
        })?;
        self.torn = length.saturating_sub(self.covered);
        if let Some(keeper) = keep {
            keeper.finish();
        }
        Ok(flow)
    }

    /// Takes what the index beside the file has.
    fn stored(
        &mut self,
        store: &mut Store,
        length: u64,
        each: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordError> {
        let Some(blocks) = store.open(&self.source, length) else { return Ok(ControlFlow::Continue(())) };
        for block in blocks {
            self.tables.learn(&block.batch);
            (self.covered, self.lines) = (block.to, block.lines);
            self.wrong = block.wrong;
            let batch = Batch { progress: (self.covered, length), ..block.batch };
            if each(batch).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The policies of a run with the base first, and where each of the file's is among them.
///
/// The base is the policy of role `base`, or the first one if none has it.
pub fn base_first(run: &Run) -> (Vec<PolicyEntry>, Vec<usize>) {
    let base = run.policies.iter().position(|p| p.role == "base").unwrap_or(0);
    let mut policies = run.policies.clone();
    policies[..=base].rotate_right(1);
    let place = |p: usize| match p {
        p if p == base => 0,
        p if p < base => p + 1,
        p => p,
    };
    (policies, (0..run.policies.len()).map(place).collect())
}

/// Where an index lies: beside the file, or for a folder that cannot be written in the
/// cache.
pub fn index_file(path: &Path) -> PathBuf {
    store::beside(path)
}

#[cfg(test)]
mod tests;
