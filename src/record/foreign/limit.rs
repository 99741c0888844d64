//! limit-of-RLVR (Yue et al. 2025): a line for each problem with `code[]`, `pred[]`,
//! `score[]` and `finish_reason[]`, side by side.

use super::json::{Object, expected, list, number, plain};
use super::row::{About, Row, Sample};
use crate::completion::Finish;
use crate::record::SamplingEntry;
use serde_json::Value;
use std::path::Path;

/// What the file's name says, as in `test_qwen-boxed_-1_seed1_t0.6_s0_e-1.jsonl`.
pub(super) fn about(path: &Path) -> About {
    let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or_default();
    let after =
        |mark: &str| name.split('_').filter_map(|part| part.strip_prefix(mark)).find_map(|v| v.parse().ok());
    let seed: Option<f64> = after("seed");
    About {
        sampling: SamplingEntry {
            temperature: after("t"),
            seed: seed.map(|s| s as u64),
            ..SamplingEntry::default()
        },
        ..About::default()
    }
}

/// A problem with its completions. The prompt template is not in the file: the question is.
pub(super) fn row(line: &Object) -> Result<Row, String> {
    let texts = list("code", line.get("code"))?;
    let [answers, scores, ends] =
        ["pred", "score", "finish_reason"].map(|name| list(name, line.get(name)).map_err(|e| (name, e)));
    // Older files keep one verdict for all.
    let scores = scores.unwrap_or_default();
    let (answers, ends) = (answers.map_err(|(_, e)| e)?, ends.map_err(|(_, e)| e)?);
    if !scores.is_empty() && scores.len() != texts.len() {
        return Err(format!(
            "score: {} are expected, one for each code, and there are {}",
            texts.len(),
            scores.len()
        ));
    }
    let mut completions = Vec::with_capacity(texts.len());
    for (i, text) in texts.iter().enumerate() {
        let Value::String(text) = text else { return Err(expected("code", "texts", Some(text))) };
        let end = ends.get(i).and_then(Value::as_str);
        completions.push(Sample {
            text: text.clone(),
            answer: plain("pred", answers.get(i))?.filter(|a| !a.is_empty()),
            score: number("score", scores.get(i))?,
            finish: end.map(|e| if e == "length" { Finish::Length } else { Finish::Stop }),
            ..Sample::default()
        });
    }
    let own = ["idx", "question", "gt", "code", "pred", "score", "report", "finish_reason", "gt_cot"];
    let question = plain("question", line.get("question"))?;
    Ok(Row {
        id: plain("idx", line.get("idx"))?,
        prompt: question.ok_or_else(|| expected("question", "a text", line.get("question")))?,
        reference: plain("gt", line.get("gt"))?,
        task: None,
        metadata: line
            .iter()
            .filter(|(k, _)| !own.contains(&k.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        policy: None,
        completions,
    })
}
