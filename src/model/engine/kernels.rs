//! What a layer does to a row besides matrix products. Rows are padded to whole vectors;
//! what is computed in the padding stays 0.

use super::simd::{LANES, kernel};

kernel! {
    /// out = x / √(mean x² + ε) · weight (Zhang & Sennrich 2019, eq. 4), the mean over the
    /// first `size` values.
    pub fn rms_norm<S>(x: &[f32], weight: &[f32], size: usize, epsilon: f32, out: &mut [f32]) {
        let (x, _) = x.as_chunks::<LANES>();
        let (weight, _) = weight.as_chunks::<LANES>();
        let (out, _) = out.as_chunks_mut::<LANES>();
        let mut squares = S::splat(0.0);
        for x in x {
            squares = S::fma(S::load(x), S::load(x), squares);
        }
        let scale = S::splat(1.0 / (S::sum(squares) / size as f32 + epsilon).sqrt());
        for ((x, weight), out) in x.iter().zip(weight).zip(out) {
            S::store(out, S::mul(S::mul(S::load(x), scale), S::load(weight)));
        }
    }
}

kernel! {
    /// out = silu(gate) · up, with silu(x) = x / (1 + e⁻ˣ) (Shazeer 2020, eq. 5).
    pub fn swiglu<S>(gate: &[f32], up: &[f32], out: &mut [f32]) {
        let (gate, _) = gate.as_chunks::<LANES>();
        let (up, _) = up.as_chunks::<LANES>();
        let (out, _) = out.as_chunks_mut::<LANES>();
        for ((gate, up), out) in gate.iter().zip(up).zip(out) {
            let gate = S::load(gate);
            let below = S::add(S::splat(1.0), S::exp(S::sub(S::splat(0.0), gate)));
            S::store(out, S::mul(S::div(gate, below), S::load(up)));
        }
    }
}

kernel! {
    /// x = softmax(scale · x), for scale > 0. A value of −∞ gets exactly 0, and so does
    /// one that is no number.
    pub fn softmax<S>(x: &mut [f32], scale: f32) {
        let (x, _) = x.as_chunks_mut::<LANES>();
        let mut top = S::splat(f32::MIN);
        for x in x.iter() {
            top = S::max(S::load(x), top);
        }
        let top = S::splat(S::largest(top).min(f32::MAX));
        let mut sum = S::splat(0.0);
        for x in x.iter_mut() {
            let d = S::mul(S::sub(S::load(x), top), S::splat(scale));
            let e = S::exp_or_zero(d);
            sum = S::add(sum, e);
            S::store(x, e);
        }
        let scale = S::splat(1.0 / S::sum(sum));
        for x in x.iter_mut() {
            S::store(x, S::mul(S::load(x), scale));
        }
    }
}

kernel! {
    /// Scores of a row's queries over its own keys: `blocks` as
    /// [`Private::read`](super::cache::Private::read) gives them, `group` query heads a
    /// key-value head, a query head's scores `width` apart.
    pub fn own_scores<S>(queries: &[f32], blocks: &[f32], shape: Heads, scores: &mut [f32], width: usize) {
        let Heads { kv_heads, group, size } = shape;
        for (number, block) in blocks.chunks_exact(2 * LANES * kv_heads * size).enumerate() {
            for (kv_head, both) in block.chunks_exact(2 * LANES * size).enumerate() {
                let (keys, _) = both[..LANES * size].as_chunks::<LANES>();
                for head in kv_head * group..(kv_head + 1) * group {
                    let query = &queries[head * size..][..size];
                    // Four sums, since one would wait for itself.
                    let mut sums = [S::splat(0.0); 4];
                    for (keys, query) in keys.as_chunks::<4>().0.iter().zip(query.as_chunks::<4>().0) {
                        for ((sum, key), query) in sums.iter_mut().zip(keys).zip(query) {
                            *sum = S::fma(S::load(key), S::splat(*query), *sum);
                        }
                    }
                    let [a, b, c, d] = sums;
                    let (out, _) = scores[head * width + number * LANES..].as_chunks_mut::<LANES>();
                    S::store(&mut out[0], S::add(S::add(a, b), S::add(c, d)));
                }
            }
        }
    }
}

kernel! {
    /// A row's own values weighted by its scores, written to `out`, the heads side by side.
    /// Arguments as for [`own_scores`]; `positions` are used.
    pub fn own_values<S>(
        scores: &[f32], width: usize, positions: usize, blocks: &[f32], shape: Heads, out: &mut [f32],
    ) {
        let Heads { kv_heads, group, size } = shape;
        let block = 2 * LANES * kv_heads * size;
        for head in 0..kv_heads * group {
            let weights = &scores[head * width..][..positions];
            let first = (2 * (head / group) + 1) * LANES * size;
            for panel in (0..size).step_by(2 * LANES) {
                // Even and odd positions apart, since one sum would wait for itself.
                let mut sums = [[S::splat(0.0); 2]; 2];
                for (weights, block) in weights.chunks(LANES).zip(blocks.chunks_exact(block)) {
                    let values = block[first..][..LANES * size].chunks_exact(size);
                    for (position, (weight, value)) in weights.iter().zip(values).enumerate() {
                        let (value, _) = value[panel..][..2 * LANES].as_chunks::<LANES>();
                        let weight = S::splat(*weight);
                        for (sum, value) in sums[position % 2].iter_mut().zip(value) {
                            *sum = S::fma(weight, S::load(value), *sum);
                        }
                    }
                }
                let (out, _) = out[head * size + panel..][..2 * LANES].as_chunks_mut::<LANES>();
                for (i, out) in out.iter_mut().enumerate() {
                    S::store(out, S::add(sums[0][i], sums[1][i]));
                }
            }
        }
    }
}

/// The heads of attention.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    pub kv_heads: usize,
    /// Query heads that share a key-value head.
    pub group: usize,
    /// Dimension of a head, padded to whole panels.
    pub size: usize,
}

kernel! {
    /// Turns the pairs (`x[i]`, `x[i + half]`) of every head, `head` values apart, by the
    /// angles whose cosines and sines are given (Su et al. 2021, eq. 34, with the pairs of
    /// Hugging Face's `rotate_half`).
    pub fn rotate<S>(x: &mut [f32], head: usize, cos: &[f32], sin: &[f32]) {
        for x in x.chunks_exact_mut(head) {
            let (first, second) = x.split_at_mut(cos.len());
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}
