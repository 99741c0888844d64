//! Sixteen lanes of f32 on whatever the processor has: one 512-bit register, two of 256
//! bits, four of 128, or an array.
//!
//! Kernels are written once against [`Simd`] and compiled for each [`Level`] by
//! [`kernel!`]. A level changes the instructions and not the order of operations, so every
//! level with fused multiply-add computes the same bits; only [`Level::plain`], which
//! rounds products, differs in the last place.

mod plain;
mod registers;

pub use plain::Plain;
#[cfg(target_arch = "aarch64")]
pub use registers::Neon;
#[cfg(target_arch = "x86_64")]
pub use registers::{Avx2, Avx512};

/// Lanes of a vector; rows are padded to a multiple of it.
pub const LANES: usize = 16;

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub(in crate::model) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Plain,
}

impl Level {
    /// The best that this processor has.
    pub fn best() -> Self {
        Self::all()[0]
    }

    /// No vector instructions asked for.
    pub fn plain() -> Self {
        Self(Kind::Plain)
    }

    /// Every level that this processor has, the best first.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                all.push(Self(Kind::Avx512));
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(Kind::Avx2));
            }
        }
        #[cfg(target_arch = "aarch64")]
        all.push(Self(Kind::Neon));
        all.push(Self::plain());
        all
    }

    /// Its name: `avx512`, `avx2`, `neon` or `plain`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            Kind::Plain => "plain",
        }
    }
}

/// Defines a function of a [`Level`] and the given arguments whose body is compiled for
/// every level; in the body, the type in angle brackets is the level's [`Simd`].
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$simd:ident>($($arg:ident: $type:ty),* $(,)?)
     $(-> $output:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(level: $crate::model::engine::simd::Level, $($arg: $type),*) $(-> $output)? {
            use $crate::model::engine::simd::{self, Kind};

            // A body may leave the vectors to the compiler.
            #[inline(always)]
            #[allow(clippy::too_many_arguments, clippy::extra_unused_type_parameters)]
            fn generic<$simd: simd::Simd>($($arg: $type),*) $(-> $output)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $type),*) $(-> $output)? { generic::<simd::Avx512>($($arg),*) }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $type),*) $(-> $output)? { generic::<simd::Avx2>($($arg),*) }

            match level.0 {
                // SAFETY: a level of this kind exists only where the processor has these
                // instructions.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "aarch64")]
                Kind::Neon => generic::<simd::Neon>($($arg),*),
                Kind::Plain => generic::<simd::Plain>($($arg),*),
            }
        }
    };
}
pub(crate) use kernel;

/// Sixteen lanes of f32. Implementations are zero-sized and used by [`kernel!`] alone,
/// which makes sure that the processor has what they need.
pub trait Simd: Copy {
    type V: Copy;

    /// Rows of a matrix product whose accumulators, two vectors each, fit the registers.
    const ROWS: usize;

    fn splat(x: f32) -> Self::V;
    /// # Safety
    /// `from` is valid for reading 16 values.
    unsafe fn load_from(from: *const f32) -> Self::V;
    /// # Safety
    /// `to` is valid for writing 16 values.
    unsafe fn store_to(to: *mut f32, v: Self::V);
    /// Whole numbers as f32.
    fn load_i8(from: &[i8; LANES]) -> Self::V;
    /// Whole numbers as f32.
    fn load_i16(from: &[i16; LANES]) -> Self::V;
    fn add(a: Self::V, b: Self::V) -> Self::V;
    fn sub(a: Self::V, b: Self::V) -> Self::V;
    fn mul(a: Self::V, b: Self::V) -> Self::V;
    fn div(a: Self::V, b: Self::V) -> Self::V;
    /// a·b + c.
    fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger; `b` where `a` is no number.
    fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; `b` where `a` is no number.
    fn min(a: Self::V, b: Self::V) -> Self::V;
    /// Asks for the memory at an address, which need not be valid, to be brought near.
    fn fetch(address: *const f32);
    /// 2ⁿ of v = 1.5·2²³ + n, for whole n from −126 to 127.
    fn power(v: Self::V) -> Self::V;

    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self::V {
        // SAFETY: a reference to 16 values.
        unsafe { Self::load_from(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(to: &mut [f32; LANES], v: Self::V) {
        // SAFETY: a reference to 16 values.
        unsafe { Self::store_to(to.as_mut_ptr(), v) }
    }

    /// The sum of the lanes, folded in halves: always in the same order.
    fn sum(v: Self::V) -> f32;
    /// The largest lane.
    fn largest(v: Self::V) -> f32;

    /// eˣ for x from −87.3 to 88.3 to 2 ulp, the value at the nearer end beyond.
    #[inline(always)]
    fn exp(x: Self::V) -> Self::V {
        let x = Self::min(Self::max(x, Self::splat(-87.3)), Self::splat(88.3));
        // Adding 1.5·2²³ leaves the nearest whole number in the low bits.
        let magic = Self::splat(12_582_912.0);
        let shifted = Self::fma(x, Self::splat(std::f32::consts::LOG2_E), magic);
        let n = Self::sub(shifted, magic);
        // ln 2 in two parts, the first exact when multiplied by n.
        let r = Self::fma(n, Self::splat(-0.693_359_4), x);
        let r = Self::fma(n, Self::splat(2.121_944_4e-4), r);
        // Cephes' polynomial for (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2.
        let mut p = Self::splat(1.987_569_2e-4);
        for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            p = Self::fma(p, r, Self::splat(c));
        }
        let y = Self::add(Self::fma(Self::mul(r, r), p, r), Self::splat(1.0));
        Self::mul(y, Self::power(shifted))
    }

    /// eˣ for x ≤ 0, exactly 0 below −86 and where x is no number.
    #[inline(always)]
    fn exp_or_zero(x: Self::V) -> Self::V {
        let x = Self::min(Self::max(x, Self::splat(-88.0)), Self::splat(0.0));
        // What is taken off is so large that the difference for a score of −∞ is no
        // subnormal number: processors take a hundred cycles for each of these.
        Self::max(Self::sub(Self::exp(x), Self::splat(4.8e-38)), Self::splat(0.0))
    }
}

/// The lanes folded in halves.
#[inline(always)]
fn fold(mut x: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            x[i] = f(x[i], x[i + half]);
        }
    }
    x[0]
}

/// The bits of 1.0, to which the exponent is added.
const ONE: i32 = 127 << 23;

#[cfg(test)]
mod tests {
    use super::*;

    kernel! {
        fn exponentials<S>(x: &[f32; LANES]) -> [f32; LANES] {
            let mut y = [0.0; LANES];
            S::store(&mut y, S::exp(S::load(x)));
            y
        }
    }

    #[test]
    fn exponentials_are_within_two_ulp_at_every_level() {
        for level in Level::all() {
            for step in 0..20_000 {
                let x: [f32; LANES] = std::array::from_fn(|i| -87.0 + (step * LANES + i) as f32 * 5.4e-4);
                for (x, y) in x.iter().zip(exponentials(level, &x)) {
                    let exact = f64::from(*x).exp();
                    assert!(((f64::from(y) - exact) / exact).abs() < 2.4e-7, "{level:?} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn exponentials_stay_finite_beyond_the_range() {
        let mut x = [0.0; LANES];
        x[..5].copy_from_slice(&[f32::NEG_INFINITY, f32::MIN, f32::INFINITY, f32::MAX, f32::NAN]);
        for level in Level::all() {
            let y = exponentials(level, &x);
            assert!(y.iter().all(|y| y.is_finite() && *y > 0.0), "{level:?} {y:?}");
            assert!(y[0] < 2e-38 && y[2] > 1e38);
        }
    }

    #[test]
    fn fused_levels_agree_bit_for_bit() {
        let x: [f32; LANES] = std::array::from_fn(|i| i as f32 * 0.37 - 3.1);
        let fused: Vec<_> = Level::all().into_iter().filter(|l| *l != Level::plain()).collect();
        for level in &fused {
            assert_eq!(
                exponentials(*level, &x).map(f32::to_bits),
                exponentials(fused[0], &x).map(f32::to_bits)
            );
        }
    }
}
