//! Mean and variance of a permuted inner product over all orders of the inputs, in closed form.
//!
//! For symmetric `K, L` whose rows sum to 0, with `T = tr K`, `T2 = ||K||_F²`, `S2 = sum_i K_ii²` (and `T', T2', S2'`
//! of L), the inner product `<K, P L Pᵀ>` has over all `N!` permutation matrices P (Kazi-Aoual, Hitier, Sabatier &
//! Lebreton, Comput. Stat. Data Anal. 20, 643 (1995))
//!
//! - mean `T T' / (N - 1)`,
//! - variance `2 A A' / ((N - 1)² (N + 1)(N - 2)) + B B' / ((N + 1) N (N - 1)(N - 2)(N - 3))` with
//!   `A = (N - 1) T2 - T²` and `B = N (N + 1) S2 - (N - 1)(T² + 2 T2)`.
//!
//! Both norms do not change with P, so CKA's moments are these over `sqrt(T2 T2')`. The U-centred kernels of the
//! debiased estimator have `T = S2 = 0`: whatever the kernels, debiased CKA has mean 0 and variance
//! `2 / (N (N - 3))`, the degrees of freedom of Székely & Rizzo's test (J. Multivar. Anal. 117, 193 (2013)).
//!
//! Only two moments: with few features the null is skewed to the right, and a normal p from z is too small there.

/// A difference below this share of its terms is rounding error, that is, zero.
const ROUNDING: f64 = 1e-13;

/// Trace, squared norm and squared diagonal of a kernel whose rows sum to 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traces {
    pub(crate) trace: f64,
    pub(crate) norm2: f64,
    pub(crate) diagonal2: f64,
}

impl Traces {
    /// Of `HKH`, from the diagonal and row sums of K (both with the diagonal) and `||HKH||_F²`.
    pub(crate) fn of(diagonal: &[f64], rows: &[f64], norm2: f64) -> Self {
        let n = rows.len() as f64;
        let total: f64 = rows.iter().sum();
        let (mut trace, mut diagonal2) = (0.0, 0.0);
        for (d, a) in diagonal.iter().zip(rows) {
            let centred = d - 2.0 * a / n + total / (n * n);
            trace += centred;
            diagonal2 += centred * centred;
        }
        Self { trace, norm2, diagonal2 }
    }
}

/// Mean and standard deviation of biased CKA over all orders of `n >= 4` inputs.
pub(crate) fn biased_moments(n: usize, k: Traces, l: Traces) -> (f64, f64) {
    let n = n as f64;
    let a = |t: Traces| difference((n - 1.0) * t.norm2, t.trace * t.trace);
    let b =
        |t: Traces| difference(n * (n + 1.0) * t.diagonal2, (n - 1.0) * (t.trace * t.trace + 2.0 * t.norm2));
    // One kernel's part over its norm, then the other's: squares of norms may overflow.
    let scaled = |f: &dyn Fn(Traces) -> f64| (f(k) / k.norm2) * (f(l) / l.norm2);
    let first = 2.0 * scaled(&a) / ((n - 1.0) * (n - 1.0) * (n + 1.0) * (n - 2.0));
    let second = scaled(&b) / ((n + 1.0) * n * (n - 1.0) * (n - 2.0) * (n - 3.0));
    let mean = (k.trace / k.norm2.sqrt()) * (l.trace / l.norm2.sqrt()) / (n - 1.0);
    let variance = first + second;
    // The second part may be negative, and then cancels the first.
    let rounding = variance <= ROUNDING * (first.abs() + second.abs());
    (mean, if rounding { 0.0 } else { variance.sqrt() })
}

/// `x - y`, neither of which is negative; 0 where that is rounding: every order then gives the same value.
fn difference(x: f64, y: f64) -> f64 {
    if (x - y).abs() <= ROUNDING * (x + y) { 0.0 } else { x - y }
}

/// Mean and standard deviation of debiased CKA over all orders of `n >= 4` inputs.
pub(crate) fn debiased_moments(n: usize) -> (f64, f64) {
    let n = n as f64;
    (0.0, (2.0 / (n * (n - 3.0))).sqrt())
}
