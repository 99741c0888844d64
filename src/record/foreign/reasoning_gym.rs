//! Reasoning Gym: the JSON file of a data set that its `eval.py` writes, and data set items
//! as JSON lines, which are problems without completions.

use super::json::{Object, expected, list, number, plain};
use super::row::{Row, Sample};
use serde_json::{Map, Value};

/// An element of `results`. `header` is what stands before them, `number` counts from 0.
pub(super) fn result(header: &Object, at: u64, entry: &Object) -> Result<Row, String> {
    let mut row = question(entry)?;
    row.reference = plain("expected_answer", entry.get("expected_answer"))?;
    let named = header.get("name").and_then(Value::as_str);
    row.task = row.task.or(named.map(str::to_owned));
    let seed = header.get("config").and_then(|c| c.get("seed")).filter(|s| !s.is_null());
    let name = row.task.as_deref().unwrap_or("problem");
    row.id = Some(match seed {
        Some(seed) => format!("{name}/{seed}/{at}"),
        None => format!("{name}/{at}"),
    });
    for completion in list("completions", entry.get("completions"))? {
        let Some(Value::String(text)) = completion.get("full_model_response") else {
            return Err(expected(
                "completions, full_model_response",
                "a text",
                completion.get("full_model_response"),
            ));
        };
        row.completions.push(Sample {
            text: text.clone(),
            answer: plain("completions, model_answer", completion.get("model_answer"))?,
            score: number("completions, score", completion.get("score"))?,
            ..Sample::default()
        });
    }
    Ok(row)
}

/// A data set item.
pub(super) fn item(line: &Object) -> Result<Row, String> {
    let mut row = question(line)?;
    row.reference = plain("answer", line.get("answer"))?;
    let index = row.metadata.get("source_index").and_then(Value::as_u64);
    row.id = row.task.as_ref().zip(index).map(|(task, index)| format!("{task}/{index}"));
    Ok(row)
}

fn question(from: &Object) -> Result<Row, String> {
    let question = plain("question", from.get("question"))?;
    let metadata = match from.get("metadata") {
        Some(Value::Object(metadata)) => metadata.clone(),
        _ => Map::new(),
    };
    Ok(Row {
        prompt: question.ok_or_else(|| expected("question", "a text", from.get("question")))?,
        task: metadata.get("source_dataset").and_then(Value::as_str).map(str::to_owned),
        metadata,
        ..Row::default()
    })
}
