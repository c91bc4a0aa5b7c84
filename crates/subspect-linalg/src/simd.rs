//! Vector kernels for the inner loops, compiled once per instruction set and chosen at run time.
//!
//! [`dispatch`] runs a closure under the widest set the machine has (AVX-512, AVX2 + FMA, or the compiler's
//! baseline). Sums are split over a fixed number of lanes, so a result depends on the length of its input and
//! on the instruction set's rounding of a multiply-add, never on the number of threads.

use std::sync::OnceLock;

/// Lanes of every reduction: enough to fill two AVX-512 registers of f32.
const LANES: usize = 32;

fn arch() -> pulp::Arch {
    static ARCH: OnceLock<pulp::Arch> = OnceLock::new();
    *ARCH.get_or_init(pulp::Arch::new)
}

/// Runs `op` compiled for the machine's widest vector instructions. Everything that `op` calls must be
/// `#[inline(always)]` to be compiled with it.
#[inline]
pub fn dispatch<R>(op: impl FnOnce() -> R) -> R {
    struct Op<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Op<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    arch().dispatch(Op(op))
}

/// `sum_k a_k b_k`, products and sums in f32 over fixed lanes.
#[inline(always)]
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

/// `sum_k a_k b_k` with an f32 and an f64 operand, all in f64.
#[inline(always)]
pub fn dot_mixed(a: &[f32], b: &[f64]) -> f64 {
    const L: usize = LANES / 2;
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut acc = [0.0_f64; L];
    let (ca, cb) = (a.chunks_exact(L), b.chunks_exact(L));
    let tail: f64 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| f64::from(*x) * y).sum();
    for (x, y) in ca.zip(cb) {
        for l in 0..L {
            acc[l] = f64::from(x[l]).mul_add(y[l], acc[l]);
        }
    }
    acc.iter().sum::<f64>() + tail
}

/// `sum_k a_k b_k` of f32 operands, all in f64.
#[inline(always)]
pub fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
    const L: usize = LANES / 2;
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut acc = [0.0_f64; L];
    let (ca, cb) = (a.chunks_exact(L), b.chunks_exact(L));
    let tail: f64 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
    for (x, y) in ca.zip(cb) {
        for l in 0..L {
            acc[l] = f64::from(x[l]).mul_add(f64::from(y[l]), acc[l]);
        }
    }
    acc.iter().sum::<f64>() + tail
}

/// `sum_k a_k²` in f64.
#[inline(always)]
pub fn sum_of_squares(a: &[f32]) -> f64 {
    dot_f64(a, a)
}

/// `y += alpha x` in f64, `x` in f32.
#[inline(always)]
pub fn axpy(alpha: f64, x: &[f32], y: &mut [f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = alpha.mul_add(f64::from(x), *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_agree_with_plain_loops_at_every_length() {
        for n in [0, 1, 15, 16, 31, 32, 33, 100] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
            let bd: Vec<f64> = b.iter().map(|&v| f64::from(v)).collect();
            let want: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(dispatch(|| dot(&a, &b))) - want).abs() < 1e-5);
            assert!((dispatch(|| dot_mixed(&a, &bd)) - want).abs() < 1e-13);
            let squares: f64 = a.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((dispatch(|| sum_of_squares(&a)) - squares).abs() < 1e-13);
            let mut y = bd.clone();
            dispatch(|| axpy(2.0, &a, &mut y));
            for i in 0..n {
                assert!((y[i] - (bd[i] + 2.0 * f64::from(a[i]))).abs() < 1e-15);
            }
        }
    }
}
