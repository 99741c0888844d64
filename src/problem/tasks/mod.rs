//! The tasks: one module a family of problems that share a verifier.

pub mod leg_counting;

use super::{Problem, Verdict};

/// A family of problems that share a verifier.
pub trait Task: Sync {
    /// The task's name, as in a recording: `leg_counting`.
    fn name(&self) -> &'static str;
    /// The task's name for people: `Leg Counting`.
    fn title(&self) -> &'static str;
    /// Judges one completion. Never panics, whatever the text or the problem's metadata.
    fn judge(&self, problem: &Problem, text: &str) -> Verdict;
}

/// Every task.
pub const ALL: [&dyn Task; 1] = [&leg_counting::LegCounting];

/// The task of a name.
pub fn find(name: &str) -> Option<&'static dyn Task> {
    ALL.into_iter().find(|t| t.name() == name)
}
