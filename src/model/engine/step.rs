//! The forward pass: the prompt once, then one position of every sequence at a time.

use super::Engine;
use super::attention::{Heads, Span, attend, softmax};
use super::cache::{Private, Shared};
use super::kernels::{add_row, norm_in_place, rms_norm, rotate, swiglu};
use super::layer::Layer;
use super::matrix::{Matrix, Scratch};
use super::product::{PANEL, Rows, RowsMut, product};
use super::simd::LANES;
use crate::model::{Config, Sampler};

/// The memory of one call: activations of a batch of rows, and the caches.
pub struct Workspace {
    pub sampler: Sampler,
    /// Output of the last step: a row of logits for each sequence.
    pub logits: Vec<f32>,
    /// Of the prompt's last token.
    pub first_logits: Vec<f32>,
    prompt: Shared,
    pub private: Private,
    scratch: Scratch,
    /// Rows that there is room for.
    pub batch: usize,
    /// Positions that the texts may reach: some rotations depend on it.
    extent: usize,
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
    pub fn new(engine: &Engine, batch: usize, places: usize, length: usize, limit: usize) -> Self {
        let config = &engine.config;
        let prompt = Shared::new(length, config.layers, config.kv_heads, engine.head);
        let private = Private::new(places, limit, config.layers, config.kv_heads, engine.head);
        let positions = prompt.capacity() + private.capacity();
        let rows = |columns: usize| vec![0.0; batch * columns];
        let layer = &engine.layers[0];
        let rotation = config.rotation(length + limit);
        Self {
            sampler: Sampler::new(engine.level, config.vocab_size),
            logits: rows(engine.output.columns()),
            first_logits: vec![0.0; engine.output.columns()],
            angles: (0..positions).map(|p| rotation.at(p)).collect(),
            x: rows(engine.width()),
            normed: rows(engine.width()),
            query_key_value: rows(layer.query_key_value.columns()),
            scores: rows(config.heads * positions),
            attended: rows(config.heads * engine.head),
            gate_up: rows(layer.gate_up.columns()),
            activated: rows(layer.gate_up.columns() / 2),
            scratch: Scratch::new(batch),
            batch,
            extent: length + limit,
            prompt,
            private,
        }
    }

    /// Bytes that one takes, to a few per cent.
    pub fn bytes(engine: &Engine, batch: usize, places: usize, length: usize, limit: usize) -> usize {
        let config = &engine.config;
        let positions = length.next_multiple_of(PANEL) + limit.next_multiple_of(LANES);
        let layer = &engine.layers[0];
        let row = engine.output.columns()
            + 2 * engine.width()
            + layer.query_key_value.columns()
            + config.heads * (positions + engine.head)
            + layer.gate_up.columns() / 2 * 3;
        // Of a position: keys and values of all layers, the private ones of 16 bits and a scale.
        let (position, full, half) =
            (2 * config.layers * config.kv_heads, size_of::<f32>() * engine.head, 2 * engine.head + 4);
        let cached = (length.next_multiple_of(PANEL) * full)
            .saturating_add((places * limit.next_multiple_of(LANES)).saturating_mul(half))
            .saturating_mul(position);
        // Sampling holds the vocabulary five times over; rotation a table of the positions.
        let once = 6 * config.vocab_size + positions * config.head_dim;
        size_of::<f32>().saturating_mul(batch * row + once).saturating_add(cached)
    }

    /// Whether it is enough for such a call.
    pub fn fits(&self, engine: &Engine, batch: usize, places: usize, length: usize, limit: usize) -> bool {
        self.batch == batch
            && self.private.sequences() >= places
            && self.prompt.capacity() >= length
            && self.private.capacity() >= limit
            && engine.config.rope_scaling.alike(self.extent, length + limit)
    }

    /// Reads the prompt: fills its cache and `first_logits`.
    pub fn read_prompt(&mut self, engine: &Engine, prompt: &[u32]) {
        let batch = self.batch;
        for (chunk, tokens) in prompt.chunks(batch).enumerate() {
            for (token, x) in tokens.iter().zip(self.x.chunks_exact_mut(engine.width())) {
                engine.embed(*token, &mut x[..engine.config.hidden_size]);
            }
            let start = chunk * batch;
            self.forward(engine, tokens.len(), &|row| start + row, &mut |w, layer| {
                w.attend_within_prompt(engine, layer, start, tokens.len());
            });
        }
        let last = (prompt.len() - 1) % batch;
        self.x.copy_within(last * engine.width()..(last + 1) * engine.width(), 0);
        self.finish(engine, 1);
        self.first_logits.copy_from_slice(&self.logits[..engine.output.columns()]);
    }

    /// Reads `tokens` as a prompt and gives the logits after each of them, in their order.
    pub fn read_each(&mut self, engine: &Engine, tokens: &[u32], visit: &mut dyn FnMut(usize, &[f32])) {
        let batch = self.batch;
        for (chunk, part) in tokens.chunks(batch).enumerate() {
            for (token, x) in part.iter().zip(self.x.chunks_exact_mut(engine.width())) {
                engine.embed(*token, &mut x[..engine.config.hidden_size]);
            }
            let start = chunk * batch;
            self.forward(engine, part.len(), &|row| start + row, &mut |w, layer| {
                w.attend_within_prompt(engine, layer, start, part.len());
            });
            self.finish(engine, part.len());
            let columns = engine.output.columns();
            for (row, logits) in self.logits.chunks_exact(columns).take(part.len()).enumerate() {
                visit(start + row, &logits[..engine.config.vocab_size]);
            }
        }
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
        for (number, layer) in engine.layers.iter().enumerate() {
            self.norm(engine, layer.attention_norm.as_deref(), rows);
            let a = Rows { data: &self.normed, stride: engine.width() };
            let out = &mut self.query_key_value;
            multiply(engine, rows, a, &layer.query_key_value, out, false, &mut self.scratch);
            for (row, x) in self.query_key_value.chunks_exact_mut(engine.row()).take(rows).enumerate() {
                engine.turn(layer, x, &self.angles[position(row)]);
            }
            attend(self, number);
            let stride = engine.config.heads * engine.head;
            self.add(engine, rows, Branch::Attention, stride, &layer.attention_output, layer);
            self.norm(engine, layer.feed_forward_norm.as_deref(), rows);
            let a = Rows { data: &self.normed, stride: engine.width() };
            multiply(engine, rows, a, &layer.gate_up, &mut self.gate_up, false, &mut self.scratch);
            let half = layer.gate_up.columns() / 2;
            let rows_of_both = self.gate_up.chunks_exact(2 * half).take(rows);
            for (both, out) in rows_of_both.zip(self.activated.chunks_exact_mut(half)) {
                let (gate, up) = both.split_at(half);
                swiglu(engine.level, gate, up, out);
            }
            self.add(engine, rows, Branch::FeedForward, half, &layer.down, layer);
        }
    }

    /// Adds a branch's output to the residual stream, through its norm where it has one.
    fn add(
        &mut self,
        engine: &Engine,
        rows: usize,
        branch: Branch,
        stride: usize,
        matrix: &Matrix,
        layer: &Layer,
    ) {
        let (data, norm, bias) = match branch {
            Branch::Attention => (&self.attended, &layer.after_attention, &layer.output_bias),
            Branch::FeedForward => (&self.activated, &layer.after_feed_forward, &None),
        };
        let a = Rows { data, stride };
        // What was normed is used up, so that its place is free.
        let out = if norm.is_some() { &mut self.normed } else { &mut self.x };
        multiply(engine, rows, a, matrix, out, norm.is_none(), &mut self.scratch);
        if let Some(bias) = bias {
            out.chunks_exact_mut(engine.width()).take(rows).for_each(|x| add_row(engine.level, x, bias));
        }
        if let Some(weight) = norm {
            let outputs = self.normed.chunks_exact_mut(engine.width()).take(rows);
            for (output, x) in outputs.zip(self.x.chunks_exact_mut(engine.width())) {
                let size = engine.config.hidden_size;
                norm_in_place(engine.level, output, weight, size, engine.config.norm_eps as f32);
                add_row(engine.level, x, output);
            }
        }
    }

    /// The logits of the first `rows` of the residual stream.
    fn finish(&mut self, engine: &Engine, rows: usize) {
        self.norm(engine, Some(&engine.final_norm), rows);
        let a = Rows { data: &self.normed, stride: engine.width() };
        multiply(engine, rows, a, &engine.output, &mut self.logits, false, &mut self.scratch);
    }

    /// The residual stream as a branch reads it: normed, unless the norms stand after.
    fn norm(&mut self, engine: &Engine, weight: Option<&[f32]>, rows: usize) {
        let (width, config) = (engine.width(), &engine.config);
        let Some(weight) = weight else {
            return self.normed[..rows * width].copy_from_slice(&self.x[..rows * width]);
        };
        let x = self.x.chunks_exact(width).take(rows);
        for (x, out) in x.zip(self.normed.chunks_exact_mut(width)) {
            rms_norm(engine.level, x, weight, config.hidden_size, config.norm_eps as f32, out);
        }
    }

    /// Causal attention of the prompt's tokens from `start` on over all up to themselves.
    fn attend_within_prompt(&mut self, engine: &Engine, layer: usize, start: usize, rows: usize) {
        for (row, x) in self.query_key_value.chunks_exact(engine.row()).take(rows).enumerate() {
            let (_, keys, values) = engine.split(x);
            self.prompt.write(layer, start + row, keys, values);
        }
        let seen = start + rows;
        let width = seen.next_multiple_of(PANEL);
        self.score_prompt(engine, layer, rows, seen, width);
        let heads = engine.heads();
        let scores = self.scores.chunks_exact_mut(heads.count() * width);
        for (row, scores) in scores.take(rows).enumerate() {
            for scores in scores.chunks_exact_mut(width) {
                scores[start + row + 1..].fill(f32::NEG_INFINITY);
                scores[..engine.from(layer, start + row)].fill(f32::NEG_INFINITY);
            }
            softmax(engine.level, scores, heads.count(), width, heads.scale);
        }
        self.gather_prompt(engine, layer, rows, seen, width, false);
    }

    /// Attention of every sequence over the prompt and its own tokens.
    fn attend(&mut self, engine: &Engine, layer: usize, rows: &[Row], prompt: usize) {
        let heads = engine.heads();
        // The prompt's scores come in whole panels, whose end the own scores overwrite.
        let own = prompt.next_multiple_of(LANES);
        let longest = rows.iter().map(|r| r.past + 1).max().unwrap_or(0);
        let width = (own + longest.next_multiple_of(LANES)).max(prompt.next_multiple_of(PANEL));
        self.score_prompt(engine, layer, rows.len(), prompt, width);
        let inputs = self.query_key_value.chunks_exact(engine.row());
        let scores = self.scores.chunks_exact_mut(heads.count() * width);
        let attended = self.attended.chunks_exact_mut(heads.count() * heads.size);
        for (((row, x), scores), attended) in rows.iter().zip(inputs).zip(scores).zip(attended) {
            let from = engine.from(layer, prompt + row.past);
            let span = Span { prompt, own, seen: row.past + 1, from, width };
            let (queries, keys, values) = engine.split(x);
            self.private.write(engine.level, layer, row.sequence, row.past, keys, values);
            let blocks = self.private.read(layer, row.sequence, span.seen);
            attend(engine.level, queries, blocks, heads, span, scores, attended);
        }
        let next = (layer + 1) % engine.config.layers;
        self.scratch.ahead.set(rows.iter().map(|r| self.private.read(next, r.sequence, r.past + 1).numbers));
        self.gather_prompt(engine, layer, rows.len(), prompt, width, true);
    }

    /// Scores of every row and head over the prompt's first `seen` keys, a head's `width`
    /// apart.
    fn score_prompt(&mut self, engine: &Engine, layer: usize, rows: usize, seen: usize, width: usize) {
        let heads = engine.heads();
        for head in 0..heads.count() {
            let [keys, _] = self.prompt.read(layer, head / heads.group, seen);
            let queries = Rows { data: &self.query_key_value[head * heads.size..], stride: engine.row() };
            let out = RowsMut { data: &mut self.scores[head * width..], stride: heads.count() * width };
            product(engine.level, rows, queries, keys, out, false, &mut self.scratch.ahead);
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
        let heads = engine.heads();
        for head in 0..heads.count() {
            let [_, values] = self.prompt.read(layer, head / heads.group, seen);
            let weights = Rows { data: &self.scores[head * width..], stride: heads.count() * width };
            let out =
                RowsMut { data: &mut self.attended[head * heads.size..], stride: heads.count() * heads.size };
            product(engine.level, rows, weights, values, out, add, &mut self.scratch.ahead);
        }
    }
}

impl Engine {
    fn heads(&self) -> Heads {
        let Config { heads, kv_heads, head_dim, .. } = self.config;
        let scale = 1.0 / (head_dim as f32).sqrt();
        Heads { kv_heads, group: heads / kv_heads, size: self.head, scale }
    }

    /// The first position that one at `position` looks at in a layer.
    fn from(&self, layer: usize, position: usize) -> usize {
        self.layers[layer].window.map_or(0, |window| (position + 1).saturating_sub(window))
    }

    /// Makes the queries, keys and values of a row ready: their biases, norms and turns.
    fn turn(&self, layer: &Layer, row: &mut [f32], (cos, sin): &(Vec<f32>, Vec<f32>)) {
        if let Some(bias) = &layer.query_key_value_bias {
            add_row(self.level, row, bias);
        }
        let queries = self.config.heads * self.head;
        let turned = queries + self.config.kv_heads * self.head;
        if let Some(norms) = &layer.query_key_norm {
            let (queries, keys) = row[..turned].split_at_mut(queries);
            for (part, norm) in [queries, keys].into_iter().zip(norms) {
                for x in part.chunks_exact_mut(norm.weight.len()) {
                    norm_in_place(self.level, x, &norm.weight, norm.size, self.config.norm_eps as f32);
                }
            }
        }
        rotate(self.level, &mut row[..turned], self.head, cos, sin);
    }

    /// Length of a row of queries, keys and values.
    fn row(&self) -> usize {
        self.layers[0].query_key_value.columns()
    }

    /// Queries, keys and values of a row.
    fn split<'a>(&self, row: &'a [f32]) -> (&'a [f32], &'a [f32], &'a [f32]) {
        let (queries, rest) = row.split_at(self.config.heads * self.head);
        let (keys, values) = rest.split_at(self.config.kv_heads * self.head);
        (queries, keys, values)
    }
}

/// What is added to the residual stream.
#[derive(Clone, Copy)]
enum Branch {
    Attention,
    FeedForward,
}

/// out = a · matrix for `rows` rows, or out += a · matrix where `add`.
fn multiply(
    engine: &Engine,
    rows: usize,
    a: Rows<'_>,
    matrix: &Matrix,
    out: &mut [f32],
    add: bool,
    scratch: &mut Scratch,
) {
    let out = RowsMut { data: out, stride: matrix.columns() };
    matrix.multiply(engine.level, rows, a, out, add, scratch);
}
