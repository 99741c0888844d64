//! `leash tasks`: the tasks, their difficulties, how they are judged, and examples.

use super::print;
use crate::cli::TasksArgs;
use crate::problem::tasks::{ALL, Level, Task, VERIFIERS, find, names};
use anyhow::{Context, Result};

/// Lists the tasks, or tells all of one.
///
/// # Errors
/// A name of no task; a standard output that cannot be written.
pub fn run(args: &TasksArgs) -> Result<()> {
    let text = match &args.name {
        None => listed(),
        Some(name) => {
            let known =
                || format!("there is no task `{name}`; there are {}", names().collect::<Vec<_>>().join(", "));
            told(find(name).with_context(known)?)
        }
    };
    print(&text)?;
    Ok(())
}

fn listed() -> String {
    let mut text: String = ALL.into_iter().map(described).collect();
    text += "Verifiers for problems from files\n";
    for task in VERIFIERS {
        text += &wrapped(&format!("  --grader {:<22}", task.name()), task.scoring());
    }
    text + "\n`leash tasks NAME` shows how a task is judged, and an example of each difficulty.\n"
}

/// A task with an example of its first difficulty.
fn described(task: &dyn Task) -> String {
    let levels: String = levels(task);
    let example = task.levels().first().map(|level| example(task, level)).unwrap_or_default();
    format!("{}\n{levels}{example}\n", task.title())
}

/// All that there is to know of a task.
fn told(task: &dyn Task) -> String {
    let mut text = format!("{} ({})\n", task.title(), task.name());
    text += &wrapped("  right     ", task.scoring());
    let rules: Vec<&str> = task.rules().iter().map(|r| r.name()).collect();
    text += &wrapped("  found by  ", &format!("the first of {}", rules.join(", ")));
    let repairs: Vec<&str> = task.repairs().iter().map(|(repair, _)| repair.name()).collect();
    if !repairs.is_empty() {
        text += &wrapped("  repaired  ", &format!("{}; for every policy alike", repairs.join(", ")));
    }
    text.push('\n');
    for (level, row) in task.levels().iter().zip(levels(task).lines()) {
        text += &format!("{row}\n{}\n", example(task, level));
    }
    text
}

/// One line a difficulty: how it is chosen, and its parameters.
fn levels(task: &dyn Task) -> String {
    let line = |(i, level): (usize, &Level)| {
        let name = format!("{}:{}", task.name(), level.name);
        let default = if i == 0 { " (default)" } else { "" };
        format!("  --task {name:<28} {}{default}\n", level.parameters)
    };
    task.levels().iter().enumerate().map(line).collect()
}

fn example(task: &dyn Task, level: &Level) -> String {
    let Some(example) = task.generate(level.name, 0, 0) else { return String::new() };
    let lines: String = example.prompt.lines().map(|line| wrapped("    ", line)).collect();
    lines + &wrapped("    → ", &example.reference.unwrap_or_default())
}

/// A text behind a margin, in lines of about 100 columns.
fn wrapped(margin: &str, text: &str) -> String {
    const WIDTH: usize = 100;
    let indent = margin.chars().count();
    let mut lines = vec![margin.to_owned()];
    let mut used = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > indent && used + length > WIDTH {
            lines.push(" ".repeat(indent));
            used = indent;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
            line.push(' ');
        }
        used += length + 1;
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_and_level_is_listed_with_an_example() {
        let text = listed();
        for task in ALL {
            assert!(text.contains(task.title()));
            for level in task.levels() {
                assert!(text.contains(&format!("{}:{}", task.name(), level.name)));
            }
        }
        assert_eq!(text.matches("    → ").count(), ALL.len());
        assert!(VERIFIERS.iter().all(|t| text.contains(&format!("--grader {}", t.name()))));
    }

    #[test]
    fn one_task_is_told_with_all_its_difficulties() {
        for task in ALL.into_iter().chain(VERIFIERS) {
            let text = told(task);
            assert_eq!(text.matches("    → ").count(), task.levels().len(), "{text}");
            assert_eq!(text.matches("\n  --task ").count(), task.levels().len());
            assert!(text.contains("the first of tag"), "{text}");
        }
        assert!(told(find("prime_factorization").unwrap()).contains("times-sign, exponents; for every"));
    }

    #[test]
    fn long_lines_are_wrapped_between_words() {
        let text = wrapped("  → ", &"word ".repeat(40));
        assert!(text.lines().count() == 3 && text.lines().all(|l| l.len() <= 104), "{text}");
        assert!(text.lines().skip(1).all(|l| l.starts_with("    word")));
    }
}
