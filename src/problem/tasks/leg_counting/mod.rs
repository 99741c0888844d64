//! Leg Counting: how many legs do these animals have together?
//!
//! The flagship task of the paper's §3, after Reasoning Gym's `leg_counting`: one right
//! answer, and many ways to it. The way is read from the steps, not from what the text
//! calls it, so that the recogniser works on text by any model that writes its steps out.

pub mod animals;
pub mod generator;
mod method;

pub use generator::{Difficulty, Suite, generate};
pub use method::Method;

use super::{Level, Mend, Path, Reading, Task, worked};
use crate::problem::{Problem, Repair, Rule, extract, steps};
use animals::Animal;

/// The task: its verifier and its methods.
pub struct LegCounting;

const LEVELS: [Level; 3] = [
    Level {
        name: "embedded", parameters: "2–4 kinds of the 20 that the embedded pair knows, 1–12 of each"
    },
    Level { name: "easy", parameters: "3–10 kinds of 37, 1–15 of each" },
    Level { name: "hard", parameters: "20–30 kinds of 37, 64–256 of each" },
];

impl Task for LegCounting {
    fn name(&self) -> &'static str {
        "leg_counting"
    }

    fn title(&self) -> &'static str {
        "Leg Counting"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "The number of legs. The package gives part of a point to a longer text that holds the \
         number; here that is wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let difficulty = match level {
            "embedded" => Difficulty::default(),
            "easy" => Difficulty::easy(),
            "hard" => Difficulty::hard(),
            _ => return None,
        };
        let mut problem = generate(&difficulty, seed, index);
        problem.id = super::id(self.name(), level, seed, index);
        Some(problem)
    }

    /// The first number found that is whole; right as it stands if it is written as the
    /// reference is, and once its dress is off if it equals it.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let whole = extract::integer(answer)?;
        let correct = problem.reference.as_deref() == Some(answer);
        Some(Reading { answer: whole.to_string(), correct })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[(Repair::Dress, |t| extract::integer(t).map_or_else(|| t.to_owned(), |n| n.to_string()))]
    }

    fn rules(&self) -> &'static [Rule] {
        &Rule::NUMBER
    }

    fn path(&self, problem: &Problem, text: &str, answer: Option<&str>) -> Path {
        let asked = asked(problem);
        let steps = steps::steps(worked(text));
        let answer = answer.and_then(|a| a.parse().ok());
        let sound = answer.is_some_and(|n| method::derives(&steps, &asked, n));
        (Some(Method::of(&steps, &asked).name().to_owned()), (!asked.is_empty()).then_some(sound))
    }
}

/// What a problem asks about, from its metadata: animals with their legs and counts.
/// Empty where the metadata does not say.
fn asked(problem: &Problem) -> Vec<(&'static Animal, i64)> {
    let Some(animals) = problem.metadata.get("animals").and_then(|a| a.as_object()) else {
        return Vec::new();
    };
    animals.iter().filter_map(|(name, n)| Some((Animal::named(name)?, n.as_i64()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Verdict;
    use proptest::prelude::*;

    /// 3 spiders, 2 dogs, 1 crab: 24 + 8 + 10 = 42.
    fn zoo() -> Problem {
        let herd = [("spider", 3), ("dog", 2), ("crab", 1)].map(|(n, c)| (Animal::named(n).unwrap(), c));
        generator::problem("zoo".into(), &herd.to_vec())
    }

    fn verdict(text: &str) -> (bool, String, bool) {
        let v = zoo().judged(text);
        (v.correct, v.method.unwrap(), v.sound.unwrap())
    }

    impl Problem {
        fn judged(&self, text: &str) -> Verdict {
            crate::problem::judge(self, text)
        }
    }

    #[test]
    fn the_prompt_reads_as_a_person_would_ask() {
        let p = zoo();
        assert_eq!(p.prompt, "Q: 3 spiders, 2 dogs, 1 crab. How many legs?\nA:");
        assert_eq!(p.reference.as_deref(), Some("42"));
    }

    #[test]
    fn each_method_is_known_by_its_steps_and_checked() {
        let case =
            |text: &str, method: &str| assert_eq!(verdict(text), (true, method.to_owned(), true), "{text}");
        case(
            " 3 spiders x 8 = 24, 2 dogs x 4 = 8, 1 crab x 10 = 10. 24 + 8 = 32, 32 + 10 = 42.\n#### 42",
            "multiply, then add",
        );
        case(
            " Multiply: 8 x 3 = 24, 4 x 2 = 8, 10 x 1 = 10. 24 + 8 + 10 = 42.\n#### 42",
            "multiply, then add",
        );
        case("3 × 8 + 2 × 4 + 1 × 10 = 42. The answer is 42.", "multiply, then add");
        case(" 0 + 3 x 8 = 24, 24 + 2 x 4 = 32, 32 + 1 x 10 = 42.\n#### 42", "running total");
        case(" 3 spiders x 8 = 24, 24 + 2 dogs x 4 = 32, 32 + 1 crab x 10 = 42.\n#### 42", "running total");
        case(
            " 8 legs: 3, 4 legs: 2, 10 legs: 1. 3 x 8 = 24, 2 x 4 = 8, 1 x 10 = 10. 24 + 8 = 32, 32 + 10 = 42.\n#### 42",
            "group equal legs",
        );
        case(" 8, 16, 24, 28, 32, 42.\n#### 42", "count up");
        case(
            " 3 spiders x 4 = 12, 2 dogs x 2 = 4, 1 crab x 5 = 5. 12 + 4 = 16, 16 + 5 = 21. 21 x 2 = 42.\n#### 42",
            "pairs, doubled",
        );
        case(" 3 x 4 = 12, 2 x 2 = 4, 1 x 5 = 5. 12 + 4 + 5 = 21. 21 + 21 = 42.\n#### 42", "pairs, doubled");
    }

    #[test]
    fn a_right_answer_by_wrong_steps_is_correct_and_not_sound() {
        let case =
            |text: &str, method: &str| assert_eq!(verdict(text), (true, method.to_owned(), false), "{text}");
        case("\n#### 42", "at a glance");
        case(" At a glance: 42.\n#### 42", "at a glance");
        // Two wrongs make a right; a renamed animal; a sum that is off; a forgotten animal.
        case(
            " 3 spiders x 6 = 18, 2 dogs x 7 = 14, 1 crab x 10 = 10. 18 + 14 = 32, 32 + 10 = 42.\n#### 42",
            "multiply, then add",
        );
        case(
            " 3 scorpions x 8 = 24, 2 dogs x 4 = 8, 1 crab x 10 = 10. 24 + 8 = 32, 32 + 10 = 42.\n#### 42",
            "multiply, then add",
        );
        case(" 3 spiders x 8 = 24, 2 dogs x 4 = 8. 24 + 8 = 42.\n#### 42", "multiply, then add");
        case(" 8, 16, 24, 34, 42.\n#### 42", "count up");
    }

    #[test]
    fn a_wrong_or_missing_answer_is_neither() {
        assert_eq!(verdict(" 3 spiders x 8 = 24.\n#### 24"), (false, "multiply, then add".into(), false));
        let v = zoo().judged(" many, many legs");
        assert_eq!((v.answer, v.rule, v.correct, v.sound), (None, None, false, Some(false)));
    }

    #[test]
    fn metadata_of_another_shape_still_gives_a_verdict() {
        let mut p = zoo();
        p.metadata.insert("animals".into(), serde_json::json!(["dog"]));
        let v = p.judged("#### 42");
        assert!(v.correct && v.sound.is_none());
    }

    proptest! {
        #[test]
        fn any_text_gets_a_verdict(text in "([0-9]{1,20}|[ x+=,:.#\n]|legs|dogs|<answer>|\\\\boxed\\{){0,80}") {
            let _ = zoo().judged(&text);
        }
    }
}
