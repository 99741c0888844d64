//! A layer's weights, packed from the tensors that the configuration names.

use super::matrix::Matrix;
use super::product::PANEL;
use crate::model::config::QueryKeyNorm;
use crate::model::{Config, ModelError, Weights};

/// One layer's weights. Rows of activations are padded to whole panels, and so is each head.
pub struct Layer {
    pub attention_norm: Option<Vec<f32>>,
    /// Queries, keys and values of all heads, side by side.
    pub query_key_value: Matrix,
    pub query_key_value_bias: Option<Vec<f32>>,
    pub query_key_norm: Option<[HeadNorm; 2]>,
    pub attention_output: Matrix,
    pub output_bias: Option<Vec<f32>>,
    /// Before the residual is added, in families whose norms stand after.
    pub after_attention: Option<Vec<f32>>,
    pub feed_forward_norm: Option<Vec<f32>>,
    /// Gate, then up.
    pub gate_up: Matrix,
    pub down: Matrix,
    pub after_feed_forward: Option<Vec<f32>>,
    /// Tokens that are looked back on, the own included.
    pub window: Option<usize>,
}

/// The norm of queries or of keys: of each head, or of all.
pub struct HeadNorm {
    /// As long as what is normed together, heads padded.
    pub weight: Vec<f32>,
    /// Values without the padding.
    pub size: usize,
}

/// Where a value of a packed matrix comes from: which of its tensors, and the place there.
type Place = Option<(usize, usize)>;

/// Packs matrices and norms of one model.
pub struct Packer<'a> {
    pub config: &'a Config,
    pub weights: &'a Weights,
    /// A head's dimension, padded to whole panels.
    pub head: usize,
    /// Values of fewer bits stay so where they can.
    pub compact: bool,
}

impl Layer {
    /// Bytes of its matrices.
    pub fn bytes(&self) -> usize {
        [&self.query_key_value, &self.attention_output, &self.gate_up, &self.down]
            .map(Matrix::bytes)
            .iter()
            .sum()
    }
}

impl Packer<'_> {
    pub fn layer(&self, layer: usize) -> Result<Layer, ModelError> {
        let Config { hidden_size: d, intermediate_size: ff, head_dim: real, layout, .. } = self.config;
        let (d, ff, real, head) = (*d, *ff, *real, self.head);
        let (q, kv) = (self.config.heads, self.config.kv_heads);
        let name = |name: &str| format!("model.layers.{layer}.{name}");
        let norm =
            |there: bool, of: &str| there.then(|| self.row(&name(&format!("{of}.weight")), d)).transpose();
        let half = ff.next_multiple_of(PANEL);
        let heads = [(q, "q_proj"), (kv, "k_proj"), (kv, "v_proj")];
        // A padded head and a place in it: of which tensor, and which row of it.
        let row = |n: usize| {
            let (of, place) = (n / head, n % head);
            let (tensor, of) = match of {
                of if of < q => (0, of),
                of if of < q + kv => (1, of - q),
                of => (2, of - q - kv),
            };
            (place < real).then_some((tensor, of * real + place))
        };
        let projections =
            heads.map(|(heads, of)| (name(&format!("self_attn.{of}.weight")), vec![heads * real, d]));
        let query_key_value = self.matrix(&projections, d, (q + 2 * kv) * head, |k, n| {
            row(n).map(|(tensor, row)| (tensor, row * d + k))
        })?;
        let query_key_value_bias = if layout.query_key_value_bias {
            let mut parts = Vec::new();
            for (heads, of) in heads {
                parts.push(self.weights.get(&name(&format!("self_attn.{of}.bias")), &[heads * real])?);
            }
            let value = |n: usize| row(n).map_or(0.0, |(tensor, row)| parts[tensor][row]);
            Some((0..query_key_value.columns()).map(value).collect())
        } else {
            None
        };
        let output = [(name("self_attn.o_proj.weight"), vec![d, q * real])];
        let gate_up = ["gate", "up"].map(|of| (name(&format!("mlp.{of}_proj.weight")), vec![ff, d]));
        Ok(Layer {
            attention_norm: norm(!layout.post_norm, "input_layernorm")?,
            query_key_value,
            query_key_value_bias,
            query_key_norm: self.head_norms(&name("self_attn"))?,
            attention_output: self.matrix(&output, q * head, d, |k, n| {
                let (of, place) = (k / head, k % head);
                (place < real).then_some((0, n * q * real + of * real + place))
            })?,
            output_bias: match layout.output_bias {
                true => Some(self.row(&name("self_attn.o_proj.bias"), d)?),
                false => None,
            },
            after_attention: norm(layout.post_norm, "post_attention_layernorm")?,
            feed_forward_norm: norm(!layout.post_norm, "post_attention_layernorm")?,
            gate_up: self.matrix(&gate_up, d, 2 * half, |k, n| match n % half {
                place if place < ff => Some((n / half, place * d + k)),
                _ => None,
            })?,
            down: self.matrix(&[(name("mlp.down_proj.weight"), vec![d, ff])], ff, d, |k, n| {
                Some((0, n * ff + k))
            })?,
            after_feed_forward: norm(layout.post_norm, "post_feedforward_layernorm")?,
            window: self.config.window(layer),
        })
    }

    /// The norms of queries and keys.
    fn head_norms(&self, attention: &str) -> Result<Option<[HeadNorm; 2]>, ModelError> {
        let Some([q, k]) = self.config.query_key_norms() else { return Ok(None) };
        let norm = |name: &str, size: usize| -> Result<HeadNorm, ModelError> {
            let row = self.weights.get(&format!("{attention}.{name}.weight"), &[size])?;
            let mut weight = Vec::new();
            for part in row.chunks_exact(self.config.head_dim) {
                weight.extend_from_slice(part);
                weight.resize(weight.len().next_multiple_of(self.head), 0.0);
            }
            Ok(HeadNorm { weight, size })
        };
        debug_assert_ne!(self.config.layout.query_key_norm, QueryKeyNorm::None);
        Ok(Some([norm("q_norm", q)?, norm("k_norm", k)?]))
    }

    /// A row of `size` values, padded.
    pub fn row(&self, name: &str, size: usize) -> Result<Vec<f32>, ModelError> {
        let mut row = self.weights.get(name, &[size])?.into_owned();
        row.resize(size.next_multiple_of(PANEL), 0.0);
        Ok(row)
    }

    /// The matrix whose value at (input, column) is at `place` of the tensors; nowhere is 0.
    pub fn matrix(
        &self,
        tensors: &[(String, Vec<usize>)],
        inputs: usize,
        columns: usize,
        place: impl Fn(usize, usize) -> Place,
    ) -> Result<Matrix, ModelError> {
        if self.compact {
            let (mut halves, mut blocks) = (Vec::new(), Vec::new());
            for (name, shape) in tensors {
                halves.extend(self.weights.get_half(name, shape)?);
                blocks.extend(self.weights.get_blocks(name, shape)?);
            }
            let bfloat = halves.first().is_some_and(|h| h.bfloat);
            if halves.len() == tensors.len() && halves.iter().all(|h| h.bfloat == bfloat) {
                let bits = |k, n| place(k, n).map_or(0, |(tensor, at)| halves[tensor].bits[at]);
                return Ok(Matrix::pack_half(inputs, columns, bfloat, bits));
            }
            let all = blocks.len() == tensors.len();
            if let Some(matrix) = all.then(|| Matrix::pack_blocks(inputs, columns, &blocks, &place)).flatten()
            {
                return Ok(matrix);
            }
        }
        let mut parts = Vec::new();
        for (name, shape) in tensors {
            parts.push(self.weights.get(name, shape)?);
        }
        let value = |k, n| place(k, n).map_or(0.0, |(tensor, at)| parts[tensor][at]);
        Ok(Matrix::pack(inputs, columns, value))
    }
}
