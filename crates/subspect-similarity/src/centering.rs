//! Column centring and scaling of activations, the first step of every linear kernel.
//!
//! HSIC does not change when a feature is shifted, but rounding does: without its mean a feature of value 1000 ± 1
//! keeps half its digits in the products. Means are float64. Then every layer is multiplied by one power of two,
//! which is exact and cancels in CKA, so that its largest deviation lies in `[0.5, 1)`: activations of 1e20 would
//! overflow float32 products.

use rayon::prelude::*;
use subspect_linalg::MatRef;

/// Columns per task of the first pass over the activations: 1 KiB of a float32 row.
const COLUMNS: usize = 256;

/// Column means and scale of one layer.
#[derive(Debug)]
pub(crate) struct Centering {
    means: Vec<f64>,
    /// A power of two.
    factor: f64,
    /// Largest deviation of a value from its column's mean.
    largest: f64,
}

impl Centering {
    /// Two passes over `x`, in parallel.
    pub(crate) fn of<T: Copy + Into<f64> + Sync>(x: MatRef<'_, T>) -> Self {
        let (n, d) = (x.n_rows(), x.n_cols());
        let mut means = vec![0.0; d];
        means.par_chunks_mut(COLUMNS).enumerate().for_each(|(block, means)| {
            let start = block * COLUMNS;
            let columns = start..start + means.len();
            let Some(first) = (n > 0).then(|| &x.row(0)[columns.clone()]) else { return };
            // Relative to the first input, so that a constant column gives its value exactly.
            for i in 1..n {
                for (m, (&v, &v0)) in means.iter_mut().zip(x.row(i)[columns.clone()].iter().zip(first)) {
                    *m += v.into() - v0.into();
                }
            }
            means.iter_mut().zip(first).for_each(|(m, &v0)| *m = v0.into() + *m / n as f64);
        });
        let deviation = |i: usize| largest_deviation(x.row(i), &means);
        let largest = (0..n).into_par_iter().map(deviation).reduce(|| 0.0, f64::max);
        Self { factor: power_of_two_below(largest), means, largest }
    }

    /// Whether no input differs from any other.
    pub(crate) fn is_constant(&self) -> bool {
        self.largest == 0.0
    }

    /// Column means and the power of two.
    pub(crate) fn into_parts(self) -> (Vec<f64>, f64) {
        (self.means, self.factor)
    }

    /// Writes columns `start..start + out.len()` of a row, centred and scaled, rounded once.
    pub(crate) fn apply<T: Copy + Into<f64>>(&self, row: &[T], start: usize, out: &mut [f32]) {
        let end = start + out.len();
        for ((o, &v), m) in out.iter_mut().zip(&row[start..end]).zip(&self.means[start..end]) {
            *o = ((v.into() - m) * self.factor) as f32;
        }
    }

    /// A whole row, centred and scaled, in float64.
    pub(crate) fn apply_f64<T: Copy + Into<f64>>(&self, row: &[T], out: &mut [f64]) {
        for ((o, &v), m) in out.iter_mut().zip(row).zip(&self.means) {
            *o = (v.into() - m) * self.factor;
        }
    }
}

/// `max_j |x_j - m_j|`, over lanes so that comparisons do not wait for each other.
fn largest_deviation<T: Copy + Into<f64>>(row: &[T], means: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut top = [0.0_f64; LANES];
    for (values, means) in row.chunks(LANES).zip(means.chunks(LANES)) {
        for (l, (&v, m)) in values.iter().zip(means).enumerate() {
            let deviation = (v.into() - m).abs();
            top[l] = if deviation > top[l] { deviation } else { top[l] };
        }
    }
    top.into_iter().fold(0.0, f64::max)
}

/// The power of two that brings `largest` into `[0.5, 1)`; 1 for 0 and for what is not finite.
pub(crate) fn power_of_two_below(largest: f64) -> f64 {
    if largest == 0.0 || !largest.is_finite() {
        return 1.0;
    }
    // Within the exponents whose power and inverse are both normal numbers.
    let exponent = (largest.log2().floor() as i32 + 1).clamp(-1000, 1000);
    2.0_f64.powi(-exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::Matrix;

    #[test]
    fn a_constant_column_is_exactly_zero_afterwards() {
        let x = Matrix::from_fn(1001, 3, |i, j| if j == 1 { 0.1 } else { (i * j) as f64 });
        let c = Centering::of(x.as_ref());
        let mut row = [9.0; 3];
        c.apply_f64(x.row(700), &mut row);
        assert_eq!((row[0], row[1]), (0.0, 0.0));
        assert!(!c.is_constant());
        assert!(Centering::of(Matrix::filled(0.3_f32, 77, 5).as_ref()).is_constant());
        assert!(Centering::of(Matrix::filled(0.3_f32, 0, 5).as_ref()).is_constant());
    }

    #[test]
    fn scales_are_powers_of_two() {
        for (largest, factor) in [(0.75, 1.0), (1.0, 0.5), (1e20, 2.0_f64.powi(-67)), (0.0, 1.0), (0.2, 4.0)]
        {
            assert_eq!(power_of_two_below(largest), factor, "{largest}");
        }
        assert!(power_of_two_below(f64::MIN_POSITIVE).is_finite());
        assert!(power_of_two_below(f64::MAX) > 0.0);
    }
}
