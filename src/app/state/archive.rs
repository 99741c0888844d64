//! The completions drawn so far, for those who open a cluster.

use crate::completion::{Completion, clean};
use crate::problem::Verdict;
use std::collections::HashMap;

/// Every completion with its verdict, by policy, problem and index.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    entries: HashMap<(u32, u32, u32), Box<Entry>>,
}

/// A completion, its text cleaned for a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub completion: Completion,
    pub verdict: Verdict,
}

impl Archive {
    /// Keeps a completion; the first of an index stays.
    pub fn add(&mut self, policy: usize, problem: usize, mut completion: Completion, verdict: Verdict) {
        completion.text = clean(&completion.text);
        completion.text.shrink_to_fit();
        completion.trace.shrink_to_fit();
        let key = (policy as u32, problem as u32, completion.index);
        self.entries.entry(key).or_insert_with(|| Box::new(Entry { completion, verdict }));
    }

    pub fn get(&self, policy: usize, problem: usize, index: u32) -> Option<&Entry> {
        self.entries.get(&(policy as u32, problem as u32, index)).map(|e| &**e)
    }
}
