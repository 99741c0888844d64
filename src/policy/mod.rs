//! Where completions come from, behind one trait: a local model, a server, a recording, a
//! script.

pub mod local;
mod open;
pub mod options;
pub mod recording;
mod scored;
pub mod script;
pub mod server;
mod settings;

pub use local::LocalPolicy;
pub use open::{local_model, open, open_with};
pub use options::Options;
pub use scored::{ScoreRequest, Scored, ScoredToken};
pub use server::{Server, ServerOptions};
use settings::{FINGERPRINT_TEXT, fingerprint_of};
pub use settings::{PROMPT, SENT, Setting, differences, sampling_settings};

use crate::completion::Completion;
use crate::model::{ModelError, Sampling};
use crate::problem::Problem;
use std::ops::{ControlFlow, Range};

/// A language model as a distribution over completions.
///
/// Called from worker threads, several at once; a call blocks until its completions are
/// drawn or the sink says stop.
pub trait Policy: Send + Sync {
    /// The name on screen and in recordings: `base`, `rlvr`, `rlvr@40`.
    fn name(&self) -> &str;

    /// Where it comes from, as on the command line: `embedded:base`.
    fn spec(&self) -> &str;

    /// What is sent of a problem, to the last character.
    ///
    /// # Errors
    /// A prompt that cannot be made of it.
    fn prompt(&self, problem: &Problem) -> Result<String, PolicyError> {
        Ok(problem.prompt.clone())
    }

    /// Draws completions `request.indices` of a problem. Completion i is a function of
    /// (seed, policy name, problem id, i) alone.
    ///
    /// # Errors
    /// What the source reports; completions already given to the sink stay valid.
    fn sample(&self, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError>;

    /// Calls of [`Policy::sample`] that are worth having under way beyond one a core: those
    /// of a server mostly wait.
    fn waiting(&self) -> usize {
        0
    }

    /// How likely a given text is as a completion of a problem, token by token, at T = 1 and
    /// with nothing cut off.
    ///
    /// # Errors
    /// A policy that cannot say; what the source reports.
    fn score(&self, _request: &ScoreRequest<'_>) -> Result<Scored, PolicyError> {
        let reason = format!("{} holds no model that could score a text", self.spec());
        Err(PolicyError::Scoring { policy: self.name().to_owned(), reason })
    }

    /// All that decides what it draws, by name: two policies are compared fairly where these
    /// are the same.
    fn settings(&self, sampling: &Sampling) -> Vec<Setting> {
        sampling_settings(sampling)
    }
}

/// A request for completions of one problem.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub problem: &'a Problem,
    pub indices: Range<u32>,
    pub sampling: &'a Sampling,
    pub prefix: Prefix<'a>,
}

impl<'a> Request<'a> {
    /// Completions of which nothing is given.
    pub fn new(problem: &'a Problem, indices: Range<u32>, sampling: &'a Sampling) -> Self {
        Self { problem, indices, sampling, prefix: Prefix::default() }
    }
}

/// What completions begin with: given, not drawn. A completion's text and verdict are of the
/// whole, prefix included; its tokens, log-probability and entropy are of what was drawn
/// after it. A policy that cannot go on from a prefix reports so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix<'a> {
    pub text: &'a str,
    /// The tokens that the text was drawn in, where known, else empty. They are used where
    /// the policy's own tokenizer reads them as that text; else the text is tokenised anew.
    pub tokens: &'a [u32],
}

/// Who receives completions.
pub trait Sink {
    /// A finished completion. They come in no particular order.
    fn finished(&mut self, completion: Completion);

    /// `drawn` tokens more were drawn; `partial` gives the text of one unfinished
    /// completion, and is worth calling only for the problem on screen. Called at each
    /// decode step; `Break` ends the request.
    fn stepped(&mut self, drawn: usize, partial: &dyn Fn() -> Option<Partial>) -> ControlFlow<()>;

    /// A sentence for the user: the request goes on, and something holds it up.
    fn noted(&mut self, _words: &str) {}
}

/// A completion that is still being written.
#[derive(Clone, Debug, PartialEq)]
pub struct Partial {
    pub index: u32,
    pub text: String,
}

/// What can go wrong with a policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error(
        "{spec:?} is no policy: write {known}, a model's folder, a .gguf file, hf:owner/name, http://host:port/v1#model, or a recording"
    )]
    Spec { spec: String, known: String },
    #[error("policy {policy}: {source}")]
    Model { policy: String, source: ModelError },
    #[error("policy {policy}: {reason}")]
    Source { policy: String, reason: String },
    #[error("policy {policy} cannot score: {reason}")]
    Scoring { policy: String, reason: String },
}
