//! What a decoder looks like: one description of its layers, which the reference decoder and
//! the engine both run from.

mod file;
mod rope;

use super::{ModelError, error};
use file::File;
pub(super) use file::OneOrMore;
pub use rope::{Rotation, Scaling};

/// A decoder-only transformer: RMSNorm, rotary positions, grouped-query attention, SwiGLU.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub architecture: Architecture,
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
    pub rope_scaling: Scaling,
    pub layout: Layout,
}

/// A family by the name that Hugging Face gives its decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Architecture {
    #[default]
    Llama,
    Qwen2,
    Qwen3,
    Mistral,
    Olmo2,
    Phi3,
}

/// In what a layer differs from Llama's, which is the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Queries, keys and values have biases.
    pub query_key_value_bias: bool,
    /// The output of attention has a bias.
    pub output_bias: bool,
    pub query_key_norm: QueryKeyNorm,
    /// Norms stand after attention and after the MLP, before the residual is added, in
    /// place of before them.
    pub post_norm: bool,
    /// Dimensions of a head that turn, the first ones; `None` is all.
    pub rotary: Option<usize>,
    /// Tokens that a layer looks back on, its own included, below `max_positions`; empty
    /// where no layer has a window.
    pub windows: Vec<Option<usize>>,
}

/// What RMSNorm queries and keys go through before they are turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryKeyNorm {
    #[default]
    None,
    /// Each head on its own, all with the same weights.
    Head,
    /// All heads together.
    Whole,
}

impl Architecture {
    pub const ALL: [Self; 6] =
        [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Mistral, Self::Olmo2, Self::Phi3];

    /// As in `architectures` of a `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
            Self::Mistral => "MistralForCausalLM",
            Self::Olmo2 => "Olmo2ForCausalLM",
            Self::Phi3 => "Phi3ForCausalLM",
        }
    }

    /// As in `model_type` of a `config.json`, and `general.architecture` of a GGUF file.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Mistral => "mistral",
            Self::Olmo2 => "olmo2",
            Self::Phi3 => "phi3",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }
}

impl Config {
    /// Reads `config.json`; `origin` is what an error calls it.
    ///
    /// # Errors
    /// JSON that is no configuration, an architecture that is not supported, sizes that do
    /// not fit together.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, ModelError> {
        let bad = |reason: String| ModelError::Config { origin: origin.to_owned(), reason };
        let file: File = serde_json::from_str(text).map_err(|e| bad(error::json(&e)))?;
        let config = file.read().map_err(bad)?;
        config.check().map_err(bad)?;
        Ok(config)
    }

    /// As `config.json`.
    pub fn to_json(&self) -> String {
        let file = File::write(self);
        serde_json::to_string_pretty(&file).expect("a configuration is plain JSON") + "\n"
    }

    /// Dimensions of a head that turn.
    pub fn rotary(&self) -> usize {
        self.layout.rotary.unwrap_or(self.head_dim)
    }

    /// The turns of a text of up to `extent` positions.
    pub fn rotation(&self, extent: usize) -> Rotation {
        self.rope_scaling.rotation(self.rotary(), self.rope_theta, extent)
    }

    /// How many tokens a layer looks back on, its own included; `None` is all.
    pub fn window(&self, layer: usize) -> Option<usize> {
        self.layout.windows.get(layer).copied().flatten()
    }

    /// Every tensor by its name in the family's Hugging Face class, with its shape. What
    /// Phi-3 fuses is named apart, as in the other families.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (d, ff) = (self.hidden_size, self.intermediate_size);
        let (q, kv) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        let layout = &self.layout;
        let mut all = vec![("model.embed_tokens.weight".to_owned(), vec![self.vocab_size, d])];
        for layer in 0..self.layers {
            let mut add = |name: &str, shape: &[usize]| {
                all.push((format!("model.layers.{layer}.{name}"), shape.to_vec()));
            };
            if !layout.post_norm {
                add("input_layernorm.weight", &[d]);
            }
            add("self_attn.q_proj.weight", &[q, d]);
            add("self_attn.k_proj.weight", &[kv, d]);
            add("self_attn.v_proj.weight", &[kv, d]);
            if layout.query_key_value_bias {
                add("self_attn.q_proj.bias", &[q]);
                add("self_attn.k_proj.bias", &[kv]);
                add("self_attn.v_proj.bias", &[kv]);
            }
            if let Some([q, k]) = self.query_key_norms() {
                add("self_attn.q_norm.weight", &[q]);
                add("self_attn.k_norm.weight", &[k]);
            }
            add("self_attn.o_proj.weight", &[d, q]);
            if layout.output_bias {
                add("self_attn.o_proj.bias", &[d]);
            }
            add("post_attention_layernorm.weight", &[d]);
            add("mlp.gate_proj.weight", &[ff, d]);
            add("mlp.up_proj.weight", &[ff, d]);
            add("mlp.down_proj.weight", &[d, ff]);
            if layout.post_norm {
                add("post_feedforward_layernorm.weight", &[d]);
            }
        }
        all.push(("model.norm.weight".to_owned(), vec![d]));
        if !self.tied {
            all.push(("lm_head.weight".to_owned(), vec![self.vocab_size, d]));
        }
        all
    }

    /// Lengths of the norms of queries and keys, where there are such.
    pub fn query_key_norms(&self) -> Option<[usize; 2]> {
        match self.layout.query_key_norm {
            QueryKeyNorm::None => None,
            QueryKeyNorm::Head => Some([self.head_dim; 2]),
            QueryKeyNorm::Whole => Some([self.heads * self.head_dim, self.kv_heads * self.head_dim]),
        }
    }

    /// Weights in all.
    pub fn parameters(&self) -> usize {
        let sizes = self.tensors();
        sizes.iter().map(|(_, shape)| shape.iter().product::<usize>()).fold(0, usize::saturating_add)
    }

    pub(super) fn check(&self) -> Result<(), String> {
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
        if self.layers > 1 << 12 {
            return Err(format!("num_hidden_layers is {}", self.layers));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!("{} heads cannot share {} key-value heads", self.heads, self.kv_heads));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("head_dim {} is odd: rotary positions need pairs", self.head_dim));
        }
        if !self.rotary().is_multiple_of(2) || self.rotary() == 0 {
            return Err(format!("{} dimensions of a head turn, which are no pairs", self.rotary()));
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
            architecture: Architecture::Llama,
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
            rope_scaling: Scaling::None,
            layout: Layout::default(),
        }
    }

    /// Small models of every family, with all that their layers differ in.
    pub(crate) fn families() -> Vec<Config> {
        let yarn = serde_json::json!({"rope_type": "yarn", "factor": 4.0,
            "original_max_position_embeddings": 24});
        let llama3 = serde_json::json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 32});
        let long = serde_json::json!({"rope_type": "longrope", "short_factor": [1.0, 1.1],
            "long_factor": [1.5, 4.0], "original_max_position_embeddings": 60});
        let scaling = |value, rotary| Scaling::from_json(&value, rotary, 96, None).unwrap();
        let layout = Layout::default;
        let of = |architecture, rope_scaling, layout| Config { architecture, rope_scaling, layout, ..tiny() };
        vec![
            of(Architecture::Llama, scaling(llama3, 8), layout()),
            Config {
                heads: 4,
                kv_heads: 2,
                head_dim: 6,
                ..of(
                    Architecture::Llama,
                    Scaling::Linear { factor: 2.0 },
                    Layout { query_key_value_bias: true, output_bias: true, ..layout() },
                )
            },
            of(
                Architecture::Qwen2,
                scaling(yarn, 8),
                Layout { query_key_value_bias: true, windows: vec![None, Some(9)], ..layout() },
            ),
            Config {
                heads: 4,
                kv_heads: 2,
                head_dim: 16,
                ..of(
                    Architecture::Qwen3,
                    Scaling::None,
                    Layout { query_key_norm: QueryKeyNorm::Head, ..layout() },
                )
            },
            Config {
                heads: 6,
                kv_heads: 2,
                head_dim: 32,
                tied: false,
                ..of(Architecture::Mistral, Scaling::None, Layout { windows: vec![Some(20); 2], ..layout() })
            },
            Config {
                kv_heads: 3,
                ..of(
                    Architecture::Olmo2,
                    Scaling::None,
                    Layout { query_key_norm: QueryKeyNorm::Whole, post_norm: true, ..layout() },
                )
            },
            of(Architecture::Phi3, scaling(long, 4), Layout { rotary: Some(4), ..layout() }),
        ]
    }

    #[test]
    fn a_configuration_survives_its_file() {
        let more = Config { tied: false, eos: vec![1, 2], bos: Some(3), ..tiny() };
        for config in families().into_iter().chain([tiny(), more]) {
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
        refuse("\"mlp_bias\": false", "\"mlp_bias\": true", "not supported");
        refuse("\"mlp_bias\": false", "\"rope_scaling\": {\"type\": \"dynamic\"}", "\"dynamic\"");
        refuse("\"mlp_bias\": false", "\"partial_rotary_factor\": 0.2", "no pairs");
    }

    #[test]
    fn the_tensors_of_a_model_are_counted() {
        let c = tiny();
        let layer = 2 * 24 + 24 * 24 * 2 + 2 * 8 * 24 + 3 * 24 * 40;
        assert_eq!(c.parameters(), 37 * 24 + 2 * layer + 24);
        assert_eq!(Config { tied: false, ..c }.parameters(), 2 * 37 * 24 + 2 * layer + 24);
    }
}
