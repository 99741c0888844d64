//! Keys and values of past positions, laid out as the panels that a product reads.

use super::matrix::{PANEL, Panels};

/// Keys and values of some sequences. The one of the prompt holds a single sequence that
/// all completions share; the private one holds a sequence for each row of the batch.
///
/// For each sequence, layer and key-value head, the keys are a matrix of
/// (head dimension × position), then the values one of (position × head dimension).
pub struct Cache {
    data: Vec<f32>,
    layers: usize,
    kv_heads: usize,
    /// The padded dimension of a head.
    head: usize,
    /// Positions of a sequence, a multiple of 32.
    capacity: usize,
}

/// A place in a cache.
#[derive(Clone, Copy)]
pub struct Place {
    pub sequence: usize,
    pub layer: usize,
    pub kv_head: usize,
}

impl Cache {
    /// Room for `positions` of each of `sequences`; `head` is a multiple of 32.
    pub fn new(sequences: usize, positions: usize, layers: usize, kv_heads: usize, head: usize) -> Self {
        let capacity = positions.next_multiple_of(PANEL);
        Self {
            data: vec![0.0; sequences * layers * kv_heads * 2 * head * capacity],
            layers,
            kv_heads,
            head,
            capacity,
        }
    }

    /// Positions that a sequence has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Keys and values of the first `positions`; the columns of the keys run on to a whole
    /// panel and hold some finite numbers there.
    pub fn read(&self, place: Place, positions: usize) -> (Panels<'_>, Panels<'_>) {
        let (keys, values) = self.data[self.start(place)..][..2 * self.size()].split_at(self.size());
        let keys = Panels {
            data: keys,
            inputs: self.head,
            columns: positions.next_multiple_of(PANEL),
            stride: self.head * PANEL,
        };
        let values =
            Panels { data: values, inputs: positions, columns: self.head, stride: self.capacity * PANEL };
        (keys, values)
    }

    /// Writes the key and the value of a position.
    pub fn write(&mut self, place: Place, position: usize, key: &[f32], value: &[f32]) {
        let (start, size, capacity) = (self.start(place), self.size(), self.capacity);
        let (keys, values) = self.data[start..][..2 * size].split_at_mut(size);
        let block = &mut keys[position / PANEL * self.head * PANEL..][..self.head * PANEL];
        for (lanes, key) in block.chunks_exact_mut(PANEL).zip(key) {
            lanes[position % PANEL] = *key;
        }
        for (panel, value) in values.chunks_exact_mut(capacity * PANEL).zip(value.chunks_exact(PANEL)) {
            panel[position * PANEL..][..PANEL].copy_from_slice(value);
        }
    }

    fn size(&self) -> usize {
        self.head * self.capacity
    }

    fn start(&self, place: Place) -> usize {
        ((place.sequence * self.layers + place.layer) * self.kv_heads + place.kv_head) * 2 * self.size()
    }
}
