//! Random projection of wide layers: `Y = X̂ Rᵀ / √d`, `N x D` to `N x d`, and the problem on the rows of `Y`.
//!
//! `R` (`d x D`) has independent entries `√3 · {+1, 0, -1}` with probabilities 1/6, 2/3, 1/6. Lengths of residuals are
//! kept within a factor `1 ± ε` for `d ~ ln(N) / ε²`; the objective, a residual's squared length plus a penalty that
//! does not change, then is too. Rows are scaled before they are projected and not again afterwards, so that `Y`'s
//! problem is a sketch of the original one with the same coefficients.
//!
//! References: Johnson & Lindenstrauss 1984; Achlioptas, "Database-friendly random projections", JCSS 2003 (the signs,
//! which come out the same on every machine); Heckel, Tschannen, Bölcskei, "Dimensionality-reduced subspace
//! clustering", 2017.

use rayon::prelude::*;
use subspect_linalg::{Dictionary, MatRef, Matrix, RowScale, Seed, product_abt, sum_of_squares};

use rand_chacha::rand_core::RngCore;

use super::{ApproximationInfo, FullProblem};
use crate::{ExpressError, Monitor, Solution, solve as solve_exactly};

pub(crate) static INFO: ApproximationInfo = ApproximationInfo {
    name: "projection",
    summary: "features projected at random to fewer ones; for wide layers",
    reference: "Achlioptas, JCSS 2003; Heckel, Tschannen, Bölcskei 2017",
    size: "features that are left",
};

/// Features per block of the projection: `d x 1024` floats of `R` are held at a time.
const FEATURES: usize = 1024;
/// Rows per task.
const ROWS: usize = 256;

pub(crate) fn solve(
    problem: &FullProblem<'_>,
    size: usize,
    seed: Seed,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let mode = problem.mode(problem.x.n_rows());
    if size >= problem.x.n_cols() {
        // Nothing to be saved.
        let dictionary = Dictionary::new(problem.x, problem.scale, mode)?;
        return solve_exactly(&dictionary, &problem.method, &problem.options, monitor);
    }
    let projected = project(problem.x, problem.scale, size, seed);
    let dictionary = Dictionary::new(projected.as_ref(), RowScale::Raw, mode)?;
    solve_exactly(&dictionary, &problem.method, &problem.options, monitor)
}

/// The scaled rows of `x` projected to `size` features, in parallel. Build a dictionary of the result with
/// [`RowScale::Raw`].
pub fn project(x: MatRef<'_, f32>, scale: RowScale, size: usize, seed: Seed) -> Matrix<f32> {
    let (n, d) = (x.n_rows(), x.n_cols());
    let factor: Vec<f32> = (0..n).into_par_iter().map(|i| row_factor(x.row(i), scale)).collect();
    let mut out = Matrix::filled(0.0_f32, n, size);
    let panel = ROWS * size.max(1);
    for (block, start) in (0..d).step_by(FEATURES).enumerate() {
        let end = (start + FEATURES).min(d);
        let signs = signs(size, end - start, (3.0 / size as f64).sqrt() as f32, seed.index(block as u64));
        out.data_mut().par_chunks_mut(panel).enumerate().for_each(|(p, out)| {
            let first = p * ROWS;
            let n_rows = out.len() / size.max(1);
            let rows =
                Matrix::from_fn(n_rows, end - start, |i, j| x.row(first + i)[start + j] * factor[first + i]);
            let mut product = vec![0.0; out.len()];
            product_abt(rows.as_ref(), signs.as_ref(), &mut product);
            out.iter_mut().zip(&product).for_each(|(o, p)| *o += p);
        });
    }
    out
}

fn row_factor(row: &[f32], scale: RowScale) -> f32 {
    match (scale, sum_of_squares(row)) {
        (RowScale::Raw, _) => 1.0,
        (RowScale::Unit, square) if square > 0.0 => (1.0 / square.sqrt()) as f32,
        (RowScale::Unit, _) => 0.0,
    }
}

/// `n_rows x n_cols` of `value · {+1, 0, -1}`, every row from a stream of its own.
fn signs(n_rows: usize, n_cols: usize, value: f32, seed: Seed) -> Matrix<f32> {
    let mut out = Matrix::filled(0.0_f32, n_rows, n_cols);
    out.data_mut().par_chunks_mut(n_cols.max(1)).enumerate().for_each(|(i, row)| {
        let mut rng = seed.index(i as u64).rng();
        for v in row {
            // The remainder's bias, 6 / 2^32, is far below anything that could be measured.
            *v = match rng.next_u32() % 6 {
                0 => value,
                1 => -value,
                _ => 0.0,
            };
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, d: usize) -> Matrix<f32> {
        Matrix::from_fn(n, d, |i, j| ((i * 31 + j * 17) as f32 * 0.37).sin())
    }

    #[test]
    fn lengths_and_distances_are_kept_on_average() {
        let x = wave(40, 3000);
        let y = project(x.as_ref(), RowScale::Unit, 400, Seed::new(1));
        let mut worst = 0.0_f64;
        for i in 0..40 {
            worst = worst.max((sum_of_squares(y.row(i)) - 1.0).abs());
        }
        // Standard deviation √(2/d) = 0.07.
        assert!(worst > 1e-6 && worst < 0.3, "{worst}");
    }

    #[test]
    fn seed_and_nothing_else_decides() {
        let x = wave(600, 2100);
        let with = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| project(x.as_ref(), RowScale::Unit, 16, Seed::new(seed)))
        };
        assert_eq!(with(1, 3), with(3, 3));
        assert_ne!(with(1, 3), with(1, 4));
    }

    #[test]
    fn equal_rows_stay_equal_and_zero_rows_zero() {
        let mut x = wave(300, 50);
        let first = x.row(0).to_vec();
        x.row_mut(299).copy_from_slice(&first);
        x.row_mut(7).fill(0.0);
        let y = project(x.as_ref(), RowScale::Unit, 8, Seed::new(0));
        assert!(y.row(0).iter().zip(y.row(299)).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(y.row(7), &[0.0; 8]);
    }
}
