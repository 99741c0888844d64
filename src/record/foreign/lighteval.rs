//! lighteval: the details of a task as parquet, a row for each document, with `doc`,
//! `metric` and `model_response`.

use super::json::{Object, expected, list, number, plain};
use super::row::{Row, Sample};
use serde_json::{Map, Value};

/// A document with its responses. As in the harness, a metric is a score of one response,
/// and of several it is left with the problem.
pub(super) fn row(fields: &Object) -> Result<Row, String> {
    let doc = match fields.get("doc") {
        Some(Value::Object(doc)) => doc,
        other => return Err(expected("doc", "a group", other)),
    };
    let query = plain("doc, query", doc.get("query"))?;
    let response = fields.get("model_response");
    let texts = list("model_response, text", response.and_then(|r| r.get("text")))?;
    let tokens = list("model_response, output_tokens", response.and_then(|r| r.get("output_tokens")))?;
    let metrics = fields.get("metric").and_then(Value::as_object);
    let mut completions = Vec::with_capacity(texts.len());
    for (i, text) in texts.iter().enumerate() {
        let Value::String(text) = text else {
            return Err(expected("model_response, text", "texts", Some(text)));
        };
        let score = metrics.filter(|_| texts.len() == 1).and_then(|m| m.iter().next());
        completions.push(Sample {
            text: text.clone(),
            score: score.map(|(name, value)| number(name, Some(value))).transpose()?.flatten(),
            tokens: tokens.get(i).and_then(Value::as_array).map(|t| t.len() as u32).filter(|n| *n > 0),
            ..Sample::default()
        });
    }
    let choices = list("doc, choices", doc.get("choices"))?;
    let gold = match doc.get("gold_index") {
        Some(Value::Array(all)) => all.first().and_then(Value::as_u64),
        other => other.and_then(Value::as_u64),
    };
    let reference = gold.and_then(|g| choices.get(usize::try_from(g).ok()?));
    let mut metadata = match doc.get("specific") {
        Some(Value::Object(specific)) => specific.clone(),
        _ => Map::new(),
    };
    if let Some(metrics) = metrics.filter(|_| texts.len() > 1) {
        metadata.insert("metrics".into(), Value::Object(metrics.clone()));
    }
    Ok(Row {
        id: plain("doc, id", doc.get("id"))?.filter(|id| !id.is_empty()),
        prompt: query.ok_or_else(|| expected("doc, query", "a text", doc.get("query")))?,
        reference: plain("doc, choices", reference)?,
        task: plain("doc, task_name", doc.get("task_name"))?,
        metadata,
        policy: None,
        completions,
    })
}
