//! A Cholesky factor that grows and shrinks by one atom: `L Lᵀ = Q_SS` for a support `S` in the order of entry.
//!
//! Appending costs one triangular solve, removing one pass of plane rotations, both O(k²) (Golub & Van Loan, section
//! 6.5.4).

use subspect_linalg::vectorize;

/// Lower triangle in packed rows: row `k` has `k + 1` entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cholesky {
    packed: Vec<f64>,
    size: usize,
}

#[inline(always)]
fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

vectorize! {
    fn forward(packed: &[f64], size: usize, b: &mut [f64]) {
        const LANES: usize = 8;
        for k in 0..size {
            let row = &packed[start(k)..start(k + 1)];
            let (head, done) = (&row[..k], &b[..k]);
            let mut acc = [0.0_f64; LANES];
            let (cl, cx) = (head.chunks_exact(LANES), done.chunks_exact(LANES));
            let tail: f64 = cl.remainder().iter().zip(cx.remainder()).map(|(l, x)| l * x).sum();
            for (l, x) in cl.zip(cx) {
                for i in 0..LANES {
                    acc[i] = l[i].mul_add(x[i], acc[i]);
                }
            }
            b[k] = (b[k] - acc.iter().sum::<f64>() - tail) / row[k];
        }
    }

    fn backward(packed: &[f64], size: usize, b: &mut [f64]) {
        for k in (0..size).rev() {
            let row = &packed[start(k)..start(k + 1)];
            let (done, rest) = b.split_at_mut(k);
            rest[0] /= row[k];
            let x = rest[0];
            for (b, l) in done.iter_mut().zip(&row[..k]) {
                *b -= l * x;
            }
        }
    }
}

impl Cholesky {
    pub(crate) fn clear(&mut self) {
        self.packed.clear();
        self.size = 0;
    }

    /// `b <- L⁻¹ b`, in place.
    pub(crate) fn forward(&self, b: &mut [f64]) {
        forward(&self.packed, self.size, b);
    }

    /// `b <- L⁻ᵀ b`, in place.
    pub(crate) fn backward(&self, b: &mut [f64]) {
        backward(&self.packed, self.size, b);
    }

    /// The squared pivot that appending a column `cross` (`Q_Sj`) with `diagonal` (`Q_jj`) would have; `cross`
    /// becomes `L⁻¹ cross`.
    pub(crate) fn squared_pivot(&self, cross: &mut [f64], diagonal: f64) -> f64 {
        self.forward(cross);
        diagonal - cross.iter().map(|v| v * v).sum::<f64>()
    }

    /// Appends the row `[solved, sqrt(squared_pivot)]`, both from [`Cholesky::squared_pivot`].
    pub(crate) fn push(&mut self, solved: &[f64], squared_pivot: f64) {
        debug_assert_eq!(solved.len(), self.size);
        self.packed.extend_from_slice(solved);
        self.packed.push(squared_pivot.sqrt());
        self.size += 1;
    }

    /// Takes row and column `position` out. The rows behind it get one entry too many; plane rotations of
    /// neighbouring columns bring them back to triangular form. O(k²), backward stable: removing an atom can only
    /// raise the pivots.
    pub(crate) fn remove(&mut self, position: usize) {
        let size = self.size;
        let mut rotations: Vec<(f64, f64)> = Vec::with_capacity(size - position);
        let mut to = start(position);
        for k in position + 1..size {
            let from = start(k);
            let row = &mut self.packed[from..start(k + 1)];
            for (i, &(cos, sin)) in rotations.iter().enumerate() {
                let (a, b) = (row[position + i], row[position + i + 1]);
                row[position + i] = cos * a + sin * b;
                row[position + i + 1] = cos * b - sin * a;
            }
            let (a, b) = (row[k - 1], row[k]);
            let radius = (a * a + b * b).sqrt();
            rotations.push((a / radius, b / radius));
            row[k - 1] = radius;
            self.packed.copy_within(from..from + k, to);
            to += k;
        }
        self.packed.truncate(to);
        self.size = size - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system_that_grew_row_by_row() {
        let q = [[4.0, 2.0, 0.4], [2.0, 3.0, 0.5], [0.4, 0.5, 1.0]];
        let mut l = Cholesky::default();
        for k in 0..3 {
            let mut cross = q[k][..k].to_vec();
            let pivot = l.squared_pivot(&mut cross, q[k][k]);
            l.push(&cross, pivot);
        }
        let mut x = vec![1.0, -2.0, 3.0];
        l.forward(&mut x);
        l.backward(&mut x);
        for (k, want) in [1.0, -2.0, 3.0].into_iter().enumerate() {
            let got: f64 = (0..3).map(|j| q[k][j] * x[j]).sum();
            assert!((got - want).abs() < 1e-14);
        }
    }

    proptest::proptest! {
        #[test]
        fn removing_gives_the_factor_of_what_is_left(
            values in proptest::collection::vec(-1.0_f64..1.0, 8 * 10),
            position in 0_usize..8,
        ) {
            let rows: Vec<&[f64]> = values.chunks(10).collect();
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
            let factor = |keep: &[usize]| {
                let mut l = Cholesky::default();
                for (k, &i) in keep.iter().enumerate() {
                    let mut cross: Vec<f64> = keep[..k].iter().map(|&j| dot(rows[i], rows[j])).collect();
                    let pivot = l.squared_pivot(&mut cross, dot(rows[i], rows[i]) + 0.5);
                    l.push(&cross, pivot);
                }
                l
            };
            let mut updated = factor(&[0, 1, 2, 3, 4, 5, 6, 7]);
            updated.remove(position);
            let kept: Vec<usize> = (0..8).filter(|&i| i != position).collect();
            let fresh = factor(&kept);
            proptest::prop_assert_eq!(updated.size, 7);
            for (a, b) in updated.packed.iter().zip(&fresh.packed) {
                proptest::prop_assert!((a - b).abs() < 1e-12, "{a} against {b}");
            }
        }
    }
}
