//! Rules that go by the size of blocks.

use super::row::{Pair, Row, between, blocks, colour, mapped, strewn, with_block};
use crate::random::Stream;

pub(super) fn biggest(size: usize, s: &mut Stream) -> Option<Pair> {
    let c = colour(2, 9, s);
    let input = strewn(size, c, (2, 6), s);
    let mut all = blocks(&input);
    all.sort_by_key(|(_, len, _)| std::cmp::Reverse(*len));
    let [(at, len, _), (_, second, _), ..] = all[..] else { return None };
    let mut output = input.clone();
    output[at..at + len].fill(1);
    (len > second).then_some(Pair { input, output })
}

pub(super) fn two_sizes(size: usize, s: &mut Stream) -> Option<Pair> {
    let (a, b) = (between(2, 8, s), between(2, 8, s));
    if a == b || a + b + 1 > size {
        return None;
    }
    let at = between(0, size - a - b - 1, s);
    let mut input = with_block(size, at, &vec![3; a]);
    let second = between(at + a + 1, size - b, s);
    input[second..second + b].fill(3);
    Some(mapped(input, |row| {
        let mut row = row.to_vec();
        row[at..at + a].fill(if a > b { 1 } else { 2 });
        row[second..second + b].fill(if a > b { 2 } else { 1 });
        row
    }))
}

pub(super) fn left_halves(size: usize, s: &mut Stream) -> Option<Pair> {
    let input = strewn(size, 2, (2, size / 2), s);
    let all = blocks(&input);
    let mut output = input.clone();
    for (at, len, _) in &all {
        output[*at..at + len / 2].fill(8);
    }
    (all.len() >= 2).then_some(Pair { input, output })
}

/// The blocks in order of their size, one cell apart, from the left.
pub(super) fn in_order(row: &[u8]) -> Row {
    let mut all = blocks(row);
    all.sort_by_key(|(_, len, _)| *len);
    let mut sorted = vec![0; row.len()];
    let mut at = 0;
    for (_, len, c) in all {
        sorted[at..at + len].fill(c);
        at += len + 1;
    }
    sorted
}

pub(super) fn sorted(size: usize, s: &mut Stream) -> Option<Pair> {
    let c = colour(1, 9, s);
    let input = strewn(size, c, (1, 6), s);
    (blocks(&input).len() >= 2).then(|| mapped(input, in_order))
}

/// One block of each size from 1 to the largest that leaves room for all.
pub(super) fn sorted_sequence(size: usize, s: &mut Stream) -> Option<Pair> {
    let largest = (1..).take_while(|n| n * (n + 3) / 2 <= size).last()?;
    let mut sizes: Vec<usize> = (1..=largest).collect();
    s.shuffle(&mut sizes);
    let c = colour(1, 9, s);
    let mut input = vec![0; size];
    let mut at = 0;
    for len in sizes {
        input[at..at + len].fill(c);
        at += len + 1;
    }
    Some(mapped(input, in_order))
}
