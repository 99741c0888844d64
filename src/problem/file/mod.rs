//! Problems from a file's text: JSON lines, a JSON array or CSV, with a mapping of its
//! fields.
//!
//! An item that Reasoning Gym exports (`question`, `answer`, `metadata.source_dataset`) is a
//! problem of the task of that name as it stands.

mod error;
mod fields;
mod grader;
mod table;

pub use error::{FieldError, FileError, GraderError};
pub use fields::Fields;
pub use grader::Grader;

use super::extract::{self, Rule};
use super::tasks::matching::choices_in;
use super::{Problem, tasks};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The problems of JSON lines; empty lines are passed over. `origin` names the text.
///
/// # Errors
/// The first line that is no problem, or no problem at all.
pub fn json_lines(text: &str, fields: &Fields, origin: &str) -> Result<Vec<Problem>, FileError> {
    let mut reader = Reader::new(origin, origin, "line", fields);
    for (i, line) in text.lines().enumerate() {
        reader.json_line(line, i + 1)?;
    }
    reader.problems()
}

/// The problems of a JSON text that is one array of objects.
///
/// # Errors
/// The first item that is no problem, or no problem at all.
pub fn json_array(text: &str, reader: &mut Reader<'_>) -> Result<(), FileError> {
    let items: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|source| reader.at(1).json(source))?;
    items.into_iter().enumerate().try_for_each(|(i, item)| reader.record(item, i + 1))
}

/// The problems of a CSV text with a header, as of RFC 4180: quoted cells may hold the
/// separator, line feeds and doubled quotes.
///
/// # Errors
/// A row that is no problem or has not the header's cells, or a quote without an end.
pub fn csv(text: &str, separator: char, reader: &mut Reader<'_>) -> Result<(), FileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = table::Rows::new(text, separator);
    let unclosed = |line, reader: &Reader<'_>| reader.at(line).quote();
    let header = match rows.next() {
        None => return Ok(()),
        Some(row) => row.map_err(|line| unclosed(line, reader))?.1,
    };
    for row in rows {
        let (line, row) = row.map_err(|line| unclosed(line, reader))?;
        if row.len() != header.len() {
            return Err(reader.at(line).row(row.len(), header.len()));
        }
        let cells = header.iter().cloned().zip(row.into_iter().map(Value::String));
        reader.record(cells.filter(|(_, v)| v != "").collect(), line)?;
        if reader.is_full() {
            break;
        }
    }
    Ok(())
}

/// Turns records, wherever they are read from, into problems with ids of their own.
#[derive(Debug)]
pub struct Reader<'a> {
    /// Names the file in errors.
    origin: &'a str,
    /// Begins the ids of problems that have none.
    stem: &'a str,
    /// What a record is in errors: `line`, `row`, `item`.
    unit: &'static str,
    fields: &'a Fields,
    most: usize,
    ids: HashSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(origin: &'a str, stem: &'a str, unit: &'static str, fields: &'a Fields) -> Self {
        Self { origin, stem, unit, fields, most: usize::MAX, ids: HashSet::new(), problems: Vec::new() }
    }

    /// Reads so many problems at most.
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Goes on with another file of the same data set.
    pub fn goes_on_in(&mut self, origin: &'a str) {
        self.origin = origin;
    }

    /// Whether nothing more is wanted.
    pub fn is_full(&self) -> bool {
        self.problems.len() >= self.most
    }

    /// One line with a JSON object; an empty one is passed over. Lines count from 1.
    ///
    /// # Errors
    /// A line that is no JSON object, or no problem.
    pub fn json_line(&mut self, line: &str, number: usize) -> Result<(), FileError> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let record = serde_json::from_str(line).map_err(|source| self.at(number).json(source))?;
        self.record(record, number)
    }

    /// One record, the `number`-th from 1.
    ///
    /// # Errors
    /// A record that is no problem, or whose id was there before.
    pub fn record(&mut self, record: Map<String, Value>, number: usize) -> Result<(), FileError> {
        if self.is_full() {
            return Ok(());
        }
        let (id, problem) = problem(record, self.fields, &self.at(number))?;
        let id = match id {
            Some(id) if self.ids.contains(&id) => return Err(self.at(number).twice(id)),
            Some(id) => id,
            None => self.new_id(&problem, number),
        };
        self.ids.insert(id.clone());
        self.problems.push(Problem { id, ..problem });
        Ok(())
    }

    /// What was read.
    ///
    /// # Errors
    /// There was no problem.
    pub fn problems(self) -> Result<Vec<Problem>, FileError> {
        match self.problems.is_empty() {
            true => Err(FileError::Empty { origin: self.origin.to_owned() }),
            false => Ok(self.problems),
        }
    }

    fn at(&self, number: usize) -> error::At<'a> {
        error::At { origin: self.origin, unit: self.unit, number }
    }

    /// An exported item's own place, else the place in this file: `dice/4`, `test/0`.
    fn new_id(&self, problem: &Problem, number: usize) -> String {
        let index = problem.metadata.get("source_index").and_then(Value::as_u64);
        let source = problem.metadata.get("source_dataset").and_then(Value::as_str);
        let exported = source.zip(index).map(|(source, index)| format!("{source}/{index}"));
        let here = || format!("{}/{}", self.stem, self.problems.len());
        let id = exported.unwrap_or_else(here);
        if self.ids.contains(&id) { format!("{id}#{number}") } else { id }
    }
}

/// A record's id, where it has one, and the problem without it.
fn problem(
    mut record: Map<String, Value>,
    fields: &Fields,
    at: &error::At<'_>,
) -> Result<(Option<String>, Problem), FileError> {
    if let Some(Value::String(text)) = record.get("metadata")
        && let Ok(Value::Object(map)) = serde_json::from_str(text)
    {
        record.insert("metadata".into(), Value::Object(map));
    }
    let known = record.keys().cloned().collect::<Vec<_>>().join(", ");
    let missing = |field: &'static str, wanted: String| at.missing(field, wanted, &known);
    let prompt = fields.prompt.take(&mut record).map_err(|w| missing("prompt", w))?.and_then(plain);
    let prompt = prompt.ok_or_else(|| missing("prompt", fields.prompt.to_string()))?;
    let answer = fields.answer.take(&mut record).map_err(|w| missing("answer", w))?;
    let id = fields.id.take(&mut record).map_err(|w| missing("id", w))?.and_then(plain);
    let named = fields.task.take(&mut record).map_err(|w| missing("task", w))?.and_then(plain);
    let choices = fields.choices.take(&mut record).map_err(|w| missing("choices", w))?.and_then(listed);
    let mut metadata = match record.remove("metadata") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    // What the file says besides stays with the problem.
    record.into_iter().for_each(|(k, v)| {
        metadata.entry(k).or_insert(v);
    });
    let number = matches!(answer, Some(Value::Number(_)));
    let mut problem =
        Problem { id: String::new(), task: named, prompt, reference: answer.and_then(plain), metadata };
    if problem.task.is_none() {
        problem.task = exported(&problem.metadata);
    }
    if let Some(choices) = choices {
        with_choices(&mut problem, choices, number, at)?;
    }
    if problem.task.is_none() {
        fields.grader.grade(&mut problem);
    }
    if let Some(task) = problem.task.as_deref().filter(|t| tasks::find(t).is_none()) {
        return Err(at.task(task));
    }
    if problem.task.as_deref() == Some("mathematics") {
        final_answer(&mut problem);
    }
    Ok((id, problem))
}

/// The verifier of an item that Reasoning Gym exported; its families that are not known
/// here compare texts, as the package does where a family has no rule of its own.
fn exported(metadata: &Map<String, Value>) -> Option<String> {
    let source = metadata.get("source_dataset")?.as_str()?;
    let other = || metadata.contains_key("source_index").then_some("exact_match");
    Some(tasks::find(source).map(|t| t.name()).or_else(other)?.to_owned())
}

/// Puts the choices where the verifier looks for them, and below the question, unless they
/// stand in it.
fn with_choices(
    problem: &mut Problem,
    choices: Value,
    number: bool,
    at: &error::At<'_>,
) -> Result<(), FileError> {
    problem.metadata.insert("choices".into(), choices);
    problem.task.get_or_insert_with(|| "multiple_choice".into());
    let all = choices_in(&problem.metadata);
    // A number is a place, from 0: a choice's text may be a number too.
    if let Some(reference) = problem.reference.as_mut().filter(|_| number) {
        let place = reference.parse::<usize>().ok().and_then(|i| all.get(i));
        *reference = place.ok_or_else(|| at.choice(reference, all.len()))?.0.clone();
    }
    if !all.iter().all(|(_, text)| problem.prompt.contains(text.as_str())) {
        all.iter().for_each(|(label, text)| problem.prompt += &format!("\n{label}. {text}"));
    }
    Ok(())
}

/// A reference that is a whole solution stands for its final answer; the solution is kept.
fn final_answer(problem: &mut Problem) {
    let Some(solution) = problem.reference.as_deref() else { return };
    if !solution.contains("\\boxed{") && !solution.contains("####") {
        return;
    }
    if let Some((answer, _)) = extract::extract_with(solution, &[Rule::Box, Rule::Marker]) {
        let solution = problem.reference.replace(answer);
        problem.metadata.entry("solution").or_insert_with(|| solution.into());
    }
}

/// A value as text; `None` for `null`. A list of one is that one, a list of chat messages
/// their contents, another list its parts with commas between them.
fn plain(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(mut all) if all.len() == 1 => plain(content(all.remove(0))),
        Value::Array(all) if all.iter().all(|v| v.get("content").is_some_and(Value::is_string)) => {
            Some(all.into_iter().map(content).filter_map(plain).collect::<Vec<_>>().join("\n\n"))
        }
        Value::Array(all) if all.iter().all(|v| !v.is_array() && !v.is_object()) => {
            Some(all.into_iter().filter_map(plain).collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    }
}

/// What a chat message says; any other value as it is.
fn content(value: Value) -> Value {
    match value.get("content").filter(|c| c.is_string()) {
        Some(content) => content.clone(),
        None => value,
    }
}

/// Choices as JSON, also where a cell holds them as text; `None` where there are none.
fn listed(value: Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            serde_json::from_str(&text).ok().filter(|v: &Value| v.is_array() || v.is_object())
        }
        Value::Array(all) if all.is_empty() => None,
        value @ (Value::Array(_) | Value::Object(_)) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
