//! What a file is, by its contents.

use super::json::Object;
use super::source::{Budgeted, Json, Source, Step};
use super::{Format, Mapping};
use crate::record::RecordError;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};

/// What is known of a file after a look at its beginning.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// `None` for a recording of ours.
    pub format: Option<Format>,
    pub shape: Shape,
    /// The fields of its first row.
    pub fields: Vec<String>,
}

/// How a file holds its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// JSON lines.
    Lines,
    /// One JSON list.
    List,
    /// One JSON object, with its rows in the field of this name.
    Field(&'static str),
    Archive,
    Parquet,
    Csv,
}

/// Looks at a file's beginning.
///
/// # Errors
/// A file that cannot be read, or is of no known layout.
pub(super) fn look(source: &Source, mapping: &Mapping) -> Result<Seen, RecordError> {
    let mut head = Vec::new();
    source.bytes()?.take(4096).read_to_end(&mut head).map_err(|e| source.failed(e))?;
    if head.starts_with(b"PK\x03\x04") {
        return Ok(Seen { format: Some(Format::Inspect), shape: Shape::Archive, fields: Vec::new() });
    }
    if head.starts_with(b"PAR1") {
        let fields = super::parquet::columns(source)?;
        let has = |name: &str| fields.iter().any(|f| f == name);
        let format = if has("doc") && has("model_response") { Format::Lighteval } else { Format::Plain };
        return known(source, mapping, Some(format), Shape::Parquet, fields);
    }
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    match start.first() {
        None => Err(source.no_recording("it is empty")),
        Some(b'{' | b'[') => json(source, mapping, start[0] == b'['),
        Some(_) => {
            let fields = super::table::header(source)?;
            known(source, mapping, Some(Format::Plain), Shape::Csv, fields)
        }
    }
}

fn json(source: &Source, mapping: &Mapping, list: bool) -> Result<Seen, RecordError> {
    let mut first = First::default();
    let from = BufReader::new(Json::new(Budgeted::new(source.bytes()?)));
    let mut from = serde_json::Deserializer::from_reader(from);
    let read = First::read(&mut first, &mut from, list);
    // The seed stops as soon as it knows enough, which serde takes for an error.
    if let (Err(error), false) = (read, first.enough) {
        // Whatever stands on the first line, the next ones may be whole.
        match (list, next_whole(source)?) {
            (false, Some(object)) => first.fields = object.keys().cloned().collect(),
            _ => return Err(source.no_recording(format!("its first value is no JSON object ({error})"))),
        }
    }
    let fields = first.fields;
    let has = |name: &str| fields.iter().any(|f| f == name);
    let shape = if list { Shape::List } else { Shape::Lines };
    let (format, shape) = if has("kind") && has("policies") || has("kind") && has("version") {
        (None, Shape::Lines)
    } else if has("eval") && has("version") && !list {
        (Some(Format::Inspect), Shape::Field("samples"))
    } else if has("average_mean_score") && has("results") && !list {
        (Some(Format::ReasoningGym), Shape::Field("results"))
    } else if has("traces") && has("task") || has("nodes") && has("task") {
        (Some(Format::Traces), shape)
    } else if has("example_id") && has("completion") {
        (Some(Format::Verifiers), shape)
    } else if has("doc_id") && has("resps") {
        (Some(Format::Harness), shape)
    } else if has("code") && has("question") && (has("pred") || has("score")) {
        (Some(Format::LimitOfRlvr), shape)
    } else if has("input") && has("output") && has("score") && (has("step") || has("gts")) {
        (Some(Format::Verl), shape)
    } else if has("question") && has("answer") && first.source_dataset {
        (Some(Format::Item), shape)
    } else {
        (Some(Format::Plain), shape)
    };
    // What the user maps is plain, whatever it looks like.
    let format = if mapping.is_empty() { format } else { format.map(|_| Format::Plain) };
    known(source, mapping, format, shape, fields)
}

/// The first of the first lines that is an object.
fn next_whole(source: &Source) -> Result<Option<Object>, RecordError> {
    let mut lines = source.lines()?;
    for _ in 0..100 {
        match lines.advance().map_err(|e| source.failed(e))? {
            Step::Line => match super::json::object(&lines.bytes, &[]) {
                Ok(object) => return Ok(Some(object)),
                Err(_) => continue,
            },
            Step::TooLong(_) => continue,
            Step::End => break,
        }
    }
    Ok(None)
}

fn known(
    source: &Source,
    mapping: &Mapping,
    format: Option<Format>,
    shape: Shape,
    fields: Vec<String>,
) -> Result<Seen, RecordError> {
    if format == Some(Format::Plain) && !mapping.fits(&fields) {
        let shown: Vec<String> = fields.iter().take(20).map(|f| f.chars().take(40).collect()).collect();
        return Err(source.no_recording(format!(
            "its layout is not known; its fields are {}. Say which is what, as in --map prompt=FIELD,text=FIELD",
            if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
        )));
    }
    Ok(Seen { format, shape, fields })
}

/// The fields of the first object.
#[derive(Debug, Default)]
struct First {
    fields: Vec<String>,
    source_dataset: bool,
    enough: bool,
}

impl First {
    fn read<'de, R: serde_json::de::Read<'de>>(
        &mut self,
        from: &mut serde_json::Deserializer<R>,
        list: bool,
    ) -> Result<(), serde_json::Error> {
        if list { from.deserialize_seq(Elements(self)) } else { from.deserialize_map(Fields(self)) }
    }
}

struct Elements<'a>(&'a mut First);

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        seq.next_element_seed(Fields(self.0))?;
        self.0.enough = true;
        Err(serde::de::Error::custom("enough"))
    }
}

struct Fields<'a>(&'a mut First);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let first = self.0;
        while let Some(key) = map.next_key::<String>()? {
            let has = |name: &str| first.fields.iter().any(|f| f == name);
            // Logs of one object: what follows is long, and tells no more.
            let log = key == "eval" && has("version") || key == "results" && has("average_mean_score");
            if key == "metadata" {
                let metadata = map.next_value::<Loose>()?;
                first.source_dataset = metadata.0.contains_key("source_dataset");
            } else if !log {
                map.next_value::<IgnoredAny>()?;
            }
            first.fields.push(key);
            if log {
                first.enough = true;
                return Err(serde::de::Error::custom("enough"));
            }
        }
        first.enough = true;
        Ok(())
    }
}

/// An object, or anything else as an empty one.
struct Loose(Object);

impl<'de> serde::Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(from)? {
            serde_json::Value::Object(object) => Ok(Loose(object)),
            _ => Ok(Loose(Object::new())),
        }
    }
}
