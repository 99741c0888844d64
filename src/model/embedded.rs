//! The models in the binary: a base, its RLVR policy, and the checkpoints between them.
//!
//! `leash train` wrote them; the README says how long it took.

use super::{LocalModel, ModelError};

/// A model in the binary.
struct Embedded {
    spec: &'static str,
    config: &'static [u8],
    tokenizer: &'static [u8],
    weights: &'static [u8],
}

macro_rules! embedded {
    ($spec:literal, $folder:literal) => {
        Embedded {
            spec: $spec,
            config: include_bytes!(concat!("../../assets/models/leg_counting/", $folder, "/config.json")),
            tokenizer: include_bytes!(concat!(
                "../../assets/models/leg_counting/",
                $folder,
                "/tokenizer.json"
            )),
            weights: include_bytes!(concat!(
                "../../assets/models/leg_counting/",
                $folder,
                "/model.safetensors"
            )),
        }
    };
}

/// The base first, then along the training, the final RLVR policy last.
static MODELS: [Embedded; 7] = [
    embedded!("embedded:base", "base"),
    embedded!("embedded:rlvr@10", "rlvr-0010"),
    embedded!("embedded:rlvr@20", "rlvr-0020"),
    embedded!("embedded:rlvr@40", "rlvr-0040"),
    embedded!("embedded:rlvr@70", "rlvr-0070"),
    embedded!("embedded:rlvr@100", "rlvr-0100"),
    embedded!("embedded:rlvr", "rlvr"),
];

/// The SPECs of the models in the binary, along the training.
pub fn names() -> Vec<&'static str> {
    MODELS.iter().map(|m| m.spec).collect()
}

/// RLVR steps behind the model of a SPEC, the base 0; `None` if the binary has no such model.
pub fn step(spec: &str) -> Option<usize> {
    MODELS.iter().find(|m| m.spec == spec)?;
    match spec {
        "embedded:base" => Some(0),
        "embedded:rlvr" => Some(STEPS),
        _ => spec.rsplit_once('@')?.1.parse().ok(),
    }
}

/// Steps of the embedded RLVR policy.
const STEPS: usize = 150;

/// The model of a SPEC; `None` if the binary has no such model.
pub fn open(spec: &str) -> Option<Result<LocalModel, ModelError>> {
    let model = MODELS.iter().find(|m| m.spec == spec)?;
    Some(LocalModel::from_parts(spec, model.config, model.tokenizer, model.weights))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_in_the_binary_opens_and_together_they_are_small() {
        for name in names() {
            let model = open(name).unwrap().unwrap();
            assert_eq!(model.tokenizer.vocab_size(), model.config.vocab_size, "{name}");
        }
        assert!(open("embedded:other").is_none());
        let bytes: usize = MODELS.iter().map(|m| m.weights.len() + m.tokenizer.len() + m.config.len()).sum();
        assert!(bytes <= 7_000_000, "{bytes} bytes");
    }
}
