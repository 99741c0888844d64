//! GGUF, llama.cpp's file of one model: configuration, weights and tokenizer in one.

mod header;
mod tokenizer;

use super::config::{Architecture, Layout, QueryKeyNorm, Scaling};
use super::weights::{Bytes, View};
use super::{ChatTemplate, Config, LocalModel, ModelError, Tokenizer, Weights};
use header::Header;
use std::path::Path;

impl LocalModel {
    /// Reads a GGUF file; a `tokenizer.json` beside it goes before the file's own tokenizer.
    /// Tensors are mapped, and widened when they are asked for.
    ///
    /// # Errors
    /// A file that is none or is cut short, an architecture or a tokenizer that is not
    /// supported, values that do not fit together.
    pub fn from_gguf(path: &Path) -> Result<Self, ModelError> {
        let origin = path.display().to_string();
        let header = Header::read(&Bytes::map(path)?, &origin)?;
        let config = config(&header)?;
        let beside = path.with_file_name("tokenizer.json");
        let tokenizer = match std::fs::read(&beside) {
            Ok(json) => Tokenizer::from_json(&json, &beside.display().to_string())?,
            Err(_) => tokenizer::tokenizer(&header, &origin)?,
        };
        let template = header.text("tokenizer.chat_template").map(|t| t.into_owned());
        let names = header.texts("tokenizer.ggml.tokens").unwrap_or_default();
        let token = |of: &str| {
            let id = header.count(&format!("tokenizer.ggml.{of}_token_id"));
            id.and_then(|id| names.get(id)).map_or(String::new(), |t| t.to_string())
        };
        let (bos, eos) = (token("bos"), token("eos"));
        let weights = weights(header, &config, &origin)?;
        let mut model = Self::new(&origin, config, weights, tokenizer).checked()?;
        if let Some(template) = template {
            model.template = Some(ChatTemplate::new(&template, &bos, &eos, &origin)?);
        }
        Ok(model)
    }
}

/// The configuration that the metadata describes.
fn config(header: &Header) -> Result<Config, ModelError> {
    let name = header.text("general.architecture").unwrap_or_default().into_owned();
    let architecture = Architecture::ALL.into_iter().find(|a| a.model_type() == name).ok_or_else(|| {
        let known = Architecture::ALL.map(Architecture::model_type).join(", ");
        header.bad(format!("holds architecture {name:?}, which is not supported; {known} are"))
    })?;
    let key = |of: &str| format!("{name}.{of}");
    let count = |of: &str| {
        let found = header.count(&key(of));
        found.ok_or_else(|| header.bad(format!("has no whole number as {}", key(of))))
    };
    let (heads, hidden_size) = (count("attention.head_count")?, count("embedding_length")?);
    if header.is_array(&key("attention.head_count_kv")) {
        return Err(header.bad("has layers with different numbers of heads, which are not supported"));
    }
    let head_dim = header.count(&key("attention.key_length")).unwrap_or(hidden_size / heads.max(1));
    let rotary = header.count(&key("rope.dimension_count")).unwrap_or(head_dim).min(head_dim);
    let positions = count("context_length")?;
    let layers = count("block_count")?;
    let vocab_size = match header.tensors.get("token_embd.weight").map(|t| t.shape.as_slice()) {
        Some([rows, _]) => *rows,
        _ => return Err(header.bad("has no matrix token_embd.weight")),
    };
    let has = |tensor: &str| header.tensors.contains_key(tensor);
    let window = header.count(&key("attention.sliding_window")).filter(|w| (1..positions).contains(w));
    if window.is_some() && architecture == Architecture::Olmo2 {
        return Err(header.bad("is an OLMo model with sliding windows (OLMo 3), which is not supported"));
    }
    let slides = architecture == Architecture::Phi3 || architecture == Architecture::Mistral;
    let ends = ["eos", "eot"].map(|of| header.count(&format!("tokenizer.ggml.{of}_token_id")));
    let mut eos: Vec<u32> = ends.into_iter().flatten().filter_map(|id| u32::try_from(id).ok()).collect();
    eos.dedup();
    let config = Config {
        architecture,
        vocab_size,
        hidden_size,
        layers,
        heads,
        kv_heads: header.count(&key("attention.head_count_kv")).unwrap_or(heads),
        head_dim,
        intermediate_size: count("feed_forward_length")?,
        norm_eps: header.real(&key("attention.layer_norm_rms_epsilon")).unwrap_or(1e-5),
        rope_theta: header.real(&key("rope.freq_base")).unwrap_or(10_000.0),
        max_positions: positions,
        tied: !has("output.weight"),
        eos,
        bos: None,
        rope_scaling: scaling(header, &name, rotary, positions)?,
        layout: Layout {
            query_key_value_bias: has("blk.0.attn_q.bias"),
            output_bias: has("blk.0.attn_output.bias"),
            query_key_norm: match architecture {
                Architecture::Qwen3 => QueryKeyNorm::Head,
                Architecture::Olmo2 => QueryKeyNorm::Whole,
                _ => QueryKeyNorm::None,
            },
            post_norm: architecture == Architecture::Olmo2,
            rotary: (rotary != head_dim).then_some(rotary),
            windows: match window {
                Some(window) if slides && layers <= 1 << 12 => vec![Some(window); layers],
                _ => Vec::new(),
            },
        },
    };
    config.check().map_err(|reason| header.bad(reason))?;
    Ok(config)
}

/// How positions are stretched: by the metadata, or by tensors with a factor for each pair.
fn scaling(header: &Header, name: &str, rotary: usize, positions: usize) -> Result<Scaling, ModelError> {
    let real = |of: &str| header.real(&format!("{name}.rope.scaling.{of}"));
    let factors = |tensor: &str| -> Result<Option<Vec<f64>>, ModelError> {
        let Some(info) = header.tensors.get(tensor) else { return Ok(None) };
        let values = match &info.view {
            Ok(view) if info.shape == [rotary / 2] => view.values(),
            _ => return Err(header.bad(format!("{tensor} is no list of {} factors", rotary / 2))),
        };
        Ok(Some(values.into_iter().map(f64::from).collect()))
    };
    let original = real("original_context_length").unwrap_or(positions as f64).max(2.0);
    let attention = real("attn_factor").unwrap_or(1.0);
    if let Some(factors) = factors("rope_freqs.weight")? {
        let (short, long) = (factors.clone(), factors);
        return Ok(Scaling::LongRope { short, long, original, attention: 1.0 });
    }
    if let (Some(short), Some(long)) =
        (factors("rope_factors_short.weight")?, factors("rope_factors_long.weight")?)
    {
        return Ok(Scaling::LongRope { short, long, original, attention });
    }
    let factor = real("factor").filter(|f| f.is_finite() && *f > 0.0);
    match header.text(&format!("{name}.rope.scaling.type")).as_deref() {
        None | Some("none") => Ok(Scaling::None),
        Some("linear") => Ok(Scaling::Linear { factor: factor.unwrap_or(1.0) }),
        Some("yarn") => {
            let factor = factor.unwrap_or(1.0);
            Ok(Scaling::Yarn {
                factor,
                fast: real("yarn_beta_fast").unwrap_or(32.0),
                slow: real("yarn_beta_slow").unwrap_or(1.0),
                original,
                attention: attention * if factor > 1.0 { 0.1 * factor.ln() + 1.0 } else { 1.0 },
                truncate: true,
            })
        }
        Some(other) => Err(header.bad(format!("stretches positions by {other:?}, which is not supported"))),
    }
}

/// The tensors by their Hugging Face names.
fn weights(header: Header, config: &Config, origin: &str) -> Result<Weights, ModelError> {
    let mut weights = Weights::new(origin);
    let pairs = config.architecture == Architecture::Llama;
    for (name, info) in header.tensors {
        let Some(renamed) = renamed(&name, config) else { continue };
        let view = info.view.map_err(|kind| format!("blocks of kind {kind}, which are not read"));
        // llama.cpp turns neighbours in Llama's heads, Hugging Face halves.
        let heads = match () {
            () if pairs && name.contains(".attn_q.") => Some(config.heads),
            () if pairs && name.contains(".attn_k.") => Some(config.kv_heads),
            () => None,
        };
        let rows = heads.map_or(0, |heads| heads * config.head_dim);
        let paired = |view: View| match (heads, info.shape.as_slice()) {
            (Some(heads), [found, columns]) if *found == rows && *columns > 0 => view.paired(heads, *columns),
            (Some(heads), [found]) if *found == rows => view.paired(heads, 1),
            _ => view,
        };
        weights.insert_view(&renamed, &info.shape, view.map(paired));
    }
    weights.unfuse(config)?;
    Ok(weights)
}

/// A tensor's Hugging Face name; `None` for what is read elsewhere or not at all.
fn renamed(name: &str, config: &Config) -> Option<String> {
    let whole = match name {
        "token_embd.weight" => Some("model.embed_tokens.weight"),
        "output_norm.weight" => Some("model.norm.weight"),
        "output.weight" => Some("lm_head.weight"),
        _ => None,
    };
    if let Some(whole) = whole {
        return Some(whole.to_owned());
    }
    let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let fused = config.architecture == Architecture::Phi3;
    let part = match part {
        "attn_norm" => "input_layernorm",
        "attn_q" => "self_attn.q_proj",
        "attn_k" => "self_attn.k_proj",
        "attn_v" => "self_attn.v_proj",
        "attn_qkv" => "self_attn.qkv_proj",
        "attn_q_norm" => "self_attn.q_norm",
        "attn_k_norm" => "self_attn.k_norm",
        "attn_output" => "self_attn.o_proj",
        "ffn_norm" | "post_attention_norm" => "post_attention_layernorm",
        "post_ffw_norm" => "post_feedforward_layernorm",
        "ffn_gate" => "mlp.gate_proj",
        "ffn_up" if fused => "mlp.gate_up_proj",
        "ffn_up" => "mlp.up_proj",
        "ffn_down" => "mlp.down_proj",
        _ => return None,
    };
    Some(format!("model.layers.{layer}.{part}.{kind}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The values of a file's first tensor.
    pub(crate) fn first(path: &Path) -> Vec<f32> {
        let header = Header::read(&Bytes::map(path).unwrap(), "x").unwrap();
        let (_, info) = header.tensors.into_iter().next().unwrap();
        info.view.unwrap().values()
    }

    #[test]
    fn a_file_that_holds_no_such_model_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/gguf/tiny.gguf");
        let bytes = std::fs::read(tiny).unwrap();
        let says = |bytes: &[u8], part: &str| {
            std::fs::write(&path, bytes).unwrap();
            let error = LocalModel::from_gguf(&path).err().unwrap().to_string();
            assert!(error.contains(part), "{error}");
        };
        let with = |from: &str, to: &str| {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut changed = bytes.clone();
            changed[at..at + from.len()].copy_from_slice(to.as_bytes());
            changed
        };
        says(b"", "is no GGUF file");
        says(&bytes[..bytes.len() / 2], "cut short");
        says(&with("general.architecture", "general.architekture"), "holds architecture \"\"");
        says(&with("llama.block_count", "llama.block_kount"), "has no whole number as llama.block_count");
        says(&with("output_norm.weight", "output_worm.weight"), "tensor model.norm.weight: found nothing");
        says(&with("tokenizer.ggml.tokens", "tokenizer.ggml.tokans"), "has no tokenizer");
    }
}
