//! How weights follow a gradient: AdamW, and Muon for matrices.

use super::network::{Into, Network, View, adamw, product};
use super::parallel;
use std::ops::Range;

/// Learning rates of one step.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// For what AdamW moves.
    pub adamw: f32,
    /// For what Muon moves.
    pub muon: f32,
}

/// An optimiser with its state.
pub struct Optimiser {
    betas: [f32; 2],
    steps: i32,
    first: Vec<f32>,
    second: Vec<f32>,
    /// What Muon moves: ranges with their rows and columns.
    matrices: Vec<(Range<usize>, usize, usize)>,
    /// What AdamW moves.
    rest: Vec<Range<usize>>,
}

impl Optimiser {
    /// AdamW for everything.
    pub fn adamw(network: &Network, betas: [f32; 2]) -> Self {
        Self {
            betas,
            steps: 0,
            first: vec![0.0; network.parameters()],
            second: vec![0.0; network.parameters()],
            matrices: Vec::new(),
            rest: std::iter::once(0..network.parameters()).collect(),
        }
    }

    /// Muon (Jordan et al. 2024) for the matrices of the layers, AdamW for embedding and norms.
    pub fn muon(network: &Network, betas: [f32; 2]) -> Self {
        let mut new = Self { rest: Vec::new(), ..Self::adamw(network, betas) };
        for t in network.tensors() {
            match t.shape.as_slice() {
                [rows, cols] if t.name != "model.embed_tokens.weight" => {
                    new.matrices.push((t.range.clone(), *rows, *cols));
                }
                _ => new.rest.push(t.range.clone()),
            }
        }
        new
    }

    /// Moves the weights one step against the gradient.
    pub fn step(&mut self, weights: &mut [f32], gradient: &[f32], rates: Rates, threads: usize) {
        self.steps += 1;
        let corrections = self.betas.map(|b| 1.0 - b.powi(self.steps));
        let rate = [rates.adamw, corrections[0], corrections[1]];
        for r in &self.rest {
            let (first, second) = (&mut self.first[r.clone()], &mut self.second[r.clone()]);
            adamw(&mut weights[r.clone()], &gradient[r.clone()], first, second, self.betas, rate, 0.0);
        }
        let jobs = self.matrices.iter().map(|(r, rows, cols)| {
            let (momentum, g) = (&mut self.first[r.clone()], &gradient[r.clone()]);
            // Nesterov's look ahead: the momentum as it will be, and this gradient again.
            let mut ahead = Vec::with_capacity(g.len());
            for (m, g) in momentum.iter_mut().zip(g) {
                *m = MOMENTUM * *m + g;
                ahead.push(g + MOMENTUM * *m);
            }
            (r, *rows, *cols, ahead)
        });
        let jobs: Vec<_> = jobs.collect();
        let done = std::sync::Mutex::new(Vec::with_capacity(jobs.len()));
        parallel::each(threads, jobs.into_iter(), |(r, rows, cols, ahead)| {
            let update = orthogonal(&ahead, rows, cols);
            done.lock().expect("no thread panics here").push((r, rows, cols, update));
        });
        for (r, rows, cols, update) in done.into_inner().expect("no thread panicked") {
            let rate = rates.muon * (rows as f32 / cols as f32).max(1.0).sqrt();
            for (w, u) in weights[r.clone()].iter_mut().zip(&update) {
                *w -= rate * u;
            }
        }
    }
}

/// Shortens a gradient to Euclidean norm `limit`; gives the norm that it had.
pub fn clip(gradient: &mut [f32], limit: f32) -> f32 {
    let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt() as f32;
    if norm > limit {
        gradient.iter_mut().for_each(|g| *g *= limit / norm);
    }
    norm
}

const MOMENTUM: f32 = 0.95;

/// The nearest matrix with all singular values near 1 (0.7 to 1.2), by five steps of the
/// Newton–Schulz iteration x ← a x + (b x xᵀ + c (x xᵀ)²) x.
fn orthogonal(g: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    const A: f32 = 3.4445;
    const B: f32 = -4.7750;
    const C: f32 = 2.0315;
    // Few rows make a small x xᵀ.
    let (n, m) = (rows.min(cols), rows.max(cols));
    let wide = rows <= cols;
    let mut x: Vec<f32> = if wide { g.to_vec() } else { (0..n * m).map(|i| g[i % m * n + i / m]).collect() };
    let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt() + 1e-7;
    x.iter_mut().for_each(|v| *v /= norm);
    let (mut square, mut poly, mut next) = (vec![0.0; n * n], vec![0.0; n * n], vec![0.0; n * m]);
    for _ in 0..5 {
        product(&mut square, n, Into::Replace, 1.0, View::new(&x, n, m), View::new(&x, n, m).t());
        poly.copy_from_slice(&square);
        poly.iter_mut().for_each(|v| *v *= B);
        product(&mut poly, n, Into::Add, C, View::new(&square, n, n), View::new(&square, n, n));
        next.copy_from_slice(&x);
        next.iter_mut().for_each(|v| *v *= A);
        product(&mut next, m, Into::Add, 1.0, View::new(&poly, n, n), View::new(&x, n, m));
        std::mem::swap(&mut x, &mut next);
    }
    if wide { x } else { (0..n * m).map(|i| x[i % n * m + i / n]).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;
    use crate::random::Stream;

    #[test]
    fn orthogonal_matrices_have_singular_values_near_one() {
        for (rows, cols) in [(6, 20), (20, 6), (8, 8)] {
            let mut stream = Stream::new(4);
            let g: Vec<f32> = (0..rows * cols).map(|_| stream.normal() as f32).collect();
            let x = orthogonal(&g, rows, cols);
            let n = rows.min(cols);
            let mut square = vec![0.0; n * n];
            let x = View::new(&x, rows, cols);
            let (a, b) = if rows <= cols { (x, x.t()) } else { (x.t(), x) };
            product(&mut square, n, Into::Replace, 1.0, a, b);
            let trace: f32 = (0..n).map(|i| square[i * n + i]).sum();
            // The mean of the squared singular values.
            assert!((0.45..1.45).contains(&(trace / n as f32)), "{rows} x {cols}: {trace}");
        }
    }

    #[test]
    fn both_optimisers_go_downhill() {
        let network = Network::new(&tiny());
        for mut optimiser in [Optimiser::adamw(&network, [0.9, 0.95]), Optimiser::muon(&network, [0.9, 0.95])]
        {
            // The loss is half the squared distance to a goal.
            let mut stream = Stream::new(6);
            let goal: Vec<f32> = (0..network.parameters()).map(|_| 0.5 * stream.normal() as f32).collect();
            let mut weights = vec![0.0f32; network.parameters()];
            let distance = |w: &[f32]| w.iter().zip(&goal).map(|(w, g)| (w - g).powi(2)).sum::<f32>();
            let before = distance(&weights);
            for _ in 0..50 {
                let gradient: Vec<f32> = weights.iter().zip(&goal).map(|(w, g)| w - g).collect();
                optimiser.step(&mut weights, &gradient, Rates { adamw: 0.02, muon: 0.1 }, 2);
            }
            assert!(distance(&weights) < 0.5 * before);
        }
    }

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_left() {
        let mut g = [3.0, 4.0];
        assert_eq!(clip(&mut g, 1.0), 5.0);
        assert!((g[0] - 0.6).abs() < 1e-6 && (g[1] - 0.8).abs() < 1e-6);
        let mut g = [0.3, 0.4];
        clip(&mut g, 1.0);
        assert_eq!(g, [0.3, 0.4]);
    }
}
