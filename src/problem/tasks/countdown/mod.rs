//! Countdown: make a number of given numbers.
//!
//! After Reasoning Gym's `countdown`: each number is used exactly once. Most problems have
//! many right answers, and answers that are one calculation written in two ways are one, so
//! that the number of distinct right answers says how much of the ground a policy covers.

pub mod expression;
pub mod generator;
mod method;

pub use expression::{Expr, Op};
pub use generator::{Puzzle, Suite};
pub use method::Method;

use super::{Level, Mend, Path, Reading, Task, worked};
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use expression::Ratio;

/// The task: its verifier and its methods.
pub struct Countdown;

const LEVELS: [Level; 3] = [
    Level {
        name: "embedded",
        parameters: "4 numbers 1–9, targets 10–99, none that the embedded pair has seen",
    },
    Level { name: "easy", parameters: "4–6 numbers 1–100, targets 100–999" },
    Level { name: "hard", parameters: "6–9 numbers 1–100, targets 100–999" },
];

impl Task for Countdown {
    fn name(&self) -> &'static str {
        "countdown"
    }

    fn title(&self) -> &'static str {
        "Countdown"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "An expression with + - * / and brackets that uses each number exactly once and comes to \
         the target. Expressions that differ only in order, brackets or where a minus stands are \
         one answer. The package gives 0.05 to other expressions, which are wrong here, and also \
         reads powers and functions and rounds at the fifth digit, which does not count here."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let mut problem = generator::generate(level, seed, index)?;
        problem.id = super::id(self.name(), level, seed, index);
        Some(problem)
    }

    /// An expression of at least two numbers.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let expr = Expr::parse(answer)?;
        let used = sorted(expr.numbers());
        let form = expr.form().filter(|_| used.len() > 1)?;
        let correct = asked(problem).is_some_and(|(numbers, target)| {
            sorted(numbers) == used && expr.value() == Some(Ratio::whole(target.into()))
        });
        Some(Reading { answer: form, correct })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[
            (Repair::Dress, repair::dress),
            (Repair::Equation, repair::without_result),
            (Repair::LatexFraction, repair::bracketed_fraction),
            (Repair::TimesSign, ascii_signs),
        ]
    }

    fn rules(&self) -> &'static [Rule] {
        &[Rule::Tag, Rule::Box, Rule::Marker, Rule::LastLine]
    }

    fn path(&self, problem: &Problem, text: &str, _answer: Option<&str>) -> Path {
        let steps = method::steps(worked(text));
        let Some((numbers, target)) = asked(problem) else { return (None, None) };
        let method = Method::of(&steps, &numbers, target);
        (Some(method.name().to_owned()), Some(method::derives(&steps, &numbers, target)))
    }
}

/// The numbers and the target of a problem, from its metadata.
fn asked(problem: &Problem) -> Option<(Vec<u64>, u64)> {
    let numbers = problem.metadata.get("numbers")?.as_array()?;
    let numbers: Option<Vec<u64>> = numbers.iter().map(|n| n.as_u64()).collect();
    Some((numbers?, problem.metadata.get("target")?.as_u64()?))
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

/// Every sign of multiplication, division and subtraction, and every bracket, as a keyboard
/// has it.
fn ascii_signs(text: &str) -> String {
    let text = text.replace("\\left", "").replace("\\right", "").replace("\\div", "/");
    let text = text.replace("\\times", "*").replace("\\cdot", "*");
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')');
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let plain = match c {
            '×' | '·' | '⋅' | '∙' | '✕' => '*',
            '÷' | '∕' => '/',
            '−' | '–' => '-',
            '[' | '{' => '(',
            ']' | '}' => ')',
            'x' | 'X' if of_number(before) && rest.as_str().trim_start().starts_with(of_number) => '*',
            c => c,
        };
        out.push(plain);
        if !plain.is_whitespace() {
            before = plain;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Verdict, judge};
    use proptest::prelude::*;

    fn puzzle() -> Problem {
        generator::problem("p".into(), &Puzzle { numbers: vec![5, 7, 4, 7], target: 35 }, "(7 - 4) * 7")
    }

    fn verdict(text: &str) -> Verdict {
        judge(&puzzle(), text)
    }

    #[test]
    fn an_answer_is_right_if_it_uses_each_number_once_and_comes_to_the_target() {
        assert_eq!(puzzle().prompt, "Q: Make 35 from 5, 7, 4, 7.\nA:");
        let case = |answer: &str, correct, form: &str| {
            let v = verdict(&format!("So.\n#### {answer}"));
            assert_eq!((v.correct, v.answer.as_deref()), (correct, Some(form)), "{answer}");
        };
        case("7 * 4 + 7 * 1", false, "7 * 4 + 7 * 1");
        case("(7 - 4) * 7 + 5", false, "7 * (7 - 4) + 5");
        case("7 * 4 + 7", false, "7 * 4 + 7");
        case("5 * 7", false, "7 * 5");
        case("7 * (5 - 4) * 7", false, "7 * 7 * (5 - 4)");
        let four = Puzzle { numbers: vec![1, 7, 4, 7], target: 35 };
        let v = judge(&generator::problem("q".into(), &four, ""), "#### 7 + 1 * (4 * 7)");
        assert!(v.correct && v.answer.as_deref() == Some("7 * 4 * 1 + 7"), "{v:?}");
        assert_eq!(verdict("#### 35").answer, None);
    }

    #[test]
    fn the_dress_of_an_answer_is_repaired() {
        let p = generator::problem("q".into(), &Puzzle { numbers: vec![8, 7, 4, 2], target: 30 }, "");
        let case = |answer: &str, want: &[Repair]| {
            let v = judge(&p, &format!("<answer>{answer}</answer>"));
            assert!(v.correct, "{answer} {v:?}");
            assert_eq!(v.repairs.iter().collect::<Vec<_>>(), want, "{answer}");
        };
        case("(8 + 7) * 4 / 2", &[]);
        case("**(8+7)*4/2**", &[Repair::Dress]);
        case("(8 + 7) * 4 / 2 = 30", &[Repair::Equation]);
        case("30 = 15 * 2 = (8 + 7) * 4 / 2", &[Repair::Equation]);
        case("(8 + 7) * 4 / 2 = 60 / 2 = 30.", &[Repair::Dress, Repair::Equation]);
        case("(8 + 7) × 4 ÷ 2 = 30", &[Repair::TimesSign, Repair::Equation]);
        case("\\frac{(8 + 7) \\times 4}{2}", &[Repair::LatexFraction, Repair::TimesSign]);
        case("[8 + 7] x 4 / 2", &[Repair::TimesSign]);
        assert_eq!(ascii_signs("2x3 x 4 X(1 − 6) six"), "2*3 * 4 *(1 - 6) six");
    }

    proptest! {
        /// Right only if the value is the target and the numbers are those given.
        #[test]
        fn every_solution_that_is_found_verifies(index in 0u64..300) {
            let p = Countdown.generate("embedded", 9, index).unwrap();
            let (numbers, target) = asked(&p).unwrap();
            let small = numbers.iter().map(|n| *n as u32).collect::<Vec<_>>();
            let all = generator::solutions(&small, target as u32);
            prop_assert!(all.len() > 1);
            for expr in all {
                let v = judge(&p, &format!("#### {expr}"));
                prop_assert!(v.correct && v.repairs.is_empty() && v.answer == expr.form(), "{}", expr);
                let more = judge(&p, &format!("#### {expr} + 1"));
                prop_assert!(!more.correct);
            }
        }
    }
}
