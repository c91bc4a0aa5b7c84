//! Dense products, the one place that names the dense-algebra library.
//!
//! Every product is cut into tiles of fixed size and each tile is one sequential product, so the bits of the
//! result do not depend on the number of threads.

use faer::linalg::matmul::{matmul, triangular};
use faer::prelude::ReborrowMut;
use faer::{Accum, Par};
use rayon::prelude::*;

use crate::{MatRef, Matrix};

/// Rows of one tile of a symmetric product: large enough for the kernel's full rate, small enough to share out.
const TILE: usize = 640;

type View<'a, T> = faer::MatRef<'a, T>;

fn view<'a, T>(m: MatRef<'a, T>) -> View<'a, T>
where
    T: Copy,
{
    View::from_row_major_slice(m.data(), m.n_rows(), m.n_cols())
}

/// `A Bᵀ` into `out` (row-major, `a.n_rows x b.n_rows`), on the calling thread.
///
/// # Panics
/// When the column counts differ or `out` has the wrong length: the caller owns all three.
pub fn product_abt(a: MatRef<'_, f32>, b: MatRef<'_, f32>, out: &mut [f32]) {
    assert_eq!(a.n_cols(), b.n_cols(), "columns of both factors");
    assert_eq!(out.len(), a.n_rows() * b.n_rows(), "length of the output");
    let dst = faer::MatMut::from_row_major_slice_mut(out, a.n_rows(), b.n_rows());
    matmul(dst, Accum::Replace, view(a), view(b).transpose(), 1.0, Par::Seq);
}

/// `X Xᵀ` in f32, both triangles filled, in parallel. `n_rows x n_rows`, exactly symmetric.
pub fn symmetric_product(x: MatRef<'_, f32>) -> Matrix<f32> {
    let mut out = Matrix::filled(0.0, x.n_rows(), x.n_rows());
    symmetric(x, Accum::Replace, &mut out);
    out
}

/// `X Xᵀ` in f64, both triangles filled, in parallel.
pub fn gram_f64(x: MatRef<'_, f64>) -> Matrix<f64> {
    let mut out = Matrix::filled(0.0, x.n_rows(), x.n_rows());
    symmetric(x, Accum::Replace, &mut out);
    out
}

/// `K += X Xᵀ` in f64, both triangles, in parallel: one block of features of a longer product.
pub(crate) fn gram_f64_add(x: MatRef<'_, f64>, out: &mut Matrix<f64>) {
    symmetric(x, Accum::Add, out);
}

/// A matrix that several threads write into, each its own tiles.
struct Shared<T>(*mut T);
// SAFETY: only `tile` uses the pointer, and the tiles of different tasks do not overlap.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn at(&self, offset: usize) -> *mut T {
        // SAFETY: `offset` is below n * n, the length of the allocation (see the callers' bounds).
        unsafe { self.0.add(offset) }
    }
}

fn symmetric<T>(x: MatRef<'_, T>, accum: Accum, out: &mut Matrix<T>)
where
    T: faer::traits::RealField + Copy + Send + Sync,
{
    let n = x.n_rows();
    assert_eq!((out.n_rows(), out.n_cols()), (n, n), "shape of the output");
    let shared = Shared(out.data_mut().as_mut_ptr());
    let n_tiles = n.div_ceil(TILE);
    let pairs: Vec<(usize, usize)> = (0..n_tiles).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    pairs.into_par_iter().for_each(|(i, j)| tile(x, accum, &shared, i * TILE, j * TILE));
}

/// Fills rows `i0..` x columns `j0..` of the product and its mirror image.
fn tile<T>(x: MatRef<'_, T>, accum: Accum, out: &Shared<T>, i0: usize, j0: usize)
where
    T: faer::traits::RealField + Copy,
{
    let n = x.n_rows();
    let (i1, j1) = ((i0 + TILE).min(n), (j0 + TILE).min(n));
    let a = view(x.rows(i0, i1));
    // SAFETY: rows i0..i1 x columns j0..j1 lie inside the n x n buffer, and only this task touches them or
    // their mirror image, because each unordered pair of tiles is one task.
    let mut dst =
        unsafe { faer::MatMut::from_raw_parts_mut(out.at(i0 * n + j0), i1 - i0, j1 - j0, n as isize, 1) };
    let one = T::one_impl();
    if i0 == j0 {
        use triangular::BlockStructure::{Rectangular, TriangularLower};
        let b = a.transpose();
        triangular::matmul(
            dst.rb_mut(),
            TriangularLower,
            accum,
            a,
            Rectangular,
            b,
            Rectangular,
            one,
            Par::Seq,
        );
        for i in i0..i1 {
            for j in j0..i {
                // SAFETY: both entries lie in this task's diagonal tile.
                unsafe { *out.at(j * n + i) = *out.at(i * n + j) };
            }
        }
    } else {
        let b = view(x.rows(j0, j1)).transpose();
        matmul(dst.rb_mut(), accum, a, b, one, Par::Seq);
        mirror(out, n, (i0, i1), (j0, j1));
    }
}

/// Copies the tile `rows x cols` to `cols x rows`, in squares that stay in the first-level cache.
fn mirror<T: Copy>(out: &Shared<T>, n: usize, rows: (usize, usize), cols: (usize, usize)) {
    const SQUARE: usize = 32;
    for ib in (rows.0..rows.1).step_by(SQUARE) {
        for jb in (cols.0..cols.1).step_by(SQUARE) {
            for j in jb..(jb + SQUARE).min(cols.1) {
                for i in ib..(ib + SQUARE).min(rows.1) {
                    // SAFETY: (i, j) is in this task's tile and (j, i) in its mirror image.
                    unsafe { *out.at(j * n + i) = *out.at(i * n + j) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, d: usize) -> Matrix<f32> {
        Matrix::from_fn(n, d, |i, j| ((i * 31 + j * 17) as f32 * 0.37).sin())
    }

    #[test]
    fn the_symmetric_product_is_the_product_and_symmetric() {
        let x = wave(TILE + 70, 9);
        let k = symmetric_product(x.as_ref());
        let n = x.n_rows();
        for (i, j) in [(0, 0), (3, 700), (700, 3), (n - 1, n - 1), (640, 639), (650, 20)] {
            let want: f64 = x.row(i).iter().zip(x.row(j)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((f64::from(k.row(i)[j]) - want).abs() < 1e-5, "entry {i} {j}");
        }
        for i in 0..n {
            for j in 0..i {
                assert_eq!(k.row(i)[j].to_bits(), k.row(j)[i].to_bits());
            }
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let x = wave(2 * TILE + 5, 33);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| symmetric_product(x.as_ref()))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn rectangular_products_are_row_major() {
        let (a, b) = (wave(3, 4), wave(5, 4));
        let mut out = vec![0.0; 15];
        product_abt(a.as_ref(), b.as_ref(), &mut out);
        let want: f32 = a.row(2).iter().zip(b.row(1)).map(|(x, y)| x * y).sum();
        assert!((out[2 * 5 + 1] - want).abs() < 1e-6);
    }

    #[test]
    fn no_rows_and_no_columns_are_fine() {
        assert_eq!(symmetric_product(Matrix::filled(0.0, 0, 3).as_ref()).data().len(), 0);
        assert_eq!(symmetric_product(Matrix::filled(0.0, 2, 0).as_ref()).data(), &[0.0; 4]);
    }
}
