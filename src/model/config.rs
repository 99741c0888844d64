//! What a decoder looks like: Hugging Face's `config.json`.

use super::ModelError;
use serde::{Deserialize, Serialize};

/// A Llama-style decoder: pre-norm RMSNorm, rotary positions, grouped-query attention,
/// SwiGLU.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub layers: usize,
    pub heads: usize,
    /// Divides `heads`.
    pub kv_heads: usize,
    /// Even.
    pub head_dim: usize,
    pub intermediate_size: usize,
    pub norm_eps: f64,
    pub rope_theta: f64,
    /// Prompt and completion together, in tokens.
    pub max_positions: usize,
    /// The output head is the embedding.
    pub tied: bool,
    /// Tokens that end a completion.
    pub eos: Vec<u32>,
    /// The token that a prompt starts with, if any.
    pub bos: Option<u32>,
}

/// The fields of `config.json` that matter here, by their Hugging Face names.
#[derive(Serialize, Deserialize)]
struct File {
    architectures: Vec<String>,
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_key_value_heads: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_dim: Option<usize>,
    intermediate_size: usize,
    rms_norm_eps: f64,
    #[serde(default = "ten_thousand")]
    rope_theta: f64,
    max_position_embeddings: usize,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eos_token_id: Option<OneOrMore>,
    #[serde(default)]
    bos_token_id: Option<u32>,
    #[serde(default = "silu")]
    hidden_act: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rope_scaling: Option<serde_json::Value>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

fn ten_thousand() -> f64 {
    10_000.0
}

fn silu() -> String {
    "silu".into()
}

impl Config {
    /// Reads `config.json`; `origin` is what an error calls it.
    ///
    /// # Errors
    /// JSON that is no configuration, an architecture that is not supported, sizes that do
    /// not fit together.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, ModelError> {
        let bad = |reason: String| ModelError::Config { origin: origin.to_owned(), reason };
        let file: File = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        if file.architectures.iter().all(|a| a != "LlamaForCausalLM") {
            return Err(bad(format!(
                "architecture {:?} is not supported; LlamaForCausalLM is",
                file.architectures
            )));
        }
        if file.rope_scaling.as_ref().is_some_and(|s| !s.is_null()) {
            return Err(bad("rope_scaling is not supported".into()));
        }
        if file.attention_bias || file.mlp_bias || file.hidden_act != "silu" {
            return Err(bad("biases and activations other than silu are not supported".into()));
        }
        let heads = file.num_attention_heads;
        let config = Config {
            vocab_size: file.vocab_size,
            hidden_size: file.hidden_size,
            layers: file.num_hidden_layers,
            heads,
            kv_heads: file.num_key_value_heads.unwrap_or(heads),
            head_dim: file.head_dim.unwrap_or(file.hidden_size / heads.max(1)),
            intermediate_size: file.intermediate_size,
            norm_eps: file.rms_norm_eps,
            rope_theta: file.rope_theta,
            max_positions: file.max_position_embeddings,
            tied: file.tie_word_embeddings,
            eos: match file.eos_token_id {
                None => Vec::new(),
                Some(OneOrMore::One(id)) => vec![id],
                Some(OneOrMore::More(ids)) => ids,
            },
            bos: file.bos_token_id,
        };
        config.check().map_err(bad)?;
        Ok(config)
    }

    /// As `config.json`.
    pub fn to_json(&self) -> String {
        let file = File {
            architectures: vec!["LlamaForCausalLM".into()],
            model_type: "llama".into(),
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
            num_key_value_heads: Some(self.kv_heads),
            head_dim: Some(self.head_dim),
            intermediate_size: self.intermediate_size,
            rms_norm_eps: self.norm_eps,
            rope_theta: self.rope_theta,
            max_position_embeddings: self.max_positions,
            tie_word_embeddings: self.tied,
            eos_token_id: Some(match self.eos.as_slice() {
                [one] => OneOrMore::One(*one),
                more => OneOrMore::More(more.to_vec()),
            }),
            bos_token_id: self.bos,
            hidden_act: silu(),
            rope_scaling: None,
            attention_bias: false,
            mlp_bias: false,
        };
        serde_json::to_string_pretty(&file).expect("a configuration is plain JSON") + "\n"
    }

    /// Every tensor by its name in `LlamaForCausalLM`, with its shape.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (d, ff) = (self.hidden_size, self.intermediate_size);
        let (q, kv) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        let mut all = vec![("model.embed_tokens.weight".to_owned(), vec![self.vocab_size, d])];
        for layer in 0..self.layers {
            let mut add = |name: &str, shape: &[usize]| {
                all.push((format!("model.layers.{layer}.{name}.weight"), shape.to_vec()));
            };
            add("input_layernorm", &[d]);
            add("self_attn.q_proj", &[q, d]);
            add("self_attn.k_proj", &[kv, d]);
            add("self_attn.v_proj", &[kv, d]);
            add("self_attn.o_proj", &[d, q]);
            add("post_attention_layernorm", &[d]);
            add("mlp.gate_proj", &[ff, d]);
            add("mlp.up_proj", &[ff, d]);
            add("mlp.down_proj", &[d, ff]);
        }
        all.push(("model.norm.weight".to_owned(), vec![d]));
        if !self.tied {
            all.push(("lm_head.weight".to_owned(), vec![self.vocab_size, d]));
        }
        all
    }

    /// Weights in all.
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    fn check(&self) -> Result<(), String> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.layers),
            ("num_attention_heads", self.heads),
            ("num_key_value_heads", self.kv_heads),
            ("head_dim", self.head_dim),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_positions),
        ];
        for (name, size) in sizes {
            // Far beyond any model, and far below where a product of two overflows.
            if size == 0 || size > 1 << 24 {
                return Err(format!("{name} is {size}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!("{} heads cannot share {} key-value heads", self.heads, self.kv_heads));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("head_dim {} is odd: rotary positions need pairs", self.head_dim));
        }
        if let Some(id) = self.eos.iter().chain(&self.bos).find(|id| **id as usize >= self.vocab_size) {
            return Err(format!("token {id} is outside the vocabulary of {}", self.vocab_size));
        }
        if !(self.norm_eps.is_finite()
            && self.norm_eps >= 0.0
            && self.rope_theta.is_finite()
            && self.rope_theta > 0.0)
        {
            return Err("rms_norm_eps or rope_theta is out of range".into());
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A model small enough for tests.
    pub(crate) fn tiny() -> Config {
        Config {
            vocab_size: 37,
            hidden_size: 24,
            layers: 2,
            heads: 3,
            kv_heads: 1,
            head_dim: 8,
            intermediate_size: 40,
            norm_eps: 1e-5,
            rope_theta: 10_000.0,
            max_positions: 96,
            tied: true,
            eos: vec![0],
            bos: None,
        }
    }

    #[test]
    fn a_configuration_survives_its_file() {
        for config in [tiny(), Config { tied: false, eos: vec![1, 2], bos: Some(3), ..tiny() }] {
            assert_eq!(Config::from_json(&config.to_json(), "x").unwrap(), config);
        }
    }

    #[test]
    fn a_bad_configuration_is_refused_in_words() {
        let refuse = |change: &str, by: &str, says: &str| {
            let text = tiny().to_json().replace(change, by);
            let error = Config::from_json(&text, "folder").unwrap_err().to_string();
            assert!(error.starts_with("folder: config.json: ") && error.contains(says), "{error}");
        };
        refuse("LlamaForCausalLM", "GPT2LMHeadModel", "GPT2LMHeadModel");
        refuse("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 2", "cannot share");
        refuse("\"hidden_size\": 24", "\"hidden_size\": 18446744073709551615", "hidden_size");
        refuse("\"vocab_size\": 37", "\"vocab_size\": 0", "vocab_size");
        refuse("\"eos_token_id\": 0", "\"eos_token_id\": 99", "outside the vocabulary");
        refuse("\"head_dim\": 8", "\"head_dim\": 7", "odd");
        refuse("{", "[", "expected");
    }

    #[test]
    fn the_tensors_of_a_model_are_counted() {
        let c = tiny();
        let layer = 2 * 24 + 24 * 24 * 2 + 2 * 8 * 24 + 3 * 24 * 40;
        assert_eq!(c.parameters(), 37 * 24 + 2 * layer + 24);
        assert_eq!(Config { tied: false, ..c }.parameters(), 2 * 37 * 24 + 2 * layer + 24);
    }
}
