//! The list of similarity measures. A new measure is one file here plus its line in [`MEASURES`]; the command
//! line's help, the tables and the contract tests walk the list.

mod linear_cka;
mod ssc_cka;

use subspect_linalg::{Csr, MatRef, Measured};

use crate::{Estimator, SimilarityError};

/// Every measure, in the order in which tables show them.
pub static MEASURES: &[&MeasureInfo] = &[&ssc_cka::SSC_CKA, &linear_cka::LINEAR_CKA];

/// One measure: what it is called, what it says, and what leaves it unchanged.
#[derive(Debug)]
pub struct MeasureInfo {
    /// Name in every output.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Where it was defined.
    pub reference: &'static str,
    /// Whether larger means more alike.
    pub kind: Kind,
    /// The values it can take, in words.
    pub range: &'static str,
    /// What may be done to either operand without changing the value. The contract tests show that these hold and
    /// that every other applicable one does not.
    pub invariances: &'static [Invariance],
    /// How two operands are compared.
    pub compare: Compare,
}

/// Direction of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Larger is more alike; 1 for equal operands.
    Similarity,
    /// Smaller is more alike; 0 for equal operands.
    Distance,
}

/// A change of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariance {
    /// The same reordering of the inputs in both operands.
    JointPermutation,
    /// Multiplication of one operand by a positive number.
    IsotropicScaling,
    /// The same vector added to every input's activations.
    Translation,
    /// A rotation or reflection of the features.
    OrthogonalMap,
    /// Any invertible linear map of the features.
    InvertibleMap,
}

impl Invariance {
    /// All of them.
    pub const ALL: [Invariance; 5] = [
        Invariance::JointPermutation,
        Invariance::IsotropicScaling,
        Invariance::Translation,
        Invariance::OrthogonalMap,
        Invariance::InvertibleMap,
    ];

    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Invariance::JointPermutation => "joint_permutation",
            Invariance::IsotropicScaling => "isotropic_scaling",
            Invariance::Translation => "translation",
            Invariance::OrthogonalMap => "orthogonal_map",
            Invariance::InvertibleMap => "invertible_map",
        }
    }

    /// Whether it can be applied to a graph; the others change features, which a graph does not have.
    pub fn applies_to_graphs(self) -> bool {
        matches!(self, Invariance::JointPermutation | Invariance::IsotropicScaling)
    }
}

/// A comparison of two affinity graphs.
pub type CompareGraphs = fn(&Csr, &Csr, Estimator) -> Result<Measured, SimilarityError>;

/// A comparison of two activation matrices, rows being the same inputs.
pub type CompareActivations =
    fn(MatRef<'_, f64>, MatRef<'_, f64>, Estimator) -> Result<Measured, SimilarityError>;

/// What a measure compares, and the function that does.
#[derive(Clone, Copy, Debug)]
pub enum Compare {
    /// Symmetric affinity graphs.
    Graphs(CompareGraphs),
    /// Activations, inputs x features.
    Activations(CompareActivations),
}
