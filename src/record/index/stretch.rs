//! Scans a file in stretches, several at a time, and gives them in order.

use super::piece::{Piece, Scanner};
use super::{Batch, Index};
use crate::record::RecordError;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};

/// Bytes of a stretch.
pub(super) const BYTES: u64 = 4 << 20;

/// Where a batch ends, and the lines and wrong lines until there.
pub(super) struct Bounds<'a> {
    pub to: u64,
    pub lines: u64,
    pub wrong: &'a super::Wrong,
}

/// How far the stretches are put together: nobody scans far ahead of that.
struct Turn {
    merged: Mutex<u64>,
    changed: Condvar,
}

/// Scans from where the index ends up to `length`.
pub(super) fn scan(
    index: &mut Index,
    length: u64,
    each: &mut dyn FnMut(Batch, Bounds<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, RecordError> {
    let start = index.covered;
    let stretch = index.stretch;
    let count = (length - start).div_ceil(stretch);
    if count == 0 {
        return Ok(ControlFlow::Continue(()));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let workers = cores.min(count);
    let ahead = 4 * workers;
    let turn = Turn { merged: Mutex::new(0), changed: Condvar::new() };
    let next = std::sync::atomic::AtomicU64::new(0);
    index.tables.forget_scanners();
    let (source, known) = (Arc::clone(&index.source), Arc::clone(&index.known));
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel::<(u64, Result<Piece, RecordError>)>();
        for worker in 0..workers {
            let send = send.clone();
            // Numbers hold for one scanner and one reading of the file.
            let mut scanner = Scanner::new(worker as usize);
            let (turn, next, source, known) = (&turn, &next, &source, &known);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if i >= count || !turn.wait(i, ahead) {
                        return;
                    }
                    let from = start + i * stretch;
                    let to = (from + stretch).min(length);
                    let piece = scanner.scan(source, from, to, i == 0, known);
                    if send.send((i, piece)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut early = BTreeMap::new();
        let result = (|| {
            for i in 0..count {
                let piece = loop {
                    if let Some(piece) = early.remove(&i) {
                        break piece;
                    }
                    match receive.recv() {
                        Ok((j, piece)) => early.insert(j, piece),
                        // Every worker has gone: one of them panicked, and the scope says so.
                        Err(_) => return Ok(ControlFlow::Break(())),
                    };
                };
                if index.merge(piece?, length, each)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                turn.set(i + 1);
            }
            Ok(ControlFlow::Continue(()))
        })();
        turn.set(u64::MAX);
        result
    })
}

impl Turn {
    /// Waits until stretch `i` is at most `ahead` of what is merged; false when all is over.
    fn wait(&self, i: u64, ahead: u64) -> bool {
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        while *merged != u64::MAX && i >= *merged + ahead {
            merged = self.changed.wait(merged).unwrap_or_else(PoisonError::into_inner);
        }
        *merged != u64::MAX
    }

    fn set(&self, merged: u64) {
        *self.merged.lock().unwrap_or_else(PoisonError::into_inner) = merged;
        self.changed.notify_all();
    }
}

impl Index {
    fn merge(
        &mut self,
        piece: Piece,
        length: u64,
        each: &mut dyn FnMut(Batch, Bounds<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordError> {
        // A stretch in which no line begins ends where it begins, inside of another's line.
        let to = piece.end.max(self.covered);
        let lines = piece.lines;
        let (mut batch, wrong) = self.tables.merge(piece, &self.source)?;
        self.wrong.join(wrong, self.lines);
        self.covered = to;
        self.lines += lines;
        batch.progress = (to, length);
        Ok(each(batch, Bounds { to, lines: self.lines, wrong: &self.wrong }))
    }
}
