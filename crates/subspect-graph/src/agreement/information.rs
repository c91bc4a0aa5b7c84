//! Agreement in bits (nats, that is): entropies of the two partitions and their mutual information.
//!
//! `H(U) = -sum_i a_i/N ln(a_i/N)`, `MI(U, V) = sum_ij n_ij/N ln(N n_ij / (a_i b_j))`, `NMI = 2 MI / (H(U) + H(V))`,
//! `AMI = (MI - E[MI]) / ((H(U) + H(V))/2 - E[MI])` with the expectation under the hypergeometric model (Vinh, Epps
//! & Bailey 2010, theorem 2), `VI = H(U) + H(V) - 2 MI`, homogeneity `MI / H(U)`, completeness `MI / H(V)`.

use subspect_linalg::{Measured, Status};

use crate::agreement::Contingency;

struct Information {
    rows: f64,
    cols: f64,
    mutual: f64,
}

impl Information {
    fn of(table: &Contingency) -> Self {
        let n = table.n as f64;
        let entropy = |sizes: &[usize]| -> f64 {
            sizes.iter().map(|&s| s as f64 / n).map(|p| -p * p.ln()).sum::<f64>().max(0.0)
        };
        let term = |&(i, j, c): &(u32, u32, usize)| {
            let (c, row, col) = (c as f64, table.row_sums[i as usize], table.col_sums[j as usize]);
            c / n * (n * c / (row as f64 * col as f64)).ln()
        };
        // Independent partitions give sums that cancel to a rounding error of either sign.
        let mutual = table.cells.iter().map(term).sum::<f64>().max(0.0);
        Self { rows: entropy(&table.row_sums), cols: entropy(&table.col_sums), mutual }
    }
}

fn over(numerator: f64, entropy: f64) -> Measured {
    if entropy > 0.0 { Measured::finite(numerator / entropy) } else { Status::OneClass.into() }
}

pub(crate) fn nmi(table: &Contingency) -> Measured {
    let found = Information::of(table);
    over(found.mutual, 0.5 * (found.rows + found.cols))
}

pub(super) fn homogeneity(table: &Contingency) -> Measured {
    let found = Information::of(table);
    over(found.mutual, found.rows)
}

pub(super) fn completeness(table: &Contingency) -> Measured {
    let found = Information::of(table);
    over(found.mutual, found.cols)
}

pub(crate) fn vi(table: &Contingency) -> Measured {
    let found = Information::of(table);
    // Equal partitions cancel to a rounding error of either sign.
    Measured::finite((found.rows + found.cols - 2.0 * found.mutual).max(0.0))
}

pub(crate) fn ami(table: &Contingency) -> Measured {
    let found = Information::of(table);
    let mean = 0.5 * (found.rows + found.cols);
    if mean == 0.0 {
        return Status::OneClass.into();
    }
    let by_chance = expected(table);
    // All inputs apart in both partitions: every permutation agrees, so nothing is beyond chance.
    if mean - by_chance <= 1e-12 * mean {
        return Status::ZeroVariance.into();
    }
    Measured::finite((found.mutual - by_chance) / (mean - by_chance))
}

/// `E[MI]` over all pairs of partitions with these sizes. Pairs of equal sizes are looked at once: of different sizes
/// there are fewer than `sqrt(2 N)`, however many communities.
fn expected(table: &Contingency) -> f64 {
    let n = table.n;
    let log_factorial = log_factorials(n);
    let mut sum = 0.0;
    for &(a, n_a) in &distinct(&table.row_sums) {
        for &(b, n_b) in &distinct(&table.col_sums) {
            let repeated = n_a as f64 * n_b as f64;
            // The part of the hypergeometric probability that does not depend on the count.
            let fixed = log_factorial[a] + log_factorial[b] + log_factorial[n - a] + log_factorial[n - b]
                - log_factorial[n];
            for c in (a + b).saturating_sub(n).max(1)..=a.min(b) {
                let rest = log_factorial[c]
                    + log_factorial[a - c]
                    + log_factorial[b - c]
                    + log_factorial[n + c - a - b];
                let (c, n) = (c as f64, n as f64);
                sum += repeated * (c / n) * (n * c / (a as f64 * b as f64)).ln() * (fixed - rest).exp();
            }
        }
    }
    sum
}

/// Sizes in ascending order, and how often each comes.
fn distinct(sizes: &[usize]) -> Vec<(usize, usize)> {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect()
}

/// `ln(i!)` for `i` up to `n`, summed with compensation (Neumaier), so that differences stay exact for large n.
fn log_factorials(n: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(n + 1);
    out.push(0.0);
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for i in 1..=n {
        let term = (i as f64).ln();
        let next = sum + term;
        lost += if sum >= term { (sum - next) + term } else { (term - next) + sum };
        sum = next;
        out.push(sum + lost);
    }
    out
}
