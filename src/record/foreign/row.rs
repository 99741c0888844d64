//! What every reader gives: rows of a problem with completions.

use crate::completion::Finish;
use crate::record::{RecordError, SamplingEntry};
use serde_json::{Map, Value};

/// One problem as a file gives it, with the completions that stand beside it. The same
/// problem may come in many rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The problem's own name, where the file has one.
    pub id: Option<String>,
    /// Chat messages are put together as one text.
    pub prompt: String,
    pub reference: Option<String>,
    /// The file's name for the task; ours only if we know one of that name.
    pub task: Option<String>,
    pub metadata: Map<String, Value>,
    /// Who drew the completions, in files that hold several policies.
    pub policy: Option<String>,
    pub completions: Vec<Sample>,
}

/// One completion as a file gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    pub text: String,
    /// What the tool extracted.
    pub answer: Option<String>,
    /// What the tool gave it; finite.
    pub score: Option<f64>,
    /// Whether the tool itself calls it correct; without this the score decides.
    pub correct: Option<bool>,
    pub tokens: Option<u32>,
    /// Of the whole text, nats.
    pub logprob: Option<f64>,
    pub token_entropy: Option<f64>,
    pub finish: Option<Finish>,
}

/// What a file says of the policy that it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    pub model: Option<String>,
    pub sampling: SamplingEntry,
    /// The score from which the tool calls a completion solved.
    pub threshold: Option<f64>,
}

/// Takes what a reader reads.
pub trait Sink {
    /// One row. `place` is where it stands, for messages.
    ///
    /// # Errors
    /// What makes reading on senseless, such as a full disk.
    fn row(&mut self, place: &Place, row: Row) -> Result<(), RecordError>;

    /// Something that could not be read; the rest can.
    fn wrong(&mut self, place: &Place, reason: String);
}

/// Where something stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Counted from 1.
    Line(u64),
    /// A row of a table or an element of a list, counted from 1.
    Row(u64),
    /// A named part, such as a member of an archive.
    Part(String),
}
