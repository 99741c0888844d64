//! Attention of one row. What all rows read, the prompt, is left to matrix products.

use super::cache::Blocks;
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
    pub fn attend<S>(
        queries: &[f32], blocks: Blocks<'_>, heads: Heads, span: Span, scores: &mut [f32], out: &mut [f32],
    ) {
        score::<S>(queries, blocks, heads, span, scores);
        let end = span.own + span.seen.next_multiple_of(LANES);
        for head in 0..heads.count() {
            let scores = &mut scores[head * span.width..][..end];
            scores[span.prompt..span.own].fill(f32::NEG_INFINITY);
            scores[span.own + span.seen..].fill(f32::NEG_INFINITY);
            scores[..span.from.min(span.prompt)].fill(f32::NEG_INFINITY);
            scores[span.own..][..span.from.saturating_sub(span.prompt)].fill(f32::NEG_INFINITY);
        }
        weigh::<S>(scores, heads.count(), span.width, end, heads.scale);
        gather::<S>(scores, span, blocks, heads, out);
    }
}

kernel! {
    /// Turns scores into weights: softmax(`scale` · x) of each of `rows` of `width` values,
    /// for `scale` > 0. A score of −∞ or that is no number gets exactly 0.
    pub fn softmax<S>(scores: &mut [f32], rows: usize, width: usize, scale: f32) {
        weigh::<S>(scores, rows, width, width, scale);
    }
}

/// Scores of each query over the keys of all blocks.
#[inline(always)]
fn score<S: Simd>(queries: &[f32], blocks: Blocks<'_>, heads: Heads, span: Span, scores: &mut [f32]) {
    let Heads { kv_heads, group, size, .. } = heads;
    for block in 0..span.seen.div_ceil(LANES) {
        for kv_head in 0..kv_heads {
            let at = block * kv_heads + kv_head;
            let (keys, _) = blocks.numbers[at * 2 * LANES * size..][..LANES * size].as_chunks::<LANES>();
            let unit = S::load(&blocks.scales.as_chunks::<LANES>().0[2 * at]);
            for head in kv_head * group..(kv_head + 1) * group {
                let (query, _) = queries[head * size..][..size].as_chunks::<4>();
                // Four sums, since one would wait for itself.
                let mut sums = [S::splat(0.0); 4];
                for (keys, query) in keys.as_chunks::<4>().0.iter().zip(query) {
                    for ((sum, key), query) in sums.iter_mut().zip(keys).zip(query) {
                        *sum = S::fma(S::load_i16(key), S::splat(*query), *sum);
                    }
                }
                let [a, b, c, d] = sums;
                let out = &mut scores[head * span.width + span.own..].as_chunks_mut::<LANES>().0[block];
                S::store(out, S::mul(S::add(S::add(a, b), S::add(c, d)), unit));
            }
        }
    }
}

/// Softmax of the first `len` of each of `rows` of `width` scores.
#[inline(always)]
fn weigh<S: Simd>(scores: &mut [f32], rows: usize, width: usize, len: usize, scale: f32) {
    // Some rows together, step by step: a step of one row would wait for the step before.
    const TOGETHER: usize = 4;
    let mut first = 0;
    while first < rows {
        let mut figures = [0.0; TOGETHER];
        let together = TOGETHER.min(rows - first);
        for (i, top) in figures[..together].iter_mut().enumerate() {
            let mut largest = S::splat(f32::MIN);
            for x in scores[(first + i) * width..][..len].as_chunks::<LANES>().0 {
                largest = S::max(S::load(x), largest);
            }
            *top = S::largest(largest).min(f32::MAX);
        }
        for (i, figure) in figures[..together].iter_mut().enumerate() {
            let (top, scale) = (S::splat(*figure), S::splat(scale));
            let mut sum = S::splat(0.0);
            for x in scores[(first + i) * width..][..len].as_chunks_mut::<LANES>().0 {
                let e = S::exp_or_zero(S::mul(S::sub(S::load(x), top), scale));
                sum = S::add(sum, e);
                S::store(x, e);
            }
            *figure = S::sum(sum);
        }
        for (i, sum) in figures[..together].iter().enumerate() {
            let inverse = S::splat(1.0 / sum);
            for x in scores[(first + i) * width..][..len].as_chunks_mut::<LANES>().0 {
                S::store(x, S::mul(S::load(x), inverse));
            }
        }
        first += together;
    }
}

/// The values of all blocks, weighted.
#[inline(always)]
fn gather<S: Simd>(weights: &[f32], span: Span, blocks: Blocks<'_>, heads: Heads, out: &mut [f32]) {
    let Heads { kv_heads, group, size, .. } = heads;
    for kv_head in 0..kv_heads {
        for head in kv_head * group..(kv_head + 1) * group {
            let (weights, _) = weights[head * span.width + span.own..].as_chunks::<LANES>();
            let (out, _) = out[head * size..][..size].as_chunks_mut::<{ 2 * LANES }>();
            for (panel, out) in out.iter_mut().enumerate() {
                // Even and odd positions apart, since one sum would wait for itself.
                let (mut even, mut odd) = ([S::splat(0.0); 2], [S::splat(0.0); 2]);
                let add = |sums: &mut [S::V; 2], weight: f32, value: &[i16]| {
                    let (value, _) = value[panel * 2 * LANES..][..2 * LANES].as_chunks::<LANES>();
                    for (sum, value) in sums.iter_mut().zip(value) {
                        *sum = S::fma(S::splat(weight), S::load_i16(value), *sum);
                    }
                };
                for (block, weights) in weights[..span.seen.div_ceil(LANES)].iter().enumerate() {
                    let at = block * kv_heads + kv_head;
                    let unit = S::load(&blocks.scales.as_chunks::<LANES>().0[2 * at + 1]);
                    let mut scaled = [0.0; LANES];
                    S::store(&mut scaled, S::mul(S::load(weights), unit));
                    let mut values = &blocks.numbers[(2 * at + 1) * LANES * size..][..LANES * size];
                    let (pairs, last) = scaled[..LANES.min(span.seen - block * LANES)].as_chunks::<2>();
                    for weights in pairs {
                        add(&mut even, weights[0], &values[..size]);
                        add(&mut odd, weights[1], &values[size..]);
                        values = &values[2 * size..];
                    }
                    if let [last] = last {
                        add(&mut even, *last, values);
                    }
                }
                let (out, _) = out.as_chunks_mut::<LANES>();
                for ((out, even), odd) in out.iter_mut().zip(even).zip(odd) {
                    S::store(out, S::add(even, odd));
                }
            }
        }
    }
}
