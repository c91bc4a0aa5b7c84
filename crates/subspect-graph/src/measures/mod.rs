//! The list of graph measures. A new measure is one file here plus its line in [`MEASURES`]; the command line's
//! help, the tables and the contract tests walk the list.

pub(crate) mod agreement;
pub(crate) mod assortativity;
pub(crate) mod class_affinity;
mod communities;
pub(crate) mod conductance;
pub(crate) mod connectivity;
mod degrees;
pub(crate) mod modularity;
mod pieces;
pub(crate) mod preservation;
pub(crate) mod sparsity;
mod workings;

use std::collections::BTreeMap;

use subspect_linalg::{Csr, Measured, Status};

use crate::measures::workings::Workings;
use crate::partition::check_length;
use crate::{AffinityGraph, GraphError, Partition};

/// Every measure that [`measure_all`] evaluates, in the order in which tables show them.
pub static MEASURES: &[&MeasureInfo] = &[
    &modularity::MODULARITY,
    &modularity::CEILING,
    &modularity::FLOOR,
    &class_affinity::SAME_CLASS_MASS,
    &assortativity::HOMOPHILY,
    &assortativity::LABELS,
    &conductance::MEAN,
    &conductance::MAX,
    &connectivity::MIN,
    &connectivity::MEAN,
    &preservation::SRE,
    &preservation::ONE_CLASS_ROWS,
    &agreement::ACCURACY,
    &agreement::AGREEMENT,
    &communities::COUNT,
    &communities::LARGEST,
    &communities::MODULARITY,
    &communities::STABILITY,
    &communities::NMI,
    &communities::AMI,
    &communities::ARI,
    &communities::VI,
    &communities::ACCURACY,
    &sparsity::NNZ_PER_ROW,
    &preservation::EMPTY_ROWS,
    &sparsity::DENSITY,
    &sparsity::MEAN_NEIGHBORS,
    &sparsity::MAX_NEIGHBORS,
    &sparsity::MEAN_DEGREE,
    &sparsity::MAX_DEGREE,
    &degrees::CV,
    &degrees::GINI,
    &degrees::HUB_SHARE,
    &assortativity::DEGREES,
    &sparsity::ISOLATED,
    &pieces::COMPONENTS,
    &pieces::LARGEST,
];

/// One measure: what it is called, what it says, where it comes from, and how it is computed.
#[derive(Debug)]
pub struct MeasureInfo {
    /// Name in every output.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Where it was defined.
    pub reference: &'static str,
    /// The values it can take, in words.
    pub range: &'static str,
    /// Parameters with their defaults.
    pub parameters: &'static [ParameterInfo],
    compute: fn(&Workings<'_>) -> Measured,
}

/// One parameter of a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterInfo {
    /// Name in every interface.
    pub name: &'static str,
    /// Value when not given.
    pub default: f64,
    /// Values it may take, in words.
    pub range: &'static str,
    /// One line for people.
    pub summary: &'static str,
}

/// The resolution gamma of modularity.
pub const RESOLUTION: ParameterInfo = ParameterInfo {
    name: "resolution",
    default: 1.0,
    range: "0 and up",
    summary: "weight of the expected mass; larger values favour smaller communities",
};

/// What is measured: one layer's coefficients and graph, and what is known about its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// C, row i expresses input i.
    pub coefficients: &'a Csr,
    /// `|C| + |C|ᵀ`.
    pub graph: &'a AffinityGraph,
    /// The labels, if known.
    pub partition: Option<&'a Partition>,
    /// The network's own class for every input, if known.
    pub predictions: Option<&'a [u32]>,
    /// [`RESOLUTION`] of the modularity.
    pub resolution: f64,
}

impl<'a> Subject<'a> {
    /// A layer with labels, without predictions, at the default resolution.
    pub fn new(coefficients: &'a Csr, graph: &'a AffinityGraph, partition: Option<&'a Partition>) -> Self {
        Self { coefficients, graph, partition, predictions: None, resolution: RESOLUTION.default }
    }

    /// Whether all parts are for the same inputs.
    ///
    /// # Errors
    /// [`GraphError::Length`] naming the part that is not.
    pub fn check(&self) -> Result<(), GraphError> {
        let n = self.graph.n_nodes();
        check_length("coefficient rows", n, self.coefficients.n_rows())?;
        check_length("coefficient columns", n, self.coefficients.n_cols())?;
        if let Some(partition) = self.partition {
            partition.check(self.graph)?;
        }
        if let Some(predictions) = self.predictions {
            check_length("predictions", n, predictions.len())?;
        }
        Ok(())
    }

    /// `f(partition)`, or [`Status::NoLabels`].
    fn with_partition(&self, f: impl FnOnce(&Partition) -> Measured) -> Measured {
        self.partition.map_or(Status::NoLabels.into(), f)
    }
}

impl MeasureInfo {
    /// The measure of `subject`.
    ///
    /// # Errors
    /// [`GraphError::Length`] when the parts of `subject` are for different numbers of inputs.
    pub fn measure(&self, subject: &Subject<'_>) -> Result<Measured, GraphError> {
        subject.check()?;
        Ok((self.compute)(&Workings::new(*subject)))
    }
}

/// Every measure of [`MEASURES`] by name.
///
/// # Errors
/// [`GraphError::Length`] when the parts of `subject` are for different numbers of inputs.
pub fn measure_all(subject: &Subject<'_>) -> Result<BTreeMap<String, Measured>, GraphError> {
    subject.check()?;
    let workings = Workings::new(*subject);
    Ok(MEASURES.iter().map(|m| (m.name.to_owned(), (m.compute)(&workings))).collect())
}
