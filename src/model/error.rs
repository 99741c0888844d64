//! What can go wrong with a model.

use std::path::PathBuf;

/// Each message names what was read, where, what is wrong, and what to do where that is known.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{origin}: config.json: {reason}")]
    Config { origin: String, reason: String },
    #[error("{origin}: tokenizer.json: {reason}")]
    Tokenizer { origin: String, reason: String },
    #[error("{origin}: tensor {name}: found {found}, the configuration needs {needed}")]
    Tensor { origin: String, name: String, found: String, needed: String },
    #[error("{origin}: {reason}")]
    Weights { origin: String, reason: String },
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
