//! Measures that turn each layer into one long vector: a similarity is the cosine of two, a distance their angle or
//! their difference.
//!
//! A symmetric `N x N` matrix is kept as its upper triangle with the off-diagonal entries times sqrt(2), so that dot
//! products are those of the whole matrices: `4 N²` bytes.

use rayon::prelude::*;
use subspect_linalg::{Matrix, Measured, Status, dot_f64};

use crate::centering::power_of_two_below;

/// A vector's length below this share of the matrix it is what is left of is rounding error, that is, zero.
const ROUNDING: f64 = 1e-13;

/// The upper triangle of a symmetric matrix as a vector with the same dot products.
pub(crate) fn packed(k: &Matrix<f64>) -> Vec<f64> {
    let n = k.n_rows();
    let mut out = Vec::with_capacity(n * (n + 1) / 2);
    for i in 0..n {
        out.push(k.row(i)[i]);
        out.extend(k.row(i)[i + 1..].iter().map(|v| v * std::f64::consts::SQRT_2));
    }
    out
}

/// The same vector with length 1. `size` is the length of what it was computed from: a vector that is only rounding
/// error of that has [`Status::ZeroVariance`].
pub(crate) fn unit(mut v: Vec<f64>, size: f64) -> Result<Vec<f64>, Status> {
    let largest = v.iter().fold(0.0_f64, |top, x| x.abs().max(top));
    let factor = power_of_two_below(largest);
    v.iter_mut().for_each(|x| *x *= factor);
    let length = norm(&v);
    // Asked of the length: a maximum would not see a NaN.
    if !length.is_finite() || !size.is_finite() {
        return Err(Status::NotFinite);
    }
    if length <= ROUNDING * size * factor || length == 0.0 {
        return Err(Status::ZeroVariance);
    }
    v.iter_mut().for_each(|x| *x /= length);
    Ok(v)
}

/// `sqrt(v · v)`.
pub(crate) fn norm(v: &[f64]) -> f64 {
    dot_f64(v, v).sqrt()
}

/// The cosine of two unit vectors.
pub(crate) fn cosine(a: &[f64], b: &[f64]) -> Measured {
    Measured::finite(dot_f64(a, b))
}

/// The angle between two unit vectors, `2 atan(|a - b| / |a + b|)`: exactly 0 for equal ones and never outside 0 to
/// pi, as the arc cosine of a rounded cosine can be (Kahan).
pub(crate) fn angle(a: &[f64], b: &[f64]) -> Measured {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a + b) * (a + b)).sum();
    Measured::finite(2.0 * squared_distance(a, b).sqrt().atan2(sum.sqrt()))
}

/// `|a - b|²`.
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Subtracts row and column means and adds the overall mean, in place: `H K H`.
pub(crate) fn double_centre(k: &mut Matrix<f64>) {
    let n = k.n_rows();
    let means: Vec<f64> = (0..n).map(|i| k.row(i).iter().sum::<f64>() / n as f64).collect();
    shift(k, &means, means.iter().sum::<f64>() / n as f64);
}

/// Subtracts `rows[i] + rows[j] - all` from every entry.
pub(crate) fn shift(k: &mut Matrix<f64>, rows: &[f64], all: f64) {
    let n = k.n_rows();
    k.data_mut().par_chunks_mut(n.max(1)).enumerate().for_each(|(i, row)| {
        row.iter_mut().zip(rows).for_each(|(v, m)| *v -= rows[i] + m - all);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_keeps_dot_products() {
        let k = Matrix::from_fn(7, 7, |i, j| ((i * j + i + j) as f64).sin());
        let l = Matrix::from_fn(7, 7, |i, j| ((i * j) as f64 + 0.3 * (i + j) as f64).cos());
        let whole: f64 = k.data().iter().zip(l.data()).map(|(a, b)| a * b).sum();
        assert!((dot_f64(&packed(&k), &packed(&l)) - whole).abs() < 1e-13);
    }

    #[test]
    fn angles_are_never_outside_their_range() {
        let a = unit((0..50).map(|i| f64::from(i).sin()).collect(), 1.0).unwrap();
        let opposite: Vec<f64> = a.iter().map(|v| -v).collect();
        assert_eq!(angle(&a, &a), Measured::Value(0.0));
        assert_eq!(angle(&a, &opposite), Measured::Value(std::f64::consts::PI));
        assert_eq!(unit(vec![1e-15; 4], 1.0), Err(Status::ZeroVariance));
        assert_eq!(unit(vec![f64::NAN, 1.0], 1.0), Err(Status::NotFinite));
        assert_eq!(unit(vec![f64::INFINITY], 1.0), Err(Status::NotFinite));
    }

    #[test]
    fn lengths_of_huge_and_tiny_vectors_are_one() {
        for scale in [1e300, 1e-300] {
            let v = unit(vec![3.0 * scale, 4.0 * scale], 5.0 * scale).unwrap();
            assert!((v[0] - 0.6).abs() < 1e-15 && (v[1] - 0.8).abs() < 1e-15);
        }
    }
}
