//! The interface between a campaign and a model: ask for n completions of one prompt, get
//! the finished ones as they come, stop within one decode step.
//!
//! It says nothing of batches, caches or threads, so that a fast engine and a plain one
//! stand behind it alike.

use super::{Config, ModelError, Sampling, Scorer};
use crate::completion::{Finish, Token};
use crate::random::Stream;
use std::ops::{ControlFlow, Range};

/// A request for the completions `indices` of one prompt.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The prompt's tokens, at least one.
    pub prompt: &'a [u32],
    /// Which completions. Completion i draws from `stream.at(i)` alone: one `unit()` a token.
    pub indices: Range<u32>,
    /// Keyed with the seed, the policy and the problem.
    pub stream: Stream,
    pub sampling: &'a Sampling,
    /// Tokens that end a completion; the ending token is part of it.
    pub stop: &'a [u32],
}

impl Request<'_> {
    /// Tokens of a completion at most under a model of this configuration.
    ///
    /// # Errors
    /// A prompt that is empty, holds a token outside the vocabulary or leaves no room for a
    /// completion.
    pub fn limit(&self, config: &Config) -> Result<usize, ModelError> {
        let (length, room) = (self.prompt.len(), config.max_positions);
        if length == 0 {
            return Err(ModelError::Prompt("is empty".into()));
        }
        if let Some(token) = self.prompt.iter().find(|t| **t as usize >= config.vocab_size) {
            let size = config.vocab_size;
            return Err(ModelError::Prompt(format!("holds token {token}, outside the vocabulary of {size}")));
        }
        if length >= room {
            return Err(ModelError::Prompt(format!(
                "has {length} tokens, and the model's {room} positions leave no room for a completion"
            )));
        }
        Ok(self.sampling.max_tokens.min(room - length))
    }
}

/// A finished completion, in tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    pub index: u32,
    pub tokens: Vec<Token>,
    pub finish: Finish,
}

/// A completion that is still being drawn.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    pub index: u32,
    pub tokens: &'a [Token],
}

/// Who asked.
pub trait Observer {
    /// A completion is finished. They come in no particular order.
    fn finished(&mut self, completion: Generated);

    /// One decode step of the whole batch is done, and `drawn` tokens were drawn in it;
    /// `running` is one of the completions still in the batch, for those who watch.
    /// `Break` ends the request here: what is unfinished is dropped.
    fn stepped(&mut self, drawn: usize, running: Option<Running<'_>>) -> ControlFlow<()>;
}

/// A model that draws completions.
pub trait Generator: Scorer + Send + Sync {
    /// Draws the requested completions and returns when all are finished or the observer
    /// says so. Called from several threads at once.
    ///
    /// # Errors
    /// A prompt that is empty, holds a token outside the vocabulary or leaves no room for a
    /// completion, and what the device reports.
    fn generate(&self, request: &Request<'_>, observer: &mut dyn Observer) -> Result<(), ModelError>;
}
