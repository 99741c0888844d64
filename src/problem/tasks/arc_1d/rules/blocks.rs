//! Rules that draw, copy, clean and recolour blocks.

use super::row::{Pair, Row, between, block, blocks, colour, mapped, mirrored, other, with_block};
use crate::random::Stream;

pub(super) fn noise_around(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(2, size, s);
    let c = colour(1, 9, s);
    let output = with_block(size, between(0, size - len, s), &vec![c; len]);
    let mut input = output.clone();
    for _ in 0..between(1, 3, s) {
        let near = |i: usize| input[i.saturating_sub(1)..(i + 2).min(size)].iter().any(|c| *c != 0);
        let free: Vec<usize> = (0..size).filter(|i| !near(*i)).collect();
        if free.is_empty() {
            return None;
        }
        input[free[s.below(free.len())]] = c;
    }
    Some(Pair { input, output })
}

pub(super) fn noise_inside(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(6, size, s);
    let (c, at) = (colour(1, 9, s), between(0, size - len, s));
    let output = with_block(size, at, &vec![c; len]);
    let mut input = output.clone();
    let mut cells: Vec<usize> = (at..at + len).collect();
    s.shuffle(&mut cells);
    for i in &cells[..between(1, (len / 2 - 1).max(1), s)] {
        input[*i] = other(c, s);
    }
    Some(Pair { input, output })
}

pub(super) fn own_size(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(1, size / 2, s);
    let at = between(0, size - 2 * len, s);
    let block = block(len, true, s);
    Some(Pair { input: with_block(size, at, &block), output: with_block(size, at + len, &block) })
}

pub(super) fn filled(size: usize, s: &mut Stream) -> Pair {
    let c = colour(1, 9, s);
    let a = s.below(size - 1);
    let b = between(a + 1, size - 1, s);
    let output = with_block(size, a, &vec![c; b - a + 1]);
    let mut input = vec![0; size];
    (input[a], input[b]) = (c, c);
    Pair { input, output }
}

/// A block at the left is copied to every dot, in the dot's colour or its own.
pub(super) fn copied(size: usize, coloured: bool, s: &mut Stream) -> Option<Pair> {
    let len = if s.chance(0.5) { 3 } else { 5 };
    let c = colour(1, 9, s);
    let mut input = with_block(size, 0, &vec![c; len]);
    let mut output = input.clone();
    let mut at = len + len / 2 + 1;
    let mut dots = 0;
    while at + len <= size {
        if s.chance(0.5) {
            let dot = if coloured { colour(1, 9, s) } else { c };
            input[at] = dot;
            output[at - len / 2..=at + len / 2].fill(dot);
            dots += 1;
            at += len;
        }
        at += 1;
    }
    (dots > 0).then_some(Pair { input, output })
}

pub(super) fn repeated(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(2, 5, s);
    let pattern = block(len, false, s);
    let output: Row = pattern.iter().copied().cycle().take(size).collect();
    let input = output.iter().enumerate().map(|(i, c)| if i < 2 * len { *c } else { 0 }).collect();
    (2 * len < size).then_some(Pair { input, output })
}

pub(super) fn reflected(size: usize, solid: bool, s: &mut Stream) -> Pair {
    let len = between(2, size, s);
    let mut block = block(len, solid, s);
    block[0] = other(block[1], s);
    if s.chance(0.5) {
        block.reverse();
    }
    let at = between(0, size - len, s);
    let input = with_block(size, at, &block);
    block.reverse();
    Pair { input, output: with_block(size, at, &block) }
}

pub(super) fn around_dot(size: usize, s: &mut Stream) -> Option<Pair> {
    let dot = s.below(size);
    let room = dot.min(size - 1 - dot);
    if room == 0 {
        return None;
    }
    let len = between(1, room, s);
    let near = between(1, room - len + 1, s);
    let block = vec![colour(3, 9, s); len];
    let mut input = with_block(size, dot + near, &block);
    let mut output = with_block(size, dot + 1 - near - len, &block);
    (input[dot], output[dot]) = (2, 2);
    Some(if s.chance(0.5) { Pair { input, output } } else { Pair { input: output, output: input } })
}

/// Blocks take the colours that stand at the left, in order.
pub(super) fn palette(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(2, 4, s);
    let count = between(1, 4, s);
    if count + 1 + count * (len + 1) > size {
        return None;
    }
    let mut colours: Row = (1..=9).collect();
    s.shuffle(&mut colours);
    colours.truncate(count);
    let mut input = with_block(size, 0, &colours);
    let mut output = input.clone();
    // What room is left is spread before the blocks.
    let mut spare = size - (count + 1 + count * (len + 1));
    let mut at = count + 1;
    for c in colours {
        let skip = s.below(spare + 1);
        spare -= skip;
        at += skip;
        input[at..at + len].fill(5);
        output[at..at + len].fill(c);
        at += len + 1;
    }
    Some(Pair { input, output })
}

/// A block is repeated away from itself, from a seed on each side, in the seed's colour.
pub(super) fn seeded(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(2, 4, s);
    if len + 4 > size {
        return None;
    }
    let at = between(2, size - len - 2, s);
    let mut input = with_block(size, at, &vec![1; len]);
    let mut output = input.clone();
    let (left, right) = match s.below(3) {
        0 => (true, false),
        1 => (false, true),
        _ => (true, true),
    };
    if left {
        let c = colour(1, 9, s);
        input[at - 2] = c;
        (0..at - 1).filter(|i| (at - 2 - i) % (len + 1) < len).for_each(|i| output[i] = c);
    }
    if right {
        let (c, seed) = (colour(1, 9, s), at + len + 1);
        input[seed] = c;
        (seed..size).filter(|i| (i - seed) % (len + 1) < len).for_each(|i| output[i] = c);
    }
    Some(Pair { input, output })
}

pub(super) fn from_pixel(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(3, size - 5, s);
    let at = between(2, size - len - 2, s);
    let block = block(len, true, s);
    let mut input = with_block(size, at, &block);
    let mut output = input.clone();
    let seed = other(block[0], s);
    input[at - 1] = seed;
    output[..at].fill(seed);
    Some(mirrored(s.chance(0.5), Pair { input, output }))
}

/// From a wall at the left on, each gap takes the colour of the pixel that ends it.
pub(super) fn until_collision(size: usize, s: &mut Stream) -> Option<Pair> {
    let mut input = vec![0; size];
    input[0] = 5;
    for _ in 0..between(2, 4, s) {
        input[between(1, size - 1, s)] = other(5, s);
    }
    let pair = mapped(input, |row| {
        let mut row = row.to_vec();
        let last = row.iter().rposition(|c| *c != 0).unwrap_or(0);
        for i in (1..last).rev() {
            if row[i] == 0 {
                row[i] = row[i + 1];
            }
        }
        row
    });
    Some(mirrored(s.chance(0.5), pair))
}

/// Blocks of two cells get a 3 on both sides.
pub(super) fn marked(size: usize, s: &mut Stream) -> Option<Pair> {
    let mut input = vec![0; size];
    let mut at = s.below(2);
    while at < size {
        let len = between(1, 3, s);
        if s.chance(0.5) && at + len <= size {
            input[at..at + len].fill(other(3, s));
            at += len + 1;
        }
        at += 1;
    }
    let pairs: Vec<usize> =
        blocks(&input).iter().filter(|(_, len, _)| *len == 2).map(|(at, ..)| *at).collect();
    let mut output = input.clone();
    for at in &pairs {
        if *at > 0 {
            output[at - 1] = 3;
        }
        if at + 2 < size {
            output[at + 2] = 3;
        }
    }
    (!pairs.is_empty()).then_some(Pair { input, output })
}
