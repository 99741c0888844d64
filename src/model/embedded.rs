//! The models in the binary: for each task a base and its RLVR policy, and for Leg Counting
//! the checkpoints between them.
//!
//! `leash train` wrote them; the README says how long it took.

use super::{LocalModel, ModelError};

/// A model in the binary.
struct Embedded {
    spec: &'static str,
    /// The task that it was trained on.
    task: &'static str,
    /// RLVR steps behind it, the base 0.
    step: usize,
    config: &'static [u8],
    tokenizer: &'static [u8],
    weights: &'static [u8],
}

macro_rules! embedded {
    ($task:literal, $spec:literal, $step:literal, $folder:literal) => {
        Embedded {
            spec: $spec,
            task: $task,
            step: $step,
            config: include_bytes!(concat!("../../assets/models/", $task, "/", $folder, "/config.json")),
            tokenizer: include_bytes!(concat!(
                "../../assets/models/",
                $task,
                "/",
                $folder,
                "/tokenizer.json"
            )),
            weights: include_bytes!(concat!(
                "../../assets/models/",
                $task,
                "/",
                $folder,
                "/model.safetensors"
            )),
        }
    };
}

/// Of each task the base first, then along the training, the final RLVR policy last.
static MODELS: [Embedded; 9] = [
    embedded!("leg_counting", "embedded:base", 0, "base"),
    embedded!("leg_counting", "embedded:rlvr@10", 10, "rlvr-0010"),
    embedded!("leg_counting", "embedded:rlvr@20", 20, "rlvr-0020"),
    embedded!("leg_counting", "embedded:rlvr@40", 40, "rlvr-0040"),
    embedded!("leg_counting", "embedded:rlvr@70", 70, "rlvr-0070"),
    embedded!("leg_counting", "embedded:rlvr@100", 100, "rlvr-0100"),
    embedded!("leg_counting", "embedded:rlvr", 150, "rlvr"),
    embedded!("countdown", "embedded:countdown-base", 0, "base"),
    embedded!("countdown", "embedded:countdown-rlvr", 120, "rlvr"),
];

/// The SPECs of the models in the binary, task by task and along the training.
pub fn names() -> Vec<&'static str> {
    MODELS.iter().map(|m| m.spec).collect()
}

/// The task that the model of a SPEC was trained on; `None` if the binary has no such model.
pub fn family(spec: &str) -> Option<&'static str> {
    MODELS.iter().find(|m| m.spec == spec).map(|m| m.task)
}

/// The SPECs of a task's models along the training, the base first; none for a task that no
/// model in the binary was trained on.
pub fn along(task: &str) -> Vec<&'static str> {
    MODELS.iter().filter(|m| m.task == task).map(|m| m.spec).collect()
}

/// The SPECs of a task's base and RLVR policy.
pub fn pair(task: &str) -> Option<(&'static str, &'static str)> {
    let all = along(task);
    Some((*all.first()?, *all.last()?))
}

/// The name of an embedded RLVR policy, as screens and recordings give it: `rlvr@40`.
pub fn name(spec: &str) -> Option<&'static str> {
    let model = MODELS.iter().find(|m| m.spec == spec).filter(|m| m.step > 0)?;
    Some(model.spec.find("rlvr").map_or(model.spec, |at| &model.spec[at..]))
}

/// RLVR steps behind the model of a SPEC, the base 0; `None` if the binary has no such model.
pub fn step(spec: &str) -> Option<usize> {
    MODELS.iter().find(|m| m.spec == spec).map(|m| m.step)
}

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
        assert_eq!(pair("countdown"), Some(("embedded:countdown-base", "embedded:countdown-rlvr")));
        assert_eq!((pair("dice"), family("embedded:rlvr@40")), (None, Some("leg_counting")));
        let named = ["embedded:rlvr@40", "embedded:countdown-rlvr", "embedded:base"].map(name);
        assert_eq!(named, [Some("rlvr@40"), Some("rlvr"), None]);
        assert_eq!((step("embedded:countdown-base"), step("embedded:countdown-rlvr")), (Some(0), Some(120)));
        let bytes: usize = MODELS.iter().map(|m| m.weights.len() + m.tokenizer.len() + m.config.len()).sum();
        assert!(bytes <= 8_500_000, "{bytes} bytes");
    }
}
