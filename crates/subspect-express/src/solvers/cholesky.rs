//! A Cholesky factor that grows and shrinks: `Uᵀ U = Q_SS` for a support `S` in the order of entry.
//!
//! Many atoms are appended at once by a blocked product, one costs a triangular solve, and taking one out is a pass of
//! plane rotations, both O(k²) (Golub & Van Loan, sections 4.2.5 and 6.5.4). Stored as rows of the upper triangle: then
//! the product, the solves and the rotations all run along rows, in vector registers.

use subspect_linalg::{dot_f64, vectorize};

/// Rows of the factor that are computed together.
const ROWS: usize = 4;
/// Columns that are computed together: with `ROWS` as many sums as fit into vector registers.
const COLUMNS: usize = 16;

/// Row `i` of the upper triangle starts at `i * stride`; its entries are columns `i..size`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cholesky {
    upper: Vec<f64>,
    stride: usize,
    size: usize,
}

vectorize! {
    /// `b <- U⁻ᵀ b`.
    fn forward(upper: &[f64], stride: usize, b: &mut [f64]) {
        let size = b.len();
        for k in 0..size {
            let row = &upper[k * stride + k..k * stride + size];
            let (head, rest) = b[k..].split_at_mut(1);
            head[0] /= row[0];
            let x = -head[0];
            for (b, u) in rest.iter_mut().zip(&row[1..]) {
                *b = x.mul_add(*u, *b);
            }
        }
    }

    /// `b <- U⁻¹ b`.
    fn backward(upper: &[f64], stride: usize, b: &mut [f64]) {
        const LANES: usize = 8;
        let size = b.len();
        for k in (0..size).rev() {
            let row = &upper[k * stride + k..k * stride + size];
            let (u, x) = (&row[1..], &b[k + 1..]);
            let mut acc = [0.0_f64; LANES];
            let (cu, cx) = (u.chunks_exact(LANES), x.chunks_exact(LANES));
            let tail: f64 = cu.remainder().iter().zip(cx.remainder()).map(|(u, x)| u * x).sum();
            for (u, x) in cu.zip(cx) {
                for i in 0..LANES {
                    acc[i] = u[i].mul_add(x[i], acc[i]);
                }
            }
            b[k] = (b[k] - acc.iter().sum::<f64>() - tail) / row[0];
        }
    }

    /// `a <- cos a + sin b`, `b <- cos b - sin a`.
    fn rotate(a: &mut [f64], b: &mut [f64], cos: f64, sin: f64) {
        for (a, b) in a.iter_mut().zip(b) {
            let (x, y) = (*a, *b);
            *a = cos.mul_add(x, sin * y);
            *b = cos.mul_add(y, -(sin * x));
        }
    }

    /// Rows `rows.0..rows.1` of the factor (at most [`ROWS`]) from column `first` on, given all rows above them and
    /// their own entries left of `first`: `U_I,J <- U_IIᵀ⁻¹ (Q_I,J - U_:I,Iᵀ U_:I,J)`. Reads and writes up to
    /// [`COLUMNS`] columns beyond `size`. Where `first` is the first row itself, the diagonal is made, too; false and
    /// the row when its squared pivot is at most `least[row - rows.0]`.
    fn block(
        upper: &mut [f64],
        stride: usize,
        rows: (usize, usize),
        columns: (usize, usize),
        least: &[f64],
    ) -> Result<(), usize> {
        let (start, end) = rows;
        let count = end - start;
        for j in (columns.0..columns.1).step_by(COLUMNS) {
            let mut acc = [[0.0_f64; COLUMNS]; ROWS];
            let (above, own) = upper.split_at_mut(start * stride);
            if count == ROWS {
                for row in above.chunks_exact(stride) {
                    let (left, right) = (&row[start..start + ROWS], &row[j..j + COLUMNS]);
                    for r in 0..ROWS {
                        for c in 0..COLUMNS {
                            acc[r][c] = left[r].mul_add(right[c], acc[r][c]);
                        }
                    }
                }
            } else {
                for row in above.chunks_exact(stride) {
                    for r in 0..count {
                        for c in 0..COLUMNS {
                            acc[r][c] = row[start + r].mul_add(row[j + c], acc[r][c]);
                        }
                    }
                }
            }
            for r in 0..count {
                for (u, a) in own[r * stride + j..r * stride + j + COLUMNS].iter_mut().zip(&acc[r]) {
                    *u -= a;
                }
            }
        }
        let triangular = columns.0 == start;
        for r in 0..count {
            let (before, own) = upper[start * stride..end * stride].split_at_mut(r * stride);
            let first = if triangular { start + r } else { columns.0 };
            let own = &mut own[first..columns.1];
            for q in 0..r {
                let row = &before[q * stride..(q + 1) * stride];
                let factor = -row[start + r];
                for (u, v) in own.iter_mut().zip(&row[first..columns.1]) {
                    *u = factor.mul_add(*v, *u);
                }
            }
            if triangular {
                if own[0].is_nan() || own[0] <= least[r] {
                    return Err(start + r);
                }
                own[0] = own[0].sqrt();
                let inverse = 1.0 / own[0];
                own[1..].iter_mut().for_each(|u| *u *= inverse);
            } else {
                let inverse = 1.0 / upper[(start + r) * stride + start + r];
                let row = &mut upper[(start + r) * stride + columns.0..(start + r) * stride + columns.1];
                row.iter_mut().for_each(|u| *u *= inverse);
            }
        }
        Ok(())
    }
}

impl Cholesky {
    pub(crate) fn clear(&mut self) {
        self.size = 0;
    }

    /// Keeps only the first `size` atoms.
    pub(crate) fn truncate(&mut self, size: usize) {
        self.size = self.size.min(size);
    }

    /// `b <- U⁻ᵀ b`, in place.
    pub(crate) fn forward(&self, b: &mut [f64]) {
        forward(&self.upper, self.stride, &mut b[..self.size]);
    }

    /// `b <- U⁻¹ b`, in place.
    pub(crate) fn backward(&self, b: &mut [f64]) {
        backward(&self.upper, self.stride, &mut b[..self.size]);
    }

    /// The squared pivot that appending a column `cross` (`Q_Sj`) with `diagonal` (`Q_jj`) would have; `cross`
    /// becomes `U⁻ᵀ cross`.
    pub(crate) fn squared_pivot(&self, cross: &mut [f64], diagonal: f64) -> f64 {
        self.forward(cross);
        diagonal - dot_f64(cross, cross)
    }

    /// Appends the column `[solved, sqrt(squared_pivot)]`, both from [`Cholesky::squared_pivot`].
    pub(crate) fn push(&mut self, solved: &[f64], squared_pivot: f64) {
        debug_assert_eq!(solved.len(), self.size);
        self.reserve(self.size + 1);
        let k = self.size;
        for (i, &v) in solved.iter().enumerate() {
            self.upper[i * self.stride + k] = v;
        }
        self.upper[k * self.stride + k] = squared_pivot.sqrt();
        self.size += 1;
    }

    /// Appends up to `count` atoms at once and returns how many: the first whose squared pivot is at most `noise` times
    /// its diagonal entry ends it. `fill(i, row)` writes the entries of `Q` between atom `i` of the grown support and its
    /// new atoms from `max(i, size)` on.
    pub(crate) fn append(&mut self, count: usize, noise: f64, fill: impl Fn(usize, &mut [f64])) -> usize {
        let (old, new) = (self.size, self.size + count);
        self.reserve(new);
        let stride = self.stride;
        let mut least = Vec::with_capacity(count);
        for i in 0..new {
            let first = i.max(old);
            let row = &mut self.upper[i * stride + first..i * stride + new + COLUMNS];
            let (own, beyond) = row.split_at_mut(new - first);
            fill(i, own);
            beyond.fill(0.0);
            if i >= old {
                least.push(noise * own[0]);
            }
        }
        for start in (0..old).step_by(ROWS) {
            let rows = (start, (start + ROWS).min(old));
            let _ = block(&mut self.upper, stride, rows, (old, new), &[]);
        }
        for start in (old..new).step_by(ROWS) {
            let rows = (start, (start + ROWS).min(new));
            if let Err(row) = block(&mut self.upper, stride, rows, (start, new), &least[start - old..]) {
                self.size = row;
                return row - old;
            }
        }
        self.size = new;
        count
    }

    /// Takes atom `position` out. The rows from there on get one entry too many at their left; plane rotations of
    /// neighbouring rows bring them back to triangular form. Backward stable: removing an atom can only raise the pivots.
    pub(crate) fn remove(&mut self, position: usize) {
        let (size, stride) = (self.size, self.stride);
        for i in 0..position {
            let row = i * stride;
            self.upper.copy_within(row + position + 1..row + size, row + position);
        }
        for i in position..size - 1 {
            let (upper, lower) = self.upper.split_at_mut((i + 1) * stride);
            let row = &mut upper[i * stride + i..i * stride + size];
            // At first the row itself, without the column that goes; later what the rotation before has left.
            row.copy_within(1.., 0);
            let length = size - 1 - i;
            let (a, b) = (&mut row[..length], &mut lower[i + 1..i + 1 + length]);
            let radius = (a[0] * a[0] + b[0] * b[0]).sqrt();
            let (cos, sin) = (a[0] / radius, b[0] / radius);
            rotate(a, b, cos, sin);
            a[0] = radius;
        }
        self.size = size - 1;
    }

    fn reserve(&mut self, wanted: usize) {
        if wanted + COLUMNS <= self.stride {
            return;
        }
        // An odd number of cache lines: rows below each other then do not compete for the same ones.
        let stride = ((wanted + wanted / 4 + COLUMNS).div_ceil(8) | 1) * 8;
        let mut grown = vec![0.0; stride * stride];
        for i in 0..self.size {
            let row = &self.upper[i * self.stride + i..i * self.stride + self.size];
            grown[i * stride + i..i * stride + self.size].copy_from_slice(row);
        }
        (self.upper, self.stride) = (grown, stride);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    /// Entries of a positive definite matrix.
    fn entry(rows: &[&[f64]], i: usize, j: usize) -> f64 {
        dot(rows[i], rows[j]) + if i == j { 0.5 } else { 0.0 }
    }

    /// One by one.
    fn factor(rows: &[&[f64]], keep: &[usize]) -> Cholesky {
        let mut l = Cholesky::default();
        for (k, &i) in keep.iter().enumerate() {
            let mut cross: Vec<f64> = keep[..k].iter().map(|&j| entry(rows, i, j)).collect();
            let pivot = l.squared_pivot(&mut cross, entry(rows, i, i));
            l.push(&cross, pivot);
        }
        l
    }

    fn difference(a: &Cholesky, b: &Cholesky) -> f64 {
        assert_eq!(a.size, b.size);
        let at = |l: &Cholesky, i: usize, j: usize| l.upper[i * l.stride + j];
        let pairs = (0..a.size).flat_map(|i| (i..a.size).map(move |j| (i, j)));
        pairs.map(|(i, j)| (at(a, i, j) - at(b, i, j)).abs()).fold(0.0, f64::max)
    }

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

    proptest! {
        #[test]
        fn removing_gives_the_factor_of_what_is_left(
            values in proptest::collection::vec(-1.0_f64..1.0, 8 * 10),
            position in 0_usize..8,
        ) {
            let rows: Vec<&[f64]> = values.chunks(10).collect();
            let mut updated = factor(&rows, &[0, 1, 2, 3, 4, 5, 6, 7]);
            updated.remove(position);
            let kept: Vec<usize> = (0..8).filter(|&i| i != position).collect();
            prop_assert!(difference(&updated, &factor(&rows, &kept)) < 1e-12);
        }

        /// Of every size around the blocks, in two goes, with an atom removed between them.
        #[test]
        fn appending_many_is_appending_one_by_one(
            values in proptest::collection::vec(-1.0_f64..1.0, 60 * 12),
            first in 0_usize..40,
            second in 1_usize..20,
        ) {
            let rows: Vec<&[f64]> = values.chunks(12).collect();
            let mut keep: Vec<usize> = (0..first).collect();
            let mut l = Cholesky::default();
            let grow = |l: &mut Cholesky, keep: &[usize], old: usize| {
                l.append(keep.len() - old, 1e-10, |i, row| {
                    for (v, &j) in row.iter_mut().zip(&keep[i.max(old)..]) {
                        *v = entry(&rows, keep[i], j);
                    }
                })
            };
            prop_assert_eq!(grow(&mut l, &keep, 0), first);
            if first > 2 {
                l.remove(first / 2);
                keep.remove(first / 2);
            }
            let old = keep.len();
            keep.extend(40..40 + second);
            prop_assert_eq!(grow(&mut l, &keep, old), second);
            prop_assert!(difference(&l, &factor(&rows, &keep)) < 1e-11);
        }
    }

    #[test]
    fn appending_ends_before_an_atom_in_the_span_of_the_others() {
        let rows: Vec<Vec<f64>> = (0..9)
            .map(|i| {
                (0..9)
                    .map(|j| if i == 6 { f64::from(u8::from(j == 2)) } else { f64::from(u8::from(i == j)) })
                    .collect()
            })
            .collect();
        let mut l = Cholesky::default();
        let taken = l.append(9, 1e-10, |i, row| {
            for (v, other) in row.iter_mut().zip(&rows[i..]) {
                *v = dot(&rows[i], other);
            }
        });
        assert_eq!((taken, l.size), (6, 6));
    }
}
