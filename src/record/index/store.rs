//! The index on disk, `FILE.idx`: a cache that may be deleted at any time.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `leash index` and the version of this layout |
//! | 8 | hash of the recording's first 4096 bytes |
//!
//! and then blocks, one a stretch of the recording, each with its own hash:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | hash of the rest of this head and of the contents |
//! | 8 | where the stretch ends in the recording |
//! | 8 | lines until there |
//! | 8 | hash of the 4096 bytes before there |
//! | 8 | bytes of the first contents: problems, classes and wrong lines, as JSON |
//! | 8 | completions, the second contents: 40 bytes each |
//!
//! It is believed if the first and the last 4096 bytes that it covers are those of the
//! recording, and is made anew if not; a block that was cut off or spoiled ends it there.
//! Numbers are little-endian.

use super::stretch::Bounds;
use super::{Batch, Record, Wrong};
use crate::problem::{Problem, Rule, Verdict};
use crate::record::source::Source;
use crate::support::bytes_hash;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// From so many bytes on a recording has an index on disk; less is scanned in no time.
pub(super) const WORTH: u64 = 16 << 20;

const MAGIC: &[u8; 16] = b"leash index\0\0\0\0\x02";
const HEAD: u64 = 24;
const BLOCK: usize = 48;
const RECORD: usize = 44;
const EDGE: u64 = 4096;
/// More than any block has: what claims more is spoiled.
const MOST: u64 = 1 << 32;

/// The first contents of a block.
#[derive(Serialize, Deserialize)]
struct Names {
    problems: Vec<Problem>,
    /// Problem, answer, method, correct, sound, rule.
    classes: Vec<(u32, Option<String>, Option<String>, bool, Option<bool>, Option<Rule>)>,
    /// All until here.
    wrong: Wrong,
}

/// The index file of a recording.
#[derive(Debug)]
pub(super) struct Store {
    first: u64,
    paths: [PathBuf; 2],
    /// The file that was believed, where its last good block ends, and what it covers.
    found: Option<(PathBuf, u64, u64)>,
}

/// One block, read back.
pub(super) struct Block {
    pub to: u64,
    pub lines: u64,
    pub wrong: Wrong,
    pub batch: Batch,
}

/// The blocks of an index that is believed.
pub(super) struct Blocks<'a> {
    store: &'a mut Store,
    file: File,
    path: PathBuf,
    at: u64,
    end: u64,
}

impl Store {
    /// Looks for nothing yet.
    pub fn beside(source: &Source) -> Self {
        let first = edge(source, 0, EDGE).unwrap_or(0);
        Self { first, paths: [beside(&source.path), cached(&source.path)], found: None }
    }

    /// The blocks of an index that matches the first `length` bytes of the recording.
    pub fn open(&mut self, source: &Source, length: u64) -> Option<Blocks<'_>> {
        let (path, file, end) = self.paths.clone().into_iter().find_map(|path| {
            let mut file = File::open(&path).ok()?;
            let end = self.believed(&mut file, source, length)?;
            Some((path, file, end))
        })?;
        Some(Blocks { store: self, file, path, at: HEAD, end })
    }

    /// Where the last block ends, if the file belongs to the recording as it is now.
    fn believed(&self, file: &mut File, source: &Source, length: u64) -> Option<u64> {
        let mut head = [0; HEAD as usize];
        file.read_exact(&mut head).ok()?;
        if head[..16] != *MAGIC || number(&head, 16) != self.first {
            return None;
        }
        let bytes = file.metadata().ok()?.len();
        let (mut end, mut last) = (HEAD, None);
        let mut block = [0; BLOCK];
        while end + BLOCK as u64 <= bytes {
            file.seek(SeekFrom::Start(end)).ok()?;
            file.read_exact(&mut block).ok()?;
            let Some(size) = size(&block).filter(|size| end + *size <= bytes) else { break };
            end += size;
            last = Some((number(&block, 8), number(&block, 24)));
        }
        let (to, tail) = last?;
        (to <= length && edge(source, to.saturating_sub(EDGE), EDGE.min(to))? == tail).then_some(end)
    }

    /// Begins to keep what follows `covered`: in a new file if nothing was believed, else
    /// behind the last good block. `None` where nothing can be kept.
    pub fn begin(self, covered: u64, source: &Source) -> Option<Keeper> {
        let (file, path, end) = match self.found {
            Some((path, end, to)) if to == covered => {
                (OpenOptions::new().read(true).write(true).open(&path).ok()?, path, end)
            }
            Some(_) => return None,
            None if covered > 0 => return None,
            None => {
                let create = |path: &PathBuf| {
                    let open =
                        || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
                    let made = open().or_else(|e| {
                        path.parent().map_or(Err(e), std::fs::create_dir_all).and_then(|()| open())
                    });
                    Some((made.ok()?, path.clone(), 0))
                };
                self.paths.iter().find_map(create)?
            }
        };
        // Another process that keeps it does the work for both.
        file.try_lock().ok()?;
        file.set_len(end).ok()?;
        let mut to = BufWriter::with_capacity(1 << 20, file);
        to.seek(SeekFrom::Start(end)).ok()?;
        let mut keeper = Keeper { to, path, good: true };
        if end == 0 {
            keeper.put(MAGIC);
            keeper.put(&edge(source, 0, EDGE)?.to_le_bytes());
        }
        Some(keeper)
    }
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        if self.at >= self.end {
            return None;
        }
        let block = self.read();
        match &block {
            Some((block, size)) => {
                self.at += size;
                self.store.found = Some((self.path.clone(), self.at, block.to));
            }
            // What follows a spoiled block is not believed either.
            None => self.end = self.at,
        }
        block.map(|(block, _)| block)
    }
}

impl Blocks<'_> {
    fn read(&mut self) -> Option<(Block, u64)> {
        self.file.seek(SeekFrom::Start(self.at)).ok()?;
        let mut head = [0; BLOCK];
        self.file.read_exact(&mut head).ok()?;
        let size = size(&head)?;
        let mut bytes = vec![0; size as usize - BLOCK];
        self.file.read_exact(&mut bytes).ok()?;
        if checked(&head[8..], &bytes) != number(&head, 0) {
            return None;
        }
        let (names, records) = bytes.split_at(number(&head, 32) as usize);
        let names: Names = serde_json::from_slice(names).ok()?;
        let verdict = |(problem, answer, method, correct, sound, rule)| {
            (problem, Verdict { answer, method, correct, sound, rule, ..Verdict::default() })
        };
        let batch = Batch {
            problems: names.problems,
            classes: names.classes.into_iter().map(verdict).collect(),
            records: records.as_chunks::<RECORD>().0.iter().map(Record::from_bytes).collect(),
            progress: (0, 0),
        };
        let block = Block { to: number(&head, 8), lines: number(&head, 16), wrong: names.wrong, batch };
        Some((block, size))
    }
}

/// Writes blocks. It is only a cache: what cannot be written is left.
pub(super) struct Keeper {
    to: BufWriter<File>,
    path: PathBuf,
    good: bool,
}

impl Keeper {
    pub fn add(&mut self, source: &Source, batch: &Batch, bounds: &Bounds<'_>) {
        let class = |(problem, v): &(u32, Verdict)| {
            (*problem, v.answer.clone(), v.method.clone(), v.correct, v.sound, v.rule)
        };
        let names = Names {
            problems: batch.problems.clone(),
            classes: batch.classes.iter().map(class).collect(),
            wrong: bounds.wrong.clone(),
        };
        let tail = edge(source, bounds.to.saturating_sub(EDGE), EDGE.min(bounds.to));
        let (Ok(mut bytes), Some(tail)) = (serde_json::to_vec(&names), tail) else {
            self.good = false;
            return;
        };
        let sizes = [bytes.len() as u64, batch.records.len() as u64];
        bytes.reserve_exact(batch.records.len() * RECORD);
        batch.records.iter().for_each(|r| bytes.extend_from_slice(&r.to_bytes()));
        let mut head = Vec::with_capacity(BLOCK);
        for n in [bounds.to, bounds.lines, tail, sizes[0], sizes[1]] {
            head.extend_from_slice(&n.to_le_bytes());
        }
        self.put(&checked(&head, &bytes).to_le_bytes());
        self.put(&head);
        self.put(&bytes);
    }

    /// Ends the file. One that could not be written in full is removed.
    pub fn finish(mut self) {
        if !self.good || self.to.flush().is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.good = self.good && self.to.write_all(bytes).is_ok();
    }
}

impl Record {
    fn to_bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        let words = [self.place, self.text];
        let halves = [
            self.problem,
            self.class,
            self.index,
            self.length,
            self.token_entropy.to_bits(),
            self.logprob.to_bits(),
            self.entropy_high.to_bits(),
        ];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        for (to, half) in bytes[16..].as_chunks_mut::<4>().0.iter_mut().zip(halves) {
            *to = half.to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; RECORD]) -> Self {
        // The upper half of the eight bytes that end with it.
        let half = |i: usize| (number(bytes, 12 + 4 * i) >> 32) as u32;
        Self {
            place: number(bytes, 0),
            text: number(bytes, 8),
            problem: half(0),
            class: half(1),
            index: half(2),
            length: half(3),
            token_entropy: f32::from_bits(half(4)),
            logprob: f32::from_bits(half(5)),
            entropy_high: f32::from_bits(half(6)),
        }
    }
}

/// Beside the recording.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".idx");
    name.into()
}

/// In the user's cache, by the recording's whole path.
fn cached(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = directories::ProjectDirs::from("", "", "leash").map(|d| d.cache_dir().join("index"));
    let folder = folder.unwrap_or_else(std::env::temp_dir);
    folder.join(format!("{:016x}.idx", bytes_hash(whole.as_os_str().as_encoded_bytes())))
}

/// The whole size of a block by its head; `None` if it claims too much.
fn size(head: &[u8; BLOCK]) -> Option<u64> {
    let (names, records) = (number(head, 32), number(head, 40));
    let records = records.checked_mul(RECORD as u64)?;
    let contents = names.checked_add(records).filter(|size| *size < MOST)?;
    Some(BLOCK as u64 + contents)
}

fn checked(head: &[u8], contents: &[u8]) -> u64 {
    bytes_hash(head).rotate_left(1) ^ bytes_hash(contents)
}

/// A hash of some bytes of the recording.
fn edge(source: &Source, at: u64, length: u64) -> Option<u64> {
    let mut bytes = vec![0; length as usize];
    let n = source.read_at(at, &mut bytes).ok()?;
    Some(bytes_hash(&bytes[..n]))
}

/// Eight bytes as a number.
fn number(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}
