//! ARC 1D: the rule that turns one row of cells into another, from three examples.

mod rules;

use super::{ASK, Level, Mend, Reading, Task, id, problem};
use crate::problem::Problem;
use crate::problem::python::strip;
use crate::problem::repair::{self, Repair};
use crate::random::Stream;
use serde_json::json;

/// The task.
pub struct Arc1d;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "rows of 10–30 cells, 3 examples" },
    Level { name: "hard", parameters: "rows of 25–50 cells, 3 examples" },
];

impl Task for Arc1d {
    fn name(&self) -> &'static str {
        "arc_1d"
    }

    fn title(&self) -> &'static str {
        "ARC 1D"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "The row. The package gives part of a point to a longer text that holds it; here that is \
         wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (low, high) = match level {
            "easy" => (10, 30),
            "hard" => (25, 50),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("arc_1d").with(level).at(index);
        let rules = rules::all();
        let rule = &rules[stream.below(rules.len())];
        let size = low + stream.below(high - low + 1);
        let pairs: Vec<_> = (0..4).map(|_| rule.example(size, &mut stream)).collect();
        let (test, train) = pairs.split_last()?;
        let shown: Vec<String> =
            train.iter().map(|p| format!("{}\nbecomes\n{}", row(&p.input), row(&p.output))).collect();
        let prompt = format!(
            "One rule turns each row of cells into another:\n\n{}\n\nWhat does this row become?\n{}\nAnswer with \
             the row, one blank between its cells. {ASK}",
            shown.join("\n\n"),
            row(&test.input)
        );
        let pair = |p: &rules::Pair| json!({ "input": p.input, "output": p.output });
        let metadata = json!({
            "task_name": rule.name, "size": size,
            "train_examples": train.iter().map(pair).collect::<Vec<_>>(), "test_example": pair(test),
        });
        Some(problem(id("arc_1d", level, seed, index), "arc_1d", prompt, row(&test.output), metadata))
    }

    /// The row to the last character, as the package compares it: a longer text that holds
    /// the row earns a part of a point there, and nothing here.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let correct = problem.reference.as_deref() == Some(answer);
        let cells = || strip(answer).split(' ').all(|c| c.len() == 1 && c.as_bytes()[0].is_ascii_digit());
        (correct || cells()).then(|| Reading { answer: strip(answer).to_owned(), correct })
    }

    fn repairs(&self) -> &'static [Mend] {
        &[
            (Repair::JsonFence, repair::json_fence),
            (Repair::Dress, repair::dress),
            (Repair::Spacing, repair::spaced_cells),
        ]
    }
}

fn row(cells: &[u8]) -> String {
    cells.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}
