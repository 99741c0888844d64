//! Inspect (UK AISI): `.eval` archives, through their summaries first, and `.json` logs. An
//! epoch of a sample is a completion.

use super::json::{Object, completion, count, expected, first, list, number, plain, prompt};
use super::row::{About, Row, Sample};
use crate::completion::Finish;
use crate::record::SamplingEntry;
use serde_json::{Map, Value};

/// Fields of a sample that are long and not read.
pub(super) const SKIP: &[&str] =
    &["events", "events_data", "timelines", "store", "error_retries", "messages", "sandbox"];

/// What the header of a log says.
pub(super) fn about(header: &Object) -> About {
    let eval = header.get("eval");
    let own = eval.and_then(|e| e.get("model_generate_config"));
    let plan = header.get("plan").and_then(|p| p.get("config"));
    let field = |name| plan.and_then(|c| c.get(name)).or_else(|| own.and_then(|c| c.get(name)));
    About {
        model: eval.and_then(|e| e.get("model")).and_then(Value::as_str).map(str::to_owned),
        sampling: SamplingEntry {
            temperature: field("temperature").and_then(Value::as_f64),
            top_p: field("top_p").and_then(Value::as_f64),
            top_k: count(field("top_k")).map(|k| k as usize),
            max_tokens: count(field("max_tokens")).map(|n| n as usize),
            seed: field("seed").and_then(Value::as_u64),
        },
        threshold: None,
    }
}

/// The task of a log.
pub(super) fn task(header: &Object) -> Option<String> {
    header.get("eval").and_then(|e| e.get("task")).and_then(Value::as_str).map(str::to_owned)
}

/// A sample in one epoch. The first scorer that gave a value decides; all scores of a
/// sample that was not drawn to its end (an error, and no output) are left out.
pub(super) fn sample(fields: &Object, task: Option<&str>) -> Result<Row, String> {
    let id = plain("id", fields.get("id"))?
        .ok_or_else(|| expected("id", "a text or a number", fields.get("id")))?;
    let output = fields.get("output");
    let choice = output.and_then(|o| o.get("choices")).and_then(|c| c.get(0));
    let mut completions = Vec::new();
    let said = match choice.and_then(|c| c.get("message")) {
        Some(message) => Some(completion("output, message", Some(message))?),
        None => {
            plain("output, completion", output.and_then(|o| o.get("completion")))?.filter(|t| !t.is_empty())
        }
    };
    if let Some(text) = said {
        let (score, correct, answer) = scored(fields.get("scores"))?;
        let stop = choice.and_then(|c| c.get("stop_reason")).and_then(Value::as_str);
        let usage = output.and_then(|o| o.get("usage"));
        completions.push(Sample {
            text: attached(text, fields),
            answer,
            score,
            correct,
            tokens: usage.and_then(|u| count(u.get("output_tokens"))),
            finish: stop.map(|s| match s {
                "max_tokens" | "model_length" => Finish::Length,
                _ => Finish::Stop,
            }),
            ..Sample::default()
        });
    }
    Ok(Row {
        id: Some(id),
        prompt: attached(prompt("input", fields.get("input"))?, fields),
        reference: first("target", fields.get("target"))?,
        task: task.map(str::to_owned),
        metadata: match fields.get("metadata") {
            Some(Value::Object(metadata)) => metadata.clone(),
            _ => Map::new(),
        },
        policy: None,
        completions,
    })
}

type Scored = (Option<f64>, Option<bool>, Option<String>);

/// The value, correctness and answer of the first score that has a value. `C`, `I`, `P` and
/// `N` are Inspect's letters; NaN, which is read as `null`, is its mark of what was not
/// scored.
fn scored(scores: Option<&Value>) -> Result<Scored, String> {
    for score in scores.and_then(Value::as_object).into_iter().flat_map(Map::values) {
        let answer = score.get("answer").and_then(Value::as_str).map(str::to_owned);
        let value = match score.get("value") {
            Some(Value::String(letter)) => match letter.as_str() {
                "C" => Some(1.0),
                "P" => Some(0.5),
                "I" | "N" => Some(0.0),
                _ => number("scores, value", score.get("value")).ok().flatten(),
            },
            // A score of several figures has none that decides.
            Some(Value::Array(_) | Value::Object(_)) => None,
            value => number("scores, value", value)?,
        };
        if let Some(value) = value {
            return Ok((Some(value), None, answer));
        }
    }
    Ok((None, None, None))
}

/// A long text is kept once, in `attachments`, and referred to.
fn attached(text: String, fields: &Object) -> String {
    let name = text.strip_prefix("attachment://");
    let found = name.and_then(|n| fields.get("attachments")?.get(n)?.as_str());
    found.map(str::to_owned).unwrap_or(text)
}

/// The member of an archive that holds a sample, by its summary.
///
/// # Errors
/// A summary without id or epoch.
pub(super) fn member(summary: &Value) -> Result<String, String> {
    let id = plain("id", summary.get("id"))?
        .ok_or_else(|| expected("id", "a text or a number", summary.get("id")))?;
    let epoch =
        count(summary.get("epoch")).ok_or_else(|| expected("epoch", "a number", summary.get("epoch")))?;
    Ok(format!("samples/{id}_epoch_{epoch}.json"))
}

/// The summaries of `summaries.json`, or of one part of the journal.
///
/// # Errors
/// Something that is no list.
pub(super) fn summaries(value: &Value) -> Result<&[Value], String> {
    list("the summaries", Some(value))
}
