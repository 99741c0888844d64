//! The word-level tokenizers of the embedded pairs: text is the plain concatenation of its
//! tokens, so that a person reads it as it is.

use super::Course;
use crate::model::{ModelError, Tokenizer};
use crate::problem::tasks::leg_counting::animals::{Animal, EMBEDDED};
use serde_json::json;

/// Ends every text.
pub const END: &str = "<|end|>";
/// Stands for what the vocabulary has no token for.
const UNKNOWN: &str = "<|unknown|>";

/// The words of Leg Counting.
pub(super) fn leg_counting() -> Vec<String> {
    let mut all: Vec<String> = FORMS.map(str::to_owned).to_vec();
    for digit in 0..10 {
        all.extend([format!("{digit}"), format!(" {digit}")]);
    }
    for animal in EMBEDDED.into_iter().filter_map(Animal::named) {
        all.extend([format!(" {}", animal.singular), format!(" {}", animal.plural)]);
    }
    all
}

const FORMS: [&str; 16] = [
    "Q:",
    " How many legs?",
    "\nA:",
    " Multiply:",
    " Total:",
    " Group:",
    " Count:",
    " Pairs:",
    " At a glance:",
    " legs:",
    ",",
    ".",
    " x",
    " +",
    " =",
    "\n####",
];

/// The tokens of a course in the order of their numbers: end of text first.
pub fn tokens(course: &dyn Course) -> Vec<String> {
    [END, UNKNOWN].map(str::to_owned).into_iter().chain(course.words()).collect()
}

/// The text of a course's `tokenizer.json`.
///
/// # Errors
/// None: what is written is read back first.
pub fn tokenizer_json(course: &dyn Course) -> Result<String, ModelError> {
    let tokens = tokens(course);
    let mut longest_first: Vec<&String> = tokens[2..].iter().collect();
    longest_first.sort_by_key(|t| std::cmp::Reverse(t.len()));
    let pattern = longest_first.iter().map(|t| regex::escape(t)).collect::<Vec<_>>().join("|");
    let vocab: serde_json::Map<_, _> =
        tokens.iter().enumerate().map(|(i, t)| (t.clone(), json!(i))).collect();
    let special = |id: usize| {
        json!({
            "id": id, "content": tokens[id], "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        })
    };
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(0), special(1)],
        "normalizer": null,
        "pre_tokenizer": {
            "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false,
        },
        "post_processor": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": UNKNOWN},
    });
    let text = serde_json::to_string_pretty(&file).expect("a tokenizer is plain JSON") + "\n";
    Tokenizer::from_json(text.as_bytes(), "the new vocabulary")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::course::{ALL, LegCounting};

    fn tokenizer(course: &dyn Course) -> Tokenizer {
        Tokenizer::from_json(tokenizer_json(course).unwrap().as_bytes(), "test").unwrap()
    }

    #[test]
    fn every_text_of_a_corpus_survives_its_tokens_and_fits() {
        for course in ALL {
            let (tokenizer, words) = (tokenizer(course), tokens(course));
            for i in 0..3000 {
                let (problem, solution) = course.example(1, i);
                let text = format!("{}{solution}", problem.prompt);
                let ids = tokenizer.encode(&text).unwrap();
                assert_eq!(tokenizer.decode(&ids), text);
                assert_eq!(ids.iter().map(|id| words[*id as usize].as_str()).collect::<String>(), text);
                let prompt = tokenizer.encode(&problem.prompt).unwrap();
                assert_eq!(ids[..prompt.len()], prompt, "the prompt's tokens do not depend on what follows");
                assert!(ids.len() - prompt.len() < 100, "{text}");
            }
        }
    }

    #[test]
    fn prompts_that_are_held_out_are_known() {
        for course in ALL {
            let tokenizer = tokenizer(course);
            for p in course.held_out() {
                assert!(tokenizer.encode(&p.prompt).unwrap().iter().all(|id| *id > 1));
            }
        }
        let tokenizer = tokenizer(&LegCounting);
        assert_eq!(tokenizer.encode("Q: 3 emus").unwrap(), tokenizer.encode("Q: 3 yetis").unwrap());
    }

    #[test]
    fn the_end_is_a_token_and_leaves_no_text() {
        let tokenizer = tokenizer(&LegCounting);
        assert_eq!(tokenizer.encode(END).unwrap(), [0]);
        assert_eq!(tokenizer.decode(&[0]), "");
        assert_eq!(tokenizer.vocab_size(), tokens(&LegCounting).len());
    }
}
