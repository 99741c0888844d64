//! The rules of ARC 1D, under the names of Reasoning Gym's table: how an input is drawn,
//! and what becomes of it.

use crate::random::Stream;

type Row = Vec<u8>;

/// A row and what the rule makes of it.
pub(super) struct Pair {
    pub input: Row,
    pub output: Row,
}

/// Draws an input and applies the rule; `None` if the draw does not suit the rule.
type Draw = Box<dyn Fn(usize, &mut Stream) -> Option<Pair>>;

/// What becomes of a row.
type Map = fn(&[u8]) -> Row;

/// A draw that needs no parameters.
type Plain = fn(usize, &mut Stream) -> Option<Pair>;

/// One rule.
pub(super) struct Rule {
    pub name: String,
    draw: Draw,
}

impl Rule {
    /// An example in rows of `size` cells, at least 8.
    pub(super) fn example(&self, size: usize, stream: &mut Stream) -> Pair {
        loop {
            if let Some(pair) = (self.draw)(size, stream) {
                return pair;
            }
        }
    }
}

/// Every rule, in a fixed order.
pub(super) fn all() -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut add = |name: String, draw: Draw| rules.push(Rule { name, draw });
    for (side, left) in [("right", false), ("left", true)] {
        for n in 1..=4 {
            for (look, solid) in [("solid", true), ("colorful", false)] {
                let draw = move |size, s: &mut Stream| Some(mirrored(left, shifted(size, n, solid, s)));
                add(format!("move_{n}pix_{look}_{side}"), Box::new(draw));
                let draw = move |size, s: &mut Stream| Some(mirrored(left, turned(size, n, solid, s)));
                add(format!("move_{n}pix_{look}_wrapped_{side}"), Box::new(draw));
            }
        }
        let pulls: [(&str, u8, Map); 5] = [
            ("gravity", 9, |row| fallen(row, |_| 0)),
            ("gravity_counting", 9, |row| {
                fallen(&row.iter().map(|c| u8::from(*c != 0)).collect::<Row>(), |_| 0)
            }),
            ("gravity_antigravity", 2, parted),
            ("gravity_one_step", 9, stepped),
            ("gravity_weighted_colors", 2, |row| fallen(row, |c| 2 - c)),
        ];
        for (name, colours, rule) in pulls {
            let draw =
                move |size, s: &mut Stream| Some(mirrored(left, mapped(sprinkled(size, colours, s), rule)));
            add(format!("{name}_{side}"), Box::new(draw));
        }
    }
    for n in 1..=4 {
        let draw = move |size, s: &mut Stream| toward_dot(size, 2, Approach::Steps(n), s);
        add(format!("block_touch_dot_{n}pix"), Box::new(draw));
    }
    let single: [(&str, Plain); 24] = [
        ("block_touch_dot", |size, s| toward_dot(size, 1, Approach::Touch, s)),
        ("block_scale_to_dot", |size, s| toward_dot(size, 2, Approach::Grow, s)),
        ("block_and_noise_remove", noise_around),
        ("block_and_noise_remove_inside", noise_inside),
        ("move_block_by_own_size", own_size),
        ("two_points_and_fill", |size, s| Some(filled(size, s))),
        ("two_points_and_fill_inv", |size, s| {
            let Pair { input, output } = filled(size, s);
            Some(Pair { input: output, output: input })
        }),
        ("copy_block_to_dots", |size, s| copied(size, false, s)),
        ("copy_block_to_dots_colors", |size, s| copied(size, true, s)),
        ("repeat_pattern_full", repeated),
        ("reflect_block_with_border_pixel", |size, s| Some(reflected(size, true, s))),
        ("reflect_block_random", |size, s| Some(reflected(size, false, s))),
        ("reflect_block_around_dot", around_dot),
        ("paint_biggest_block", biggest),
        ("recolor_blocks_by_size", two_sizes),
        ("change_to_five", |size, s| {
            Some(mapped(sprinkled(size, 9, s), |row| row.iter().map(|c| 5 * u8::from(*c != 0)).collect()))
        }),
        ("recolor_blocks_from_palette", palette),
        ("color_left_half_blocks", left_halves),
        ("sort_blocks_by_size", sorted),
        ("sort_complete_sequence", sorted_sequence),
        ("duplicate_block_from_seeds", seeded),
        ("fill_from_pixel", from_pixel),
        ("fill_until_collision", until_collision),
        ("mark_size_two_blocks", marked),
    ];
    for (name, draw) in single {
        add(name.to_owned(), Box::new(draw));
    }
    rules
}

/// Uniform in `low..=high`.
fn between(low: usize, high: usize, s: &mut Stream) -> usize {
    low + s.below(high - low + 1)
}

fn colour(low: u8, high: u8, s: &mut Stream) -> u8 {
    between(low.into(), high.into(), s) as u8
}

/// A colour of 1–9 other than this one.
fn other(than: u8, s: &mut Stream) -> u8 {
    let c = colour(1, 8, s);
    c + u8::from(c >= than)
}

fn mapped(input: Row, rule: impl Fn(&[u8]) -> Row) -> Pair {
    let output = rule(&input);
    Pair { input, output }
}

fn mirrored(mirror: bool, mut pair: Pair) -> Pair {
    if mirror {
        pair.input.reverse();
        pair.output.reverse();
    }
    pair
}

/// An empty row with a block in it.
fn with_block(size: usize, at: usize, block: &[u8]) -> Row {
    let mut row = vec![0; size];
    row[at..at + block.len()].copy_from_slice(block);
    row
}

/// Half of the cells coloured at random.
fn sprinkled(size: usize, colours: u8, s: &mut Stream) -> Row {
    (0..size).map(|_| if s.chance(0.5) { colour(1, colours, s) } else { 0 }).collect()
}

/// A block of one or of many colours.
fn block(len: usize, solid: bool, s: &mut Stream) -> Row {
    let one = colour(1, 9, s);
    (0..len).map(|_| if solid { one } else { colour(1, 9, s) }).collect()
}

/// The blocks of equal colour: (where, length, colour).
fn blocks(row: &[u8]) -> Vec<(usize, usize, u8)> {
    let mut at = 0;
    let runs = row.chunk_by(|a, b| a == b).map(|run| {
        at += run.len();
        (at - run.len(), run.len(), run[0])
    });
    runs.filter(|(.., c)| *c != 0).collect()
}

/// Blocks of one colour and of these lengths, at least one cell apart.
fn strewn(size: usize, c: u8, lengths: (usize, usize), s: &mut Stream) -> Row {
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

fn shifted(size: usize, by: usize, solid: bool, s: &mut Stream) -> Pair {
    let len = between(1, size - by - 1, s);
    let at = between(0, size - len - by, s);
    let block = block(len, solid, s);
    Pair { input: with_block(size, at, &block), output: with_block(size, at + by, &block) }
}

fn turned(size: usize, by: usize, solid: bool, s: &mut Stream) -> Pair {
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
fn fallen(row: &[u8], weight: fn(u8) -> u8) -> Row {
    let mut row = row.to_vec();
    row.sort_by_key(|c| if *c == 0 { u8::MAX } else { weight(*c) });
    row
}

/// Twos go left, ones go right.
fn parted(row: &[u8]) -> Row {
    let mut row = row.to_vec();
    row.sort_by_key(|c| [1, 2, 0][usize::from(*c)]);
    row
}

/// From the left, each coloured cell moves one step left if there is room.
fn stepped(row: &[u8]) -> Row {
    let mut row = row.to_vec();
    for i in 1..row.len() {
        if row[i - 1] == 0 {
            row.swap(i - 1, i);
        }
    }
    row
}

#[derive(Clone, Copy)]
enum Approach {
    Touch,
    Steps(usize),
    Grow,
}

/// A block that goes to, or grows to, a dot.
fn toward_dot(size: usize, dot: u8, how: Approach, s: &mut Stream) -> Option<Pair> {
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

fn noise_around(size: usize, s: &mut Stream) -> Option<Pair> {
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

fn noise_inside(size: usize, s: &mut Stream) -> Option<Pair> {
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

fn own_size(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(1, size / 2, s);
    let at = between(0, size - 2 * len, s);
    let block = block(len, true, s);
    Some(Pair { input: with_block(size, at, &block), output: with_block(size, at + len, &block) })
}

fn filled(size: usize, s: &mut Stream) -> Pair {
    let c = colour(1, 9, s);
    let a = s.below(size - 1);
    let b = between(a + 1, size - 1, s);
    let output = with_block(size, a, &vec![c; b - a + 1]);
    let mut input = vec![0; size];
    (input[a], input[b]) = (c, c);
    Pair { input, output }
}

/// A block at the left is copied to every dot, in the dot's colour or its own.
fn copied(size: usize, coloured: bool, s: &mut Stream) -> Option<Pair> {
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

fn repeated(size: usize, s: &mut Stream) -> Option<Pair> {
    let len = between(2, 5, s);
    let pattern = block(len, false, s);
    let output: Row = pattern.iter().copied().cycle().take(size).collect();
    let input = output.iter().enumerate().map(|(i, c)| if i < 2 * len { *c } else { 0 }).collect();
    (2 * len < size).then_some(Pair { input, output })
}

fn reflected(size: usize, solid: bool, s: &mut Stream) -> Pair {
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

fn around_dot(size: usize, s: &mut Stream) -> Option<Pair> {
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

fn biggest(size: usize, s: &mut Stream) -> Option<Pair> {
    let c = colour(2, 9, s);
    let input = strewn(size, c, (2, 6), s);
    let mut all = blocks(&input);
    all.sort_by_key(|(_, len, _)| std::cmp::Reverse(*len));
    let [(at, len, _), (_, second, _), ..] = all[..] else { return None };
    let mut output = input.clone();
    output[at..at + len].fill(1);
    (len > second).then_some(Pair { input, output })
}

fn two_sizes(size: usize, s: &mut Stream) -> Option<Pair> {
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

/// Blocks take the colours that stand at the left, in order.
fn palette(size: usize, s: &mut Stream) -> Option<Pair> {
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

fn left_halves(size: usize, s: &mut Stream) -> Option<Pair> {
    let input = strewn(size, 2, (2, size / 2), s);
    let all = blocks(&input);
    let mut output = input.clone();
    for (at, len, _) in &all {
        output[*at..at + len / 2].fill(8);
    }
    (all.len() >= 2).then_some(Pair { input, output })
}

/// The blocks in order of their size, one cell apart, from the left.
fn in_order(row: &[u8]) -> Row {
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

fn sorted(size: usize, s: &mut Stream) -> Option<Pair> {
    let c = colour(1, 9, s);
    let input = strewn(size, c, (1, 6), s);
    (blocks(&input).len() >= 2).then(|| mapped(input, in_order))
}

/// One block of each size from 1 to the largest that leaves room for all.
fn sorted_sequence(size: usize, s: &mut Stream) -> Option<Pair> {
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

/// A block is repeated away from itself, from a seed on each side, in the seed's colour.
fn seeded(size: usize, s: &mut Stream) -> Option<Pair> {
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

fn from_pixel(size: usize, s: &mut Stream) -> Option<Pair> {
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
fn until_collision(size: usize, s: &mut Stream) -> Option<Pair> {
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
fn marked(size: usize, s: &mut Stream) -> Option<Pair> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_gives_rows_of_the_size_and_changes_something() {
        for rule in all() {
            let mut s = Stream::new(1).with(&rule.name);
            let pairs: Vec<Pair> = (0..40).map(|i| rule.example(10 + i, &mut s)).collect();
            for (i, p) in pairs.iter().enumerate() {
                assert_eq!((p.input.len(), p.output.len()), (10 + i, 10 + i), "{}", rule.name);
                assert!(p.input.iter().chain(&p.output).all(|c| *c <= 9), "{}", rule.name);
            }
            assert!(pairs.iter().any(|p| p.input != p.output), "{}", rule.name);
        }
    }

    #[test]
    fn rules_do_what_their_names_say() {
        assert_eq!(fallen(&[0, 3, 0, 4], |_| 0), [3, 4, 0, 0]);
        assert_eq!(fallen(&[1, 0, 2, 1], |c| 2 - c), [2, 1, 1, 0]);
        assert_eq!(parted(&[1, 0, 2, 1]), [2, 0, 1, 1]);
        assert_eq!(stepped(&[0, 3, 0, 4]), [3, 0, 4, 0]);
        assert_eq!(in_order(&[2, 2, 2, 0, 2, 0, 2, 2]), [2, 0, 2, 2, 0, 2, 2, 2]);
        assert_eq!(blocks(&[0, 2, 2, 0, 3]), [(1, 2, 2), (4, 1, 3)]);
        let names: std::collections::HashSet<String> = all().into_iter().map(|r| r.name).collect();
        assert_eq!(names.len(), 70);
    }
}
