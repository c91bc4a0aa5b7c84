//! What a measure compares: one layer, as a graph or as activations.

use subspect_linalg::{Csr, MatRef};

use crate::SimilarityError;

/// One layer of a comparison.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// Its affinity graph, inputs x inputs and symmetric.
    Graph(&'a Csr),
    /// Its activations in float32, inputs x features.
    Single(MatRef<'a, f32>),
    /// Its activations in float64.
    Double(MatRef<'a, f64>),
}

/// What kind of operand a measure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// Affinity graphs.
    Graphs,
    /// Activations, in either precision.
    Activations,
}

impl Operands {
    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Operands::Graphs => "graphs",
            Operands::Activations => "activations",
        }
    }
}

impl<'a> From<&'a Csr> for Operand<'a> {
    fn from(graph: &'a Csr) -> Self {
        Operand::Graph(graph)
    }
}

impl<'a> From<MatRef<'a, f32>> for Operand<'a> {
    fn from(x: MatRef<'a, f32>) -> Self {
        Operand::Single(x)
    }
}

impl<'a> From<MatRef<'a, f64>> for Operand<'a> {
    fn from(x: MatRef<'a, f64>) -> Self {
        Operand::Double(x)
    }
}

impl<'a> Operand<'a> {
    /// The graph, if it is one.
    pub fn graph(&self) -> Option<&'a Csr> {
        if let Operand::Graph(g) = self { Some(g) } else { None }
    }

    /// The float32 activations, if it is such.
    pub fn single(&self) -> Option<MatRef<'a, f32>> {
        if let Operand::Single(x) = self { Some(*x) } else { None }
    }

    /// Its number of inputs.
    pub fn n_inputs(&self) -> usize {
        match self {
            Operand::Graph(g) => g.n_rows(),
            Operand::Single(x) => x.n_rows(),
            Operand::Double(x) => x.n_rows(),
        }
    }

    pub(crate) fn kind(&self) -> Operands {
        match self {
            Operand::Graph(_) => Operands::Graphs,
            Operand::Single(_) | Operand::Double(_) => Operands::Activations,
        }
    }
}

/// All operands are of the wanted kind and have the same number of inputs.
pub(crate) fn check(
    measure: &'static str,
    wanted: Operands,
    layers: &[Operand<'_>],
) -> Result<(), SimilarityError> {
    for (index, layer) in layers.iter().enumerate() {
        if layer.kind() != wanted {
            let (expected, found) = (wanted.as_str(), layer.kind().as_str());
            return Err(SimilarityError::OperandKind { measure, index, expected, found });
        }
        if layer.n_inputs() != layers[0].n_inputs() {
            let (expected, found) = (layers[0].n_inputs(), layer.n_inputs());
            return Err(SimilarityError::InputCount { index, expected, found });
        }
    }
    Ok(())
}
