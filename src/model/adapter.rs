//! LoRA adapters in PEFT's layout: what they add to a model's matrices.

use super::weights::LowRank;
use super::{LocalModel, ModelError, Weights};
use serde::Deserialize;
use std::path::Path;

/// The fields of `adapter_config.json` that matter here.
#[derive(Deserialize)]
struct File {
    peft_type: String,
    r: f64,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default = "none")]
    bias: String,
    #[serde(default)]
    modules_to_save: Option<Vec<String>>,
    #[serde(default)]
    rank_pattern: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    alpha_pattern: serde_json::Map<String, serde_json::Value>,
}

fn none() -> String {
    "none".into()
}

impl LocalModel {
    /// Adds the adapter of a folder (`adapter_config.json`, `adapter_model.safetensors`) to
    /// the weights.
    ///
    /// # Errors
    /// A file that is missing or wrong, an adapter of another kind than LoRA, a matrix that
    /// the model does not have or that has another shape.
    pub fn adapt(&mut self, folder: &Path) -> Result<(), ModelError> {
        let path = folder.join("adapter_config.json");
        let bad = |reason: String| ModelError::Adapter { origin: path.display().to_string(), reason };
        let text = std::fs::read(&path).map_err(|reason| ModelError::Read { path: path.clone(), reason })?;
        let file: File = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
        let unsupported = [
            (file.peft_type != "LORA", format!("peft_type {}", file.peft_type)),
            (file.use_dora, "use_dora".into()),
            (file.fan_in_fan_out, "fan_in_fan_out".into()),
            (file.bias != "none", format!("bias {}", file.bias)),
            (file.modules_to_save.is_some_and(|m| !m.is_empty()), "modules_to_save".into()),
            (!file.alpha_pattern.is_empty() || !file.rank_pattern.is_empty(), "ranks by pattern".into()),
        ];
        if let Some((_, what)) = unsupported.iter().find(|(found, _)| *found) {
            return Err(bad(format!("{what} is not supported: merge the adapter into its base first")));
        }
        let root = if file.use_rslora { file.r.sqrt() } else { file.r };
        let scale = (file.lora_alpha / root) as f32;
        if !scale.is_finite() {
            return Err(bad(format!("lora_alpha {} over r {} is no number", file.lora_alpha, file.r)));
        }
        let path = folder.join("adapter_model.safetensors");
        let origin = path.display().to_string();
        let tensors = Weights::open(&[&path], &origin)?;
        let wrong = |reason: String| ModelError::Adapter { origin: origin.clone(), reason };
        let mut found = 0;
        for (name, shape) in tensors.shapes() {
            let Some((module, down)) = name
                .split_once(".lora_A.")
                .map(|(m, _)| (m, true))
                .or_else(|| name.split_once(".lora_B.").map(|(m, _)| (m, false)))
            else {
                return Err(wrong(format!("tensor {name} is no part of LoRA on a matrix")));
            };
            if !down {
                continue;
            }
            let [rank, inputs] = shape[..] else {
                return Err(wrong(format!("tensor {name} has shape {shape:?} and is no matrix")));
            };
            let other = name.replacen(".lora_A.", ".lora_B.", 1);
            let outputs = tensors.shapes().find(|(n, _)| *n == other).map(|(_, shape)| shape[0]);
            let up = tensors.get(&other, &[outputs.unwrap_or(0), rank])?.into_owned();
            let down = tensors.get(name, &[rank, inputs])?.into_owned();
            let module = module.strip_prefix("base_model.model.").unwrap_or(module);
            self.add(module, LowRank { up, down, rank, scale })?;
            found += 1;
        }
        if found == 0 {
            return Err(wrong("holds no LoRA matrices".into()));
        }
        self.origin = format!("{}+adapter:{}", self.origin, folder.display());
        Ok(())
    }

    /// Adds a product to a module's matrix, or to the parts of one that was fused.
    fn add(&mut self, module: &str, product: LowRank) -> Result<(), ModelError> {
        let [q, kv] = [self.config.heads, self.config.kv_heads].map(|n| n * self.config.head_dim);
        let ff = self.config.intermediate_size;
        let parts: &[(&str, usize)] = match module.rsplit_once('.').map_or(module, |(_, last)| last) {
            "qkv_proj" => &[("q_proj", q), ("k_proj", kv), ("v_proj", kv)],
            "gate_up_proj" => &[("gate_proj", ff), ("up_proj", ff)],
            _ => return self.weights.adapt(&format!("{module}.weight"), product),
        };
        let rows: usize = parts.iter().map(|(_, rows)| rows).sum();
        if product.up.len() != rows * product.rank {
            // The whole has no such matrix any more: its first part says what does not fit.
            return self.weights.adapt(&format!("{module}.weight"), product);
        }
        let (stem, _) = module.rsplit_once('.').unwrap_or_default();
        let mut start = 0;
        for (part, rows) in parts {
            let up = product.up[start * product.rank..(start + rows) * product.rank].to_vec();
            let part = format!("{stem}.{part}.weight");
            self.weights.adapt(&part, LowRank { up, ..product.clone() })?;
            start += rows;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Tokenizer, config, local, weights};
    use std::fs;

    fn model() -> LocalModel {
        let config = config::tests::tiny();
        let tokenizer = Tokenizer::from_json(local::tests::tiny_tokenizer().as_bytes(), "x").unwrap();
        LocalModel::new("x", config.clone(), weights::tests::random(&config, 2), tokenizer)
    }

    fn write(folder: &Path, config: serde_json::Value, tensors: &[(&str, [usize; 2])]) {
        fs::write(folder.join("adapter_config.json"), config.to_string()).unwrap();
        let mut weights = Weights::new("adapter");
        for (name, shape) in tensors {
            let size = shape[0] * shape[1];
            weights.insert(name, shape, (0..size).map(|i| i as f32 / 8.0 - 1.0).collect());
        }
        fs::write(folder.join("adapter_model.safetensors"), weights.to_safetensors(false).unwrap()).unwrap();
    }

    const A: &str = "base_model.model.model.layers.1.self_attn.k_proj.lora_A.weight";
    const B: &str = "base_model.model.model.layers.1.self_attn.k_proj.lora_B.weight";
    const K: &str = "model.layers.1.self_attn.k_proj.weight";

    #[test]
    fn an_adapter_is_added_to_its_matrices() {
        let folder = tempfile::tempdir().unwrap();
        for (stabilised, scale) in [(false, 2.0), (true, 2.0 * 2f32.sqrt())] {
            let config = serde_json::json!({"peft_type": "LORA", "r": 2, "lora_alpha": 4,
                "use_rslora": stabilised, "target_modules": ["k_proj"]});
            write(folder.path(), config, &[(A, [2, 24]), (B, [8, 2])]);
            let (plain, mut adapted) = (model(), model());
            adapted.adapt(folder.path()).unwrap();
            let [before, after] = [&plain, &adapted].map(|m| m.weights.get(K, &[8, 24]).unwrap());
            for (i, (a, b)) in before.iter().zip(after.iter()).enumerate() {
                let value = |place: usize| place as f32 / 8.0 - 1.0;
                let (row, column) = (i / 24, i % 24);
                let sum = value(2 * row) * value(column) + value(2 * row + 1) * value(24 + column);
                assert!((b - a - scale * sum).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn an_adapter_that_does_not_fit_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let says = |part: &str| {
            let error = model().adapt(folder.path()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        says("adapter_config.json");
        let lora = |more: serde_json::Value| {
            let mut config = serde_json::json!({"peft_type": "LORA", "r": 2, "lora_alpha": 4});
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            config
        };
        write(folder.path(), lora(serde_json::json!({"use_dora": true})), &[]);
        says("use_dora is not supported: merge the adapter");
        write(folder.path(), lora(serde_json::json!({"r": 0})), &[]);
        says("is no number");
        write(folder.path(), lora(serde_json::json!({})), &[]);
        says("holds no LoRA matrices");
        write(folder.path(), lora(serde_json::json!({})), &[(A, [2, 24])]);
        says("lora_B.weight: found nothing");
        write(folder.path(), lora(serde_json::json!({})), &[(A, [2, 23]), (B, [8, 2])]);
        says("found [8, 24], the configuration needs [8, 23] of the adapter");
        write(folder.path(), lora(serde_json::json!({})), &[("base_model.model.lm_head.weight", [1, 1])]);
        says("is no part of LoRA");
    }
}
