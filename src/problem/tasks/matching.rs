//! Verifiers for problems from files: equal texts, a choice, a regular expression.

use super::{Level, Mend, Reading, Task};
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use std::cell::RefCell;

const RULES: [Rule; 4] = [Rule::Tag, Rule::Box, Rule::Marker, Rule::LastLine];
const DRESS: [Mend; 1] = [(Repair::Dress, repair::dress)];

/// The answer must equal the reference, blanks at the ends aside; with `ignore_case: true`
/// in the metadata, in any case.
pub struct ExactMatch;

impl Task for ExactMatch {
    fn name(&self) -> &'static str {
        "exact_match"
    }

    fn title(&self) -> &'static str {
        "Exact match"
    }

    fn levels(&self) -> &'static [Level] {
        &[]
    }

    fn scoring(&self) -> &'static str {
        "The reference, blanks at the ends aside; in any case with `ignore_case` in the metadata."
    }

    fn generate(&self, _: &str, _: u64, _: u64) -> Option<Problem> {
        None
    }

    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let ignore = problem.metadata.get("ignore_case").and_then(Value::as_bool).unwrap_or(false);
        let form = |t: &str| if ignore { t.trim().to_lowercase() } else { t.trim().to_owned() };
        let answer = form(answer);
        let correct = problem.reference.as_deref().is_some_and(|r| form(r) == answer);
        (!answer.is_empty()).then_some(Reading { answer, correct })
    }

    fn rules(&self) -> &'static [Rule] {
        &RULES
    }

    fn repairs(&self) -> &'static [Mend] {
        &DRESS
    }
}

/// The answer is the letter of a choice, or the choice itself; the choices stand in the
/// metadata, as a list or as `{"text": […], "label": […]}`.
pub struct MultipleChoice;

impl Task for MultipleChoice {
    fn name(&self) -> &'static str {
        "multiple_choice"
    }

    fn title(&self) -> &'static str {
        "Multiple choice"
    }

    fn levels(&self) -> &'static [Level] {
        &[]
    }

    fn scoring(&self) -> &'static str {
        "The label of the right choice, or its text; the choices stand in the metadata."
    }

    fn generate(&self, _: &str, _: u64, _: u64) -> Option<Problem> {
        None
    }

    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let choices = choices_in(&problem.metadata);
        let answer = letter(answer, &choices)?;
        let reference = problem.reference.as_deref()?;
        // A number is the place of the right choice, from 0.
        let place = || reference.trim().parse().ok().and_then(|i: usize| Some(choices.get(i)?.0.clone()));
        let wanted = letter(reference, &choices).or_else(place);
        Some(Reading { correct: wanted.as_ref() == Some(&answer), answer })
    }

    fn rules(&self) -> &'static [Rule] {
        &RULES
    }

    fn repairs(&self) -> &'static [Mend] {
        &DRESS
    }
}

/// (label, text) of every choice of a problem, from its metadata.
pub(crate) fn choices_in(metadata: &Map<String, Value>) -> Vec<(String, String)> {
    let list = |v: Option<&Value>| -> Vec<String> {
        let all = v.and_then(Value::as_array).into_iter().flatten();
        all.map(|t| t.as_str().map_or_else(|| t.to_string(), str::to_owned)).collect()
    };
    let given = metadata.get("choices");
    let texts = list(given.and_then(|c| c.get("text")).or(given));
    let mut labels = list(given.and_then(|c| c.get("label")));
    labels.extend(
        (labels.len()..texts.len()).filter_map(|i| Some(char::from(b'A' + u8::try_from(i).ok()?).into())),
    );
    labels.into_iter().zip(texts).collect()
}

fn letter(answer: &str, choices: &[(String, String)]) -> Option<String> {
    let answer = answer.trim();
    let named =
        |text: &str| choices.iter().find(|(l, _)| l.eq_ignore_ascii_case(text)).map(|(l, _)| l.clone());
    let whole = choices.iter().find(|(_, t)| t.trim().eq_ignore_ascii_case(answer)).map(|(l, _)| l.clone());
    let bare = answer.trim_start_matches(['(', '[']);
    let head = bare.split([')', ']', '.', ':', ' ', '\n']).next().unwrap_or_default();
    // `A` alone, `(A)`, `A.` or `A: …`, but not the article in `a dog`.
    let marked = bare.len() == head.len() || bare[head.len()..].starts_with([')', ']', '.', ':']);
    whole.or_else(|| named(head).filter(|_| marked)).or_else(|| {
        let one = head.len() == 1 && head.as_bytes()[0].is_ascii_uppercase();
        (choices.is_empty() && marked && one).then(|| head.to_owned())
    })
}

/// The whole answer must match a regular expression (no look-around, no back-references:
/// matching is linear): `pattern` of the metadata, in which `{reference}` stands for the
/// reference, taken literally; without it the reference itself.
pub struct RegularExpression;

impl Task for RegularExpression {
    fn name(&self) -> &'static str {
        "regular_expression"
    }

    fn title(&self) -> &'static str {
        "Regular expression"
    }

    fn levels(&self) -> &'static [Level] {
        &[]
    }

    fn scoring(&self) -> &'static str {
        "What matches the reference, or the metadata's `pattern`, as a whole."
    }

    fn generate(&self, _: &str, _: u64, _: u64) -> Option<Problem> {
        None
    }

    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let answer = answer.trim();
        let reference = problem.reference.as_deref();
        let correct = match problem.metadata.get("pattern").and_then(Value::as_str) {
            Some(form) => matches(form, reference.unwrap_or_default(), answer),
            None => reference.is_some_and(|pattern| matches(pattern, "", answer)),
        };
        (!answer.is_empty()).then(|| Reading { answer: answer.to_owned(), correct })
    }

    fn rules(&self) -> &'static [Rule] {
        &RULES
    }

    fn repairs(&self) -> &'static [Mend] {
        &DRESS
    }
}

/// The expression that an answer must match as a whole.
///
/// # Errors
/// Why it is no expression.
pub(crate) fn pattern(form: &str, reference: &str) -> Result<Regex, String> {
    let pattern = form.replace("{reference}", &regex::escape(reference));
    let built = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 18).build();
    built.map_err(|e| e.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// A form, a reference, and the expression that they make, if they make one.
type Built = (String, String, Option<Regex>);

fn matches(form: &str, reference: &str, answer: &str) -> bool {
    thread_local! {
        // The completions of one problem come one after the other.
        static LAST: RefCell<Built> = RefCell::default();
    }
    LAST.with_borrow_mut(|last| {
        if (last.0.as_str(), last.1.as_str()) != (form, reference) || last.2.is_none() {
            *last = (form.to_owned(), reference.to_owned(), pattern(form, reference).ok());
        }
        last.2.as_ref().is_some_and(|p| p.is_match(answer))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::judge;
    use crate::problem::tasks::problem;
    use serde_json::json;

    fn right(task: &str, reference: &str, metadata: Value, answer: &str) -> bool {
        let p = problem("p".into(), task, "?".into(), reference.into(), metadata);
        judge(&p, &format!("#### {answer}")).correct
    }

    #[test]
    fn choices_are_named_by_letter_or_text() {
        let choices = || json!({ "choices": ["Rome", "Paris", "a dog"] });
        for answer in ["B", "(B)", "b.", "B) Paris", "paris", "**B**", "B: Paris"] {
            assert!(right("multiple_choice", "B", choices(), answer), "{answer}");
            assert!(right("multiple_choice", "1", choices(), answer), "{answer}");
        }
        for answer in ["A", "Berlin", "Rome", "a dog", "BC"] {
            assert!(!right("multiple_choice", "B", choices(), answer), "{answer}");
        }
        assert!(right("multiple_choice", "C", choices(), "a dog"));
        let labelled = json!({ "choices": { "text": ["x", "y"], "label": ["1", "2"] } });
        assert!(right("multiple_choice", "2", labelled, "y"));
    }

    #[test]
    fn texts_and_patterns_match_as_a_whole() {
        assert!(right("exact_match", "Yes", json!({}), "Yes"));
        assert!(!right("exact_match", "Yes", json!({}), "yes"));
        assert!(right("exact_match", "Yes", json!({ "ignore_case": true }), "yes"));
        assert!(right("regular_expression", "ab+", json!({}), "abbb"));
        assert!(!right("regular_expression", "ab+", json!({}), "xab"));
        assert!(!right("regular_expression", "(", json!({}), "("));
    }
}
