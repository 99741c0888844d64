//! Why a file gives no problems.

use crate::problem::tasks;

/// Each message names the file, the place in it, and the mend.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{place}: this is no JSON object ({source}); one problem a line is expected")]
    Json { place: String, source: serde_json::Error },
    #[error("{place}: there is no field `{wanted}`; it has {known}. Map it with --field {field}=NAME")]
    Missing { place: String, field: &'static str, wanted: String, known: String },
    #[error(
        "{place}: there is no task `{task}`; the tasks are {known}. If the field means something else, \
         write --field task="
    )]
    Task { place: String, task: String, known: String },
    #[error("{place}: the answer {answer} is the place of none of its {choices} choices, counted from 0")]
    Choice { place: String, answer: String, choices: usize },
    #[error(
        "{place}: the id {id:?} was there before; map another field with --field id=NAME, or number the \
         problems with --field id="
    )]
    Twice { place: String, id: String },
    #[error("{place}: the row has {found} cells and the header {wanted}; quote cells that hold commas")]
    Row { place: String, found: usize, wanted: usize },
    #[error("{place}: a quoted cell has no end; double the quotes inside it")]
    Quote { place: String },
    #[error("{origin} holds no problem")]
    Empty { origin: String },
}

/// Why a mapping of fields cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("`{mapping}` maps nothing; write prompt=NAME, answer=NAME, id=NAME, task=NAME or choices=NAME")]
    Form { mapping: String },
    #[error("a problem has no `{what}`; it has prompt, answer, id, task and choices")]
    Unknown { what: String },
}

/// Why a name is no grader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraderError {
    #[error("there is no grader `{name}`; write exact, choice, regex, regex:PATTERN or one of {known}")]
    Unknown { name: String, known: String },
    #[error("`{pattern}` is no regular expression: {reason}")]
    Pattern { pattern: String, reason: String },
}

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub origin: &'a str,
    pub unit: &'static str,
    pub number: usize,
}

impl At<'_> {
    fn place(&self) -> String {
        format!("{}, {} {}", self.origin, self.unit, self.number)
    }

    pub fn json(&self, source: serde_json::Error) -> FileError {
        FileError::Json { place: self.place(), source }
    }

    pub fn missing(&self, field: &'static str, wanted: String, known: &str) -> FileError {
        FileError::Missing { place: self.place(), field, wanted, known: known.to_owned() }
    }

    pub fn task(&self, task: &str) -> FileError {
        let known = tasks::names().collect::<Vec<_>>().join(", ");
        FileError::Task { place: self.place(), task: task.to_owned(), known }
    }

    pub fn choice(&self, answer: &str, choices: usize) -> FileError {
        FileError::Choice { place: self.place(), answer: answer.to_owned(), choices }
    }

    pub fn twice(&self, id: String) -> FileError {
        FileError::Twice { place: self.place(), id }
    }

    pub fn row(&self, found: usize, wanted: usize) -> FileError {
        FileError::Row { place: self.place(), found, wanted }
    }

    pub fn quote(&self) -> FileError {
        FileError::Quote { place: self.place() }
    }
}
