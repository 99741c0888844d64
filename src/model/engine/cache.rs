//! Keys and values of past positions, laid out as attention reads them.

use super::product::{PANEL, Panels};
use super::simd::{LANES, Level, Simd, kernel};

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

/// The sequences' own keys and values, in 16 bits: each key and each value of a head is a
/// scale and whole numbers up to 32767, so that its error is below 1.6e-5 of its largest
/// element. Half the bytes is what counts: a batch's caches do not fit the processor's.
///
/// What attention reads for a row of a layer lies together: blocks of 16 positions, in each
/// block the key-value heads, of each head its keys (head dimension × 16), then its values
/// (16 × head dimension); likewise the scales (16, then 16).
pub struct Private {
    numbers: Vec<i16>,
    scales: Vec<f32>,
    sequences: usize,
    /// Positions of a sequence, a multiple of 16.
    capacity: usize,
    kv_heads: usize,
    head: usize,
}

/// The blocks of a row.
#[derive(Clone, Copy)]
pub struct Blocks<'a> {
    pub numbers: &'a [i16],
    pub scales: &'a [f32],
}

impl Private {
    /// Room for `positions` of each of `sequences`; `head` is a multiple of 16.
    pub fn new(sequences: usize, positions: usize, layers: usize, kv_heads: usize, head: usize) -> Self {
        let capacity = positions.next_multiple_of(LANES);
        let scales = layers * sequences * capacity * 2 * kv_heads;
        Self {
            numbers: vec![0; scales * head],
            scales: vec![0.0; scales],
            sequences,
            capacity,
            kv_heads,
            head,
        }
    }

    pub fn sequences(&self) -> usize {
        self.sequences
    }

    /// Positions that a sequence has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The blocks that hold the first `positions` of a sequence, of which there is at least
    /// one; the rest of the last block holds some numbers.
    pub fn read(&self, layer: usize, sequence: usize, positions: usize) -> Blocks<'_> {
        let start = (layer * self.sequences + sequence) * self.capacity * 2 * self.kv_heads;
        let len = positions.next_multiple_of(LANES) * 2 * self.kv_heads;
        Blocks {
            numbers: &self.numbers[start * self.head..][..len * self.head],
            scales: &self.scales[start..][..len],
        }
    }

    /// Copies the first `positions` of a sequence to another.
    pub fn copy(&mut self, from: usize, to: usize, positions: usize) {
        let row = self.capacity * 2 * self.kv_heads;
        let len = positions.next_multiple_of(LANES) * 2 * self.kv_heads;
        for layer in 0..self.scales.len() / (row * self.sequences) {
            let [from, to] = [from, to].map(|sequence| (layer * self.sequences + sequence) * row);
            self.scales.copy_within(from..from + len, to);
            self.numbers.copy_within(from * self.head..(from + len) * self.head, to * self.head);
        }
    }

    /// Writes the keys and values of all heads at a position.
    pub fn write(
        &mut self,
        level: Level,
        layer: usize,
        sequence: usize,
        position: usize,
        keys: &[f32],
        values: &[f32],
    ) {
        let block = (layer * self.sequences + sequence) * self.capacity / LANES + position / LANES;
        let size = 2 * LANES * self.kv_heads;
        let numbers = &mut self.numbers[block * size * self.head..][..size * self.head];
        let scales = &mut self.scales[block * size..][..size];
        write(level, keys, values, self.head, position % LANES, numbers, scales);
    }
}

kernel! {
    /// Writes the keys and values of all heads, each of `size` elements, as position `lane`
    /// of a block.
    fn write<S>(
        keys: &[f32], values: &[f32], size: usize, lane: usize, numbers: &mut [i16], scales: &mut [f32],
    ) {
        let rows = keys.chunks_exact(size).zip(values.chunks_exact(size));
        let blocks = numbers.chunks_exact_mut(2 * LANES * size).zip(scales.chunks_exact_mut(2 * LANES));
        for ((key, value), (numbers, scales)) in rows.zip(blocks) {
            let (key_numbers, value_numbers) = numbers.split_at_mut(LANES * size);
            let [scale, inverse] = unit::<S>(key);
            scales[lane] = scale;
            for (lanes, x) in key_numbers.as_chunks_mut::<LANES>().0.iter_mut().zip(key) {
                lanes[lane] = whole(x * inverse);
            }
            let [scale, inverse] = unit::<S>(value);
            scales[LANES + lane] = scale;
            for (number, x) in value_numbers[lane * size..].iter_mut().zip(value) {
                *number = whole(x * inverse);
            }
        }
    }
}

/// What a whole number of `x` stands for, and its inverse; both 0 where all of `x` is.
#[inline(always)]
fn unit<S: Simd>(x: &[f32]) -> [f32; 2] {
    let mut largest = S::splat(0.0);
    for x in x.as_chunks::<LANES>().0 {
        let x = S::load(x);
        largest = S::max(S::max(x, S::sub(S::splat(0.0), x)), largest);
    }
    let largest = S::largest(largest);
    if largest > 0.0 { [largest / 32767.0, 32767.0 / largest] } else { [0.0; 2] }
}

/// The nearest whole number to `x`, which is not above 32767.
#[inline(always)]
fn whole(x: f32) -> i16 {
    // Adding 1.5·2²³ leaves it in the low bits.
    (x + 12_582_912.0).to_bits() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn numbers_keep_sixteen_bits_of_the_largest() {
        let mut stream = Stream::new(2);
        for level in Level::all() {
            let mut cache = Private::new(3, 20, 2, 2, 32);
            let mut draw = || (0..64).map(|_| 1e3 * stream.normal() as f32).collect::<Vec<_>>();
            let (keys, values) = (draw(), draw());
            cache.write(level, 1, 2, 17, &keys, &values);
            cache.write(level, 1, 2, 18, &[0.0; 64], &[0.0; 64]);
            let Blocks { numbers, scales } = cache.read(1, 2, 18);
            for head in 0..2 {
                let largest = |x: &[f32]| x.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                let (key, value) = (&keys[head * 32..][..32], &values[head * 32..][..32]);
                let block = &numbers[(2 + head) * 2 * 16 * 32..][..2 * 16 * 32];
                let scales = &scales[(2 + head) * 2 * 16..][..2 * 16];
                for i in 0..32 {
                    let (k, v) = (f32::from(block[i * 16 + 1]), f32::from(block[16 * 32 + 32 + i]));
                    assert!((k * scales[1] - key[i]).abs() <= 1.6e-5 * largest(key));
                    assert!((v * scales[17] - value[i]).abs() <= 1.6e-5 * largest(value));
                    assert_eq!((block[i * 16 + 2], scales[2]), (0, 0.0));
                }
            }
        }
    }
}
