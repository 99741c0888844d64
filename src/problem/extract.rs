//! The answer in a completion's text, by the first rule that finds one.
//!
//! The rules are the same for every policy, and which one spoke is kept in the verdict:
//! a change that exists only through a difference of rules is one of format.

use regex::Regex;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// How an answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The last `<answer>…</answer>`.
    Tag,
    /// The last `\boxed{…}`.
    Box,
    /// After the last `####`, or after `answer is` or `answer:`, to the end of the line.
    Marker,
    /// The last number after `</think>`.
    AfterThinking,
    /// The last number of the text.
    LastNumber,
    /// The last fenced block.
    Fence,
    /// The last line that is not empty.
    LastLine,
    /// None of ours: an outside verifier said what the answer is.
    Verifier,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 8] = [
        Rule::Tag,
        Rule::Box,
        Rule::Marker,
        Rule::AfterThinking,
        Rule::LastNumber,
        Rule::Fence,
        Rule::LastLine,
        Rule::Verifier,
    ];

    /// The rules for answers that are numbers, in the order in which they are tried.
    pub const NUMBER: [Rule; 5] = [Rule::Tag, Rule::Box, Rule::Marker, Rule::AfterThinking, Rule::LastNumber];

    /// The rule's name as it is written in a recording.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Tag => "tag",
            Rule::Box => "box",
            Rule::Marker => "marker",
            Rule::AfterThinking => "after-thinking",
            Rule::LastNumber => "last-number",
            Rule::Fence => "fence",
            Rule::LastLine => "last-line",
            Rule::Verifier => "verifier",
        }
    }

    /// The rule of a name.
    pub fn from_name(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// The answer of `text`, trimmed, and the rule that found it; never empty.
pub fn extract(text: &str) -> Option<(String, Rule)> {
    extract_with(text, &Rule::NUMBER)
}

/// As [`extract`], with these rules only, tried in the given order.
pub fn extract_with(text: &str, rules: &[Rule]) -> Option<(String, Rule)> {
    rules.iter().find_map(|&rule| {
        let found = match rule {
            Rule::Tag => last_tag(text),
            Rule::Box => last_box(text),
            Rule::Marker => last_marker(text),
            Rule::AfterThinking => text.rfind("</think>").and_then(|at| last_number(&text[at..])),
            Rule::LastNumber => last_number(text),
            Rule::Fence => super::repair::fenced(text),
            Rule::LastLine => text.trim_end().rsplit('\n').next(),
            Rule::Verifier => None,
        }?;
        let found = found.trim();
        (!found.is_empty()).then(|| (found.to_owned(), rule))
    })
}

fn last_tag(text: &str) -> Option<&str> {
    let end = text.rfind("</answer>")?;
    let start = text[..end].rfind("<answer>")? + "<answer>".len();
    Some(&text[start..end])
}

/// The contents of the last `\boxed{…}` whose braces balance.
fn last_box(text: &str) -> Option<&str> {
    const OPEN: &str = "\\boxed{";
    let start = text.rfind(OPEN)? + OPEN.len();
    let mut depth = 1usize;
    for (i, b) in text[start..].bytes().enumerate() {
        match b {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[start..start + i]);
        }
    }
    None
}

/// From the end, so that a long text costs one pass; in a line the first marker counts.
fn last_marker(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let hashes = memchr::memmem::rfind(bytes, b"####");
    // A word behind the last `####` counts before it.
    let after = hashes.map_or(0, |at| at + 1);
    let word = memchr::memrchr2_iter(b'a', b'A', &bytes[after..]).map(|i| after + i);
    let last = word.into_iter().find(|i| marker(text, *i).is_some()).or(hashes)?;
    let line = memchr::memrchr(b'\n', &bytes[..last]).map_or(0, |i| i + 1);
    let end = (line..=last).find_map(|i| marker(text, i))?;
    let rest = text[end..].trim_start_matches([' ', '\t', '*']);
    rest.split('\n').next()
}

/// Where the marker that starts at a byte ends: `####`, `answer:`, `answer is`, `answer is:`.
fn marker(text: &str, at: usize) -> Option<usize> {
    let bytes = &text.as_bytes()[at..];
    if bytes.starts_with(b"####") {
        return Some(at + 4);
    }
    let word =
        |bytes: &[u8], word: &[u8]| bytes.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word));
    if !word(bytes, b"answer") || text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let rest = &text[at + 6..];
    if rest.starts_with(':') {
        return Some(at + 7);
    }
    let behind = rest.trim_start();
    if behind.len() == rest.len() || !word(behind.as_bytes(), b"is") {
        return None;
    }
    let end = text.len() - behind.len() + 2;
    Some(end + usize::from(text[end..].starts_with(':')))
}

/// So many bytes of a run of digits and their signs are read.
const RUN: usize = 1 << 12;

fn last_number(text: &str) -> Option<&str> {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"-?\d+(?:,\d{3})*(?:\.\d+)?").expect("a valid expression"));
    // From the end, run by run of the characters that a number can have.
    let of_number = |c: char| c.is_numeric() || matches!(c, ',' | '.' | '-');
    let mut text = text;
    loop {
        text = text.trim_end_matches(|c: char| !c.is_numeric());
        let run = text.trim_end_matches(of_number).len();
        if run == text.len() {
            return None;
        }
        // A longer run of digits is no number of anything: only its end is looked at.
        let from =
            (run.max(text.len().saturating_sub(RUN))..=text.len()).find(|i| text.is_char_boundary(*i))?;
        if let Some(m) = NUMBER.find_iter(&text[from..]).last() {
            return Some(m.as_str());
        }
        text = &text[..run];
    }
}

/// `answer` as a whole number, if it is one: thousands separators, a closing full stop, a
/// following unit and marks of emphasis or mathematics are allowed.
pub fn integer(answer: &str) -> Option<i64> {
    static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[\s$*`]*(-?\d+(?:,\d{3})*)(?:\.0*)?[\s$*`.]*(?:\p{L}[\p{L}\s]*)?[\s$*`.!]*$")
            .expect("a valid expression")
    });
    WHOLE.captures(answer)?.get(1)?.as_str().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&'static str, String)> {
        extract(text).map(|(a, r)| (r.name(), a))
    }

    #[test]
    fn the_first_rule_that_finds_an_answer_speaks() {
        let case =
            |text, rule, answer: &str| assert_eq!(found(text), Some((rule, answer.to_owned())), "{text}");
        case("so 12. <answer>\n14 </answer> \\boxed{3}", "tag", "14");
        case("\\boxed{1} then \\boxed{\\frac{1}{2}}", "box", "\\frac{1}{2}");
        case("Add: 3 + 4 = 7.\n#### 7", "marker", "7");
        case("The answer is: **42**\nbye", "marker", "42**");
        case("<think>9</think> we get 1,024 legs", "after-thinking", "1,024");
        case("I count 7 legs", "last-number", "7");
        case("answer is 4\nfor my answer\n", "marker", "4");
        case("the answer: 3 #### 5\nANSWER: 6 answer: 7", "marker", "6 answer: 7");
        case("x-12.5, or 3. ½", "last-number", "3");
        case("5-12.5,", "last-number", "-12.5");
        assert_eq!(found("no idea"), None);
        assert_eq!(found(""), None);
        assert_eq!(found("#### \n"), None);
    }

    #[test]
    fn integers_are_read_with_their_dress() {
        for (text, n) in
            [("42", 42), (" 1,024.", 1024), ("42 legs.", 42), ("**7**", 7), ("$-3$", -3), ("10.00", 10)]
        {
            assert_eq!(integer(text), Some(n), "{text}");
        }
        for text in ["", "x", "4.5", "1 or 2", "99999999999999999999", "4 + 2"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }
}
