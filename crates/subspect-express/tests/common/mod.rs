//! Test data shared by the tests of paths and approximations.
#![allow(dead_code, clippy::unwrap_used)] // not every test uses everything; helpers of tests may panic

use rand_chacha::rand_core::RngCore;
use subspect_linalg::{Dictionary, Matrix, MemoryMode, RowScale, Seed};

/// A standard normal by the sum of twelve uniforms: enough for test data.
pub(crate) fn normal(rng: &mut impl RngCore) -> f32 {
    (0..12).map(|_| rng.next_u32() as f32 / u32::MAX as f32).sum::<f32>() - 6.0
}

/// Inputs in turn from four subspaces of dimension five, with noise; row 7 repeats row 3, row 11 is zero.
pub(crate) fn subspaces(n: usize, d: usize, seed: u64) -> Matrix<f32> {
    let mut rng = Seed::new(seed).rng();
    let bases: Vec<Vec<f32>> = (0..4).map(|_| (0..5 * d).map(|_| normal(&mut rng)).collect()).collect();
    let mut x = Matrix::filled(0.0, n, d);
    for i in 0..n {
        let basis = &bases[i % 4];
        for k in 0..5 {
            let w = normal(&mut rng);
            for j in 0..d {
                x.row_mut(i)[j] += w * basis[k * d + j] + 0.1 * normal(&mut rng);
            }
        }
    }
    let copy = x.row(3).to_vec();
    x.row_mut(7).copy_from_slice(&copy);
    x.row_mut(11).fill(0.0);
    x
}

pub(crate) fn dictionary(x: &Matrix<f32>, mode: MemoryMode) -> Dictionary<'_> {
    Dictionary::new(x.as_ref(), RowScale::Unit, mode).unwrap()
}
