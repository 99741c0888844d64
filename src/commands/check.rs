//! `leash check`: whether policies are compared fairly.

use super::print;
use crate::cli::CheckArgs;
use crate::completion::clean;
use crate::policy::{Policy, Setting, differences};
use crate::record::Recording;
use crate::support::repeat::{Place, Repeat, Repeats};
use anyhow::Result;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Repeats that are shown; the others are counted.
const SHOWN: usize = 10;

/// Shows the settings of the policies side by side, or the repeats in a recording. The exit
/// code is 1 where something was found.
///
/// # Errors
/// Policies that cannot be opened, a file that cannot be read.
pub fn run(args: &CheckArgs) -> Result<ExitCode> {
    if let Some(file) = &args.file {
        let (text, found) = repeats(file)?;
        print(&text)?;
        return Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let policies = args.campaign.policies()?;
    let all = settings(&policies, &args.campaign.settings().sampling);
    let names: Vec<&str> = policies.iter().map(|p| p.name()).collect();
    print(&table(&names, &all))?;
    let differ = !differences(&all).is_empty();
    Ok(if differ { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The settings of each policy.
pub(super) fn settings(policies: &[Arc<dyn Policy>], sampling: &crate::model::Sampling) -> Vec<Vec<Setting>> {
    policies.iter().map(|p| p.settings(sampling)).collect()
}

/// What differs between the policies, as a sentence; `None` where nothing does.
pub(super) fn differing(all: &[Vec<Setting>]) -> Option<String> {
    let names = differences(all);
    (!names.is_empty()).then(|| format!("the policies differ in {}", names.join(", ")))
}

/// The settings side by side, a row each; `≠` marks what differs.
fn table(names: &[&str], all: &[Vec<Setting>]) -> String {
    let mut rows: Vec<&str> = Vec::new();
    for setting in all.iter().flatten() {
        if !rows.contains(&&*setting.name) {
            rows.push(&setting.name);
        }
    }
    let value = |settings: &Vec<Setting>, name: &str| {
        settings
            .iter()
            .find(|s| s.name == name)
            .map_or("–".to_owned(), |s| clean(&s.value).replace('\n', "⏎"))
    };
    let differ = differences(all);
    let columns: Vec<Vec<String>> = all.iter().map(|a| rows.iter().map(|r| value(a, r)).collect()).collect();
    let width = |texts: &mut dyn Iterator<Item = &str>| texts.map(|t| t.chars().count()).max().unwrap_or(0);
    let first = width(&mut rows.iter().copied());
    let widths: Vec<usize> = columns
        .iter()
        .zip(names)
        .map(|(c, name)| width(&mut c.iter().map(String::as_str).chain([*name])))
        .collect();
    let mut text = String::new();
    let mut line = |mark: &str, name: &str, cells: &mut dyn Iterator<Item = &str>| {
        let _ = write!(text, "{mark} {name:first$}");
        for (cell, width) in cells.zip(&widths) {
            let _ = write!(text, "  {cell:width$}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    };
    line(" ", "", &mut names.iter().copied());
    for (i, name) in rows.iter().enumerate() {
        let mark = if differ.contains(name) { "≠" } else { " " };
        line(mark, name, &mut columns.iter().map(|c| c[i].as_str()));
    }
    text.push_str(match differ.is_empty() {
        true => "\nWhat decides the draws is the same for all of them.\n",
        false => "\n≠ differs: what is compared is not the training alone.\n",
    });
    text
}

/// Long texts that stand in a recording more often than chance allows, in words.
fn repeats(file: &Path) -> Result<(String, bool)> {
    let recording = Recording::open(file)?;
    let greedy = recording.run.sampling.as_ref().and_then(|s| s.temperature) == Some(0.0);
    if greedy {
        let text =
            format!("{}: it was drawn at temperature 0, where every draw is the same\n", file.display());
        return Ok((text, false));
    }
    let mut repeats = Repeats::default();
    for drawn in recording.completions()? {
        // A wrong line is told by `leash report`.
        let Ok(drawn) = drawn else { continue };
        let place = Place { policy: drawn.policy, problem: drawn.problem, index: drawn.completion.index };
        repeats.add(place, &drawn.completion.text, drawn.completion.logprob);
    }
    let found = repeats.found();
    let mut text = String::new();
    if found.is_empty() {
        let _ = writeln!(text, "{}: no long text comes more often than chance allows", file.display());
    }
    for repeat in found.iter().take(SHOWN) {
        let _ = writeln!(text, "{}", sentence(repeat, &recording));
    }
    if found.len() > SHOWN {
        let _ = writeln!(text, "and {} more like these", found.len() - SHOWN);
    }
    Ok((clean(&text), !found.is_empty()))
}

fn sentence(repeat: &Repeat, recording: &Recording) -> String {
    let places = &repeat.places;
    let same = |of: fn(&Place) -> u64| places.iter().all(|p| of(p) == of(&places[0]));
    let why = match () {
        () if !same(|p| p.policy as u64) => "is one model behind two policies?",
        () if same(|p| p.index.into()) => "is the prompt left out of what is sent?",
        () => "was one seed used for several draws?",
    };
    let place = |p: &Place| {
        let policy = &recording.run.policies[p.policy].name;
        format!("{policy} {} #{}", recording.problems[p.problem].id, p.index)
    };
    let mut shown: Vec<String> = places.iter().take(4).map(place).collect();
    if places.len() > 4 {
        shown.push(format!("{} more", places.len() - 4));
    }
    format!("the same {} characters at {}: {why}", repeat.length, shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked() {
        let of = |t: &str, e: &str| vec![Setting::new("temperature", t), Setting::new("endpoint", e)];
        let text = table(&["base", "rlvr"], &[of("1", "a"), of("0.6", "b")]);
        assert!(
            text.contains("≠ temperature  1     0.6\n") && text.contains("  endpoint     a     b\n"),
            "{text}"
        );
        assert!(table(&["base", "rlvr"], &[of("1", "a"), of("1", "b")]).contains("is the same"));
        assert_eq!(differing(&[of("1", "a"), of("2", "a")]).unwrap(), "the policies differ in temperature");
        assert_eq!(differing(&[of("1", "a"), of("1", "b")]), None);
    }
}
