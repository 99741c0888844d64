//! Which relations a solution goes through.

use regex::Regex;
use std::sync::LazyLock;

/// `one` is said to be `word` to `other`.
pub(super) struct Claim<'a> {
    pub one: &'a str,
    pub other: &'a str,
    pub word: String,
}

/// Every claim of a text: `Ann is the mother of Tom`, `Tom's mother is Ann`, `Ann is Tom's
/// mother`.
pub(super) fn claims<'a>(text: &'a str) -> Vec<Claim<'a>> {
    static CLAIM: LazyLock<Regex> = LazyLock::new(|| {
        let words = super::WORDS.iter().rev().copied().collect::<Vec<_>>().join("|");
        let text = format!(
            r"\b(\w+) is (?:the |a )?({words}) (?:of|to) (\w+)|\b(\w+)['’]s ({words}) is (\w+)|\b(\w+) is (\w+)['’]s ({words})\b"
        );
        Regex::new(&text).expect("a valid expression")
    });
    let read = |c: regex::Captures<'a>| -> Option<Claim<'a>> {
        let get = |i: usize| c.get(i).map(|m| m.as_str());
        let (one, word, other) = match (get(1), get(4)) {
            (Some(one), _) => (one, get(2)?, get(3)?),
            (_, Some(other)) => (get(6)?, get(5)?, other),
            _ => (get(7)?, get(9)?, get(8)?),
        };
        Some(Claim { one, other, word: word.to_owned() })
    };
    CLAIM.captures_iter(text).filter_map(read).collect()
}

/// The path's name: its relations without their genders, at most six of them.
pub(super) fn name(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return "at a glance".to_owned();
    }
    let kinds: Vec<&str> = claims.iter().take(6).map(|c| kind(&c.word)).collect();
    kinds.join(", ")
}

fn kind(word: &str) -> &'static str {
    match word {
        "mother" | "father" => "parent",
        "sister" | "brother" => "sibling",
        "daughter" | "son" => "child",
        "wife" | "husband" => "spouse",
        "grandmother" | "grandfather" => "grandparent",
        "aunt" | "uncle" => "parent's sibling",
        "niece" | "nephew" => "sibling's child",
        _ => "parent-in-law",
    }
}
