//! verifiers (Prime Intellect): `results.jsonl` with `metadata.json` (up to 0.3), and
//! `traces.jsonl` of episodes (from 0.4), read and, the former, written.

use super::json::{self, Object, completion, count, expected, list, number, plain, prompt};
use super::row::{About, Row, Sample};
use crate::completion::Finish;
use crate::record::SamplingEntry;
use serde_json::{Map, Value};
use std::path::Path;

/// Fields that are long and not read.
pub(super) const SKIP: &[&str] = &["trajectory", "tool_defs", "timing", "long_error_chain"];

/// What `metadata.json` beside a `results.jsonl` says.
pub(super) fn about(path: &Path) -> About {
    let Some(metadata) = super::beside(path, "metadata.json") else { return About::default() };
    let text = |name| metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    About {
        model: text("model"),
        sampling: sampling(metadata.get("sampling_args")),
        threshold: metadata.get("pass_threshold").and_then(Value::as_f64),
    }
}

fn sampling(from: Option<&Value>) -> SamplingEntry {
    let field = |name| from.and_then(|f| f.get(name));
    let number = |name| field(name).and_then(Value::as_f64);
    let whole = |name| field(name).and_then(Value::as_u64);
    SamplingEntry {
        temperature: number("temperature"),
        top_p: number("top_p"),
        top_k: whole("top_k").map(|k| k as usize),
        max_tokens: whole("max_completion_tokens").or(whole("max_tokens")).map(|n| n as usize),
        seed: whole("seed"),
    }
}

/// A line of `results.jsonl`: one rollout.
pub(super) fn result(line: &Object) -> Result<Row, String> {
    let truncated = line.get("is_truncated").and_then(Value::as_bool);
    let usage = line.get("token_usage");
    let sample = Sample {
        text: completion("completion", line.get("completion"))?,
        score: number("reward", line.get("reward"))?,
        tokens: usage.and_then(|u| count(u.get("output_tokens"))),
        finish: truncated.map(|cut| if cut { Finish::Length } else { Finish::Stop }),
        ..Sample::default()
    };
    let mut metadata = match line.get("info") {
        Some(Value::Object(info)) => info.clone(),
        _ => Map::new(),
    };
    // Reasoning Gym's items go through verifiers as a JSON text.
    if let Some(Value::String(info)) = line.get("info") {
        metadata = json::object(info.as_bytes(), &[]).unwrap_or_default();
    }
    Ok(Row {
        id: plain("example_id", line.get("example_id"))?,
        prompt: prompt("prompt", line.get("prompt"))?,
        reference: plain("answer", line.get("answer"))?,
        task: plain("task", line.get("task"))?,
        metadata,
        policy: None,
        completions: vec![sample],
    })
}

/// A line of `traces.jsonl`: an episode with its traces, or, as before 0.4, one trace.
pub(super) fn episode(line: &Object) -> Result<Vec<Row>, String> {
    match line.get("traces") {
        Some(traces) => list("traces", Some(traces))?.iter().map(trace).collect(),
        None => Ok(vec![trace(&Value::Object(line.clone()))?]),
    }
}

/// What the first line of `traces.jsonl` says of the policy.
pub(super) fn about_trace(line: &Object) -> About {
    let first = line.get("traces").and_then(|t| t.get(0)).or(line.get("calls").map(|_| &Value::Null));
    let calls = match first {
        Some(Value::Null) => line.get("calls"),
        Some(trace) => trace.get("calls"),
        None => None,
    };
    let call = calls.and_then(|c| c.get(0));
    About {
        model: call.and_then(|c| c.get("model")).and_then(Value::as_str).map(str::to_owned),
        sampling: sampling(call.and_then(|c| c.get("sampling"))),
        threshold: None,
    }
}

fn trace(trace: &Value) -> Result<Row, String> {
    let task = trace.get("task").ok_or_else(|| expected("task", "an object", None))?;
    // Before 0.4 the task was its data.
    let data = task.get("data").unwrap_or(task);
    let Value::Object(fields) = data else {
        return Err(expected("task, data", "an object", Some(data)));
    };
    let nodes = list("nodes", trace.get("nodes"))?;
    let sampled: Vec<&Value> =
        nodes.iter().filter(|n| n.get("sampled").and_then(Value::as_bool) == Some(true)).collect();
    let said: Vec<Value> = sampled.iter().filter_map(|n| n.get("message").cloned()).collect();
    let mut asked = prompt("task, prompt", fields.get("prompt").filter(|p| !p.is_null())).unwrap_or_default();
    if let Some(system) = fields.get("system_prompt").and_then(Value::as_str).filter(|s| !s.is_empty()) {
        asked = format!("{system}\n\n{asked}");
    }
    let calls = list("calls", trace.get("calls"))?;
    let tokens = |call: &Value| call.get("usage").and_then(|u| count(u.get("completion_tokens")));
    let tokens: Vec<u32> = calls.iter().filter_map(tokens).collect();
    let finish = calls.last().and_then(|c| c.get("finish_reason")).and_then(Value::as_str);
    let rewards = trace.get("rewards").and_then(Value::as_object);
    let value = |reward: &Value| {
        let score = number("rewards, score", reward.get("score"))?;
        let weight = number("rewards, weight", reward.get("weight"))?.unwrap_or(1.0);
        Ok::<_, String>(score.map(|s| s * weight))
    };
    let values = rewards.into_iter().flat_map(Map::values).filter(|r| !r.is_null()).map(value);
    let values: Vec<f64> = values.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let logprobs: Vec<f64> = sampled
        .iter()
        .filter_map(|n| n.get("logprobs")?.as_array())
        .flatten()
        .filter_map(Value::as_f64)
        .collect();
    let sample = Sample {
        text: match &said[..] {
            [] => String::new(),
            said => completion("nodes, message", Some(&Value::Array(said.to_vec())))?,
        },
        score: (!values.is_empty()).then(|| values.iter().sum()),
        tokens: (!tokens.is_empty()).then(|| tokens.iter().fold(0u32, |a, &b| a.saturating_add(b))),
        logprob: (!logprobs.is_empty()).then(|| logprobs.iter().sum()),
        finish: finish.map(|f| if f == "length" { Finish::Length } else { Finish::Stop }),
        ..Sample::default()
    };
    let own = ["idx", "id", "name", "prompt", "system_prompt", "answer"];
    let framework = [
        "skills",
        "network_allow",
        "network_block",
        "artifacts",
        "artifact_max_bytes",
        "timeout",
        "resources",
    ];
    let kept = |name: &str| !own.contains(&name) && !framework.contains(&name);
    let key = plain("task, key", task.get("key"))?;
    let id = plain("task, data, id", fields.get("id"))?;
    Ok(Row {
        id: id.or(key).or(plain("task, data, idx", fields.get("idx"))?),
        prompt: asked,
        reference: plain("task, data, answer", fields.get("answer"))?,
        task: plain("task, type", task.get("type"))?,
        metadata: fields.iter().filter(|(k, _)| kept(k)).map(|(k, v)| (k.clone(), v.clone())).collect(),
        policy: None,
        completions: vec![sample],
    })
}
