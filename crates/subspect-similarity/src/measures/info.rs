//! What a measure declares about itself.

use crate::compare::Compute;
use crate::{Operands, ParameterInfo};

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
    /// Whether the distance (of a similarity: 1 minus it) satisfies the triangle inequality, for every value of its
    /// parameters. Different operands may have distance 0: those that an invariance maps onto each other.
    pub metric: bool,
    /// Whether the order of the two operands does not matter.
    pub symmetric: bool,
    /// What may be done to either operand without changing the value, for every value of the parameters. The contract
    /// tests show that these hold and that every other applicable one does not.
    pub invariances: &'static [Invariance],
    /// Parameters with defaults and ranges.
    pub parameters: &'static [ParameterInfo],
    pub(crate) compute: Compute,
}

impl MeasureInfo {
    /// What it compares.
    pub fn operands(&self) -> Operands {
        self.compute.operands()
    }

    /// Whether it has a parameter of that name.
    pub fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|p| p.name == name)
    }
}

/// Direction of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Larger is more alike; 1 for equal operands.
    Similarity,
    /// Smaller is more alike; 0 for equal operands.
    Distance,
}

impl Kind {
    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Similarity => "similarity",
            Kind::Distance => "distance",
        }
    }
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

/// What centred, length-normalised activations are invariant to.
pub(super) const EUCLIDEAN: &[Invariance] = &[
    Invariance::JointPermutation,
    Invariance::IsotropicScaling,
    Invariance::Translation,
    Invariance::OrthogonalMap,
];

/// What subspaces are invariant to.
pub(super) const AFFINE: &[Invariance] = &Invariance::ALL;
