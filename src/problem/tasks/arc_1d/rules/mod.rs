//! The rules of ARC 1D, under the names of Reasoning Gym's table: how an input is drawn,
//! and what becomes of it.

mod blocks;
mod moves;
mod row;
mod sizes;

pub(super) use row::Pair;

use crate::random::Stream;
use blocks::{
    around_dot, copied, filled, from_pixel, marked, noise_around, noise_inside, own_size, palette, reflected,
    repeated, seeded, until_collision,
};
use moves::{Approach, fallen, parted, shifted, stepped, toward_dot, turned};
use row::{Row, mapped, mirrored, sprinkled};
use sizes::{biggest, left_halves, sorted, sorted_sequence, two_sizes};

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

#[cfg(test)]
mod tests {
    use super::row::blocks;
    use super::sizes::in_order;
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
