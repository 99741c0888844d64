//! Texts as tokens, and tokens as texts, as a server's own tokenizer makes them.

use super::client::{Client, Fault};
use super::dialect::{Dialect, Kind, Prompt};
use crate::model::Sampling;
use crate::policy::fingerprint_of;
use serde_json::{Value, json};

/// Bytes of an answer, beside what grows with the question.
const SMALL: u64 = 8 << 20;

/// The tokenizer of one endpoint.
#[derive(Clone, Copy)]
pub(super) struct Tokenizer<'a> {
    pub client: &'a Client,
    pub url: &'a str,
    pub dialect: &'a Dialect,
}

impl Tokenizer<'_> {
    /// The tokens of a text; `special`: with those that are put before every prompt.
    ///
    /// # Errors
    /// What the server says.
    pub fn text(&self, text: &str, special: bool) -> Result<Vec<u32>, Fault> {
        let body = match self.dialect.kind {
            Kind::LlamaCpp => json!({"content": text, "add_special": special}),
            _ => json!({"model": self.dialect.model, "prompt": text, "add_special_tokens": special}),
        };
        self.tokenize(&body, text.len())
    }

    /// The tokens of a prompt as the model sees it: under the server's chat template where it
    /// is asked through chat, else the text with the tokens that are put before every prompt.
    ///
    /// # Errors
    /// What the server says; one that tells nobody what its template makes of a prompt.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>, Fault> {
        if !self.dialect.chat {
            return self.text(text, true);
        }
        let messages = self.dialect.messages(text);
        let body = match self.dialect.kind {
            // It always adds it, and takes no such field.
            Kind::Sglang => json!({"model": self.dialect.model, "messages": messages}),
            _ => json!({"model": self.dialect.model, "messages": messages, "add_generation_prompt": true}),
        };
        let refused = match self.tokenize(&body, text.len()) {
            Ok(tokens) => return Ok(tokens),
            Err(Fault::Final(reason)) => reason,
            Err(passing) => return Err(passing),
        };
        // A server whose /tokenize knows no messages may say with an answer what it was given.
        self.answered(text).map_err(|fault| match fault {
            Fault::Final(_) => Fault::Final(format!(
                "it does not tell the tokens of a prompt under its chat template ({refused}): a newer vLLM or \
                 SGLang does, or score with --raw what was sampled so"
            )),
            passing => passing,
        })
    }

    /// The text of tokens.
    ///
    /// # Errors
    /// What the server says.
    pub fn read(&self, tokens: &[u32]) -> Result<String, Fault> {
        // Without special tokens, so that the end of a text adds nothing to it.
        let body = json!({"model": self.dialect.model, "tokens": tokens, "skip_special_tokens": self.dialect.kind == Kind::Sglang});
        let limit = SMALL + 64 * tokens.len() as u64;
        let answer = self.client.post(&self.beside("detokenize"), &body, limit)?;
        let text = answer.get("prompt").or_else(|| answer.get("text")).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| Fault::Final("it does not detokenise for others".into()))
    }

    /// A fingerprint: of the tokens of a fixed text. `None` where the server does not
    /// tokenise for others.
    pub fn fingerprint(&self) -> Option<String> {
        self.text(crate::policy::FINGERPRINT_TEXT, false).ok().map(|t| fingerprint_of(&t))
    }

    /// Tokens that are put before every text, even where none are asked for.
    ///
    /// # Errors
    /// What the server says.
    pub fn lead(&self) -> Result<Vec<u32>, Fault> {
        // Two texts that have nothing in common.
        let (one, other) = (self.text("A", false)?, self.text("7", false)?);
        let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        Ok(one[..same.min(one.len().saturating_sub(1))].to_vec())
    }

    fn tokenize(&self, body: &Value, bytes: usize) -> Result<Vec<u32>, Fault> {
        let limit = SMALL + 64 * bytes as u64;
        let answer = self.client.post(&self.beside("tokenize"), body, limit)?;
        ids(answer.get("tokens")).ok_or_else(|| Fault::Final("it does not tokenise for others".into()))
    }

    /// The tokens of a prompt as an answer to it tells them: vLLM once, SGLang with each choice.
    fn answered(&self, text: &str) -> Result<Vec<u32>, Fault> {
        let sampling = Sampling { max_tokens: 1, ..Sampling::default() };
        let mut body = self.dialect.request(Prompt::Text(text), &sampling, &(0..1), 1);
        body["return_prompt_token_ids"] = true.into();
        let limit = self.dialect.most_bytes(1, 1) + 64 * text.len() as u64;
        let answer = self.client.post(&format!("{}/{}", self.url, self.dialect.path()), &body, limit)?;
        prompt_ids(&answer).ok_or_else(|| Fault::Final("its answer has no prompt_token_ids".into()))
    }

    /// An address beside OpenAI's interface.
    fn beside(&self, path: &str) -> String {
        format!("{}/{path}", self.url.strip_suffix("/v1").unwrap_or(self.url))
    }
}

/// The tokens of its prompt that an answer tells, where it does.
pub(super) fn prompt_ids(answer: &Value) -> Option<Vec<u32>> {
    ids(answer.get("prompt_token_ids")).or_else(|| ids(answer.pointer("/choices/0/prompt_token_ids")))
}

fn ids(value: Option<&Value>) -> Option<Vec<u32>> {
    value?.as_array()?.iter().map(|t| t.as_u64().and_then(|t| u32::try_from(t).ok())).collect()
}
