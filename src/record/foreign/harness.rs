//! lm-evaluation-harness: `samples_TASK_DATE.jsonl`, a row for each document and filter,
//! with all `resps` in each.

use super::json::{Object, count, expected, first, list, number, plain};
use super::row::{About, Row, Sample};
use crate::record::SamplingEntry;
use serde_json::{Map, Value};

/// The name of the filter that a row went through.
pub(super) fn filter(line: &Object) -> &str {
    line.get("filter").and_then(Value::as_str).unwrap_or("none")
}

/// The settings that the first row's arguments show.
pub(super) fn about(line: &Object) -> About {
    let settings = line.get("arguments").and_then(|a| a.get("gen_args_0")).and_then(|a| a.get("arg_1"));
    let field = |name| settings.and_then(|s| s.get(name));
    let greedy = field("do_sample").and_then(Value::as_bool) == Some(false);
    About {
        sampling: SamplingEntry {
            temperature: field("temperature").and_then(Value::as_f64).or(greedy.then_some(0.0)),
            top_p: field("top_p").and_then(Value::as_f64),
            top_k: count(field("top_k")).map(|k| k as usize),
            max_tokens: count(field("max_gen_toks")).map(|n| n as usize),
            seed: None,
        },
        ..About::default()
    }
}

/// A row: the document, and every response to it. The metric is of the filtered answer: of
/// one response it is its score; of several it is one figure for all, and is left with the
/// problem.
pub(super) fn row(line: &Object) -> Result<Row, String> {
    let asked = line.get("arguments").and_then(|a| a.get("gen_args_0")).and_then(|a| a.get("arg_0"));
    let Some(Value::String(asked)) = asked else {
        return Err(expected("arguments, gen_args_0, arg_0", "the prompt as a text", asked));
    };
    let requests = list("resps", line.get("resps"))?;
    let [Value::Array(responses)] = requests else {
        return Err(format!(
            "resps: the responses to one request are expected, and there are {} requests; tasks that compare log-likelihoods draw no completions",
            requests.len()
        ));
    };
    let names = list("metrics", line.get("metrics"))?;
    let metrics = names.iter().filter_map(|n| Some((n.as_str()?, line.get(n.as_str()?)?)));
    let metrics: Vec<(&str, &Value)> = metrics.collect();
    let filtered = list("filtered_resps", line.get("filtered_resps"))?.first();
    let mut completions = Vec::new();
    for (i, response) in responses.iter().enumerate() {
        let Value::String(text) = response else {
            return Err(expected("resps", "texts; log-likelihoods are no completions", Some(response)));
        };
        let mut sample = Sample { text: text.clone(), ..Sample::default() };
        if responses.len() == 1 {
            sample.answer = filtered.and_then(|f| first("filtered_resps", Some(f)).ok().flatten());
            sample.score = metrics.first().map(|(n, v)| number(n, Some(v))).transpose()?.flatten();
        } else if let Some(Value::Array(answers)) = filtered {
            sample.answer = answers.get(i).and_then(Value::as_str).map(str::to_owned);
        }
        // What a filter writes where it finds nothing.
        sample.answer = sample.answer.filter(|a| a != "[invalid]");
        completions.push(sample);
    }
    let mut metadata = match line.get("doc") {
        Some(Value::Object(doc)) => doc.clone(),
        _ => Map::new(),
    };
    if responses.len() > 1 {
        let figures: Map<String, Value> =
            metrics.iter().map(|(n, v)| ((*n).to_owned(), (*v).clone())).collect();
        metadata.insert("metrics".into(), Value::Object(figures));
    }
    Ok(Row {
        id: plain("doc_id", line.get("doc_id"))?,
        prompt: asked.clone(),
        reference: first("target", line.get("target"))?,
        task: None,
        metadata,
        policy: None,
        completions,
    })
}
