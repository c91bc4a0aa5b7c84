//! How far inputs are expressed by inputs of their own class.
//!
//! Subspace-preserving error `SRE = 1/N' sum_i (1 - sum_{j: y_j = y_i} |C_ij| / ||c_i||_1)` over the `N'` rows that have
//! coefficients (You, Robinson, Vidal, CVPR 2016, section 4, there in per cent). A row without coefficients expresses
//! nothing, rightly or wrongly: it is left out of the mean and counted by `empty_rows`.

use subspect_linalg::{Csr, Measured, Status};

use crate::Partition;
use crate::measures::MeasureInfo;

pub(super) static SRE: MeasureInfo = MeasureInfo {
    name: "sre",
    summary: "subspace-preserving error: share of a row's l1 mass on other classes, mean over rows with coefficients",
    reference: "You, Robinson & Vidal, CVPR 2016",
    range: "0 (only own class) to 1",
    parameters: &[],
    compute: |s| s.with_partition(|p| subspace_preserving_error(s.coefficients, p)),
};

pub(super) static ONE_CLASS_ROWS: MeasureInfo = MeasureInfo {
    name: "one_class_rows",
    summary: "share of the rows with coefficients that use their own class only",
    reference: "You, Robinson & Vidal, CVPR 2016",
    range: "0 to 1",
    parameters: &[],
    compute: |s| s.with_partition(|p| one_class_rows(s.coefficients, p)),
};

pub(super) static EMPTY_ROWS: MeasureInfo = MeasureInfo {
    name: "empty_rows",
    summary: "number of inputs without any coefficient of their own",
    reference: "count",
    range: "0 to N",
    parameters: &[],
    compute: |s| {
        let rows = s.coefficients.indptr().windows(2);
        Measured::finite(rows.filter(|w| w[0] == w[1]).count() as f64)
    },
};

/// Mean over the rows with coefficients of the share of l1 mass that lies on other classes.
///
/// # Panics
/// When the partition is for another number of rows.
pub fn subspace_preserving_error(coefficients: &Csr, partition: &Partition) -> Measured {
    mean_over_rows(coefficients, partition, |own, all| (all - own) / all)
}

/// Share of the rows with coefficients whose whole support is their own class.
///
/// # Panics
/// When the partition is for another number of rows.
pub fn one_class_rows(coefficients: &Csr, partition: &Partition) -> Measured {
    mean_over_rows(coefficients, partition, |own, all| if own == all { 1.0 } else { 0.0 })
}

/// Share of l1 mass on other classes, for every row with coefficients.
///
/// # Panics
/// When the partition is for another number of rows.
pub(crate) fn row_errors(coefficients: &Csr, partition: &Partition) -> Vec<f64> {
    over_rows(coefficients, partition, |own, all| (all - own) / all)
}

/// Mean of `f(own-class mass, mass)` over the rows with coefficients.
fn mean_over_rows(coefficients: &Csr, partition: &Partition, f: impl Fn(f64, f64) -> f64) -> Measured {
    let values = over_rows(coefficients, partition, f);
    if partition.n_present() < 2 {
        Status::OneClass.into()
    } else if values.is_empty() {
        Status::EmptyGraph.into()
    } else {
        Measured::finite(values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// `f(own-class mass, mass)` of every row with coefficients.
fn over_rows(coefficients: &Csr, partition: &Partition, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    assert_eq!(coefficients.n_rows(), partition.len(), "the partition is for other coefficients");
    let classes = partition.classes();
    let mut out = Vec::with_capacity(partition.len());
    for i in 0..coefficients.n_rows() {
        let (cols, values) = coefficients.row(i);
        // Two sums rather than all and own, so that `all == own` is exact when no other class is used.
        let (mut own, mut other) = (0.0, 0.0);
        for (&j, &v) in cols.iter().zip(values) {
            if classes[j as usize] == classes[i] {
                own += f64::from(v.abs());
            } else {
                other += f64::from(v.abs());
            }
        }
        if !cols.is_empty() {
            out.push(f(own, own + other));
        }
    }
    out
}
