//! A model with everything it needs, from a Hugging Face folder or from the binary itself.

use super::config::OneOrMore;
use super::{ChatTemplate, Config, ModelError, Tokenizer, Weights, error};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Configuration, weights and tokenizer of one model.
pub struct LocalModel {
    pub config: Config,
    pub weights: Weights,
    pub tokenizer: Tokenizer,
    /// Where it was read from.
    pub origin: String,
    pub template: Option<ChatTemplate>,
    /// What the user should know of it, in sentences.
    pub notes: Vec<String>,
}

/// The files beside the weights that are read.
pub(super) const COMPANIONS: [&str; 5] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
];

/// The fields of `generation_config.json` that say how to sample, and when to stop.
#[derive(Deserialize)]
struct Defaults {
    eos_token_id: Option<OneOrMore>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<f64>,
    repetition_penalty: Option<f64>,
}

impl LocalModel {
    /// A model of these parts, without a chat template.
    pub fn new(origin: &str, config: Config, weights: Weights, tokenizer: Tokenizer) -> Self {
        Self { config, weights, tokenizer, origin: origin.to_owned(), template: None, notes: Vec::new() }
    }

    /// Reads `config.json`, `tokenizer.json` and the weights of a folder: `model.safetensors`,
    /// or the files that `model.safetensors.index.json` names. Tensors are mapped, and read
    /// when they are asked for.
    ///
    /// # Errors
    /// A file that is missing or wrong; a tensor that is missing or of another shape than
    /// the configuration says; a tokenizer with more tokens than the model has.
    pub fn from_folder(folder: &Path) -> Result<Self, ModelError> {
        let config = read(folder, "config.json")?;
        Self::from_files(folder, &config, &read(folder, "tokenizer.json")?)
    }

    /// As [`LocalModel::from_folder`], with the bytes of two of its files.
    pub(super) fn from_files(folder: &Path, config: &[u8], tokenizer: &[u8]) -> Result<Self, ModelError> {
        let origin = folder.display().to_string();
        let files = weight_files(folder)?;
        let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let mut model = Self::assemble(&origin, config, tokenizer, Weights::open(&files, &origin)?)?;
        let optional = |name: &str| std::fs::read(folder.join(name)).ok();
        let jinja = optional("chat_template.jinja").map(|b| String::from_utf8_lossy(&b).into_owned());
        let described = optional("tokenizer_config.json");
        model.template = ChatTemplate::from_files(described.as_deref(), jinja.as_deref(), &origin)?;
        if let Some(defaults) = optional("generation_config.json") {
            model.heed(&defaults)?;
        }
        Ok(model)
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
        Self::assemble(origin, config, tokenizer, Weights::from_safetensors(weights, origin)?)
    }

    fn assemble(
        origin: &str,
        config: &[u8],
        tokenizer: &[u8],
        mut weights: Weights,
    ) -> Result<Self, ModelError> {
        let text = str::from_utf8(config)
            .map_err(|e| ModelError::Config { origin: origin.to_owned(), reason: e.to_string() })?;
        let config = Config::from_json(text, origin)?;
        let tokenizer = Tokenizer::from_json(tokenizer, origin)?;
        weights.unfuse(&config)?;
        Self::new(origin, config, weights, tokenizer).checked()
    }

    /// Takes the ends of a text from `generation_config.json`, and notes what it says of
    /// sampling, which is for the command line to say.
    fn heed(&mut self, file: &[u8]) -> Result<(), ModelError> {
        let bad = |reason: String| ModelError::Weights { origin: self.origin.clone(), reason };
        let file: Defaults =
            serde_json::from_slice(file).map_err(|e| bad(format!("generation_config.json: {e}")))?;
        let ends = file.eos_token_id.map_or_else(Vec::new, OneOrMore::into_vec);
        if let Some(id) = ends.iter().find(|id| **id as usize >= self.config.vocab_size) {
            return Err(bad(format!("generation_config.json: token {id} is outside the vocabulary")));
        }
        let fresh: Vec<u32> = ends.into_iter().filter(|id| !self.config.eos.contains(id)).collect();
        self.config.eos.extend(fresh);
        let said = [
            ("temperature", file.temperature, 1.0),
            ("top-p", file.top_p, 1.0),
            ("top-k", file.top_k, 0.0),
            ("repetition penalty", file.repetition_penalty, 1.0),
        ];
        let said = said.into_iter().filter_map(|(name, value, plain)| Some((name, value?, plain)));
        let said: Vec<String> =
            said.filter(|(_, x, plain)| x != plain).map(|(name, x, _)| format!("{name} {x}")).collect();
        if !said.is_empty() {
            self.notes.push(format!(
                "generation_config.json asks for {}; not used: both policies are sampled as the flags say",
                said.join(", ")
            ));
        }
        Ok(())
    }

    /// Itself, if its parts fit together.
    pub(super) fn checked(self) -> Result<Self, ModelError> {
        let Self { config, weights, tokenizer, origin, .. } = &self;
        if tokenizer.vocab_size() > config.vocab_size {
            let reason = format!(
                "{} tokens, the model has {}: they are not of one model, fetch both from one place",
                tokenizer.vocab_size(),
                config.vocab_size
            );
            return Err(ModelError::Tokenizer { origin: origin.clone(), reason });
        }
        weights.check_all(&config.tensors())?;
        Ok(self)
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
            std::fs::write(&path, bytes).map_err(|reason| ModelError::Read { path, reason })
        };
        std::fs::create_dir_all(folder)
            .map_err(|reason| ModelError::Read { path: folder.to_owned(), reason })?;
        write("config.json", config.to_json().as_bytes())?;
        write("tokenizer.json", tokenizer.as_bytes())?;
        // Written under another name first: a folder never holds half a model.
        write("model.safetensors.part", &weights.to_safetensors(true)?)?;
        let path = folder.join("model.safetensors");
        std::fs::rename(folder.join("model.safetensors.part"), &path)
            .map_err(|reason| ModelError::Read { path, reason })
    }
}

pub(super) fn read(folder: &Path, name: &str) -> Result<Vec<u8>, ModelError> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|reason| ModelError::Read { path, reason })
}

/// The safetensors files of a folder.
pub(super) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let (index, single) = (folder.join("model.safetensors.index.json"), folder.join("model.safetensors"));
    let bad = |reason: String| ModelError::Weights { origin: index.display().to_string(), reason };
    if single.is_file() || !index.is_file() {
        if !single.is_file() && folder.join("pytorch_model.bin").is_file() {
            let reason = "has its weights in pytorch_model.bin, which is not read: save it as safetensors";
            return Err(ModelError::Weights {
                origin: folder.display().to_string(),
                reason: reason.to_owned(),
            });
        }
        let part = |e: &std::fs::DirEntry| {
            let name = e.file_name().to_string_lossy().into_owned();
            name.starts_with("model-") && name.ends_with(".safetensors")
        };
        let parts = std::fs::read_dir(folder).into_iter().flatten().flatten().filter(part).count();
        if !single.is_file() && parts > 0 {
            return Err(bad(format!(
                "it is not there, and names which of the {parts} files of weights holds what: fetch it too"
            )));
        }
        return Ok(vec![single]);
    }
    let text = std::fs::read(&index).map_err(|reason| ModelError::Read { path: index.clone(), reason })?;
    let Index { weight_map } = serde_json::from_slice(&text).map_err(|e| bad(error::json(&e)))?;
    let names: BTreeSet<String> = weight_map.into_values().collect();
    if let Some(name) = names.iter().find(|n| Path::new(n).file_name() != Some(n.as_ref())) {
        return Err(bad(format!("{name:?} is no file of this folder")));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
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
        says("config.json: it is not there: a model's folder has");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let config = config::tests::tiny();
        write("config.json", &config.to_json());
        says("tokenizer.json: it is not there");
        write("tokenizer.json", &tiny_tokenizer());
        says("model.safetensors: it is not there, and holds weights");
        write("model-00001-of-00002.safetensors", "");
        says("model.safetensors.index.json: it is not there, and names which of the 1 files");
        std::fs::remove_file(folder.path().join("model-00001-of-00002.safetensors")).unwrap();
        write("model.safetensors", "half");
        says("is no safetensors file, or its header is cut short: fetch it again");
        let mut weights = weights::tests::random(&config, 2);
        weights.insert("model.norm.weight", &[3], vec![0.0; 3]);
        LocalModel::write_folder(folder.path(), &config, &tiny_tokenizer(), &weights).unwrap();
        says("tensor model.norm.weight: found [3], the configuration needs [24]");
        // Whole files are half ones, or pages of an error.
        for name in ["config.json", "tokenizer.json"] {
            let path = folder.path().join(name);
            let whole = std::fs::read_to_string(&path).unwrap();
            write(name, &whole[..whole.len() / 2]);
            says(&format!("{name}: it ends in the middle"));
            write(name, "<html>not found</html>");
            says(&format!("{name}: it is no JSON"));
            write(name, &whole);
        }
        write("tokenizer.json", &tiny_tokenizer().replace("\"w36\":36", "\"w36\":36,\"w37\":37"));
        says("38 tokens, the model has 37: they are not of one model");
    }

    #[test]
    fn shards_are_read_together_and_one_that_lacks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (config, weights) = (config::tests::tiny(), weights::tests::random(&config::tests::tiny(), 2));
        LocalModel::write_folder(folder.path(), &config, &tiny_tokenizer(), &weights).unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::remove_file(path("model.safetensors")).unwrap();
        let mut map = serde_json::Map::new();
        for part in 0..2 {
            let name = format!("model-{part}.safetensors");
            let mut shard = Weights::new("shard");
            for (i, (tensor, shape, data)) in weights.iter().enumerate() {
                if i % 2 == part {
                    shard.insert(tensor, shape, data.into_owned());
                    map.insert(tensor.to_owned(), name.clone().into());
                }
            }
            std::fs::write(path(&name), shard.to_safetensors(false).unwrap()).unwrap();
        }
        let index = |map: &serde_json::Map<_, _>| {
            let text = serde_json::json!({"metadata": {}, "weight_map": map}).to_string();
            std::fs::write(path("model.safetensors.index.json"), text).unwrap();
        };
        index(&map);
        let model = LocalModel::from_folder(folder.path()).unwrap();
        assert!(model.weights.iter().eq(weights.iter()));
        let says = |part: &str| {
            let error = LocalModel::from_folder(folder.path()).err().unwrap().to_string();
            assert!(error.contains(part), "{error}");
        };
        std::fs::remove_file(path("model-1.safetensors")).unwrap();
        says("model-1.safetensors");
        map.insert("x".into(), "../secret".into());
        index(&map);
        says("\"../secret\" is no file of this folder");
    }

    #[test]
    fn what_stands_beside_the_weights_is_read_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let config = config::tests::tiny();
        let weights = weights::tests::random(&config, 2);
        LocalModel::write_folder(folder.path(), &config, &tiny_tokenizer(), &weights).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("generation_config.json", r#"{"eos_token_id": [0, 7], "temperature": 0.6, "top_p": 1.0}"#);
        write("tokenizer_config.json", r#"{"chat_template": "a"}"#);
        write("chat_template.jinja", "<{{ messages[0].content }}>");
        let model = LocalModel::from_folder(folder.path()).unwrap();
        assert_eq!(model.config.eos, [0, 7]);
        assert_eq!(model.template.unwrap().render(None, "x").unwrap(), "<x>");
        assert_eq!(model.notes.len(), 1);
        assert!(model.notes[0].contains("asks for temperature 0.6; not used"), "{}", model.notes[0]);
        write("generation_config.json", r#"{"eos_token_id": 99}"#);
        assert!(LocalModel::from_folder(folder.path()).err().unwrap().to_string().contains("token 99"));
    }
}
