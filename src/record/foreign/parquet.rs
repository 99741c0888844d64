//! Parquet tables, row by row, as JSON objects.

use super::json::Object;
use super::source::Source;
use crate::record::RecordError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Uncompressed bytes of one column in one group of rows at most.
const MAX_CHUNK: i64 = 1 << 30;

/// The names of the columns.
///
/// # Errors
/// What is no parquet file.
pub(super) fn columns(source: &Source) -> Result<Vec<String>, RecordError> {
    let reader = open(source)?;
    let schema = reader.metadata().file_metadata().schema();
    Ok(schema.get_fields().iter().map(|f| f.name().to_owned()).collect())
}

/// The rows, from 1.
///
/// # Errors
/// A file that cannot be read on; what `each` returns.
pub(super) fn rows(
    source: &Source,
    each: &mut dyn FnMut(u64, Object) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let reader = open(source)?;
    let mut rows = guarded(source, || reader.get_row_iter(None))?;
    for number in 1.. {
        match guarded(source, || rows.next().transpose())? {
            Some(row) => each(number, object(&row))?,
            None => break,
        }
    }
    Ok(())
}

fn open(source: &Source) -> Result<SerializedFileReader<File>, RecordError> {
    let file = File::open(&source.path).map_err(|e| source.failed(e))?;
    let reader = guarded(source, || SerializedFileReader::new(file))?;
    for group in reader.metadata().row_groups() {
        for column in group.columns() {
            if column.uncompressed_size() > MAX_CHUNK {
                return Err(source.no_recording(format!(
                    "its column {} unpacks to {} bytes in one group of rows; up to {MAX_CHUNK} are read, so write it with smaller groups",
                    column.column_path(),
                    column.uncompressed_size()
                )));
            }
        }
    }
    Ok(reader)
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is caught and told as an error of a file: it is nothing
/// to report.
pub fn panics_are_caught() -> bool {
    GUARDED.get()
}

/// The library panics on some damaged files; here that is an error like others.
fn guarded<T>(source: &Source, read: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, RecordError> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panics_are_caught() {
                report(panic);
            }
        }));
    });
    GUARDED.set(true);
    let done = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(false);
    match done {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(source.no_recording(format!("the parquet table is damaged: {error}"))),
        Err(_) => Err(source.no_recording("the parquet table is damaged")),
    }
}

fn object(row: &Row) -> Object {
    row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(b) => (*b).into(),
        Field::Byte(n) => (*n).into(),
        Field::Short(n) => (*n).into(),
        Field::Int(n) | Field::Date(n) | Field::TimeMillis(n) => (*n).into(),
        Field::Long(n) | Field::TimeMicros(n) | Field::TimestampMillis(n) | Field::TimestampMicros(n) => {
            (*n).into()
        }
        Field::UByte(n) => (*n).into(),
        Field::UShort(n) => (*n).into(),
        Field::UInt(n) => (*n).into(),
        Field::ULong(n) => (*n).into(),
        // What is not finite is null, as JSON has it.
        Field::Float16(x) => f64::from(*x).into(),
        Field::Float(x) => (*x).into(),
        Field::Double(x) => (*x).into(),
        Field::Decimal(_) => Value::String(field.to_string()),
        Field::Str(text) => text.clone().into(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into(),
        Field::Group(row) => Value::Object(object(row)),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::MapInternal(map) => {
            let entries = map.entries().iter();
            let name = |key: &Field| match value(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(entries.map(|(k, v)| (name(k), value(v))).collect::<Map<_, _>>())
        }
    }
}
