//! Reproducible random streams.
//!
//! Everything random in this program is drawn from a [`Stream`], and a stream depends on
//! its key alone. That is what makes completion *i* of a problem the same text whatever
//! the batch, the order or the number of threads.

/// A stream of random numbers (SplitMix64; Steele, Lea & Flood 2014) that is a function
/// of its key.
///
/// A key is built by naming what the stream is for:
///
/// ```
/// use leash::random::Stream;
/// let mut a = Stream::new(7).with("base").with("leg_counting/heldout/0").at(3);
/// let mut b = Stream::new(7).with("base").with("leg_counting/heldout/0").at(3);
/// assert_eq!(a.next_u64(), b.next_u64());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: mix(seed ^ 0x6c65_6173_685f_7631) }
    }

    /// The stream for `name` under this key.
    #[must_use]
    pub fn with(self, name: &str) -> Self {
        // FNV-1a, then a mix: stable across versions, which `std`'s hasher does not promise.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self { state: mix(self.state ^ mix(hash)) }
    }

    /// The stream number `index` under this key.
    #[must_use]
    pub fn at(self, index: u64) -> Self {
        Self { state: mix(self.state.rotate_left(23) ^ mix(index.wrapping_add(0x51_7c_c1_b7_27_22_0a_95))) }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n. `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Exponential with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Standard normal (Box–Muller, one of the pair).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// An index drawn in proportion to `weights` (not negative, not all 0).
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (i, w) in weights.iter().enumerate() {
            if left < *w {
                return i;
            }
            left -= w;
        }
        weights.len() - 1
    }

    /// Puts `items` in a uniformly random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_keys_differ_and_are_uniform() {
        let mut seen = std::collections::HashSet::new();
        let mut sum = 0.0;
        for policy in ["base", "rlvr"] {
            for index in 0..5000 {
                let mut s = Stream::new(0).with(policy).at(index);
                let first = s.next_u64();
                assert!(seen.insert(first));
                sum += first as f64 / u64::MAX as f64;
            }
        }
        assert!((sum / 10_000.0 - 0.5).abs() < 0.015);
    }

    #[test]
    fn weighted_follows_its_weights() {
        let mut s = Stream::new(1);
        let mut counts = [0; 3];
        for _ in 0..30_000 {
            counts[s.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((counts[0] as f64 / 30_000.0 - 0.25).abs() < 0.02);
    }

    #[test]
    fn normal_has_unit_variance() {
        let mut s = Stream::new(2);
        let xs: Vec<f64> = (0..20_000).map(|_| s.normal()).collect();
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / xs.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05);
    }
}
