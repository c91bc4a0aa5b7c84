//! Vector kernels for the inner loops, compiled once per instruction set and chosen at run time.
//!
//! [`vectorize!`](crate::vectorize) turns a plain loop into such a kernel: the same body for AVX-512, for AVX2 with
//! FMA, and for the compiler's baseline (NEON on aarch64). Sums are split over a fixed number of lanes, so a result
//! depends on the length of its input, never on the number of threads.

use std::sync::OnceLock;

/// Lanes of an f32 reduction: enough to fill several vector registers.
const LANES: usize = 64;
/// Lanes of an f64 reduction.
const LANES_F64: usize = 32;

/// The widest instruction set that kernels are compiled for and this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Level {
    Avx512,
    Avx2,
    Baseline,
}

/// Asks the processor, once.
#[inline]
#[doc(hidden)]
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(detect)
}

fn detect() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("fma")
        {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Baseline
}

/// Defines functions whose bodies are compiled for every instruction set of [`Level`](crate::simd::Level) and chosen
/// at run time. Everything a body calls must be `#[inline(always)]` to be compiled with it.
#[macro_export]
macro_rules! vectorize {
    ($($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$attr])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::simd::level() {
                    // SAFETY: `level` has checked that the processor has these instructions.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::simd::Level::Baseline => {}
                }
            }
            body($($arg),*)
        }
    )*};
}

vectorize! {
    /// `sum_k a_k b_k`, products and sums in f32 over fixed lanes.
    pub fn dot(a: &[f32], b: &[f32]) -> f32 {
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let mut acc = [0.0_f32; LANES];
        let (ca, cb) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let tail: f32 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| x * y).sum();
        for (x, y) in ca.zip(cb) {
            for l in 0..LANES {
                acc[l] = x[l].mul_add(y[l], acc[l]);
            }
        }
        acc.iter().sum::<f32>() + tail
    }

    /// `dot(a, b)` of one vector with four others of its length, which reads it once.
    pub fn dot_four(a: &[f32], b: [&[f32]; 4]) -> [f32; 4] {
        const L: usize = 32;
        let n = a.len();
        let chunks = |v: usize| b[v][..n].chunks_exact(L);
        // Four arrays of their own: one array of arrays is not kept in registers.
        let (mut p, mut q, mut r, mut s) = ([0.0_f32; L], [0.0_f32; L], [0.0_f32; L], [0.0_f32; L]);
        let others = chunks(0).zip(chunks(1)).zip(chunks(2).zip(chunks(3)));
        for (x, ((y0, y1), (y2, y3))) in a.chunks_exact(L).zip(others) {
            for l in 0..L {
                p[l] = x[l].mul_add(y0[l], p[l]);
                q[l] = x[l].mul_add(y1[l], q[l]);
                r[l] = x[l].mul_add(y2[l], r[l]);
                s[l] = x[l].mul_add(y3[l], s[l]);
            }
        }
        let tail = |v: usize| {
            let (x, y) = (a.chunks_exact(L).remainder(), chunks(v).remainder());
            x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>()
        };
        let sum = |v: &[f32; L]| v.iter().sum::<f32>();
        [sum(&p) + tail(0), sum(&q) + tail(1), sum(&r) + tail(2), sum(&s) + tail(3)]
    }

    /// `sum_k a_k b_k` with an f32 and an f64 operand, all in f64.
    pub fn dot_mixed(a: &[f32], b: &[f64]) -> f64 {
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let mut acc = [0.0_f64; LANES_F64];
        let (ca, cb) = (a.chunks_exact(LANES_F64), b.chunks_exact(LANES_F64));
        let tail: f64 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| f64::from(*x) * y).sum();
        for (x, y) in ca.zip(cb) {
            for l in 0..LANES_F64 {
                acc[l] = f64::from(x[l]).mul_add(y[l], acc[l]);
            }
        }
        acc.iter().sum::<f64>() + tail
    }

    /// `sum_k a_k b_k` of f32 operands, all in f64.
    pub fn dot_f32_in_f64(a: &[f32], b: &[f32]) -> f64 {
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let mut acc = [0.0_f64; LANES_F64];
        let (ca, cb) = (a.chunks_exact(LANES_F64), b.chunks_exact(LANES_F64));
        let tail: f64 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
        for (x, y) in ca.zip(cb) {
            for l in 0..LANES_F64 {
                acc[l] = f64::from(x[l]).mul_add(f64::from(y[l]), acc[l]);
            }
        }
        acc.iter().sum::<f64>() + tail
    }

    /// `sum_k a_k b_k` in f64, for short vectors.
    pub fn dot_f64(a: &[f64], b: &[f64]) -> f64 {
        const L: usize = 8;
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let mut acc = [0.0_f64; L];
        let (ca, cb) = (a.chunks_exact(L), b.chunks_exact(L));
        let tail: f64 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| x * y).sum();
        for (x, y) in ca.zip(cb) {
            for l in 0..L {
                acc[l] = x[l].mul_add(y[l], acc[l]);
            }
        }
        acc.iter().sum::<f64>() + tail
    }

    /// `y += alpha x` in f64, `x` in f32.
    pub fn axpy(alpha: f64, x: &[f32], y: &mut [f64]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = alpha.mul_add(f64::from(x), *y);
        }
    }

    /// `y += alpha x` in f64.
    pub fn axpy_f64(alpha: f64, x: &[f64], y: &mut [f64]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = alpha.mul_add(x, *y);
        }
    }
}

/// `sum_k a_k²` in f64.
pub fn sum_of_squares(a: &[f32]) -> f64 {
    dot_f32_in_f64(a, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_agree_with_plain_loops_at_every_length() {
        for n in [0, 1, 15, 16, 31, 32, 33, 64, 65, 200] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
            let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
            let (ad, bd) = (wide(&a), wide(&b));
            let want: f64 = ad.iter().zip(&bd).map(|(x, y)| x * y).sum();
            let four = dot_four(&a, [&b, &a, &b, &b]);
            for got in [dot(&a, &b), four[0], four[2], four[3]] {
                assert!((f64::from(got) - want).abs() < 1e-5);
            }
            for got in [dot_mixed(&a, &bd), dot_f32_in_f64(&a, &b), dot_f64(&ad, &bd)] {
                assert!((got - want).abs() < 1e-13);
            }
            assert!((sum_of_squares(&a) - ad.iter().map(|x| x * x).sum::<f64>()).abs() < 1e-12);
            let (mut y, mut z) = (bd.clone(), bd.clone());
            axpy(2.0, &a, &mut y);
            axpy_f64(2.0, &ad, &mut z);
            assert_eq!(y, z);
            for i in 0..n {
                assert!((y[i] - (bd[i] + 2.0 * ad[i])).abs() < 1e-15);
            }
        }
    }
}
