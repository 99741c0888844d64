//! Records from a parquet file, row by row, nested columns as nested JSON.

use super::{SourceError, thrift};
use crate::problem::file::{FileError, Reader};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Number, Value};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A footer has so many bytes at most.
const FOOTER: u64 = 64 << 20;

/// A schema has so many elements at most: the library reads them by recursion, which fits on
/// [`STACK`].
const ELEMENTS: u64 = 10_000;
const STACK: usize = 1 << 27;

/// Columns are nested so deeply at most: deeper JSON is not read back either.
const DEPTH: usize = 100;

/// A group of rows has so many bytes at most when it is unpacked, by its own words.
const GROUP: i64 = 4 << 30;

/// Reads the rows of a file into `reader`. A file that is damaged or hostile is refused.
pub(super) fn read(path: &Path, reader: &mut Reader<'_>) -> Result<(), SourceError> {
    // The library panics on some files that no writer writes; its thread takes that, and a
    // deep schema, upon itself.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let spawned = thread.spawn_scoped(scope, || rows(path, reader));
        let spawned = spawned.map_err(|source| SourceError::Read { path: path.to_owned(), source })?;
        spawned.join().unwrap_or_else(|_| Err(wrong(path, "it is damaged")))
    })
}

fn rows(path: &Path, reader: &mut Reader<'_>) -> Result<(), SourceError> {
    let failed = |source| SourceError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let length = footer_length(&mut file).map_err(failed)?;
    let length = length.ok_or_else(|| wrong(path, "this is no parquet file, or it is cut off"))?;
    if length > FOOTER {
        return Err(wrong(
            path,
            "its footer is too large; write it with fewer columns or larger groups of rows",
        ));
    }
    let footer = footer(&mut file, length).map_err(failed)?;
    match thrift::list_items(&footer, SCHEMA) {
        None => return Err(wrong(path, "it is damaged: its footer cannot be read")),
        Some(ELEMENTS..) => return Err(wrong(path, "it has too many columns")),
        Some(_) => drop(footer),
    }
    let damaged = |e: parquet::errors::ParquetError| wrong(path, &format!("it is damaged: {e}"));
    let file = SerializedFileReader::new(file).map_err(damaged)?;
    if file.metadata().row_groups().iter().any(|g| !(0..=GROUP).contains(&g.total_byte_size())) {
        return Err(wrong(path, "a group of its rows is too large; write it with smaller groups"));
    }
    let columns = file.metadata().file_metadata().schema_descr().columns();
    if columns.iter().any(|c| c.path().parts().len() > DEPTH) {
        return Err(wrong(path, "its columns are nested too deeply"));
    }
    for (i, row) in file.get_row_iter(None).map_err(damaged)?.enumerate() {
        if reader.is_full() {
            break;
        }
        record(reader, row.map_err(damaged)?, i + 1)?;
    }
    Ok(())
}

fn record(reader: &mut Reader<'_>, row: Row, number: usize) -> Result<(), FileError> {
    match object(row) {
        Value::Object(record) => reader.record(record, number),
        _ => reader.record(Map::new(), number),
    }
}

/// The field of a footer that holds the schema's elements.
const SCHEMA: i64 = 2;

fn footer(file: &mut File, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::End(-8 - length as i64))?;
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    file.rewind()?;
    Ok(bytes)
}

/// The length of the footer; `None` where the file does not end as parquet does.
fn footer_length(file: &mut File) -> std::io::Result<Option<u64>> {
    let size = file.metadata()?.len();
    if size < 12 {
        return Ok(None);
    }
    let mut tail = [0; 8];
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut tail)?;
    file.rewind()?;
    let [a, b, c, d, magic @ ..] = tail;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    Ok((&magic == b"PAR1" && length + 12 <= size).then_some(length))
}

fn object(row: Row) -> Value {
    Value::Object(row.into_columns().into_iter().map(|(name, field)| (name, value(&field))).collect())
}

fn value(field: &Field) -> Value {
    let float = |x: f64| Number::from_f64(x).map_or(Value::Null, Value::Number);
    match field {
        Field::Null => Value::Null,
        Field::Bool(v) => (*v).into(),
        Field::Byte(v) => (*v).into(),
        Field::Short(v) => (*v).into(),
        Field::Int(v) => (*v).into(),
        Field::Long(v) => (*v).into(),
        Field::UByte(v) => (*v).into(),
        Field::UShort(v) => (*v).into(),
        Field::UInt(v) => (*v).into(),
        Field::ULong(v) => (*v).into(),
        Field::Float16(v) => float(v.to_f64()),
        // Its shortest decimal, not that of the double next to it.
        Field::Float(v) => v.to_string().parse().map_or(Value::Null, float),
        Field::Double(v) => float(*v),
        Field::Str(text) => text.clone().into(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into(),
        Field::Group(row) => object(row.clone()),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(value).collect()),
        Field::MapInternal(map) => {
            let key = |field: &Field| match value(field) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(map.entries().iter().map(|(k, v)| (key(k), value(v))).collect())
        }
        // Decimals, dates and times, as they are written.
        other => other.to_string().into(),
    }
}

fn wrong(path: &Path, reason: &str) -> SourceError {
    SourceError::Content { path: path.to_owned(), reason: reason.to_owned() }
}
