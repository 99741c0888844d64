//! The decoder as a function with a gradient, written out: forward and backward over packed
//! texts, several times faster on a CPU than through a graph of tensors.
//!
//! The texts of a batch lie row after row without padding. A text may continue a beginning
//! that others continue too, so that a group of completions pays once for its prompt, and
//! for all that some of them agree in.

mod attention;
mod kernels;
mod matrix;
#[cfg(test)]
mod tests;

pub use attention::Segment;
pub use kernels::adamw;
pub use matrix::{Into, View, product};

use crate::model::config::{Layout, Scaling};
use crate::model::{Config, ModelError, Weights};
use attention::Heads;
use std::ops::Range;

/// Where each tensor lies in a flat vector of weights.
pub struct Network {
    config: Config,
    heads: Heads,
    tensors: Vec<Slot>,
    embedding: Range<usize>,
    layers: Vec<Layer>,
    norm: Range<usize>,
    /// cos and sin for each position, `head_dim / 2` each.
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// One tensor of the flat vector.
pub struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    pub range: Range<usize>,
}

/// A layer's tensors; queries, keys and values lie side by side, so do gate and up.
struct Layer {
    norm: Range<usize>,
    qkv: Range<usize>,
    out: Range<usize>,
    norm2: Range<usize>,
    gate_up: Range<usize>,
    down: Range<usize>,
}

/// Packed texts.
#[derive(Clone, Debug)]
pub struct Batch {
    pub tokens: Vec<u32>,
    /// Position of each token in its text.
    pub positions: Vec<u32>,
    pub segments: Vec<Segment>,
    /// (row, token): the distribution after `row` is asked for `token`.
    pub targets: Vec<(usize, u32)>,
    /// Logits are divided by this before anything is read from them.
    pub temperature: f32,
    /// The derivative of the loss by the entropy (nats) of each target's distribution.
    pub entropy: f32,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            positions: Vec::new(),
            segments: Vec::new(),
            targets: Vec::new(),
            temperature: 1.0,
            entropy: 0.0,
        }
    }
}

impl Batch {
    /// Adds tokens that stand alone or continue the rows of `prefix`; gives their rows.
    pub fn push(&mut self, tokens: &[u32], prefix: &[Range<usize>]) -> Range<usize> {
        let rows = self.tokens.len()..self.tokens.len() + tokens.len();
        let first = prefix.iter().map(Range::len).sum::<usize>();
        self.tokens.extend_from_slice(tokens);
        self.positions.extend((0..tokens.len()).map(|i| (first + i) as u32));
        self.segments.push(Segment { rows: rows.clone(), prefix: prefix.to_vec() });
        rows
    }

    /// The targets, those of one row side by side.
    fn by_row(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.targets.len()).collect();
        order.sort_by_key(|i| self.targets[*i].0);
        order
    }

    /// The same, row by row: the row, and its targets.
    fn asked<'a>(&'a self, order: &'a [usize]) -> impl Iterator<Item = (usize, &'a [usize])> {
        order
            .chunk_by(|a, b| self.targets[*a].0 == self.targets[*b].0)
            .map(|all| (self.targets[all[0]].0, all))
    }
}

/// Memory that is kept from batch to batch.
#[derive(Default)]
pub struct Workspace {
    layers: Vec<Kept>,
    x: Vec<f32>,
    normed: Vec<f32>,
    scale: Vec<f32>,
    asked: Vec<f32>,
    logits: Vec<f32>,
    dx: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
    scratch: Vec<f32>,
}

/// What a layer's way back needs.
#[derive(Default)]
struct Kept {
    x: Vec<f32>,
    scale: Vec<f32>,
    normed: Vec<f32>,
    qkv: Vec<f32>,
    probabilities: Vec<f32>,
    out: Vec<f32>,
    x2: Vec<f32>,
    scale2: Vec<f32>,
    normed2: Vec<f32>,
    gate_up: Vec<f32>,
    active: Vec<f32>,
}

impl Network {
    /// Whether this network is what a configuration describes.
    ///
    /// # Errors
    /// What it has that this network has not, in words.
    pub fn check(config: &Config) -> Result<(), String> {
        if !config.tied {
            return Err("its output head is not its embedding".to_owned());
        }
        if config.eos.is_empty() {
            return Err("it names no token that ends a text".to_owned());
        }
        const LAYER: [&str; 9] = [
            "input_layernorm",
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "post_attention_layernorm",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj",
        ];
        let layer = |l| LAYER.map(|name| format!("model.layers.{l}.{name}.weight"));
        let mut known = vec!["model.embed_tokens.weight".to_owned()];
        known.extend((0..config.layers).flat_map(layer));
        known.push("model.norm.weight".to_owned());
        let odd = config.tensors().into_iter().map(|(name, _)| name).find(|name| !known.contains(name));
        if let Some(name) = odd {
            return Err(format!("it has a tensor {name}, and only plain Llama models are trained"));
        }
        if config.rope_scaling != Scaling::None || config.layout != Layout::default() {
            return Err("its positions or windows are not those of a plain Llama model".to_owned());
        }
        Ok(())
    }

    /// The network of a configuration that passes [`Network::check`].
    pub fn new(config: &Config) -> Self {
        let mut end = 0;
        let tensors: Vec<Slot> = config
            .tensors()
            .into_iter()
            .map(|(name, shape)| {
                let start = end;
                end += shape.iter().product::<usize>();
                Slot { name, shape, range: start..end }
            })
            .collect();
        let at = |i: usize| tensors[i].range.clone();
        let layers = (0..config.layers)
            .map(|l| {
                let t = 1 + 9 * l;
                Layer {
                    norm: at(t),
                    qkv: at(t + 1).start..at(t + 3).end,
                    out: at(t + 4),
                    norm2: at(t + 5),
                    gate_up: at(t + 6).start..at(t + 7).end,
                    down: at(t + 8),
                }
            })
            .collect();
        let half = config.head_dim / 2;
        let angle = |i: usize| {
            let (position, pair) = (i / half, i % half);
            position as f64 * config.rope_theta.powf(-(pair as f64) / half as f64)
        };
        let angles = 0..config.max_positions * half;
        Self {
            heads: Heads::new(config),
            embedding: at(0),
            layers,
            norm: at(1 + 9 * config.layers),
            cos: angles.clone().map(|i| angle(i).cos() as f32).collect(),
            sin: angles.map(|i| angle(i).sin() as f32).collect(),
            config: config.clone(),
            tensors,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Every tensor in the order of the flat vector.
    pub fn tensors(&self) -> &[Slot] {
        &self.tensors
    }

    /// Weights in all.
    pub fn parameters(&self) -> usize {
        self.norm.end
    }

    /// The flat vector as tensors.
    pub fn unpack(&self, flat: &[f32], origin: &str) -> Weights {
        let mut weights = Weights::new(origin);
        for t in &self.tensors {
            weights.insert(&t.name, &t.shape, flat[t.range.clone()].to_vec());
        }
        weights
    }

    /// Tensors as the flat vector.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape.
    pub fn pack(&self, weights: &Weights) -> Result<Vec<f32>, ModelError> {
        let mut flat = Vec::with_capacity(self.parameters());
        for t in &self.tensors {
            flat.extend_from_slice(&weights.get(&t.name, &t.shape)?);
        }
        Ok(flat)
    }

    /// The log-probability of each target, nats, at the batch's temperature.
    pub fn logprobs(&self, w: &[f32], batch: &Batch, space: &mut Workspace) -> Vec<f32> {
        let order = batch.by_row();
        self.ask(w, batch, &order, space);
        let mut logprobs = vec![0.0; batch.targets.len()];
        for (row, (_, targets)) in
            space.logits.chunks_exact_mut(self.config.vocab_size).zip(batch.asked(&order))
        {
            kernels::log_softmax(row);
            for i in targets {
                logprobs[*i] = row[batch.targets[*i].1 as usize];
            }
        }
        logprobs
    }

    /// Runs the batch forward and back. For target i with log-probability lp (nats, at the
    /// batch's temperature) `slope(i, lp)` gives the derivative of the loss by it; the
    /// loss's gradient is added to `gradient`.
    pub fn step(
        &self,
        w: &[f32],
        batch: &Batch,
        space: &mut Workspace,
        gradient: &mut [f32],
        mut slope: impl FnMut(usize, f32) -> f32,
    ) {
        let order = batch.by_row();
        let asked = self.ask(w, batch, &order, space);
        let (d, v) = (self.config.hidden_size, self.config.vocab_size);
        let (head, x) = (View::new(&w[self.embedding.clone()], v, d), View::new(&space.asked, asked, d));
        let mut slopes = Vec::new();
        for (row, (_, targets)) in space.logits.chunks_exact_mut(v).zip(batch.asked(&order)) {
            kernels::log_softmax(row);
            let id = |i: &usize| batch.targets[*i].1 as usize;
            slopes.clear();
            slopes.extend(targets.iter().map(|i| slope(*i, row[id(i)])));
            let sum = slopes.iter().sum();
            if batch.entropy == 0.0 {
                kernels::scaled_exp(row, sum);
            } else {
                kernels::scaled_exp_and_entropy(row, sum, batch.entropy * targets.len() as f32);
            }
            for (i, slope) in targets.iter().zip(&slopes) {
                row[id(i)] += slope;
            }
        }
        let dlogits = View::new(&space.logits, asked, v);
        let scale = 1.0 / batch.temperature;
        product(&mut gradient[self.embedding.clone()], d, Into::Add, scale, dlogits.t(), x);
        space.narrow.resize(asked.max(batch.tokens.len()) * d, 0.0);
        product(&mut space.narrow, d, Into::Replace, scale, dlogits, head);
        // `normed` has served: it holds its own gradient from here on.
        space.normed.fill(0.0);
        for (row, (at, _)) in space.narrow.chunks_exact(d).zip(batch.asked(&order)) {
            space.normed[at * d..(at + 1) * d].copy_from_slice(row);
        }
        self.backward(w, batch, space, gradient);
    }

    /// Runs the batch forward; `logits` gets a row for each that is asked for targets. Gives
    /// their number.
    fn ask(&self, w: &[f32], batch: &Batch, order: &[usize], space: &mut Workspace) -> usize {
        self.forward(w, batch, space);
        let (d, v) = (self.config.hidden_size, self.config.vocab_size);
        space.asked.clear();
        for (at, _) in batch.asked(order) {
            space.asked.extend_from_slice(&space.normed[at * d..(at + 1) * d]);
        }
        let asked = space.asked.len() / d;
        space.logits.resize(asked * v, 0.0);
        let (head, x) = (View::new(&w[self.embedding.clone()], v, d), View::new(&space.asked, asked, d));
        product(&mut space.logits, v, Into::Replace, 1.0 / batch.temperature, x, head.t());
        asked
    }

    fn forward(&self, w: &[f32], batch: &Batch, space: &mut Workspace) {
        let (n, c) = (batch.tokens.len(), &self.config);
        let (d, ff, q) = (c.hidden_size, c.intermediate_size, c.heads * c.head_dim);
        let eps = c.norm_eps as f32;
        space.layers.resize_with(c.layers, Kept::default);
        space.x.resize(n * d, 0.0);
        for (row, token) in space.x.chunks_exact_mut(d).zip(&batch.tokens) {
            let at = *token as usize * d;
            row.copy_from_slice(&w[self.embedding.clone()][at..at + d]);
        }
        for (layer, kept) in self.layers.iter().zip(&mut space.layers) {
            kept.resize(n, d, ff, q, self.heads.width);
            kept.x.copy_from_slice(&space.x);
            kernels::rms_norm(&kept.x, &w[layer.norm.clone()], eps, &mut kept.normed, &mut kept.scale);
            linear(&kept.normed, &w[layer.qkv.clone()], d, Into::Replace, &mut kept.qkv);
            self.rotate(&mut kept.qkv, &batch.positions, 1.0);
            self.heads.attend(&batch.segments, &kept.qkv, &mut kept.out, &mut kept.probabilities);
            linear(&kept.out, &w[layer.out.clone()], q, Into::Add, &mut space.x);
            kept.x2.copy_from_slice(&space.x);
            kernels::rms_norm(&kept.x2, &w[layer.norm2.clone()], eps, &mut kept.normed2, &mut kept.scale2);
            linear(&kept.normed2, &w[layer.gate_up.clone()], d, Into::Replace, &mut kept.gate_up);
            kernels::swiglu(&kept.gate_up, ff, &mut kept.active);
            linear(&kept.active, &w[layer.down.clone()], ff, Into::Add, &mut space.x);
        }
        space.normed.resize(n * d, 0.0);
        space.scale.resize(n, 0.0);
        kernels::rms_norm(&space.x, &w[self.norm.clone()], eps, &mut space.normed, &mut space.scale);
    }

    fn backward(&self, w: &[f32], batch: &Batch, space: &mut Workspace, gradient: &mut [f32]) {
        let (n, c) = (batch.tokens.len(), &self.config);
        let (d, ff, q) = (c.hidden_size, c.intermediate_size, c.heads * c.head_dim);
        let Workspace { layers, x, normed, scale, dx, wide, narrow, scratch, .. } = space;
        dx.clear();
        dx.resize(n * d, 0.0);
        let norm = self.norm.clone();
        kernels::rms_norm_back(normed, x, &w[norm.clone()], scale, dx, &mut gradient[norm]);
        for (layer, kept) in self.layers.iter().zip(layers).rev() {
            wide.resize(n * ff, 0.0);
            linear_back(dx, &w[layer.down.clone()], ff, wide);
            linear_weight(dx, &kept.active, ff, &mut gradient[layer.down.clone()]);
            kernels::swiglu_back(wide, ff, &mut kept.gate_up);
            narrow.resize(n * d, 0.0);
            linear_back(&kept.gate_up, &w[layer.gate_up.clone()], d, narrow);
            linear_weight(&kept.gate_up, &kept.normed2, d, &mut gradient[layer.gate_up.clone()]);
            let norm = layer.norm2.clone();
            kernels::rms_norm_back(narrow, &kept.x2, &w[norm.clone()], &kept.scale2, dx, &mut gradient[norm]);
            narrow.resize(n * q, 0.0);
            linear_back(dx, &w[layer.out.clone()], q, narrow);
            linear_weight(dx, &kept.out, q, &mut gradient[layer.out.clone()]);
            wide.clear();
            wide.resize(n * self.heads.width, 0.0);
            self.heads.attend_back(&batch.segments, &kept.qkv, &kept.probabilities, narrow, wide, scratch);
            self.rotate(wide, &batch.positions, -1.0);
            narrow.resize(n * d, 0.0);
            linear_back(wide, &w[layer.qkv.clone()], d, narrow);
            linear_weight(wide, &kept.normed, d, &mut gradient[layer.qkv.clone()]);
            let norm = layer.norm.clone();
            kernels::rms_norm_back(narrow, &kept.x, &w[norm.clone()], &kept.scale, dx, &mut gradient[norm]);
        }
        for (row, token) in dx.chunks_exact(d).zip(&batch.tokens) {
            let at = self.embedding.start + *token as usize * d;
            for (sum, x) in gradient[at..at + d].iter_mut().zip(row) {
                *sum += x;
            }
        }
    }

    /// Rotary positions of queries and keys, which stand first in a row.
    fn rotate(&self, qkv: &mut [f32], positions: &[u32], sign: f32) {
        let half = self.config.head_dim / 2;
        let heads = self.config.heads + self.config.kv_heads;
        for (row, position) in qkv.chunks_exact_mut(self.heads.width).zip(positions) {
            let at = *position as usize * half..(*position as usize + 1) * half;
            kernels::rotate(row, heads, &self.cos[at.clone()], &self.sin[at], sign);
        }
    }
}

impl Kept {
    fn resize(&mut self, n: usize, d: usize, ff: usize, q: usize, qkv: usize) {
        for (buffer, width) in [
            (&mut self.x, d),
            (&mut self.scale, 1),
            (&mut self.normed, d),
            (&mut self.qkv, qkv),
            (&mut self.out, q),
            (&mut self.x2, d),
            (&mut self.scale2, 1),
            (&mut self.normed2, d),
            (&mut self.gate_up, 2 * ff),
            (&mut self.active, ff),
        ] {
            buffer.resize(n * width, 0.0);
        }
    }
}

/// y = or += x · wᵀ, where w has rows of `inputs`.
fn linear(x: &[f32], w: &[f32], inputs: usize, into: Into, y: &mut [f32]) {
    let (n, outputs) = (x.len() / inputs, w.len() / inputs);
    product(y, outputs, into, 1.0, View::new(x, n, inputs), View::new(w, outputs, inputs).t());
}

/// dx = dy · w.
fn linear_back(dy: &[f32], w: &[f32], inputs: usize, dx: &mut [f32]) {
    let outputs = w.len() / inputs;
    let n = dy.len() / outputs;
    product(dx, inputs, Into::Replace, 1.0, View::new(dy, n, outputs), View::new(w, outputs, inputs));
}

/// dw += dyᵀ · x.
fn linear_weight(dy: &[f32], x: &[f32], inputs: usize, dw: &mut [f32]) {
    let (n, outputs) = (x.len() / inputs, dw.len() / inputs);
    product(dw, inputs, Into::Add, 1.0, View::new(dy, n, outputs).t(), View::new(x, n, inputs));
}
