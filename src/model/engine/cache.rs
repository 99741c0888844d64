//! Keys and values of past positions, laid out as attention reads them.

use super::matrix::{PANEL, Panels};
use super::simd::LANES;

/// The prompt's keys and values, which all completions share: for each layer and key-value
/// head, a matrix of (head dimension × position), then one of (position × head dimension).
pub struct Shared {
    data: Vec<f32>,
    kv_heads: usize,
    /// The padded dimension of a head.
    head: usize,
    /// Positions, a multiple of 32.
    capacity: usize,
}

impl Shared {
    /// Room for `positions`; `head` is a multiple of 32.
    pub fn new(positions: usize, layers: usize, kv_heads: usize, head: usize) -> Self {
        let capacity = positions.next_multiple_of(PANEL);
        Self { data: vec![0.0; layers * kv_heads * 2 * head * capacity], kv_heads, head, capacity }
    }

    /// Positions that there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Keys and values of the first `positions`; the columns of the keys run on to a whole
    /// panel and hold some finite numbers there.
    pub fn read(&self, layer: usize, kv_head: usize, positions: usize) -> [Panels<'_>; 2] {
        let size = self.head * self.capacity;
        let (keys, values) = self.data[(layer * self.kv_heads + kv_head) * 2 * size..].split_at(size);
        let columns = positions.next_multiple_of(PANEL);
        [
            Panels { data: keys, inputs: self.head, columns, stride: self.head * PANEL },
            Panels { data: values, inputs: positions, columns: self.head, stride: self.capacity * PANEL },
        ]
    }

    /// Writes the keys and values of all heads at a position.
    pub fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let size = self.head * self.capacity;
        let heads = self.data[layer * self.kv_heads * 2 * size..].chunks_exact_mut(2 * size);
        let rows = keys.chunks_exact(self.head).zip(values.chunks_exact(self.head));
        for (to, (key, value)) in heads.zip(rows) {
            let (keys, values) = to.split_at_mut(size);
            let block = &mut keys[position / PANEL * self.head * PANEL..];
            for (lanes, key) in block.chunks_exact_mut(PANEL).zip(key) {
                lanes[position % PANEL] = *key;
            }
            let panels = values.chunks_exact_mut(self.capacity * PANEL);
            for (panel, value) in panels.zip(value.chunks_exact(PANEL)) {
                panel[position * PANEL..][..PANEL].copy_from_slice(value);
            }
        }
    }
}

/// The sequences' own keys and values. What attention reads for a row of a layer lies
/// together: blocks of 16 positions, in each block the key-value heads, of each head its
/// keys (head dimension × 16), then its values (16 × head dimension).
pub struct Private {
    data: Vec<f32>,
    sequences: usize,
    /// Positions of a sequence, a multiple of 16.
    capacity: usize,
    /// Values of a position: keys and values of all heads, padded.
    width: usize,
    head: usize,
}

impl Private {
    /// Room for `positions` of each of `sequences`; `head` is a multiple of 16.
    pub fn new(sequences: usize, positions: usize, layers: usize, kv_heads: usize, head: usize) -> Self {
        let (capacity, width) = (positions.next_multiple_of(LANES), 2 * kv_heads * head);
        Self { data: vec![0.0; layers * sequences * capacity * width], sequences, capacity, width, head }
    }

    pub fn sequences(&self) -> usize {
        self.sequences
    }

    /// Positions that a sequence has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The blocks that hold the first `positions` of a sequence.
    pub fn read(&self, layer: usize, sequence: usize, positions: usize) -> &[f32] {
        let blocks = positions.div_ceil(LANES);
        &self.data[self.start(layer, sequence)..][..blocks * LANES * self.width]
    }

    /// Writes the keys and values of all heads at a position.
    pub fn write(&mut self, layer: usize, sequence: usize, position: usize, keys: &[f32], values: &[f32]) {
        let start = self.start(layer, sequence) + position / LANES * LANES * self.width;
        let lane = position % LANES;
        let heads = self.data[start..][..LANES * self.width].chunks_exact_mut(2 * LANES * self.head);
        let rows = keys.chunks_exact(self.head).zip(values.chunks_exact(self.head));
        for (to, (key, value)) in heads.zip(rows) {
            let (keys, values) = to.split_at_mut(LANES * self.head);
            for (lanes, key) in keys.chunks_exact_mut(LANES).zip(key) {
                lanes[lane] = *key;
            }
            values[lane * self.head..][..self.head].copy_from_slice(value);
        }
    }

    fn start(&self, layer: usize, sequence: usize) -> usize {
        (layer * self.sequences + sequence) * self.capacity * self.width
    }
}
