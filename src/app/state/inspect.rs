//! What is known of single completions: their tokens, where branches lead, a diff's other side.

use crate::app::branch::Branch;
use crate::app::weigh::{Heat, Subject, Tokens};
use std::collections::VecDeque;

/// The close look at completions.
#[derive(Debug, Default)]
pub struct Inspect {
    pub heat: Heat,
    /// The one that is being scored.
    pub weighing: Option<Subject>,
    /// Whether models that are not loaded may be opened for it.
    pub asked: bool,
    /// Continuations from given words, while their panel is open.
    pub branch: Option<Branch>,
    /// Branches begun so far.
    pub branches: u64,
    /// The completion that others are held against word by word.
    pub partner: Option<Subject>,
    /// The newest at the end.
    kept: VecDeque<Tokens>,
}

/// Completions whose tokens are kept.
const KEPT: usize = 8;

impl Inspect {
    /// The tokens of a completion, where they are known.
    pub fn tokens_of(&self, subject: Subject) -> Option<&Tokens> {
        self.kept.iter().find(|t| t.subject == subject)
    }

    pub(in crate::app) fn keep(&mut self, tokens: Tokens) {
        self.kept.retain(|t| t.subject != tokens.subject);
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(tokens);
    }
}
