//! A model in this process as a policy.

use super::{Partial, Policy, PolicyError, Request, Sink};
use crate::completion::{Completion, Token};
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
