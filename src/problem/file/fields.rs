//! Which field of a file holds what.

use super::{FieldError, Grader};
use serde_json::{Map, Value};
use std::fmt;

/// Which field of a file holds what, and who judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub prompt: Field,
    /// The reference.
    pub answer: Field,
    pub id: Field,
    /// The task whose verifier judges the problem.
    pub task: Field,
    /// The choices of a multiple-choice question: a list, `{"text": […], "label": […]}`, or
    /// several fields of one choice each.
    pub choices: Field,
    /// The verifier of problems that name none.
    pub grader: Grader,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            prompt: Field::Usual(&["prompt", "question", "problem"]),
            answer: Field::Usual(&[
                "answer",
                "reference",
                "final_answer",
                "answerKey",
                "solution",
                "reward_model.ground_truth",
            ]),
            id: Field::Usual(&["id", "unique_id"]),
            task: Field::Usual(&["task"]),
            choices: Field::Usual(&["choices", "options"]),
            grader: Grader::default(),
        }
    }
}

impl Fields {
    /// Takes a mapping as it is written on the command line: `prompt=question`,
    /// `answer=reward_model.ground_truth` (a field inside of another), `choices=A|B|C|D`
    /// (several fields), `id=` (none: problems are numbered).
    ///
    /// # Errors
    /// No such thing to map, or a mapping without a `=`.
    pub fn map(&mut self, mapping: &str) -> Result<(), FieldError> {
        let (what, name) =
            mapping.split_once('=').ok_or_else(|| FieldError::Form { mapping: mapping.to_owned() })?;
        let field = match what.trim() {
            "prompt" => &mut self.prompt,
            "answer" => &mut self.answer,
            "id" => &mut self.id,
            "task" => &mut self.task,
            "choices" => &mut self.choices,
            other => return Err(FieldError::Unknown { what: other.to_owned() }),
        };
        *field = match name.trim() {
            "" => Field::None,
            name => Field::Named(name.to_owned()),
        };
        Ok(())
    }
}

/// Where in a record a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// In the first of these that is there, if one is.
    Usual(&'static [&'static str]),
    /// In this one, which must be there.
    Named(String),
    /// Nowhere.
    None,
}

impl Field {
    /// Takes the value out of a record; a value inside of another is copied. The error is
    /// the name that is missing.
    pub(super) fn take(&self, record: &mut Map<String, Value>) -> Result<Option<Value>, String> {
        match self {
            Field::None => Ok(None),
            Field::Usual(names) => Ok(names.iter().find_map(|name| one(record, name))),
            Field::Named(name) if name.contains('|') && !record.contains_key(name) => {
                let part = |name: &str| one(record, name).ok_or_else(|| name.to_owned());
                Ok(Some(Value::Array(name.split('|').map(str::trim).map(part).collect::<Result<_, _>>()?)))
            }
            Field::Named(name) => one(record, name).map(Some).ok_or_else(|| name.clone()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Usual(names) => write!(f, "{}", names.join("` or `")),
            Field::Named(name) => write!(f, "{name}"),
            Field::None => Ok(()),
        }
    }
}

fn one(record: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = record.remove(name) {
        return Some(value);
    }
    let mut parts = name.split('.');
    let first = record.get(parts.next()?)?;
    parts.clone().next()?;
    parts.try_fold(first, |value, part| value.get(part)).cloned()
}
