//! The forward pass: the prompt once, then one position of every sequence at a time.

use super::cache::{Cache, Place};
use super::kernels::{rms_norm, rotate, softmax, swiglu};
use super::matrix::{Matrix, PANEL, Rows, RowsMut, product};
use super::{BATCH, Engine};
use crate::model::Sampler;

/// The memory of one call: activations of up to [`BATCH`] rows, and the caches.
pub struct Workspace {
    pub sampler: Sampler,
    /// Output of the last step: a row of logits for each sequence.
    pub logits: Vec<f32>,
    /// Of the prompt's last token.
    pub first_logits: Vec<f32>,
    prompt: Cache,
    private: Cache,
    sequences: usize,
    /// Cosines and sines of each position, half a head each.
    angles: Vec<(Vec<f32>, Vec<f32>)>,
    /// The residual stream.
    x: Vec<f32>,
    normed: Vec<f32>,
    query_key_value: Vec<f32>,
    /// Attention weights, for each row and head: over the prompt, then over its own tokens.
    scores: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    activated: Vec<f32>,
}

/// A sequence of the batch in one step.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its place in the private cache.
    pub sequence: usize,
    /// Its own tokens before this one.
    pub past: usize,
    pub token: u32,
}

impl Workspace {
    pub fn new(engine: &Engine, sequences: usize, prompt: usize, limit: usize) -> Self {
        let config = &engine.config;
        let cache = |sequences, positions| {
            Cache::new(sequences, positions, config.layers, config.kv_heads, engine.head)
        };
        let (prompt, private) = (cache(1, prompt), cache(sequences, limit));
        let positions = prompt.capacity() + private.capacity();
        let rows = |columns: usize| vec![0.0; BATCH * columns];
        let layer = &engine.layers[0];
        Self {
            sampler: Sampler::new(engine.level, config.vocab_size),
            logits: rows(engine.output.columns()),
            first_logits: vec![0.0; engine.output.columns()],
            angles: (0..positions).map(|p| angles(config.head_dim, config.rope_theta, p)).collect(),
            x: rows(engine.width()),
            normed: rows(engine.width()),
            query_key_value: rows(layer.query_key_value.columns()),
            scores: rows(config.heads * positions),
            attended: rows(config.heads * engine.head),
            gate_up: rows(layer.gate_up.columns()),
            activated: rows(layer.gate_up.columns() / 2),
            sequences,
            prompt,
            private,
        }
    }

    /// Whether it is enough for such a call.
    pub fn fits(&self, sequences: usize, prompt: usize, limit: usize) -> bool {
        self.sequences >= sequences && self.prompt.capacity() >= prompt && self.private.capacity() >= limit
    }

    /// Reads the prompt: fills its cache and `first_logits`.
    pub fn read_prompt(&mut self, engine: &Engine, prompt: &[u32]) {
        for (chunk, tokens) in prompt.chunks(BATCH).enumerate() {
            for (token, x) in tokens.iter().zip(self.x.chunks_exact_mut(engine.width())) {
                engine.embed(*token, &mut x[..engine.config.hidden_size]);
            }
            let start = chunk * BATCH;
            self.forward(engine, tokens.len(), &|row| start + row, &mut |w, layer| {
                w.attend_within_prompt(engine, layer, start, tokens.len());
            });
        }
        let last = (prompt.len() - 1) % BATCH;
        self.x.copy_within(last * engine.width()..(last + 1) * engine.width(), 0);
        self.finish(engine, 1);
        self.first_logits.copy_from_slice(&self.logits[..engine.output.columns()]);
    }

    /// Feeds a token to each of `rows` after a prompt of `prompt` tokens; the logits are in
    /// the order of the rows.
    pub fn step(&mut self, engine: &Engine, rows: &[Row], prompt: usize) {
        for (row, x) in rows.iter().zip(self.x.chunks_exact_mut(engine.width())) {
            engine.embed(row.token, &mut x[..engine.config.hidden_size]);
        }
        self.forward(engine, rows.len(), &|row| prompt + rows[row].past, &mut |w, layer| {
            w.attend(engine, layer, rows, prompt);
        });
        self.finish(engine, rows.len());
    }

    /// All layers over the first `rows` of the residual stream.
    fn forward(
        &mut self,
        engine: &Engine,
        rows: usize,
        position: &dyn Fn(usize) -> usize,
        attend: &mut dyn FnMut(&mut Self, usize),
    ) {
        let config = &engine.config;
        let turned = (config.heads + config.kv_heads) * engine.head;
        for (number, layer) in engine.layers.iter().enumerate() {
            self.norm(engine, &layer.attention_norm, rows);
            multiply(engine, rows, &self.normed, &layer.query_key_value, &mut self.query_key_value, false);
            let width = layer.query_key_value.columns();
            for (row, x) in self.query_key_value.chunks_exact_mut(width).take(rows).enumerate() {
                let (cos, sin) = &self.angles[position(row)];
                rotate(engine.level, &mut x[..turned], engine.head, cos, sin);
            }
            attend(self, number);
            multiply(engine, rows, &self.attended, &layer.attention_output, &mut self.x, true);
            self.norm(engine, &layer.feed_forward_norm, rows);
            multiply(engine, rows, &self.normed, &layer.gate_up, &mut self.gate_up, false);
            let half = layer.gate_up.columns() / 2;
            let rows_of_both = self.gate_up.chunks_exact(2 * half).take(rows);
            for (both, out) in rows_of_both.zip(self.activated.chunks_exact_mut(half)) {
                let (gate, up) = both.split_at(half);
                swiglu(engine.level, gate, up, out);
            }
            multiply(engine, rows, &self.activated, &layer.down, &mut self.x, true);
        }
    }

    /// The logits of the first `rows` of the residual stream.
    fn finish(&mut self, engine: &Engine, rows: usize) {
        self.norm(engine, &engine.final_norm, rows);
        multiply(engine, rows, &self.normed, &engine.output, &mut self.logits, false);
    }

    fn norm(&mut self, engine: &Engine, weight: &[f32], rows: usize) {
        let (width, config) = (engine.width(), &engine.config);
        let x = self.x.chunks_exact(width).take(rows);
        for (x, out) in x.zip(self.normed.chunks_exact_mut(width)) {
            rms_norm(engine.level, x, weight, config.hidden_size, config.norm_eps as f32, out);
        }
    }

    /// Causal attention of the prompt's tokens from `start` on over all up to themselves.
    fn attend_within_prompt(&mut self, engine: &Engine, layer: usize, start: usize, rows: usize) {
        let shape = Shape::new(engine);
        for (row, x) in self.query_key_value.chunks_exact(shape.row).take(rows).enumerate() {
            shape.remember(&mut self.prompt, 0, layer, start + row, x);
        }
        let seen = start + rows;
        let width = seen.next_multiple_of(PANEL);
        self.score_prompt(engine, layer, rows, seen, width);
        for (row, scores) in self.scores.chunks_exact_mut(shape.heads * width).take(rows).enumerate() {
            for scores in scores.chunks_exact_mut(width) {
                scores[start + row + 1..].fill(f32::NEG_INFINITY);
                softmax(engine.level, scores, shape.scale);
            }
        }
        self.gather_prompt(engine, layer, rows, seen, width, false);
    }

    /// Attention of every sequence over the prompt and its own tokens.
    fn attend(&mut self, engine: &Engine, layer: usize, rows: &[Row], prompt: usize) {
        let shape = Shape::new(engine);
        let shared = prompt.next_multiple_of(PANEL);
        let longest = rows.iter().map(|r| r.past + 1).max().unwrap_or(0);
        let width = shared + longest.next_multiple_of(PANEL);
        self.score_prompt(engine, layer, rows.len(), prompt, width);
        let queries = self.query_key_value.chunks_exact(shape.row);
        let scores = self.scores.chunks_exact_mut(shape.heads * width);
        let attended = self.attended.chunks_exact_mut(shape.heads * engine.head);
        for (((row, x), scores), attended) in rows.iter().zip(queries).zip(scores).zip(attended) {
            let seen = row.past + 1;
            let end = shared + seen.next_multiple_of(PANEL);
            shape.remember(&mut self.private, row.sequence, layer, row.past, x);
            for kv_head in 0..shape.kv_heads {
                let (keys, values) =
                    self.private.read(Place { sequence: row.sequence, layer, kv_head }, seen);
                let (first, group) = (kv_head * shape.group, shape.group);
                let scores = &mut scores[first * width..][..group * width];
                let own = RowsMut { data: &mut scores[shared..], stride: width };
                let queries = Rows { data: &x[first * engine.head..], stride: engine.head };
                product(engine.level, group, queries, keys, own, false);
                for scores in scores.chunks_exact_mut(width) {
                    scores[prompt..shared].fill(f32::NEG_INFINITY);
                    scores[shared + seen..end].fill(f32::NEG_INFINITY);
                    softmax(engine.level, &mut scores[..end], shape.scale);
                }
                let weights = Rows { data: &scores[shared..], stride: width };
                let out = RowsMut { data: &mut attended[first * engine.head..], stride: engine.head };
                product(engine.level, group, weights, values, out, false);
            }
        }
        self.gather_prompt(engine, layer, rows.len(), prompt, width, true);
    }

    /// Scores of every row and head over the prompt's first `seen` keys, a head's `width`
    /// apart.
    fn score_prompt(&mut self, engine: &Engine, layer: usize, rows: usize, seen: usize, width: usize) {
        let shape = Shape::new(engine);
        for head in 0..shape.heads {
            let place = Place { sequence: 0, layer, kv_head: head / shape.group };
            let queries = Rows { data: &self.query_key_value[head * engine.head..], stride: shape.row };
            let out = RowsMut { data: &mut self.scores[head * width..], stride: shape.heads * width };
            product(engine.level, rows, queries, self.prompt.read(place, seen).0, out, false);
        }
    }

    /// The prompt's first `seen` values, weighted by the scores of every row and head.
    fn gather_prompt(
        &mut self,
        engine: &Engine,
        layer: usize,
        rows: usize,
        seen: usize,
        width: usize,
        add: bool,
    ) {
        let shape = Shape::new(engine);
        for head in 0..shape.heads {
            let place = Place { sequence: 0, layer, kv_head: head / shape.group };
            let weights = Rows { data: &self.scores[head * width..], stride: shape.heads * width };
            let out =
                RowsMut { data: &mut self.attended[head * engine.head..], stride: shape.heads * engine.head };
            product(engine.level, rows, weights, self.prompt.read(place, seen).1, out, add);
        }
    }
}

/// The shape of attention.
#[derive(Clone, Copy)]
struct Shape {
    heads: usize,
    kv_heads: usize,
    /// Query heads that share a key-value head.
    group: usize,
    /// Padded dimension of a head.
    head: usize,
    /// Length of a row of queries, keys and values.
    row: usize,
    /// 1/√(head dimension).
    scale: f32,
}

impl Shape {
    fn new(engine: &Engine) -> Self {
        let config = &engine.config;
        Self {
            heads: config.heads,
            kv_heads: config.kv_heads,
            group: config.heads / config.kv_heads,
            head: engine.head,
            row: engine.layers[0].query_key_value.columns(),
            scale: 1.0 / (config.head_dim as f32).sqrt(),
        }
    }

    /// Writes the keys and values of the row `x` to a cache.
    fn remember(&self, cache: &mut Cache, sequence: usize, layer: usize, position: usize, x: &[f32]) {
        let (keys, values) = x[self.heads * self.head..].split_at(self.kv_heads * self.head);
        let pairs = keys.chunks_exact(self.head).zip(values.chunks_exact(self.head));
        for (kv_head, (key, value)) in pairs.enumerate() {
            cache.write(Place { sequence, layer, kv_head }, position, key, value);
        }
    }
}

fn multiply(engine: &Engine, rows: usize, a: &[f32], matrix: &Matrix, out: &mut [f32], add: bool) {
    let b = matrix.panels();
    let a = Rows { stride: a.len() / BATCH, data: a };
    let out = RowsMut { data: out, stride: matrix.columns() };
    product(engine.level, rows, a, b, out, add);
}

/// Cosines and sines of a position, in the precision that the models were trained with.
fn angles(head_dim: usize, theta: f64, position: usize) -> (Vec<f32>, Vec<f32>) {
    (0..head_dim / 2)
        .map(|i| {
            let frequency = (theta as f32).powf(-((2 * i) as f32) / head_dim as f32);
            let angle = f64::from(position as f32 * frequency);
            (angle.cos() as f32, angle.sin() as f32)
        })
        .unzip()
}
