//! What a partition is worth to Leiden: the quality functions, and what one move changes.
//!
//! Both are of the form `H = u [sum_c (W_c - rho M_c²) + const]` with `W_c` the mass inside community c (both
//! directions of every edge) and `M_c` the sum of its nodes' masses:
//! - modularity (Reichardt & Bornholdt 2006): node mass `k_i`, `rho = gamma / 2m`, `u = 1 / 2m`:
//!   `H = 1/(2m) sum_ij (A_ij - gamma k_i k_j / 2m) [p_i = p_j]`, that is [`crate::modularity`];
//! - the constant Potts model (Traag, Van Dooren & Nesterov 2011): node mass 1, `rho = gamma`, `u = 1/2`:
//!   `H = sum_c (e_c - gamma n_c (n_c - 1) / 2)` with `e_c = W_c / 2`.
//!
//! Moving node v from its community a to b changes H by `2u [(w_vb - rho M_v M_b) - (w_va - rho M_v M_(a\v))]`.

use subspect_linalg::{Measured, Status};

use crate::measures::modularity::ClassMass;
use crate::{AffinityGraph, GraphError, Partition};

/// What Leiden maximises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QualityFunction {
    /// Mass within communities beyond what the degrees alone would give.
    #[default]
    Modularity,
    /// Mass within communities beyond `resolution` for every pair of inputs: communities are denser than
    /// `resolution` inside and sparser between.
    Cpm,
}

/// One quality function: what it is called, what it says, where it comes from.
#[derive(Debug)]
pub struct QualityInfo {
    /// Name in every interface.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Where it was defined.
    pub reference: &'static str,
    /// What its resolution means.
    pub resolution: &'static str,
    /// The function.
    pub function: QualityFunction,
}

/// Every quality function, the default first.
pub static QUALITY_FUNCTIONS: &[QualityInfo] = &[
    QualityInfo {
        name: "modularity",
        summary: "affinity within communities beyond what the degrees alone would give",
        reference: "Newman & Girvan, Phys. Rev. E 69 (2004); resolution: Reichardt & Bornholdt, Phys. Rev. E 74 (2006)",
        resolution: "weight of the expected mass; 1 is the classical definition",
        function: QualityFunction::Modularity,
    },
    QualityInfo {
        name: "cpm",
        summary: "affinity within communities beyond a constant for every pair of inputs; without a resolution limit",
        reference: "Traag, Van Dooren & Nesterov, Phys. Rev. E 84 (2011)",
        resolution: "affinity that a pair must have on average; see mean_affinity",
        function: QualityFunction::Cpm,
    },
];

impl QualityFunction {
    /// Its line in [`QUALITY_FUNCTIONS`].
    pub fn info(self) -> &'static QualityInfo {
        let at = QUALITY_FUNCTIONS.iter().position(|q| q.function == self);
        &QUALITY_FUNCTIONS[at.unwrap_or(0)]
    }

    /// The spelling used in every interface.
    pub fn as_str(self) -> &'static str {
        self.info().name
    }

    /// The function called `name`.
    ///
    /// # Errors
    /// [`GraphError::Name`] for another name.
    pub fn from_name(name: &str) -> Result<Self, GraphError> {
        QUALITY_FUNCTIONS.iter().find(|q| q.name == name).map(|q| q.function).ok_or_else(|| {
            let known: Vec<&str> = QUALITY_FUNCTIONS.iter().map(|q| q.name).collect();
            GraphError::Name { what: "quality function", found: name.to_owned(), known: known.join(", ") }
        })
    }

    /// A resolution to start from: 1 for modularity, [`mean_affinity`] for CPM.
    pub fn default_resolution(self, graph: &AffinityGraph) -> f64 {
        match self {
            QualityFunction::Modularity => 1.0,
            QualityFunction::Cpm => mean_affinity(graph),
        }
    }
}

/// Mean affinity of all pairs of inputs, `2m / (N (N - 1))`: the natural unit of CPM's resolution. 0 for fewer than
/// two inputs.
pub fn mean_affinity(graph: &AffinityGraph) -> f64 {
    let n = graph.n_nodes() as f64;
    if n < 2.0 { 0.0 } else { graph.total_mass() / (n * (n - 1.0)) }
}

/// Quality of `partition` on `graph`, also for a single community. Undefined for a graph without edges.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn quality(
    graph: &AffinityGraph,
    partition: &Partition,
    function: QualityFunction,
    resolution: f64,
) -> Measured {
    if graph.is_empty() {
        return Status::EmptyGraph.into();
    }
    let mass = ClassMass::of(graph, partition);
    let total = graph.total_mass();
    let communities = mass.within.iter().zip(&mass.volume).zip(partition.sizes());
    Measured::finite(match function {
        QualityFunction::Modularity => {
            communities.map(|((w, v), _)| w / total - resolution * (v / total).powi(2)).sum()
        }
        QualityFunction::Cpm => {
            let pairs = |size: usize| size as f64 * (size as f64 - 1.0).max(0.0) / 2.0;
            communities.map(|((w, _), &size)| w / 2.0 - resolution * pairs(size)).sum()
        }
    })
}

/// What moving `node` to the community `to` of `partition` would add to [`quality`], in `O(neighbours + nodes)`.
/// Undefined for a graph without edges.
///
/// # Errors
/// When the partition is for another number of nodes, or there is no such node or community.
pub fn diff_move(
    graph: &AffinityGraph,
    partition: &Partition,
    node: usize,
    to: usize,
    function: QualityFunction,
    resolution: f64,
) -> Result<Measured, GraphError> {
    partition.check(graph)?;
    if node >= graph.n_nodes() {
        return Err(GraphError::NodeOutOfRange { node, n_nodes: graph.n_nodes() });
    }
    if to >= partition.n_classes() {
        let (class, n_classes) = (u32::try_from(to).unwrap_or(u32::MAX), partition.n_classes());
        return Err(GraphError::ClassOutOfRange { position: node, class, n_classes });
    }
    if graph.is_empty() {
        return Ok(Status::EmptyGraph.into());
    }
    let objective = Objective::of(graph, function, resolution);
    let masses = node_masses(graph, function);
    let join = |community: usize| {
        let (cols, values) = graph.neighbors(node);
        let ends = cols.iter().zip(values).filter(|(j, _)| partition.class(**j as usize) == community);
        let weight: f64 = ends.map(|(_, &v)| f64::from(v)).sum();
        let others = (0..graph.n_nodes()).filter(|&j| j != node && partition.class(j) == community);
        objective.join(weight, masses[node], others.map(|j| masses[j]).sum())
    };
    let from = partition.class(node);
    Ok(Measured::finite(if from == to { 0.0 } else { 2.0 * objective.unit * (join(to) - join(from)) }))
}

/// Mass of every node under `function`.
pub(super) fn node_masses(graph: &AffinityGraph, function: QualityFunction) -> Vec<f64> {
    match function {
        QualityFunction::Modularity => graph.degrees().to_vec(),
        QualityFunction::Cpm => vec![1.0; graph.n_nodes()],
    }
}

/// The constants of the form above.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objective {
    /// `rho`.
    pub(super) penalty: f64,
    /// `u`.
    pub(super) unit: f64,
}

impl Objective {
    /// For a graph with edges.
    pub(super) fn of(graph: &AffinityGraph, function: QualityFunction, resolution: f64) -> Self {
        match function {
            QualityFunction::Modularity => {
                Self { penalty: resolution / graph.total_mass(), unit: 1.0 / graph.total_mass() }
            }
            QualityFunction::Cpm => Self { penalty: resolution, unit: 0.5 },
        }
    }

    /// What a node of `mass`, alone, gains (over `2u`) by joining a community of mass `community` to which it has
    /// `weight`.
    #[inline]
    pub(super) fn join(&self, weight: f64, mass: f64, community: f64) -> f64 {
        weight - self.penalty * mass * community
    }
}
