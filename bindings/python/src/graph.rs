//! `Graph`: an affinity graph with the coefficients that it was made from, and every question one can ask it.

use std::collections::BTreeMap;
use std::sync::Arc;

use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use subspect_graph as core;
use subspect_graph::{
    AffinityGraph, AffinityVote, Embedding, LeidenOptions, Postprocess, SpectralOptions, Subject,
};
use subspect_linalg::{Csr, Seed};

use crate::array::{CsrParts, csr_parts, indices_or_none, table};
use crate::error::Fault;
use crate::measured::{Column, column, named, scalar};
use crate::options::Labels;
use crate::solution::integers;
use crate::statistics::{checked_level, interval_dict, null_dict};
use crate::watch::{detached, watched};

/// Coefficients C (row i expresses input i) and the affinity graph A made from them.
#[pyclass(frozen, module = "subspect._core")]
pub(crate) struct Graph {
    coefficients: Csr,
    pub(crate) affinity: Arc<AffinityGraph>,
}

#[pymethods]
impl Graph {
    /// `|C| + |C|ᵀ`, after `postprocess`.
    #[staticmethod]
    fn from_coefficients(
        coefficients: CsrParts<'_>,
        postprocess: &str,
        parameters: BTreeMap<String, f64>,
    ) -> Result<Self, Fault> {
        let coefficients = coefficients.to_csr()?;
        let affinity = Postprocess::from_parameters(postprocess, &parameters)?.affinity(&coefficients)?;
        Ok(Self { coefficients, affinity: Arc::new(affinity) })
    }

    /// A matrix that is an affinity graph already; it stands for the coefficients, too.
    #[staticmethod]
    fn from_adjacency(adjacency: CsrParts<'_>) -> Result<Self, Fault> {
        let affinity = AffinityGraph::from_adjacency(adjacency.to_csr()?)?;
        Ok(Self { coefficients: affinity.adjacency().clone(), affinity: Arc::new(affinity) })
    }

    fn adjacency<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        csr_parts(py, self.affinity.adjacency())
    }

    fn coefficients<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        csr_parts(py, &self.coefficients)
    }

    #[getter]
    fn n_nodes(&self) -> usize {
        self.affinity.n_nodes()
    }

    #[getter]
    fn n_edges(&self) -> usize {
        self.affinity.n_edges()
    }

    fn degrees<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.affinity.degrees().to_vec().into_pyarray(py)
    }

    fn isolated<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        PyArray1::from_iter(py, self.affinity.isolated().into_iter().map(|i| i as i64))
    }

    fn components<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        integers(py, &core::components(&self.affinity).of_node)
    }

    fn modularity<'py>(
        &self,
        py: Python<'py>,
        labels: Labels,
        resolution: f64,
    ) -> Result<Bound<'py, PyAny>, Fault> {
        let partition = labels.partition()?;
        partition.check(&self.affinity)?;
        Ok(scalar(py, core::modularity(&self.affinity, &partition, resolution))?)
    }

    fn modularity_by_class<'py>(
        &self,
        py: Python<'py>,
        labels: Labels,
        resolution: f64,
    ) -> Result<Column<'py>, Fault> {
        let partition = labels.partition()?;
        partition.check(&self.affinity)?;
        Ok(column(py, core::modularity_by_class(&self.affinity, &partition, resolution)))
    }

    /// The modularity of permuted labels.
    fn modularity_null<'py>(
        &self,
        py: Python<'py>,
        labels: Labels,
        resolution: f64,
        n_permutations: usize,
        random_state: u64,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let partition = labels.partition()?;
        partition.check(&self.affinity)?;
        let (graph, seed) = (Arc::clone(&self.affinity), Seed::new(random_state).axis("permutations"));
        let null = watched(py, 0, None, move |_| {
            core::modularity_null(&graph, &partition, resolution, n_permutations, seed)
        })?;
        Ok(null_dict(py, &null)?)
    }

    /// Every measure of the list by name.
    #[pyo3(signature = (labels, predictions, resolution))]
    fn measures<'py>(
        &self,
        py: Python<'py>,
        labels: Option<Labels>,
        predictions: Option<Vec<u32>>,
        resolution: f64,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let partition = labels.map(Labels::partition).transpose()?;
        let found = detached(py, || {
            core::measure_all(&Subject {
                predictions: predictions.as_deref(),
                resolution,
                ..Subject::new(&self.coefficients, &self.affinity, partition.as_ref())
            })
        })??;
        Ok(named(py, &found)?)
    }

    fn class_affinity<'py>(
        &self,
        py: Python<'py>,
        labels: Labels,
    ) -> Result<Bound<'py, PyArray2<f64>>, Fault> {
        let partition = labels.partition()?;
        partition.check(&self.affinity)?;
        Ok(table(py, &core::class_affinity(&self.affinity, &partition))?)
    }

    /// Vote of every node (-1: nobody votes) and the class affinities behind it.
    fn votes<'py>(&self, py: Python<'py>, labels: Labels) -> Result<Votes<'py>, Fault> {
        let partition = labels.partition()?;
        partition.check(&self.affinity)?;
        let votes: Vec<AffinityVote> =
            (0..self.n_nodes()).map(|i| AffinityVote::of_node(&self.affinity, &partition, i)).collect();
        Ok(split(py, votes)?)
    }

    /// `(inputs, affinities, coefficients, reverse coefficients)` of the strongest neighbours of node `i`.
    fn neighbours<'py>(
        &self,
        py: Python<'py>,
        i: usize,
        n_neighbors: usize,
    ) -> Result<Neighbours<'py>, Fault> {
        let found = core::neighbourhood(&self.affinity, &self.coefficients, i, n_neighbors)?.neighbours;
        Ok((
            PyArray1::from_iter(py, found.iter().map(|n| n.input as i64)),
            PyArray1::from_iter(py, found.iter().map(|n| n.affinity)),
            PyArray1::from_iter(py, found.iter().map(|n| n.coefficient)),
            PyArray1::from_iter(py, found.iter().map(|n| n.reverse_coefficient)),
        ))
    }

    /// Bounds of the modularity under resampled inputs.
    fn modularity_interval<'py>(
        &self,
        py: Python<'py>,
        labels: Labels,
        resolution: f64,
        n_resamples: usize,
        level: f64,
        random_state: u64,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let partition = labels.partition()?;
        partition.check(&self.affinity)?;
        let (graph, options) = (Arc::clone(&self.affinity), intervals(n_resamples, level, random_state)?);
        let found = watched(py, 0, None, move |_| {
            core::modularity_interval(&graph, &partition, resolution, &options)
        })?;
        Ok(interval_dict(py, &found)?)
    }

    /// How much larger the modularity is than another graph's over the same inputs.
    #[expect(clippy::too_many_arguments, reason = "the Python side passes everything by name")]
    fn modularity_difference<'py>(
        &self,
        py: Python<'py>,
        other: &Graph,
        labels: Labels,
        resolution: f64,
        n_resamples: usize,
        level: f64,
        random_state: u64,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let partition = labels.partition()?;
        let graphs = [Arc::clone(&self.affinity), Arc::clone(&other.affinity)];
        let options = intervals(n_resamples, level, random_state)?;
        let found = watched(py, 0, None, move |_| {
            core::modularity_difference(&graphs[0], &graphs[1], &partition, resolution, &options)
        })??;
        let out = interval_dict(py, &found.interval)?;
        out.set_item("value", scalar(py, found.value)?)?;
        out.set_item("p", scalar(py, found.p)?)?;
        Ok(out)
    }

    /// Communities by the Leiden algorithm.
    #[expect(clippy::too_many_arguments, reason = "the Python side passes everything by name")]
    fn leiden<'py>(
        &self,
        py: Python<'py>,
        quality: &str,
        resolution: Option<f64>,
        theta: f64,
        n_iterations: usize,
        n_seeds: usize,
        random_state: u64,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let quality = core::QualityFunction::from_name(quality)?;
        let resolution = resolution.unwrap_or_else(|| quality.default_resolution(&self.affinity));
        let options = LeidenOptions { quality, resolution, theta, n_iterations, n_seeds };
        let (graph, seed) = (Arc::clone(&self.affinity), Seed::new(random_state).axis("cluster"));
        let found = watched(py, 0, None, move |_| core::leiden(&graph, &options, seed))??;
        let out = PyDict::new(py);
        out.set_item("labels", integers(py, found.partition.classes()))?;
        out.set_item("n_clusters", found.partition.n_classes())?;
        out.set_item("quality", scalar(py, found.quality)?)?;
        out.set_item("resolution", resolution)?;
        out.set_item("n_iterations", found.n_iterations)?;
        out.set_item("qualities", column(py, found.runs.iter().map(|r| r.quality)))?;
        out.set_item("status", found.status.as_str())?;
        Ok(out)
    }

    /// Spectral clustering into `n_clusters`.
    fn spectral<'py>(
        &self,
        py: Python<'py>,
        n_clusters: usize,
        embedding: &str,
        min_component: usize,
        n_init: usize,
        random_state: u64,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let mut options = SpectralOptions { min_component, ..Default::default() };
        options.embedding = Embedding::from_name(embedding)?;
        options.kmeans.n_init = n_init;
        let (graph, seed) = (Arc::clone(&self.affinity), Seed::new(random_state).axis("cluster"));
        let found =
            watched(py, 0, None, move |_| core::spectral_clustering(&graph, n_clusters, &options, seed))??;
        let out = PyDict::new(py);
        out.set_item("labels", integers(py, &found.labels))?;
        out.set_item("n_clusters", found.n_clusters)?;
        out.set_item("eigenvalues", found.eigenvalues.clone().into_pyarray(py))?;
        out.set_item("n_converged", found.n_converged)?;
        out.set_item("n_components", found.n_components)?;
        out.set_item("n_unplaced", found.n_unplaced)?;
        out.set_item("inertia", scalar(py, found.inertia)?)?;
        out.set_item("status", found.status.as_str())?;
        Ok(out)
    }
}

fn intervals(n_resamples: usize, level: f64, random_state: u64) -> Result<core::IntervalOptions, Fault> {
    let seed = Seed::new(random_state).axis("interval");
    Ok(core::IntervalOptions { n_resamples, level: checked_level(level)?, seed })
}

type Neighbours<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

type Votes<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray2<f64>>);

fn split<'py>(py: Python<'py>, votes: Vec<AffinityVote>) -> PyResult<Votes<'py>> {
    let chosen: Vec<Option<u32>> = votes.iter().map(|v| v.vote).collect();
    let affinities: Vec<Vec<f64>> = votes.into_iter().map(|v| v.class_affinity).collect();
    Ok((indices_or_none(py, &chosen), table(py, &affinities)?))
}

/// Votes for inputs outside a graph: `coefficients` (`Q x N`) express them over its nodes.
#[pyfunction]
pub(crate) fn vote_outside<'py>(
    py: Python<'py>,
    coefficients: CsrParts<'py>,
    labels: Labels,
) -> Result<Votes<'py>, Fault> {
    let (coefficients, partition) = (coefficients.to_csr()?, labels.partition()?);
    let mut votes = Vec::with_capacity(coefficients.n_rows());
    for i in 0..coefficients.n_rows() {
        let (nodes, values) = coefficients.row(i);
        votes.push(AffinityVote::of_outside(nodes, values, &partition)?);
    }
    Ok(split(py, votes)?)
}
