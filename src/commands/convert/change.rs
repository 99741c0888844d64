//! The completions of lost or gained items, as JSON lines or Markdown.

use crate::completion::clean;
use crate::problem::Problem;
use crate::record::{Drawn, Recording};
use crate::report::{Loaded, load};
use crate::support::{Ledger, Pair, Unit};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Distinct texts of one item that Markdown shows.
const SHOWN: usize = 3;

/// Whose items are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// In the base's support only.
    Lost,
    /// In the RLVR policy's only.
    Gained,
}

/// Writes every completion of an item that was lost or gained, within the k at which the
/// base and the first RLVR policy are compared; an item is in support with one hit. Gives
/// what was written, in words.
///
/// # Errors
/// A recording of fewer than two policies, or a file that cannot be read or written.
pub(super) fn write(recording: &Recording, side: Side, unit: Unit, out: &Path) -> Result<String> {
    let policies = &recording.run.policies;
    let shown = recording.path.display();
    ensure!(
        policies.len() > 1,
        "{shown}: a base and an RLVR policy are needed, and it has one; name two files, the base first"
    );
    let base = policies.iter().position(|p| p.role == "base").unwrap_or(0);
    let rlvr = usize::from(base == 0);
    let Loaded { ledger, .. } = load(recording, None, false)?;
    let ks: Vec<u32> = (0..recording.problems.len()).map(|i| ledger.matched(Pair::with_base(1), i)).collect();
    let counted = |d: &Drawn| d.verdict.correct && d.completion.index < ks[d.problem];
    let mut hits: BTreeMap<(usize, Item), [u32; 2]> = BTreeMap::new();
    for drawn in recording.completions()?.flatten().filter(counted) {
        let at = [base, rlvr].iter().position(|&p| p == drawn.policy);
        if let Some((at, item)) = at.zip(Item::of(unit, &drawn)) {
            hits.entry((drawn.problem, item)).or_default()[at] += 1;
        }
    }
    let (own, other, policy) = match side {
        Side::Lost => (0, 1, base),
        Side::Gained => (1, 0, rlvr),
    };
    hits.retain(|_, hits| hits[own] > 0 && hits[other] == 0);
    let file = File::create_new(out).with_context(|| format!("{} cannot be written", out.display()))?;
    let mut to = BufWriter::new(file);
    let markdown = out.extension().is_some_and(|e| e.eq_ignore_ascii_case("md"));
    let mut texts: BTreeMap<(usize, Item), Vec<String>> = BTreeMap::new();
    let mut written = 0;
    for drawn in recording.completions()?.flatten().filter(counted).filter(|d| d.policy == policy) {
        let Some(item) = Item::of(unit, &drawn) else { continue };
        let key = (drawn.problem, item);
        let Some(n) = hits.get(&key).map(|hits| hits[own]) else { continue };
        written += 1;
        if markdown {
            let texts = texts.entry(key).or_default();
            if texts.len() < SHOWN && !texts.contains(&drawn.completion.text) {
                texts.push(drawn.completion.text);
            }
        } else {
            let problem = &recording.problems[drawn.problem];
            let line = Line::new(problem, &drawn, side, unit, &policies[policy].name, [n, ks[drawn.problem]]);
            serde_json::to_writer(&mut to, &line)?;
            to.write_all(b"\n")?;
        }
    }
    if markdown {
        let names = [&policies[base].name, &policies[rlvr].name];
        let count = |key: &(usize, Item)| [hits[key][own], ks[key.0]];
        to.write_all(document(recording, side, unit, names, &texts, &count).as_bytes())?;
    }
    to.flush().with_context(|| format!("{} cannot be written", out.display()))?;
    Ok(format!("{} {} {}, in {written} completions", hits.len(), units(unit, hits.len()), side.word()))
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Side::Lost => "lost",
            Side::Gained => "gained",
        }
    }
}

fn units(unit: Unit, n: usize) -> String {
    let name = unit.name();
    if n == 1 { name.to_owned() } else { format!("{name}s") }
}

/// What is counted, as a text: the answer, the method or the completion's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item(String);

impl Item {
    fn of(unit: Unit, drawn: &Drawn) -> Option<Item> {
        Some(Item(match unit {
            Unit::Problem => String::new(),
            Unit::Answer => drawn.verdict.answer.clone()?,
            Unit::Method => drawn.verdict.method.clone()?,
            Unit::Completion => drawn.completion.text.clone(),
        }))
    }
}

/// A line of the JSON lines.
#[derive(Serialize)]
struct Line<'a> {
    problem: &'a str,
    prompt: &'a str,
    reference: Option<&'a str>,
    /// `lost` or `gained`.
    status: &'static str,
    unit: &'static str,
    policy: &'a str,
    index: u32,
    answer: Option<&'a str>,
    method: Option<&'a str>,
    /// Hits of the item in k completions; the other policy has none.
    hits: u32,
    k: u32,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn new(
        problem: &'a Problem,
        drawn: &'a Drawn,
        side: Side,
        unit: Unit,
        policy: &'a str,
        [hits, k]: [u32; 2],
    ) -> Self {
        Self {
            problem: &problem.id,
            prompt: &problem.prompt,
            reference: problem.reference.as_deref(),
            status: side.word(),
            unit: unit.name(),
            policy,
            index: drawn.completion.index,
            answer: drawn.verdict.answer.as_deref(),
            method: drawn.verdict.method.as_deref(),
            hits,
            k,
            text: &drawn.completion.text,
        }
    }
}

fn document(
    recording: &Recording,
    side: Side,
    unit: Unit,
    [base, rlvr]: [&String; 2],
    texts: &BTreeMap<(usize, Item), Vec<String>>,
    count: &dyn Fn(&(usize, Item)) -> [u32; 2],
) -> String {
    let (has, lacks) = match side {
        Side::Lost => (base, rlvr),
        Side::Gained => (rlvr, base),
    };
    let [has, lacks] = [has, lacks].map(|name| line(name));
    let mut out = format!(
        "# {} {}\n\nWhat {has} solves and {lacks} does not, of as many completions; p is the bound below which what was not seen lies with 95 % confidence.\n",
        capital(&units(unit, 2)),
        side.word()
    );
    if texts.is_empty() {
        out += "\nNothing.\n";
    }
    let mut last = None;
    for (key, shown) in texts {
        let problem = &recording.problems[key.0];
        if last != Some(key.0) {
            last = Some(key.0);
            out += &format!("\n## {}\n\n{}\n", line(&problem.id), fenced(&problem.prompt));
            if let Some(reference) = &problem.reference {
                out += &format!("Reference: {}\n", line(reference));
            }
        }
        let [hits, k] = count(key);
        let name = match unit {
            Unit::Problem => "solved".to_owned(),
            Unit::Completion => "text".to_owned(),
            Unit::Answer | Unit::Method => line(&key.1.0),
        };
        let bound = Ledger::epsilon(k, 0.05);
        // Two figures of it.
        let digits = (1.0 - bound.log10().floor()).clamp(0.0, 12.0) as usize;
        out += &format!("\n### {name}: {hits} of {k} by {has}, 0 by {lacks} (p < {bound:.digits$})\n");
        for text in shown {
            out += &format!("\n{}", fenced(text));
        }
    }
    out
}

/// A text as a block of code, whatever backticks it has.
fn fenced(text: &str) -> String {
    let text = clean(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}text\n{}\n{fence}\n", text.trim_matches('\n'))
}

/// A text on one line, with what Markdown would take for its own escaped.
fn line(text: &str) -> String {
    let text = clean(text).replace('\n', " ");
    text.chars().fold(String::new(), |mut out, c| {
        if "\\`*_[]<>#|".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"{"kind":"run","version":1,"policies":[{"name":"rlvr","role":"rlvr"},{"name":"base","role":"base"}]}
{"kind":"problem","id":"p_1","prompt":"6 * 7?","reference":"42"}
{"kind":"completion","problem":"p_1","policy":"base","text":"a ```fence``` \u202e","answer":"42","correct":true,"method":"one"}
{"kind":"completion","problem":"p_1","policy":"base","text":"b","answer":"42","correct":true,"method":"two"}
{"kind":"completion","problem":"p_1","policy":"base","text":"c","answer":"42","correct":true,"method":"three"}
{"kind":"completion","problem":"p_1","policy":"rlvr","text":"d","answer":"42","correct":true,"method":"two"}
{"kind":"completion","problem":"p_1","policy":"rlvr","text":"e","answer":"42","correct":true,"method":"four"}
"##;

    fn written(side: Side, unit: Unit, name: &str) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("r.jsonl"), folder.path().join(name));
        std::fs::write(&from, FILE).unwrap();
        let said = write(&Recording::open(&from).unwrap(), side, unit, &to).unwrap();
        (said, std::fs::read_to_string(to).unwrap())
    }

    #[test]
    fn lost_and_gained_are_within_the_matched_k() {
        let (said, text) = written(Side::Lost, Unit::Method, "x.jsonl");
        assert_eq!(said, "1 method lost, in 1 completions");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["method"], &line["hits"], &line["k"]), (&"one".into(), &1.into(), &2.into()));
        let (said, text) = written(Side::Gained, Unit::Method, "x.jsonl");
        assert_eq!(said, "1 method gained, in 1 completions");
        assert!(text.contains("\"policy\":\"rlvr\"") && text.contains("\"four\""), "{text}");
        assert_eq!(written(Side::Lost, Unit::Answer, "x.jsonl").1, "");
    }

    #[test]
    fn markdown_holds_what_texts_would_break() {
        let (_, text) = written(Side::Lost, Unit::Method, "x.md");
        assert!(text.starts_with("# Methods lost\n"), "{text}");
        assert!(text.contains("## p\\_1\n") && text.contains("````text\na ```fence``` \n````"), "{text}");
        assert!(text.contains("### one: 1 of 2 by base, 0 by rlvr"), "{text}");
        assert!(written(Side::Lost, Unit::Problem, "x.md").1.ends_with("\nNothing.\n"));
    }
}
