//! Who judges completions.

use super::{Problem, Verdict, judge};

/// A judge of completions. Called from worker threads, several at once; an outside judge
/// may block, within limits of its own.
pub trait Judge: Send + Sync {
    /// The verdicts on completions of one problem: one for each text, in their order. A
    /// completion that could not be judged is neither right nor wrong, and nobody may count
    /// it as either.
    fn judge(&self, problem: &Problem, texts: &[&str]) -> Vec<Result<Verdict, Unjudged>>;
}

/// Why a completion has no verdict, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unjudged(pub String);

/// Our own verifiers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verifiers;

impl Judge for Verifiers {
    fn judge(&self, problem: &Problem, texts: &[&str]) -> Vec<Result<Verdict, Unjudged>> {
        texts.iter().map(|text| Ok(judge(problem, text))).collect()
    }
}
