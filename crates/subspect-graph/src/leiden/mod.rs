//! Communities of an affinity graph by the Leiden algorithm (Traag, Waltman & van Eck, Scientific Reports 9, 2019).
//!
//! A search repeats three steps: nodes move to better communities ([`moving`]), communities are refined into
//! well-connected parts ([`refinement`]), parts become the nodes of a coarser graph ([`network`]); see [`search`].
//! Every community is connected. Searches from several seeds run in parallel and the best is kept; what they
//! disagree about is told by [`crate::stability`].
//!
//! Isolated inputs are communities of their own.

mod moving;
mod network;
mod quality;
pub(crate) mod random;
mod refinement;
mod search;

use rayon::prelude::*;
use subspect_linalg::{Measured, Seed, Status};

pub use quality::{QUALITY_FUNCTIONS, QualityFunction, QualityInfo, diff_move, mean_affinity, quality};

use crate::{AffinityGraph, GraphError, Partition};
use quality::{Objective, node_masses};
use refinement::Choice;
use search::{Found, search};

/// What is maximised, and how hard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeidenOptions {
    /// What is maximised.
    pub quality: QualityFunction,
    /// Its resolution: larger values give more and smaller communities.
    pub resolution: f64,
    /// Randomness of the refinement, in units of the mean edge weight; 0 always takes the best part.
    pub theta: f64,
    /// Largest number of passes of one search; a search ends when a pass changes nothing.
    pub n_iterations: usize,
    /// Searches; the best is kept.
    pub n_seeds: usize,
}

impl Default for LeidenOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl LeidenOptions {
    /// Modularity at resolution 1, ten searches to their ends.
    pub const DEFAULT: Self = Self {
        quality: QualityFunction::Modularity,
        resolution: 1.0,
        // Of 0, 0.01, 0.05, 0.2, 1 and 3, the best trade of quality and passes on planted graphs near the limit of
        // what can be detected; on easy graphs all are alike.
        theta: 0.05,
        n_iterations: 100,
        n_seeds: 10,
    };

    fn check(&self) -> Result<(), GraphError> {
        let refuse = |parameter: &str, expected: &str, found: String| {
            Err(GraphError::Parameter { parameter: parameter.into(), expected: expected.into(), found })
        };
        let at_least_0 = |value: f64| value.is_finite() && value >= 0.0;
        if !at_least_0(self.resolution) {
            return refuse("resolution", "a number from 0 up", self.resolution.to_string());
        }
        if !at_least_0(self.theta) {
            return refuse("theta", "a number from 0 up", self.theta.to_string());
        }
        if self.n_iterations == 0 {
            return refuse("n_iterations", "1 or more", "0".to_owned());
        }
        if self.n_seeds == 0 {
            return refuse("n_seeds", "1 or more", "0".to_owned());
        }
        Ok(())
    }
}

/// Whether the communities are what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeidenStatus {
    /// The last pass changed nothing.
    Converged,
    /// The passes ended before.
    MaxIter,
    /// No edge: every input is a community of its own.
    EmptyGraph,
}

impl LeidenStatus {
    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            LeidenStatus::Converged => "converged",
            LeidenStatus::MaxIter => "max_iter",
            LeidenStatus::EmptyGraph => "empty_graph",
        }
    }
}

/// One search.
#[derive(Clone, Debug, PartialEq)]
pub struct LeidenRun {
    /// What it found, numbered by first appearance.
    pub partition: Partition,
    /// Its [`quality`].
    pub quality: Measured,
    /// Passes.
    pub n_iterations: usize,
    /// Whether the last pass changed nothing.
    pub converged: bool,
}

/// The communities of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Communities {
    /// The best search's partition, numbered by first appearance.
    pub partition: Partition,
    /// Its [`quality`]; undefined for a graph without edges.
    pub quality: Measured,
    /// Passes of the best search.
    pub n_iterations: usize,
    /// Whether it is what was asked for.
    pub status: LeidenStatus,
    /// All searches, the best one included: seed `i` is `runs[i]`.
    pub runs: Vec<LeidenRun>,
    /// Which of them is the best.
    pub best: usize,
}

/// Finds communities in `graph`: the best of `options.n_seeds` searches (the earliest among equals), in the current
/// thread pool; the same for every number of threads. Search i draws from `seed.index(i)`.
///
/// # Errors
/// [`GraphError::Parameter`] for a resolution or theta that is negative or not finite, or no iterations or seeds.
pub fn leiden(graph: &AffinityGraph, options: &LeidenOptions, seed: Seed) -> Result<Communities, GraphError> {
    options.check()?;
    let runs: Vec<LeidenRun> =
        (0..options.n_seeds).into_par_iter().map(|i| run(graph, options, seed.index(i as u64))).collect();
    let value = |i: usize| runs[i].quality.value().unwrap_or(f64::NEG_INFINITY);
    let best = (1..runs.len()).fold(0, |best, i| if value(i) > value(best) { i } else { best });
    let chosen = &runs[best];
    let status = match (graph.is_empty(), chosen.converged) {
        (true, _) => LeidenStatus::EmptyGraph,
        (false, true) => LeidenStatus::Converged,
        (false, false) => LeidenStatus::MaxIter,
    };
    let (partition, quality, n_iterations) = (chosen.partition.clone(), chosen.quality, chosen.n_iterations);
    Ok(Communities { partition, quality, n_iterations, status, runs, best })
}

fn run(graph: &AffinityGraph, options: &LeidenOptions, seed: Seed) -> LeidenRun {
    let n = graph.n_nodes();
    if graph.is_empty() {
        let partition = Partition::numbered((0..n as u32).collect(), n);
        return LeidenRun { partition, quality: Status::EmptyGraph.into(), n_iterations: 0, converged: true };
    }
    let mean_weight = graph.total_mass() / graph.adjacency().nnz() as f64;
    let choice = Choice {
        objective: Objective::of(graph, options.quality, options.resolution),
        temperature: options.theta * mean_weight,
    };
    let masses = node_masses(graph, options.quality);
    let Found { of, n_communities, n_iterations, converged } =
        search(graph, masses, choice, options.n_iterations, &mut seed.rng());
    let partition = Partition::numbered(of, n_communities);
    let quality = quality(graph, &partition, options.quality, options.resolution);
    LeidenRun { partition, quality, n_iterations, converged }
}
