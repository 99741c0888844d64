//! What is asked of each server, and what it answers: OpenAI's completions and chat, with
//! the fields that vLLM, SGLang and llama.cpp's server add.
//!
//! | | vLLM | SGLang | llama.cpp |
//! |---|---|---|---|
//! | top-k off | 0 | −1 | 0 |
//! | repetition penalty | `repetition_penalty` | `repetition_penalty` | `repeat_penalty` |
//! | n, each with the seed after the last | yes | no: one seed for all | no: one a slot |
//! | ids of the tokens | `return_token_ids` | `return_token_ids` | `id` in each log-probability |
//! | top K | a map, keys `token_id:N` where asked | a map of texts | a list |

use crate::completion::{Completion, Finish, Token};
use crate::model::Sampling;
use crate::policy::settings::PROMPT;
use crate::support::topk::entropy_bounds;
use serde_json::{Map, Value, json};
use std::ops::Range;

/// The largest vocabulary that is assumed where the server does not say its own: the upper
/// bound of an entropy then holds for every smaller one.
pub(super) const LARGEST_VOCABULARY: usize = 1 << 18;

/// Whose program the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Vllm,
    Sglang,
    LlamaCpp,
    Other,
}

impl Kind {
    /// From `owned_by` in the list of models.
    pub fn of(owner: &str) -> Self {
        match owner {
            "vllm" => Kind::Vllm,
            "sglang" => Kind::Sglang,
            "llamacpp" => Kind::LlamaCpp,
            _ => Kind::Other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Vllm => "vLLM",
            Kind::Sglang => "SGLang",
            Kind::LlamaCpp => "llama.cpp",
            Kind::Other => "OpenAI-compatible",
        }
    }

    /// Completions of one request at most.
    pub fn most_at_once(self) -> u32 {
        if self == Kind::Vllm { 8 } else { 1 }
    }
}

/// What a server is, as far as it was found out.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub kind: Kind,
    pub model: String,
    pub chat: bool,
    pub system: Option<String>,
    /// Log-probabilities of this many tokens are asked for at each place; 0 for none.
    pub top: usize,
    /// Only OpenAI's own fields: the server refuses others.
    pub plain: bool,
    pub vocab_size: Option<usize>,
}

/// The prompt of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Prompt<'a> {
    Text(&'a str),
    Tokens(&'a [u32]),
}

impl Dialect {
    /// The path under the endpoint.
    pub fn path(&self) -> &'static str {
        if self.chat { "chat/completions" } else { "completions" }
    }

    /// A prompt as the chat interface takes it.
    pub fn messages(&self, text: &str) -> Value {
        let system = self.system.iter().map(|s| json!({"role": "system", "content": s}));
        system.chain([json!({"role": "user", "content": text})]).collect()
    }

    /// What is sent of a problem, with a sign for its text: to the chat interface as messages.
    pub fn sent(&self) -> String {
        if self.chat { self.messages(PROMPT).to_string() } else { PROMPT.to_owned() }
    }

    /// A request for completions `indices`, the first of them drawn with `seed`, each other
    /// with the seed after that. Every setting is said, so that no default of the server or
    /// of the checkpoint's `generation_config.json` slips in.
    pub fn request(&self, prompt: Prompt<'_>, sampling: &Sampling, indices: &Range<u32>, seed: u32) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", self.model.as_str().into());
        match (prompt, self.chat) {
            (Prompt::Text(text), true) => {
                set("messages", self.messages(text));
            }
            (Prompt::Text(text), false) => {
                set("prompt", text.into());
            }
            (Prompt::Tokens(tokens), _) => {
                set("prompt", tokens.into());
            }
        }
        set("stream", false.into());
        set("n", indices.len().into());
        set("seed", seed.into());
        set("max_tokens", sampling.max_tokens.into());
        set("temperature", sampling.temperature.into());
        set("top_p", sampling.top_p.into());
        set("presence_penalty", 0.0.into());
        set("frequency_penalty", 0.0.into());
        // An empty list is not taken by all, and none is what no list means.
        if self.top > 0 {
            if self.chat {
                set("logprobs", true.into());
                set("top_logprobs", self.top.into());
            } else {
                set("logprobs", self.top.into());
            }
        }
        if self.plain {
            return body.into();
        }
        let off = if self.kind == Kind::Sglang { -1 } else { 0 };
        set("top_k", sampling.top_k.map_or(json!(off), Into::into));
        set("min_p", 0.0.into());
        set("repetition_penalty", 1.0.into());
        match self.kind {
            Kind::LlamaCpp => {
                // Every sampler of it that its command line can turn on.
                for (name, value) in [
                    ("repeat_penalty", json!(1.0)),
                    ("typical_p", json!(1.0)),
                    ("top_n_sigma", json!(-1.0)),
                    ("xtc_probability", json!(0.0)),
                    ("dynatemp_range", json!(0.0)),
                    ("dry_multiplier", json!(0.0)),
                    ("mirostat", json!(0)),
                    ("samplers", json!(["top_k", "top_p", "min_p", "temperature"])),
                    ("post_sampling_probs", json!(false)),
                    ("cache_prompt", json!(true)),
                ] {
                    set(name, value);
                }
            }
            Kind::Vllm => {
                set("return_token_ids", true.into());
                set("return_tokens_as_token_ids", true.into());
            }
            Kind::Sglang => {
                set("return_token_ids", true.into());
            }
            Kind::Other => {}
        }
        body.into()
    }

    /// Bytes that an answer to a request can have at most.
    pub fn most_bytes(&self, max_tokens: usize, completions: usize) -> u64 {
        // Text, log-probability and bytes of a token, with its escapes, once for itself and
        // once for each of the most likely ones.
        const TOKEN: u64 = 512;
        let tokens = max_tokens as u64 * completions as u64;
        (1 << 20) + tokens.saturating_mul(TOKEN).saturating_mul(2 + self.top as u64)
    }

    /// The completions of an answer to a request for `indices`. `exact` says whether what
    /// the server reports is the model's own distribution (T = 1, nothing cut off) at the
    /// settings of the request; else it is not used.
    ///
    /// # Errors
    /// What the answer lacks, as the end of a sentence.
    pub fn completions(
        &self,
        answer: &Value,
        indices: &Range<u32>,
        exact: bool,
    ) -> Result<Vec<Completion>, String> {
        let choices = answer.get("choices").and_then(Value::as_array);
        let choices = choices.ok_or("its answer has no list of choices")?;
        if choices.len() != indices.len() {
            return Err(format!(
                "it gave {} completions where {} were asked for",
                choices.len(),
                indices.len()
            ));
        }
        let mut all = Vec::with_capacity(choices.len());
        let mut seen = vec![false; choices.len()];
        for (at, choice) in choices.iter().enumerate() {
            let place = choice.get("index").and_then(Value::as_u64).map_or(at, |i| i as usize);
            match seen.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(format!("its choices are numbered wrongly: {place}")),
            }
            let usage = answer.pointer("/usage/completion_tokens").and_then(Value::as_u64);
            let usage = usage.filter(|_| choices.len() == 1).and_then(|n| u32::try_from(n).ok());
            all.push(self.completion(choice, indices.start + place as u32, usage, exact)?);
        }
        Ok(all)
    }

    fn completion(
        &self,
        choice: &Value,
        index: u32,
        usage: Option<u32>,
        exact: bool,
    ) -> Result<Completion, String> {
        let text = if self.chat { message(choice) } else { choice.get("text").and_then(text) };
        let text = text.ok_or("a choice of its answer has no text")?;
        let finish = match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length") => Finish::Length,
            Some("abort" | "error") => return Err("it gave up a completion half-way".to_owned()),
            Some("content_filter") => return Err("its filter held a completion back".to_owned()),
            _ => Finish::Stop,
        };
        let mut completion = Completion {
            index,
            text,
            length: usage,
            logprob: None,
            token_entropy: None,
            entropy_range: None,
            trace: Vec::new(),
            finish,
        };
        let places = self.places(choice);
        if !places.is_empty() {
            completion.length = Some(places.len() as u32);
        }
        if exact && !places.is_empty() {
            self.measure(&mut completion, choice, &places);
        }
        Ok(completion)
    }

    /// Puts log-probability and entropy, or its bounds, into a completion.
    fn measure(&self, completion: &mut Completion, choice: &Value, places: &[Place]) {
        let n = places.len() as f64;
        completion.logprob = places.iter().map(|p| p.logprob).sum();
        let bounds: Option<Vec<[f64; 2]>> = places.iter().map(|p| self.bounds(p)).collect();
        let exact = |[low, high]: &[f64; 2]| high - low < 1e-9;
        let bounds = bounds.unwrap_or_default();
        if !bounds.is_empty() {
            let mean = |side: usize| bounds.iter().map(|b| b[side]).sum::<f64>() / n;
            match bounds.iter().all(exact) {
                true => completion.token_entropy = Some(mean(0)),
                false => completion.entropy_range = Some([mean(0), mean(1)]),
            }
        }
        let ids = choice.get("token_ids").and_then(Value::as_array);
        let ids: Option<Vec<u32>> = match ids {
            Some(ids) => ids.iter().map(id).collect(),
            None => places.iter().map(|p| p.id).collect(),
        };
        let Some(ids) = ids.filter(|ids| ids.len() == places.len()) else { return };
        let entropy = |i: usize| bounds.get(i).filter(|b| exact(b)).map_or(f32::NAN, |b| b[0] as f32);
        let token = |(i, (id, place)): (usize, (u32, &Place))| {
            place.logprob.map(|l| Token { id, logprob: l as f32, entropy: entropy(i) })
        };
        let trace: Option<Vec<Token>> = ids.into_iter().zip(places).enumerate().map(token).collect();
        completion.trace = trace.unwrap_or_default();
    }

    /// The bounds of the entropy at one place.
    fn bounds(&self, place: &Place) -> Option<[f64; 2]> {
        let mut known: Vec<f64> = place.top.iter().map(|(_, l)| *l).collect();
        known.sort_by(|a, b| b.total_cmp(a));
        // A map of texts loses a token whose text another has too: then nothing is known of
        // how likely the others are.
        let vocab_size = self.vocab_size.unwrap_or(LARGEST_VOCABULARY);
        let cap = match known.len() >= self.top.min(vocab_size) {
            true => known.get(self.top.min(known.len()).checked_sub(1)?)?.min(0.0).exp(),
            false => 1.0,
        };
        // The drawn token is known even where it is not among the most likely.
        if !place.drawn_is_in_top
            && let Some(drawn) = place.logprob
        {
            known.push(drawn);
        }
        entropy_bounds(&known, cap, vocab_size)
    }

    /// What is said of each token of a choice.
    pub fn places(&self, choice: &Value) -> Vec<Place> {
        let Some(logprobs) = choice.get("logprobs") else { return Vec::new() };
        // A list of objects: chat everywhere, and all of llama.cpp's.
        if let Some(content) = logprobs.get("content").and_then(Value::as_array) {
            return content.iter().map(listed).collect();
        }
        let list = |name: &str| logprobs.get(name).and_then(Value::as_array);
        let (Some(tokens), Some(own)) = (list("tokens"), list("token_logprobs")) else { return Vec::new() };
        let tops = list("top_logprobs");
        let place = |(i, (token, own)): (usize, (&Value, &Value))| {
            let token = token.as_str().unwrap_or_default();
            let top = tops.and_then(|t| t.get(i)).and_then(Value::as_object);
            let top: Vec<(String, f64)> =
                top.into_iter().flatten().filter_map(|(t, l)| Some((t.clone(), number(l)?))).collect();
            Place {
                id: placeholder(token),
                logprob: number(own),
                drawn_is_in_top: top.iter().any(|(t, _)| t == token),
                text: token.to_owned(),
                top,
            }
        };
        tokens.iter().zip(own).enumerate().map(place).collect()
    }
}

/// What a server says of one token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub id: Option<u32>,
    /// As the server writes it: its text, or `token_id:N`.
    pub text: String,
    pub logprob: Option<f64>,
    /// The most likely tokens here.
    pub top: Vec<(String, f64)>,
    drawn_is_in_top: bool,
}

fn listed(entry: &Value) -> Place {
    let token = entry.get("token").and_then(Value::as_str).unwrap_or_default();
    let own_id = entry.get("id").and_then(id);
    let top = entry.get("top_logprobs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let same = |t: &Value| match (own_id, t.get("id").and_then(id)) {
        (Some(a), Some(b)) => a == b,
        _ => t.get("token").and_then(Value::as_str) == Some(token) && t.get("bytes") == entry.get("bytes"),
    };
    let known = |t: &Value| {
        Some((t.get("token").and_then(Value::as_str)?.to_owned(), t.get("logprob").and_then(number)?))
    };
    Place {
        id: own_id.or_else(|| placeholder(token)),
        logprob: entry.get("logprob").and_then(number),
        drawn_is_in_top: top.iter().any(same),
        text: token.to_owned(),
        top: top.iter().filter_map(known).collect(),
    }
}

/// The id in vLLM's `token_id:N`.
fn placeholder(token: &str) -> Option<u32> {
    token.strip_prefix("token_id:")?.parse().ok()
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|l| l.is_finite())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The text of a chat answer; where the server took the thinking out of it, it is put back
/// between its tags.
fn message(choice: &Value) -> Option<String> {
    let message = choice.get("message")?;
    let part = |name: &str| message.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let thinking = part("reasoning_content").or_else(|| part("reasoning"));
    let content = message.get("content").and_then(Value::as_str);
    match thinking {
        Some(thinking) => Some(format!("<think>{thinking}</think>{}", content.unwrap_or(""))),
        None => Some(content.unwrap_or("").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(kind: Kind, chat: bool) -> Dialect {
        Dialect {
            kind,
            model: "m".into(),
            chat,
            system: Some("Be brief.".into()),
            top: 2,
            plain: false,
            vocab_size: Some(4),
        }
    }

    #[test]
    fn every_setting_is_said_to_every_server() {
        let sampling = Sampling { temperature: 0.6, top_p: 0.95, top_k: None, max_tokens: 7, seed: 0 };
        for kind in [Kind::Vllm, Kind::Sglang, Kind::LlamaCpp, Kind::Other] {
            let body = dialect(kind, false).request(Prompt::Text("Q"), &sampling, &(4..6), 9);
            let off = if kind == Kind::Sglang { -1 } else { 0 };
            for (field, value) in [
                ("model", json!("m")),
                ("prompt", json!("Q")),
                ("temperature", json!(0.6)),
                ("top_p", json!(0.95)),
                ("top_k", json!(off)),
                ("min_p", json!(0.0)),
                ("repetition_penalty", json!(1.0)),
                ("presence_penalty", json!(0.0)),
                ("frequency_penalty", json!(0.0)),
                ("seed", json!(9)),
                ("n", json!(2)),
                ("max_tokens", json!(7)),
                ("logprobs", json!(2)),
                ("stream", json!(false)),
            ] {
                assert_eq!(body[field], value, "{kind:?} {field}");
            }
            assert_eq!(body.get("repeat_penalty").is_some(), kind == Kind::LlamaCpp);
            let top_k = Sampling { top_k: Some(40), ..sampling.clone() };
            assert_eq!(dialect(kind, false).request(Prompt::Text("Q"), &top_k, &(0..1), 9)["top_k"], 40);
        }
        let chat = dialect(Kind::Vllm, true).request(Prompt::Text("Q"), &sampling, &(0..1), 9);
        assert_eq!(chat["messages"][0], json!({"role": "system", "content": "Be brief."}));
        assert_eq!(chat["messages"][1], json!({"role": "user", "content": "Q"}));
        assert_eq!((&chat["logprobs"], &chat["top_logprobs"]), (&json!(true), &json!(2)));
        let plain = Dialect { plain: true, ..dialect(Kind::Other, false) };
        assert_eq!(plain.request(Prompt::Text("Q"), &sampling, &(0..1), 9).get("min_p"), None);
    }

    #[test]
    fn vllms_answer_is_read_with_ids_and_bounds() {
        // 0.5 and 0.25 are known of four tokens; the second token was drawn from below.
        let [half, quarter, eighth] = [0.5, 0.25, 0.125].map(f64::ln);
        let answer = json!({"choices": [
            {"index": 1, "text": " b", "finish_reason": "length", "token_ids": [3], "logprobs": {
                "tokens": ["token_id:3"], "token_logprobs": [half],
                "top_logprobs": [{"token_id:3": half, "token_id:1": quarter}]}},
            {"index": 0, "text": " a", "finish_reason": "stop", "token_ids": [2, 0], "logprobs": {
                "tokens": ["token_id:2", "token_id:0"], "token_logprobs": [eighth, -0.0],
                "top_logprobs": [
                    {"token_id:3": half, "token_id:1": quarter, "token_id:2": eighth},
                    {"token_id:0": 0.0, "token_id:1": -9999.0}]}}]});
        let all = dialect(Kind::Vllm, false).completions(&answer, &(4..6), true).unwrap();
        assert_eq!(all.iter().map(|c| c.index).collect::<Vec<_>>(), [5, 4]);
        let [b, a] = &all[..] else { unreachable!("two were asked for") };
        assert_eq!((b.finish, b.length, b.text.as_str()), (Finish::Length, Some(1), " b"));
        assert_eq!((a.finish, a.length, a.trace[0].id, a.trace[1].id), (Finish::Stop, Some(2), 2, 0));
        let ln2 = 2f64.ln();
        assert!((a.logprob.unwrap() + 3.0 * ln2).abs() < 1e-12);
        // 0.25 is left for two tokens, none above 0.25.
        let [low, high] = b.entropy_range.unwrap();
        assert!((low - 1.5 * ln2).abs() < 1e-9 && (high - 1.75 * ln2).abs() < 1e-9, "{low} {high}");
        assert_eq!(b.token_entropy, None);
        // 0.125 is left for the one token not named: the distribution is known.
        assert!((f64::from(a.trace[0].entropy) - 1.75 * ln2).abs() < 1e-6);
        let cut = dialect(Kind::Vllm, false).completions(&answer, &(4..6), false).unwrap();
        assert!(cut.iter().all(|c| c.logprob.is_none() && c.entropy_range.is_none() && c.length.is_some()));
    }

    #[test]
    fn a_list_of_objects_is_read_as_llama_cpp_and_chat_write_it() {
        let entry = |id: u32, l: f64| json!({"id": id, "token": "x", "bytes": [120], "logprob": l});
        let mut first = entry(1, 0.5f64.ln());
        first["top_logprobs"] = json!([entry(1, 0.5f64.ln()), entry(2, 0.5f64.ln())]);
        let logprobs = json!({"content": [first]});
        let answer =
            json!({"choices": [{"index": 0, "text": "x", "finish_reason": "stop", "logprobs": logprobs}]});
        let c = dialect(Kind::LlamaCpp, false).completions(&answer, &(0..1), true).unwrap().remove(0);
        assert_eq!((c.trace[0].id, c.length), (1, Some(1)));
        assert!((c.token_entropy.unwrap() - 2f64.ln()).abs() < 1e-12);
        let message = json!({"role": "assistant", "content": " 4", "reasoning_content": "2+2"});
        let answer = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": logprobs}]});
        let c = dialect(Kind::Other, true).completions(&answer, &(0..1), true).unwrap().remove(0);
        assert_eq!(c.text, "<think>2+2</think> 4");
    }

    #[test]
    fn an_answer_that_lacks_something_is_refused() {
        let read =
            |answer: Value| dialect(Kind::Vllm, false).completions(&answer, &(0..2), true).unwrap_err();
        assert!(read(json!({})).contains("no list of choices"));
        assert!(read(json!({"choices": []})).contains("0 completions where 2"));
        assert!(
            read(json!({"choices": [{"index": 0, "text": ""}, {"index": 0, "text": ""}]}))
                .contains("wrongly")
        );
        assert!(read(json!({"choices": [{"index": 7, "text": ""}, {"text": ""}]})).contains("wrongly: 7"));
        assert!(read(json!({"choices": [{}, {}]})).contains("no text"));
        assert!(
            read(json!({"choices": [{"text": "a", "finish_reason": "abort"}, {"text": "b"}]}))
                .contains("half-way")
        );
    }

    #[test]
    fn a_map_that_lost_a_token_bounds_the_rest_by_nothing() {
        // Two tokens have the same text, so that one of two entries is left.
        let place = |top: Value| {
            let choice = json!({"logprobs": {"tokens": ["a"], "token_logprobs": [0.5f64.ln()], "top_logprobs": [top]}});
            dialect(Kind::Sglang, false).places(&choice).remove(0)
        };
        let lost = place(json!({"a": 0.5f64.ln()}));
        let [low, high] = dialect(Kind::Sglang, false).bounds(&lost).unwrap();
        assert!((low - 2f64.ln()).abs() < 1e-9 && high > low, "{low} {high}");
    }
}
