//! Exact lasso and elastic-net self-expression with a working set per row.
//!
//! `min_c 1/2 ||x̂_i - X̂ᵀ c||² + λ1 ||c||_1 + λ2/2 ||c||²`, `c_i = 0`; `λ1 = alpha l1_ratio`,
//! `λ2 = alpha (1 - l1_ratio)`. Elhamifar & Vidal, TPAMI 2013 (lasso); You, Li, Robinson, Vidal, CVPR 2016 (elastic
//! net, whose oracle region is the rule by which atoms enter here: those with `|g_j| > λ1`).
//!
//! With `positive`, `c >= 0` as well: atoms enter where `g_j > λ1`, and `alpha_max` is the largest positive
//! correlation.
//!
//! A round solves the restricted problem (see `active_set`), scans all atoms in float32, and lets the
//! violating ones in. When no atom violates, everything is recomputed in float64: the gradient on the support
//! (followed by a defect correction of the restricted problem) and every atom that float32 cannot exclude. Only
//! that decides whether the row has converged.

mod row;

use std::ops::Range;

use subspect_linalg::Dictionary;

use self::row::RowState;
use super::affine::AFFINE;
use super::correlations::{Query, scan};
use crate::panel::{Row, for_each_panel};
use crate::target::{Targets, longest};
use crate::{Alpha, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveOptions};

pub(crate) const ALPHA_RATIO: ParameterInfo = ParameterInfo {
    name: "alpha_ratio",
    default: Some(0.1),
    min: 0.0,
    max: 1.0,
    open_min: true,
    integer: false,
    summary: "alpha as a share of the row's alpha_max, above which nothing is selected",
};

pub(crate) const ALPHA: ParameterInfo = ParameterInfo {
    name: "alpha",
    default: None,
    min: 0.0,
    max: f64::INFINITY,
    open_min: true,
    integer: false,
    summary: "the same alpha for every row, instead of alpha_ratio",
};

/// Whether coefficients must not be negative, for every method that can.
pub(crate) const POSITIVE: ParameterInfo = ParameterInfo {
    name: "positive",
    default: Some(0.0),
    min: 0.0,
    max: 1.0,
    open_min: false,
    integer: true,
    summary: "coefficients must not be negative",
};

pub(crate) static LASSO: MethodInfo = MethodInfo {
    name: "lasso",
    summary: "sparse self-expression (SSC-BP), exact, with a duality gap per row",
    reference: "Elhamifar & Vidal, TPAMI 2013, arXiv 1203.1005",
    certified: true,
    dense: false,
    parameters: &[ALPHA_RATIO, ALPHA, POSITIVE, AFFINE],
};

pub(crate) static ELASTIC_NET: MethodInfo = MethodInfo {
    name: "elastic_net",
    summary: "elastic-net self-expression (EnSC), exact, with a duality gap per row",
    reference: "You, Li, Robinson, Vidal, CVPR 2016, arXiv 1605.02633",
    certified: true,
    dense: false,
    parameters: &[
        ALPHA_RATIO,
        ALPHA,
        ParameterInfo {
            name: "l1_ratio",
            default: Some(0.9),
            min: 0.0,
            max: 1.0,
            open_min: true,
            integer: false,
            summary: "share of the l1 part of the penalty; 1 is the lasso",
        },
        POSITIVE,
        AFFINE,
    ],
};

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    alpha: Alpha,
    l1_ratio: f64,
    positive: bool,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let grid = [alpha];
    let setup = Setup::new(dictionary, targets, &grid, l1_ratio, positive, options);
    for_each_panel(dictionary, targets, monitor, |rows| {
        setup.solve_panel(rows).into_iter().flatten().collect()
    })
}

/// What all rows share.
pub(crate) struct Setup<'d, 'a, 't> {
    dictionary: &'d Dictionary<'a>,
    targets: Targets<'t>,
    /// The weights that every row runs through, each from the answer to the one before.
    grid: &'t [Alpha],
    l1_ratio: f64,
    positive: bool,
    options: SolveOptions,
    /// Longest atom.
    norm: f64,
    /// How many of a row's nearest atoms may be used, where not all may.
    confined: Option<usize>,
}

impl<'d, 'a, 't> Setup<'d, 'a, 't> {
    /// The exact problem at every alpha of `grid`, best in descending order.
    pub(crate) fn new(
        dictionary: &'d Dictionary<'a>,
        targets: Targets<'t>,
        grid: &'t [Alpha],
        l1_ratio: f64,
        positive: bool,
        options: &SolveOptions,
    ) -> Self {
        let norm = longest(dictionary, targets);
        let (options, confined) = (*options, None);
        Self { dictionary, targets, grid, l1_ratio, positive, options, norm, confined }
    }

    /// Not the exact problem: only the `n` nearest atoms of a row may be used. Certificates stay those of the exact
    /// one. For a grid of one point.
    pub(crate) fn confined_to(self, n: usize) -> Self {
        Self { confined: Some(n), ..self }
    }

    /// With positive coefficients an atom of negative correlation never enters.
    fn keep_admissible(&self, correlations: &mut [f32]) {
        if self.positive {
            correlations.iter_mut().for_each(|c| *c = c.max(0.0));
        }
    }

    /// For every row of a panel, its answer at every point of the grid.
    pub(crate) fn solve_panel(&self, rows: Range<usize>) -> Vec<Vec<Row>> {
        let n = self.dictionary.n_atoms();
        let mut scanned = Vec::new();
        let targets = self.targets.panel(self.dictionary, rows, &mut scanned);
        let mut targets = targets.into_iter().zip(scanned.chunks_exact_mut(n.max(1)));
        if self.dictionary.gram().is_none() {
            let start = |(target, correlations)| RowState::start(self, target, correlations, None);
            let mut states: Vec<RowState<'_, 'd, 'a, 't>> = targets.map(start).collect();
            run(self, &mut states, &mut scanned);
            return states.into_iter().map(|s| s.done).collect();
        }
        // One row at a time: its scan stays in cache, and its memory serves the next row.
        let (mut buffer, mut spare, mut done) = (Vec::new(), None, Vec::new());
        for (target, correlations) in &mut targets {
            let mut state = [RowState::start(self, target, correlations, spare.take())];
            run(self, &mut state, &mut buffer);
            let [state] = state;
            spare = Some(state.restricted);
            done.push(state.done);
        }
        done
    }
}

/// Rounds until every row of the group is through the grid.
fn run(setup: &Setup<'_, '_, '_>, states: &mut [RowState<'_, '_, '_, '_>], scanned: &mut Vec<f32>) {
    let n = setup.dictionary.n_atoms();
    loop {
        let mut active: Vec<_> = states.iter_mut().filter(|s| !s.is_done()).collect();
        if active.is_empty() {
            return;
        }
        for state in &mut active {
            state.advance();
        }
        let present: Vec<_> = active.iter().map(|s| s.restricted.nonzero()).collect();
        let queries: Vec<Query<'_, '_, '_, '_>> = active
            .iter()
            .zip(&present)
            .map(|(s, (atoms, weights))| Query { target: &s.target, atoms, weights })
            .collect();
        scan(setup.dictionary, &queries, scanned);
        for (state, correlations) in active.iter_mut().zip(scanned.chunks_exact_mut(n)) {
            state.inspect(correlations);
            state.record(correlations);
        }
    }
}
