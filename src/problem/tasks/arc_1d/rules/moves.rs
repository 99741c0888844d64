//! Rules that move what is there.

use super::row::{Pair, Row, between, block, colour, mapped, mirrored, with_block};
use crate::random::Stream;

pub(super) fn shifted(size: usize, by: usize, solid: bool, s: &mut Stream) -> Pair {
    let len = between(1, size - by - 1, s);
    let at = between(0, size - len - by, s);
    let block = block(len, solid, s);
    Pair { input: with_block(size, at, &block), output: with_block(size, at + by, &block) }
}

pub(super) fn turned(size: usize, by: usize, solid: bool, s: &mut Stream) -> Pair {
    let len = between(1, size, s);
    let mut input = with_block(size, 0, &block(len, solid, s));
    input.rotate_right(s.below(size));
    mapped(input, |row| {
        let mut row = row.to_vec();
        row.rotate_right(by);
        row
    })
}

/// Everything coloured falls to the left, in the order of `weight`.
pub(super) fn fallen(row: &[u8], weight: fn(u8) -> u8) -> Row {
    let mut row = row.to_vec();
    row.sort_by_key(|c| if *c == 0 { u8::MAX } else { weight(*c) });
    row
}

/// Twos go left, ones go right.
pub(super) fn parted(row: &[u8]) -> Row {
    let mut row = row.to_vec();
    row.sort_by_key(|c| [1, 2, 0][usize::from(*c)]);
    row
}

/// From the left, each coloured cell moves one step left if there is room.
pub(super) fn stepped(row: &[u8]) -> Row {
    let mut row = row.to_vec();
    for i in 1..row.len() {
        if row[i - 1] == 0 {
            row.swap(i - 1, i);
        }
    }
    row
}

#[derive(Clone, Copy)]
pub(super) enum Approach {
    Touch,
    Steps(usize),
    Grow,
}

/// A block that goes to, or grows to, a dot.
pub(super) fn toward_dot(size: usize, dot: u8, how: Approach, s: &mut Stream) -> Option<Pair> {
    let c = colour(dot + 1, 9, s);
    let dot_at = s.below(size);
    let len = between(1, size - 1, s);
    // Left of the dot; the other side is its mirror.
    if dot_at < len {
        return None;
    }
    let at = between(0, dot_at - len, s);
    let gap = dot_at - len - at;
    let draw = |at: usize, len: usize| {
        let mut row = with_block(size, at, &vec![c; len]);
        if row[dot_at] == 0 {
            row[dot_at] = dot;
        }
        row
    };
    let output = match how {
        Approach::Touch => draw(at + gap, len),
        Approach::Steps(n) => draw(at + gap.min(n), len),
        Approach::Grow => draw(at, len + gap + 1),
    };
    Some(mirrored(s.chance(0.5), Pair { input: draw(at, len), output }))
}
