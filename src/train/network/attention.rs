//! Causal attention over packed texts, some of which continue beginnings that they share.

use super::kernels;
use super::matrix::{Into, View, product};
use crate::model::Config;
use std::ops::Range;

/// A run of rows in a packed batch: a text, or the continuation of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its own rows.
    pub rows: Range<usize>,
    /// The runs of rows that it continues, in their order: seen by every one of its own.
    /// None for a whole text.
    pub prefix: Vec<Range<usize>>,
}

/// How heads lie in a row of queries, keys and values side by side.
pub struct Heads {
    heads: usize,
    group: usize,
    dim: usize,
    keys: usize,
    values: usize,
    /// Elements of a row.
    pub width: usize,
}

impl Heads {
    pub fn new(c: &Config) -> Self {
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        Self {
            heads: c.heads,
            group: c.heads / c.kv_heads,
            dim: c.head_dim,
            keys: q,
            values: q + kv,
            width: q + 2 * kv,
        }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.dim as f32).sqrt()
    }

    fn view<'a>(&self, qkv: &'a [f32], rows: &Range<usize>, column: usize) -> View<'a> {
        let start = (rows.start * self.width + column).min(qkv.len());
        View::strided(&qkv[start..], rows.len(), self.dim, self.width)
    }

    /// First columns of head h's queries, keys and values.
    fn columns(&self, head: usize) -> [usize; 3] {
        let shared = head / self.group * self.dim;
        [head * self.dim, self.keys + shared, self.values + shared]
    }

    /// Attention of every segment: `out` gets a row of `heads * dim` for each row of `qkv`,
    /// `probabilities` what the way back needs.
    pub fn attend(&self, segments: &[Segment], qkv: &[f32], out: &mut [f32], probabilities: &mut Vec<f32>) {
        let total: usize = segments.iter().map(|s| self.heads * s.weights()).sum();
        probabilities.resize(total, 0.0);
        let mut left = probabilities.as_mut_slice();
        for s in segments {
            let (own, seen) = (s.rows.len(), s.seen());
            for head in 0..self.heads {
                let [q, k, v] = self.columns(head);
                let p;
                (p, left) = left.split_at_mut(s.weights());
                let queries = self.view(qkv, &s.rows, q);
                for (part, at) in s.parts() {
                    let keys = self.view(qkv, &part, k).t();
                    product(&mut p[at..], seen, Into::Replace, self.scale(), queries, keys);
                }
                kernels::causal_softmax(p, seen, seen - own);
                let width = self.heads * self.dim;
                let o = &mut out[s.rows.start * width + head * self.dim..];
                let mut into = Into::Replace;
                for (part, at) in s.parts() {
                    let p = View::strided(&p[at..], own, part.len(), seen);
                    product(o, width, into, 1.0, p, self.view(qkv, &part, v));
                    into = Into::Add;
                }
            }
        }
    }

    /// The gradient of [`Heads::attend`]: adds to `dqkv`, which starts at 0. `scratch` is
    /// only reused memory.
    pub fn attend_back(
        &self,
        segments: &[Segment],
        qkv: &[f32],
        probabilities: &[f32],
        dout: &[f32],
        dqkv: &mut [f32],
        scratch: &mut Vec<f32>,
    ) {
        let mut left = probabilities;
        for s in segments {
            let (own, seen) = (s.rows.len(), s.seen());
            scratch.resize(s.weights(), 0.0);
            for head in 0..self.heads {
                let [q, k, v] = self.columns(head);
                let p;
                (p, left) = left.split_at(s.weights());
                let width = self.heads * self.dim;
                let dout = &dout[s.rows.start * width + head * self.dim..];
                let dout = View::strided(dout, own, self.dim, width);
                let at_row = |rows: &Range<usize>, column: usize| rows.start * self.width + column;
                for (part, at) in s.parts() {
                    product(&mut scratch[at..], seen, Into::Replace, 1.0, dout, self.view(qkv, &part, v).t());
                    let p = View::strided(&p[at..], own, part.len(), seen).t();
                    product(&mut dqkv[at_row(&part, v)..], self.width, Into::Add, 1.0, p, dout);
                }
                kernels::softmax_back(p, seen, scratch);
                for (part, at) in s.parts() {
                    let ds = View::strided(&scratch[at..], own, part.len(), seen);
                    let keys = self.view(qkv, &part, k);
                    let scale = self.scale();
                    product(&mut dqkv[at_row(&s.rows, q)..], self.width, Into::Add, scale, ds, keys);
                    let queries = self.view(qkv, &s.rows, q);
                    product(&mut dqkv[at_row(&part, k)..], self.width, Into::Add, scale, ds.t(), queries);
                }
            }
        }
    }
}

impl Segment {
    /// Rows that the last of its own sees.
    fn seen(&self) -> usize {
        self.prefix.iter().chain([&self.rows]).map(Range::len).sum()
    }

    fn weights(&self) -> usize {
        self.rows.len() * self.seen()
    }

    /// The rows it sees, and where they begin in a row of weights.
    fn parts(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        self.prefix.iter().chain([&self.rows]).scan(0, |at, rows| {
            let start = *at;
            *at += rows.len();
            Some((rows.clone(), start))
        })
    }
}
