//! The accounting behind HSIC and CKA.
//!
//! For kernels K, L over N inputs with row sums `a = K1`, `b = L1` and totals `s = 1ᵀa`, `t = 1ᵀb`:
//!
//! - biased: `tr(KHLH) = <K, L> - (2/N) a·b + s t / N²`, divided by `(N - 1)²`;
//! - debiased, with the diagonals set to 0 first (written K̃, ã, ...):
//!   `(<K̃, L̃> - 2/(N-2) ã·b̃ + s̃ t̃ / ((N-1)(N-2))) / (N (N - 3))` (Song et al., JMLR 2012, eq. 5).
//! - lange: `<HKH, HLH>` without the products of the centred diagonals `K_ii - 2 a_i / N + s / N²`, divided by
//!   `N (N - 3)` (Lange et al. 2023).
//!
//! `CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))` with the same estimator in all three places (Kornblith et al. 2019;
//! debiased: Nguyen, Raghu & Kornblith 2021). Everything is float64 and nothing is clamped.

use subspect_linalg::{Measured, Status};

use crate::Estimator;

/// A self-HSIC below this share of the terms it is the difference of is rounding error, that is, zero.
const ROUNDING: f64 = 1e-13;

/// What was summed over a set of kernels; [`KernelMoments::new`] derives everything else.
pub(crate) struct KernelSums {
    /// Number of inputs.
    pub(crate) n: usize,
    /// `<K_l, K_m>` with diagonals, `L x L`; only `l <= m` is read.
    pub(crate) inner: Vec<f64>,
    /// Row sums of every kernel, with diagonals.
    pub(crate) rows: Vec<Vec<f64>>,
    /// Diagonal of every kernel.
    pub(crate) diagonals: Vec<Vec<f64>>,
    /// Kernels that are known to be useless, and why.
    pub(crate) obstacles: Vec<Option<Status>>,
}

/// Inner products, row sums and totals of a set of kernels over the same inputs: all that all estimators need.
#[derive(Clone, Debug)]
pub struct KernelMoments {
    n: usize,
    whole: Sums,
    off_diagonal: Sums,
    /// Dot products of the diagonals of the centred kernels, `L x L`.
    centred_diagonal: Vec<f64>,
    obstacles: Vec<Option<Status>>,
}

/// `<K_l, K_m>`, `a_l · a_m` (both `L x L`) and `s_l`.
#[derive(Clone, Debug)]
struct Sums {
    inner: Vec<f64>,
    row_dot: Vec<f64>,
    total: Vec<f64>,
}

impl KernelMoments {
    pub(crate) fn new(sums: KernelSums) -> Self {
        let KernelSums { n, mut inner, rows, diagonals, obstacles } = sums;
        let n_kernels = rows.len();
        mirror(&mut inner, n_kernels);
        let diagonal_dot = all_dots(&diagonals);
        let off_inner = inner.iter().zip(&diagonal_dot).map(|(i, d)| i - d).collect();
        let off_rows: Vec<Vec<f64>> =
            rows.iter().zip(&diagonals).map(|(a, d)| a.iter().zip(d).map(|(a, d)| a - d).collect()).collect();
        let centred: Vec<Vec<f64>> =
            rows.iter().zip(&diagonals).map(|(a, d)| centred_diagonal(a, d)).collect();
        Self {
            n,
            whole: Sums::of(inner, &rows),
            off_diagonal: Sums::of(off_inner, &off_rows),
            centred_diagonal: all_dots(&centred),
            obstacles,
        }
    }

    /// Number of kernels L.
    pub fn n_kernels(&self) -> usize {
        self.obstacles.len()
    }

    /// Number of inputs N.
    pub fn n_inputs(&self) -> usize {
        self.n
    }

    /// HSIC of kernels `l` and `m`, in the scale in which the kernels were summed.
    pub(crate) fn hsic(&self, l: usize, m: usize, estimator: Estimator) -> Measured {
        match self.too_small(estimator) {
            Some(status) => status.into(),
            None => Measured::finite(self.estimate(l, m, estimator).0),
        }
    }

    /// CKA of kernels `l` and `m`: exactly 1 when they are the same.
    ///
    /// Undefined for fewer inputs than the estimator needs, for a kernel without variance or edges, and when the
    /// debiased HSIC of a kernel with itself is not positive.
    ///
    /// # Panics
    /// When `l` or `m` is not below [`KernelMoments::n_kernels`].
    pub fn cka(&self, l: usize, m: usize, estimator: Estimator) -> Measured {
        let obstacle = self
            .too_small(estimator)
            .or_else(|| self.self_obstacle(l, estimator))
            .or_else(|| self.self_obstacle(m, estimator));
        if let Some(status) = obstacle {
            return status.into();
        }
        let hsic = |a, b| self.estimate(a, b, estimator).0;
        Measured::finite(hsic(l, m) / (hsic(l, l) * hsic(m, m)).sqrt())
    }

    /// CKA of all pairs, `L x L` and symmetric.
    pub fn cka_matrix(&self, estimator: Estimator) -> Vec<Vec<Measured>> {
        let n = self.n_kernels();
        (0..n).map(|l| (0..n).map(|m| self.cka(l.min(m), l.max(m), estimator)).collect()).collect()
    }

    fn too_small(&self, estimator: Estimator) -> Option<Status> {
        (self.n < estimator.min_inputs()).then_some(Status::NTooSmall)
    }

    fn self_obstacle(&self, l: usize, estimator: Estimator) -> Option<Status> {
        let vanishes = |estimator| {
            let (value, size) = self.estimate(l, l, estimator);
            value <= ROUNDING * size
        };
        if self.obstacles[l].is_some() {
            self.obstacles[l]
        } else if !self.whole.inner[l * self.n_kernels() + l].is_finite() {
            Some(Status::NotFinite)
        } else if vanishes(Estimator::Biased) {
            Some(Status::ZeroVariance)
        } else if vanishes(estimator) {
            Some(Status::NotPositive)
        } else {
            None
        }
    }

    /// HSIC, and the sum of the sizes of the terms that it is the difference of.
    fn estimate(&self, l: usize, m: usize, estimator: Estimator) -> (f64, f64) {
        let n = self.n as f64;
        let (sums, row_weight, total_weight, divisor) = match estimator {
            Estimator::Biased => (&self.whole, 2.0 / n, 1.0 / (n * n), (n - 1.0) * (n - 1.0)),
            Estimator::Lange => (&self.whole, 2.0 / n, 1.0 / (n * n), n * (n - 3.0)),
            Estimator::Debiased => {
                (&self.off_diagonal, 2.0 / (n - 2.0), 1.0 / ((n - 1.0) * (n - 2.0)), n * (n - 3.0))
            }
        };
        let at = l * self.n_kernels() + m;
        let inner = match estimator {
            Estimator::Biased | Estimator::Debiased => sums.inner[at],
            Estimator::Lange => sums.inner[at] - self.centred_diagonal[at],
        };
        let rows = row_weight * sums.row_dot[at];
        let totals = total_weight * sums.total[l] * sums.total[m];
        // The inner product is itself a difference once diagonals were removed: measure against the whole one.
        let size = self.whole.inner[at].abs() + rows.abs() + totals.abs();
        ((inner - rows + totals) / divisor, size / divisor)
    }
}

impl Sums {
    fn of(inner: Vec<f64>, rows: &[Vec<f64>]) -> Self {
        Self { inner, row_dot: all_dots(rows), total: rows.iter().map(|a| a.iter().sum()).collect() }
    }
}

/// The diagonal of `H K H` from the row sums and the diagonal of K.
fn centred_diagonal(rows: &[f64], diagonal: &[f64]) -> Vec<f64> {
    let n = rows.len() as f64;
    let mean = rows.iter().sum::<f64>() / (n * n);
    rows.iter().zip(diagonal).map(|(a, d)| d - 2.0 * a / n + mean).collect()
}

/// Copies the upper triangle below the diagonal.
fn mirror(square: &mut [f64], n: usize) {
    for l in 0..n {
        for m in 0..l {
            square[l * n + m] = square[m * n + l];
        }
    }
}

/// Dot products of all pairs of vectors.
fn all_dots(vectors: &[Vec<f64>]) -> Vec<f64> {
    let n = vectors.len();
    let mut dots = vec![0.0; n * n];
    for l in 0..n {
        for m in l..n {
            dots[l * n + m] = vectors[l].iter().zip(&vectors[m]).map(|(a, b)| a * b).sum();
        }
    }
    mirror(&mut dots, n);
    dots
}
