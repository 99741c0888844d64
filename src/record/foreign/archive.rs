//! Inspect's `.eval` archives: their summaries say what is there, and each sample is a
//! member of its own.

use super::inspect;
use super::json::{Object, Without};
use super::row::{About, Place, Sink};
use super::source::{Bounded, Budgeted, Json, Source};
use crate::record::RecordError;
use serde::de::DeserializeSeed;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use zip::ZipArchive;

type Archive = ZipArchive<BufReader<File>>;

/// Members of the journal and samples at most; the directory of an archive is in memory.
const MAX_MEMBERS: usize = 1 << 20;

/// What the archive's header says.
///
/// # Errors
/// A file that is no archive of Inspect's.
pub(super) fn about(source: &Source) -> Result<About, RecordError> {
    Ok(inspect::about(&header(source, &mut open(source)?)?))
}

/// Reads the samples in the order of the summaries.
///
/// # Errors
/// A file that is no archive of Inspect's; what the sink returns.
pub(super) fn rows(source: &Source, sink: &mut dyn Sink) -> Result<(), RecordError> {
    let mut archive = open(source)?;
    let header = header(source, &mut archive)?;
    let task = inspect::task(&header);
    let mut seen = HashSet::new();
    for summaries in summary_members(&archive) {
        let place = Place::Part(summaries.clone());
        let value = match member(&mut archive, &summaries, &[]) {
            Ok(value) => value,
            Err(reason) => {
                sink.wrong(&place, reason);
                continue;
            }
        };
        let summaries = inspect::summaries(&value).map(<[Value]>::to_vec).unwrap_or_else(|reason| {
            sink.wrong(&place, reason);
            Vec::new()
        });
        for summary in &summaries {
            let name = match inspect::member(summary) {
                Ok(name) => name,
                Err(reason) => {
                    sink.wrong(&place, reason);
                    continue;
                }
            };
            // A sample that was run again stands in the journal twice.
            if !seen.insert(name.clone()) {
                continue;
            }
            let place = Place::Part(name.clone());
            let read = member(&mut archive, &name, inspect::SKIP).and_then(|value| match value {
                Value::Object(fields) => inspect::sample(&fields, task.as_deref()),
                _ => Err("a JSON object is expected".to_owned()),
            });
            match read {
                Ok(row) => sink.row(&place, row)?,
                Err(reason) => sink.wrong(&place, reason),
            }
        }
    }
    Ok(())
}

fn open(source: &Source) -> Result<Archive, RecordError> {
    let file = File::open(&source.path).map_err(|e| source.failed(e))?;
    let archive = ZipArchive::new(BufReader::new(file));
    let archive = archive.map_err(|e| source.no_recording(format!("the archive is damaged: {e}")))?;
    if archive.len() > MAX_MEMBERS {
        return Err(source.no_recording(format!("the archive has more than {MAX_MEMBERS} members")));
    }
    Ok(archive)
}

/// `header.json` of a finished log, `_journal/start.json` of a running one.
fn header(source: &Source, archive: &mut Archive) -> Result<Object, RecordError> {
    let names = ["header.json", "_journal/start.json"];
    let Some(name) = names.into_iter().find(|name| archive.index_for_name(name).is_some()) else {
        return Err(source.no_recording(
            "the archive is no log of Inspect's: header.json or _journal/start.json is expected in it",
        ));
    };
    match member(archive, name, &["results", "stats", "error"]) {
        Ok(Value::Object(header)) => Ok(header),
        Ok(_) => Err(source.no_recording(format!("{name}: a JSON object is expected"))),
        Err(reason) => Err(source.no_recording(format!("{name}: {reason}"))),
    }
}

/// `summaries.json` of a finished log, the journal's parts in order of a running one.
fn summary_members(archive: &Archive) -> Vec<String> {
    if archive.index_for_name("summaries.json").is_some() {
        return vec!["summaries.json".to_owned()];
    }
    let number = |name: &str| -> Option<u64> {
        name.strip_prefix("_journal/summaries/")?.strip_suffix(".json")?.parse().ok()
    };
    let names = archive.file_names().filter_map(Result::ok);
    let mut parts: Vec<(u64, String)> =
        names.filter_map(|name| Some((number(&name)?, name.into_owned()))).collect();
    parts.sort();
    parts.into_iter().map(|(_, name)| name).collect()
}

/// The JSON of a member, without the fields named in `skip` if it is an object.
fn member(archive: &mut Archive, name: &str, skip: &[&str]) -> Result<Value, String> {
    let file = archive.by_name(name).map_err(|e| e.to_string())?;
    let packed = file.compressed_size();
    let bytes = BufReader::new(Json::new(Budgeted::new(Bounded::new(file, packed))));
    let mut from = serde_json::Deserializer::from_reader(bytes);
    if skip.is_empty() {
        return serde::Deserialize::deserialize(&mut from).map_err(|e: serde_json::Error| e.to_string());
    }
    Without(skip).deserialize(&mut from).map(Value::Object).map_err(|e| e.to_string())
}
