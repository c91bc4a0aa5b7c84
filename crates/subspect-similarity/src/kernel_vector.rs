//! CKA of dense kernels layer by layer: each kernel is centred as its estimator asks and becomes a unit vector, and
//! CKA is the cosine of two.
//!
//! - biased: `H K H`;
//! - debiased: the U-centred matrix, `K_ij - r_i - r_j + t` off the diagonal with row sums over `N - 2` and the total
//!   over `(N - 1)(N - 2)` (Székely & Rizzo 2014), whose inner products are `N (N - 3) HSIC_1`;
//! - lange: `H K H` without its diagonal.

use subspect_linalg::{Matrix, Status};

use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::{Activations, gram_bytes};
use crate::unit::{cosine, double_centre, norm, packed, shift, unit};
use crate::{Estimator, SimilarityError};

/// CKA of the kernels that `kernel` makes of each layer. `4 N²` bytes per layer kept, and those of the kernel while it
/// is made.
pub(crate) fn kernel_cka(
    layers: &[Activations<'_>],
    estimator: Estimator,
    task: &Task<'_>,
    kernel: &(dyn Fn(usize) -> Result<Matrix<f64>, Status> + Sync),
) -> Result<Grid, SimilarityError> {
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| {
            if layers[l].n_rows() < estimator.min_inputs() {
                return Err(Status::NTooSmall);
            }
            kernel_vector(kernel(l)?, estimator)
        },
        compare: &|a: &Vec<f64>, b| cosine(a, b),
    }
    .run(task)
}

/// Bytes of one layer's kernel while it is made, and of its vector.
pub(crate) fn bytes(x: &Activations<'_>) -> usize {
    gram_bytes(x) + 4 * x.n_rows() * x.n_rows()
}

/// The unit vector of a kernel.
pub(crate) fn kernel_vector(mut k: Matrix<f64>, estimator: Estimator) -> Result<Vec<f64>, Status> {
    let size = norm(k.data());
    let n = k.n_rows();
    double_centre(&mut k);
    let centred = packed(&k);
    if estimator == Estimator::Biased {
        return unit(centred, size);
    }
    // Whether there is anything to estimate at all, before asking whether this estimator sees it.
    unit(centred, size)?;
    (0..n).for_each(|i| k.row_mut(i)[i] = 0.0);
    if estimator == Estimator::Debiased {
        let rows: Vec<f64> = (0..n).map(|i| k.row(i).iter().sum::<f64>() / (n - 2) as f64).collect();
        shift(&mut k, &rows, rows.iter().sum::<f64>() / (n - 1) as f64);
        (0..n).for_each(|i| k.row_mut(i)[i] = 0.0);
    }
    unit(packed(&k), size).map_err(|status| match status {
        Status::ZeroVariance => Status::NotPositive,
        other => other,
    })
}
