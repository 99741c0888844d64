//! Dice: how likely is a total of at least so much?

use super::{ASK, Level, Mend, Reading, Task, id, problem};
use crate::problem::Problem;
use crate::problem::repair::{self, Repair};
use crate::random::Stream;
use serde_json::json;

/// The task.
pub struct Dice;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "4 dice of up to 20 sides" },
    Level { name: "hard", parameters: "6 dice of up to 25 sides" },
];

impl Task for Dice {
    fn name(&self) -> &'static str {
        "dice"
    }

    fn title(&self) -> &'static str {
        "Dice"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "The probability as a fraction, as the reference writes it; repaired, any equal fraction. \
         The package gives a point or none."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (count, largest) = match level {
            "easy" => (4, 20),
            "hard" => (6, 25),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("dice").with(level).at(index);
        let mut dice = vec![largest];
        dice.extend((1..count).map(|_| 2 + stream.below(largest - 2)));
        dice.sort_unstable_by(|a, b| b.cmp(a));
        // The middle third of what can be rolled.
        let spread = dice.iter().sum::<usize>() - count;
        let low = count + spread / 3;
        let target = low + stream.below(count + 2 * spread / 3 - low + 1);
        let (num, den) = at_least(&dice, target);
        let listed = dice.iter().map(|d| format!("1d{d}")).collect::<Vec<_>>().join(", ");
        let prompt = format!(
            "These dice are rolled together: {listed}. (1d6 is one die with 6 sides.) How likely is a total of \
             {target} or more? Answer with a fraction in lowest terms, such as 1/60. {ASK}"
        );
        let probability = num as f64 / den as f64;
        let puzzle = json!({ "dice_str": listed, "target": target, "num": num, "den": den, "probability": probability });
        let metadata = json!({ "puzzle": puzzle });
        Some(problem(id("dice", level, seed, index), "dice", prompt, format!("{num}/{den}"), metadata))
    }

    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let form = |text: &str| text.to_lowercase().replace('\n', "");
        let answer = form(answer);
        let correct = problem.reference.as_deref().is_some_and(|r| form(r) == answer);
        let fraction = answer
            .split_once('/')
            .is_some_and(|(a, b)| [a, b].iter().all(|p| p.trim().parse::<u128>().is_ok()));
        (correct || fraction).then_some(Reading { answer, correct })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[
            (Repair::Dress, repair::dress),
            (Repair::RightHandSide, repair::right_hand_side),
            (Repair::LatexFraction, repair::latex_fraction),
            (Repair::ReducedFraction, repair::reduced_fraction),
        ]
    }
}

/// The probability, in lowest terms, of a total of at least `target`.
fn at_least(dice: &[usize], target: usize) -> (u64, u64) {
    let mut ways = vec![1u128];
    for sides in dice {
        let mut next = vec![0u128; ways.len() + sides];
        for (total, n) in ways.iter().enumerate() {
            next[total + 1..=total + sides].iter_mut().for_each(|w| *w += n);
        }
        ways = next;
    }
    let all: u128 = dice.iter().map(|d| *d as u128).product();
    let good: u128 = ways.iter().skip(target).sum();
    let d = repair::gcd(good, all);
    ((good / d) as u64, (all / d) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_counted() {
        assert_eq!(at_least(&[6, 6], 7), (7, 12));
        assert_eq!(at_least(&[6, 6], 12), (1, 36));
        assert_eq!(at_least(&[2], 1), (1, 1));
    }
}
