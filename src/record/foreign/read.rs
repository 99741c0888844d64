//! From a file to rows, whatever its layout.

use super::json::{self, Object};
use super::recognise::{Seen, Shape};
use super::row::{About, Place, Row, Sink};
use super::source::{Budgeted, Json, MAX_PART, Source, Step};
use super::{Format, Mapping};
use super::{
    archive, harness, inspect, lighteval, limit, parquet, reasoning_gym, stream, table, verifiers, verl,
};
use crate::record::RecordError;
use std::collections::HashSet;
use std::io::BufReader;

/// What a file says of its policy.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn about(source: &Source, seen: &Seen) -> Result<About, RecordError> {
    Ok(match (seen.format, seen.shape) {
        (Some(Format::Verifiers), _) => verifiers::about(&source.path),
        (Some(Format::LimitOfRlvr), _) => limit::about(&source.path),
        (Some(Format::Inspect), Shape::Archive) => archive::about(source)?,
        (Some(Format::Inspect), Shape::Field(name)) => {
            let bytes = Budgeted::new(source.bytes()?);
            let (budget, mut header) = (bytes.budget(), Object::new());
            // Stops at the first sample: the header stands before it.
            let read = stream::field(Json::new(bytes), budget, name, inspect::SKIP, &mut |before, _, _| {
                header = before.clone();
                false
            });
            inspect::about(&read.unwrap_or(header))
        }
        (Some(Format::Traces), Shape::Lines) => {
            first_line(source)?.as_ref().map(verifiers::about_trace).unwrap_or_default()
        }
        (Some(Format::Harness), Shape::Lines) => {
            first_line(source)?.as_ref().map(harness::about).unwrap_or_default()
        }
        _ => About::default(),
    })
}

fn first_line(source: &Source) -> Result<Option<Object>, RecordError> {
    let mut lines = source.lines()?;
    let step = lines.advance().map_err(|e| source.failed(e))?;
    Ok(if step == Step::Line { json::object(&lines.bytes, &[]).ok() } else { None })
}

/// How far a file was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark {
    /// More may be added to it.
    growing: bool,
    /// Of a growing file that is read from its beginning each time: the rows that were
    /// taken, by digest of their place.
    pub taken: Option<HashSet<u128>>,
    /// Of lines: where the next one begins, and the number of the last.
    offset: u64,
    line: u64,
    /// Of the harness: the filter whose rows are taken, that of the first row.
    filter: Option<String>,
}

impl Mark {
    /// The beginning of a file that grows.
    pub fn growing(source: &Source, seen: &Seen) -> Self {
        let again = source.is_packed() || seen.shape != Shape::Lines || seen.format.is_none();
        Self { growing: true, taken: again.then(HashSet::new), ..Self::default() }
    }
}

/// Reads the rows of a file into `sink`, from `mark` on if it is of lines. What is wrong
/// with one is told to the sink.
///
/// # Errors
/// A file that cannot be read on; what the sink returns.
pub(super) fn rows(
    source: &Source,
    seen: &Seen,
    mapping: &Mapping,
    mark: &mut Mark,
    sink: &mut dyn Sink,
) -> Result<(), RecordError> {
    let Some(format) = seen.format else { return Ok(()) };
    let mut reader = Reader { format, mapping, filter: mark.filter.take(), sink };
    match seen.shape {
        Shape::Archive => archive::rows(source, reader.sink),
        Shape::Parquet => parquet::rows(source, &mut |n, row| reader.object(&Place::Row(n), Ok(row))),
        Shape::Csv => table::rows(source, &mut |line, row| reader.object(&Place::Line(line), row)),
        Shape::Lines => lines(source, &mut reader, mark),
        Shape::List => streamed(source, &mut reader, None),
        Shape::Field(name) => streamed(source, &mut reader, Some(name)),
    }
}

fn lines(source: &Source, reader: &mut Reader<'_>, mark: &mut Mark) -> Result<(), RecordError> {
    let mut lines = source.lines_from(mark.offset, mark.line)?;
    loop {
        let step = lines.advance().map_err(|e| source.failed(e))?;
        let place = Place::Line(lines.number);
        let torn = mark.growing && !lines.ended;
        match step {
            Step::End => break,
            Step::TooLong(_) if torn => break,
            Step::TooLong(length) => {
                reader.sink.wrong(&place, format!("the line has {length} bytes; up to {MAX_PART} are read"));
            }
            Step::Line => {
                let bytes = lines.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&lines.bytes);
                let object = json::object(bytes, reader.skip());
                // Its end may be on its way.
                if torn && object.is_err() {
                    break;
                }
                reader.object(&place, object)?;
            }
        }
        if mark.growing && mark.taken.is_none() {
            (mark.offset, mark.line) = (lines.offset, lines.number);
        }
    }
    mark.filter = reader.filter.take();
    Ok(())
}

/// Reads the elements of a list, or of the list in the field `name` of an object.
fn streamed(source: &Source, reader: &mut Reader<'_>, name: Option<&str>) -> Result<(), RecordError> {
    let bytes = Budgeted::new(source.bytes()?);
    let budget = bytes.budget();
    let from = BufReader::with_capacity(1 << 16, Json::new(bytes));
    let skip = reader.skip();
    let mut failed = Ok(());
    let mut read = 0;
    let mut each = |header: &Object, number: u64, element: Option<Object>| {
        read = number + 1;
        let Some(element) = element else {
            reader.sink.wrong(&Place::Row(read), "an object is expected".to_owned());
            return true;
        };
        let row = match reader.format {
            Format::Inspect => inspect::sample(&element, inspect::task(header).as_deref()),
            Format::ReasoningGym => reasoning_gym::result(header, number, &element),
            _ => {
                failed = reader.object(&Place::Row(read), Ok(element));
                return failed.is_ok();
            }
        };
        failed = reader.give(&Place::Row(read), row.map(|row| vec![row]));
        failed.is_ok()
    };
    let result = match name {
        Some(name) => stream::field(from, budget, name, skip, &mut each).map(drop),
        None => stream::list(from, budget, skip, &mut each),
    };
    failed?;
    // Where one element ends is not known once it is no JSON: the rest cannot be read.
    if let Err(error) = result {
        let reason = format!("{error}; what follows cannot be read");
        reader.sink.wrong(&Place::Row(read + 1), reason);
    }
    Ok(())
}

struct Reader<'a> {
    format: Format,
    mapping: &'a Mapping,
    /// Of the harness: the filter whose rows are taken, that of the first row.
    filter: Option<String>,
    sink: &'a mut dyn Sink,
}

impl Reader<'_> {
    /// Fields that are passed over.
    fn skip(&self) -> &'static [&'static str] {
        match self.format {
            Format::Inspect => inspect::SKIP,
            Format::Verifiers | Format::Traces => verifiers::SKIP,
            _ => &[],
        }
    }

    fn object(&mut self, place: &Place, object: Result<Object, String>) -> Result<(), RecordError> {
        let object = match object {
            Ok(object) => object,
            Err(reason) => {
                self.sink.wrong(place, reason);
                return Ok(());
            }
        };
        if self.format == Format::Harness {
            let taken = self.filter.get_or_insert_with(|| harness::filter(&object).to_owned());
            // The responses are the same under every filter.
            if taken != harness::filter(&object) {
                return Ok(());
            }
        }
        let one = |row: Result<Row, String>| row.map(|row| vec![row]);
        let rows = match self.format {
            Format::Verifiers => one(verifiers::result(&object)),
            Format::Traces => verifiers::episode(&object),
            Format::Harness => one(harness::row(&object)),
            Format::Lighteval => one(lighteval::row(&object)),
            Format::LimitOfRlvr => one(limit::row(&object)),
            Format::Verl => one(verl::row(&object)),
            Format::Item => one(reasoning_gym::item(&object)),
            Format::Inspect => one(inspect::sample(&object, None)),
            Format::ReasoningGym => one(reasoning_gym::result(&Object::new(), 0, &object)),
            Format::Plain => one(self.mapping.row(&object)),
        };
        self.give(place, rows)
    }

    fn give(&mut self, place: &Place, rows: Result<Vec<Row>, String>) -> Result<(), RecordError> {
        match rows {
            Ok(rows) => rows.into_iter().try_for_each(|row| self.sink.row(place, row)),
            Err(reason) => {
                self.sink.wrong(place, reason);
                Ok(())
            }
        }
    }
}
