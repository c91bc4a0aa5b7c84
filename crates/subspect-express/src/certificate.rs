//! What is known about a returned row.
//!
//! For lasso and elastic net (`λ1 = alpha l1_ratio`, `λ2 = alpha (1 - l1_ratio)`), with residual
//! `r = x̂_i - X̂ᵀ c` and `g_j = x̂_j · r - λ2 c_j` for `j != i`:
//!
//! - primal `P = 1/2 ||r||² + λ1 ||c||_1 + λ2/2 ||c||²`;
//! - dual `D = s (x̂_i · r) - s²/2 (||r||² + λ2 ||c||²)` with the best feasible scale `s >= 0`, `s max_j |g_j| <= λ1`;
//! - relative gap `(P - D) / P`, an upper bound on how much lower the optimum can be;
//! - with `c >= 0` the positive part of `g_j` takes the place of `|g_j|`;
//! - KKT violation: the largest of `|g_j| - λ1` off the support and `|g_j - λ1 sign c_j|` on it, over `λ1`.
//!
//! Where coefficients must sum to one (`affine`), a dual point is a scaled residual and a multiplier `ν` with
//! `|s g_j + ν| <= λ1`; the best `ν` is `λ1 - s max_j g_j`, which leaves
//! `D = λ1 + s (x̂_i · r - max_j g_j) - s²/2 (||r||² + λ2 ||c||²)` for `0 <= s <= 2 λ1 / (max_j g_j - min_j g_j)`
//! (without an upper end for `c >= 0`).
//!
//! Ridge and LRSC state their gap, true as well, in their own files; LRSC's rows share one problem and one gap.
//!
//! Reference: Mairal & Yu, "Complexity analysis of the Lasso regularization path", ICML 2012, for the gap of a
//! scaled residual; the elastic net is the lasso of the stacked rows `(x̂_j, √λ2 e_j)`.

use subspect_linalg::{Dictionary, Measured, Status};

use crate::solvers::{SUM_TOLERANCE, Weights};

/// Whether a row met the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SolveStatus {
    /// The certificate meets the tolerance (greedy and closed-form methods: the rule was carried out in full).
    Converged,
    /// The iteration limit came first; the row is the best one found.
    MaxIter,
    /// Zero is the solution by definition: a zero input, no correlated atom, or `alpha >= alpha_max`.
    Trivial,
}

impl SolveStatus {
    /// The spelling used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            SolveStatus::Converged => "converged",
            SolveStatus::MaxIter => "max_iter",
            SolveStatus::Trivial => "trivial",
        }
    }
}

/// What is known about one returned row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Whether the row met the tolerance.
    pub status: SolveStatus,
    /// Primal objective of the returned row.
    pub primal: Measured,
    /// Dual objective at the scaled residual.
    pub dual: Measured,
    /// Relative duality gap `(primal - dual) / primal`.
    pub gap: Measured,
    /// Relative KKT violation; for omp the largest correlation left on the support.
    pub kkt_violation: Measured,
    /// Rounds of the outer loop, or atoms chosen.
    pub n_iter: u32,
}

impl Certificate {
    /// A row that is zero by definition: objective `1/2 ||x̂_i||²`, no gap.
    pub(crate) fn trivial(squared_norm: f64) -> Self {
        let primal = Measured::finite(0.5 * squared_norm);
        Self {
            status: SolveStatus::Trivial,
            primal,
            dual: primal,
            gap: Measured::Value(0.0),
            kkt_violation: Measured::Value(0.0),
            n_iter: 0,
        }
    }

    /// A method without an objective.
    pub(crate) fn without_objective(status: SolveStatus) -> Self {
        let none = Measured::Undefined(Status::NotApplicable);
        Self { status, primal: none, dual: none, gap: none, kkt_violation: none, n_iter: 1 }
    }
}

/// The float64 quantities of one row from which its certificate follows.
pub(crate) struct RowFacts {
    /// `||r||²`.
    pub(crate) residual_squared: f64,
    /// `x̂_i · r`.
    pub(crate) target_dot_residual: f64,
    /// `||c||_1`.
    pub(crate) l1: f64,
    /// `||c||²`.
    pub(crate) squares: f64,
    /// `max_{j != i} |g_j|`.
    pub(crate) max_gradient: f64,
    /// Largest violation on the support, absolute.
    pub(crate) support_violation: f64,
}

impl RowFacts {
    /// `(primal, dual, relative gap, relative KKT violation)`.
    pub(crate) fn evaluate(&self, l1_weight: f64, l2_weight: f64) -> (f64, f64, f64, f64) {
        let primal = 0.5 * self.residual_squared + l1_weight * self.l1 + 0.5 * l2_weight * self.squares;
        let curvature = self.residual_squared + l2_weight * self.squares;
        let limit = if self.max_gradient > 0.0 { l1_weight / self.max_gradient } else { f64::INFINITY };
        let best = if curvature > 0.0 { self.target_dot_residual / curvature } else { 0.0 };
        let scale = best.clamp(0.0, limit);
        let dual = scale * self.target_dot_residual - 0.5 * scale * scale * curvature;
        let gap = if primal > 0.0 { ((primal - dual) / primal).max(0.0) } else { 0.0 };
        let kkt = ((self.max_gradient - l1_weight).max(self.support_violation).max(0.0)) / l1_weight;
        (primal, dual, gap, kkt)
    }
}

/// The float64 quantities of one row whose coefficients sum to one.
pub(crate) struct AffineFacts {
    /// `||r||²`.
    pub(crate) residual_squared: f64,
    /// `x̂_i · r`.
    pub(crate) target_dot_residual: f64,
    /// `1ᵀ c`.
    pub(crate) sum: f64,
    /// `||c||_1`.
    pub(crate) l1: f64,
    /// `||c||²`.
    pub(crate) squares: f64,
    /// `min_{j != i} g_j`.
    pub(crate) least: f64,
    /// `max_{j != i} g_j`.
    pub(crate) most: f64,
    /// Smallest and largest `g_j - λ1 sign c_j` on the support: both `-ν` at the optimum.
    pub(crate) on_support: (f64, f64),
}

impl AffineFacts {
    /// The row's certificate. A sum that is off by more than rounding has no gap: the row is not feasible.
    pub(crate) fn certificate(&self, weights: &Weights, tol: f64, n_iter: u32) -> Certificate {
        let Weights { l1, l2, positive } = *weights;
        let primal = 0.5 * self.residual_squared + l1 * self.l1 + 0.5 * l2 * self.squares;
        let curvature = self.residual_squared + l2 * self.squares;
        let range = self.most - self.least;
        let limit = if positive || range <= 0.0 { f64::INFINITY } else { 2.0 * l1 / range };
        let slope = self.target_dot_residual - self.most;
        let scale = if curvature > 0.0 { (slope / curvature).clamp(0.0, limit) } else { 0.0 };
        let dual = l1 + scale * slope - 0.5 * scale * scale * curvature;
        let gap = if primal > 0.0 { ((primal - dual) / primal).max(0.0) } else { 0.0 };
        // With the multiplier in the middle of what the support asks for.
        let multiplier = -0.5 * (self.on_support.0 + self.on_support.1);
        let apart = 0.5 * (self.on_support.1 - self.on_support.0);
        let below = if positive { 0.0 } else { -self.least - multiplier };
        let off = (self.sum - 1.0).abs();
        let violation = ((self.most + multiplier).max(below) - l1).max(apart).max(0.0) / l1;
        let feasible = off <= SUM_TOLERANCE;
        let bound = |v: f64| if feasible { Measured::finite(v) } else { Status::NotApplicable.into() };
        Certificate {
            status: if feasible && gap <= tol { SolveStatus::Converged } else { SolveStatus::MaxIter },
            primal: Measured::finite(primal),
            dual: bound(dual),
            gap: bound(gap),
            kkt_violation: bound(violation.max(off)),
            n_iter,
        }
    }
}

/// The problem of one row, for [`certify`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElasticNetRow {
    /// Weight of the penalty.
    pub alpha: f64,
    /// Share of the l1 part; 1 is the lasso.
    pub l1_ratio: f64,
    /// Whether `c >= 0`.
    pub positive: bool,
    /// Whether `1ᵀ c = 1`.
    pub affine: bool,
}

/// Certifies given coefficients of row `i` from scratch, in float64 on the activations, without any knowledge of
/// how they were found: the reference that the solvers' own certificates are tested against. O(N D).
///
/// `entries` are `(column, value)` pairs.
pub fn certify(
    dictionary: &Dictionary<'_>,
    i: usize,
    entries: &[(u32, f64)],
    problem: &ElasticNetRow,
    tol: f64,
) -> Certificate {
    let ElasticNetRow { alpha, l1_ratio, positive, affine } = *problem;
    let (l1_weight, l2_weight) = (alpha * l1_ratio, alpha * (1.0 - l1_ratio));
    let mut residual = vec![0.0; dictionary.n_features()];
    dictionary.add_scaled_atom(i, 1.0, &mut residual);
    for &(j, c) in entries {
        dictionary.add_scaled_atom(j as usize, -c, &mut residual);
    }
    let mut coefficient = vec![0.0; dictionary.n_atoms()];
    for &(j, c) in entries {
        coefficient[j as usize] = c;
    }
    let mut facts = RowFacts {
        residual_squared: residual.iter().map(|v| v * v).sum(),
        target_dot_residual: dictionary.atom_dot(i, &residual),
        l1: entries.iter().map(|e| e.1.abs()).sum(),
        squares: entries.iter().map(|e| e.1 * e.1).sum(),
        max_gradient: 0.0,
        support_violation: 0.0,
    };
    if affine {
        let weights = Weights { l1: l1_weight, l2: l2_weight, positive };
        return certify_affine(dictionary, i, &coefficient, &residual, facts, &weights, tol);
    }
    for j in (0..dictionary.n_atoms()).filter(|&j| j != i) {
        let c = coefficient[j];
        let g = dictionary.atom_dot(j, &residual) - l2_weight * c;
        facts.max_gradient = facts.max_gradient.max(if positive { g } else { g.abs() });
        if c != 0.0 {
            facts.support_violation = facts.support_violation.max((g - l1_weight * c.signum()).abs());
        }
    }
    let (primal, dual, gap, kkt) = facts.evaluate(l1_weight, l2_weight);
    let status = match (entries.is_empty() && kkt == 0.0, gap <= tol) {
        (true, _) => SolveStatus::Trivial,
        (false, true) => SolveStatus::Converged,
        (false, false) => SolveStatus::MaxIter,
    };
    Certificate {
        status,
        primal: Measured::finite(primal),
        dual: Measured::finite(dual),
        gap: Measured::finite(gap),
        kkt_violation: Measured::finite(kkt),
        n_iter: 0,
    }
}

/// The same for coefficients that must sum to one; zero atoms are no atoms there.
fn certify_affine(
    dictionary: &Dictionary<'_>,
    i: usize,
    coefficient: &[f64],
    residual: &[f64],
    facts: RowFacts,
    weights: &Weights,
    tol: f64,
) -> Certificate {
    let atoms = (0..dictionary.n_atoms()).filter(|&j| j != i && dictionary.squared_norm(j) > 0.0);
    let gradients: Vec<(f64, f64)> = atoms
        .map(|j| (dictionary.atom_dot(j, residual) - weights.l2 * coefficient[j], coefficient[j]))
        .collect();
    let most = gradients.iter().map(|g| g.0).fold(f64::NEG_INFINITY, f64::max);
    AffineFacts {
        residual_squared: facts.residual_squared,
        target_dot_residual: facts.target_dot_residual,
        sum: coefficient.iter().sum(),
        l1: facts.l1,
        squares: facts.squares,
        least: gradients.iter().map(|g| g.0).fold(f64::INFINITY, f64::min),
        most,
        on_support: on_support(gradients.iter().copied(), weights.l1),
    }
    .certificate(weights, tol, 0)
}

/// Smallest and largest `g - λ1 sign c` of the pairs `(g, c)` with `c != 0`.
pub(crate) fn on_support(pairs: impl Iterator<Item = (f64, f64)>, l1_weight: f64) -> (f64, f64) {
    pairs
        .filter(|(_, c)| *c != 0.0)
        .map(|(g, c)| g - l1_weight * c.signum())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}
