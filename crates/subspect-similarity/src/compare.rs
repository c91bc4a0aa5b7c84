//! One entry for every measure: a pair, a square map of layers, or the layers of one network by those of another.

use subspect_linalg::{Csr, MatRef, Measured, Status};

use crate::operand::{Operand, Operands, check};
use crate::pairs::{Grid, Task};
use crate::rows::Activations;
use crate::{MeasureInfo, Monitor, Parameters, Silent, SimilarityError};

/// How a measure of the list evaluates the wanted pairs of its layers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compute {
    /// From affinity graphs.
    Graphs(fn(&[&Csr], &Task<'_>) -> Result<Grid, SimilarityError>),
    /// From activations.
    Activations(fn(&[Activations<'_>], &Task<'_>) -> Result<Grid, SimilarityError>),
}

impl Compute {
    pub(crate) fn operands(self) -> Operands {
        match self {
            Compute::Graphs(_) => Operands::Graphs,
            Compute::Activations(_) => Operands::Activations,
        }
    }
}

/// Layers by layers.
#[derive(Clone, Debug, PartialEq)]
pub struct SimilarityMatrix {
    /// Inputs that all layers have.
    pub n_inputs: usize,
    /// Layers along the rows.
    pub n_rows: usize,
    /// Layers along the columns.
    pub n_cols: usize,
    /// Row after row, `n_rows x n_cols`.
    pub values: Vec<Measured>,
}

impl SimilarityMatrix {
    /// The value of row layer `i` and column layer `j`.
    pub fn get(&self, i: usize, j: usize) -> Measured {
        self.values[i * self.n_cols + j]
    }

    /// Row after row.
    pub fn to_rows(&self) -> Vec<Vec<Measured>> {
        (0..self.n_rows).map(|i| (0..self.n_cols).map(|j| self.get(i, j)).collect()).collect()
    }
}

/// The value of `measure` for two layers, both kept in memory as the measure needs them.
///
/// # Errors
/// Operands of the wrong kind, with different inputs, or with a value that is not finite; graphs that are not
/// symmetric.
pub fn compare(
    measure: &MeasureInfo,
    parameters: &Parameters,
    a: Operand<'_>,
    b: Operand<'_>,
) -> Result<Measured, SimilarityError> {
    Ok(cross_similarity(measure, parameters, &[a], &[b], usize::MAX, &Silent)?.get(0, 0))
}

/// The value of `measure` for all pairs of `layers`. What a layer is compared by is made once per layer while that of
/// all layers fits into `budget_bytes`, else once per pair of groups of layers.
///
/// # Errors
/// As [`compare`]; when not even two layers fit into the budget; when the monitor asks to stop.
pub fn similarity_matrix(
    measure: &MeasureInfo,
    parameters: &Parameters,
    layers: &[Operand<'_>],
    budget_bytes: usize,
    monitor: &dyn Monitor,
) -> Result<SimilarityMatrix, SimilarityError> {
    let n = layers.len();
    let grid =
        evaluate(measure, layers, &Task { parameters, square: true, n_rows: n, budget_bytes, monitor })?;
    Ok(block(&grid, layers, (0, n), (0, n)))
}

/// The value of `measure` for every layer of `rows` with every layer of `columns`, as [`similarity_matrix`].
///
/// # Errors
/// As [`similarity_matrix`].
pub fn cross_similarity(
    measure: &MeasureInfo,
    parameters: &Parameters,
    rows: &[Operand<'_>],
    columns: &[Operand<'_>],
    budget_bytes: usize,
    monitor: &dyn Monitor,
) -> Result<SimilarityMatrix, SimilarityError> {
    let layers = [rows, columns].concat();
    let n_rows = rows.len();
    let grid =
        evaluate(measure, &layers, &Task { parameters, square: false, n_rows, budget_bytes, monitor })?;
    Ok(block(&grid, &layers, (0, n_rows), (n_rows, layers.len())))
}

fn evaluate(measure: &MeasureInfo, layers: &[Operand<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    check(measure.name, measure.operands(), layers)?;
    match measure.compute {
        Compute::Graphs(f) => {
            let graphs: Vec<&Csr> = layers.iter().filter_map(Operand::graph).collect();
            f(&graphs, task)
        }
        Compute::Activations(f) => {
            let activations: Vec<Activations<'_>> = layers.iter().filter_map(Activations::of).collect();
            for (index, x) in activations.iter().enumerate() {
                x.check_finite(index)?;
            }
            f(&activations, task)
        }
    }
}

fn block(
    grid: &Grid,
    layers: &[Operand<'_>],
    rows: (usize, usize),
    columns: (usize, usize),
) -> SimilarityMatrix {
    let pairs = (rows.0..rows.1).flat_map(|i| (columns.0..columns.1).map(move |j| (i, j)));
    SimilarityMatrix {
        n_inputs: layers.first().map_or(0, Operand::n_inputs),
        n_rows: rows.1 - rows.0,
        n_cols: columns.1 - columns.0,
        values: pairs.map(|(i, j)| grid.get(i, j).unwrap_or(Status::NotExecuted.into())).collect(),
    }
}

/// The activations of all layers as float32, or `None` when one of them is float64.
pub(crate) fn all_single<'a>(layers: &[Activations<'a>]) -> Option<Vec<MatRef<'a, f32>>> {
    layers.iter().map(|x| if let Activations::Single(m) = x { Some(*m) } else { None }).collect()
}
