//! Agreement over pairs of inputs.
//!
//! `ARI = (S - E) / (M - E)` with `S = sum_ij C(n_ij, 2)`, `E = sum_i C(a_i, 2) sum_j C(b_j, 2) / C(N, 2)` and
//! `M = (sum_i C(a_i, 2) + sum_j C(b_j, 2)) / 2` (Hubert & Arabie 1985).

use subspect_linalg::{Measured, Status};

use crate::agreement::Contingency;

fn pairs(n: usize) -> f64 {
    n as f64 * (n as f64 - 1.0) / 2.0
}

pub(crate) fn ari(table: &Contingency) -> Measured {
    if table.row_sums.len() == 1 && table.col_sums.len() == 1 {
        return Status::OneClass.into();
    }
    let together: f64 = table.cells.iter().map(|&(_, _, c)| pairs(c)).sum();
    let rows: f64 = table.row_sums.iter().map(|&s| pairs(s)).sum();
    let cols: f64 = table.col_sums.iter().map(|&s| pairs(s)).sum();
    let (largest, by_chance) = (0.5 * (rows + cols), rows * cols / pairs(table.n));
    if largest == by_chance {
        return Status::ZeroVariance.into();
    }
    Measured::finite((together - by_chance) / (largest - by_chance))
}
