//! Models of the Hugging Face Hub, in the user's own cache.
//!
//! Nothing here runs unless a SPEC begins with `hf:`; and what the cache holds whole is not
//! asked for again.

use super::ModelError;
use super::local::{COMPANIONS, weight_files};
use hf_hub::api::Progress;
use hf_hub::api::sync::{ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use std::env;
use std::path::{Path, PathBuf};

/// How often a broken download is taken up again.
const RETRIES: usize = 5;

/// What hears how far the download of a file is: its name, bytes so far, bytes in all.
pub type Heard<'a> = &'a mut dyn FnMut(&str, usize, usize);

/// A model on the hub: `owner/name` or `owner/name@revision`.
struct Name<'a> {
    repo: &'a str,
    revision: &'a str,
}

impl<'a> Name<'a> {
    fn parse(text: &'a str) -> Result<Self, ModelError> {
        let (repo, revision) = text.split_once('@').unwrap_or((text, "main"));
        let plain = |part: &str| {
            let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && part.chars().all(letters) && !part.contains("..")
        };
        let parts: Vec<&str> = repo.split('/').collect();
        let revised = revision.split('/').all(plain);
        if parts.len() != 2 || !parts.iter().all(|p| plain(p)) || !revised {
            return Err(ModelError::Hub {
                name: text.to_owned(),
                reason: "is no model's name: write hf:owner/name or hf:owner/name@revision".into(),
            });
        }
        Ok(Self { repo, revision })
    }
}

/// The folder of a model of the hub, from the cache or, where that lacks it, fetched.
///
/// # Errors
/// A name that is none, a model that is not there or may not be read, a connection that
/// fails, `HF_HUB_OFFLINE` where the cache lacks the model.
pub fn folder(name: &str, heard: Heard<'_>) -> Result<PathBuf, ModelError> {
    let set = |key: &str| env::var(key).ok().filter(|value| !value.is_empty());
    let cache = set("HF_HUB_CACHE").or_else(|| set("HUGGINGFACE_HUB_CACHE"));
    let cache = cache.map_or_else(Cache::from_env, |path| Cache::new(path.into()));
    let offline =
        set("HF_HUB_OFFLINE").is_some_and(|v| !["0", "false", "no", "off"].contains(&&*v.to_lowercase()));
    let token = set("HF_TOKEN").or_else(|| cache.token());
    let endpoint = set("HF_ENDPOINT");
    find(name, &cache, offline, token, endpoint, heard)
}

fn find(
    name: &str,
    cache: &Cache,
    offline: bool,
    token: Option<String>,
    endpoint: Option<String>,
    heard: Heard<'_>,
) -> Result<PathBuf, ModelError> {
    let Name { repo, revision } = Name::parse(name)?;
    let failed = |reason: String| ModelError::Hub { name: name.to_owned(), reason };
    let repo = Repo::with_revision(repo.to_owned(), RepoType::Model, revision.to_owned());
    let cached = cached(cache, &repo);
    if let Some(folder) = cached.as_ref().filter(|folder| is_whole(folder)) {
        return Ok(folder.clone());
    }
    if offline {
        let place = cache.path().display();
        return Err(failed(match cached {
            Some(_) => format!("is in {place} only in part, and HF_HUB_OFFLINE forbids to fetch the rest"),
            None => format!("is not in {place}, and HF_HUB_OFFLINE forbids to fetch it"),
        }));
    }
    let mut builder = ApiBuilder::from_cache(cache.clone()).with_token(token.clone()).with_retries(RETRIES);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let explained = |e: ApiError| failed(explained(&e, token.is_some()));
    let api = builder.with_progress(false).build().map_err(explained)?.repo(repo.clone());
    let info = api.info().map_err(explained)?;
    let has = |file: &str| info.siblings.iter().any(|s| s.rfilename == file);
    for needed in ["config.json", "tokenizer.json"] {
        if !has(needed) {
            return Err(failed(format!("has no {needed}: it is no model that can be read here")));
        }
    }
    let mut folder = None;
    let mut fetch = |file: &str| -> Result<PathBuf, ModelError> {
        let found = cache.repo(repo.clone()).get(file);
        let progress = Told { heard: &mut *heard, file: file.to_owned(), done: 0, all: 0 };
        let path = match found {
            Some(path) => path,
            None => api.download_with_progress(file, progress).map_err(explained)?,
        };
        folder = path.parent().map(Path::to_owned);
        Ok(path)
    };
    for file in COMPANIONS.iter().filter(|file| has(file)) {
        fetch(file)?;
    }
    const INDEX: &str = "model.safetensors.index.json";
    if has("model.safetensors") || !has(INDEX) {
        fetch("model.safetensors")?;
    } else if let Some(folder) = fetch(INDEX)?.parent() {
        for path in weight_files(folder)? {
            if let Some(file) = path.file_name() {
                fetch(&file.to_string_lossy())?;
            }
        }
    }
    folder.ok_or_else(|| failed("has no files".into()))
}

/// The folder in which the cache keeps a revision, whole or in part.
fn cached(cache: &Cache, repo: &Repo) -> Option<PathBuf> {
    let place = cache.path().join(repo.folder_name());
    let commit = std::fs::read_to_string(place.join("refs").join(repo.revision()));
    // A revision that is a commit has no reference.
    let commit = commit.unwrap_or_else(|_| repo.revision().to_owned());
    let folder = place.join("snapshots").join(commit.trim());
    folder.is_dir().then_some(folder)
}

fn is_whole(folder: &Path) -> bool {
    let there = |file: &str| folder.join(file).is_file();
    there("config.json")
        && there("tokenizer.json")
        && weight_files(folder).is_ok_and(|files| files.iter().all(|f| f.is_file()))
}

fn explained(error: &ApiError, with_token: bool) -> String {
    let said = error.to_string();
    let status = |code: &str| said.contains(code);
    if status("401") || status("403") {
        return match with_token {
            true => "may not be read with this HF_TOKEN, or is not there".into(),
            false => "is not there, or needs a token: set HF_TOKEN".into(),
        };
    }
    if status("404") {
        return "is not there, or has no such revision".into();
    }
    format!("could not be fetched: {said}; what was fetched is kept, and the same command goes on from there")
}

/// Tells on how far a download is.
struct Told<'a> {
    heard: Heard<'a>,
    file: String,
    done: usize,
    all: usize,
}

impl Progress for Told<'_> {
    fn init(&mut self, size: usize, _: &str) {
        (self.done, self.all) = (0, size);
    }

    fn update(&mut self, size: usize) {
        self.done += size;
        (self.heard)(&self.file, self.done.min(self.all), self.all);
    }

    fn finish(&mut self) {
        (self.heard)(&self.file, self.all, self.all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LocalModel, config, local, weights};
    use std::fs;

    fn look(name: &str, cache: &Path, offline: bool) -> Result<PathBuf, String> {
        let cache = Cache::new(cache.to_owned());
        // Nobody listens there.
        let endpoint = Some("http://127.0.0.1:9".to_owned());
        find(name, &cache, offline, None, endpoint, &mut |_, _, _| {}).map_err(|e| e.to_string())
    }

    #[test]
    fn a_model_in_the_cache_is_found_without_asking_anyone() {
        let place = tempfile::tempdir().unwrap();
        let repo = place.path().join("models--some--model");
        let folder = repo.join("snapshots/abc123");
        let config = config::tests::tiny();
        let tokenizer = local::tests::tiny_tokenizer();
        LocalModel::write_folder(&folder, &config, &tokenizer, &weights::tests::random(&config, 2)).unwrap();
        fs::create_dir_all(repo.join("refs")).unwrap();
        fs::write(repo.join("refs/main"), "abc123").unwrap();
        for (name, offline) in [("some/model", true), ("some/model", false), ("some/model@abc123", true)] {
            assert_eq!(look(name, place.path(), offline).unwrap(), folder);
        }
        assert!(LocalModel::from_folder(&folder).is_ok());
        fs::remove_file(folder.join("tokenizer.json")).unwrap();
        assert!(look("some/model", place.path(), true).unwrap_err().contains("only in part"));
    }

    #[test]
    fn what_cannot_be_had_is_said_in_a_sentence() {
        let place = tempfile::tempdir().unwrap();
        let error = look("some/model", place.path(), true).unwrap_err();
        assert!(
            error.starts_with("hf:some/model: is not in ") && error.contains("HF_HUB_OFFLINE"),
            "{error}"
        );
        assert!(look("some/model", place.path(), false).unwrap_err().contains("could not be fetched"));
        for name in ["model", "a/b/c", "../x", "a/..", "a/b@../../c", "a b/c", ""] {
            assert!(look(name, place.path(), true).unwrap_err().contains("is no model's name"), "{name}");
        }
    }
}
