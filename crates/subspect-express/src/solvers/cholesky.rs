//! A Cholesky factor that grows and shrinks by one atom: `L Lᵀ = Q_SS` for a support `S` in the order of entry.
//!
//! Appending costs one triangular solve, O(k²); removing refactors the rows behind the removed one.

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

    /// Forgets all rows from `k` on.
    pub(crate) fn truncate(&mut self, k: usize) {
        self.packed.truncate(start(k));
        self.size = k;
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
        l.truncate(1);
        let mut y = vec![8.0];
        l.forward(&mut y);
        l.backward(&mut y);
        assert!((y[0] - 2.0).abs() < 1e-15);
    }
}
