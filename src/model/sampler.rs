//! Drawing tokens: their log-probabilities and the exact entropy of the distribution come
//! from the same pass over the logits as the weights that they are drawn by.

use super::Sampling;
use super::engine::simd::{LANES, Level, kernel};
use crate::completion::Token;
use std::cmp::Ordering;

/// Draws tokens from logits. Holds scratch memory for one vocabulary and nothing else:
/// what it draws depends on its arguments alone.
pub struct Sampler {
    level: Level,
    /// exp((logit − max) / T) of each token, padded with 0 to whole blocks.
    weights: Vec<f32>,
    /// Sum of the weights of each block.
    masses: Vec<f64>,
    /// Tokens that top-k or top-p may keep, by id; and a copy to partition.
    candidates: Vec<Candidate>,
    partitioned: Vec<Candidate>,
}

#[derive(Clone, Copy)]
struct Candidate {
    weight: f32,
    id: u32,
}

impl Candidate {
    /// The more likely first, then the smaller id: no two are equal.
    fn order(&self, other: &Self) -> Ordering {
        other.weight.total_cmp(&self.weight).then(self.id.cmp(&other.id))
    }
}

/// What a sampler has read of a row of logits.
pub struct Distribution<'a> {
    logits: &'a [f32],
    /// The largest logit.
    top: f32,
    /// Of exp(logit − `top`).
    log_sum: f64,
    /// Of the whole distribution at temperature 1, nats.
    entropy: f32,
    choice: Choice<'a>,
}

/// What is drawn from.
enum Choice<'a> {
    Only(usize),
    All { weights: &'a [f32], masses: &'a [f64], sum: f64 },
    Kept { candidates: &'a [Candidate], sum: f64 },
}

impl Distribution<'_> {
    /// The id of a token, by inverting the cumulative distribution in the order of ids at
    /// `unit` in [0, 1).
    pub fn draw(&self, unit: f64) -> u32 {
        let id = match &self.choice {
            Choice::Only(id) => *id,
            Choice::All { weights, masses, sum } => {
                let (block, rest) = walk(masses.iter().copied(), unit * sum);
                let from = block * BLOCK;
                from + walk(weights[from..from + BLOCK].iter().map(|w| f64::from(*w)), rest).0
            }
            Choice::Kept { candidates, sum } => {
                let weights = candidates.iter().map(|c| f64::from(c.weight));
                candidates[walk(weights, unit * sum).0].id as usize
            }
        };
        id as u32
    }

    /// A token with its log-probability and the distribution's entropy, before temperature
    /// and cuts.
    pub fn token(&self, id: u32) -> Token {
        let below = f64::from((self.logits[id as usize] - self.top).min(0.0));
        Token { id, logprob: (below - self.log_sum).min(0.0) as f32, entropy: self.entropy }
    }
}

/// Weights summed in f32 before they join a sum in f64.
const BLOCK: usize = 16 * LANES;

/// Below this difference to the largest logit, a weight is 0.
const FLOOR: f32 = -88.0;

impl Sampler {
    /// A sampler for vocabularies of up to `vocab_size` tokens.
    pub fn new(level: Level, vocab_size: usize) -> Self {
        let blocks = vocab_size.div_ceil(BLOCK);
        Self {
            level,
            weights: vec![0.0; blocks * BLOCK],
            masses: vec![0.0; blocks],
            candidates: Vec::with_capacity(vocab_size),
            partitioned: Vec::with_capacity(vocab_size),
        }
    }

    /// Draws a token from softmax(`logits` / T), cut to the top k and then to the top p: as
    /// [`Sampler::read`] and [`Distribution::draw`].
    pub fn draw(&mut self, logits: &[f32], sampling: &Sampling, unit: f64) -> Option<Token> {
        let distribution = self.read(logits, sampling)?;
        Some(distribution.token(distribution.draw(unit)))
    }

    /// The distribution softmax(`logits` / T), cut to the top k and then to the top p, of
    /// which any number of tokens can be drawn. Temperature 0 leaves the most likely token
    /// alone, the first of equals.
    ///
    /// A logit that is no number counts as −∞. `None` where no logit is above that.
    pub fn read<'a>(&'a mut self, logits: &'a [f32], sampling: &Sampling) -> Option<Distribution<'a>> {
        let top = largest(self.level, logits);
        if top == f32::NEG_INFINITY {
            return None;
        }
        let top = top.min(f32::MAX);
        let [whole, moment] = weigh(self.level, logits, top, 1.0, &mut self.weights, &mut self.masses);
        let mut sum = whole;
        if sampling.temperature > 0.0 && sampling.temperature != 1.0 {
            let scale = (1.0 / sampling.temperature).min(f64::from(f32::MAX)) as f32;
            [sum, _] = weigh(self.level, logits, top, scale, &mut self.weights, &mut self.masses);
        }
        // H = −Σ p ln p with p = e^d / Σ e^d: ln Σ e^d − Σ d e^d / Σ e^d.
        let log_sum = whole.ln();
        let entropy = (log_sum - moment / whole).max(0.0) as f32;
        let top_k = sampling.top_k.filter(|k| (1..logits.len()).contains(k));
        let choice = if sampling.temperature <= 0.0 {
            Choice::Only(logits.iter().position(|l| *l >= top).unwrap_or(0))
        } else if top_k.is_none() && sampling.top_p >= 1.0 {
            Choice::All { weights: &self.weights, masses: &self.masses, sum }
        } else {
            let last = self.last_kept(logits.len(), sum, top_k, sampling.top_p);
            self.candidates.retain(|c| c.order(&last) != Ordering::Greater);
            Choice::Kept { candidates: &self.candidates, sum: mass(&self.candidates) }
        };
        Some(Distribution { logits, top, log_sum, entropy, choice })
    }

    /// The least likely token that the cuts keep; leaves at least all kept ones, by id, in
    /// `candidates`.
    fn last_kept(&mut self, vocab_size: usize, sum: f64, top_k: Option<usize>, top_p: f64) -> Candidate {
        // Without top-k, tokens below this weight have less than 1 − p together: none is kept.
        let least =
            if top_k.is_none() { ((1.0 - top_p) * sum / vocab_size as f64) as f32 * 0.99 } else { 0.0 };
        self.candidates.clear();
        self.candidates.extend(
            (0u32..)
                .zip(&self.weights[..vocab_size])
                .filter(|(_, w)| **w >= least)
                .map(|(id, w)| Candidate { weight: *w, id }),
        );
        self.partitioned.clone_from(&self.candidates);
        let mut rest = self.partitioned.as_mut_slice();
        let mut sum = sum;
        if let Some(k) = top_k {
            let (above, kth, _) = rest.select_nth_unstable_by(k - 1, Candidate::order);
            sum = mass(above) + f64::from(kth.weight);
            if top_p >= 1.0 {
                return *kth;
            }
            rest = &mut rest[..k];
        }
        // Halve what may hold the last one: keep the upper half where it has the mass that
        // is still needed, else take it off and go on with the lower half.
        let mut needed = top_p.max(0.0) * sum;
        while rest.len() > 1 {
            let half = rest.len() / 2;
            let (above, _, _) = rest.select_nth_unstable_by(half, Candidate::order);
            let upper = mass(above);
            if upper >= needed {
                rest = &mut rest[..half];
            } else {
                needed -= upper;
                rest = &mut rest[half..];
            }
        }
        rest[0]
    }
}

fn mass(candidates: &[Candidate]) -> f64 {
    candidates.iter().map(|c| f64::from(c.weight)).sum()
}

/// The place where the running sum of `weights` passes `target`, and what is left of the
/// target there; the last place with any weight where rounding keeps the sum below.
fn walk(weights: impl Iterator<Item = f64>, target: f64) -> (usize, f64) {
    let mut left = target;
    let mut last = (0, 0.0);
    for (i, weight) in weights.enumerate() {
        if left < weight {
            return (i, left);
        }
        if weight > 0.0 {
            last = (i, weight);
        }
        left -= weight;
    }
    last
}

kernel! {
    /// The largest logit; −∞ where none is a number above it.
    fn largest<S>(logits: &[f32]) -> f32 {
        let (whole, rest) = logits.as_chunks::<LANES>();
        let mut top = S::splat(f32::NEG_INFINITY);
        for x in whole {
            top = S::max(S::load(x), top);
        }
        S::largest(S::max(S::load(&padded(rest)), top))
    }
}

kernel! {
    /// Writes w = exp(d · `scale`), d = min(logit − `top`, 0), and the sum of each block;
    /// gives Σ w and Σ d·scale·w.
    fn weigh<S>(logits: &[f32], top: f32, scale: f32, weights: &mut [f32], masses: &mut [f64]) -> [f64; 2] {
        let (mut sum, mut moment) = (0.0, 0.0);
        let blocks = weights.as_chunks_mut::<BLOCK>().0.iter_mut().zip(masses);
        for ((weights, mass), logits) in blocks.zip(logits.chunks(BLOCK)) {
            let (whole, rest) = logits.as_chunks::<LANES>();
            let rest = padded(rest);
            let (mut s, mut t) = (S::splat(0.0), S::splat(0.0));
            let (weights, _) = weights.as_chunks_mut::<LANES>();
            for (i, w) in weights.iter_mut().enumerate() {
                let Some(x) = whole.get(i).or((i == whole.len()).then_some(&rest)) else {
                    w.fill(0.0);
                    continue;
                };
                let d = S::mul(S::sub(S::load(x), S::splat(top)), S::splat(scale));
                let d = S::min(S::max(d, S::splat(FLOOR)), S::splat(0.0));
                let e = S::exp_or_zero(d);
                S::store(w, e);
                s = S::add(s, e);
                t = S::fma(d, e, t);
            }
            *mass = f64::from(S::sum(s));
            sum += *mass;
            moment += f64::from(S::sum(t));
        }
        [sum, moment]
    }
}

#[inline(always)]
fn padded(rest: &[f32]) -> [f32; LANES] {
    let mut x = [f32::NEG_INFINITY; LANES];
    x[..rest.len()].copy_from_slice(rest);
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn logits(n: usize, seed: u64) -> Vec<f32> {
        let mut stream = Stream::new(seed);
        (0..n).map(|_| 3.0 * stream.normal() as f32).collect()
    }

    /// Probabilities of the cut distribution, by sorting all of it in f64.
    fn reference(logits: &[f32], sampling: &Sampling) -> Vec<f64> {
        let top = logits.iter().copied().fold(f32::MIN, f32::max);
        let mut p: Vec<f64> =
            logits.iter().map(|l| (f64::from(l - top) / sampling.temperature).exp()).collect();
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
        for id in order.iter().skip(sampling.top_k.unwrap_or(p.len())) {
            p[*id] = 0.0;
        }
        let sum = p.iter().sum::<f64>();
        let mut before = 0.0;
        for id in order {
            let own = p[id];
            if before >= sampling.top_p * sum {
                p[id] = 0.0;
            }
            before += own;
        }
        let sum = p.iter().sum::<f64>();
        p.into_iter().map(|p| p / sum).collect()
    }

    fn settings() -> Vec<Sampling> {
        let mut all = Vec::new();
        for temperature in [1.0, 0.6, 1.7] {
            for top_k in [None, Some(1), Some(7), Some(100_000)] {
                for top_p in [1.0, 0.95, 0.5, 0.0] {
                    all.push(Sampling { temperature, top_p, top_k, ..Sampling::default() });
                }
            }
        }
        all
    }

    #[test]
    fn a_token_is_drawn_by_its_probability_after_the_cuts() {
        for (n, seed) in [(1, 1), (5, 2), (83, 3), (300, 4), (5000, 5)] {
            let logits = logits(n, seed);
            for sampling in settings() {
                let p = reference(&logits, &sampling);
                for level in Level::all() {
                    let mut sampler = Sampler::new(level, n);
                    // The middle of each token's share of [0, 1) must give this token.
                    let mut below = 0.0;
                    for (id, p) in p.iter().enumerate() {
                        if *p > 1e-5 {
                            let token = sampler.draw(&logits, &sampling, below + p / 2.0).unwrap();
                            assert_eq!(token.id as usize, id, "{n} {level:?} {sampling:?}");
                        }
                        below += p;
                    }
                }
            }
        }
    }

    #[test]
    fn figures_are_of_the_whole_distribution_whatever_the_cuts() {
        for (n, seed) in [(2, 6), (83, 7), (152_000, 8)] {
            let logits = logits(n, seed);
            let p = reference(&logits, &Sampling::default());
            let entropy = -p.iter().map(|p| p * p.ln()).sum::<f64>();
            for sampling in settings() {
                let token = Sampler::new(Level::best(), n).draw(&logits, &sampling, 0.3).unwrap();
                assert!((f64::from(token.logprob) - p[token.id as usize].ln()).abs() < 1e-5);
                assert!((f64::from(token.entropy) - entropy).abs() < 1e-5 * (1.0 + entropy));
            }
        }
    }

    #[test]
    fn the_ends_of_the_unit_interval_give_tokens_with_weight() {
        let logits = [f32::NEG_INFINITY, 1.0, f32::NAN, 0.0, -1000.0];
        for sampling in settings() {
            let mut sampler = Sampler::new(Level::best(), 5);
            assert_eq!(sampler.draw(&logits, &sampling, 0.0).unwrap().id, 1);
            assert!([1, 3].contains(&sampler.draw(&logits, &sampling, 1.0 - f64::EPSILON / 2.0).unwrap().id));
        }
    }

    #[test]
    fn ties_go_to_the_first() {
        let cut = |temperature, top_k, top_p| Sampling { temperature, top_k, top_p, ..Sampling::default() };
        let mut sampler = Sampler::new(Level::best(), 40);
        for sampling in [cut(0.0, None, 1.0), cut(1.0, Some(1), 1.0), cut(1.0, None, 0.01)] {
            assert_eq!(sampler.draw(&[0.5; 40], &sampling, 0.99).unwrap().id, 0);
        }
        assert_eq!(sampler.draw(&[0.5; 40], &cut(1.0, Some(4), 1.0), 0.99).unwrap().id, 3);
    }

    #[test]
    fn extreme_logits_give_finite_figures_or_nothing() {
        let mut sampler = Sampler::new(Level::best(), 3);
        let sampling = Sampling::default();
        assert_eq!(sampler.draw(&[f32::NAN; 3], &sampling, 0.5), None);
        assert_eq!(sampler.draw(&[f32::NEG_INFINITY; 3], &sampling, 0.5), None);
        for logits in [[f32::INFINITY, 0.0, f32::INFINITY], [f32::MAX, f32::MIN, f32::MAX]] {
            let token = sampler.draw(&logits, &sampling, 0.75).unwrap();
            assert_eq!(token.id, 2);
            assert!((token.logprob + 2f32.ln()).abs() < 1e-6 && (token.entropy - 2f32.ln()).abs() < 1e-6);
        }
        let cold = Sampling { temperature: 1e-300, ..sampling };
        assert_eq!(sampler.draw(&[1.0, 3.0, 2.0], &cold, 0.999).unwrap().id, 1);
    }
}
