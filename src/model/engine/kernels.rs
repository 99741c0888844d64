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
    /// As [`rms_norm`], in place.
    pub fn norm_in_place<S>(x: &mut [f32], weight: &[f32], size: usize, epsilon: f32) {
        let (x, _) = x.as_chunks_mut::<LANES>();
        let (weight, _) = weight.as_chunks::<LANES>();
        let mut squares = S::splat(0.0);
        for x in &*x {
            squares = S::fma(S::load(x), S::load(x), squares);
        }
        let scale = S::splat(1.0 / (S::sum(squares) / size as f32 + epsilon).sqrt());
        for (x, weight) in x.iter_mut().zip(weight) {
            let scaled = S::mul(S::mul(S::load(x), scale), S::load(weight));
            S::store(x, scaled);
        }
    }
}

kernel! {
    /// x += y.
    pub fn add_row<S>(x: &mut [f32], y: &[f32]) {
        let (x, _) = x.as_chunks_mut::<LANES>();
        let (y, _) = y.as_chunks::<LANES>();
        for (x, y) in x.iter_mut().zip(y) {
            let sum = S::add(S::load(x), S::load(y));
            S::store(x, sum);
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
