//! Problems from a data set's folder as Hugging Face lays it out: `data/test-00000-of-00002.parquet`,
//! `configuration/test/0000.parquet`, `test.jsonl`. Names of files and folders say the split.

use super::file::{extension, is_known, read, unit};
use super::{Query, SourceError};
use crate::problem::Problem;
use crate::problem::file::Reader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders inside of each other that are looked into.
const DEPTH: usize = 4;

/// Files of a data set at most.
const FILES: usize = 20_000;

pub(super) fn problems(folder: &Path, query: &Query) -> Result<Vec<Problem>, SourceError> {
    let splits = splits(folder)?;
    let (name, files) = chosen(folder, &splits, query.split.as_deref())?;
    let origins: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let mut reader = Reader::new(&origins[0], name, unit(&files[0]), &query.fields).at_most(query.most());
    for (file, origin) in files.iter().zip(&origins) {
        if reader.is_full() {
            break;
        }
        reader.goes_on_in(origin);
        read(file, &mut reader)?;
    }
    Ok(reader.problems()?)
}

/// The files of each split, in order, by `split` or `configuration/split`.
type Splits = BTreeMap<String, Vec<PathBuf>>;

fn splits(folder: &Path) -> Result<Splits, SourceError> {
    let mut files = Vec::new();
    walk(folder, DEPTH, &mut files)?;
    // One data set is often there in several forms.
    let best = ["parquet", "jsonl", "json", "csv", "tsv"];
    let kind = best.into_iter().find(|kind| files.iter().any(|f| extension(f) == *kind));
    let Some(kind) = kind else {
        let arrow = files.iter().any(|f| extension(f) == "arrow");
        let reason = match arrow {
            true => "it holds Arrow files, which are not read; write it with to_parquet or to_json",
            false => "there is no parquet, JSON or CSV file in it",
        };
        return Err(SourceError::Content { path: folder.to_owned(), reason: reason.to_owned() });
    };
    files.retain(|f| extension(f) == kind && !is_card(f));
    files.sort();
    let mut splits = Splits::new();
    for file in files {
        let inside = file.strip_prefix(folder).unwrap_or(&file);
        splits.entry(split(inside)).or_default().push(file);
    }
    Ok(splits)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let failed = |source| SourceError::Read { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth > 1 {
                walk(&path, depth - 1, files)?;
            }
        } else if is_known(&path) || extension(&path) == "arrow" {
            files.push(path);
        }
        if files.len() > FILES {
            let reason = format!("it holds more than {FILES} files; name the folder of one configuration");
            return Err(SourceError::Content { path: folder.to_owned(), reason });
        }
    }
    Ok(())
}

/// Files that describe the data set and are none of it.
fn is_card(file: &Path) -> bool {
    let name = file.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"].contains(&name.as_str())
}

/// `main/test-00000-of-00001.parquet` is of `main/test`, `data/test.csv` of `test`,
/// `default/train/0000.parquet` of `default/train`.
fn split(inside: &Path) -> String {
    let name = inside.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let numbered = name.rsplit_once("-of-").filter(|(_, n)| is_number(n));
    let part = numbered.and_then(|(head, _)| head.rsplit_once('-')).filter(|(_, n)| is_number(n));
    let name = part.map_or(name.as_str(), |(split, _)| split);
    let folders = inside.parent().into_iter().flat_map(Path::iter).map(|f| f.to_string_lossy().into_owned());
    let mut parts: Vec<String> = folders.filter(|f| f != "data").collect();
    if !is_number(name) {
        parts.push(name.to_owned());
    }
    if parts.is_empty() { "all".to_owned() } else { parts.join("/") }
}

/// The split that is asked for; without one the only one, or the only `test`.
fn chosen<'a>(
    folder: &Path,
    splits: &'a Splits,
    wanted: Option<&str>,
) -> Result<(&'a str, &'a [PathBuf]), SourceError> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let named =
        |wanted: &str| splits.keys().filter(|n| *n == wanted || last(n) == wanted).collect::<Vec<_>>();
    let all: Vec<&String> = splits.keys().collect();
    let found = match wanted {
        Some(wanted) => match splits.get_key_value(wanted) {
            Some((exact, _)) => vec![exact],
            None => named(wanted),
        },
        None if all.len() == 1 => all.clone(),
        None => named("test"),
    };
    match found[..] {
        [one] => Ok((one, &splits[one])),
        _ => {
            let names = all.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
            let what = match (wanted, found.len()) {
                (Some(wanted), 0) => format!("it has no split `{wanted}`; it has {names}"),
                _ => format!("it has {names}; name one with --split"),
            };
            Err(SourceError::Content { path: folder.to_owned(), reason: what })
        }
    }
}
