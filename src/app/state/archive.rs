//! The completions drawn so far, for those who open a cluster.

use crate::completion::{Completion, clean};
use crate::problem::{Problem, Verdict};
use crate::record::Texts;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// Every completion with its verdict, by policy, problem and index.
///
/// One that stands in a recording costs six bytes here, the place of its line, and is read
/// when it is asked for. One that does not, or not yet, is kept whole.
#[derive(Default)]
pub struct Archive {
    fresh: HashMap<Key, Rc<Entry>>,
    lanes: HashMap<(u32, u32), Places>,
    texts: Option<Box<dyn Texts>>,
    /// What was asked: a line says only the problem's id.
    problems: Arc<[Problem]>,
    /// Those that were read last, the newest at the end.
    read: RefCell<VecDeque<(Key, Rc<Entry>)>>,
    saved: u64,
}

/// A completion, its text cleaned for a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub completion: Completion,
    pub verdict: Verdict,
    /// The text before it was cleaned, where that changed it.
    written: Option<Box<str>>,
}

/// Policy, problem, index.
type Key = (u32, u32, u32);

/// Completions that are kept after they were read.
const READ: usize = 32;

impl Archive {
    pub fn new(problems: Arc<[Problem]>) -> Self {
        Self { problems, ..Self::default() }
    }

    /// There are more problems now.
    pub fn ask(&mut self, problems: Arc<[Problem]>) {
        self.problems = problems;
    }

    /// Where the completions of a recording are read.
    pub fn read_from(&mut self, texts: Box<dyn Texts>) {
        self.texts = Some(texts);
    }

    /// Keeps a completion; the first of an index stays.
    pub fn add(&mut self, policy: usize, problem: usize, completion: Completion, verdict: Verdict) {
        let key = (policy as u32, problem as u32, completion.index);
        if self.place(key).is_none() {
            self.fresh.entry(key).or_insert_with(|| Rc::new(Entry::new(completion, verdict)));
        }
    }

    /// A completion stands in the recording, its line at this place: it is saved, and need
    /// not be kept whole. The first place of an index stays.
    pub fn stands(&mut self, policy: usize, problem: usize, index: u32, at: u64) {
        let key = (policy as u32, problem as u32, index);
        if self.lanes.entry((key.0, key.1)).or_default().put(index, at) {
            self.saved += 1;
            self.fresh.remove(&key);
        }
    }

    /// How many completions stand in the recording.
    pub fn saved(&self) -> u64 {
        self.saved
    }

    /// How many are kept here because they stand in no recording, or not yet.
    pub fn unsaved(&self) -> u64 {
        self.fresh.len() as u64
    }

    /// A completion in full. One that stands in the recording is read: `None` if that
    /// cannot be done any more.
    pub fn get(&self, policy: usize, problem: usize, index: u32) -> Option<Rc<Entry>> {
        let key = (policy as u32, problem as u32, index);
        if let Some(entry) = self.fresh.get(&key) {
            return Some(Rc::clone(entry));
        }
        let mut read = self.read.borrow_mut();
        if let Some((_, entry)) = read.iter().find(|(k, _)| *k == key) {
            return Some(Rc::clone(entry));
        }
        let asked = self.problems.get(problem)?;
        let (mut completion, verdict) = self.texts.as_ref()?.read(self.place(key)?, asked).ok()?;
        completion.index = index;
        let entry = Rc::new(Entry::new(completion, verdict));
        if read.len() >= READ {
            read.pop_front();
        }
        read.push_back((key, Rc::clone(&entry)));
        Some(entry)
    }

    /// What is there, as ranges of indices: policy, problem, indices.
    pub fn ranges(&self) -> Vec<(usize, usize, Range<u32>)> {
        let mut all: Vec<(usize, usize, Range<u32>)> = Vec::new();
        for (&(policy, problem), places) in &self.lanes {
            for index in places.indices() {
                match all.last_mut() {
                    Some((p, q, last))
                        if (*p, *q, last.end) == (policy as usize, problem as usize, index) =>
                    {
                        last.end = last.end.saturating_add(1);
                    }
                    _ => all.push((policy as usize, problem as usize, index..index.saturating_add(1))),
                }
            }
        }
        all
    }

    fn place(&self, (policy, problem, index): Key) -> Option<u64> {
        self.lanes.get(&(policy, problem))?.get(index)
    }
}

impl Entry {
    fn new(mut completion: Completion, verdict: Verdict) -> Self {
        let text = clean(&completion.text);
        let written = std::mem::replace(&mut completion.text, text);
        let written = (written != completion.text).then(|| written.into_boxed_str());
        completion.text.shrink_to_fit();
        completion.trace.shrink_to_fit();
        Self { completion, verdict, written }
    }

    /// The text as the model wrote it.
    pub fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.completion.text)
    }
}

/// The places of one policy's completions of one problem, by index.
#[derive(Default)]
struct Places {
    /// 48 bits each; all ones where there is none.
    dense: Vec<[u8; 6]>,
    /// Indices far beyond the others.
    sparse: BTreeMap<u32, u64>,
}

impl Places {
    const NONE: [u8; 6] = [0xff; 6];

    /// Indices so far beyond the last one are kept apart, so that one strange index does
    /// not take memory for all before it.
    const GAP: usize = 1 << 12;

    /// Whether there was none before.
    fn put(&mut self, index: u32, at: u64) -> bool {
        if self.get(index).is_some() {
            return false;
        }
        let i = index as usize;
        if i >= self.dense.len() + Self::GAP {
            self.sparse.insert(index, at);
            return true;
        }
        if i >= self.dense.len() {
            if self.dense.capacity() <= i {
                let room = self.dense.len() / 8 + 8;
                self.dense.reserve_exact((i + 1 - self.dense.len()).max(room));
            }
            self.dense.resize(i + 1, Self::NONE);
        }
        let [place @ .., _, _] = at.to_le_bytes();
        self.dense[i] = place;
        true
    }

    fn get(&self, index: u32) -> Option<u64> {
        let dense = self.dense.get(index as usize).filter(|place| **place != Self::NONE);
        let whole = |[a, b, c, d, e, f]: [u8; 6]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        dense.map(|place| whole(*place)).or_else(|| self.sparse.get(&index).copied())
    }

    fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        let dense = self.dense.iter().enumerate().filter(|(_, place)| **place != Self::NONE);
        let mut all: Vec<u32> = dense.map(|(i, _)| i as u32).chain(self.sparse.keys().copied()).collect();
        all.sort_unstable();
        all.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Finish;
    use crate::record::RecordError;
    use std::cell::Cell;

    struct Counting(Rc<Cell<u32>>);

    impl Texts for Counting {
        fn read(&self, at: u64, _: &Problem) -> Result<(Completion, Verdict), RecordError> {
            self.0.set(self.0.get() + 1);
            Ok((completion(0, &format!("at {at}\u{1b}")), Verdict::default()))
        }
    }

    fn completion(index: u32, text: &str) -> Completion {
        let (length, logprob, token_entropy) = (None, None, None);
        let (text, finish) = (text.to_owned(), Finish::Stop);
        Completion {
            index,
            text,
            length,
            logprob,
            token_entropy,
            entropy_range: None,
            trace: Vec::new(),
            finish,
        }
    }

    fn problem() -> Problem {
        let (task, reference, metadata) = (None, None, serde_json::Map::new());
        Problem { id: "p".into(), task, prompt: String::new(), reference, metadata }
    }

    #[test]
    fn what_stands_in_the_recording_is_read_when_asked_for_and_once() {
        let mut archive = Archive::new(vec![problem(); 4].into());
        archive.add(0, 3, completion(7, "fresh"), Verdict::default());
        let text = |archive: &Archive, index| {
            archive.get(0, 3, index).map(|e| (e.completion.index, e.completion.text.clone()))
        };
        assert_eq!(text(&archive, 7), Some((7, "fresh".into())));
        assert_eq!((archive.saved(), archive.unsaved()), (0, 1));
        let reads = Rc::new(Cell::new(0));
        archive.read_from(Box::new(Counting(Rc::clone(&reads))));
        archive.stands(0, 3, 7, 500);
        archive.stands(0, 3, 7, 900);
        assert_eq!((archive.saved(), archive.unsaved()), (1, 0));
        for _ in 0..3 {
            assert_eq!(text(&archive, 7), Some((7, "at 500".into())));
        }
        assert_eq!(reads.get(), 1);
        assert_eq!(text(&archive, 8), None);
    }

    #[test]
    fn strange_indices_take_no_room_for_those_before_them() {
        let mut archive = Archive::default();
        for index in [0, 1, 5, 4_000_000_000, u32::MAX, 2] {
            archive.stands(1, 0, index, (1 << 47) + u64::from(index));
        }
        let mut ranges = archive.ranges();
        ranges.sort_by_key(|(.., r)| r.start);
        let ranges: Vec<Range<u32>> = ranges.into_iter().map(|(.., r)| r).collect();
        assert_eq!(ranges, [0..3, 5..6, 4_000_000_000..4_000_000_001, u32::MAX..u32::MAX]);
        assert_eq!(archive.place((1, 0, u32::MAX)), Some((1 << 47) + u64::from(u32::MAX)));
        assert!(archive.lanes[&(1, 0)].dense.len() < 10);
    }
}
