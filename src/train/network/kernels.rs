//! The element-wise parts of a decoder and their gradients, each compiled for the widest
//! vectors that the machine may have.

/// Defines a function whose body is compiled three times, and chosen from at run time.
macro_rules! kernel {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) {
            #[inline(always)]
            fn plain($($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn avx512($($arg: $type),*) { plain($($arg),*) }
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) { plain($($arg),*) }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the feature was just found.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the feature was just found.
                    return unsafe { avx2($($arg),*) };
                }
            }
            plain($($arg),*)
        }
    };
}

/// Independent partial sums, which is what lets a sum be vectorised.
const LANES: usize = 16;

#[inline(always)]
fn sum_of(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n - n % LANES;
    let mut at = 0;
    while at < whole {
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane += term(at + i);
        }
        at += LANES;
    }
    let mut sum = 0.0;
    for i in whole..n {
        sum += term(i);
    }
    for lane in lanes {
        sum += lane;
    }
    sum
}

#[inline(always)]
fn max_of(xs: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = xs.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a })
}

/// e^x within 3e-7 relatively, without branches (Cephes' polynomial); 0 far below.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    // Rounds to the nearest whole number: the sum has no bits left below it.
    let magic = 12_582_912.0f32;
    let shifted = x * std::f32::consts::LOG2_E + magic;
    let n = shifted - magic;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4f32;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    // The whole number stands in the low bits of `shifted`.
    p * f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23)
}

kernel! {
    /// RMSNorm of each row of `x` (rows of `weight.len()`); `scale` keeps 1/rms of each row.
    pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, y: &mut [f32], scale: &mut [f32]) {
        let d = weight.len();
        for ((x, y), s) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)).zip(scale) {
            let inverse = 1.0 / (sum_of(d, |i| x[i] * x[i]) / d as f32 + eps).sqrt();
            *s = inverse;
            for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                *y = x * inverse * w;
            }
        }
    }
}

kernel! {
    /// Adds RMSNorm's gradients: to `dx` for its input, to `dweight` for its weight.
    pub fn rms_norm_back(
        dy: &[f32], x: &[f32], weight: &[f32], scale: &[f32], dx: &mut [f32], dweight: &mut [f32],
    ) {
        let d = weight.len();
        for (((dy, x), dx), s) in
            dy.chunks_exact(d).zip(x.chunks_exact(d)).zip(dx.chunks_exact_mut(d)).zip(scale)
        {
            let along = sum_of(d, |i| dy[i] * weight[i] * x[i]) * s * s * s / d as f32;
            for i in 0..d {
                dx[i] += dy[i] * weight[i] * s - x[i] * along;
                dweight[i] += dy[i] * x[i] * s;
            }
        }
    }
}

kernel! {
    /// `a` = silu(gate) · up; gate and up stand side by side in each row of `gate_up`.
    pub fn swiglu(gate_up: &[f32], width: usize, a: &mut [f32]) {
        for (gu, a) in gate_up.chunks_exact(2 * width).zip(a.chunks_exact_mut(width)) {
            let (gate, up) = gu.split_at(width);
            for ((a, g), u) in a.iter_mut().zip(gate).zip(up) {
                *a = g / (1.0 + exp(-g)) * u;
            }
        }
    }
}

kernel! {
    /// The gradient of [`swiglu`], written over `gate_up`.
    pub fn swiglu_back(da: &[f32], width: usize, gate_up: &mut [f32]) {
        for (gu, da) in gate_up.chunks_exact_mut(2 * width).zip(da.chunks_exact(width)) {
            let (gate, up) = gu.split_at_mut(width);
            for ((da, g), u) in da.iter().zip(gate).zip(up) {
                let sigmoid = 1.0 / (1.0 + exp(-*g));
                let silu = *g * sigmoid;
                let dg = da * *u * (sigmoid + silu * (1.0 - sigmoid));
                *u = da * silu;
                *g = dg;
            }
        }
    }
}

kernel! {
    /// Rotates pairs (i, i + half) of each of `heads` heads at the start of a row by the
    /// angle whose cosines and sines are given; `sign` −1 turns back.
    pub fn rotate(row: &mut [f32], heads: usize, cos: &[f32], sin: &[f32], sign: f32) {
        let half = cos.len();
        for head in row.chunks_exact_mut(2 * half).take(heads) {
            let (a, b) = head.split_at_mut(half);
            for i in 0..half {
                let (x, y, s) = (a[i], b[i], sign * sin[i]);
                a[i] = x * cos[i] - y * s;
                b[i] = y * cos[i] + x * s;
            }
        }
    }
}

kernel! {
    /// Softmax of row i of `rows` (each `width` long) over its first `free + i + 1`
    /// elements; the rest, which lies in the future, becomes 0.
    pub fn causal_softmax(rows: &mut [f32], width: usize, free: usize) {
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            let (seen, future) = row.split_at_mut(free + i + 1);
            softmax(seen);
            future.fill(0.0);
        }
    }
}

kernel! {
    /// The gradient of a softmax: `dp` becomes p · (dp − Σ p dp), row by row.
    pub fn softmax_back(p: &[f32], width: usize, dp: &mut [f32]) {
        for (p, dp) in p.chunks_exact(width).zip(dp.chunks_exact_mut(width)) {
            let mean = sum_of(width, |i| p[i] * dp[i]);
            for (dp, p) in dp.iter_mut().zip(p) {
                *dp = p * (*dp - mean);
            }
        }
    }
}

kernel! {
    /// ln softmax of `row`, in place.
    pub fn log_softmax(row: &mut [f32]) {
        let top = max_of(row);
        let norm = top + sum_of(row.len(), |i| exp(row[i] - top)).ln();
        for x in row {
            *x -= norm;
        }
    }
}

kernel! {
    /// −`slope` · e^x, in place: a gradient of ln p with respect to the logits, less the
    /// drawn token's own part.
    pub fn scaled_exp(row: &mut [f32], slope: f32) {
        for x in row {
            *x = -slope * exp(*x);
        }
    }
}

kernel! {
    /// As [`scaled_exp`], with `bonus` times the gradient of the entropy H = −Σ p ln p with
    /// respect to the logits: dH/dz = −p (ln p + H).
    pub fn scaled_exp_and_entropy(row: &mut [f32], slope: f32, bonus: f32) {
        let entropy = -sum_of(row.len(), |i| exp(row[i]) * row[i]);
        for x in row {
            *x = -exp(*x) * (slope + bonus * (*x + entropy));
        }
    }
}

kernel! {
    /// One step of AdamW (Loshchilov & Hutter 2019). `rate` holds the learning rate and
    /// both bias corrections: lr, 1 − β₁ᵗ, 1 − β₂ᵗ.
    pub fn adamw(
        weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32],
        betas: [f32; 2], rate: [f32; 3], decay: f32,
    ) {
        let [b1, b2] = betas;
        let [lr, c1, c2] = rate;
        for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first).zip(second) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *w -= lr * ((*m / c1) / ((*v / c2).sqrt() + 1e-8) + decay * *w);
        }
    }
}

#[inline(always)]
fn softmax(row: &mut [f32]) {
    let top = max_of(row);
    for x in row.iter_mut() {
        *x = exp(*x - top);
    }
    let inverse = 1.0 / sum_of(row.len(), |i| row[i]);
    for x in row {
        *x *= inverse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_close_everywhere() {
        for i in -8600..=8800 {
            let x = i as f32 * 0.01;
            let want = f64::from(x).exp();
            assert!((f64::from(exp(x)) - want).abs() <= 3e-7 * want, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn a_causal_softmax_sees_no_future() {
        let mut rows = vec![0.0; 2 * 4];
        causal_softmax(&mut rows, 4, 1);
        assert_eq!(rows, [0.5, 0.5, 0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
    }
}
