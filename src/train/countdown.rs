//! Countdown's course: the base's corpus of worked solutions, with human-like mistakes.
//!
//! A writer follows one of four ways. What goes wrong: the search ends beside the target,
//! and is told honestly or, by wishful thinking, as if it had come to the target. Whoever
//! works back from the target gets there more often, and few do.

use super::Course;
use crate::problem::tasks::countdown::generator::{self, answers, result};
use crate::problem::tasks::countdown::{Expr, Method, Op, Puzzle, Suite};
use crate::problem::{Problem, judge};
use crate::random::Stream;

/// Countdown, as the embedded pair knows it.
pub struct Countdown;

/// The ways of the corpus with their shares.
const SHARES: [(Method, f64); 4] =
    [(Method::OneByOne, 0.40), (Method::Parts, 0.25), (Method::Back, 0.15), (Method::Glance, 0.20)];

impl Countdown {
    fn puzzle(seed: u64, number: u64) -> Puzzle {
        generator::puzzle(false, &mut Stream::new(seed).with("train/rlvr").at(number))
    }
}

impl Course for Countdown {
    fn task(&self) -> &'static str {
        "countdown"
    }

    fn problem(&self, seed: u64, number: u64) -> Problem {
        generator::of(format!("countdown/rlvr/{number}"), &Self::puzzle(seed, number))
    }

    fn held_out(&self) -> Vec<Problem> {
        Suite::HeldOut.problems()
    }

    fn development(&self) -> Vec<Problem> {
        Suite::Development.problems()
    }

    /// All but the glance, which derives nothing.
    fn methods(&self) -> Vec<(&'static str, f64)> {
        SHARES.iter().filter(|(m, _)| *m != Method::Glance).map(|(m, share)| (m.name(), *share)).collect()
    }

    fn clean(&self, seed: u64, number: u64, method: &str, stream: &mut Stream) -> Option<String> {
        let (method, _) = SHARES.iter().find(|(m, _)| m.name() == method)?;
        let puzzle = Self::puzzle(seed, number);
        let found = found(&puzzle, *method, stream)?;
        let text = written(&found, puzzle.target, *method, None);
        // Where numbers are equal, steps may read as another way too.
        let verdict = judge(&generator::problem(String::new(), &puzzle, ""), &text);
        (verdict.method.as_deref() == Some(method.name())).then_some(text)
    }

    fn example(&self, seed: u64, index: u64) -> (Problem, String) {
        let mut stream = Stream::new(seed).with("train/corpus").at(index);
        let puzzle = generator::puzzle(false, &mut stream);
        let (_, solution) = solution(&puzzle, &mut stream);
        (generator::problem(format!("countdown/corpus/{index}"), &puzzle, ""), solution)
    }

    fn words(&self) -> Vec<String> {
        let digits = (0..10).flat_map(|digit| [format!("{digit}"), format!(" {digit}")]);
        FORMS.into_iter().map(str::to_owned).chain(digits).collect()
    }

    fn steps(&self) -> usize {
        120
    }
}

const FORMS: [&str; 18] = [
    "Q: Make",
    " from",
    "\nA:",
    " One by one:",
    " Parts:",
    " Back:",
    " At a glance.",
    ",",
    ".",
    " +",
    " -",
    " *",
    " /",
    " =",
    "\n####",
    " (",
    "(",
    ")",
];

/// How often a search finds the target, and how often one that does not is told as if.
struct Habits {
    finds: f64,
    wishes: f64,
}

impl Habits {
    fn of(method: Method) -> Self {
        let (finds, wishes) = match method {
            Method::Back => (0.75, 0.5),
            Method::Glance => (0.45, 0.0),
            _ => (0.55, 0.3),
        };
        Self { finds, wishes }
    }
}

/// A solution as a writer would give it, with the usual mistakes.
fn solution(puzzle: &Puzzle, stream: &mut Stream) -> (Method, String) {
    let (method, _) = SHARES[stream.weighted(&SHARES.map(|(_, share)| share))];
    let habits = Habits::of(method);
    let right = stream.chance(habits.finds).then(|| found(puzzle, method, stream)).flatten();
    if let Some(expr) = right {
        return (method, written(&expr, puzzle.target, method, None));
    }
    let wishes = stream.chance(habits.wishes);
    let Some(expr) = tried(puzzle, method, stream) else {
        // No way of this kind stays whole: whoever looks on finds another.
        return solution(puzzle, stream);
    };
    let claimed = if wishes { puzzle.target } else { value(&expr) };
    (method, written(&expr, puzzle.target, method, Some(claimed)))
}

/// One of the answers that a method leads to, each as likely as the others.
fn found(puzzle: &Puzzle, method: Method, stream: &mut Stream) -> Option<Expr> {
    let fitting: Vec<Vec<Expr>> = answers(puzzle)
        .into_values()
        .map(|ways| ways.into_iter().filter(|way| fits(way, method)).collect::<Vec<_>>())
        .filter(|ways| !ways.is_empty())
        .collect();
    if fitting.is_empty() {
        return None;
    }
    let ways = &fitting[stream.below(fitting.len())];
    Some(turned(&ways[stream.below(ways.len())], stream))
}

/// A calculation beside the target: the nearest of a few.
fn tried(puzzle: &Puzzle, method: Method, stream: &mut Stream) -> Option<Expr> {
    const TRIES: usize = 5;
    let mut all: Vec<Expr> = (0..8 * TRIES)
        .filter_map(|_| any(&puzzle.numbers, stream))
        .filter(|e| fits(e, method) && value(e) != puzzle.target)
        .take(TRIES)
        .collect();
    if method == Method::Back {
        all.retain(|e| backwards(e, puzzle.target).is_some());
    }
    let nearest = all.iter().min_by_key(|e| value(e).abs_diff(puzzle.target))?;
    Some(turned(nearest, stream))
}

/// Some calculation with all numbers, in whole steps.
fn any(numbers: &[u32], stream: &mut Stream) -> Option<Expr> {
    let mut left: Vec<(u32, Expr)> = numbers.iter().map(|n| (*n, Expr::Number((*n).into()))).collect();
    while left.len() > 1 {
        let a = left.swap_remove(stream.below(left.len()));
        let b = left.swap_remove(stream.below(left.len()));
        let op = Op::ALL[stream.below(4)];
        left.push((result(a.0, op, b.0)?, Expr::two(a.1, op, b.1)));
    }
    left.pop().map(|(_, expr)| expr)
}

/// What a calculation in whole steps comes to.
fn value(expr: &Expr) -> u32 {
    match expr {
        Expr::Number(n) => *n as u32,
        Expr::Two(a, op, b) => result(value(a), *op, value(b)).unwrap_or(0),
        Expr::Negative(_) => 0,
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Number(_))
}

/// Whether a method leads to a calculation: one number at a time, or parts.
fn fits(expr: &Expr, method: Method) -> bool {
    fn chain(expr: &Expr) -> bool {
        match expr {
            Expr::Two(a, _, b) => (is_number(a) && chain(b)) || (is_number(b) && chain(a)),
            other => is_number(other),
        }
    }
    match method {
        Method::OneByOne | Method::Back => chain(expr),
        Method::Parts => !chain(expr),
        _ => true,
    }
}

/// Sums and products turned as people write them: what was just worked out mostly first.
fn turned(expr: &Expr, stream: &mut Stream) -> Expr {
    let Expr::Two(a, op, b) = expr else { return expr.clone() };
    let (left, right) = (turned(a, stream), turned(b, stream));
    let turns = match (op, is_number(a), is_number(b)) {
        (Op::Minus | Op::Over, ..) => false,
        (_, true, false) => stream.chance(0.9),
        (_, false, true) => stream.chance(0.1),
        _ => stream.chance(0.5),
    };
    if turns { Expr::two(right, *op, left) } else { Expr::two(left, *op, right) }
}

/// From the leading space to the answer; `claimed` is what the last step is said to come to,
/// where that is not the target.
fn written(expr: &Expr, target: u32, method: Method, claimed: Option<u32>) -> String {
    let claimed = claimed.unwrap_or(target);
    let steps = match method {
        Method::Back => match backwards(expr, target) {
            // Wishing, the last two numbers are said to make what is still to be made.
            Some((mut steps, wanted, last)) => {
                let own = value(last);
                steps.push(step(last, if claimed == target { wanted } else { own }));
                steps
            }
            None => Vec::new(),
        },
        Method::Glance => return format!(" At a glance.\n#### {expr}"),
        _ => forwards(expr, claimed),
    };
    let label = match method {
        Method::Back => "Back",
        Method::Parts => "Parts",
        _ => "One by one",
    };
    format!(" {label}: {}.\n#### {expr}", steps.join(", "))
}

fn step(expr: &Expr, comes_to: u32) -> String {
    let Expr::Two(a, op, b) = expr else { return String::new() };
    format!("{} {} {} = {comes_to}", value(a), op.sign(), value(b))
}

/// The steps in the order of the work; the last is said to come to `claimed`.
fn forwards(expr: &Expr, claimed: u32) -> Vec<String> {
    fn go(expr: &Expr, out: &mut Vec<String>) {
        let Expr::Two(a, _, b) = expr else { return };
        go(a, out);
        go(b, out);
        out.push(step(expr, value(expr)));
    }
    let mut out = Vec::new();
    go(expr, &mut out);
    out.pop();
    out.push(step(expr, claimed));
    out
}

/// The steps back from the target to the last two numbers, what these must make, and their
/// calculation. `None` where a step would not stay whole.
fn backwards(expr: &Expr, target: u32) -> Option<(Vec<String>, u32, &Expr)> {
    let (mut steps, mut goal, mut at) = (Vec::new(), target, expr);
    loop {
        let Expr::Two(a, op, b) = at else { return None };
        if is_number(a) && is_number(b) {
            return Some((steps, goal, at));
        }
        let number_first = is_number(a);
        let n = value(if number_first { a } else { b });
        let (left, undo, right) = match (op, number_first) {
            (Op::Plus, _) => (goal, Op::Minus, n),
            (Op::Times, _) => (goal, Op::Over, n),
            (Op::Minus, true) => (n, Op::Minus, goal),
            (Op::Over, true) => (n, Op::Over, goal),
            (Op::Minus, false) => (goal, Op::Plus, n),
            (Op::Over, false) => (goal, Op::Times, n),
        };
        goal = result(left, undo, right)?;
        steps.push(format!("{left} {} {right} = {goal}", undo.sign()));
        at = if number_first { b } else { a };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_of_the_corpus_is_recognised_with_its_mistakes() {
        let (mut known, mut correct, mut sound) = (0, 0, 0);
        for i in 0..3000 {
            let mut stream = Stream::new(1).at(i);
            let puzzle = generator::puzzle(false, &mut stream);
            let problem = generator::problem(String::new(), &puzzle, "");
            let (method, text) = solution(&puzzle, &mut stream);
            let v = judge(&problem, &text);
            assert!(v.answer.is_some(), "{text}");
            known += u32::from(v.method.as_deref() == Some(method.name()));
            correct += u32::from(v.correct);
            sound += u32::from(v.sound == Some(true));
        }
        // `9 - 5 = 4, 4 + 7 = 11, 4 * 11 = 44` of 9, 5, 4 and 7 goes both ways.
        assert!(known >= 2900, "{known}");
        assert!((1300..1900).contains(&correct) && sound < correct, "{correct} {sound}");
    }

    #[test]
    fn examples_are_of_problems_that_are_not_left_out() {
        for i in 0..300 {
            let (problem, text) = Countdown.example(4, i);
            let numbers = problem.metadata["numbers"].as_array().unwrap();
            let numbers = numbers.iter().map(|n| n.as_u64().unwrap() as u32).collect();
            let target = problem.metadata["target"].as_u64().unwrap() as u32;
            assert!(!Puzzle { numbers, target }.is_left_out(), "{}{text}", problem.prompt);
            assert_eq!(Countdown.example(4, i), (problem, text));
        }
    }
}
