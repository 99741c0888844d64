//! Problems from a file's text: JSON lines or CSV, with a mapping of its fields.
//!
//! An item that Reasoning Gym exports (`question`, `answer`, `metadata.source_dataset`) is a
//! problem of the task of that name as it stands.

use super::{Problem, tasks};
use serde_json::{Map, Value};

/// Which field of a file holds what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The prompt. Where no such field is, `question` and `problem` are looked for.
    pub prompt: String,
    /// The reference; where no such field is, `reference` and `solution` are looked for.
    pub answer: String,
    pub id: String,
    /// The task whose verifier judges the problem.
    pub task: String,
    /// The choices of a multiple-choice question: a list, or `{"text": […], "label": […]}`.
    pub choices: String,
    /// The task of problems that name none.
    pub default_task: Option<String>,
}

impl Default for Fields {
    fn default() -> Self {
        let own = String::from;
        Self {
            prompt: own("prompt"),
            answer: own("answer"),
            id: own("id"),
            task: own("task"),
            choices: own("choices"),
            default_task: None,
        }
    }
}

/// Why a file gives no problems.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{origin}, line {line}: this is no JSON object ({source}); one problem a line is expected")]
    Json { origin: String, line: usize, source: serde_json::Error },
    #[error(
        "{origin}, line {line}: there is no field `{field}`; it has {known}. Map it with --field {field}=NAME"
    )]
    Missing { origin: String, line: usize, field: String, known: String },
    #[error("{origin}, line {line}: there is no task `{task}`; the tasks are {known}")]
    Task { origin: String, line: usize, task: String, known: String },
    #[error(
        "{origin}, line {line}: the row has {found} cells and the header {wanted}; quote cells that hold commas"
    )]
    Row { origin: String, line: usize, found: usize, wanted: usize },
    #[error("{origin}, line {line}: a quoted cell has no end; double the quotes inside it")]
    Quote { origin: String, line: usize },
    #[error("{origin} holds no problem")]
    Empty { origin: String },
}

/// The problems of JSON lines; empty lines are passed over. `origin` names the text.
pub fn json_lines(text: &str, fields: &Fields, origin: &str) -> Result<Vec<Problem>, FileError> {
    let lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
    let read =
        |(i, line): (usize, &str)| {
            let line_number = i + 1;
            let record: Map<String, Value> = serde_json::from_str(line)
                .map_err(|source| FileError::Json { origin: origin.to_owned(), line: line_number, source })?;
            problem(record, fields, &At { origin, line: line_number })
        };
    some(lines.map(read).collect::<Result<_, _>>()?, origin)
}

/// The problems of a CSV text with a header, as of RFC 4180: quoted cells may hold commas,
/// line feeds and doubled quotes.
pub fn csv(text: &str, fields: &Fields, origin: &str) -> Result<Vec<Problem>, FileError> {
    let mut rows = rows(text.strip_prefix('\u{feff}').unwrap_or(text), origin)?.into_iter();
    let Some((_, header)) = rows.next() else {
        return Err(FileError::Empty { origin: origin.to_owned() });
    };
    let read = |(line, row): (usize, Vec<String>)| {
        if row.len() != header.len() {
            let (found, wanted) = (row.len(), header.len());
            return Err(FileError::Row { origin: origin.to_owned(), line, found, wanted });
        }
        let cells = header.iter().cloned().zip(row.into_iter().map(Value::String));
        problem(cells.filter(|(_, v)| v != "").collect(), fields, &At { origin, line })
    };
    some(rows.map(read).collect::<Result<_, _>>()?, origin)
}

struct At<'a> {
    origin: &'a str,
    line: usize,
}

fn some(problems: Vec<Problem>, origin: &str) -> Result<Vec<Problem>, FileError> {
    if problems.is_empty() { Err(FileError::Empty { origin: origin.to_owned() }) } else { Ok(problems) }
}

fn problem(mut record: Map<String, Value>, fields: &Fields, at: &At) -> Result<Problem, FileError> {
    let known = record.keys().cloned().collect::<Vec<_>>().join(", ");
    let mut take = |names: &[&str]| names.iter().find_map(|n| record.remove(*n)).and_then(plain);
    let prompt = take(&[&fields.prompt, "question", "problem"]).ok_or_else(|| FileError::Missing {
        origin: at.origin.to_owned(),
        line: at.line,
        field: fields.prompt.clone(),
        known,
    })?;
    let reference = take(&[&fields.answer, "reference", "solution"]);
    let id = take(&[&fields.id]);
    let named = take(&[&fields.task]);
    let choices = record.remove(&fields.choices);
    let mut metadata = match record.remove("metadata") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    // What the file says besides stays with the problem.
    record.into_iter().for_each(|(k, v)| {
        metadata.entry(k).or_insert(v);
    });
    let exported =
        metadata.get("source_dataset").and_then(Value::as_str).filter(|n| tasks::find(n).is_some());
    let mut task = named.or_else(|| exported.map(str::to_owned));
    if let Some(choices) = choices {
        task.get_or_insert_with(|| "multiple_choice".into());
        metadata.insert("choices".into(), choices);
    }
    let task = task.or_else(|| fields.default_task.clone());
    if let Some(task) = task.as_deref().filter(|t| tasks::find(t).is_none()) {
        let known = tasks::names().collect::<Vec<_>>().join(", ");
        return Err(FileError::Task {
            origin: at.origin.to_owned(),
            line: at.line,
            task: task.to_owned(),
            known,
        });
    }
    let index = metadata.get("source_index").and_then(Value::as_u64).unwrap_or(at.line as u64 - 1);
    let id = id.unwrap_or_else(|| format!("{}/{index}", task.as_deref().unwrap_or(at.origin)));
    Ok(Problem { id, task, prompt, reference, metadata })
}

/// A value as text; `None` for `null`.
fn plain(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

type Row = (usize, Vec<String>);

/// The rows of a CSV text with the line on which each starts.
fn rows(text: &str, origin: &str) -> Result<Vec<Row>, FileError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut cell = String::new();
    let (mut line, mut start, mut quoted) = (1, 1, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                let full = std::mem::take(&mut row);
                // An empty line is no row.
                if full != [""] {
                    rows.push((start, full));
                }
                start = line;
            }
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(FileError::Quote { origin: origin.to_owned(), line: start });
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((start, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_lines_are_problems() {
        let text = "{\"prompt\":\"1+1?\",\"answer\":2,\"id\":\"a\",\"task\":\"mathematics\",\"level\":3}\n\n\
                    {\"question\":\"Q\",\"answer\":\"7\",\"metadata\":{\"source_dataset\":\"leg_counting\",\"source_index\":4}}\n\
                    {\"problem\":\"Which?\",\"answer\":\"B\",\"choices\":[\"x\",\"y\"]}\n";
        let all = json_lines(text, &Fields::default(), "f.jsonl").unwrap();
        assert_eq!((all[0].id.as_str(), all[0].reference.as_deref()), ("a", Some("2")));
        assert_eq!(all[0].metadata["level"], 3);
        assert_eq!((all[1].id.as_str(), all[1].task.as_deref()), ("leg_counting/4", Some("leg_counting")));
        assert_eq!(all[2].task.as_deref(), Some("multiple_choice"));
    }

    #[test]
    fn csv_cells_hold_what_they_quote() {
        let text = "id,frage,answer\r\n1,\"a, \"\"b\"\"\nc\",4\r\n\r\n2,d,5";
        let fields =
            Fields { prompt: "frage".into(), default_task: Some("exact_match".into()), ..Fields::default() };
        let all = csv(text, &fields, "f.csv").unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].prompt.as_str(), all[1].prompt.as_str()), ("a, \"b\"\nc", "d"));
        assert_eq!(all[1].task.as_deref(), Some("exact_match"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let said = |r: Result<Vec<Problem>, FileError>| r.unwrap_err().to_string();
        let d = Fields::default();
        assert!(
            said(json_lines("{\"prompt\":\"x\"}\n[1]", &d, "f"))
                .starts_with("f, line 2: this is no JSON object")
        );
        assert!(said(json_lines("{\"text\":1}", &d, "f")).contains("no field `prompt`; it has text"));
        assert!(said(json_lines("{\"prompt\":\"x\",\"task\":\"y\"}", &d, "f")).contains("no task `y`"));
        assert!(said(json_lines("", &d, "f")).contains("no problem"));
        assert!(
            said(csv("prompt,answer\nx", &d, "f")).contains("line 2: the row has 1 cells and the header 2")
        );
        assert!(said(csv("prompt\n\"x", &d, "f")).contains("line 2: a quoted cell has no end"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z\",{}:\n\r é]{0,80}") {
            let fields = Fields { prompt: "a".into(), ..Fields::default() };
            let _ = (json_lines(&text, &fields, "f"), csv(&text, &fields, "f"));
        }
    }
}
