//! Minibatch CKA, an estimator of linear CKA: HSIC_1 (debiased) of consecutive batches of inputs is averaged before the
//! ratio is formed (Nguyen, Raghu & Kornblith 2021). Inputs that do not fill the last batch are left out; fewer inputs
//! than one batch are one batch. The value depends on the order of the inputs.
//!
//! `16 B²` bytes per layer for batches of B inputs, `O(N B D)` per layer and `O(N B)` per pair.

use rayon::prelude::*;
use subspect_linalg::{Matrix, Measured, Status, gram_f64};

use crate::compare::Compute;
use crate::kernel::moments;
use crate::measures::info::{Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Task};
use crate::rows::{Activations, Form, Rows};
use crate::{Domain, Estimator, ParameterInfo, SimilarityError, Value};

const BATCH_SIZE: ParameterInfo = ParameterInfo {
    name: "batch_size",
    default: Value::Number(256.0),
    domain: Domain::count(4.0),
    summary: "inputs per batch",
};

pub(super) static MINIBATCH_CKA: MeasureInfo = MeasureInfo {
    name: "minibatch_cka",
    summary: "estimate of debiased linear CKA from batches of inputs",
    reference: "Nguyen, Raghu & Kornblith, ICLR 2021",
    kind: Kind::Similarity,
    range: "about -1 to 1, 0 for independent activations",
    metric: false,
    symmetric: true,
    invariances: &[Invariance::IsotropicScaling, Invariance::Translation, Invariance::OrthogonalMap],
    parameters: &[BATCH_SIZE],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let n = layers.first().map_or(0, |x| x.n_rows());
    let size = (task.parameters.number(&BATCH_SIZE) as usize).min(n);
    if n < Estimator::Debiased.min_inputs() {
        return Ok(Grid::from_fn(layers.len(), task, |_, _| Status::NTooSmall.into()));
    }
    let n_layers = layers.len();
    let needed = n_layers.saturating_mul(bytes(layers, size));
    if needed > task.budget_bytes {
        return Err(SimilarityError::Budget { needed, found: task.budget_bytes, n_layers });
    }
    let rows: Vec<Result<Rows<'_>, Status>> = layers.iter().map(|x| Rows::new(*x, Form::Centred)).collect();
    let mut sums = vec![0.0; n_layers * n_layers];
    let batches = n / size;
    for batch in 0..batches {
        if task.monitor.is_cancelled() {
            return Err(SimilarityError::Cancelled);
        }
        add_batch(&rows, batch * size, size, &mut sums);
        task.monitor.progress((batch + 1) as f64 / batches as f64);
    }
    let status = |l: usize| rows[l].as_ref().err().copied();
    Ok(Grid::from_fn(n_layers, task, |l, m| {
        let (own, other) = (sums[l * n_layers + l], sums[m * n_layers + m]);
        match status(l).or(status(m)) {
            Some(status) => status.into(),
            None if own <= 0.0 || other <= 0.0 => Status::NotPositive.into(),
            None => Measured::finite(sums[l.min(m) * n_layers + l.max(m)] / (own * other).sqrt()),
        }
    }))
}

/// Adds HSIC_1 of inputs `start..start + size` of all pairs `l <= m`.
fn add_batch(rows: &[Result<Rows<'_>, Status>], start: usize, size: usize, sums: &mut [f64]) {
    let kernel = |rows: &Result<Rows<'_>, Status>| match rows {
        Err(_) => Matrix::filled(0.0, size, size),
        Ok(rows) => {
            let mut part = Matrix::filled(0.0, size, rows.n_cols());
            (0..size).for_each(|i| rows.write(start + i, 0, part.row_mut(i)));
            gram_f64(part.as_ref())
        }
    };
    let kernels: Vec<Matrix<f64>> = rows.par_iter().map(kernel).collect();
    let views: Vec<_> = kernels.iter().map(Matrix::as_ref).collect();
    let found = moments(&views, vec![None; rows.len()]);
    for l in 0..rows.len() {
        for m in l..rows.len() {
            let hsic = found.hsic(l, m, Estimator::Debiased).value().unwrap_or(0.0);
            sums[l * rows.len() + m] += hsic;
        }
    }
}

/// Bytes of the largest layer's batch, and of its kernel.
fn bytes(layers: &[Activations<'_>], size: usize) -> usize {
    let widest = layers.iter().map(Activations::n_cols).max().unwrap_or(0);
    8 * size * (widest + 2 * size)
}
