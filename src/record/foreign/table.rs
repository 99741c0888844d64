//! CSV with a header: every cell is a text.

use super::json::Object;
use super::source::{Budgeted, Source};
use crate::record::RecordError;
use serde_json::Value;
use std::io::Read;

/// The names of the columns.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn header(source: &Source) -> Result<Vec<String>, RecordError> {
    let mut reader = reader(Budgeted::new(Box::new(source.bytes()?)));
    let header = reader.byte_headers().map_err(|e| source.no_recording(e.to_string()))?;
    Ok(header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect())
}

/// The rows with their line numbers, each an object of texts, or what is wrong with it.
///
/// # Errors
/// A file that cannot be read; what `each` returns.
pub(super) fn rows(
    source: &Source,
    each: &mut dyn FnMut(u64, Result<Object, String>) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let names = header(source)?;
    let bytes = Budgeted::new(source.bytes()?);
    let budget = bytes.budget();
    let mut reader = reader(bytes);
    let mut row = csv::ByteRecord::new();
    loop {
        budget.renew();
        let more = reader.read_byte_record(&mut row);
        let line = row.position().map_or(0, csv::Position::line);
        match more {
            Ok(true) => each(line, object(&names, &row))?,
            Ok(false) => return Ok(()),
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(source.failed(error)),
                kind => each(line, Err(format!("{kind:?}")))?,
            },
        }
    }
}

type Bytes = Budgeted<Box<dyn Read>>;

fn reader(from: Bytes) -> csv::Reader<Bytes> {
    csv::ReaderBuilder::new().flexible(true).from_reader(from)
}

fn object(names: &[String], row: &csv::ByteRecord) -> Result<Object, String> {
    if row.len() != names.len() {
        return Err(format!(
            "the row has {} cells and the header {}; quote cells that hold commas",
            row.len(),
            names.len()
        ));
    }
    let cell = |(name, cell): (&String, &[u8])| match std::str::from_utf8(cell) {
        Ok("") => Ok((name.clone(), Value::Null)),
        Ok(text) => Ok((name.clone(), Value::String(text.to_owned()))),
        Err(_) => Err(format!("{name}: the cell is not in UTF-8")),
    };
    names.iter().zip(row).map(cell).collect()
}
