//! Power Function: a number to a whole power, to three significant digits.

use super::{ASK, Level, Mend, Path, Reading, Task, id, problem, worked};
use crate::problem::python::Rounded;
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use crate::random::Stream;
use regex::Regex;
use serde_json::json;
use std::sync::LazyLock;

/// The task.
pub struct PowerFunction;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "base −1000…1000, exponent −8…8" },
    Level { name: "hard", parameters: "base −1000…1000, exponent ±4…±8" },
];

impl Task for PowerFunction {
    fn name(&self) -> &'static str {
        "power_function"
    }

    fn title(&self) -> &'static str {
        "Power Function"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "The value to 3 significant figures. The package gives 0.01 to any other answer; here \
         that is wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let low = match level {
            "easy" => 0,
            "hard" => 4,
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("power_function").with(level).at(index);
        let base = ((stream.unit() * 2e7).round() - 1e7) / 1e4;
        // Zero has no negative powers.
        let base = if base == 0.0 { 1.0 } else { base };
        let size = (low + stream.below(9 - low)) as i32;
        let exponent = if stream.chance(0.5) { -size } else { size };
        let solution = base.powi(exponent);
        let prompt = format!(
            "What is {base}^{exponent}, to 3 significant digits? Write it in scientific notation with an e, such \
             as 1.23e+4. {ASK}"
        );
        let metadata = json!({ "base": base, "exponent": exponent, "solution": solution });
        let reference = Rounded::read(&format!("{solution:e}"))?.to_string();
        Some(problem(id("power_function", level, seed, index), "power_function", prompt, reference, metadata))
    }

    /// Right if it agrees with the reference to three significant digits.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let answer = Rounded::read(answer)?;
        let correct = problem.reference.as_deref().and_then(Rounded::read) == Some(answer);
        Some(Reading { answer: answer.to_string(), correct })
    }

    fn rules(&self) -> &'static [Rule] {
        &[Rule::Tag, Rule::Box, Rule::Marker, Rule::LastLine, Rule::LastNumber]
    }

    fn repairs(&self) -> &'static [Mend] {
        &[
            (Repair::Dress, repair::dress),
            (Repair::RightHandSide, repair::right_hand_side),
            (Repair::ScientificNotation, repair::scientific_notation),
        ]
    }

    /// Squaring, repeated products, logarithms, or no work at all; sound if each product
    /// is right to 2 % and the last one, or its inverse, is the answer.
    fn path(&self, problem: &Problem, text: &str, _answer: Option<&str>) -> Path {
        let text = worked(text);
        let products = products(text);
        let base = problem.metadata.get("base").and_then(|b| b.as_f64());
        let Some(&(a, _, last)) = products.last() else {
            let name = if LOGARITHM.is_match(text) { "logarithms" } else { "at a glance" };
            return (Some(name.into()), Some(false));
        };
        let close = |x: f64, y: f64| (x - y).abs() <= 0.02 * x.abs().max(y.abs());
        let near_base = |x: f64| base.is_some_and(|b| close(x.abs(), b.abs()));
        let squares = products.iter().filter(|(a, b, _)| close(*a, *b) && !near_base(*a)).count();
        let steps = products.iter().filter(|(a, b, _)| near_base(*a) || near_base(*b)).count();
        let name = match (squares, steps) {
            (0, 0) => "other steps",
            (0, _) => "repeated product",
            _ => "by squaring",
        };
        let target = problem.metadata.get("solution").and_then(|s| s.as_f64());
        let arrives = target.is_some_and(|t| close(last, t) || (a != 0.0 && close(1.0 / last, t)));
        (Some(name.into()), Some(arrives && products.iter().all(|(a, b, c)| close(a * b, *c))))
    }
}

static LOGARITHM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:log|ln|logarithm)").expect("a valid expression"));

/// Every `a × b = c` and `a^2 = c` of a text.
fn products(text: &str) -> Vec<(f64, f64, f64)> {
    static PRODUCT: LazyLock<Regex> = LazyLock::new(|| {
        let number = r"\(?(-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)\)?";
        let text = format!(
            r"{number}\s*(?:(?:×|\*|x|\\times|\\cdot)\s*{number}|(?:\^2|²))\s*(?:=|≈|\\approx)\s*{number}"
        );
        Regex::new(&text).expect("a valid expression")
    });
    let number = |m: Option<regex::Match>| m.and_then(|m| m.as_str().replace(',', "").parse::<f64>().ok());
    PRODUCT
        .captures_iter(text)
        .filter_map(|c| {
            let a = number(c.get(1))?;
            Some((a, number(c.get(2)).unwrap_or(a), number(c.get(3))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> (String, bool) {
        let metadata = json!({ "base": 2.5, "exponent": 4, "solution": 39.0625 });
        let p = problem("p".into(), "power_function", "2.5^4".into(), "3.91e+1".into(), metadata);
        let v = PowerFunction.judge(&p, text);
        (v.method.unwrap(), v.sound.unwrap())
    }

    #[test]
    fn methods_are_known_by_their_products() {
        let case = |text: &str, name: &str, sound| assert_eq!(path(text), (name.to_owned(), sound), "{text}");
        case("2.5^2 = 6.25. 6.25 × 6.25 = 39.0625.\n#### 3.91e1", "by squaring", true);
        case(
            "2.5 x 2.5 = 6.25, 6.25 x 2.5 = 15.625, 15.625 * 2.5 = 39.0625\n#### 3.91e1",
            "repeated product",
            true,
        );
        case(
            "2.5 x 2.5 = 6.25, 6.25 x 2.5 = 16.5, 16.5 x 2.5 = 39.0625\n#### 3.91e1",
            "repeated product",
            false,
        );
        case("4 log 2.5 is 1.59\n#### 3.91e1", "logarithms", false);
        case("#### 3.91e1", "at a glance", false);
        case("2.5^2 = 6.25. 6.25 × 6.25 = 39.0625.\n#### 3.9e1", "by squaring", false);
    }
}
