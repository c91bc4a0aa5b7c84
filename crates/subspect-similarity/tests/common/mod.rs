//! Data and slow formulas that the tests share.
#![allow(dead_code)] // every test file uses its own selection

pub(crate) mod pair;

use std::path::PathBuf;

use rand::RngCore;
use subspect_linalg::{Csr, CsrBuilder, MatRef, Matrix, Seed};
use subspect_similarity::Estimator;

/// Independent standard normal numbers (Box and Muller).
pub(crate) fn gaussian(n: usize, d: usize, seed: Seed) -> Matrix<f64> {
    let mut rng = seed.rng();
    let mut uniform = move || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    Matrix::from_fn(n, d, |_, _| {
        (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    })
}

pub(crate) fn to_f32(m: &Matrix<f64>) -> Matrix<f32> {
    Matrix::from_fn(m.n_rows(), m.n_cols(), |i, j| m.row(i)[j] as f32)
}

pub(crate) fn to_f64(m: &Matrix<f32>) -> Matrix<f64> {
    Matrix::from_fn(m.n_rows(), m.n_cols(), |i, j| f64::from(m.row(i)[j]))
}

/// `A B`, by the definition.
pub(crate) fn product(a: &Matrix<f64>, b: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(a.n_rows(), b.n_cols(), |i, j| (0..a.n_cols()).map(|k| a.row(i)[k] * b.row(k)[j]).sum())
}

/// `X Xᵀ`, by the definition.
pub(crate) fn gram(x: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(x.n_rows(), x.n_rows(), |i, j| x.row(i).iter().zip(x.row(j)).map(|(a, b)| a * b).sum())
}

/// HSIC by matrices and loops: `tr(KHLH)/(N-1)²`, or the U-centred inner product (Szekely & Rizzo 2014), which is
/// another way to write Song's HSIC_1.
pub(crate) fn slow_hsic(k: &Matrix<f64>, l: &Matrix<f64>, estimator: Estimator) -> f64 {
    let n = k.n_rows();
    match estimator {
        Estimator::Biased => {
            let h = Matrix::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - 1.0 / n as f64);
            let m = product(&product(k, &h), &product(l, &h));
            (0..n).map(|i| m.row(i)[i]).sum::<f64>() / ((n - 1) * (n - 1)) as f64
        }
        Estimator::Lange => {
            let h = Matrix::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - 1.0 / n as f64);
            let centred = |k| product(&h, &product(k, &h));
            let (u, v) = (centred(k), centred(l));
            let off = |i: usize| (0..n).filter(move |&j| j != i);
            let sum: f64 = (0..n).map(|i| off(i).map(|j| u.row(i)[j] * v.row(i)[j]).sum::<f64>()).sum();
            sum / (n * (n - 3)) as f64
        }
        Estimator::Debiased => {
            let (u, v) = (u_centred(k), u_centred(l));
            u.data().iter().zip(v.data()).map(|(a, b)| a * b).sum::<f64>() / (n * (n - 3)) as f64
        }
    }
}

fn u_centred(k: &Matrix<f64>) -> Matrix<f64> {
    let n = k.n_rows();
    let row = |i: usize| (0..n).filter(|&j| j != i).map(|j| k.row(i)[j]).sum::<f64>() / (n - 2) as f64;
    let rows: Vec<f64> = (0..n).map(row).collect();
    let all = rows.iter().sum::<f64>() / (n - 1) as f64;
    Matrix::from_fn(n, n, |i, j| if i == j { 0.0 } else { k.row(i)[j] - rows[i] - rows[j] + all })
}

pub(crate) fn slow_cka(k: &Matrix<f64>, l: &Matrix<f64>, estimator: Estimator) -> f64 {
    slow_hsic(k, l, estimator) / (slow_hsic(k, k, estimator) * slow_hsic(l, l, estimator)).sqrt()
}

/// A random symmetric graph with about `share` of all pairs, weights in (0, 1).
pub(crate) fn random_graph(n: usize, share: f64, seed: Seed) -> Csr {
    let mut rng = seed.rng();
    let mut dense = Matrix::filled(0.0_f32, n, n);
    for i in 0..n {
        for j in 0..i {
            let (draw, weight) = (f64::from(rng.next_u32()), rng.next_u32());
            if draw < share * f64::from(u32::MAX) {
                let weight = (weight as f32 + 1.0) / 4_294_967_296.0;
                dense.row_mut(i)[j] = weight;
                dense.row_mut(j)[i] = weight;
            }
        }
    }
    sparse(&dense)
}

pub(crate) fn sparse(dense: &Matrix<f32>) -> Csr {
    let mut b = CsrBuilder::new(dense.n_cols());
    for i in 0..dense.n_rows() {
        b.push_row(&mut dense.row(i).iter().enumerate().map(|(j, &v)| (j as u32, v)).collect::<Vec<_>>());
    }
    b.finish()
}

pub(crate) fn dense(m: &Csr) -> Matrix<f64> {
    Matrix::from_fn(m.n_rows(), m.n_cols(), |i, j| f64::from(m.get(i, j)))
}

pub(crate) fn views(layers: &[Matrix<f32>]) -> Vec<MatRef<'_, f32>> {
    layers.iter().map(Matrix::as_ref).collect()
}

/// A float64 matrix from the shared oracle folder, or `None` (said by name) when that is not there.
pub(crate) fn oracle(test: &str, file: &str) -> Option<Matrix<f64>> {
    let shared = std::env::var_os("SUBSPECT_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let Ok(bytes) = std::fs::read(shared.join("oracle").join(file)) else {
        eprintln!("skipped: {test}: needs ../shared");
        return None;
    };
    Some(read_npy(&bytes))
}

/// Version 1 of the format, row-major float64, two dimensions: what the oracle files are.
fn read_npy(bytes: &[u8]) -> Matrix<f64> {
    assert_eq!(&bytes[..7], b"\x93NUMPY\x01");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    assert!(header.contains("'<f8'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let shape: Vec<usize> = shape.split(',').map(|n| n.trim().parse().unwrap()).collect();
    let values = bytes[start..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    Matrix::new(values, shape[0], shape[1]).unwrap()
}
