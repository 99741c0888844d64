//! verl: rollout and validation dumps, `STEP.jsonl`, a line for each completion. They name
//! no problem: lines with the same `input` are of one.

use super::json::{Object, expected, number, plain};
use super::row::{Row, Sample};
use serde_json::Value;

/// A completion.
pub(super) fn row(line: &Object) -> Result<Row, String> {
    let text = |name: &str| match line.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        other => Err(expected(name, "a text", other)),
    };
    // `score` sums the rewards of all tokens; `acc` is what the verifier said, where it did.
    let accuracy = number("acc", line.get("acc")).ok().flatten();
    let reference = match line.get("gts") {
        Some(structured @ (Value::Array(_) | Value::Object(_))) => Some(structured.to_string()),
        other => plain("gts", other)?,
    };
    Ok(Row {
        prompt: text("input")?,
        reference,
        completions: vec![Sample {
            text: text("output")?,
            score: number("score", line.get("score"))?,
            correct: accuracy.map(|a| a >= 1.0),
            ..Sample::default()
        }],
        ..Row::default()
    })
}
