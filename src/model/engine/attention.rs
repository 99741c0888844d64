//! Attention of one row. What all rows read, the prompt, is left to matrix products.

use super::simd::{LANES, Simd, kernel};

/// The heads of attention.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    pub kv_heads: usize,
    /// Query heads that share a key-value head.
    pub group: usize,
    /// Dimension of a head, padded to whole panels.
    pub size: usize,
    /// What scores are multiplied by: 1/√(head dimension).
    pub scale: f32,
}

impl Heads {
    /// Query heads.
    pub fn count(self) -> usize {
        self.kv_heads * self.group
    }
}

/// Where a head's scores lie.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Positions of the prompt: the scores from 0 on.
    pub prompt: usize,
    /// Where the scores over the row's own positions begin, a multiple of 16.
    pub own: usize,
    /// The row's own positions.
    pub seen: usize,
    /// The first position that is looked at, of the prompt's and the own in their order.
    pub from: usize,
    /// Scores from one head to the next, a multiple of 16.
    pub width: usize,
}

kernel! {
    /// Attention of a row over its own positions, with the softmax over these and the
    /// prompt's. `scores` holds the prompt's scores and gets the weights of all positions;
    /// `out` gets the weighted sum of the row's own values, the heads side by side.
    ///
    /// `blocks` are what [`Private::read`](super::cache::Private::read) gives.
    pub fn attend<S>(queries: &[f32], blocks: &[f32], heads: Heads, span: Span, scores: &mut [f32], out: &mut [f32]) {
        score::<S>(queries, blocks, heads, &mut scores[span.own..], span.width);
        let end = span.own + span.seen.next_multiple_of(LANES);
        for scores in scores.chunks_exact_mut(span.width) {
            scores[span.prompt..span.own].fill(f32::NEG_INFINITY);
            scores[span.own + span.seen..end].fill(f32::NEG_INFINITY);
            scores[..span.from.min(span.prompt)].fill(f32::NEG_INFINITY);
            scores[span.own..][..span.from.saturating_sub(span.prompt)].fill(f32::NEG_INFINITY);
        }
        weigh::<S>(scores, span.width, end, heads.scale);
        gather::<S>(&scores[span.own..], span, blocks, heads, out);
    }
}

kernel! {
    /// Turns scores into weights, row by row: softmax(`scale` · x) of the first `len` values
    /// of each `width`, for `scale` > 0. A score of −∞ or that is no number gets exactly 0.
    pub fn softmax<S>(scores: &mut [f32], width: usize, len: usize, scale: f32) {
        weigh::<S>(scores, width, len, scale);
    }
}

/// Scores of each query over the keys of all blocks.
#[inline(always)]
fn score<S: Simd>(queries: &[f32], blocks: &[f32], heads: Heads, scores: &mut [f32], width: usize) {
    let Heads { kv_heads, group, size, .. } = heads;
    for (number, block) in blocks.chunks_exact(2 * LANES * kv_heads * size).enumerate() {
        for (kv_head, both) in block.chunks_exact(2 * LANES * size).enumerate() {
            let (keys, _) = both[..LANES * size].as_chunks::<LANES>();
            for head in kv_head * group..(kv_head + 1) * group {
                let (query, _) = queries[head * size..][..size].as_chunks::<4>();
                // Four sums, since one would wait for itself.
                let mut sums = [S::splat(0.0); 4];
                for (keys, query) in keys.as_chunks::<4>().0.iter().zip(query) {
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

#[inline(always)]
fn weigh<S: Simd>(scores: &mut [f32], width: usize, len: usize, scale: f32) {
    // Some rows together, step by step: a step of one row would wait for the step before.
    const TOGETHER: usize = 4;
    for rows in scores.chunks_mut(TOGETHER * width) {
        let mut figures = [0.0; TOGETHER];
        for (x, top) in rows.chunks_exact(width).zip(&mut figures) {
            let mut largest = S::splat(f32::MIN);
            for x in x[..len].as_chunks::<LANES>().0 {
                largest = S::max(S::load(x), largest);
            }
            *top = S::largest(largest).min(f32::MAX);
        }
        for (x, figure) in rows.chunks_exact_mut(width).zip(&mut figures) {
            let (top, scale) = (S::splat(*figure), S::splat(scale));
            let mut sum = S::splat(0.0);
            for x in x[..len].as_chunks_mut::<LANES>().0 {
                let e = S::exp_or_zero(S::mul(S::sub(S::load(x), top), scale));
                sum = S::add(sum, e);
                S::store(x, e);
            }
            *figure = S::sum(sum);
        }
        for (x, sum) in rows.chunks_exact_mut(width).zip(figures) {
            let inverse = S::splat(1.0 / sum);
            for x in x[..len].as_chunks_mut::<LANES>().0 {
                S::store(x, S::mul(S::load(x), inverse));
            }
        }
    }
}

/// The values of all blocks, weighted.
#[inline(always)]
fn gather<S: Simd>(weights: &[f32], span: Span, blocks: &[f32], heads: Heads, out: &mut [f32]) {
    let Heads { kv_heads, group, size, .. } = heads;
    for head in 0..heads.count() {
        let weights = &weights[head * span.width..][..span.seen];
        let first = (2 * (head / group) + 1) * LANES * size;
        for panel in (0..size).step_by(2 * LANES) {
            // Even and odd positions apart, since one sum would wait for itself.
            let (mut even, mut odd) = ([S::splat(0.0); 2], [S::splat(0.0); 2]);
            let add = |sums: &mut [S::V; 2], weight: f32, value: &[f32]| {
                let (value, _) = value[panel..][..2 * LANES].as_chunks::<LANES>();
                for (sum, value) in sums.iter_mut().zip(value) {
                    *sum = S::fma(S::splat(weight), S::load(value), *sum);
                }
            };
            let blocks = blocks.chunks_exact(2 * LANES * kv_heads * size);
            for (weights, block) in weights.chunks(LANES).zip(blocks) {
                let values = &block[first..][..LANES * size];
                let (pairs, last) = weights.as_chunks::<2>();
                for (weights, values) in pairs.iter().zip(values.chunks_exact(2 * size)) {
                    add(&mut even, weights[0], &values[..size]);
                    add(&mut odd, weights[1], &values[size..]);
                }
                if let [last] = last {
                    add(&mut even, *last, &values[(weights.len() - 1) * size..]);
                }
            }
            let (out, _) = out[head * size + panel..][..2 * LANES].as_chunks_mut::<LANES>();
            for ((out, even), odd) in out.iter_mut().zip(even).zip(odd) {
                S::store(out, S::add(even, odd));
            }
        }
    }
}
