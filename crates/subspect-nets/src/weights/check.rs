//! Whether weights are those of an architecture, and if not, what differs and which architecture they fit.

use std::fmt;

use super::{Tensor, Weights};
use crate::NetsError;
use crate::architecture::{ARCHITECTURES, Architecture, ArchitectureOptions, architecture};

/// The first thing in which weights and architecture differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsProblem {
    /// A tensor that the architecture needs is not there.
    Missing {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many are missing in all.
        count: usize,
        /// The name among the others that is written most alike.
        nearest: Option<String>,
    },
    /// A tensor has another shape.
    Shape {
        /// Its name.
        name: String,
        /// The architecture's shape.
        expected: Vec<usize>,
        /// The weights' shape.
        found: Vec<usize>,
    },
    /// A tensor that the architecture does not have.
    Unexpected {
        /// Its name.
        name: String,
        /// How many there are in all.
        count: usize,
    },
}

impl fmt::Display for WeightsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, shape, count, nearest } => {
                write!(f, "expected a tensor {name} of shape {shape:?}, found none")?;
                if let Some(nearest) = nearest {
                    write!(f, " (there is {nearest})")?;
                }
                if *count > 1 {
                    write!(f, "; {count} tensors are missing in all")?;
                }
                Ok(())
            }
            Self::Shape { name, expected, found } => {
                write!(f, "tensor {name}: expected shape {expected:?}, found {found:?}")
            }
            Self::Unexpected { name, count: 1 } => write!(f, "found a tensor {name} that it does not have"),
            Self::Unexpected { name, count } => {
                write!(f, "found {count} tensors that it does not have, {name} the first of them")
            }
        }
    }
}

impl Weights {
    /// Checks names and shapes against an architecture.
    ///
    /// # Errors
    /// [`NetsError::Weights`] with the first difference, and the architectures that the weights would fit.
    pub fn check(&self, architecture: &Architecture) -> Result<(), NetsError> {
        let Some(problem) = self.problem(architecture) else { return Ok(()) };
        let (architecture, problem) = (architecture.name.clone(), Box::new(problem));
        Err(NetsError::Weights { architecture, problem, fits: self.fitting() })
    }

    fn problem(&self, architecture: &Architecture) -> Option<WeightsProblem> {
        let parameters = architecture.parameters();
        let unexpected: Vec<&str> = {
            let known: std::collections::BTreeSet<&str> =
                parameters.iter().map(|p| p.name.as_str()).collect();
            self.tensors.keys().map(String::as_str).filter(|name| !known.contains(name)).collect()
        };
        let missing: Vec<_> = parameters.iter().filter(|p| !self.tensors.contains_key(&p.name)).collect();
        if let Some(first) = missing.first() {
            let nearest = crate::select::most_alike(&first.name, unexpected.iter().copied(), 1).pop();
            return Some(WeightsProblem::Missing {
                name: first.name.clone(),
                shape: first.shape.clone(),
                count: missing.len(),
                nearest,
            });
        }
        let other =
            parameters.iter().find_map(|p| Some((p, self.get(&p.name)?)).filter(|(p, t)| p.shape != t.shape));
        if let Some((parameter, tensor)) = other {
            return Some(WeightsProblem::Shape {
                name: parameter.name.clone(),
                expected: parameter.shape.clone(),
                found: tensor.shape.clone(),
            });
        }
        let first = unexpected.first()?;
        Some(WeightsProblem::Unexpected { name: (*first).to_owned(), count: unexpected.len() })
    }

    /// The architectures of the list, in words, whose tensors these weights are.
    #[must_use]
    pub fn fitting(&self) -> Vec<String> {
        let Some(options) = self.options() else { return Vec::new() };
        let members = ARCHITECTURES.iter().flat_map(|f| f.members.iter().copied());
        members
            .filter(|name| {
                let found = architecture(name, &options);
                found.is_ok_and(|a| self.clone_shapes().spelled_for(&a).problem(&a).is_none())
            })
            .map(str::to_owned)
            .collect()
    }

    /// Classes and channels that the weights tell, the picture 32 x 32.
    #[must_use]
    pub fn options(&self) -> Option<ArchitectureOptions> {
        let default = ArchitectureOptions::default();
        let of_rank = |rank: usize| self.tensors.iter().filter(move |(_, t)| t.shape.len() == rank);
        // Class scores come from the last matrix product, and heads sort behind stages in every spelling.
        let n_classes = of_rank(2).next_back().map(|(_, t)| t.shape[0])?;
        let mut input = default.input;
        input.channels = self.channels().unwrap_or(input.channels);
        Some(ArchitectureOptions { n_classes, input, ..default })
    }

    /// Channels of the picture, when the first operator is a convolution: no later one takes fewer.
    pub(crate) fn channels(&self) -> Option<usize> {
        self.tensors.values().filter(|t| t.shape.len() == 4).map(|t| t.shape[1]).min()
    }

    /// Names and shapes without the values.
    fn clone_shapes(&self) -> Self {
        let shape_only = |t: &Tensor| Tensor { shape: t.shape.clone(), values: Vec::new() };
        Self { tensors: self.tensors.iter().map(|(n, t)| (n.clone(), shape_only(t))).collect() }
    }
}
