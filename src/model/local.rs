//! A model with everything it needs, from a Hugging Face folder or from the binary itself.

use super::{Config, ModelError, Tokenizer, Weights};
use std::path::Path;

/// Configuration, weights and tokenizer of one model.
pub struct LocalModel {
    pub config: Config,
    pub weights: Weights,
    pub tokenizer: Tokenizer,
    /// Where it was read from.
    pub origin: String,
}

impl LocalModel {
    /// Reads `config.json`, `tokenizer.json` and `model.safetensors` of a folder.
    ///
    /// # Errors
    /// A file that is missing or wrong; a tensor that is missing or of another shape than
    /// the configuration says; a tokenizer with more tokens than the model has.
    pub fn from_folder(folder: &Path) -> Result<Self, ModelError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| ModelError::Read { path, source })
        };
        let origin = folder.display().to_string();
        Self::from_parts(
            &origin,
            &read("config.json")?,
            &read("tokenizer.json")?,
            &read("model.safetensors")?,
        )
    }

    /// As [`LocalModel::from_folder`], from the three files' bytes.
    ///
    /// # Errors
    /// As there.
    pub fn from_parts(
        origin: &str,
        config: &[u8],
        tokenizer: &[u8],
        weights: &[u8],
    ) -> Result<Self, ModelError> {
        let text = str::from_utf8(config)
            .map_err(|e| ModelError::Config { origin: origin.to_owned(), reason: e.to_string() })?;
        let config = Config::from_json(text, origin)?;
        let tokenizer = Tokenizer::from_json(tokenizer, origin)?;
        if tokenizer.vocab_size() > config.vocab_size {
            let reason = format!("{} tokens, the model has {}", tokenizer.vocab_size(), config.vocab_size);
            return Err(ModelError::Tokenizer { origin: origin.to_owned(), reason });
        }
        let weights = Weights::from_safetensors(weights, origin)?;
        for (name, shape) in config.tensors() {
            weights.get(&name, &shape)?;
        }
        Ok(Self { config, weights, tokenizer, origin: origin.to_owned() })
    }

    /// Writes the folder that [`LocalModel::from_folder`] reads, weights in f16;
    /// `tokenizer` is the text of its `tokenizer.json`.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn write_folder(
        folder: &Path,
        config: &Config,
        tokenizer: &str,
        weights: &Weights,
    ) -> Result<(), ModelError> {
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(|source| ModelError::Read { path, source })
        };
        std::fs::create_dir_all(folder)
            .map_err(|source| ModelError::Read { path: folder.to_owned(), source })?;
        write("config.json", config.to_json().as_bytes())?;
        write("tokenizer.json", tokenizer.as_bytes())?;
        // Written under another name first: a folder never holds half a model.
        write("model.safetensors.part", &weights.to_safetensors(true)?)?;
        let path = folder.join("model.safetensors");
        std::fs::rename(folder.join("model.safetensors.part"), &path)
            .map_err(|source| ModelError::Read { path, source })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{config, weights};

    /// A word-level tokenizer with words `w0` to `w36`, one for each token of the tiny model.
    pub(crate) fn tiny_tokenizer() -> String {
        let vocab: serde_json::Map<_, _> = (0..37).map(|i| (format!("w{i}"), i.into())).collect();
        serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "w[0-9]+"}, "behavior": "Isolated", "invert": false},
            "post_processor": null, "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w0"},
        })
        .to_string()
    }

    #[test]
    fn a_folder_is_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let (config, weights) = (config::tests::tiny(), weights::tests::random(&config::tests::tiny(), 2));
        LocalModel::write_folder(folder.path(), &config, &tiny_tokenizer(), &weights).unwrap();
        let model = LocalModel::from_folder(folder.path()).unwrap();
        assert_eq!(model.config, config);
        assert_eq!(model.tokenizer.encode("w3w12").unwrap(), [3, 12]);
        assert_eq!(model.tokenizer.decode(&[3, 12, 999]), "w3w12");
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let says = |part: &str| {
            let error = LocalModel::from_folder(folder.path()).err().unwrap().to_string();
            assert!(error.contains(part), "{error}");
        };
        says("config.json");
        let config = config::tests::tiny();
        let mut weights = weights::tests::random(&config, 2);
        weights.insert("model.norm.weight", &[3], vec![0.0; 3]);
        LocalModel::write_folder(folder.path(), &config, &tiny_tokenizer(), &weights).unwrap();
        says("tensor model.norm.weight: found [3], the configuration needs [24]");
    }
}
