//! Countdown problems from a seed, and all solutions of the small ones.

use super::expression::{Expr, Op, Ratio};
use crate::problem::Problem;
use crate::problem::tasks::ASK;
use crate::random::Stream;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

/// What a problem asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Puzzle {
    pub numbers: Vec<u32>,
    pub target: u32,
}

impl Puzzle {
    /// Whether it, in any order of its numbers, is kept from training: one in ten is.
    pub fn is_left_out(&self) -> bool {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        let all = numbers.iter().chain([&self.target]);
        // FNV-1a, so that which ones they are never changes.
        let hash =
            all.fold(0xcbf2_9ce4_8422_2325_u64, |h, n| (h ^ u64::from(*n)).wrapping_mul(0x0100_0000_01b3));
        (hash >> 32).is_multiple_of(10)
    }
}

/// Steps of a small problem stay whole and in here, so that they are two digits.
pub const LARGEST: u32 = 99;

/// A small problem with at least two distinct answers: 4 numbers 1–9, a target 10–99; one
/// that training leaves out, or one that it does not.
pub fn puzzle(left_out: bool, stream: &mut Stream) -> Puzzle {
    loop {
        let numbers: Vec<u32> = (0..4).map(|_| 1 + stream.below(9) as u32).collect();
        let Some(target) = any_result(&numbers, stream).filter(|t| *t >= 10) else { continue };
        let puzzle = Puzzle { numbers, target };
        if puzzle.is_left_out() == left_out && answers(&puzzle).len() > 1 {
            return puzzle;
        }
    }
}

/// What some calculation with all numbers comes to.
fn any_result(numbers: &[u32], stream: &mut Stream) -> Option<u32> {
    let mut left = numbers.to_vec();
    while left.len() > 1 {
        let a = left.swap_remove(stream.below(left.len()));
        let b = left.swap_remove(stream.below(left.len()));
        left.push(result(a, Op::ALL[stream.below(4)], b)?);
    }
    left.pop()
}

/// `a op b` where it is whole and within 1 and [`LARGEST`].
pub fn result(a: u32, op: Op, b: u32) -> Option<u32> {
    let result = match op {
        Op::Plus => a.checked_add(b),
        Op::Minus => a.checked_sub(b),
        Op::Times => a.checked_mul(b),
        Op::Over => (b > 0 && a.is_multiple_of(b)).then(|| a / b),
    };
    result.filter(|r| (1..=LARGEST).contains(r))
}

/// The distinct answers of a small problem, each in its normal form with every way of
/// coming to it.
pub fn answers(puzzle: &Puzzle) -> BTreeMap<String, Vec<Expr>> {
    let mut all: BTreeMap<String, Vec<Expr>> = BTreeMap::new();
    for expr in solutions(&puzzle.numbers, puzzle.target) {
        if let Some(form) = expr.form() {
            all.entry(form).or_default().push(expr);
        }
    }
    all
}

/// Every calculation with all numbers that comes to the target in whole steps of at most
/// [`LARGEST`]; sums and products in one order. For up to about five numbers: the work grows
/// as (n!)².
pub fn solutions(numbers: &[u32], target: u32) -> Vec<Expr> {
    let nodes = numbers.iter().map(|n| Node::Number(*n)).collect();
    let mut search = Search { target, nodes, found: Vec::new() };
    let all: Vec<(u32, usize)> = numbers.iter().copied().zip(0..).collect();
    search.go(&all);
    search.found
}

enum Node {
    Number(u32),
    Two(usize, Op, usize),
}

struct Search {
    target: u32,
    nodes: Vec<Node>,
    found: Vec<Expr>,
}

impl Search {
    /// Puts two of what is left together, in every way.
    fn go(&mut self, left: &[(u32, usize)]) {
        if let [(value, node)] = left {
            if *value == self.target {
                self.found.push(self.expr(*node));
            }
            return;
        }
        let mut tried = HashSet::new();
        for i in 0..left.len() {
            for j in (0..left.len()).filter(|j| *j != i) {
                let (a, b) = (left[i], left[j]);
                for op in Op::ALL {
                    // One order of a sum or product is enough, and one of equal numbers.
                    let again = matches!(op, Op::Plus | Op::Times) && i > j;
                    let plain = [a.1, b.1].iter().all(|n| matches!(self.nodes[*n], Node::Number(_)));
                    if again || (plain && !tried.insert((a.0.max(b.0), a.0.min(b.0), op.sign(), a.0 < b.0))) {
                        continue;
                    }
                    let Some(value) = result(a.0, op, b.0) else { continue };
                    let mut rest: Vec<_> =
                        (0..left.len()).filter(|n| *n != i && *n != j).map(|n| left[n]).collect();
                    self.nodes.push(Node::Two(a.1, op, b.1));
                    rest.push((value, self.nodes.len() - 1));
                    self.go(&rest);
                    self.nodes.pop();
                }
            }
        }
    }

    fn expr(&self, node: usize) -> Expr {
        match self.nodes[node] {
            Node::Number(n) => Expr::Number(n.into()),
            Node::Two(a, op, b) => Expr::two(self.expr(a), op, self.expr(b)),
        }
    }
}

/// The problem number `index` of the stream `seed` at a level; `None` for no such level.
pub(super) fn generate(level: &str, seed: u64, index: u64) -> Option<Problem> {
    let mut stream = Stream::new(seed).with("countdown").with(level).at(index);
    let (fewest, most) = match level {
        "embedded" => {
            let puzzle = puzzle(true, &mut stream);
            return Some(of(String::new(), &puzzle));
        }
        "easy" => (4, 6),
        "hard" => (6, 9),
        _ => return None,
    };
    loop {
        let count = fewest + stream.below(most - fewest + 1);
        let Some(expr) = chain(count, &mut stream) else { continue };
        let whole = (100..=999).find(|t| expr.value() == Some(Ratio::whole((*t).into())));
        let Some(target) = whole else { continue };
        let mut numbers = expr.numbers();
        stream.shuffle(&mut numbers);
        let numbers: Vec<u32> = numbers.into_iter().map(|n| n as u32).collect();
        let listed = listed(&numbers);
        let mut problem = problem(String::new(), &Puzzle { numbers, target }, &expr.to_string());
        problem.prompt = format!(
            "Make {target} from the numbers {listed}. Use each of them exactly once, with +, -, *, / and \
             brackets, and write no = sign. For example, (1 + 2) * 3 makes 9 from 1, 2, 3. {ASK}"
        );
        return Some(problem);
    }
}

/// One number after the other, put to what there is; whole all along.
fn chain(count: usize, stream: &mut Stream) -> Option<Expr> {
    let mut value = 1 + stream.below(100) as i64;
    let mut expr = Expr::Number(value as u64);
    for _ in 1..count {
        let number = 1 + stream.below(100) as i64;
        let op = Op::ALL[stream.below(4)];
        value = match op {
            Op::Plus => value + number,
            Op::Minus => value - number,
            Op::Times => value * number,
            Op::Over if value % number == 0 => value / number,
            Op::Over => return None,
        };
        if !(1..100_000).contains(&value) {
            return None;
        }
        expr = Expr::two(expr, op, Expr::Number(number as u64));
    }
    Some(expr)
}

/// A small problem, with the first of its answers as reference.
pub fn of(id: String, puzzle: &Puzzle) -> Problem {
    let all = answers(puzzle);
    let first = all.values().next().and_then(|ways| ways.first());
    problem(id, puzzle, &first.map(Expr::to_string).unwrap_or_default())
}

/// The problem about a puzzle, as the embedded pair is asked it.
pub fn problem(id: String, puzzle: &Puzzle, reference: &str) -> Problem {
    let Puzzle { numbers, target } = puzzle;
    let prompt = format!("Q: Make {target} from {}.\nA:", listed(numbers));
    // Reasoning Gym exports the same names.
    let metadata = json!({ "numbers": numbers, "target": target });
    crate::problem::tasks::problem(id, "countdown", prompt, reference.to_owned(), metadata)
}

fn listed(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// A fixed set of problems that training never sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// What `--task countdown` asks without a seed: every published figure is measured here.
    HeldOut,
    /// Others, to choose recipes on.
    Development,
}

impl Suite {
    /// Problems in a suite.
    pub const LEN: u64 = 50;

    /// Its problems, always the same.
    pub fn problems(self) -> Vec<Problem> {
        let seed = match self {
            Suite::HeldOut => 0,
            Suite::Development => 2507_14843,
        };
        let task = &super::Countdown;
        (0..Suite::LEN).filter_map(|i| super::Task::generate(task, "embedded", seed, i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_solutions_are_found_and_distinct_answers_are_told_apart() {
        let two = |numbers: &[u32], target| -> Vec<String> {
            answers(&Puzzle { numbers: numbers.to_vec(), target }).into_keys().collect()
        };
        assert_eq!(two(&[2, 3], 6), ["3 * 2"]);
        assert_eq!(two(&[2, 2, 4], 8), ["2 * 2 + 4", "4 + 2 + 2"]);
        assert!(two(&[1, 1], 9).is_empty());
    }

    #[test]
    fn one_problem_in_ten_is_left_out_whatever_the_order_of_its_numbers() {
        let stream = Stream::new(1);
        let mut out = 0;
        for i in 0..2000 {
            let mut s = stream.at(i);
            let mut p = Puzzle {
                numbers: (0..4).map(|_| 1 + s.below(9) as u32).collect(),
                target: 10 + s.below(90) as u32,
            };
            out += u32::from(p.is_left_out());
            let before = p.is_left_out();
            p.numbers.reverse();
            assert_eq!(p.is_left_out(), before);
        }
        assert!((150..250).contains(&out), "{out}");
    }

    #[test]
    fn suites_are_fixed_and_training_sees_nothing_of_them() {
        let (held, dev) = (Suite::HeldOut.problems(), Suite::Development.problems());
        assert_eq!((held.len(), dev.len()), (50, 50));
        for p in held.iter().chain(&dev) {
            let numbers = p.metadata["numbers"].as_array().unwrap();
            let numbers = numbers.iter().map(|n| n.as_u64().unwrap() as u32).collect();
            let target = p.metadata["target"].as_u64().unwrap() as u32;
            assert!(Puzzle { numbers, target }.is_left_out(), "{}", p.prompt);
        }
        for i in 0..300 {
            assert!(!puzzle(false, &mut Stream::new(3).at(i)).is_left_out());
        }
    }
}
