//! The dictionary of a layer: its inputs as (unit) rows, and the inner products between them.
//!
//! Self-expression writes every input with the others, so the atoms are the rows of the activation matrix
//! itself, by default divided by their Euclidean norm so that layers of different width and scale compare:
//! `x̂_i = x_i / ||x_i||`, `K_ij = x̂_i · x̂_j`.
//!
//! Two memory modes, chosen from a byte budget: while `4 N²` bytes fit, the whole Gram matrix is kept
//! ([`MemoryMode::Gram`]); above it nothing but the activations is ([`MemoryMode::Panels`]), and correlations come from
//! products of a panel of residuals with all atoms, scaled afterwards. Storage and these products are float32; norms and everything
//! that ends in a certificate ([`Dictionary::atom_dot`], [`Dictionary::add_scaled_atom`]) are float64 on the
//! activations as they were given. Small dictionaries (N <= [`EXACT_GRAM_MAX`]) also keep the Gram matrix in
//! float64: forming it once is cheaper there than going back to D-dimensional residuals for every row.

use rayon::prelude::*;

use crate::product::gram_f64_add;
use crate::simd::{axpy, dot, dot_f32_in_f64, dot_four, dot_mixed, sum_of_squares};
use crate::{LinalgError, MatRef, Matrix, product_abt, symmetric_product};

/// How rows are scaled before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowScale {
    /// Every row divided by its Euclidean norm; zero rows stay zero.
    Unit,
    /// Rows as given.
    Raw,
}

/// What is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryMode {
    /// The whole `N x N` Gram matrix in float32.
    Gram,
    /// Only the `N x D` rows in float32; correlations are computed panel by panel.
    Panels,
}

impl MemoryMode {
    /// [`MemoryMode::Gram`] while the Gram matrix fits into `budget` bytes.
    pub fn for_budget(n_atoms: usize, budget: usize) -> Self {
        match n_atoms.checked_mul(n_atoms).and_then(|n| n.checked_mul(4)) {
            Some(bytes) if bytes <= budget => MemoryMode::Gram,
            _ => MemoryMode::Panels,
        }
    }

    /// The spelling used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            MemoryMode::Gram => "gram",
            MemoryMode::Panels => "panels",
        }
    }
}

/// Up to this many atoms the Gram matrix is formed and kept in float64 as well (128 MiB at the limit).
pub const EXACT_GRAM_MAX: usize = 4096;

/// Features per block of the float64 Gram product: bounds the float64 copy of the rows.
const FEATURE_BLOCK: usize = 2048;

#[derive(Debug)]
enum Storage {
    Exact {
        gram: Matrix<f32>,
        exact: Matrix<f64>,
    },
    Gram(Matrix<f32>),
    /// The scaled rows; `None` where products of the rows as they are cannot overflow and are scaled instead.
    Panels(Option<Matrix<f32>>),
}

/// Lengths of rows between which products of unscaled rows stay far from both ends of float32.
const SAFE_LENGTHS: std::ops::Range<f64> = 1e-12..1e12;

/// The atoms of one layer.
#[derive(Debug)]
pub struct Dictionary<'a> {
    x: MatRef<'a, f32>,
    scale: RowScale,
    /// Factor of every row: `1 / ||x_i||`, 1 for raw rows, 0 for zero rows.
    factor: Vec<f64>,
    /// `||x̂_i||²` in float64: 1 (or 0) for unit rows.
    squared_norm: Vec<f64>,
    storage: Storage,
}

impl<'a> Dictionary<'a> {
    /// Scales the rows and, in [`MemoryMode::Gram`], forms the Gram matrix (in parallel, in the current pool).
    ///
    /// # Errors
    /// [`LinalgError::NotFinite`] when `x` holds a NaN or an infinity.
    pub fn new(x: MatRef<'a, f32>, scale: RowScale, mode: MemoryMode) -> Result<Self, LinalgError> {
        x.check_finite()?;
        let (factor, squared_norm) = scales(x, scale);
        let storage = match mode {
            MemoryMode::Gram if x.n_rows() <= EXACT_GRAM_MAX => exact_storage(x, &factor)?,
            MemoryMode::Gram => Storage::Gram(symmetric_product(scaled_rows(x, &factor).as_ref())),
            MemoryMode::Panels => {
                let safe = |f: &f64| *f == 0.0 || SAFE_LENGTHS.contains(&(1.0 / f));
                let as_they_are = scale == RowScale::Unit && factor.iter().all(safe);
                Storage::Panels((!as_they_are).then(|| scaled_rows(x, &factor)))
            }
        };
        Ok(Self { x, scale, factor, squared_norm, storage })
    }

    /// As [`Dictionary::new`] with [`MemoryMode::Gram`], with the Gram matrix in float64 as well whatever the number of
    /// atoms (`12 N²` bytes): for many features, where every exact check of a row would go back to the activations.
    ///
    /// # Errors
    /// As [`Dictionary::new`].
    pub fn with_exact_gram(x: MatRef<'a, f32>, scale: RowScale) -> Result<Self, LinalgError> {
        x.check_finite()?;
        let (factor, squared_norm) = scales(x, scale);
        let storage = exact_storage(x, &factor)?;
        Ok(Self { x, scale, factor, squared_norm, storage })
    }

    /// Number of atoms N (inputs).
    pub fn n_atoms(&self) -> usize {
        self.x.n_rows()
    }

    /// Number of features D.
    pub fn n_features(&self) -> usize {
        self.x.n_cols()
    }

    /// What is kept in memory.
    pub fn mode(&self) -> MemoryMode {
        match self.storage {
            Storage::Exact { .. } | Storage::Gram(_) => MemoryMode::Gram,
            Storage::Panels(_) => MemoryMode::Panels,
        }
    }

    /// `||x̂_i||²` in float64.
    pub fn squared_norm(&self, i: usize) -> f64 {
        self.squared_norm[i]
    }

    /// The Gram matrix, in [`MemoryMode::Gram`].
    pub fn gram(&self) -> Option<&Matrix<f32>> {
        match &self.storage {
            Storage::Exact { gram: k, .. } | Storage::Gram(k) => Some(k),
            Storage::Panels(_) => None,
        }
    }

    /// The Gram matrix in float64, for small dictionaries in [`MemoryMode::Gram`] and where it was asked for.
    pub fn exact_gram(&self) -> Option<&Matrix<f64>> {
        match &self.storage {
            Storage::Exact { exact, .. } => Some(exact),
            Storage::Gram(_) | Storage::Panels(_) => None,
        }
    }

    /// A bound on the error of one float32 product `x̂_i · r`, relative to `||x̂_i|| ||r||`: `γ_D = D u / (1 - D u)`
    /// (Higham 2002, eq. 3.5), with two roundings more for the scaled operands; one rounding when the Gram matrix
    /// was formed in float64.
    pub fn product_error(&self) -> f64 {
        if self.exact_gram().is_some() { gamma(1.0) } else { self.query_error() }
    }

    /// The same bound for products with queries, which are always formed in float32.
    pub fn query_error(&self) -> f64 {
        gamma(self.n_features() as f64 + 3.0)
    }

    /// Rows `start..end` of the Gram matrix into `out` (`(end - start) x N`), on the calling thread.
    pub fn gram_panel(&self, start: usize, end: usize, out: &mut [f32]) {
        match &self.storage {
            Storage::Exact { gram: k, .. } | Storage::Gram(k) => {
                out.copy_from_slice(k.as_ref().rows(start, end).data());
            }
            Storage::Panels(Some(u)) => product_abt(u.as_ref().rows(start, end), u.as_ref(), out),
            Storage::Panels(None) => {
                product_abt(self.x.rows(start, end), self.x, out);
                for (row, &f) in out.chunks_exact_mut(self.n_atoms().max(1)).zip(&self.factor[start..end]) {
                    self.scale_columns(f, row);
                }
            }
        }
    }

    /// These rows of the Gram matrix into `out` (`rows x N`), on the calling thread.
    pub fn gram_rows(&self, rows: &[u32], out: &mut [f32]) {
        let n = self.n_atoms().max(1);
        if let Some(gram) = self.gram() {
            for (&i, out) in rows.iter().zip(out.chunks_exact_mut(n)) {
                out.copy_from_slice(gram.row(i as usize));
            }
            return;
        }
        let mut panel = Matrix::filled(0.0, rows.len(), self.n_features());
        for (k, &i) in rows.iter().enumerate() {
            let (row, factor) = self.panel_row(i as usize);
            for (o, &v) in panel.row_mut(k).iter_mut().zip(row) {
                *o = (f64::from(v) * factor) as f32;
            }
        }
        self.product_with_atoms(panel.as_ref(), out);
    }

    /// A product with unscaled atoms to one with the atoms, and `by` times that.
    fn scale_columns(&self, by: f64, row: &mut [f32]) {
        for (o, &f) in row.iter_mut().zip(&self.factor) {
            *o = (f64::from(*o) * (by * f)) as f32;
        }
    }

    /// Correlations of queries `start..end` with all atoms into `out` (`(end - start) x N`), on the calling thread.
    pub fn query_panel(&self, queries: &Queries<'_>, start: usize, end: usize, out: &mut [f32]) {
        let panel = queries.rows.as_ref().rows(start, end);
        self.product_with_atoms(panel, out);
    }

    fn product_with_atoms(&self, panel: MatRef<'_, f32>, out: &mut [f32]) {
        match &self.storage {
            Storage::Panels(Some(u)) => product_abt(panel, u.as_ref(), out),
            // The scaled atoms are not kept: scale the product instead.
            Storage::Panels(None) | Storage::Exact { .. } | Storage::Gram(_) => {
                product_abt(panel, self.x, out);
                out.chunks_exact_mut(self.n_atoms().max(1)).for_each(|row| self.scale_columns(1.0, row));
            }
        }
    }

    /// `R X̂ᵀ` into `out` (`m x N`) for `m` residuals of length D, on the calling thread. Only in
    /// [`MemoryMode::Panels`]: with the Gram matrix at hand residuals are never formed in float32.
    ///
    /// # Panics
    /// In [`MemoryMode::Gram`].
    pub fn correlate_panel(&self, residuals: MatRef<'_, f32>, out: &mut [f32]) {
        match &self.storage {
            Storage::Exact { .. } | Storage::Gram(_) => unreachable!("correlate_panel is for panels"),
            Storage::Panels(_) => self.product_with_atoms(residuals, out),
        }
    }

    /// `K_ij` in the best precision at hand without going back to the activations: looked up, or one product.
    pub fn gram_entry(&self, i: usize, j: usize) -> f64 {
        match &self.storage {
            Storage::Exact { exact, .. } => exact.row(i)[j],
            Storage::Gram(k) => f64::from(k.row(i)[j]),
            Storage::Panels(_) => {
                let ((a, f), (b, g)) = (self.panel_row(i), self.panel_row(j));
                f64::from(dot(a, b)) * (f * g)
            }
        }
    }

    /// [`Dictionary::gram_entry`] of atom `i` with every atom of `columns`.
    pub fn gram_entries(&self, i: usize, columns: &[u32], out: &mut [f64]) {
        match &self.storage {
            Storage::Exact { exact, .. } => pick(exact.row(i), columns, out, |v| v),
            Storage::Gram(k) => pick(k.row(i), columns, out, f64::from),
            Storage::Panels(_) => {
                let (a, f) = self.panel_row(i);
                let mut blocks = columns.chunks_exact(4);
                let mut outs = out.chunks_exact_mut(4);
                for (c, o) in (&mut blocks).zip(&mut outs) {
                    let rows = [0, 1, 2, 3].map(|r| self.panel_row(c[r] as usize));
                    let products = dot_four(a, rows.map(|r| r.0));
                    for r in 0..4 {
                        o[r] = f64::from(products[r]) * (f * rows[r].1);
                    }
                }
                for (o, &j) in outs.into_remainder().iter_mut().zip(blocks.remainder()) {
                    *o = self.gram_entry(i, j as usize);
                }
            }
        }
    }

    /// Row `i` as it is kept for panels, and what it still has to be multiplied with.
    fn panel_row(&self, i: usize) -> (&[f32], f64) {
        match &self.storage {
            Storage::Panels(Some(u)) => (u.row(i), 1.0),
            _ => (self.x.row(i), self.factor[i]),
        }
    }

    /// `K_ij` in float64 from the activations themselves, O(D) unless the float64 Gram matrix is kept.
    pub fn exact_gram_entry(&self, i: usize, j: usize) -> f64 {
        match &self.storage {
            Storage::Exact { exact, .. } => exact.row(i)[j],
            Storage::Gram(_) | Storage::Panels(_) => {
                self.factor[i] * self.factor[j] * dot_f32_in_f64(self.x.row(i), self.x.row(j))
            }
        }
    }

    /// The scaled rows in float64, `N x D`: for dense methods on few inputs.
    pub fn scaled_f64(&self) -> Matrix<f64> {
        Matrix::from_fn(self.n_atoms(), self.n_features(), |i, j| {
            f64::from(self.x.row(i)[j]) * self.factor[i]
        })
    }

    /// `x̂_j · r` in float64.
    pub fn atom_dot(&self, j: usize, r: &[f64]) -> f64 {
        self.factor[j] * dot_mixed(self.x.row(j), r)
    }

    /// `r += weight x̂_j` in float64.
    pub fn add_scaled_atom(&self, j: usize, weight: f64, r: &mut [f64]) {
        let w = weight * self.factor[j];
        axpy(w, self.x.row(j), r);
    }
}

/// The entries of a row at these columns.
fn pick<T: Copy>(row: &[T], columns: &[u32], out: &mut [f64], wide: impl Fn(T) -> f64) {
    for (o, &j) in out.iter_mut().zip(columns) {
        *o = wide(row[j as usize]);
    }
}

/// `n u / (1 - n u)` for float32.
fn gamma(terms: f64) -> f64 {
    let nu = terms * f64::from(f32::EPSILON) / 2.0;
    nu / (1.0 - nu.min(0.5))
}

/// Factor and squared norm (after scaling) of every row.
fn scales(x: MatRef<'_, f32>, scale: RowScale) -> (Vec<f64>, Vec<f64>) {
    let squares: Vec<f64> = (0..x.n_rows()).into_par_iter().map(|i| sum_of_squares(x.row(i))).collect();
    let factor: Vec<f64> = match scale {
        RowScale::Raw => vec![1.0; x.n_rows()],
        RowScale::Unit => squares.iter().map(|&s| if s > 0.0 { 1.0 / s.sqrt() } else { 0.0 }).collect(),
    };
    let squared_norm = squares.iter().zip(&factor).map(|(s, f)| s * f * f).collect();
    (factor, squared_norm)
}

/// Other inputs than the atoms, scaled like them: what out-of-sample expression expresses.
#[derive(Debug)]
pub struct Queries<'a> {
    x: MatRef<'a, f32>,
    factor: Vec<f64>,
    squared_norm: Vec<f64>,
    rows: Matrix<f32>,
}

impl<'a> Queries<'a> {
    /// Scales the rows of `x` (`Q x D`) as `dictionary` scales its atoms.
    ///
    /// # Errors
    /// [`LinalgError::NotFinite`], or [`LinalgError::Shape`] when the features are not those of the atoms.
    pub fn new(x: MatRef<'a, f32>, dictionary: &Dictionary<'_>) -> Result<Self, LinalgError> {
        x.check_finite()?;
        let d = dictionary.n_features();
        if x.n_cols() != d {
            let (n_rows, expected) = (x.n_rows(), x.n_rows() * d);
            return Err(LinalgError::Shape { n_rows, n_cols: d, expected, found: x.data().len() });
        }
        let (factor, squared_norm) = scales(x, dictionary.scale);
        let rows = scaled_rows(x, &factor);
        Ok(Self { x, factor, squared_norm, rows })
    }

    /// Number of queries Q.
    pub fn len(&self) -> usize {
        self.x.n_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `||q̂_i||²` in float64.
    pub fn squared_norm(&self, i: usize) -> f64 {
        self.squared_norm[i]
    }

    /// `r += weight q̂_i` in float64.
    pub fn add_scaled(&self, i: usize, weight: f64, r: &mut [f64]) {
        axpy(weight * self.factor[i], self.x.row(i), r);
    }

    /// `q̂_i · x̂_j` in float64.
    pub fn atom_dot(&self, i: usize, dictionary: &Dictionary<'_>, j: usize) -> f64 {
        self.factor[i] * dictionary.factor[j] * dot_f32_in_f64(self.x.row(i), dictionary.x.row(j))
    }
}

/// Every row times its factor, rounded once to float32.
fn scaled_rows(x: MatRef<'_, f32>, factor: &[f64]) -> Matrix<f32> {
    let mut out = Matrix::filled(0.0, x.n_rows(), x.n_cols());
    if x.n_cols() > 0 {
        out.data_mut().par_chunks_mut(x.n_cols()).enumerate().for_each(|(i, row)| {
            for (o, &v) in row.iter_mut().zip(x.row(i)) {
                *o = (f64::from(v) * factor[i]) as f32;
            }
        });
    }
    out
}

fn exact_storage(x: MatRef<'_, f32>, factor: &[f64]) -> Result<Storage, LinalgError> {
    let exact = exact_gram(x, factor);
    let gram = exact.data().par_iter().map(|&v| v as f32).collect();
    Ok(Storage::Exact { gram: Matrix::new(gram, x.n_rows(), x.n_rows())?, exact })
}

/// `X̂ X̂ᵀ` in float64, block of features by block of features.
fn exact_gram(x: MatRef<'_, f32>, factor: &[f64]) -> Matrix<f64> {
    let n = x.n_rows();
    let mut out = Matrix::filled(0.0, n, n);
    for start in (0..x.n_cols()).step_by(FEATURE_BLOCK) {
        let end = (start + FEATURE_BLOCK).min(x.n_cols());
        let mut block = Matrix::filled(0.0, n, end - start);
        block.data_mut().par_chunks_mut(end - start).enumerate().for_each(|(i, row)| {
            for (o, &v) in row.iter_mut().zip(&x.row(i)[start..end]) {
                *o = f64::from(v) * factor[i];
            }
        });
        gram_f64_add(block.as_ref(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Matrix<f32> {
        Matrix::from_fn(
            6,
            4,
            |i, j| if i == 3 { 0.0 } else { ((i * 4 + j) as f32).cos() * 10.0_f32.powi(i as i32) },
        )
    }

    #[test]
    fn both_modes_give_the_same_cosines() {
        let x = sample();
        let whole = Dictionary::new(x.as_ref(), RowScale::Unit, MemoryMode::Gram).unwrap();
        let panels = Dictionary::new(x.as_ref(), RowScale::Unit, MemoryMode::Panels).unwrap();
        for i in 0..6 {
            assert!((whole.gram_entry(i, i) - whole.squared_norm(i)).abs() < 1e-6);
            for j in 0..6 {
                assert!((whole.gram_entry(i, j) - panels.gram_entry(i, j)).abs() < 1e-6);
                let mut r = vec![0.0; 4];
                whole.add_scaled_atom(i, 1.0, &mut r);
                assert!((whole.atom_dot(j, &r) - panels.gram_entry(i, j)).abs() < 1e-6);
            }
        }
        assert_eq!(whole.squared_norm(3), 0.0);
    }

    #[test]
    fn the_exact_gram_matrix_is_the_one_of_small_dictionaries() {
        let x = sample();
        let (a, b) = (
            Dictionary::new(x.as_ref(), RowScale::Unit, MemoryMode::Gram).unwrap(),
            Dictionary::with_exact_gram(x.as_ref(), RowScale::Unit).unwrap(),
        );
        assert_eq!((a.gram(), a.exact_gram(), a.mode()), (b.gram(), b.exact_gram(), b.mode()));
        let columns = [5, 0, 3, 2, 1];
        let panels = Dictionary::new(x.as_ref(), RowScale::Unit, MemoryMode::Panels).unwrap();
        for d in [&a, &panels] {
            let mut out = [0.0; 5];
            d.gram_entries(4, &columns, &mut out);
            for (&j, o) in columns.iter().zip(out) {
                assert!((o - a.gram_entry(4, j as usize)).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_nan_is_located() {
        let mut x = sample();
        x.row_mut(2)[1] = f32::NAN;
        let err = Dictionary::new(x.as_ref(), RowScale::Unit, MemoryMode::Gram).unwrap_err();
        assert!(err.to_string().contains("row 2, column 1"));
    }

    #[test]
    fn the_budget_decides() {
        assert_eq!(MemoryMode::for_budget(1000, 4_000_000), MemoryMode::Gram);
        assert_eq!(MemoryMode::for_budget(1001, 4_000_000), MemoryMode::Panels);
        assert_eq!(MemoryMode::for_budget(usize::MAX, usize::MAX), MemoryMode::Panels);
    }

    #[test]
    fn huge_and_tiny_activations_do_not_overflow() {
        let x = Matrix::from_fn(2, 3, |i, j| if i == 0 { 1e30 } else { 1e-30 } * (j as f32 + 1.0));
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let d = Dictionary::new(x.as_ref(), RowScale::Unit, mode).unwrap();
            assert!((d.gram_entry(0, 1) - 1.0).abs() < 1e-6);
            let mut row = [0.0; 2];
            d.gram_panel(0, 1, &mut row);
            assert!(row.iter().all(|v| (v - 1.0).abs() < 1e-6));
            d.gram_rows(&[1], &mut row);
            assert!(row.iter().all(|v| (v - 1.0).abs() < 1e-6));
        }
    }
}
