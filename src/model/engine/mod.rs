//! Many completions of one prompt on the CPU.
//!
//! Made for one job: the prompt is read once and its keys and values are shared; some
//! completions are drawn side by side, and as one ends the next takes its place.
//! A call runs on the caller's thread; several threads share one engine.
//!
//! Completion i is the same to the bit whatever is drawn beside it: every kernel computes
//! a row in an order that does not depend on the other rows.

mod attention;
mod batch;
mod cache;
mod kernels;
mod matrix;
pub(super) mod simd;
mod step;
#[cfg(test)]
mod tests;

use super::{Config, Generator, ModelError, Observer, Request, Weights};
use matrix::{Matrix, PANEL};
pub use simd::Level;
use std::sync::Mutex;
pub(super) use step::Workspace;

/// Completions drawn side by side with a small model: more of their caches would push one
/// another out of the processor's.
const SMALL_BATCH: usize = 36;

/// With a large model, whose weights should serve many rows each time they are read.
const LARGE_BATCH: usize = 72;

/// Weights of a model that is small, in bytes.
const SMALL: usize = 8 << 20;

/// A decoder whose weights are packed for the processor's vectors.
pub struct Engine {
    config: Config,
    level: Level,
    /// Of a head, padded to whole panels.
    head: usize,
    batch: usize,
    layers: Vec<Layer>,
    final_norm: Vec<f32>,
    output: Matrix,
    /// A row a token; `None` where the columns of `output` are the embeddings.
    embeddings: Option<Vec<f32>>,
    /// Scratch memory that no call uses now.
    idle: Mutex<Vec<Workspace>>,
}

/// One layer's weights. Rows of activations are padded to whole panels, and so is each head.
struct Layer {
    attention_norm: Vec<f32>,
    /// Queries, keys and values of all heads, side by side.
    query_key_value: Matrix,
    attention_output: Matrix,
    feed_forward_norm: Vec<f32>,
    /// Gate, then up.
    gate_up: Matrix,
    down: Matrix,
}

impl Engine {
    /// Packs the weights.
    ///
    /// # Errors
    /// A tensor that is missing or of another shape than the configuration needs.
    pub fn new(config: &Config, weights: &Weights) -> Result<Self, ModelError> {
        Self::with_level(config, weights, Level::best())
    }

    /// As [`Engine::new`], with the instructions of `level`.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_level(config: &Config, weights: &Weights, level: Level) -> Result<Self, ModelError> {
        let (d, vocab_size) = (config.hidden_size, config.vocab_size);
        let head = config.head_dim.next_multiple_of(PANEL);
        let layers = (0..config.layers)
            .map(|layer| Layer::pack(config, weights, head, layer))
            .collect::<Result<_, _>>()?;
        let embeddings = weights.get("model.embed_tokens.weight", &[vocab_size, d])?;
        let output =
            if config.tied { embeddings } else { weights.get("lm_head.weight", &[vocab_size, d])? };
        Ok(Self {
            level,
            head,
            batch: if 4 * config.parameters() <= SMALL { SMALL_BATCH } else { LARGE_BATCH },
            layers,
            final_norm: padded(weights.get("model.norm.weight", &[d])?),
            output: Matrix::pack(d, vocab_size, |k, n| output[n * d + k]),
            embeddings: (!config.tied).then(|| embeddings.to_vec()),
            idle: Mutex::new(Vec::new()),
            config: config.clone(),
        })
    }

    /// What it computes.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Completions that are drawn side by side at most.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Length of a row of activations.
    fn width(&self) -> usize {
        self.config.hidden_size.next_multiple_of(PANEL)
    }

    /// Writes a token's embedding to the front of `out`.
    fn embed(&self, token: u32, out: &mut [f32]) {
        let token = token as usize;
        match &self.embeddings {
            Some(rows) => out.copy_from_slice(&rows[token * out.len()..][..out.len()]),
            None => self.output.column(token, out),
        }
    }
}

impl Layer {
    fn pack(config: &Config, weights: &Weights, head: usize, layer: usize) -> Result<Self, ModelError> {
        let (d, ff, real) = (config.hidden_size, config.intermediate_size, config.head_dim);
        let get =
            |name: &str, shape: &[usize]| weights.get(&format!("model.layers.{layer}.{name}.weight"), shape);
        let (q, kv) = (config.heads, config.kv_heads);
        let queries = get("self_attn.q_proj", &[q * real, d])?;
        let keys = get("self_attn.k_proj", &[kv * real, d])?;
        let values = get("self_attn.v_proj", &[kv * real, d])?;
        let output = get("self_attn.o_proj", &[d, q * real])?;
        let gate = get("mlp.gate_proj", &[ff, d])?;
        let up = get("mlp.up_proj", &[ff, d])?;
        let down = get("mlp.down_proj", &[d, ff])?;
        let half = ff.next_multiple_of(PANEL);
        Ok(Self {
            attention_norm: padded(get("input_layernorm", &[d])?),
            query_key_value: Matrix::pack(d, (q + 2 * kv) * head, |k, n| {
                let (of, place) = (n / head, n % head);
                let (from, of) = match of {
                    of if of < q => (queries, of),
                    of if of < q + kv => (keys, of - q),
                    of => (values, of - q - kv),
                };
                if place < real { from[(of * real + place) * d + k] } else { 0.0 }
            }),
            attention_output: Matrix::pack(q * head, d, |k, n| {
                let (of, place) = (k / head, k % head);
                if place < real { output[n * q * real + of * real + place] } else { 0.0 }
            }),
            feed_forward_norm: padded(get("post_attention_layernorm", &[d])?),
            gate_up: Matrix::pack(d, 2 * half, |k, n| match n % half {
                n if n >= ff => 0.0,
                place if n < half => gate[place * d + k],
                place => up[place * d + k],
            }),
            down: Matrix::pack(ff, d, |k, n| down[n * ff + k]),
        })
    }
}

fn padded(row: &[f32]) -> Vec<f32> {
    let mut row = row.to_vec();
    row.resize(row.len().next_multiple_of(PANEL), 0.0);
    row
}

impl Generator for Engine {
    fn generate(&self, request: &Request<'_>, observer: &mut dyn Observer) -> Result<(), ModelError> {
        let (length, limit) = (request.prompt.len(), request.limit(&self.config)?);
        let sequences = request.indices.len().min(self.batch);
        // A poisoned lock only says that another caller's observer panicked; the list of
        // idle workspaces is whole at any time.
        let idle = || self.idle.lock().unwrap_or_else(|e| e.into_inner());
        let found = {
            let mut idle = idle();
            idle.iter().position(|w| w.fits(sequences, length, limit)).map(|i| idle.swap_remove(i))
        };
        let mut workspace = found.unwrap_or_else(|| Workspace::new(self, sequences, length, limit));
        let done = batch::run(self, &mut workspace, request, limit, observer);
        idle().push(workspace);
        done
    }
}
