//! How likely a given text is under a served model: vLLM's prompt log-probabilities, SGLang's
//! input log-probabilities. Both are held against a completion that the server itself drew,
//! before the first is believed.

use super::client::{Client, Fault};
use super::dialect::{Kind, Prompt};
use super::draw::Tries;
use super::tokens::{Tokenizer, prompt_ids};
use super::{Server, lock};
use crate::model::Sampling;
use crate::policy::{PolicyError, ScoreRequest, Scored, ScoredToken};
use crate::random::Stream;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Tokens of the completion of the self-check.
const CHECKED: usize = 24;

/// By how much a log-probability may differ between drawing and scoring, nats a token: half
/// precision, and sums in another order.
const TOLERANCE: f64 = 0.1;

/// How long a server that is away is waited for at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// What scoring found out about a server.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the self-check came to: the tokens that the server puts before every text.
    checked: OnceLock<Result<Vec<u32>, String>>,
    /// The tokens of the prompts, by their text: many completions have one prompt.
    prompts: Mutex<HashMap<String, Arc<[u32]>>>,
}

pub(super) fn score(server: &Server, request: &ScoreRequest<'_>) -> Result<Scored, PolicyError> {
    let kind = server.dialect.kind;
    if !matches!(kind, Kind::Vllm | Kind::Sglang) {
        let reason = format!(
            "{} gives no log-probabilities of a prompt: score under a vLLM or SGLang server, or under the \
             model's own files",
            kind.name()
        );
        return Err(PolicyError::Scoring { policy: server.name.clone(), reason });
    }
    let client = server.client(1);
    let url = &server.endpoint().url;
    let tokenizer = Tokenizer { client: &client, url, dialect: &server.dialect };
    let cannot = |reason: &str| PolicyError::Scoring {
        policy: server.name.clone(),
        reason: format!("{url}: {reason}"),
    };
    let check = || patiently(server, request.text, || check(server, &tokenizer, &request.problem.prompt));
    let checked = server.known.checked.get_or_init(|| check().map_err(|f| f.reason().to_owned()));
    let lead = checked.as_ref().map_err(|reason| cannot(reason))?;
    let scored = patiently(server, request.text, || {
        let prompt = prompt(server, &tokenizer, &request.problem.prompt)?;
        let own = tokenizer.text(request.text, false)?;
        let own = own.strip_prefix(&lead[..]).unwrap_or(&own);
        let fit = fit(&tokenizer, request, own);
        let completion = if fit == Fit::None { own } else { request.tokens };
        let tokens = given(server, &client, &prompt, completion, request.top)?;
        Ok(Scored { tokens, retokenised: fit == Fit::None, ended: fit == Fit::WithEnd })
    });
    scored.map_err(|fault| match fault {
        // Nothing more can be scored.
        Fault::Away { reason, .. } => cannot(&reason),
        Fault::Broken(reason) | Fault::Final(reason) => server.failed(reason),
    })
}

/// Asks again what may pass; `what` tells the pauses of several askers apart.
///
/// # Errors
/// What did not pass in time.
fn patiently<T>(server: &Server, what: &str, ask: impl Fn() -> Result<T, Fault>) -> Result<T, Fault> {
    let mut tries = Tries::new(Stream::new(0).with(what));
    loop {
        let fault = match ask() {
            Ok(done) => return Ok(done),
            Err(fault) => fault,
        };
        let pause = tries.pause(server.options.pause);
        let is_away = matches!(fault, Fault::Away { .. });
        match tries.again(fault, pause, PATIENCE.min(server.options.patience)) {
            Ok(pause) => std::thread::sleep(pause),
            Err(reason) if is_away => return Err(Fault::Away { reason, after: None }),
            Err(reason) => return Err(Fault::Final(reason)),
        }
    }
}

fn prompt(server: &Server, tokenizer: &Tokenizer<'_>, text: &str) -> Result<Arc<[u32]>, Fault> {
    if let Some(tokens) = lock(&server.known.prompts).get(text) {
        return Ok(Arc::clone(tokens));
    }
    let tokens: Arc<[u32]> = tokenizer.prompt(text)?.into();
    lock(&server.known.prompts).insert(text.to_owned(), Arc::clone(&tokens));
    Ok(tokens)
}

/// Whether recorded tokens are this model's, of this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    None,
    Text,
    /// The last of them ends the text.
    WithEnd,
}

/// `own`: the text as the server tokenises it. A model may draw the same text in other
/// tokens; then they are read back.
fn fit(tokenizer: &Tokenizer<'_>, request: &ScoreRequest<'_>, own: &[u32]) -> Fit {
    let Some((_, rest)) = request.tokens.split_last() else { return Fit::None };
    // Through chat a server may have taken the thinking out of a text; where its tags and the
    // spaces around them stood, the text no longer tells.
    let bare = |text: &str| -> String {
        text.replace("<think>", " ").replace("</think>", " ").split_whitespace().collect()
    };
    let is_same =
        |text: String| text == request.text || tokenizer.dialect.chat && bare(&text) == bare(request.text);
    let reads = |tokens: &[u32]| tokenizer.read(tokens).is_ok_and(is_same);
    if rest == own {
        Fit::WithEnd
    } else if request.tokens == own {
        Fit::Text
    } else if request.ended && reads(rest) {
        Fit::WithEnd
    } else if reads(request.tokens) {
        Fit::Text
    } else {
        Fit::None
    }
}

/// Log-probabilities of `completion` after `prompt`.
fn given(
    server: &Server,
    client: &Client,
    prompt: &[u32],
    completion: &[u32],
    top: usize,
) -> Result<Vec<ScoredToken>, Fault> {
    if completion.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<u32> = prompt.iter().chain(completion).copied().collect();
    let limit = (8 << 20) + 512 * all.len() as u64 * (2 + top as u64);
    let rest = Duration::from_secs(1);
    let ask = |path: &str, body: &Value| server.ask(client, path, body, limit, rest);
    match server.dialect.kind {
        Kind::Sglang => {
            let body = json!({
                "input_ids": all,
                "sampling_params": {"max_new_tokens": 1, "temperature": 0},
                "return_logprob": true,
                "logprob_start_len": prompt.len().saturating_sub(1),
                "top_logprobs_num": top,
                "return_text_in_logprobs": true,
            });
            let answer = ask("/generate", &body)?;
            from_sglang(&answer, completion).map_err(Fault::Final)
        }
        _ => {
            let body = json!({
                "model": server.dialect.model,
                "prompt": all,
                "max_tokens": 1,
                "temperature": 0.0,
                "prompt_logprobs": top.max(1),
            });
            from_vllm(&ask("completions", &body)?, prompt.len(), completion).map_err(Fault::Final)
        }
    }
}

/// vLLM: for each token of the prompt a map from ids to log-probability, rank and text.
fn from_vllm(answer: &Value, prompt: usize, completion: &[u32]) -> Result<Vec<ScoredToken>, String> {
    let list = answer.pointer("/choices/0/prompt_logprobs").and_then(Value::as_array);
    let list = list.ok_or("its answer has no prompt_logprobs")?;
    if list.len() != prompt + completion.len() {
        return Err(format!(
            "it gives {} prompt log-probabilities for {} tokens",
            list.len(),
            prompt + completion.len()
        ));
    }
    let token = |(entry, id): (&Value, &u32)| {
        let known = entry.as_object().ok_or("a prompt log-probability is missing")?;
        let figure = |e: &Value| e.get("logprob").and_then(Value::as_f64);
        let text = |e: &Value| e.get("decoded_token").and_then(Value::as_str).unwrap_or_default().to_owned();
        let own = known.get(&id.to_string()).ok_or("its log-probabilities are of other tokens")?;
        let logprob = figure(own).ok_or("a log-probability is no number")?;
        let mut top: Vec<(String, f64)> =
            known.values().filter_map(|e| Some((text(e), figure(e)?))).collect();
        top.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(ScoredToken { id: *id, text: text(own), logprob, entropy: None, top })
    };
    list[prompt..].iter().zip(completion).map(token).collect()
}

/// SGLang: lists of [log-probability, id, text].
fn from_sglang(answer: &Value, completion: &[u32]) -> Result<Vec<ScoredToken>, String> {
    let list = |name: &str| answer.pointer(&format!("/meta_info/{name}")).and_then(Value::as_array);
    let own = list("input_token_logprobs").ok_or("its answer has no input_token_logprobs")?;
    let tops = list("input_top_logprobs");
    let skipped = own.len().checked_sub(completion.len());
    let skipped = skipped.ok_or("it gives too few input log-probabilities")?;
    let figure = |e: &Value| {
        let text = e.get(2).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some((e.get(0)?.as_f64()?, e.get(1)?.as_u64()?, text))
    };
    let token = |(i, id): (usize, &u32)| {
        let (logprob, got, text) = figure(&own[skipped + i]).ok_or("a log-probability is missing")?;
        if got != u64::from(*id) {
            return Err("its log-probabilities are of other tokens");
        }
        let top = tops.and_then(|t| t.get(skipped + i)).and_then(Value::as_array);
        let top = top.into_iter().flatten().filter_map(figure).map(|(l, _, text)| (text, l)).collect();
        Ok(ScoredToken { id: *id, text, logprob, entropy: None, top })
    };
    completion.iter().enumerate().map(token).collect::<Result<_, _>>().map_err(str::to_owned)
}

/// Draws a completion, scores it, and compares: the same tokens must be about as likely both
/// ways. A cache of prefixes that returns stale figures, a server that reports them after
/// temperature, or one whose /tokenize sees another prompt than its model, is found here.
/// Gives the tokens that the server puts before every text.
fn check(server: &Server, tokenizer: &Tokenizer<'_>, text: &str) -> Result<Vec<u32>, Fault> {
    let Tokenizer { client, url, dialect } = *tokenizer;
    let prompt = prompt(server, tokenizer, text)?;
    let sampling = Sampling { max_tokens: CHECKED, ..Sampling::default() };
    let asked = if dialect.chat { Prompt::Text(text) } else { Prompt::Tokens(&prompt) };
    let body = dialect.request(asked, &sampling, &(0..1), 1);
    let limit = dialect.most_bytes(CHECKED, 1) + 64 * text.len() as u64;
    let answer = client.post(&format!("{url}/{}", dialect.path()), &body, limit)?;
    if let Some(seen) = prompt_ids(&answer).filter(|seen| **seen != *prompt) {
        return Err(Fault::Final(format!(
            "the self-check of scoring failed: its model was given {} tokens of a prompt of which its /tokenize \
             makes {}, or others of them",
            seen.len(),
            prompt.len()
        )));
    }
    let drawn = dialect.completions(&answer, &(0..1), true).map_err(Fault::Broken)?.remove(0);
    if drawn.trace.is_empty() {
        let reason =
            "its completions come without token ids and log-probabilities: scoring cannot be checked";
        return Err(Fault::Final(reason.into()));
    }
    let ids: Vec<u32> = drawn.trace.iter().map(|t| t.id).collect();
    let scored = given(server, client, &prompt, &ids, 0)?;
    let worst = drawn.trace.iter().zip(&scored).map(|(d, s)| (f64::from(d.logprob) - s.logprob).abs());
    let worst = worst.fold(0.0, f64::max);
    if worst > TOLERANCE {
        return Err(Fault::Final(format!(
            "the self-check of scoring failed: a token that it drew differs by {worst:.2} nats when it is \
             scored; start the server without prefix caching, and with raw log-probabilities"
        )));
    }
    tokenizer.lead()
}
