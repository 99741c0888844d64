//! The lines of a recording, field by field.
//!
//! ```json
//! {"kind":"run","version":1,"policies":[{"name":"base","role":"base","spec":"embedded:base"}],"sampling":{"temperature":1.0,"top_p":1.0,"top_k":null,"max_tokens":100,"seed":0}}
//! {"kind":"problem","id":"leg_counting/heldout/0","task":"leg_counting","prompt":"Q: …","reference":"42","metadata":{}}
//! {"kind":"completion","problem":"leg_counting/heldout/0","policy":"base","index":0,"text":" 24 + 18 = 42.\n#### 42","answer":"42","correct":true,"rule":"marker","method":"running total","sound":true,"tokens":33,"logprob":-5.1,"token_entropy":0.2,"finish":"stop"}
//! ```

use super::Drawn;
use crate::completion::{Completion, Finish, Token};
use crate::model::Sampling;
use crate::problem::{Problem, Repair, Repairs, Rule, Verdict};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// The `run` line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Of the format; needed. [`VERSION`].
    pub version: u32,
    /// Needed, at least one. Completions name them.
    pub policies: Vec<PolicyEntry>,
    /// How they were sampled, where known.
    #[serde(default)]
    pub sampling: Option<SamplingEntry>,
    /// Completions of each problem under each policy that were asked for when it began;
    /// `leash open` goes on until there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
}

/// One policy of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyEntry {
    /// Needed, unique in the run.
    pub name: String,
    /// `base` for the reference policy, `rlvr` for every other; needed.
    pub role: String,
    /// Where it comes from, as on the command line.
    #[serde(default)]
    pub spec: Option<String>,
    /// What decided its draws beside the settings of sampling, by name, as far as it is known:
    /// `sent` (`{prompt}` stands in it for a problem's text), `stop tokens`, `dtype`, ….
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl PolicyEntry {
    /// Whether the draws of both are draws of one policy: the same name, role and source, and
    /// where both say what was sent, the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let sent = [self, other].map(|entry| entry.settings.get("sent"));
        (&self.name, &self.role, &self.spec) == (&other.name, &other.role, &other.spec)
            && (sent.contains(&None) || sent[0] == sent[1])
    }
}

impl Run {
    /// Whether the policies of both are the same, in the same order.
    pub fn has_policies_of(&self, other: &Self) -> bool {
        let (here, there) = (&self.policies, &other.policies);
        here.len() == there.len() && here.iter().zip(there).all(|(a, b)| a.is_same(b))
    }
}

/// The settings of sampling; `null` where unknown, and for `top_k` also where it is off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SamplingEntry {
    #[serde(default)]
    pub temperature: Option<f64>,
    #[serde(default)]
    pub top_p: Option<f64>,
    #[serde(default)]
    pub top_k: Option<usize>,
    #[serde(default)]
    pub max_tokens: Option<usize>,
    #[serde(default)]
    pub seed: Option<u64>,
}

impl From<&Sampling> for SamplingEntry {
    fn from(s: &Sampling) -> Self {
        Self {
            temperature: Some(s.temperature),
            top_p: Some(s.top_p),
            top_k: s.top_k,
            max_tokens: Some(s.max_tokens),
            seed: Some(s.seed),
        }
    }
}

/// What another tool said of a completion that it drew, as it stands. It stays beside our
/// own verdict when that is made anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Given {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<bool>,
    /// The score from which `correct` may have been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What it extracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A line as it is written.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum LineOut<'a> {
    Run(&'a Run),
    Problem(&'a Problem),
    Completion(Box<CompletionOut<'a>>),
}

/// A `completion` line as it is written.
#[derive(Serialize)]
pub(super) struct CompletionOut<'a> {
    problem: &'a str,
    policy: &'a str,
    index: u32,
    text: &'a str,
    /// `null` if there is none (`NA`).
    answer: Option<&'a str>,
    correct: bool,
    rule: Option<Rule>,
    /// What had to be repaired in the answer, by name.
    #[serde(skip_serializing_if = "Repairs::is_empty")]
    repairs: Repairs,
    method: Option<&'a str>,
    sound: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprob: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_entropy: Option<f64>,
    /// Bounds of `token_entropy` where it is not known itself: [low, high].
    #[serde(skip_serializing_if = "Option::is_none")]
    token_entropy_range: Option<[f64; 2]>,
    finish: Finish,
    /// Of completions that another tool drew.
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<&'a Given>,
    /// Token by token; the figures are rounded to four decimals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_ids: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_logprobs: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_entropies: Vec<f64>,
}

impl<'a> CompletionOut<'a> {
    pub fn new(problem: &'a str, policy: &'a str, drawn: &'a Drawn, traces: bool) -> Self {
        let Drawn { completion: c, verdict: v, .. } = drawn;
        let trace: &[Token] = if traces { &c.trace } else { &[] };
        // A server gives the entropy of a token as an interval, which is kept for the whole.
        let entropies = if trace.iter().any(|t| t.entropy.is_nan()) { &[] } else { trace };
        let rounded = |x: f32| (f64::from(x) * 1e4).round() / 1e4;
        Self {
            problem,
            policy,
            index: c.index,
            text: &c.text,
            answer: v.answer.as_deref(),
            correct: v.correct,
            rule: v.rule,
            repairs: v.repairs,
            method: v.method.as_deref(),
            sound: v.sound,
            tokens: c.length,
            logprob: c.logprob,
            token_entropy: c.token_entropy,
            token_entropy_range: c.entropy_range,
            finish: c.finish,
            given: drawn.given.as_ref(),
            token_ids: trace.iter().map(|t| t.id).collect(),
            token_logprobs: trace.iter().map(|t| rounded(t.logprob)).collect(),
            token_entropies: entropies.iter().map(|t| rounded(t.entropy)).collect(),
        }
    }
}

/// Which kind a line is.
#[derive(Deserialize)]
pub(super) struct Kind {
    #[serde(default)]
    pub kind: Option<String>,
}

/// A `problem` line as it is read: what other tools write as numbers is taken too.
#[derive(Deserialize)]
pub(super) struct ProblemIn {
    id: String,
    #[serde(default)]
    task: Option<String>,
    prompt: String,
    #[serde(default, deserialize_with = "text")]
    reference: Option<String>,
    #[serde(default)]
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

impl From<ProblemIn> for Problem {
    fn from(p: ProblemIn) -> Self {
        Problem {
            id: p.id,
            task: p.task,
            prompt: p.prompt,
            reference: p.reference,
            metadata: p.metadata.unwrap_or_default(),
        }
    }
}

/// A `completion` line as it is read. The outer option of an answer or a method says
/// whether the field is there, the inner whether it is `null`.
#[derive(Deserialize)]
pub(super) struct CompletionIn {
    pub problem: String,
    pub policy: String,
    #[serde(default)]
    pub index: Option<u32>,
    pub text: String,
    #[serde(default, deserialize_with = "given")]
    pub answer: Option<Option<String>>,
    #[serde(default)]
    pub correct: Option<bool>,
    #[serde(default)]
    pub rule: Option<String>,
    #[serde(default)]
    pub repairs: Vec<String>,
    #[serde(default, deserialize_with = "given")]
    pub method: Option<Option<String>>,
    #[serde(default)]
    pub sound: Option<bool>,
    #[serde(default)]
    pub tokens: Option<u32>,
    #[serde(default)]
    pub logprob: Option<f64>,
    #[serde(default)]
    pub token_entropy: Option<f64>,
    #[serde(default)]
    pub token_entropy_range: Option<[f64; 2]>,
    #[serde(default)]
    pub finish: Option<String>,
    #[serde(default)]
    pub given: Option<Given>,
    #[serde(default)]
    pub token_ids: Vec<u32>,
    #[serde(default)]
    pub token_logprobs: Vec<f32>,
    #[serde(default)]
    pub token_entropies: Vec<f32>,
}

impl CompletionIn {
    /// Whether the line says all of the verdict.
    pub fn is_judged(&self) -> bool {
        self.answer.is_some() && self.correct.is_some() && self.method.is_some()
    }

    /// The verdict, with what the line does not say filled by our verifier, which `judge`
    /// asks.
    pub fn verdict(&mut self, judge: impl FnOnce(&str) -> Verdict) -> Verdict {
        let (answer, method) = (self.answer.take(), self.method.take());
        let rule = self.rule.as_deref().and_then(Rule::from_name);
        if let (Some(answer), Some(correct), Some(method)) = (&answer, self.correct, &method) {
            let (answer, method) = (answer.clone(), method.clone());
            let repairs = self.repairs.iter().filter_map(|n| Repair::from_name(n)).collect();
            return Verdict { answer, rule, correct, repairs, method, sound: self.sound };
        }
        let ours = judge(&self.text);
        Verdict {
            rule: if answer.is_some() { rule } else { rule.or(ours.rule) },
            answer: answer.unwrap_or(ours.answer),
            correct: self.correct.unwrap_or(ours.correct),
            repairs: ours.repairs,
            method: method.unwrap_or(ours.method),
            sound: self.sound.or(ours.sound),
        }
    }

    /// The completion itself. Token arrays of different lengths are left out.
    pub fn completion(self, index: u32) -> Completion {
        let n = self.token_ids.len();
        let entropies =
            if self.token_entropies.is_empty() { vec![f32::NAN; n] } else { self.token_entropies };
        let whole = self.token_logprobs.len() == n && entropies.len() == n;
        let figures = self.token_logprobs.iter().zip(&entropies);
        let token = |(&id, (&logprob, &entropy))| Token { id, logprob, entropy };
        Completion {
            index,
            text: self.text,
            length: self.tokens,
            logprob: self.logprob,
            token_entropy: self.token_entropy,
            entropy_range: self.token_entropy_range,
            trace: if whole { self.token_ids.iter().zip(figures).map(token).collect() } else { Vec::new() },
            finish: if self.finish.as_deref() == Some("length") { Finish::Length } else { Finish::Stop },
        }
    }
}

/// A string, or a number or truth value as it is written; `null` is none.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match serde_json::Value::deserialize(from)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(s) => Ok(Some(s)),
        v @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Ok(Some(v.to_string())),
        _ => Err(serde::de::Error::custom("expected a text or a number")),
    }
}

/// As [`text`], for a field that is there.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    text(from).map(Some)
}
