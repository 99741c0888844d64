//! `leash tasks`: the tasks, their difficulties and one example of each.

use super::print;
use crate::problem::tasks::{ALL, Task, VERIFIERS};
use anyhow::Result;

/// Lists the tasks.
///
/// # Errors
/// A standard output that cannot be written.
pub fn run() -> Result<()> {
    print(&listed())?;
    Ok(())
}

fn listed() -> String {
    let mut text: String = ALL.into_iter().map(described).collect();
    text += "Verifiers for problems from files\n";
    for task in VERIFIERS {
        text += &format!("  {:<24} {}\n", task.name(), task.title());
    }
    text
}

fn described(task: &dyn Task) -> String {
    let mut text = format!("{}\n", task.title());
    for (i, level) in task.levels().iter().enumerate() {
        let name = format!("{}:{}", task.name(), level.name);
        let default = if i == 0 { " (default)" } else { "" };
        text += &format!("  --task {name:<28} {}{default}\n", level.parameters);
    }
    if let Some(example) = task.levels().first().and_then(|l| task.generate(l.name, 0, 0)) {
        for line in example.prompt.lines() {
            text += &format!("    {line}\n");
        }
        text += &format!("    → {}\n", example.reference.unwrap_or_default());
    }
    text.push('\n');
    text
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
        assert!(text.contains("mathematics"));
    }
}
