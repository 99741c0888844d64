//! Problems from one file, by what it is: a recording, JSON lines, JSON, CSV or parquet.

use super::{Query, SourceError, parquet};
use crate::problem::Problem;
use crate::problem::file::{self, Reader};
use crate::record::read_problems;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A line, or a file that is read as a whole, has so many bytes at most.
const LONGEST: u64 = 1 << 30;

pub(super) fn problems(path: &Path, query: &Query) -> Result<Vec<Problem>, SourceError> {
    if extension(path) == "jsonl" || !is_known(path) {
        let mut lines = open(path)?;
        if is_recording(&mut lines, path)? {
            return Ok(read_problems(path)?);
        }
    }
    let (origin, stem) = (path.display().to_string(), stem(path));
    let mut reader = Reader::new(&origin, &stem, unit(path), &query.fields).at_most(query.most());
    read(path, &mut reader)?;
    Ok(reader.problems()?)
}

/// Whether a file's name says that it may hold problems.
pub(super) fn is_known(path: &Path) -> bool {
    ["jsonl", "json", "csv", "tsv", "parquet"].contains(&extension(path).as_str())
}

/// What one record of such a file is called.
pub(super) fn unit(path: &Path) -> &'static str {
    match extension(path).as_str() {
        "parquet" => "row",
        "json" => "item",
        _ => "line",
    }
}

/// Reads a file's records into `reader`.
pub(super) fn read(path: &Path, reader: &mut Reader<'_>) -> Result<(), SourceError> {
    match extension(path).as_str() {
        "parquet" => parquet::read(path, reader),
        "csv" => Ok(file::csv(&whole(path)?, ',', reader)?),
        "tsv" => Ok(file::csv(&whole(path)?, '\t', reader)?),
        "json" => {
            let text = whole(path)?;
            if text.trim_start().starts_with('[') {
                return Ok(file::json_array(&text, reader)?);
            }
            for (i, line) in text.lines().enumerate() {
                reader.json_line(line, i + 1)?;
            }
            Ok(())
        }
        _ => json_lines(path, reader),
    }
}

fn json_lines(path: &Path, reader: &mut Reader<'_>) -> Result<(), SourceError> {
    let mut lines = open(path)?;
    let mut text = Vec::new();
    let mut number = 0;
    while !reader.is_full() && line(&mut lines, &mut text, path)? {
        number += 1;
        let text = std::str::from_utf8(&text).map_err(|_| SourceError::Content {
            path: path.to_owned(),
            reason: format!(
                "line {number} is no UTF-8 text; JSON lines, CSV, parquet or a data set's folder are read"
            ),
        })?;
        reader.json_line(text, number)?;
    }
    Ok(())
}

/// Whether a file begins as our recordings do, with an object that says its kind.
fn is_recording(lines: &mut BufReader<File>, path: &Path) -> Result<bool, SourceError> {
    #[derive(serde::Deserialize)]
    struct Kind {
        kind: String,
    }
    let mut text = Vec::new();
    while line(lines, &mut text, path)? {
        if !text.trim_ascii().is_empty() {
            let kind = serde_json::from_slice::<Kind>(&text).map(|k| k.kind).unwrap_or_default();
            return Ok(["run", "problem", "completion"].contains(&kind.as_str()));
        }
    }
    Ok(false)
}

/// Reads the next line; false at the end.
fn line(from: &mut BufReader<File>, into: &mut Vec<u8>, path: &Path) -> Result<bool, SourceError> {
    into.clear();
    let failed = |source| SourceError::Read { path: path.to_owned(), source };
    let read = from.by_ref().take(LONGEST).read_until(b'\n', into).map_err(failed)?;
    match read as u64 {
        LONGEST => Err(too_long(path, "a line")),
        read => Ok(read > 0),
    }
}

fn whole(path: &Path) -> Result<String, SourceError> {
    let mut text = String::new();
    let failed = |source| SourceError::Read { path: path.to_owned(), source };
    let read = open(path)?.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    if read as u64 == LONGEST { Err(too_long(path, "the file")) } else { Ok(text) }
}

fn too_long(path: &Path, what: &str) -> SourceError {
    let reason = format!("{what} has more than {} MiB; split it, or write JSON lines", LONGEST >> 20);
    SourceError::Content { path: path.to_owned(), reason }
}

fn open(path: &Path) -> Result<BufReader<File>, SourceError> {
    let file = File::open(path).map_err(|source| SourceError::Read { path: path.to_owned(), source })?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

pub(super) fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}
