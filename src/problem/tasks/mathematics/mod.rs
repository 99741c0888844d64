//! Mathematics: the verifier for references as in AIME, AMC, MATH-500, Minerva and
//! OlympiadBench.
//!
//! An answer is found by tag, last box, marker, after thinking, last number, in this order,
//! and is right if it is equal to the reference as mathematics: numbers in any notation,
//! percentages, units and currencies aside, intervals, sets, points, matrices, equations,
//! and expressions that are equal for every value of their variables.

mod equal;
mod expression;
mod parse;
mod token;

use super::{Level, Mend, Reading, Task};
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use parse::Value;
use regex::Regex;
use std::sync::LazyLock;

/// The task. It generates no problems.
pub struct Mathematics;

/// Longer answers, in bytes, are compared as texts.
const LONGEST: usize = 2048;

impl Task for Mathematics {
    fn name(&self) -> &'static str {
        "mathematics"
    }

    fn title(&self) -> &'static str {
        "Mathematics"
    }

    fn levels(&self) -> &'static [Level] {
        &[]
    }

    fn scoring(&self) -> &'static str {
        "What equals the reference as mathematics: numbers in any notation, units and currencies \
         aside, intervals, sets, points, matrices, equations, expressions equal for every value \
         of their variables."
    }

    fn generate(&self, _: &str, _: u64, _: u64) -> Option<Problem> {
        None
    }

    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let answer = cleaned(answer);
        if answer.is_empty() {
            return None;
        }
        let reference = cleaned(problem.reference.as_deref().unwrap_or_default());
        let (correct, form) = compared(&reference, &answer);
        Some(Reading { answer: form, correct })
    }

    fn rules(&self) -> &'static [Rule] {
        &Rule::NUMBER
    }

    fn repairs(&self) -> &'static [Mend] {
        &[(Repair::Dress, repair::dress)]
    }
}

/// Whether an answer equals a reference.
pub fn equal(reference: &str, answer: &str) -> bool {
    let (reference, answer) = (cleaned(reference), cleaned(answer));
    !answer.is_empty() && compared(&reference, &answer).0
}

/// Whether an answer equals a reference, and its form: that of the reference if it does, so
/// that right answers are one answer however they are written.
fn compared(reference: &str, answer: &str) -> (bool, String) {
    if let (Some(a), Some(b)) = (integer(reference), integer(answer)) {
        return (a == b, b.to_string());
    }
    let (wanted, given) = (plain(reference), plain(answer));
    if !wanted.is_empty() && wanted == given {
        return (true, form(value(reference), wanted));
    }
    let (a, b) = (value(reference), value(answer));
    let correct = !wanted.is_empty() && a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| equal::equal(a, b));
    (correct, if correct { form(a, wanted) } else { form(b, given) })
}

/// Digits alone, with a sign: most answers, and no mathematics is needed for them.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let short = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if short { text.parse().ok() } else { None }
}

fn value(text: &str) -> Option<Value> {
    if text.len() > LONGEST { None } else { parse::value(text) }
}

/// A form that equal numbers share: `3.50` and `\frac72` are both `3.5`; what is no number
/// is written plainly.
fn form(value: Option<Value>, plain: String) -> String {
    match value.map(|v| equal::right_side(&v)) {
        Some(Value::Expr(e)) if !equal::has_variable(&e) => match equal::real(&e, 0) {
            Some(x) if x.fract() == 0.0 && x.abs() < 9e15 => format!("{x}"),
            Some(x) if x.is_finite() => format!("{x:.9}").trim_end_matches('0').to_owned(),
            _ => plain,
        },
        _ => plain,
    }
}

/// The text without blanks, cases and what only changes its look.
fn plain(text: &str) -> String {
    let short = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace() && *c != '$').flat_map(char::to_lowercase).collect()
    };
    if !text.contains('\\') {
        return short(text);
    }
    let text = text.replace("\\left", "").replace("\\right", "").replace("\\dfrac", "\\frac");
    short(&text.replace("\\tfrac", "\\frac").replace("\\!", "").replace("\\,", ""))
}

/// The answer without currencies, words around it and units behind it.
fn cleaned(text: &str) -> String {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\\(?:text|textbf|textrm|mathrm|mbox|textit|mathbf)\s*\{([^{}]*)\}")
            .expect("a valid expression")
    });
    static UNIT: LazyLock<Regex> = LazyLock::new(|| {
        let units = "degrees?|cm|mm|km|kg|mg|meters?|metres?|miles?|inches|inch|feet|foot|ft|yards?|seconds?|\
                     minutes?|hours?|days?|weeks?|months?|years?|dollars?|cents?|units?|square|cubic|sq|percent|\
                     mph|ways|people|students|points?|pounds?|grams?|liters?|litres?|m|s|g|h|N|J|W|K|eV|Hz|Pa";
        let text = format!(r"(\d|\}}|\)|π)\s*\\?\s*(?:(?:{units})\b[\s./]*(?:\^?\{{?[23²³]\}}?)?\s*)+$");
        Regex::new(&text).expect("a valid expression")
    });
    let text = text.trim();
    let number = |b: u8| b.is_ascii_digit() || b == b'-' || b == b'/';
    if text.len() > LONGEST || text.bytes().all(number) {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    let mut swap = |from: &str, to: &str| {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    };
    for from in ["\\$", "€", "£", "\\(", "\\)", "\\[", "\\]"] {
        swap(from, "");
    }
    swap("\\%", "%");
    swap("~", " ");
    swap("percent", "%");
    let text = if text.contains("\\t") || text.contains("\\m") {
        WORDS.replace_all(&text, " $1 ")
    } else {
        text.into()
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '$' | '*' | '`' | '"'));
    let text = text.strip_suffix(['.', ',', ';', ':']).unwrap_or(text).trim();
    // A unit stands behind a number or a closing bracket, never behind a variable.
    match text
        .ends_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '/' | '}' | '2' | '3' | '²' | '³'))
    {
        true => UNIT.replace(&text, "$1").trim().to_owned(),
        false => text.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_mathematics_is_one_answer() {
        for (a, b) in [
            ("1/2", "0.5"),
            ("\\frac{1}{2}", "\\frac12"),
            ("3\\frac12", "3.5"),
            ("3 1/2", "7/2"),
            ("10\\%", "0.1"),
            ("10\\%", "10"),
            ("1,000", "1000"),
            ("1{,}000{,}000", "10^6"),
            ("\\$5.00", "5"),
            ("5 \\text{ cm}", "5"),
            ("12\\text{ cm}^2", "12"),
            ("90^\\circ", "90"),
            ("x=5", "5"),
            ("\\sqrt{8}", "2\\sqrt2"),
            ("\\sqrt[3]{8}", "2"),
            ("x^2-1", "(x-1)(x+1)"),
            ("\\frac{x^2-1}{x-1}", "x+1"),
            ("2\\pi r", "r \\cdot 2 \\pi"),
            ("(1, 2)", "\\left(1,2\\right)"),
            ("\\{1, 2\\}", "2, 1"),
            ("[0, \\infty)", "[0,\\infty)"),
            ("(-\\infty,1)\\cup(2,3]", "(2,3]\\cup(-\\infty,1)"),
            ("1\\pm\\sqrt2", "\\{1+\\sqrt2, 1-\\sqrt2\\}"),
            ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}"),
            ("x+y=3", "y=3-x"),
            ("x<3", "3>x"),
            ("\\binom{5}{2}", "10"),
            ("5!", "120"),
            ("\\log_2 8", "3"),
            ("\\sin^2 x + \\cos^2 x", "1"),
            ("\\text{Tuesday}", "tuesday"),
            ("2^{100}", "1267650600228229401496703205376"),
            ("\\frac{\\sqrt{3}}{3}", "\\frac{1}{\\sqrt{3}}"),
            ("-\\frac{1}{2}", "\\frac{-1}{2}"),
        ] {
            assert!(equal(a, b), "{a} = {b}");
            assert!(equal(b, a), "{b} = {a}");
        }
    }

    #[test]
    fn different_mathematics_is_not() {
        for (a, b) in [
            ("1/2", "0.51"),
            ("0.333", "1/3"),
            ("\\pi", "3.14159"),
            ("[0,1)", "[0,1]"),
            ("(1,2)", "[1,2]"),
            ("(1,2)", "(2,1)"),
            ("\\{1,2\\}", "\\{1,2,3\\}"),
            ("x^2", "x^3"),
            ("x<3", "x>3"),
            ("\\sqrt2", "2"),
            ("2^{100}", "1267650600228229401496703205377"),
            ("5", ""),
            ("", ""),
            ("12", "1,2"),
            ("ab", "a+b"),
        ] {
            assert!(!equal(a, b), "{a} ≠ {b}");
            assert!(!equal(b, a), "{b} ≠ {a}");
        }
    }

    #[test]
    fn equal_numbers_share_a_form() {
        for (text, want) in [("3.50", "3.5"), ("\\frac72", "3.5"), ("x = 4", "4"), ("x + 1", "x+1")] {
            assert_eq!(compared("", text).1, want);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_compared(text in "([0-9]{1,3}|[-+*/^=<>,.;:!%$|&_ ]|[(){}\\[\\]]|\\\\(frac|sqrt|text|pm|begin|end|left|cup|log|circ|\\\\|\\{|\\})|[xyeπ∞√]){0,40}") {
            let _ = (equal("\\frac{1}{2}", &text), equal(&text, &text), compared("1", &text));
        }
    }
}
