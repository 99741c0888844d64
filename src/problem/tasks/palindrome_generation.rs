//! Palindrome Generation: put these letters in an order that reads the same both ways.

use super::{ASK, Level, Mend, Reading, Task, id, problem};
use crate::problem::Problem;
use crate::problem::python::strip;
use crate::problem::repair::{self, Repair};
use crate::random::Stream;
use serde_json::json;

/// The task.
pub struct PalindromeGeneration;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "3–10 letters" },
    Level { name: "hard", parameters: "50–100 letters" },
];

impl Task for PalindromeGeneration {
    fn name(&self) -> &'static str {
        "palindrome_generation"
    }

    fn title(&self) -> &'static str {
        "Palindrome Generation"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "Any palindrome of exactly the given letters. The package gives 0.05 to a palindrome of \
         other letters and 0.02 to any other answer; here both are wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (low, high) = match level {
            "easy" => (3, 10),
            "hard" => (50, 100),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("palindrome_generation").with(level).at(index);
        let length = low + stream.below(high - low + 1);
        let mut letter = || char::from(b'a' + stream.below(26) as u8);
        let half: String = (0..length / 2).map(|_| letter()).collect();
        let middle: String = (0..length % 2).map(|_| letter()).collect();
        let palindrome = format!("{half}{middle}{}", half.chars().rev().collect::<String>());
        let mut letters: Vec<String> = palindrome.chars().map(String::from).collect();
        stream.shuffle(&mut letters);
        let prompt = format!(
            "Use each of these letters exactly once to write a palindrome: {}. Any palindrome of them will do; \
             write it as one word, without blanks. {ASK}",
            letters.join(", ")
        );
        let metadata = json!({ "letters": letters, "generated_palindrome": palindrome, "length": length });
        let id = id("palindrome_generation", level, seed, index);
        Some(problem(id, "palindrome_generation", prompt, palindrome, metadata))
    }

    /// Every palindrome of the letters is right.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let answer = strip(answer).to_lowercase();
        if answer.is_empty() {
            return None;
        }
        let wanted = problem.metadata.get("letters").and_then(|l| l.as_array());
        let wanted = wanted.map(|l| l.iter().filter_map(|v| v.as_str()).collect::<Vec<_>>());
        let palindrome = answer.chars().eq(answer.chars().rev());
        let correct = palindrome && wanted.is_some_and(|w| is_of(&answer, w));
        // A sentence is no answer of this form: a later rule may find one.
        (correct || answer.chars().all(char::is_alphabetic)).then_some(Reading { answer, correct })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[(Repair::Dress, repair::dress), (Repair::Spacing, repair::joined_letters)]
    }
}

/// Whether `word` has exactly these letters, in any order.
fn is_of(word: &str, mut letters: Vec<&str>) -> bool {
    if word.len() > 4 * letters.len() {
        return false;
    }
    let mut mine: Vec<String> = word.chars().map(String::from).collect();
    mine.sort_unstable();
    letters.sort_unstable();
    mine == letters
}
