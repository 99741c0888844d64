//! What is found out about a server when it is connected to.

use super::client::{Client, Fault};
use super::dialect::{Dialect, Kind, LARGEST_VOCABULARY, Place, Prompt};
use crate::model::Sampling;
use serde_json::Value;
use std::time::Duration;

/// Bytes of an answer that is no completion.
const SMALL: u64 = 8 << 20;

/// Who serves what.
pub(super) struct Found {
    pub kind: Kind,
    pub model: String,
    pub vocab_size: Option<usize>,
    pub facts: Vec<(&'static str, String)>,
}

/// Of which distribution the reported probabilities are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reports {
    /// The server reports none.
    Nothing,
    /// The model's own, before temperature and truncation.
    Before,
    /// What is left after temperature and truncation.
    After,
    /// The probe's prompts do not tell.
    Unclear,
}

impl Reports {
    /// For people. `used`: whether they can be used at the settings of the run.
    pub fn words(self, top: usize, vocab_size: Option<usize>, used: bool) -> String {
        let of = match self {
            Reports::Nothing => return "none: no entropy of tokens".to_owned(),
            Reports::Before => "before temperature and truncation",
            Reports::After => "after temperature and truncation",
            Reports::Unclear => "not clear whether before temperature and truncation",
        };
        let how = match vocab_size {
            Some(v) if top >= v => "all tokens: entropy exact".to_owned(),
            Some(v) => format!("top {top} of {v} tokens: entropy as an interval"),
            None => {
                format!("top {top}, a vocabulary of at most {LARGEST_VOCABULARY}: entropy as an interval")
            }
        };
        if used { format!("{of}, {how}") } else { format!("{of}: not used at these settings") }
    }
}

/// Asks an endpoint whose program it is and which models it serves; `wanted` must be one of
/// them.
///
/// # Errors
/// A sentence.
pub(super) fn who(client: &Client, url: &str, wanted: Option<&str>) -> Result<Found, String> {
    let list = patient(|| client.get(&format!("{url}/models"), SMALL))?;
    let models = list.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let name = |m: &Value| m.get("id").and_then(Value::as_str).map(str::to_owned);
    let names: Vec<String> = models.iter().filter_map(name).collect();
    let owner = |m: &Value| Kind::of(m.get("owned_by").and_then(Value::as_str).unwrap_or_default());
    let place = match wanted {
        Some(wanted) => names.iter().position(|n| n == wanted),
        None if names.len() == 1 => Some(0),
        None => None,
    };
    // llama.cpp's server serves its one model under any name.
    let place = place.or_else(|| (models.len() == 1 && owner(&models[0]) == Kind::LlamaCpp).then_some(0));
    let shown = || names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let Some(model) = place.and_then(|at| models.get(at)) else {
        return Err(match (names.is_empty(), wanted) {
            (true, _) => "it lists no model: is this the address of a model's server, with /v1?".to_owned(),
            (false, Some(wanted)) => format!("it does not serve {wanted:?}; it serves: {}", shown()),
            (false, None) => format!("it serves several models; write #MODEL after the address: {}", shown()),
        });
    };
    let whole = |at: &str| model.pointer(at).and_then(Value::as_u64).map(|n| n as usize);
    let mut facts = Vec::new();
    if let Some(root) = model.get("root").and_then(Value::as_str) {
        facts.push(("weights", root.to_owned()));
    }
    if let Some(context) = whole("/max_model_len").or_else(|| whole("/meta/n_ctx")) {
        facts.push(("longest context", context.to_string()));
    }
    Ok(Found {
        kind: owner(model),
        model: name(model).unwrap_or_default(),
        vocab_size: whole("/meta/n_vocab").filter(|v| *v > 0),
        facts,
    })
}

/// Finds out what the server takes and what its probabilities are of: the same prompt at
/// T = 1 and at T = 0.5 with top-k 1. What the server does not take is left out of `dialect`.
///
/// # Errors
/// A sentence.
pub(super) fn probe(client: &Client, url: &str, dialect: &mut Dialect) -> Result<Reports, String> {
    // Each leaves open how it goes on, in one language or another.
    const PROMPTS: [&str; 3] = ["The", "Q: 3 crabs, 1 ant. How many legs?\nA:", "I think that"];
    loop {
        match ask(client, url, dialect, PROMPTS[0], 1.0, None) {
            Ok(_) => break,
            // OpenAI's own models report 5 at most, vLLM as many as its --max-logprobs.
            Err(Fault::Final(_)) if dialect.top > 5 => dialect.top = 5,
            Err(Fault::Final(_)) if dialect.top > 0 && !dialect.plain => {
                dialect.plain = true;
            }
            Err(Fault::Final(_)) if dialect.top > 0 => dialect.top = 0,
            Err(fault) => return Err(fault.reason().to_owned()),
        }
    }
    let mut told = Reports::Nothing;
    for prompt in PROMPTS {
        let own = ask(client, url, dialect, prompt, 1.0, None).map_err(|f| f.reason().to_owned())?;
        let cut = ask(client, url, dialect, prompt, 0.5, Some(1)).map_err(|f| f.reason().to_owned())?;
        match (own, cut) {
            (Some(own), Some(cut)) => told = compare(&own, &cut),
            _ => return Ok(Reports::Nothing),
        }
        if told != Reports::Unclear {
            break;
        }
    }
    Ok(told)
}

/// The first token of a completion; `None` where the server says nothing of it.
fn ask(
    client: &Client,
    url: &str,
    dialect: &Dialect,
    prompt: &str,
    temperature: f64,
    top_k: Option<usize>,
) -> Result<Option<Place>, Fault> {
    let sampling = Sampling { temperature, top_p: 1.0, top_k, max_tokens: 1, seed: 1 };
    let body = dialect.request(Prompt::Text(prompt), &sampling, &(0..1), 1);
    let url = format!("{url}/{}", dialect.path());
    let limit = dialect.most_bytes(1, 1);
    let mut last = None;
    for pause in [0, 300, 1000] {
        std::thread::sleep(Duration::from_millis(pause));
        match client.post(&url, &body, limit) {
            Ok(answer) => {
                let choice = answer.pointer("/choices/0");
                let choice =
                    choice.ok_or_else(|| Fault::Final("its answer has no list of choices".into()))?;
                return Ok(dialect.places(choice).into_iter().next().filter(|p| !p.top.is_empty()));
            }
            Err(fault @ Fault::Final(_)) => return Err(fault),
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| Fault::Broken("it does not answer".into())))
}

/// What two answers tell: the likeliest token at T = 1, and again at T = 0.5 and top-k 1.
fn compare(own: &Place, cut: &Place) -> Reports {
    let top = |p: &Place| p.top.iter().map(|(_, l)| *l).fold(f64::NEG_INFINITY, f64::max);
    let (own, cut) = (top(own), top(cut));
    // Batches of other sizes round differently; that is far less.
    const SAME: f64 = 0.05;
    if own > -2.0 * SAME {
        // Nearly certain either way.
        return Reports::Unclear;
    }
    if (own - cut).abs() < SAME { Reports::Before } else { Reports::After }
}

/// Asks some times: a server may be busy at the very moment.
fn patient(ask: impl Fn() -> Result<Value, Fault>) -> Result<Value, String> {
    let mut last = String::new();
    for pause in [0, 300, 1000] {
        std::thread::sleep(Duration::from_millis(pause));
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(Fault::Final(reason)) => return Err(reason),
            Err(Fault::Broken(reason)) => last = format!("{reason}, three times: its own log may say why"),
            Err(fault) => last = fault.reason().to_owned(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(top: &[f64]) -> Place {
        let top: Vec<_> =
            top.iter().enumerate().map(|(i, l)| json!({"token": i.to_string(), "logprob": l})).collect();
        let choice = json!({"logprobs": {"content": [{"token": "0", "logprob": -1.0, "top_logprobs": top}]}});
        let dialect = Dialect {
            kind: Kind::Other,
            model: String::new(),
            chat: false,
            system: None,
            top: 5,
            plain: false,
            vocab_size: None,
        };
        dialect.places(&choice).remove(0)
    }

    #[test]
    fn a_probe_tells_raw_from_processed_probabilities() {
        let own = place(&[-0.9, -1.2, -3.0]);
        assert_eq!(compare(&own, &place(&[-0.91, -1.19, -3.0])), Reports::Before);
        assert_eq!(compare(&own, &place(&[0.0])), Reports::After);
        assert_eq!(compare(&own, &place(&[-0.4, -0.9])), Reports::After);
        assert_eq!(compare(&place(&[-0.01, -5.0]), &place(&[0.0])), Reports::Unclear);
    }
}
