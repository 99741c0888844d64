//! What is asked, and how an answer is judged.
//!
//! A [`Problem`] is a prompt with a reference; a [`Task`](tasks::Task) is a family of
//! problems that share a verifier. [`judge()`] turns a completion's text into a [`Verdict`].
//! Pure: no file, no clock, no thread.

pub mod extract;
pub mod file;
mod judge;
pub(crate) mod python;
pub mod repair;
pub mod steps;
pub mod tasks;

pub use extract::Rule;
pub use judge::{Judge, Unjudged, Verifiers};
pub use repair::{Repair, Repairs};
use serde::{Deserialize, Serialize};

/// One prompt with a reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Unique in a run, for example `leg_counting/heldout/0`.
    pub id: String,
    /// Name of the task whose verifier judges it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What the policy is asked, to the last character.
    pub prompt: String,
    /// The reference answer, in the task's normal form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the task's verifier needs to know beyond the reference.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// What the verifier says of one completion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// The extracted answer in normal form; `None` if there is none (`NA`).
    pub answer: Option<String>,
    /// The rule that extracted it.
    pub rule: Option<Rule>,
    pub correct: bool,
    /// What had to be repaired in the answer to read it.
    pub repairs: Repairs,
    /// The path that the solution takes, by its steps; `None` where the task knows no methods.
    pub method: Option<String>,
    /// Whether the steps derive the answer; `None` where the task cannot check steps.
    pub sound: Option<bool>,
}

/// Judges a completion with the verifier of the problem's task; without a task, the
/// extracted answer must equal the reference.
pub fn judge(problem: &Problem, text: &str) -> Verdict {
    match problem.task.as_deref().and_then(tasks::find) {
        Some(task) => task.judge(problem, text),
        None => judge_by(problem, text, &Rule::NUMBER),
    }
}

/// As [`judge()`], but with these rules only, tried in this order: what the task's own reader
/// makes of what they find.
pub fn judge_by(problem: &Problem, text: &str, rules: &[Rule]) -> Verdict {
    if let Some(task) = problem.task.as_deref().and_then(tasks::find) {
        return task.judge_by(problem, text, rules);
    }
    match extract::extract_with(text, rules) {
        Some((answer, rule)) => Verdict {
            correct: problem.reference.as_deref().is_some_and(|r| r.trim() == answer),
            answer: Some(answer),
            rule: Some(rule),
            ..Verdict::default()
        },
        None => Verdict::default(),
    }
}

/// A problem's reference in the normal form of its task's answers; without a task, trimmed.
/// `None` where it has none, or where the task does not read it as an answer.
pub fn reference_form(problem: &Problem) -> Option<String> {
    let reference = problem.reference.as_deref()?;
    match problem.task.as_deref().and_then(tasks::find) {
        Some(task) => task.read(problem, reference).map(|r| r.answer),
        None => Some(reference.trim().to_owned()),
    }
}
