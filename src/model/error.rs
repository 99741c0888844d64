//! What can go wrong with a model.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Each message names what was read, where, what is wrong, and what to do where that is known.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    // What it says holds its cause.
    #[error("{}: {}", path.display(), unread(path, reason))]
    Read { path: PathBuf, reason: std::io::Error },
    #[error("{origin}: config.json: {reason}")]
    Config { origin: String, reason: String },
    #[error("{origin}: {reason}")]
    Gguf { origin: String, reason: String },
    #[error("{origin}: tokenizer.json: {reason}")]
    Tokenizer { origin: String, reason: String },
    #[error("{origin}: {reason}")]
    Adapter { origin: String, reason: String },
    #[error("hf:{name}: {reason}")]
    Hub { name: String, reason: String },
    #[error("{origin}: chat template: {reason}")]
    Template { origin: String, reason: String },
    #[error("{origin}: tensor {name}: found {found}, the configuration needs {needed}")]
    Tensor { origin: String, name: String, found: String, needed: String },
    #[error("{origin}: {reason}")]
    Weights { origin: String, reason: String },
    #[error(
        "{what} needs {} and there are {}: give more with --memory, or ask for fewer --max-tokens",
        bytes(*needed), bytes(*given)
    )]
    Memory { what: String, needed: usize, given: usize },
    #[error("the prompt {0}")]
    Prompt(String),
    #[error("the model's computation failed: {0}")]
    Compute(Box<candle_core::Error>),
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        ModelError::Compute(Box::new(error))
    }
}

/// Why a file could not be read, and what to do where it is missing.
fn unread(path: &Path, reason: &std::io::Error) -> String {
    let is = |ending: &str| path.extension().is_some_and(|e| e == ending);
    match reason.kind() {
        ErrorKind::NotFound if is("json") => {
            "it is not there: a model's folder has config.json, tokenizer.json \
                                              and its weights as safetensors; fetch it again"
                .to_owned()
        }
        ErrorKind::NotFound if is("safetensors") => {
            "it is not there, and holds weights of the model: fetch it again".to_owned()
        }
        ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => reason.to_string(),
    }
}

/// What is wrong with a model's JSON, and what to do where it is none.
pub(super) fn json(error: &serde_json::Error) -> String {
    if error.is_eof() {
        format!("it ends in the middle, at line {}: fetch it again", error.line())
    } else if error.is_syntax() {
        format!("it is no JSON ({error}): fetch it again")
    } else {
        error.to_string()
    }
}

/// Bytes in words: `1.5 GB`.
pub(crate) fn bytes(n: usize) -> String {
    match n as f64 {
        n if n >= 1e9 => format!("{:.1} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.0} MB", n / 1e6),
        n => format!("{:.0} kB", (n / 1e3).ceil()),
    }
}
