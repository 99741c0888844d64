//! Prime Factorization: the primes whose product is a number.

use super::{ASK, Level, Mend, Path, Reading, Task, id, problem, worked};
use crate::problem::Problem;
use crate::problem::python::{int, strip};
use crate::problem::repair::{self, Repair};
use crate::random::Stream;
use regex::Regex;
use serde_json::json;
use std::sync::LazyLock;

/// The task.
pub struct PrimeFactorization;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "numbers 2–1000" },
    Level { name: "hard", parameters: "numbers 1000–5000" },
];

impl Task for PrimeFactorization {
    fn name(&self) -> &'static str {
        "prime_factorization"
    }

    fn title(&self) -> &'static str {
        "Prime Factorization"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "The primes in any order. The package gives 0.5 to other factors of the same product and \
         0.01 to any other answer; here both are wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (low, high) = match level {
            "easy" => (2, 1000),
            "hard" => (1000, 5000),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("prime_factorization").with(level).at(index);
        let number = (low + stream.below(high - low + 1)) as u64;
        let factors = primes(number);
        let prompt = format!(
            "Write {number} as a product of primes. Put × between them, as in 2 × 2 × 3 for 12. {ASK}"
        );
        let reference = product(factors.iter().map(|f| i128::from(*f)));
        let metadata = json!({ "number": number, "factors": factors });
        let id = id("prime_factorization", level, seed, index);
        Some(problem(id, "prime_factorization", prompt, reference, metadata))
    }

    /// The factors in any order.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let answer = factors(answer)?;
        let reference = problem.reference.as_deref().and_then(factors);
        Some(Reading { correct: reference.as_ref() == Some(&answer), answer: product(answer.into_iter()) })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[
            (Repair::Dress, repair::dress),
            (Repair::RightHandSide, repair::right_hand_side),
            (Repair::TimesSign, repair::times_sign),
            (Repair::Exponents, repair::exponents),
        ]
    }

    /// The order in which primes are divided out, or a tree of factors; sound if every step
    /// holds and the primes it leaves are those of the number.
    fn path(&self, problem: &Problem, text: &str, _answer: Option<&str>) -> Path {
        let steps = splits(worked(text));
        let number = problem.metadata.get("number").and_then(|n| n.as_u64()).filter(|n| *n < 1_000_000_000);
        (Some(order(&steps).into()), number.filter(|n| *n < 1_000_000_000).map(|n| derives(&steps, n)))
    }
}

/// The prime factors, smallest first. Takes time of order √n.
pub fn primes(mut n: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut d = 2;
    while d * d <= n {
        while n.is_multiple_of(d) {
            found.push(d);
            n /= d;
        }
        d += 1;
    }
    if n > 1 {
        found.push(n);
    }
    found
}

/// The whole numbers between signs of multiplication, sorted; empty parts are passed over.
fn factors(text: &str) -> Option<Vec<i128>> {
    let parts = text.split('×').map(strip).filter(|p| !p.is_empty());
    let mut all = parts.map(int).collect::<Option<Vec<_>>>()?;
    all.sort_unstable();
    (!all.is_empty()).then_some(all)
}

fn product(factors: impl Iterator<Item = i128>) -> String {
    factors.map(|f| f.to_string()).collect::<Vec<_>>().join(" × ")
}

/// One step: a number as a product of two.
type Split = (u64, u64, u64);

/// Every `n ÷ p = q`, `n / p = q` and `n = p × q` of a text.
fn splits(text: &str) -> Vec<Split> {
    static SPLIT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(\d{1,18})\s*(?:(?:÷|/|\\div)\s*(\d{1,18})\s*=\s*(\d{1,18})|=\s*(\d{1,18})\s*(?:×|\*|x|\\times|\\cdot)\s*(\d{1,18}))",
        )
        .expect("a valid expression")
    });
    SPLIT
        .captures_iter(text)
        .filter_map(|c| {
            let n = |a, b| c.get(a).or(c.get(b))?.as_str().parse().ok();
            Some((c[1].parse().ok()?, n(2, 4)?, n(3, 5)?))
        })
        .collect()
}

fn order(steps: &[Split]) -> &'static str {
    if steps.is_empty() {
        return "at a glance";
    }
    // Small numbers only are tried: a text's numbers have up to 18 digits.
    let prime = |n: u64| n < 1_000_000 && primes(n).len() == 1;
    let divided: Vec<u64> = steps.iter().map(|(_, p, q)| if prime(*p) { *p } else { *q }).collect();
    if !divided.iter().all(|p| prime(*p)) {
        return "factor tree";
    }
    let down = divided.windows(2).all(|w| w[0] >= w[1]);
    match (divided.windows(2).all(|w| w[0] <= w[1]), down) {
        (true, _) => "smallest prime first",
        (false, true) => "largest prime first",
        _ => "primes in mixed order",
    }
}

fn derives(steps: &[Split], number: u64) -> bool {
    if steps.is_empty() || !steps.iter().all(|(n, p, q)| p.checked_mul(*q) == Some(*n)) {
        return false;
    }
    // What is split is taken out, what it is split into put in, from the number on.
    let mut left = vec![number];
    for (n, p, q) in steps {
        let Some(at) = left.iter().position(|l| l == n) else { return false };
        left.swap_remove(at);
        left.extend([*p, *q]);
        if left.len() > 64 {
            return false;
        }
    }
    left.retain(|l| *l != 1);
    left.iter().all(|l| *l <= number && primes(*l).len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> (String, bool) {
        let metadata = json!({ "number": 60 });
        let p = problem("p".into(), "prime_factorization", "60".into(), "2 × 2 × 3 × 5".into(), metadata);
        let v = PrimeFactorization.judge(&p, text);
        (v.method.unwrap(), v.sound.unwrap())
    }

    #[test]
    fn methods_are_known_by_the_order_of_their_primes() {
        let case = |text: &str, name: &str, sound| {
            let text = format!("{text}\n#### 5 × 3 × 2 × 2");
            assert_eq!(path(&text), (name.to_owned(), sound), "{text}");
        };
        case("60 ÷ 2 = 30, 30 ÷ 2 = 15, 15 ÷ 3 = 5.", "smallest prime first", true);
        case("60 = 2 × 30\n30 = 2 × 15\n15 = 3 × 5", "smallest prime first", true);
        case("60 / 5 = 12, 12 / 3 = 4, 4 / 2 = 2", "largest prime first", true);
        case("60 / 3 = 20, 20 / 2 = 10, 10 / 5 = 2", "primes in mixed order", true);
        case("60 = 6 × 10, 6 = 2 × 3, 10 = 2 × 5", "factor tree", true);
        case("60 ÷ 2 = 30, 30 ÷ 2 = 15", "smallest prime first", false);
        case("60 ÷ 2 = 35, 35 ÷ 2 = 15, 15 ÷ 3 = 5.", "smallest prime first", false);
        case("", "at a glance", false);
    }
}
