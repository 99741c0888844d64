//! Rows of cells, and what every rule draws them from.

use crate::random::Stream;

pub(super) type Row = Vec<u8>;

/// A row and what the rule makes of it.
pub struct Pair {
    pub input: Row,
    pub output: Row,
}

/// Uniform in `low..=high`.
pub(super) fn between(low: usize, high: usize, s: &mut Stream) -> usize {
    low + s.below(high - low + 1)
}

pub(super) fn colour(low: u8, high: u8, s: &mut Stream) -> u8 {
    between(low.into(), high.into(), s) as u8
}

/// A colour of 1–9 other than this one.
pub(super) fn other(than: u8, s: &mut Stream) -> u8 {
    let c = colour(1, 8, s);
    c + u8::from(c >= than)
}

pub(super) fn mapped(input: Row, rule: impl Fn(&[u8]) -> Row) -> Pair {
    let output = rule(&input);
    Pair { input, output }
}

pub(super) fn mirrored(mirror: bool, mut pair: Pair) -> Pair {
    if mirror {
        pair.input.reverse();
        pair.output.reverse();
    }
    pair
}

/// An empty row with a block in it.
pub(super) fn with_block(size: usize, at: usize, block: &[u8]) -> Row {
    let mut row = vec![0; size];
    row[at..at + block.len()].copy_from_slice(block);
    row
}

/// Half of the cells coloured at random.
pub(super) fn sprinkled(size: usize, colours: u8, s: &mut Stream) -> Row {
    (0..size).map(|_| if s.chance(0.5) { colour(1, colours, s) } else { 0 }).collect()
}

/// A block of one or of many colours.
pub(super) fn block(len: usize, solid: bool, s: &mut Stream) -> Row {
    let one = colour(1, 9, s);
    (0..len).map(|_| if solid { one } else { colour(1, 9, s) }).collect()
}

/// The blocks of equal colour: (where, length, colour).
pub(super) fn blocks(row: &[u8]) -> Vec<(usize, usize, u8)> {
    let mut at = 0;
    let runs = row.chunk_by(|a, b| a == b).map(|run| {
        at += run.len();
        (at - run.len(), run.len(), run[0])
    });
    runs.filter(|(.., c)| *c != 0).collect()
}

/// Blocks of one colour and of these lengths, at least one cell apart.
pub(super) fn strewn(size: usize, c: u8, lengths: (usize, usize), s: &mut Stream) -> Row {
    let mut row = vec![0; size];
    let mut at = 0;
    while at < size {
        let len = between(lengths.0, lengths.1, s);
        if s.chance(0.4) && at + len <= size {
            row[at..at + len].fill(c);
            at += len;
        }
        at += 1;
    }
    row
}
