//! Family Relationships: what is one person of a family to another?

mod family;
mod path;

use super::{ASK, Level, Mend, Path, Reading, Task, id, problem, worked};
use crate::problem::Problem;
use crate::problem::python::strip;
use crate::problem::repair::{self, Repair};
use crate::random::Stream;
use family::Family;
use serde_json::json;

/// The task.
pub struct FamilyRelationships;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "families of 4–8" },
    Level { name: "hard", parameters: "families of 5–9" },
];

/// Every relationship that is asked for.
const WORDS: [&str; 16] = [
    "mother",
    "father",
    "sister",
    "brother",
    "daughter",
    "son",
    "wife",
    "husband",
    "grandmother",
    "grandfather",
    "aunt",
    "uncle",
    "niece",
    "nephew",
    "mother-in-law",
    "father-in-law",
];

impl Task for FamilyRelationships {
    fn name(&self) -> &'static str {
        "family_relationships"
    }

    fn title(&self) -> &'static str {
        "Family Relationships"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "The relation, in any case. The package gives a point or none."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (low, high) = match level {
            "easy" => (4, 8),
            "hard" => (5, 9),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("family_relationships").with(level).at(index);
        let size = low + stream.below(high - low + 1);
        let family = Family::draw(size, &mut stream);
        let related = family.related();
        // Two who are married are always among them.
        let (one, other, word) = *related.get(stream.below(related.len()))?;
        let (one, other) = (family.name(one), family.name(other));
        let prompt = format!(
            "{} What is {one} to {other}? Answer with one word, such as uncle or father-in-law. {ASK}",
            family.story()
        );
        let metadata = json!({
            "person1": one, "person2": other, "relationship": word, "family_size": size,
            "family": family.to_json(),
        });
        let id = id("family_relationships", level, seed, index);
        Some(problem(id, "family_relationships", prompt, word.to_owned(), metadata))
    }

    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let answer = strip(answer).to_lowercase();
        let correct = problem.reference.as_deref().is_some_and(|r| strip(r).to_lowercase() == answer);
        (correct || WORDS.contains(&answer.as_str())).then_some(Reading { answer, correct })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[(Repair::Dress, repair::dress)]
    }

    /// The chain of relations that the text goes through; sound if each one that it names
    /// between two people of the family is true.
    fn path(&self, problem: &Problem, text: &str, _answer: Option<&str>) -> Path {
        let claims = path::claims(worked(text));
        let family = problem.metadata.get("family").and_then(Family::from_json);
        let sound = family.map(|f| {
            !claims.is_empty() && claims.iter().all(|c| f.holds(c.one, c.other, &c.word).unwrap_or(false))
        });
        (Some(path::name(&claims)), sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ann and Bob have Tom, who is married to Sue; they have Eve and Kai.
    fn asked() -> Problem {
        let family = json!([
            { "name": "Ann", "female": true, "spouse": "Bob", "parents": [] },
            { "name": "Bob", "female": false, "spouse": "Ann", "parents": [] },
            { "name": "Tom", "female": false, "spouse": "Sue", "parents": ["Ann", "Bob"] },
            { "name": "Sue", "female": true, "spouse": "Tom", "parents": [] },
            { "name": "Eve", "female": true, "spouse": null, "parents": ["Tom", "Sue"] },
            { "name": "Kai", "female": false, "spouse": null, "parents": ["Tom", "Sue"] },
        ]);
        let metadata = json!({ "person1": "Ann", "person2": "Eve", "family": family });
        problem("p".into(), "family_relationships", "?".into(), "grandmother".into(), metadata)
    }

    #[test]
    fn the_path_is_read_from_what_is_claimed() {
        let case = |text: &str, name: &str, sound| {
            let v = FamilyRelationships.judge(&asked(), text);
            assert!(v.correct, "{text}");
            assert_eq!((v.method.unwrap().as_str(), v.sound), (name, Some(sound)), "{text}");
        };
        case("Tom is the father of Eve. Ann is the mother of Tom.\n#### grandmother", "parent, parent", true);
        case("Eve's father is Tom, Tom's mother is Ann.\n#### Grandmother", "parent, parent", true);
        case(
            "Eve's brother is Kai. Ann is the grandmother of Kai.\n#### grandmother",
            "sibling, grandparent",
            true,
        );
        case("Eve's father is Bob. Ann is Bob's mother.\n#### grandmother", "parent, parent", false);
        case("#### **grandmother**.", "at a glance", false);
    }

    #[test]
    fn relations_are_what_people_call_them() {
        let metadata = asked().metadata;
        let family = Family::from_json(&metadata["family"]).unwrap();
        for (one, word, other) in [
            ("Ann", "mother", "Tom"),
            ("Ann", "mother-in-law", "Sue"),
            ("Kai", "brother", "Eve"),
            ("Eve", "daughter", "Sue"),
            ("Bob", "grandfather", "Kai"),
            ("Sue", "wife", "Tom"),
        ] {
            assert_eq!(family.holds(one, other, word), Some(true), "{one} {word} {other}");
        }
        assert_eq!(family.holds("Eve", "Sue", "son"), Some(false));
        assert_eq!(family.holds("Eve", "Zoe", "son"), None);
    }
}
