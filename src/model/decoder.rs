//! The reference decoder, on candle: plain, differentiable, and what faster ones are held
//! against; and what draws on a GPU.
//!
//! candle's fused norm, rotation and softmax have no way back, so that all three are written
//! out in operations that have one.

mod draw;
#[cfg(test)]
mod tests;

use super::config::QueryKeyNorm;
use super::{Config, ModelError, Weights};
use candle_core::{D, DType, Device, Result, Tensor};
use std::collections::HashMap;

/// A decoder of candle tensors.
#[derive(Clone)]
pub struct Decoder {
    config: Config,
    device: Device,
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    head: Tensor,
}

#[derive(Clone)]
struct Layer {
    attention_norm: Option<Tensor>,
    q: Linear,
    k: Linear,
    v: Linear,
    query_key_norm: Option<[Tensor; 2]>,
    out: Linear,
    /// Before the residual is added, in families whose norms stand after.
    after_attention: Option<Tensor>,
    feed_forward_norm: Option<Tensor>,
    gate: Linear,
    up: Linear,
    down: Linear,
    after_feed_forward: Option<Tensor>,
}

#[derive(Clone)]
struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

/// Keys and values of what was already read, for each layer: batch × heads × time × size.
#[derive(Clone, Default)]
pub struct Cache {
    layers: Vec<(Tensor, Tensor)>,
    /// Positions that the text may reach: some rotations depend on it.
    extent: usize,
}

impl Cache {
    /// For texts of up to `extent` positions.
    pub fn new(extent: usize) -> Self {
        Self { layers: Vec::new(), extent }
    }

    /// Tokens read so far.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, |(k, _)| k.dims()[2])
    }

    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The cache of the given rows of the batch, in that order.
    ///
    /// # Errors
    /// A row that is not there.
    pub fn rows(&self, rows: &[u32]) -> Result<Self> {
        let Some((k, _)) = self.layers.first() else { return Ok(self.clone()) };
        let index = Tensor::new(rows, k.device())?;
        let pick = |t: &Tensor| t.contiguous()?.index_select(&index, 0);
        let layers = self.layers.iter().map(|(k, v)| Ok((pick(k)?, pick(v)?))).collect::<Result<_>>()?;
        Ok(Self { layers, extent: self.extent })
    }
}

impl Decoder {
    /// The decoder of some weights, on the CPU in f32.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape.
    pub fn new(config: &Config, weights: &Weights) -> std::result::Result<Self, ModelError> {
        Self::on(&Device::Cpu, config, weights)
    }

    /// The decoder of some weights, in f32 on a device.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape, and what the device reports.
    pub fn on(device: &Device, config: &Config, weights: &Weights) -> std::result::Result<Self, ModelError> {
        let mut tensors = HashMap::new();
        for (name, shape) in config.tensors() {
            let data = weights.get(&name, &shape)?;
            let tensor = Tensor::from_slice(&data, shape, device)?;
            tensors.insert(name, tensor);
        }
        Ok(Self::from_tensors(config, &tensors)?)
    }

    /// The decoder of tensors by their names; those of a training step are variables.
    ///
    /// # Errors
    /// A tensor that is missing.
    pub fn from_tensors(config: &Config, tensors: &HashMap<String, Tensor>) -> Result<Self> {
        let get = |name: &str| match tensors.get(name) {
            Some(tensor) => Ok(tensor.clone()),
            None => Err(candle_core::Error::Msg(format!("no tensor {name}"))),
        };
        let layout = &config.layout;
        let layer = |i: usize| {
            let get = |name: &str| get(&format!("model.layers.{i}.{name}"));
            let norm = |name: &str, there: bool| there.then(|| get(&format!("{name}.weight"))).transpose();
            let linear = |name: &str, biased: bool| {
                let bias = biased.then(|| get(&format!("{name}.bias"))).transpose()?;
                Ok::<_, candle_core::Error>(Linear { weight: get(&format!("{name}.weight"))?, bias })
            };
            let post = layout.post_norm;
            Ok(Layer {
                attention_norm: norm("input_layernorm", !post)?,
                q: linear("self_attn.q_proj", layout.query_key_value_bias)?,
                k: linear("self_attn.k_proj", layout.query_key_value_bias)?,
                v: linear("self_attn.v_proj", layout.query_key_value_bias)?,
                query_key_norm: match config.query_key_norms() {
                    Some(_) => Some([get("self_attn.q_norm.weight")?, get("self_attn.k_norm.weight")?]),
                    None => None,
                },
                out: linear("self_attn.o_proj", layout.output_bias)?,
                after_attention: norm("post_attention_layernorm", post)?,
                feed_forward_norm: norm("post_attention_layernorm", !post)?,
                gate: linear("mlp.gate_proj", false)?,
                up: linear("mlp.up_proj", false)?,
                down: linear("mlp.down_proj", false)?,
                after_feed_forward: norm("post_feedforward_layernorm", post)?,
            })
        };
        let embedding = get("model.embed_tokens.weight")?;
        Ok(Self {
            layers: (0..config.layers).map(layer).collect::<Result<_>>()?,
            norm: get("model.norm.weight")?,
            head: if config.tied { embedding.clone() } else { get("lm_head.weight")? },
            device: embedding.device().clone(),
            embedding,
            config: config.clone(),
        })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Logits (batch × time × vocabulary) of `tokens` (batch × time, u32) that continue
    /// what `cache` holds; they are added to it.
    ///
    /// # Errors
    /// A token outside the vocabulary, a position beyond the last.
    pub fn forward(&self, tokens: &Tensor, cache: &mut Cache) -> Result<Tensor> {
        let (batch, time) = tokens.dims2()?;
        let past = cache.len();
        if past + time > self.config.max_positions {
            return Err(candle_core::Error::Msg(format!("position {} is beyond the last", past + time)));
        }
        let (cos, sin) = self.angles(past, time, cache.extent)?;
        let mut masks = HashMap::new();
        let mut x = self.embedding.index_select(&tokens.flatten_all()?, 0)?.reshape((batch, time, ()))?;
        let mut extended = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let h = self.normed(&x, layer.attention_norm.as_ref())?;
            let (q, k, v) = (layer.q.of(&h)?, layer.k.of(&h)?, layer.v.of(&h)?);
            let [q, k] = self.norm_heads(q, k, layer)?;
            let q = rotate(&q, &cos, &sin)?;
            let mut k = rotate(&k, &cos, &sin)?;
            let mut v = heads(&v, self.config.kv_heads)?;
            if let Some((past_k, past_v)) = cache.layers.get(i) {
                k = Tensor::cat(&[past_k, &k], 2)?;
                v = Tensor::cat(&[past_v, &v], 2)?;
            }
            let window = self.config.window(i);
            if !masks.contains_key(&window) {
                masks.insert(window, self.mask(past, time, window)?);
            }
            let out = layer.out.of(&self.attend(&q, &k, &v, &masks[&window])?)?;
            extended.push((k, v));
            x = (x + self.normed(&out, layer.after_attention.as_ref())?)?;
            let h = self.normed(&x, layer.feed_forward_norm.as_ref())?;
            let gate = layer.gate.of(&h)?;
            let active = (&gate / (gate.neg()?.exp()? + 1.0)?)?.mul(&layer.up.of(&h)?)?;
            x = (x + self.normed(&layer.down.of(&active)?, layer.after_feed_forward.as_ref())?)?;
        }
        cache.layers = extended;
        linear(&self.rms_norm(&x, &self.norm)?, &self.head)
    }

    /// Cosines and sines of `time` positions after `past`, each time × pairs.
    fn angles(&self, past: usize, time: usize, extent: usize) -> Result<(Tensor, Tensor)> {
        let rotation = self.config.rotation(extent.max(past + time));
        let (cos, sin): (Vec<_>, Vec<_>) = (past..past + time).map(|p| rotation.at(p)).unzip();
        let table = |rows: Vec<Vec<f32>>| Tensor::from_vec(rows.concat(), (time, ()), &self.device);
        Ok((table(cos)?, table(sin)?))
    }

    /// 0 where a token may look, −∞ elsewhere: time × (past + time).
    fn mask(&self, past: usize, time: usize, window: Option<usize>) -> Result<Tensor> {
        let all = past + time;
        let seen = |i: usize| {
            let (from, to) = (past + i / all, i % all);
            to <= from && window.is_none_or(|w| from - to < w)
        };
        let mask: Vec<f32> = (0..time * all).map(|i| if seen(i) { 0.0 } else { f32::NEG_INFINITY }).collect();
        Tensor::from_vec(mask, (time, all), &self.device)
    }

    fn normed(&self, x: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
        weight.map_or_else(|| Ok(x.clone()), |weight| self.rms_norm(x, weight))
    }

    fn rms_norm(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + self.config.norm_eps)?.sqrt()?;
        x.broadcast_div(&scale)?.broadcast_mul(weight)
    }

    /// Queries and keys by head, after their norms.
    fn norm_heads(&self, q: Tensor, k: Tensor, layer: &Layer) -> Result<[Tensor; 2]> {
        let [q_heads, k_heads] = [self.config.heads, self.config.kv_heads];
        let Some([q_norm, k_norm]) = &layer.query_key_norm else {
            return Ok([heads(&q, q_heads)?, heads(&k, k_heads)?]);
        };
        if self.config.layout.query_key_norm == QueryKeyNorm::Head {
            let [q, k] = [heads(&q, q_heads)?, heads(&k, k_heads)?];
            return Ok([self.rms_norm(&q, q_norm)?, self.rms_norm(&k, k_norm)?]);
        }
        let [q, k] = [self.rms_norm(&q, q_norm)?, self.rms_norm(&k, k_norm)?];
        Ok([heads(&q, q_heads)?, heads(&k, k_heads)?])
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

impl Linear {
    fn of(&self, x: &Tensor) -> Result<Tensor> {
        let out = linear(x, &self.weight)?;
        match &self.bias {
            Some(bias) => out.broadcast_add(bias),
            None => Ok(out),
        }
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

/// Hugging Face's rotary positions: element i of a head is turned with element i + half of
/// the dimensions that turn; the others stay.
fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (half, all) = (cos.dim(D::Minus1)?, x.dim(D::Minus1)?);
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let turned_a = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
    let turned_b = (b.broadcast_mul(cos)? + a.broadcast_mul(sin)?)?;
    let rest = (all > 2 * half).then(|| x.narrow(D::Minus1, 2 * half, all - 2 * half)).transpose()?;
    let parts: Vec<Tensor> = [turned_a, turned_b].into_iter().chain(rest).collect();
    Tensor::cat(&parts, D::Minus1)?.to_dtype(DType::F32)
}
