//! k-means: `min sum_i || x_i - m_{c(i)} ||²` over centres `m` and assignments `c` (Lloyd 1982), from several greedy
//! k-means++ starts (Arthur & Vassilvitskii, SODA 2007), float64.
//!
//! Restart `r` draws from `seed.index(r)`; restarts run in parallel and each is sequential, so neither their number
//! nor the number of threads changes any of them. The lowest inertia wins, the earlier restart among equals. A point
//! as close to several centres goes to the one of lowest index. A cluster that loses its last point takes the point
//! that is farthest from its own centre (lowest index among equals).

use rayon::prelude::*;
use subspect_linalg::{MatRef, Matrix, Seed};

use crate::leiden::random::uniform;

/// How often, how long, how exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KMeansOptions {
    /// Restarts; the best is kept.
    pub n_init: usize,
    /// Largest number of iterations of one restart.
    pub max_iter: usize,
    /// A restart ends when its inertia falls by less than this share.
    pub tol: f64,
}

impl KMeansOptions {
    /// The defaults, as a constant.
    pub const DEFAULT: Self = Self { n_init: 20, max_iter: 300, tol: 1e-9 };
}

impl Default for KMeansOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A clustering of points.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KMeans {
    pub(crate) labels: Vec<u32>,
    pub(crate) inertia: f64,
}

/// The best of the restarts. `k` is at most the number of points, and at least 1.
pub(crate) fn kmeans(x: MatRef<'_, f64>, k: usize, options: &KMeansOptions, seed: Seed) -> KMeans {
    let restarts: Vec<KMeans> = (0..options.n_init.max(1))
        .into_par_iter()
        .map(|r| restart(x, k, options, seed.index(r as u64)))
        .collect();
    let first = KMeans { labels: Vec::new(), inertia: f64::INFINITY };
    restarts.into_iter().fold(first, |best, next| if next.inertia < best.inertia { next } else { best })
}

fn restart(x: MatRef<'_, f64>, k: usize, options: &KMeansOptions, seed: Seed) -> KMeans {
    let mut centres = plus_plus(x, k, seed);
    let mut labels = vec![0; x.n_rows()];
    let mut distances = vec![0.0; x.n_rows()];
    let mut inertia = assign(x, &centres, &mut labels, &mut distances);
    for _ in 0..options.max_iter {
        let sizes = fill_empty(&mut labels, &mut distances, k);
        update(x, &labels, &sizes, &mut centres);
        let before = std::mem::replace(&mut inertia, assign(x, &centres, &mut labels, &mut distances));
        // Not `<=` of a product: an inertia of zero must end too.
        if before - inertia <= options.tol * before {
            break;
        }
    }
    // The last assignment may have emptied a cluster; with as many points as clusters none stays empty.
    fill_empty(&mut labels, &mut distances, k);
    KMeans { labels, inertia: distances.iter().sum() }
}

fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Greedy k-means++: every centre is the best of `2 + ln k` candidates drawn in proportion to the squared distance.
fn plus_plus(x: MatRef<'_, f64>, k: usize, seed: Seed) -> Matrix<f64> {
    let (n, d) = (x.n_rows(), x.n_cols());
    let mut rng = seed.rng();
    let n_candidates = 2 + (k as f64).ln() as usize;
    let mut centres = Matrix::filled(0.0, k, d);
    let first = ((uniform(&mut rng) * n as f64) as usize).min(n - 1);
    centres.row_mut(0).copy_from_slice(x.row(first));
    let mut closest: Vec<f64> = (0..n).map(|i| square_distance(x.row(i), x.row(first))).collect();
    for c in 1..k {
        let total: f64 = closest.iter().sum();
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..n_candidates {
            let candidate = draw(&closest, uniform(&mut rng) * total);
            let with: Vec<f64> =
                (0..n).map(|i| square_distance(x.row(i), x.row(candidate)).min(closest[i])).collect();
            let potential = with.iter().sum();
            if best.as_ref().is_none_or(|b| potential < b.0) {
                best = Some((potential, candidate, with));
            }
        }
        if let Some((_, candidate, with)) = best {
            centres.row_mut(c).copy_from_slice(x.row(candidate));
            closest = with;
        }
    }
    centres
}

/// The first index at which the running sum exceeds `at`; the last positive one when rounding lets none do so.
fn draw(weights: &[f64], at: f64) -> usize {
    let mut sum = 0.0;
    for (i, w) in weights.iter().enumerate() {
        sum += w;
        if sum > at {
            return i;
        }
    }
    weights.iter().rposition(|&w| w > 0.0).unwrap_or(0)
}

/// Nearest centre of every point; returns the inertia.
fn assign(x: MatRef<'_, f64>, centres: &Matrix<f64>, labels: &mut [u32], distances: &mut [f64]) -> f64 {
    for i in 0..x.n_rows() {
        let (mut best, mut label) = (f64::INFINITY, 0);
        for c in 0..centres.n_rows() {
            let distance = square_distance(x.row(i), centres.row(c));
            if distance < best {
                (best, label) = (distance, c as u32);
            }
        }
        labels[i] = label;
        distances[i] = best;
    }
    distances.iter().sum()
}

/// Every empty cluster takes the point that is farthest from its centre, of those that leave a cluster behind.
/// Returns the sizes of the clusters.
fn fill_empty(labels: &mut [u32], distances: &mut [f64], k: usize) -> Vec<usize> {
    let mut sizes = vec![0_usize; k];
    labels.iter().for_each(|&c| sizes[c as usize] += 1);
    for c in 0..k {
        if sizes[c] > 0 {
            continue;
        }
        let mut farthest: Option<usize> = None;
        for i in 0..labels.len() {
            let better = farthest.is_none_or(|f| distances[i] > distances[f]);
            if sizes[labels[i] as usize] > 1 && better {
                farthest = Some(i);
            }
        }
        if let Some(i) = farthest {
            sizes[labels[i] as usize] -= 1;
            sizes[c] = 1;
            labels[i] = c as u32;
            distances[i] = 0.0;
        }
    }
    sizes
}

/// Centres become the means of their points.
fn update(x: MatRef<'_, f64>, labels: &[u32], sizes: &[usize], centres: &mut Matrix<f64>) {
    centres.data_mut().fill(0.0);
    for (i, &c) in labels.iter().enumerate() {
        centres.row_mut(c as usize).iter_mut().zip(x.row(i)).for_each(|(m, v)| *m += v);
    }
    for (c, &size) in sizes.iter().enumerate() {
        centres.row_mut(c).iter_mut().for_each(|m| *m /= size.max(1) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Matrix<f64> {
        Matrix::new(values.to_vec(), values.len() / 2, 2).unwrap()
    }

    #[test]
    fn separate_groups_are_found_and_the_inertia_is_their_spread() {
        let x = points(&[0.0, 0.0, 0.0, 1.0, 5.0, 0.0, 5.0, 1.0, 9.0, 9.0]);
        let found = kmeans(x.as_ref(), 3, &KMeansOptions::default(), Seed::new(4));
        assert_eq!(found.inertia, 1.0);
        assert!(found.labels[0] == found.labels[1] && found.labels[2] == found.labels[3]);
        assert!(found.labels[0] != found.labels[2] && found.labels[4] != found.labels[2]);
    }

    #[test]
    fn as_many_clusters_as_points_and_points_that_coincide() {
        let x = points(&[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let mut labels = kmeans(x.as_ref(), 3, &KMeansOptions::default(), Seed::new(4)).labels;
        labels.sort_unstable();
        assert_eq!(labels, [0, 1, 2]);
        let x = points(&[1.0; 10]);
        let found = kmeans(x.as_ref(), 3, &KMeansOptions::default(), Seed::new(4));
        assert_eq!(found.inertia, 0.0);
        assert!((0..3).all(|c| found.labels.contains(&c)), "every cluster has a point");
    }

    #[test]
    fn more_restarts_are_never_worse() {
        let x = Matrix::from_fn(300, 2, |i, j| ((i * 37 + j * 11) as f64 * 0.71).sin() * (i % 5) as f64);
        let inertia = |n_init| {
            let options = KMeansOptions { n_init, ..Default::default() };
            kmeans(x.as_ref(), 7, &options, Seed::new(2)).inertia
        };
        assert!(inertia(20) <= inertia(5) && inertia(5) <= inertia(1));
    }
}
