//! The registers of each instruction set.

/// Implements [`Simd`](super::Simd) with `$parts` registers side by side.
macro_rules! simd {
    ($(#[$meta:meta])* $name:ident: $parts:literal of $register:ty, $width:literal lanes, $rows:literal rows;
     splat $splat:path; load $load:path; store $store:path;
     load_i8 |$bytes:ident| $load_i8:expr;
     load_i16 |$from:ident| $load_i16:expr;
     add $add:path; sub $sub:path; mul $mul:path; div $div:path;
     fma |$fa:ident, $fb:ident, $fc:ident| $fma:expr;
     max |$xa:ident, $xb:ident| $max:expr;
     min |$na:ident, $nb:ident| $min:expr;
     sum |$sv:ident| $sum:expr; largest |$lv:ident| $largest:expr;
     fetch |$address:ident| $fetch:expr;
     power |$pv:ident| $power:expr;) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub struct $name;

        // SAFETY, of every block below: `kernel!` runs this code only where the processor
        // has the instructions; pointers are the caller's.
        impl Simd for $name {
            type V = [$register; $parts];
            const ROWS: usize = $rows;

            #[inline(always)]
            fn splat(x: f32) -> Self::V {
                unsafe { [$splat(x); $parts] }
            }
            #[inline(always)]
            unsafe fn load_from(from: *const f32) -> Self::V {
                std::array::from_fn(|i| unsafe { $load(from.add(i * $width)) })
            }
            #[inline(always)]
            unsafe fn store_to(to: *mut f32, v: Self::V) {
                for (i, part) in v.into_iter().enumerate() {
                    unsafe { $store(to.add(i * $width), part) }
                }
            }
            #[inline(always)]
            fn load_i8(from: &[i8; LANES]) -> Self::V {
                std::array::from_fn(|i| {
                    let $bytes = from[i * $width..].as_ptr();
                    unsafe { $load_i8 }
                })
            }
            #[inline(always)]
            fn load_i16(from: &[i16; LANES]) -> Self::V {
                std::array::from_fn(|i| {
                    let $from = from[i * $width..].as_ptr();
                    unsafe { $load_i16 }
                })
            }
            #[inline(always)]
            fn add(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| unsafe { $add(a[i], b[i]) })
            }
            #[inline(always)]
            fn sub(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| unsafe { $sub(a[i], b[i]) })
            }
            #[inline(always)]
            fn mul(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| unsafe { $mul(a[i], b[i]) })
            }
            #[inline(always)]
            fn div(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| unsafe { $div(a[i], b[i]) })
            }
            #[inline(always)]
            fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                std::array::from_fn(|i| {
                    let ($fa, $fb, $fc) = (a[i], b[i], c[i]);
                    unsafe { $fma }
                })
            }
            #[inline(always)]
            fn max(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| {
                    let ($xa, $xb) = (a[i], b[i]);
                    unsafe { $max }
                })
            }
            #[inline(always)]
            fn min(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| {
                    let ($na, $nb) = (a[i], b[i]);
                    unsafe { $min }
                })
            }
            #[inline(always)]
            fn sum($sv: Self::V) -> f32 {
                unsafe { $sum }
            }
            #[inline(always)]
            fn largest($lv: Self::V) -> f32 {
                unsafe { $largest }
            }
            #[inline(always)]
            fn fetch($address: *const f32) {
                $fetch
            }
            #[inline(always)]
            fn power(v: Self::V) -> Self::V {
                v.map(|$pv| unsafe { $power })
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::{LANES, ONE, Simd};
    use std::arch::x86_64::*;

    simd! {
        /// AVX-512F.
        Avx512: 1 of __m512, 16 lanes, 12 rows;
        splat _mm512_set1_ps; load _mm512_loadu_ps; store _mm512_storeu_ps;
        load_i8 |x| _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(x.cast())));
        load_i16 |x| _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(x.cast())));
        add _mm512_add_ps; sub _mm512_sub_ps; mul _mm512_mul_ps; div _mm512_div_ps;
        fma |a, b, c| _mm512_fmadd_ps(a, b, c);
        max |a, b| _mm512_max_ps(a, b);
        min |a, b| _mm512_min_ps(a, b);
        sum |v| sum_256(_mm256_add_ps(_mm512_castps512_ps256(v[0]), upper(v[0])));
        largest |v| largest_256(_mm256_max_ps(_mm512_castps512_ps256(v[0]), upper(v[0])));
        fetch |address| unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
        power |v| _mm512_castsi512_ps(_mm512_add_epi32(
            _mm512_slli_epi32::<23>(_mm512_castps_si512(v)), _mm512_set1_epi32(ONE)));
    }

    simd! {
        /// AVX2 and FMA.
        Avx2: 2 of __m256, 8 lanes, 3 rows;
        splat _mm256_set1_ps; load _mm256_loadu_ps; store _mm256_storeu_ps;
        load_i8 |x| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(x.cast())));
        load_i16 |x| _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(x.cast())));
        add _mm256_add_ps; sub _mm256_sub_ps; mul _mm256_mul_ps; div _mm256_div_ps;
        fma |a, b, c| _mm256_fmadd_ps(a, b, c);
        max |a, b| _mm256_max_ps(a, b);
        min |a, b| _mm256_min_ps(a, b);
        sum |v| sum_256(_mm256_add_ps(v[0], v[1]));
        largest |v| largest_256(_mm256_max_ps(v[0], v[1]));
        fetch |address| unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
        power |v| _mm256_castsi256_ps(_mm256_add_epi32(
            _mm256_slli_epi32::<23>(_mm256_castps_si256(v)), _mm256_set1_epi32(ONE)));
    }

    /// Lanes 8 to 15.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn upper(v: __m512) -> __m256 {
        _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum_256(v: __m256) -> f32 {
        let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn largest_256(v: __m256) -> f32 {
        let v = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_max_ss(v, _mm_movehdup_ps(v)))
    }
}
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::super::{LANES, ONE, Simd, fold};
    use std::arch::aarch64::*;

    simd! {
        /// NEON, which every aarch64 has.
        Neon: 4 of float32x4_t, 4 lanes, 3 rows;
        splat vdupq_n_f32; load vld1q_f32; store vst1q_f32;
        load_i8 |x| vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(u64::from(
            x.cast::<u32>().read_unaligned()
        ))))));
        load_i16 |x| vcvtq_f32_s32(vmovl_s16(vld1_s16(x)));
        add vaddq_f32; sub vsubq_f32; mul vmulq_f32; div vdivq_f32;
        fma |a, b, c| vfmaq_f32(c, a, b);
        max |a, b| vbslq_f32(vcgtq_f32(a, b), a, b);
        min |a, b| vbslq_f32(vcltq_f32(a, b), a, b);
        sum |v| fold(std::mem::transmute(v), |a, b| a + b);
        largest |v| fold(std::mem::transmute(v), |a, b| if a > b { a } else { b });
        fetch |_address| ();
        power |v| vreinterpretq_f32_s32(vaddq_s32(
            vshlq_n_s32::<23>(vreinterpretq_s32_f32(v)), vdupq_n_s32(ONE)));
    }
}
#[cfg(target_arch = "aarch64")]
pub use arm::Neon;
