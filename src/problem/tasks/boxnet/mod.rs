//! BoxNet: agents on a grid carry every box to a target of its colour.

mod plan;

use super::{ASK, Level, Mend, Reading, Task, id, problem};
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use crate::random::Stream;
use plan::{Field, Plan};
use serde_json::json;

/// The task.
pub struct Boxnet;

/// The package names no hard set for BoxNet; `hard` is the fifth to seventh of its
/// curriculum's levels, with up to three boxes a colour.
const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "1–4 × 2–4 squares, one box of each of 3 colours" },
    Level { name: "hard", parameters: "5–7 × 5–7 squares, 1–3 boxes of each of 3 colours" },
];

const COLOURS: [&str; 3] = ["red", "blue", "green"];

impl Task for Boxnet {
    fn name(&self) -> &'static str {
        "boxnet"
    }

    fn title(&self) -> &'static str {
        "BoxNet"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "Any plan that brings every box to its target. The package gives the share of boxes that \
         were brought, at least 0.05; here anything below 1 is wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (rows, columns, boxes) = match level {
            "easy" => ((1, 4), (2, 4), (1, 1)),
            "hard" => ((5, 7), (5, 7), (1, 3)),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("boxnet").with(level).at(index);
        let mut between = |(low, high): (usize, usize)| low + stream.below(high - low + 1);
        let (rows, columns) = (between(rows), between(columns));
        let mut field = Field::empty(rows, columns);
        let mut carried = Vec::new();
        for colour in COLOURS {
            for _ in 0..between(boxes) {
                let mut square = || (between((0, rows - 1)), between((0, columns - 1)));
                let (from, to) = (square(), square());
                field.put(from, format!("box_{colour}"));
                field.put(to, format!("target_{colour}"));
                carried.push((colour, from, to));
            }
        }
        let reference = Plan::carrying(&carried).to_string();
        let prompt = format!(
            "A field has {rows} × {columns} squares; Agent[x, y] works in square[x, y]. In one step an agent can \
             move one box of its square to a square beside it, or onto a target of the box's colour in its own \
             square. On the field are: {}. Bring every box to a target of its colour. Answer with a JSON list of \
             steps, each an object from agent to move, such as [{{\"Agent[0.5, 0.5]\": \"move(box_red, square[0.5, \
             1.5])\"}}, {{\"Agent[0.5, 1.5]\": \"move(box_red, target_red)\"}}]. {ASK}",
            field.described()
        );
        let metadata = json!({ "row_num": rows, "column_num": columns, "initial_state": field.to_json() });
        Some(problem(id("boxnet", level, seed, index), "boxnet", prompt, reference, metadata))
    }

    /// Right if the plan leaves no box, whatever its length. The package scores the share
    /// of boxes that are gone; less than all is wrong here.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let plan = Plan::parse(answer)?;
        let field = problem.metadata.get("initial_state").and_then(Field::from_json);
        let correct = field.is_some_and(|f| f.after(&plan).is_some_and(|end| end.boxes() == 0));
        Some(Reading { answer: plan.to_string(), correct })
    }

    fn rules(&self) -> &'static [Rule] {
        &[Rule::Tag, Rule::Box, Rule::Marker, Rule::Fence, Rule::LastLine]
    }

    fn repairs(&self) -> &'static [Mend] {
        &[(Repair::JsonFence, repair::json_fence), (Repair::SingleDictionary, repair::single_dictionary)]
    }
}
