//! The one-to-one matching of clusters with classes that covers the most inputs.
//!
//! `max over matchings M of sum_{(i, j) in M} n_ij`: a linear assignment problem, solved exactly in integers by
//! shortest augmenting paths with potentials (Jonker & Volgenant, Computing 38, 1987), `O(r² c)` for `r <= c`.

use subspect_linalg::Measured;

use crate::agreement::Contingency;

/// Share of inputs on the best matching; clusters and classes left over count as wrong.
pub(crate) fn accuracy(table: &Contingency) -> Measured {
    let counts = table.counts();
    let matched = best_matching(&counts);
    let covered: usize = matched.iter().enumerate().filter_map(|(i, m)| m.map(|j| counts[i][j])).sum();
    Measured::finite(covered as f64 / table.n as f64)
}

/// The column matched with every row such that the sum of `weights` is largest; `None` for rows left over when there
/// are more rows than columns. Every column is used once at most.
///
/// # Panics
/// When rows have different lengths.
pub fn best_matching(weights: &[Vec<usize>]) -> Vec<Option<usize>> {
    let n_rows = weights.len();
    let n_cols = weights.first().map_or(0, Vec::len);
    assert!(weights.iter().all(|row| row.len() == n_cols), "rows of equal length");
    if n_rows <= n_cols {
        return assign(n_rows, n_cols, |i, j| -(weights[i][j] as i64)).into_iter().map(Some).collect();
    }
    let mut out = vec![None; n_rows];
    let rows = assign(n_cols, n_rows, |j, i| -(weights[i][j] as i64));
    rows.into_iter().enumerate().for_each(|(j, i)| out[i] = Some(j));
    out
}

/// The column of every row at the smallest total cost, for `n_rows <= n_cols`.
fn assign(n_rows: usize, n_cols: usize, cost: impl Fn(usize, usize) -> i64) -> Vec<usize> {
    const FREE: usize = usize::MAX;
    let mut row_of = vec![FREE; n_cols];
    let mut column_of = vec![FREE; n_rows];
    let (mut u, mut v) = (vec![0_i64; n_rows], vec![0_i64; n_cols]);
    for start in 0..n_rows {
        let mut shortest = vec![i64::MAX; n_cols];
        let mut came_from = vec![FREE; n_cols];
        let mut done = vec![false; n_cols];
        let mut settled = Vec::new();
        let (mut row, mut length) = (start, 0_i64);
        // Dijkstra over reduced costs, from the free row to the nearest free column.
        let end = loop {
            let mut nearest = FREE;
            for j in (0..n_cols).filter(|&j| !done[j]) {
                let through = length + cost(row, j) - u[row] - v[j];
                if through < shortest[j] {
                    shortest[j] = through;
                    came_from[j] = row;
                }
                if nearest == FREE || shortest[j] < shortest[nearest] {
                    nearest = j;
                }
            }
            length = shortest[nearest];
            done[nearest] = true;
            if row_of[nearest] == FREE {
                break nearest;
            }
            settled.push(nearest);
            row = row_of[nearest];
        };
        u[start] += length;
        for &j in &settled {
            let slack = length - shortest[j];
            u[row_of[j]] += slack;
            v[j] -= slack;
        }
        // Every row on the path takes the column that leads onwards, and gives its own to the row before.
        let mut column = end;
        loop {
            let i = came_from[column];
            row_of[column] = i;
            let before = std::mem::replace(&mut column_of[i], column);
            if i == start {
                break;
            }
            column = before;
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The best sum over all injections of rows into columns, by trying them.
    fn tried(weights: &[Vec<usize>], row: usize, used: &mut Vec<bool>) -> usize {
        if row == weights.len() {
            return 0;
        }
        // A row may stay unmatched, which is never better but necessary when there are more rows than columns.
        let mut best = tried(weights, row + 1, used);
        for j in 0..used.len() {
            if !used[j] {
                used[j] = true;
                best = best.max(weights[row][j] + tried(weights, row + 1, used));
                used[j] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_matching_covers_more(rows in 0_usize..6, cols in 0_usize..6, seed in proptest::collection::vec(0_usize..9, 36)) {
            let weights: Vec<Vec<usize>> = (0..rows).map(|i| seed[6 * i..6 * i + cols].to_vec()).collect();
            let matched = best_matching(&weights);
            let mut used: Vec<usize> = matched.iter().flatten().copied().collect();
            prop_assert_eq!(used.len(), if rows == 0 { 0 } else { rows.min(cols) });
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), matched.iter().flatten().count(), "a column twice");
            let sum: usize = matched.iter().enumerate().filter_map(|(i, m)| m.map(|j| weights[i][j])).sum();
            prop_assert_eq!(sum, tried(&weights, 0, &mut vec![false; cols]));
        }
    }
}
