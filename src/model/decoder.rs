//! The reference decoder, on candle: plain, differentiable, and what faster ones are held
//! against.
//!
//! candle's fused norm, rotation and softmax have no way back, so that all three are written
//! out in operations that have one.

mod draw;

use super::{Config, ModelError, Weights};
use candle_core::{D, DType, Device, Result, Tensor};
use std::collections::HashMap;

/// A Llama-style decoder of candle tensors.
#[derive(Clone)]
pub struct Decoder {
    config: Config,
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    head: Tensor,
    /// `max_positions` × `head_dim / 2`.
    cos: Tensor,
    sin: Tensor,
}

#[derive(Clone)]
struct Layer {
    norm: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    out: Tensor,
    norm2: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

/// Keys and values of what was already read, for each layer: batch × heads × time × size.
#[derive(Clone, Default)]
pub struct Cache(Vec<(Tensor, Tensor)>);

impl Cache {
    /// Tokens read so far.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, |(k, _)| k.dims()[2])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cache of the given rows of the batch, in that order.
    ///
    /// # Errors
    /// A row that is not there.
    pub fn rows(&self, rows: &[u32]) -> Result<Self> {
        let index = Tensor::new(rows, &Device::Cpu)?;
        let pick = |t: &Tensor| t.contiguous()?.index_select(&index, 0);
        self.0.iter().map(|(k, v)| Ok((pick(k)?, pick(v)?))).collect::<Result<_>>().map(Self)
    }
}

impl Decoder {
    /// The decoder of some weights, on the CPU in f32.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape.
    pub fn new(config: &Config, weights: &Weights) -> std::result::Result<Self, ModelError> {
        let mut tensors = HashMap::new();
        for (name, shape) in config.tensors() {
            let data = weights.get(&name, &shape)?;
            let tensor = Tensor::from_slice(data, shape, &Device::Cpu)?;
            tensors.insert(name, tensor);
        }
        Ok(Self::from_tensors(config, &tensors)?)
    }

    /// The decoder of tensors by name, which may be variables that gradients are taken of.
    ///
    /// # Errors
    /// A tensor that is missing.
    pub fn from_tensors(config: &Config, tensors: &HashMap<String, Tensor>) -> Result<Self> {
        let get = |name: &str| {
            let tensor = tensors.get(name).cloned();
            tensor.ok_or_else(|| candle_core::Error::Msg(format!("no tensor {name}")))
        };
        let layer = |l: usize| {
            let get = |name: &str| get(&format!("model.layers.{l}.{name}.weight"));
            Ok(Layer {
                norm: get("input_layernorm")?,
                q: get("self_attn.q_proj")?,
                k: get("self_attn.k_proj")?,
                v: get("self_attn.v_proj")?,
                out: get("self_attn.o_proj")?,
                norm2: get("post_attention_layernorm")?,
                gate: get("mlp.gate_proj")?,
                up: get("mlp.up_proj")?,
                down: get("mlp.down_proj")?,
            })
        };
        let embedding = get("model.embed_tokens.weight")?;
        let half = config.head_dim / 2;
        let angles: Vec<f64> = (0..config.max_positions * half)
            .map(|i| (i / half) as f64 * config.rope_theta.powf(-((i % half) as f64) / half as f64))
            .collect();
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|a| f(*a) as f32).collect();
            Tensor::from_vec(values, (config.max_positions, half), &Device::Cpu)
        };
        Ok(Self {
            layers: (0..config.layers).map(layer).collect::<Result<_>>()?,
            norm: get("model.norm.weight")?,
            head: if config.tied { embedding.clone() } else { get("lm_head.weight")? },
            embedding,
            cos: table(f64::cos)?,
            sin: table(f64::sin)?,
            config: config.clone(),
        })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Logits (batch × time × vocabulary) of `tokens` (batch × time, u32) that continue
    /// what `cache` holds; they are added to it.
    ///
    /// # Errors
    /// A token outside the vocabulary, a position beyond the last.
    pub fn forward(&self, tokens: &Tensor, cache: &mut Cache) -> Result<Tensor> {
        let (batch, time) = tokens.dims2()?;
        let past = cache.len();
        let (cos, sin) = (self.cos.narrow(0, past, time)?, self.sin.narrow(0, past, time)?);
        let mask: Vec<f32> = (0..time * (past + time))
            .map(|i| if i % (past + time) > past + i / (past + time) { f32::NEG_INFINITY } else { 0.0 })
            .collect();
        let mask = Tensor::from_vec(mask, (time, past + time), &Device::Cpu)?;
        let mut x = self.embedding.index_select(&tokens.flatten_all()?, 0)?.reshape((batch, time, ()))?;
        let mut extended = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let h = self.rms_norm(&x, &layer.norm)?;
            let (q, kv) = (self.config.heads, self.config.kv_heads);
            let q = rotate(&heads(&linear(&h, &layer.q)?, q)?, &cos, &sin)?;
            let mut k = rotate(&heads(&linear(&h, &layer.k)?, kv)?, &cos, &sin)?;
            let mut v = heads(&linear(&h, &layer.v)?, kv)?;
            if let Some((past_k, past_v)) = cache.0.get(i) {
                k = Tensor::cat(&[past_k, &k], 2)?;
                v = Tensor::cat(&[past_v, &v], 2)?;
            }
            let out = self.attend(&q, &k, &v, &mask)?;
            extended.push((k, v));
            x = (x + linear(&out, &layer.out)?)?;
            let h = self.rms_norm(&x, &layer.norm2)?;
            let gate = linear(&h, &layer.gate)?;
            let active = (&gate / (gate.neg()?.exp()? + 1.0)?)?.mul(&linear(&h, &layer.up)?)?;
            x = (x + linear(&active, &layer.down)?)?;
        }
        cache.0 = extended;
        linear(&self.rms_norm(&x, &self.norm)?, &self.head)
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + self.config.norm_eps)?.sqrt()?;
        x.broadcast_div(&scale)?.broadcast_mul(weight)
    }

    /// batch × time × (heads · size), from queries, keys and values by head.
    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (batch, _, time, size) = q.dims4()?;
        let group = self.config.heads / self.config.kv_heads;
        let (k, v) = (shared(k, group)?, shared(v, group)?);
        let scores = (q.contiguous()?.matmul(&k.t()?.contiguous()?)? / (size as f64).sqrt())?;
        let scores = scores.broadcast_add(mask)?;
        let top = scores.max_keepdim(D::Minus1)?.detach();
        let weights = scores.broadcast_sub(&top)?.exp()?;
        let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
        weights.matmul(&v)?.transpose(1, 2)?.contiguous()?.reshape((batch, time, ()))
    }
}

/// ln softmax over the last dimension, in operations that have a gradient.
///
/// # Errors
/// None that well-formed logits give.
pub fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// x · wᵀ for x of batch × time × inputs.
fn linear(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    let (batch, time, inputs) = x.dims3()?;
    x.reshape((batch * time, inputs))?.matmul(&w.t()?)?.reshape((batch, time, ()))
}

/// batch × time × (heads · size) to batch × heads × time × size.
fn heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, time, _) = x.dims3()?;
    x.reshape((batch, time, heads, ()))?.transpose(1, 2)?.contiguous()
}

/// Each key-value head once for every query head that shares it.
fn shared(x: &Tensor, group: usize) -> Result<Tensor> {
    if group == 1 {
        return x.contiguous();
    }
    let (batch, heads, time, size) = x.dims4()?;
    x.unsqueeze(2)?.broadcast_as((batch, heads, group, time, size))?.contiguous()?.reshape((
        batch,
        heads * group,
        time,
        size,
    ))
}

/// Hugging Face's rotary positions: element i of a head is turned with element i + half.
fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let turned_a = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
    let turned_b = (b.broadcast_mul(cos)? + a.broadcast_mul(sin)?)?;
    Tensor::cat(&[turned_a, turned_b], D::Minus1)?.to_dtype(DType::F32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{config::tests::tiny, weights::tests::random};
    use candle_transformers::models::llama;

    fn row(tokens: &[u32]) -> Tensor {
        Tensor::new(tokens, &Device::Cpu).unwrap().unsqueeze(0).unwrap()
    }

    fn difference(a: &Tensor, b: &Tensor) -> f32 {
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn logits_equal_those_of_candles_llama() {
        for config in [tiny(), Config { tied: false, kv_heads: 3, ..tiny() }] {
            let weights = random(&config, 5);
            let tensors: HashMap<String, Tensor> = weights
                .iter()
                .map(|(n, s, d)| (n.to_owned(), Tensor::from_slice(d, s, &Device::Cpu).unwrap()))
                .collect();
            let file: llama::LlamaConfig = serde_json::from_str(&config.to_json()).unwrap();
            let file = file.into_config(false);
            let builder = candle_nn::VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
            let theirs = llama::Llama::load(builder, &file).unwrap();
            let mut cache = llama::Cache::new(true, DType::F32, &file, &Device::Cpu).unwrap();
            let tokens = row(&[3, 1, 36, 0, 7, 7, 20]);
            let want = theirs.forward(&tokens, 0, &mut cache).unwrap();
            let ours = Decoder::new(&config, &weights).unwrap();
            let got = ours.forward(&tokens, &mut Cache::default()).unwrap().narrow(1, 6, 1).unwrap();
            assert!(difference(&got.squeeze(1).unwrap(), &want) < 1e-4);
        }
    }

    #[test]
    fn a_cache_changes_nothing() {
        let decoder = Decoder::new(&tiny(), &random(&tiny(), 6)).unwrap();
        let tokens = [3, 1, 36, 0, 7, 7, 20];
        let whole = decoder.forward(&row(&tokens), &mut Cache::default()).unwrap();
        let mut cache = Cache::default();
        let first = decoder.forward(&row(&tokens[..4]), &mut cache).unwrap();
        let mut cache = cache.rows(&[0, 0]).unwrap();
        let both = Tensor::cat(&[row(&tokens[4..]), row(&[1, 2, 3])], 0).unwrap();
        let rest = decoder.forward(&both, &mut cache).unwrap().narrow(0, 0, 1).unwrap();
        assert_eq!(cache.len(), 7);
        assert!(difference(&Tensor::cat(&[first, rest], 1).unwrap(), &whole) < 1e-5);
    }
}
