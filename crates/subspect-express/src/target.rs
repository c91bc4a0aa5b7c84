//! What a row expresses: an atom (by the others), or another input (by all atoms).
//!
//! Out of sample there is no excluded atom, and inner products come from the activations instead of the Gram matrix;
//! everything else about a row is the same, so solvers see a [`Target`] and do not ask which kind it is.

use std::cell::RefCell;
use std::ops::Range;

use subspect_linalg::{Dictionary, Queries};

use crate::ExpressError;

/// The inputs that a solve expresses.
#[derive(Clone, Copy)]
pub(crate) enum Targets<'t> {
    /// Every atom, by the others.
    Atoms,
    /// These atoms, each by all others.
    Some(&'t [u32]),
    /// The atoms from the first to before the second, each by all others.
    Range(usize, usize),
    /// Other inputs, by all atoms.
    Others(&'t Queries<'t>),
}

impl<'t> Targets<'t> {
    /// These atoms.
    pub(crate) fn some(dictionary: &Dictionary<'_>, atoms: &'t [u32]) -> Result<Self, ExpressError> {
        let n = dictionary.n_atoms();
        match atoms.iter().find(|&&i| i as usize >= n) {
            None => Ok(Targets::Some(atoms)),
            Some(&i) => Err(ExpressError::Range {
                what: "an input to express",
                expected: format!("below {n}, the number of inputs"),
                found: f64::from(i),
            }),
        }
    }

    /// Number of rows of the result.
    pub(crate) fn len(&self, dictionary: &Dictionary<'_>) -> usize {
        match self {
            Targets::Atoms => dictionary.n_atoms(),
            Targets::Some(atoms) => atoms.len(),
            Targets::Range(first, last) => last - first,
            Targets::Others(queries) => queries.len(),
        }
    }

    /// The targets of a panel of rows, and their correlations with all atoms into `out` (`rows x N`).
    pub(crate) fn panel<'d, 'a>(
        &self,
        dictionary: &'d Dictionary<'a>,
        rows: Range<usize>,
        out: &mut Vec<f32>,
    ) -> Vec<Target<'d, 'a, 't>> {
        let n = dictionary.n_atoms();
        out.clear();
        out.resize(rows.len() * n, 0.0);
        match self {
            Targets::Atoms => dictionary.gram_panel(rows.start, rows.end, out),
            Targets::Some(atoms) => dictionary.gram_rows(&atoms[rows.clone()], out),
            Targets::Range(first, _) => dictionary.gram_panel(first + rows.start, first + rows.end, out),
            Targets::Others(queries) => dictionary.query_panel(queries, rows.start, rows.end, out),
        }
        let keep = matches!(self, Targets::Others(_)) && dictionary.gram().is_some();
        rows.enumerate()
            .map(|(k, row)| {
                let start = if keep { out[k * n..(k + 1) * n].to_vec() } else { Vec::new() };
                match *self {
                    // From here on there is no difference: an atom, by all others.
                    Targets::Some(atoms) => {
                        Target::new(dictionary, Targets::Atoms, atoms[row] as usize, start)
                    }
                    Targets::Range(first, _) => Target::new(dictionary, Targets::Atoms, first + row, start),
                    targets => Target::new(dictionary, targets, row, start),
                }
            })
            .collect()
    }
}

/// One row's input.
pub(crate) struct Target<'d, 'a, 't> {
    pub(crate) dictionary: &'d Dictionary<'a>,
    targets: Targets<'t>,
    row: usize,
    /// Correlations with all atoms, where no Gram row holds them.
    start: Vec<f32>,
    /// Float64 products with atoms so far, NaN where not yet asked for: with the float64 Gram matrix they are asked for
    /// again and again. Empty until the first.
    products: RefCell<Vec<f64>>,
}

impl<'d, 'a, 't> Target<'d, 'a, 't> {
    fn new(dictionary: &'d Dictionary<'a>, targets: Targets<'t>, row: usize, start: Vec<f32>) -> Self {
        Self { dictionary, targets, row, start, products: RefCell::default() }
    }

    /// `q̂ · x̂_j` of a query in float64.
    fn query_product(&self, queries: &Queries<'_>, j: usize) -> f64 {
        if self.dictionary.exact_gram().is_none() {
            return queries.atom_dot(self.row, self.dictionary, j);
        }
        let mut products = self.products.borrow_mut();
        if products.is_empty() {
            products.resize(self.dictionary.n_atoms(), f64::NAN);
        }
        if products[j].is_nan() {
            products[j] = queries.atom_dot(self.row, self.dictionary, j);
        }
        products[j]
    }
}

impl Target<'_, '_, '_> {
    /// The atom that must not be used.
    pub(crate) fn excluded(&self) -> Option<usize> {
        match self.targets {
            Targets::Others(_) => None,
            _ => Some(self.row),
        }
    }

    /// `||x̂||²`.
    pub(crate) fn squared_norm(&self) -> f64 {
        match self.targets {
            Targets::Others(queries) => queries.squared_norm(self.row),
            _ => self.dictionary.squared_norm(self.row),
        }
    }

    /// `x̂ · x̂_j` in the best precision at hand.
    pub(crate) fn atom_entry(&self, j: usize) -> f64 {
        match self.targets {
            Targets::Others(queries) => self.query_product(queries, j),
            _ => self.dictionary.gram_entry(self.row, j),
        }
    }

    /// `x̂ · x̂_j` in float64.
    pub(crate) fn exact_atom_entry(&self, j: usize) -> f64 {
        match self.targets {
            Targets::Others(queries) => self.query_product(queries, j),
            _ => self.dictionary.exact_gram_entry(self.row, j),
        }
    }

    /// `r += weight x̂`.
    pub(crate) fn add_scaled(&self, weight: f64, r: &mut [f64]) {
        match self.targets {
            Targets::Others(queries) => queries.add_scaled(self.row, weight, r),
            _ => self.dictionary.add_scaled_atom(self.row, weight, r),
        }
    }

    /// Correlations with all atoms in float32, where the Gram matrix is kept.
    pub(crate) fn start(&self) -> &[f32] {
        match (self.targets, self.dictionary.gram()) {
            (Targets::Atoms, Some(gram)) => gram.row(self.row),
            _ => &self.start,
        }
    }

    /// A bound on the error of one float32 product with an atom, relative to the lengths of both.
    pub(crate) fn product_error(&self) -> f64 {
        match self.targets {
            Targets::Others(_) => self.dictionary.query_error(),
            _ => self.dictionary.product_error(),
        }
    }

    /// Takes the excluded atom out of a row of correlations.
    pub(crate) fn mask(&self, correlations: &mut [f32]) {
        if let Some(i) = self.excluded() {
            correlations[i] = 0.0;
        }
    }
}

/// Length of the longest atom or target: the scale of every error bound.
pub(crate) fn longest(dictionary: &Dictionary<'_>, targets: Targets<'_>) -> f64 {
    let atoms = (0..dictionary.n_atoms()).map(|j| dictionary.squared_norm(j)).fold(0.0, f64::max);
    let others = match targets {
        Targets::Atoms | Targets::Some(_) | Targets::Range(..) => 0.0,
        Targets::Others(queries) => (0..queries.len()).map(|i| queries.squared_norm(i)).fold(0.0, f64::max),
    };
    atoms.max(others).sqrt()
}
