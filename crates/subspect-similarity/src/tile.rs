//! A tile of 256 x 256 inputs of every layer's Gram matrix, and what it adds to the sums.

use subspect_linalg::{MatRef, dot_f32_in_f64, product_abt};

/// Side of a tile: small enough to share out, large enough for the product's full rate.
pub(crate) const TILE: usize = 256;

/// Entries of a tile that are compared at once: the pieces of thirty layers stay in the second-level cache.
const PIECE: usize = 2048;

/// Rows x columns of every layer's Gram matrix.
pub(crate) struct Tile {
    pub(crate) rows: (usize, usize),
    pub(crate) cols: (usize, usize),
    /// `L x rows x cols`.
    grams: Vec<f32>,
}

/// The tiles of a block, on and above the diagonal.
pub(crate) fn tiles(rows: (usize, usize), cols: (usize, usize), n_layers: usize) -> Vec<Tile> {
    let cut =
        |(start, end): (usize, usize)| (start..end).step_by(TILE).map(move |at| (at, (at + TILE).min(end)));
    cut(rows)
        .flat_map(|r| cut(cols).filter(move |c| c.0 >= r.0).map(move |c| (r, c)))
        .map(|(rows, cols)| {
            let size = (rows.1 - rows.0) * (cols.1 - cols.0);
            Tile { rows, cols, grams: vec![0.0; n_layers * size] }
        })
        .collect()
}

/// What one tile adds to the sums.
pub(crate) struct Folded {
    /// `L x L`, `l <= m`, both triangles of the Gram matrix counted.
    pub(crate) inner: Vec<f64>,
    /// `L x rows`.
    pub(crate) row_sums: Vec<f64>,
    /// `L x cols`, empty on the diagonal.
    pub(crate) col_sums: Vec<f64>,
}

impl Tile {
    fn size(&self) -> usize {
        (self.rows.1 - self.rows.0) * (self.cols.1 - self.cols.0)
    }

    pub(crate) fn is_diagonal(&self) -> bool {
        self.rows == self.cols
    }

    pub(crate) fn gram(&self, l: usize) -> &[f32] {
        &self.grams[l * self.size()..(l + 1) * self.size()]
    }

    /// Adds `ours theirsᵀ` to layer `l`.
    pub(crate) fn accumulate(
        &mut self,
        l: usize,
        ours: MatRef<'_, f32>,
        theirs: MatRef<'_, f32>,
        first: bool,
    ) {
        let size = self.size();
        let gram = &mut self.grams[l * size..(l + 1) * size];
        if first {
            product_abt(ours, theirs, gram);
        } else {
            let mut part = vec![0.0; size];
            product_abt(ours, theirs, &mut part);
            gram.iter_mut().zip(&part).for_each(|(sum, v)| *sum += v);
        }
    }

    pub(crate) fn fold(&self, n_layers: usize) -> Folded {
        let mut inner = vec![0.0; n_layers * n_layers];
        for start in (0..self.size()).step_by(PIECE) {
            let piece = start..(start + PIECE).min(self.size());
            for l in 0..n_layers {
                for m in l..n_layers {
                    let (a, b) = (&self.gram(l)[piece.clone()], &self.gram(m)[piece.clone()]);
                    inner[l * n_layers + m] += dot_f32_in_f64(a, b);
                }
            }
        }
        let width = self.cols.1 - self.cols.0;
        let mut row_sums = Vec::with_capacity(n_layers * (self.rows.1 - self.rows.0));
        let mut col_sums = Vec::new();
        for l in 0..n_layers {
            let rows = self.gram(l).chunks_exact(width);
            row_sums.extend(rows.clone().map(|row| row.iter().map(|&v| f64::from(v)).sum::<f64>()));
            if !self.is_diagonal() {
                let mut sums = vec![0.0; width];
                rows.for_each(|row| sums.iter_mut().zip(row).for_each(|(s, &v)| *s += f64::from(v)));
                col_sums.append(&mut sums);
            }
        }
        if !self.is_diagonal() {
            inner.iter_mut().for_each(|v| *v *= 2.0);
        }
        Folded { inner, row_sums, col_sums }
    }
}
