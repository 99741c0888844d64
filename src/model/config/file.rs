//! `config.json`, with the fields and the defaults of each architecture.

use super::{Architecture, Config, Layout, QueryKeyNorm, Scaling};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The fields that matter here, by their Hugging Face names.
#[derive(Serialize, Deserialize)]
pub(super) struct File {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    rms_norm_eps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rope_theta: Option<f64>,
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
    rope_scaling: Option<Value>,
    /// What newer files write in place of `rope_theta` and `rope_scaling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rope_parameters: Option<Value>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial_rotary_factor: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    original_max_position_embeddings: Option<f64>,
    /// A file that says null means none; one that says nothing means the default.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "said")]
    sliding_window: Option<Option<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    use_sliding_window: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_window_layers: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer_types: Option<Vec<String>>,
}

/// One token or several.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

impl OneOrMore {
    pub(crate) fn into_vec(self) -> Vec<u32> {
        match self {
            OneOrMore::One(id) => vec![id],
            OneOrMore::More(ids) => ids,
        }
    }
}

/// A field that may be null, may be missing, and means something else in each case.
mod said {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &Option<Option<usize>>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(|v| *v).serialize(to)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Option<usize>>, D::Error> {
        Option::deserialize(from).map(Some)
    }
}

fn silu() -> String {
    "silu".into()
}

impl File {
    pub(super) fn read(self) -> Result<Config, String> {
        let known = || Architecture::ALL.map(Architecture::name).join(", ");
        let named = self.architectures.iter().find_map(|a| Architecture::from_name(a));
        let architecture = named.ok_or_else(|| {
            format!("architecture {:?} is not supported; {} are", self.architectures, known())
        })?;
        if self.mlp_bias || self.hidden_act != "silu" {
            return Err("biases in the MLP and activations other than silu are not supported".into());
        }
        let heads = self.num_attention_heads;
        let head_dim = self.head_dim.unwrap_or(match architecture {
            Architecture::Qwen3 => 128,
            _ => self.hidden_size / heads.max(1),
        });
        let rope = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref()).filter(|v| !v.is_null());
        let inside = |name: &str| self.rope_parameters.as_ref().and_then(|v| v.get(name)?.as_f64());
        let share = self.partial_rotary_factor.or(inside("partial_rotary_factor")).unwrap_or(1.0);
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!("partial_rotary_factor is {share}"));
        }
        let rotary = (head_dim as f64 * share) as usize;
        let positions = self.max_position_embeddings;
        let rope_scaling = match rope {
            Some(value) => {
                Scaling::from_json(value, rotary, positions, self.original_max_position_embeddings)?
            }
            None => Scaling::None,
        };
        let max_positions = positions.max(rope_scaling.positions());
        let windows = self.windows(architecture, max_positions)?;
        Ok(Config {
            architecture,
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            layers: self.num_hidden_layers,
            heads,
            kv_heads: self.num_key_value_heads.unwrap_or(match architecture {
                Architecture::Mistral => 8,
                _ => heads,
            }),
            head_dim,
            intermediate_size: self.intermediate_size,
            norm_eps: self.rms_norm_eps.unwrap_or(match architecture {
                Architecture::Olmo2 | Architecture::Phi3 => 1e-5,
                _ => 1e-6,
            }),
            rope_theta: self.rope_theta.or(inside("rope_theta")).unwrap_or(10_000.0),
            max_positions,
            tied: self.tie_word_embeddings,
            eos: self.eos_token_id.map_or_else(Vec::new, OneOrMore::into_vec),
            bos: self.bos_token_id,
            rope_scaling,
            layout: Layout {
                query_key_value_bias: self.attention_bias || architecture == Architecture::Qwen2,
                output_bias: self.attention_bias && architecture != Architecture::Qwen2,
                query_key_norm: architecture.query_key_norm(),
                post_norm: architecture == Architecture::Olmo2,
                rotary: (rotary != head_dim).then_some(rotary),
                windows,
            },
        })
    }

    /// The window of each layer; empty where no layer has one that ever closes.
    fn windows(&self, architecture: Architecture, positions: usize) -> Result<Vec<Option<usize>>, String> {
        let default = (architecture == Architecture::Mistral).then_some(4096);
        let mut window = self.sliding_window.unwrap_or(default);
        if window == Some(0) {
            return Err("sliding_window is 0".into());
        }
        let some_layers = matches!(architecture, Architecture::Qwen2 | Architecture::Qwen3);
        if matches!(architecture, Architecture::Llama | Architecture::Olmo2)
            || (some_layers && !self.use_sliding_window.unwrap_or(false))
        {
            window = None;
        }
        let Some(window) = window.filter(|w| *w < positions) else { return Ok(Vec::new()) };
        let from = if some_layers { self.max_window_layers.unwrap_or(28) } else { 0 };
        let types = self.layer_types.as_ref();
        if let Some(types) = types.filter(|t| t.len() != self.num_hidden_layers) {
            return Err(format!("layer_types names {} of {} layers", types.len(), self.num_hidden_layers));
        }
        // The count of layers is not checked yet, and this would allocate as many.
        if self.num_hidden_layers > 1 << 16 {
            return Err(format!("num_hidden_layers is {}", self.num_hidden_layers));
        }
        let slides = |layer: usize| match types {
            Some(types) => types[layer] == "sliding_attention",
            None => layer >= from,
        };
        let windows: Vec<_> =
            (0..self.num_hidden_layers).map(|layer| slides(layer).then_some(window)).collect();
        Ok(if windows.iter().all(Option::is_none) { Vec::new() } else { windows })
    }

    pub(super) fn write(config: &Config) -> Self {
        let layout = &config.layout;
        let window = layout.windows.iter().flatten().next().copied();
        let slides = |layer: &Option<usize>| match layer {
            Some(_) => "sliding_attention".to_owned(),
            None => "full_attention".to_owned(),
        };
        File {
            architectures: vec![config.architecture.name().into()],
            model_type: config.architecture.model_type().into(),
            vocab_size: config.vocab_size,
            hidden_size: config.hidden_size,
            num_hidden_layers: config.layers,
            num_attention_heads: config.heads,
            num_key_value_heads: Some(config.kv_heads),
            head_dim: Some(config.head_dim),
            intermediate_size: config.intermediate_size,
            rms_norm_eps: Some(config.norm_eps),
            rope_theta: Some(config.rope_theta),
            max_position_embeddings: config.max_positions,
            tie_word_embeddings: config.tied,
            eos_token_id: Some(match config.eos.as_slice() {
                [one] => OneOrMore::One(*one),
                more => OneOrMore::More(more.to_vec()),
            }),
            bos_token_id: config.bos,
            hidden_act: silu(),
            rope_scaling: config.rope_scaling.to_json(),
            rope_parameters: None,
            attention_bias: layout.output_bias,
            mlp_bias: false,
            partial_rotary_factor: layout.rotary.map(|r| r as f64 / config.head_dim as f64),
            original_max_position_embeddings: None,
            sliding_window: match config.architecture {
                Architecture::Mistral => Some(window),
                _ => window.map(Some),
            },
            use_sliding_window: window.map(|_| true),
            max_window_layers: None,
            layer_types: window.map(|_| layout.windows.iter().map(slides).collect()),
        }
    }
}

impl Architecture {
    fn query_key_norm(self) -> QueryKeyNorm {
        match self {
            Architecture::Qwen3 => QueryKeyNorm::Head,
            Architecture::Olmo2 => QueryKeyNorm::Whole,
            _ => QueryKeyNorm::None,
        }
    }
}
