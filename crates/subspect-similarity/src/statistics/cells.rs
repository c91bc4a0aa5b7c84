//! Which pairs of kernels a map compares.

/// The cells of a map over kernels `0..n_kernels`: all pairs above the diagonal, or the first `split` against the
/// rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    n_kernels: usize,
    split: Option<usize>,
}

impl Cells {
    /// Every kernel with every later one.
    pub(crate) fn within(n_kernels: usize) -> Self {
        Self { n_kernels, split: None }
    }

    /// Kernels `0..split` with kernels `split..n_kernels`.
    pub(crate) fn between(split: usize, n_kernels: usize) -> Self {
        Self { n_kernels, split: Some(split) }
    }

    /// Kernels that are the first of a pair.
    pub(crate) fn rows(&self) -> std::ops::Range<usize> {
        0..self.split.unwrap_or(self.n_kernels)
    }

    /// Kernels that are the second of a pair.
    pub(crate) fn cols(&self) -> std::ops::Range<usize> {
        self.split.unwrap_or(0)..self.n_kernels
    }

    /// The partners of kernel `l`, all of them among [`Cells::cols`].
    pub(crate) fn partners(&self, l: usize) -> std::ops::Range<usize> {
        self.split.unwrap_or(l + 1)..self.n_kernels
    }

    /// All pairs, row by row.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize)> {
        self.rows().flat_map(|l| self.partners(l).map(move |m| (l, m))).collect()
    }

    /// Rows and columns of the map.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows().len(), self.cols().len())
    }

    /// Position of the pair `(l, m)` in the map, and of its mirror image where the map is symmetric.
    pub(crate) fn positions(&self, l: usize, m: usize) -> (usize, Option<usize>) {
        let n_cols = self.cols().len();
        match self.split {
            None => (l * n_cols + m, Some(m * n_cols + l)),
            Some(split) => (l * n_cols + m - split, None),
        }
    }
}
