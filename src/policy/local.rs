//! A model in this process as a policy.

use super::settings::UNKNOWN;
use super::{FINGERPRINT_TEXT, fingerprint_of, sampling_settings};
use super::{Partial, Policy, PolicyError, Request, ScoreRequest, Scored, ScoredToken, Setting, Sink};
use crate::completion::{Completion, Token};
use crate::model::Sampling;
use crate::model::{self, Generated, Generator, LocalModel, ModelError, Observer, Running, Tokenizer};
use crate::random::Stream;
use std::ops::ControlFlow;

/// A local model: text in, text out.
pub struct LocalPolicy {
    name: String,
    spec: String,
    tokenizer: Tokenizer,
    generator: Box<dyn Generator>,
    bos: Option<u32>,
    stop: Vec<u32>,
    positions: usize,
}

impl LocalPolicy {
    /// The policy `name` that draws from `model` with `generator`.
    pub fn new(name: &str, spec: &str, model: LocalModel, generator: Box<dyn Generator>) -> Self {
        let LocalModel { config, tokenizer, .. } = model;
        Self {
            name: name.to_owned(),
            spec: spec.to_owned(),
            tokenizer,
            generator,
            positions: config.max_positions,
            bos: config.bos,
            stop: config.eos,
        }
    }
}

impl Policy for LocalPolicy {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> &str {
        &self.spec
    }

    fn sample(&self, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError> {
        let failed = |source: ModelError| PolicyError::Model { policy: self.name.clone(), source };
        let mut prompt: Vec<u32> = self.bos.into_iter().collect();
        prompt.extend(self.tokenizer.encode(&request.problem.prompt).map_err(failed)?);
        let asked = model::Request {
            prompt: &prompt,
            indices: request.indices.clone(),
            stream: Stream::new(request.sampling.seed).with(&self.name).with(&request.problem.id),
            sampling: request.sampling,
            stop: &self.stop,
        };
        let mut reader = Reader { tokenizer: &self.tokenizer, sink };
        self.generator.generate(&asked, &mut reader).map_err(failed)
    }

    fn score(&self, request: &ScoreRequest<'_>) -> Result<Scored, PolicyError> {
        let failed = |source: ModelError| PolicyError::Model { policy: self.name.clone(), source };
        let mut prompt: Vec<u32> = self.bos.into_iter().collect();
        prompt.extend(self.tokenizer.encode(&request.problem.prompt).map_err(failed)?);
        let (tokens, retokenised) = self.tokens(request).map_err(failed)?;
        let weighed = self.generator.score(&prompt, &tokens, request.top).map_err(failed)?;
        let ended = tokens.last().is_some_and(|t| self.stop.contains(t));
        let piece = |id: u32| self.tokenizer.decode(&[id]);
        // A token is what it adds to the text, read after the token before it; the first part
        // of a character that is cut in two adds nothing.
        let (mut start, mut read) = (0, 0);
        let token = |(i, w): (usize, model::Weighed)| {
            let before = self.tokenizer.decode(&tokens[start..read]);
            let with = self.tokenizer.decode(&tokens[start..=i]);
            let added = with.strip_prefix(&before).filter(|t| !t.is_empty() && !t.ends_with('\u{fffd}'));
            let text = added.unwrap_or("").to_owned();
            if !text.is_empty() {
                (start, read) = (read, i + 1);
            }
            let top = w.top.into_iter().map(|(id, l)| (piece(id), l)).collect();
            ScoredToken { id: w.id, text, logprob: w.logprob, entropy: Some(w.entropy), top }
        };
        let tokens = weighed.into_iter().enumerate().map(token).collect();
        Ok(Scored { tokens, retokenised, ended })
    }

    fn settings(&self, sampling: &Sampling) -> Vec<Setting> {
        let tokenizer = self.tokenizer.encode(FINGERPRINT_TEXT);
        let stop: Vec<String> = self.stop.iter().map(|id| self.tokenizer.name(*id)).collect();
        let mut all = sampling_settings(sampling);
        all.extend([
            Setting::new("template", "none: the prompt as it is"),
            Setting::new("system prompt", "none"),
            Setting::new("stop tokens", stop.join(" ")),
            Setting::new("dtype", "f32"),
            Setting::new("tokenizer", tokenizer.map_or(UNKNOWN.to_owned(), |t| fingerprint_of(&t))),
            Setting::new("engine", "this process"),
            Setting::new("endpoint", self.spec.as_str()),
            Setting::new("longest context", self.positions.to_string()),
            Setting::new("probabilities", "before temperature and truncation, all tokens: entropy exact"),
        ]);
        all
    }
}

impl LocalPolicy {
    /// The tokens of a text that is to be scored, and whether they are new ones: those that
    /// it was drawn in are taken where our tokenizer reads them as this very text.
    fn tokens(&self, request: &ScoreRequest<'_>) -> Result<(Vec<u32>, bool), ModelError> {
        let known = |id: &u32| (*id as usize) < self.tokenizer.vocab_size();
        if !request.tokens.is_empty()
            && request.tokens.iter().all(known)
            && self.tokenizer.decode(request.tokens) == request.text
        {
            return Ok((request.tokens.to_vec(), false));
        }
        let mut tokens = self.tokenizer.encode(request.text)?;
        if request.ended {
            tokens.extend(self.stop.first());
        }
        Ok((tokens, true))
    }
}

/// Turns tokens into text on their way to the sink.
struct Reader<'a> {
    tokenizer: &'a Tokenizer,
    sink: &'a mut dyn Sink,
}

fn text(tokenizer: &Tokenizer, tokens: &[Token]) -> String {
    let ids: Vec<u32> = tokens.iter().map(|t| t.id).collect();
    tokenizer.decode(&ids)
}

impl Observer for Reader<'_> {
    fn finished(&mut self, Generated { index, tokens, finish }: Generated) {
        let text = text(self.tokenizer, &tokens);
        self.sink.finished(Completion::traced(index, text, tokens, finish));
    }

    fn stepped(&mut self, drawn: usize, running: Option<Running<'_>>) -> ControlFlow<()> {
        let tokenizer = self.tokenizer;
        let partial = || running.map(|r| Partial { index: r.index, text: text(tokenizer, r.tokens) });
        self.sink.stepped(drawn, &partial)
    }
}
