//! Seeded Leg Counting problems, and the fixed suites.

use super::animals::{Animal, EMBEDDED, TABLE};
use crate::problem::Problem;
use crate::random::Stream;
use serde_json::json;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// What the problems of a stream look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Difficulty {
    /// How many kinds of animals, uniformly.
    pub kinds: RangeInclusive<u32>,
    /// How many of a kind.
    pub counts: Counts,
    /// The kinds to draw from, by their singular.
    pub animals: Vec<&'static str>,
}

/// How many animals of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Counts {
    /// 1 + an exponential of this mean, at most `max`.
    Few {
        mean_extra: f64,
        max: u32,
    },
    Uniform(RangeInclusive<u32>),
}

impl Counts {
    fn draw(&self, stream: &mut Stream) -> u32 {
        match self {
            Counts::Few { mean_extra, max } => (1 + stream.exponential(*mean_extra) as u32).min(*max),
            Counts::Uniform(range) => {
                let span = range.end().saturating_sub(*range.start()) as usize;
                range.start() + stream.below(span + 1) as u32
            }
        }
    }
}

impl Difficulty {
    /// Reasoning Gym's default, its easy set.
    pub fn easy() -> Self {
        Self { kinds: 3..=10, counts: Counts::Uniform(1..=15), animals: whole_table() }
    }

    /// Reasoning Gym's hard set.
    pub fn hard() -> Self {
        Self { kinds: 20..=30, counts: Counts::Uniform(64..=256), animals: whole_table() }
    }
}

fn whole_table() -> Vec<&'static str> {
    TABLE.iter().map(|a| a.singular).collect()
}

impl Default for Difficulty {
    /// What the embedded pair is trained on and the suites are made of.
    fn default() -> Self {
        Self { kinds: 2..=4, counts: Counts::Few { mean_extra: 3.2, max: 12 }, animals: EMBEDDED.to_vec() }
    }
}

/// An animal and how many of it.
pub type Herd = Vec<(&'static Animal, u32)>;

/// The problem number `index` of the stream `seed`: always the same.
pub fn generate(difficulty: &Difficulty, seed: u64, index: u64) -> Problem {
    let mut stream = Stream::new(seed).with("leg_counting/problem").at(index);
    problem(format!("leg_counting/{seed}/{index}"), &herd(difficulty, &mut stream))
}

/// Draws what a problem asks about.
pub fn herd(difficulty: &Difficulty, stream: &mut Stream) -> Herd {
    let mut animals = difficulty.animals.clone();
    stream.shuffle(&mut animals);
    let (low, high) = (*difficulty.kinds.start(), *difficulty.kinds.end());
    let kinds = low as usize + stream.below(high.saturating_sub(low) as usize + 1);
    animals
        .into_iter()
        .filter_map(Animal::named)
        .take(kinds)
        .map(|a| (a, difficulty.counts.draw(stream)))
        .collect()
}

/// The problem about a herd.
pub fn problem(id: String, herd: &Herd) -> Problem {
    let listed: Vec<String> = herd.iter().map(|(a, n)| a.counted(*n)).collect();
    let total: u32 = herd.iter().map(|(a, n)| a.legs * n).sum();
    // Reasoning Gym exports the same object: an animal's singular, and how many.
    let animals: serde_json::Map<_, _> =
        herd.iter().map(|(a, n)| (a.singular.to_owned(), json!(n))).collect();
    Problem {
        id,
        task: Some("leg_counting".into()),
        prompt: format!("Q: {}. How many legs?\nA:", listed.join(", ")),
        reference: Some(total.to_string()),
        metadata: serde_json::Map::from_iter([("animals".to_owned(), animals.into())]),
    }
}

/// A fixed set of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// 50 problems that training never sees: every published figure is measured here.
    HeldOut,
    /// 50 others that training never sees, to choose recipes on.
    Development,
}

impl Suite {
    /// Problems in a suite.
    pub const LEN: usize = 50;

    /// The suite's name, as in a problem's id.
    pub fn name(self) -> &'static str {
        match self {
            Suite::HeldOut => "heldout",
            Suite::Development => "development",
        }
    }

    /// The suite of a name.
    pub fn named(name: &str) -> Option<Suite> {
        [Suite::HeldOut, Suite::Development].into_iter().find(|s| s.name() == name)
    }

    /// The suite's problems: always the same, all different, and none of one in the other.
    pub fn problems(self) -> Vec<Problem> {
        let herds = match self {
            Suite::HeldOut => &SUITES.0,
            Suite::Development => &SUITES.1,
        };
        herds
            .iter()
            .enumerate()
            .map(|(i, h)| problem(format!("leg_counting/{}/{i}", self.name()), h))
            .collect()
    }
}

/// The held-out and the development herds.
static SUITES: LazyLock<(Vec<Herd>, Vec<Herd>)> = LazyLock::new(|| {
    let mut seen = HashSet::new();
    let mut draw = |name: &str| {
        let root = Stream::new(2507_14843).with(name);
        (0..)
            .map(|i| herd(&Difficulty::default(), &mut root.at(i)))
            .filter(|h| seen.insert(signature(h)))
            .take(Suite::LEN)
            .collect()
    };
    (draw("heldout"), draw("development"))
});

static RESERVED: LazyLock<HashSet<Vec<(&'static str, u32)>>> =
    LazyLock::new(|| SUITES.0.iter().chain(&SUITES.1).map(signature).collect());

/// Whether a herd, in any order, is a problem of a suite: training leaves it out.
pub fn is_reserved(herd: &Herd) -> bool {
    RESERVED.contains(&signature(herd))
}

/// The herd in an order that does not depend on how it was listed.
fn signature(herd: &Herd) -> Vec<(&'static str, u32)> {
    let mut s: Vec<_> = herd.iter().map(|(a, n)| (a.singular, *n)).collect();
    s.sort_unstable();
    s
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::judge;

    #[test]
    fn the_same_seed_gives_the_same_problem_and_its_reference_verifies() {
        for i in 0..200 {
            let p = generate(&Difficulty::default(), 3, i);
            assert_eq!(p, generate(&Difficulty::default(), 3, i));
            assert!(judge(&p, &format!("#### {}", p.reference.clone().unwrap())).correct);
        }
        assert_ne!(generate(&Difficulty::easy(), 3, 0), generate(&Difficulty::easy(), 4, 0));
    }

    #[test]
    fn difficulty_is_kept() {
        let d = Difficulty {
            kinds: 3..=3,
            counts: Counts::Few { mean_extra: 9.0, max: 2 },
            animals: vec!["dog", "cat", "crab", "ant"],
        };
        for i in 0..50 {
            let h = herd(&d, &mut Stream::new(i));
            assert!(
                h.len() == 3 && h.iter().all(|(a, n)| (1..=2).contains(n) && d.animals.contains(&a.singular))
            );
        }
    }

    #[test]
    fn suites_are_disjoint_and_reserved_in_any_order() {
        let (held, dev) = (&SUITES.0, &SUITES.1);
        assert_eq!((held.len(), dev.len()), (Suite::LEN, Suite::LEN));
        assert_eq!(RESERVED.len(), 2 * Suite::LEN);
        let mut turned = held[0].clone();
        turned.reverse();
        assert!(is_reserved(&turned) && is_reserved(&dev[7]));
        turned[0].1 += 13;
        assert!(!is_reserved(&turned));
    }

    #[test]
    fn the_held_out_suite_does_not_change() {
        let all: String = Suite::HeldOut.problems().iter().map(|p| p.prompt.as_str()).collect();
        let hash = all
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        assert_eq!(
            hash, 12_456_347_288_581_965_442,
            "the held-out suite is fixed: published figures depend on it"
        );
    }
}
