//! Many completions of one prompt on the CPU.
//!
//! Made for one job: the prompt is read once and its keys and values are shared; completions
//! that agree so far are one row; some rows are computed side by side, and as one ends the
//! next takes its place. A call runs on the caller's thread; several threads share one engine.
//!
//! Completion i is the same to the bit whatever is drawn beside it: every kernel computes
//! a row in an order that does not depend on the other rows.
//!
//! All is f32 but the completions' own keys and values, which are kept in 16 bits with a
//! scale each. That moves a log-probability or an entropy of the embedded policies by 2e-9 in
//! the middle and 1.1e-4 at most against candle (the tests print it), and of the tests' random
//! models by less than 2e-4, which is what all of them are held to.

mod attention;
mod batch;
mod cache;
mod kernels;
mod layer;
mod matrix;
mod product;
pub(super) mod simd;
mod step;
#[cfg(test)]
mod tests;
mod turns;

use super::{Config, Generator, ModelError, Observer, Request, Weights};
use layer::{Layer, Packer};
use matrix::Matrix;
use product::PANEL;
pub use simd::Level;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
pub(super) use step::Workspace;

/// Rows computed side by side with a small model: more of their caches would push one
/// another out of the processor's.
const SMALL_BATCH: usize = 48;

/// With a large model, whose weights should serve many rows each time they are read.
const LARGE_BATCH: usize = 72;

/// Sequences that a small model's caches hold: those that part from one another while no row
/// is free for them need not be read again. A large model's would take too much memory.
const SMALL_PLACES: usize = 256;

/// Weights of a model that is small, in bytes.
const SMALL: usize = 8 << 20;

/// A decoder whose weights are packed for the processor's vectors.
pub struct Engine {
    config: Config,
    level: Level,
    /// Of a head, padded to whole panels.
    head: usize,
    batch: usize,
    /// Sequences that a call's caches hold at most.
    places: usize,
    /// Rows computed so far.
    rows: AtomicU64,
    /// Bytes that a call may take for its caches and activations.
    call_memory: usize,
    layers: Vec<Layer>,
    final_norm: Vec<f32>,
    output: Matrix,
    /// A row a token; `None` where the columns of `output` are the embeddings.
    embeddings: Option<Matrix>,
    /// Scratch memory that no call uses now.
    idle: Mutex<Vec<Workspace>>,
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
        Self::build(config, weights, level, &mut |_, _| {})
    }

    /// As [`Engine::with_level`]; `progress` hears how many layers of how many are packed.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn build(
        config: &Config,
        weights: &Weights,
        level: Level,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ModelError> {
        let (d, vocab_size) = (config.hidden_size, config.vocab_size);
        let small = is_small(config);
        let head = config.head_dim.next_multiple_of(PANEL);
        let packer = Packer { config, weights, head, compact: !small };
        let mut layers = Vec::with_capacity(config.layers);
        for layer in 0..config.layers {
            progress(layer, config.layers);
            layers.push(packer.layer(layer)?);
        }
        let by_token = |name: &str| {
            let tensors = [(name.to_owned(), vec![vocab_size, d])];
            packer.matrix(&tensors, d, vocab_size, |k, n| Some((0, n * d + k)))
        };
        let embeddings = by_token("model.embed_tokens.weight")?;
        let (output, embeddings) = match config.tied {
            true => (embeddings, None),
            false => (by_token("lm_head.weight")?, Some(embeddings)),
        };
        progress(config.layers, config.layers);
        Ok(Self {
            level,
            head,
            batch: if small { SMALL_BATCH } else { LARGE_BATCH },
            places: if small { SMALL_PLACES } else { LARGE_BATCH },
            rows: AtomicU64::new(0),
            call_memory: usize::MAX,
            layers,
            final_norm: packer.row("model.norm.weight", d)?,
            output,
            embeddings,
            idle: Mutex::new(Vec::new()),
            config: config.clone(),
        })
    }

    /// Bytes that the packed weights of a model will take, before they are packed.
    pub fn weight_bytes(config: &Config, weights: &Weights) -> usize {
        let small = is_small(config);
        let pad = |n: usize| n.next_multiple_of(PANEL);
        let bits = |names: &[String]| match names.iter().map(|n| weights.held_bits(n)).max() {
            Some(bits) if !small => bits,
            _ => 32,
        };
        let matrix = |inputs: usize, columns: usize, names: &[String]| {
            inputs.saturating_mul(pad(columns)).saturating_mul(bits(names)) / 8
        };
        let (d, ff, head) = (config.hidden_size, config.intermediate_size, pad(config.head_dim));
        let layer = |layer: usize| {
            let named = |names: &[&str]| -> Vec<String> {
                names.iter().map(|n| format!("model.layers.{layer}.{n}_proj.weight")).collect()
            };
            let qkv = named(&["self_attn.q", "self_attn.k", "self_attn.v"]);
            matrix(d, (config.heads + 2 * config.kv_heads) * head, &qkv)
                + matrix(config.heads * head, d, &named(&["self_attn.o"]))
                + matrix(d, 2 * pad(ff), &named(&["mlp.gate", "mlp.up"]))
                + matrix(ff, d, &named(&["mlp.down"]))
        };
        let ends = if config.tied { &["model.embed_tokens"][..] } else { &["model.embed_tokens", "lm_head"] };
        let by_token = |name: &&str| matrix(d, config.vocab_size, &[format!("{name}.weight")]);
        (0..config.layers).map(layer).chain(ends.iter().map(by_token)).fold(0, usize::saturating_add)
    }

    /// Bytes that its weights take.
    pub fn bytes(&self) -> usize {
        let layers = self.layers.iter().map(Layer::bytes).sum::<usize>();
        layers + self.output.bytes() + self.embeddings.as_ref().map_or(0, Matrix::bytes)
    }

    /// The same, with so many bytes for the caches and activations of a call: with fewer,
    /// fewer completions are drawn side by side.
    #[must_use]
    pub fn with_call_memory(self, bytes: usize) -> Self {
        Self { call_memory: bytes, ..self }
    }

    /// What it computes.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Rows that are computed side by side at most.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Rows that all calls of [`Generator::generate`] have computed so far, the prompt's left
    /// out: where completions agree, one for all of them.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// The logits after `tokens`, of a text of up to `extent` tokens.
    #[cfg(test)]
    pub(super) fn logits_after(&self, tokens: &[u32], extent: usize) -> Vec<f32> {
        let mut workspace = Workspace::new(self, 7, 1, tokens.len(), extent - tokens.len());
        workspace.read_prompt(self, tokens);
        workspace.first_logits.truncate(self.config.vocab_size);
        workspace.first_logits
    }

    /// Length of a row of activations.
    fn width(&self) -> usize {
        self.config.hidden_size.next_multiple_of(PANEL)
    }

    /// Writes a token's embedding to the front of `out`.
    fn embed(&self, token: u32, out: &mut [f32]) {
        self.embeddings.as_ref().unwrap_or(&self.output).column(token as usize, out);
    }

    /// Sequences that a call's caches hold: as many as its memory allows. No more than these,
    /// and than [`Engine::batch`], are rows of one step.
    ///
    /// # Errors
    /// Memory for not even one.
    pub(super) fn places(&self, length: usize, limit: usize) -> Result<usize, ModelError> {
        let bytes = |places: usize| Workspace::bytes(self, places.min(self.batch), places, length, limit);
        let fits = |places: &usize| bytes(*places) <= self.call_memory;
        (1..=self.places).rev().find(fits).ok_or_else(|| ModelError::Memory {
            what: format!("one completion of {} tokens", length + limit),
            needed: bytes(1),
            given: self.call_memory,
        })
    }
}

fn is_small(config: &Config) -> bool {
    config.parameters().saturating_mul(4) <= SMALL
}

impl Generator for Engine {
    fn generate(&self, request: &Request<'_>, observer: &mut dyn Observer) -> Result<(), ModelError> {
        let (length, limit) = (request.prompt.len(), request.limit(&self.config)?);
        let places = self.places(length, limit)?;
        let batch = places.min(self.batch);
        let places = places.min(request.indices.len());
        // A poisoned lock only says that another caller's observer panicked; the list of
        // idle workspaces is whole at any time.
        let idle = || self.idle.lock().unwrap_or_else(|e| e.into_inner());
        let found = {
            let mut idle = idle();
            let place = idle.iter().position(|w| w.fits(self, batch, places, length, limit));
            // One that does not fit makes room for one that does.
            place.map(|i| idle.swap_remove(i)).or_else(|| {
                idle.pop();
                None
            })
        };
        let mut workspace = found.unwrap_or_else(|| Workspace::new(self, batch, places, length, limit));
        let done = batch::run(self, &mut workspace, request, limit, observer);
        idle().push(workspace);
        done
    }
}
