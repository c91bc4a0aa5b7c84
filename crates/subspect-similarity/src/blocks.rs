//! Block structure of a layer x layer map: which runs of neighbouring layers do the same work, and whether a map has
//! such runs at all.
//!
//! The score of a division of the layers into contiguous blocks is the correlation, over all pairs of different layers,
//! between their similarity and whether they share a block (a point-biserial correlation). It lies in [-1, 1], and
//! neither scaling nor shifting the map changes it; the *block structure* of a map is the largest score of any division:
//! 1 for constant blocks, low for a chequerboard, undefined for a constant map. Divisions into one block, or into
//! single layers, divide nothing and are not considered.
//!
//! Similarity that merely fades with the distance of two layers has a good division, too. The null therefore keeps the
//! fading: each permutation reorders the cells of every off-diagonal among themselves. A map that depends on distance
//! alone is its own null (p = 1).
//!
//! The best division for a price `t` per pair, `max sum_{same block} (S_ij - t)`, is found exactly by dynamic programming
//! in `O(L²)`; the score is the best over a grid of prices, at the quantiles of the map and evenly between its ends. Where no
//! division does better than none, the score is 0.

use rayon::prelude::*;
use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::{Null, Tail, permutation};

use crate::SimilarityError;

/// Prices that are tried, of each kind.
const N_PRICES: usize = 32;
/// Fewest layers that can be divided with a comparison to make.
const FEWEST: usize = 4;

/// Blocks of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockStructure {
    /// First layer of each block, ascending from 0; empty when the score is undefined.
    pub starts: Vec<usize>,
    /// Correlation between similarity and sharing a block.
    pub score: Measured,
    /// The score when the cells of each off-diagonal change places, one-sided upwards.
    pub null: Null,
}

/// Finds the blocks of a symmetric map of `n_layers` x `n_layers`, row after row. Cells that are undefined, on either
/// side, take no part; the diagonal never does.
///
/// # Errors
/// [`SimilarityError::NotSquare`] when there are not `n_layers²` cells.
pub fn block_structure(
    map: &[Measured],
    n_layers: usize,
    n_permutations: usize,
    seed: Seed,
) -> Result<BlockStructure, SimilarityError> {
    if map.len() != n_layers * n_layers {
        return Err(SimilarityError::NotSquare {
            index: 0,
            n_rows: n_layers,
            n_cols: map.len() / n_layers.max(1),
        });
    }
    let cells = Cells::of(map, n_layers);
    let undefined = |status: Status| BlockStructure {
        starts: Vec::new(),
        score: status.into(),
        null: Null::undefined(n_permutations, status),
    };
    if n_layers < FEWEST {
        return Ok(undefined(Status::NTooSmall));
    }
    let Some(best) = cells.best() else { return Ok(undefined(Status::ZeroVariance)) };
    let drawn: Vec<f64> = (0..n_permutations)
        .into_par_iter()
        .map(|r| cells.permuted(seed.index(r as u64)).best().map_or(0.0, |b| b.score))
        .collect();
    Ok(BlockStructure {
        starts: best.starts,
        score: Measured::finite(best.score),
        null: Null::of(best.score, drawn, Tail::Upper),
    })
}

/// The defined cells above the diagonal, standardised.
#[derive(Clone)]
struct Cells {
    n: usize,
    /// Row-major; 0 below the diagonal and where undefined.
    values: Vec<f64>,
    /// 1 where a cell is defined.
    present: Vec<f64>,
}

struct Division {
    starts: Vec<usize>,
    score: f64,
}

impl Cells {
    fn of(map: &[Measured], n: usize) -> Self {
        let (mut values, mut present) = (vec![0.0; n * n], vec![0.0; n * n]);
        for i in 0..n {
            for j in i + 1..n {
                if let (Some(a), Some(_)) = (map[i * n + j].value(), map[j * n + i].value()) {
                    (values[i * n + j], present[i * n + j]) = (a, 1.0);
                }
            }
        }
        Cells { n, values, present }
    }

    fn defined(&self) -> Vec<f64> {
        self.values.iter().zip(&self.present).filter(|(_, p)| **p > 0.0).map(|(v, _)| *v).collect()
    }

    /// Cells of each off-diagonal in another order.
    fn permuted(&self, seed: Seed) -> Self {
        let mut out = self.clone();
        for d in 1..self.n {
            let places: Vec<usize> =
                (0..self.n - d).map(|i| i * self.n + i + d).filter(|&at| self.present[at] > 0.0).collect();
            let order = permutation(places.len(), seed.index(d as u64));
            for (&to, &from) in places.iter().zip(&order) {
                out.values[to] = self.values[places[from as usize]];
            }
        }
        out
    }

    /// The division with the highest score; `None` when all cells are alike.
    fn best(&self) -> Option<Division> {
        let mut sorted = self.defined();
        sorted.sort_unstable_by(f64::total_cmp);
        let (lowest, highest) = (*sorted.first()?, *sorted.last()?);
        let spread = highest - lowest;
        if spread <= 1e-12 * highest.abs().max(lowest.abs()) {
            return None;
        }
        let count = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        let sd = (sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        let prices = (0..N_PRICES).flat_map(|k| {
            let share = (k as f64 + 0.5) / N_PRICES as f64;
            let at = share * (sorted.len() - 1) as f64;
            [sorted[at.floor() as usize].midpoint(sorted[at.ceil() as usize]), lowest + share * spread]
        });
        let tables = (self.prefix(&self.values), self.prefix(&self.present));
        // What divides nothing correlates with nothing.
        let mut best = Division { starts: vec![0], score: 0.0 };
        for price in prices {
            let starts = self.divide(&tables, price);
            let Some(score) = self.score(&starts, &tables, (mean, sd, count)) else { continue };
            if score > best.score {
                best = Division { starts, score };
            }
        }
        Some(best)
    }

    /// Sums over the leading rows and columns, `(n + 1)²`.
    fn prefix(&self, of: &[f64]) -> Vec<f64> {
        let (n, m) = (self.n, self.n + 1);
        let mut sums = vec![0.0; m * m];
        for i in 0..n {
            for j in 0..n {
                sums[(i + 1) * m + j + 1] =
                    of[i * n + j] + sums[i * m + j + 1] + sums[(i + 1) * m + j] - sums[i * m + j];
            }
        }
        sums
    }

    /// Sum over the square block `a..b`.
    fn block(&self, sums: &[f64], a: usize, b: usize) -> f64 {
        let m = self.n + 1;
        sums[b * m + b] - sums[a * m + b] - sums[b * m + a] + sums[a * m + a]
    }

    /// The division that maximises `sum_{same block} (S_ij - price)`; among equals, later starts of the last block.
    fn divide(&self, (values, present): &(Vec<f64>, Vec<f64>), price: f64) -> Vec<usize> {
        let mut best = vec![0.0; self.n + 1];
        let mut from = vec![0; self.n + 1];
        for end in 1..=self.n {
            best[end] = f64::NEG_INFINITY;
            for start in (0..end).rev() {
                let gain =
                    best[start] + self.block(values, start, end) - price * self.block(present, start, end);
                if gain > best[end] {
                    (best[end], from[end]) = (gain, start);
                }
            }
        }
        let mut starts = Vec::new();
        let mut end = self.n;
        while end > 0 {
            end = from[end];
            starts.push(end);
        }
        starts.reverse();
        starts
    }

    /// Point-biserial correlation; `None` when no pair, or every pair, shares a block.
    fn score(
        &self,
        starts: &[usize],
        (values, present): &(Vec<f64>, Vec<f64>),
        (mean, sd, count): (f64, f64, f64),
    ) -> Option<f64> {
        let ends = starts.iter().skip(1).copied().chain([self.n]);
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (&start, end) in starts.iter().zip(ends) {
            sum += self.block(values, start, end);
            pairs += self.block(present, start, end);
        }
        let share = pairs / count;
        if pairs < 0.5 || share > 1.0 - 0.5 / count {
            return None;
        }
        Some((sum / pairs - mean) / sd * (share / (1.0 - share)).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(n: usize, value: impl Fn(usize, usize) -> f64) -> Vec<Measured> {
        (0..n * n)
            .map(|at| Measured::Value(if at / n == at % n { 1.0 } else { value(at / n, at % n) }))
            .collect()
    }

    fn noise(i: usize, j: usize) -> f64 {
        let (a, b) = (i.min(j), i.max(j));
        (((a * 7919 + b * 104_729) as f64 * 0.618_034).sin() * 43_758.545_3).fract().abs()
    }

    fn found(map: &[Measured], n: usize) -> BlockStructure {
        block_structure(map, n, 199, Seed::new(1)).unwrap()
    }

    #[test]
    fn constant_blocks_score_one_whatever_their_level_and_are_found() {
        let block = |i: usize| [0, 0, 0, 1, 1, 2, 2, 2, 2, 2][i];
        for (low, high) in [(0.0, 1.0), (0.9, 0.95), (-0.2, -0.1)] {
            let s = found(&map(10, |i, j| if block(i) == block(j) { high } else { low }), 10);
            assert_eq!(s.starts, [0, 3, 5]);
            assert!((s.score.value().unwrap() - 1.0).abs() < 1e-9);
            assert!(s.null.p.value().unwrap() < 0.02, "{:?}", s.null);
        }
    }

    #[test]
    fn scale_and_shift_change_nothing() {
        let of = |a: f64, b: f64| {
            found(&map(12, |i, j| a * (noise(i, j) + if (i < 5) == (j < 5) { 0.7 } else { 0.0 }) + b), 12)
        };
        let (one, other) = (of(1.0, 0.0), of(0.013, -4.0));
        assert_eq!(one.starts, other.starts);
        assert!((one.score.value().unwrap() - other.score.value().unwrap()).abs() < 1e-6);
    }

    #[test]
    fn noise_and_a_chequerboard_are_not_told_from_their_null() {
        let noise = found(&map(16, noise), 16);
        assert!(noise.null.p.value().unwrap() > 0.05, "{noise:?}");
        let board = found(&map(16, |i, j| if (i + j) % 2 == 0 { 0.9 } else { 0.1 }), 16);
        assert!(board.score.value().unwrap() < 0.35 && board.null.p.value().unwrap() > 0.5, "{board:?}");
    }

    #[test]
    fn fading_with_distance_is_no_block_structure() {
        let fade = found(&map(20, |i, j| (-(i.abs_diff(j) as f64) / 4.0).exp()), 20);
        assert!(fade.score.value().unwrap() > 0.5);
        assert_eq!(fade.null.p.value(), Some(1.0));
        let both = found(
            &map(20, |i, j| {
                (-(i.abs_diff(j) as f64) / 4.0).exp() * if (i < 8) == (j < 8) { 1.0 } else { 0.3 }
            }),
            20,
        );
        assert_eq!(both.starts.iter().filter(|&&s| s == 8).count(), 1, "{both:?}");
        assert!(both.null.p.value().unwrap() < 0.05, "{:?}", both.null);
    }

    #[test]
    fn degenerate_maps_have_statuses_and_missing_cells_are_left_out() {
        assert_eq!(found(&map(3, |_, _| 0.5), 3).score, Status::NTooSmall.into());
        assert_eq!(found(&map(8, |_, _| 0.5), 8).score, Status::ZeroVariance.into());
        assert!(block_structure(&[], 2, 9, Seed::new(0)).is_err());
        let mut holes = map(9, |i, j| if (i < 4) == (j < 4) { 0.8 } else { 0.2 });
        for k in 0..9 {
            holes[2 * 9 + k] = Status::EmptyGraph.into();
            holes[k * 9 + 2] = Status::EmptyGraph.into();
        }
        let s = found(&holes, 9);
        assert!(s.starts.contains(&4), "{s:?}");
        assert!((s.score.value().unwrap() - 1.0).abs() < 1e-9);
    }
}
