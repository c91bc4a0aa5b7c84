//! Landmarks: a dictionary of `M` atoms instead of `N`, over which all other inputs are expressed.
//!
//! The landmarks are chosen furthest first: each is the input whose largest absolute cosine with the landmarks before
//! is smallest, so that every direction of the data has a landmark near it (Gonzalez 1985, a factor of two from the
//! best cover). A landmark is expressed by the other landmarks, every other input by all of them, out of sample:
//! `2 N M D` operations instead of `2 N² D`. Columns of the result are inputs of the full data.
//!
//! Reference: You, Li, Robinson, Vidal, "Scalable exemplar-based subspace clustering on class-imbalanced data", ECCV
//! 2018, for exemplar dictionaries.

use rayon::prelude::*;
use subspect_linalg::{Dictionary, MatRef, Matrix, Queries, dot, sum_of_squares};

use super::{ApproximationInfo, FullProblem};
use crate::panel::{Row, stack};
use crate::{ExpressError, Monitor, Solution, express_others, solve as solve_exactly};

pub(crate) static INFO: ApproximationInfo = ApproximationInfo {
    name: "landmarks",
    summary: "a few inputs, furthest first, serve as atoms for all; for very many inputs",
    reference: "Gonzalez 1985; You, Li, Robinson, Vidal, ECCV 2018",
    size: "atoms that are left",
};

/// Inputs expressed at a time: bounds the copies of their rows.
const BLOCK: usize = 4096;

pub(crate) fn solve(
    problem: &FullProblem<'_>,
    size: usize,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let n = problem.x.n_rows();
    let mut landmarks = furthest_first(problem.x, size);
    landmarks.sort_unstable();
    let atoms = gather(problem.x, &landmarks);
    let dictionary = Dictionary::new(atoms.as_ref(), problem.scale, problem.mode(landmarks.len()))?;
    let among = solve_exactly(&dictionary, &problem.method, &problem.options, monitor)?;
    let mut rows: Vec<Option<Row>> = (0..n).map(|_| None).collect();
    let mut place = |inputs: &[u32], solution: Solution| {
        for (&i, mut row) in inputs.iter().zip(solution.into_rows()) {
            row.entries.iter_mut().for_each(|e| e.0 = landmarks[e.0 as usize]);
            rows[i as usize] = Some(row);
        }
    };
    place(&landmarks, among);
    let others: Vec<u32> = (0..n as u32).filter(|i| landmarks.binary_search(i).is_err()).collect();
    for block in others.chunks(BLOCK) {
        let block_rows = gather(problem.x, block);
        let queries = Queries::new(block_rows.as_ref(), &dictionary)?;
        let solved = express_others(&dictionary, &queries, &problem.method, &problem.options, monitor)?;
        place(block, solved);
    }
    Ok(stack(n, rows.into_iter().flatten()))
}

fn gather(x: MatRef<'_, f32>, rows: &[u32]) -> Matrix<f32> {
    let mut out = Matrix::filled(0.0, rows.len(), x.n_cols());
    for (k, &i) in rows.iter().enumerate() {
        out.row_mut(k).copy_from_slice(x.row(i as usize));
    }
    out
}

/// The first `size` inputs (at most all) in furthest-first order by absolute cosine, from the first input that is not
/// zero; the lowest index among equals, zero rows last. `O(size N D)`, memory-bound: one pass over `x` per landmark.
pub fn furthest_first(x: MatRef<'_, f32>, size: usize) -> Vec<u32> {
    let n = x.n_rows();
    let scale: Vec<f32> = (0..n)
        .into_par_iter()
        .map(|i| match sum_of_squares(x.row(i)) {
            s if s > 0.0 => (1.0 / s.sqrt()) as f32,
            _ => 0.0,
        })
        .collect();
    // Largest absolute cosine with a landmark; beyond any cosine for zero rows, and more for those taken.
    let mut nearest: Vec<f32> = scale.iter().map(|&s| if s > 0.0 { -1.0 } else { 2.0 }).collect();
    let mut chosen = Vec::new();
    while chosen.len() < size.min(n) {
        let mut next = 0;
        for i in 1..n {
            if nearest[i] < nearest[next] {
                next = i;
            }
        }
        chosen.push(next as u32);
        let (row, own) = (x.row(next), scale[next]);
        nearest.par_iter_mut().enumerate().with_min_len(64).for_each(|(j, nearest)| {
            if *nearest <= 1.5 {
                let cosine = (dot(row, x.row(j)) * own * scale[j]).abs().min(1.0);
                *nearest = nearest.max(cosine);
            }
        });
        nearest[next] = 3.0;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_direction_comes_before_any_repetition() {
        // Directions 0, 1, 2 in turn, with either sign and growing length; input 4 is zero.
        let x = Matrix::from_fn(10, 3, |i, j| {
            if i != 4 && i % 3 == j { (1.0 + i as f32) * if i % 2 == 0 { 1.0 } else { -1.0 } } else { 0.0 }
        });
        let order = furthest_first(x.as_ref(), 10);
        assert_eq!(&order[..3], &[0, 1, 2]);
        assert_eq!(order[9], 4, "a zero row comes last");
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<u32>>());
        assert_eq!(furthest_first(x.as_ref(), 99).len(), 10);
        assert!(furthest_first(Matrix::filled(0.0, 0, 3).as_ref(), 5).is_empty());
    }

    #[test]
    fn the_cover_gets_no_worse_with_more_landmarks() {
        let x = Matrix::from_fn(80, 6, |i, j| ((i * 13 + j * 5) as f32 * 0.61).sin());
        let order = furthest_first(x.as_ref(), 40);
        let cover = |m: usize| {
            let cosine = |i: usize, j: u32| {
                let (a, b) = (x.row(i), x.row(j as usize));
                (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()).abs()
            };
            (0..80).map(|i| order[..m].iter().map(|&j| cosine(i, j)).fold(0.0, f32::max)).fold(1.0, f32::min)
        };
        assert!(cover(5) <= cover(20) && cover(20) <= cover(40));
    }
}
