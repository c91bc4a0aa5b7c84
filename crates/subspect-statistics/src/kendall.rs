//! Kendall's tau-b of two lists in `O(M log M)`: `(C - D) / sqrt((n0 - n1)(n0 - n2))` over all `n0 = M(M-1)/2` pairs
//! of positions, C concordant, D discordant, n1 and n2 tied in one of the lists (Kendall, Biometrika 33, 1945).
//!
//! Sorted by the first list, the discordant pairs are the exchanges that a merge sort of the second one makes (Knight,
//! JASA 61, 1966). Counts are integers, so nothing is rounded before the last line.

use subspect_linalg::{Measured, Status};

/// Kendall's tau-b of two lists of any length; undefined where one of them is constant.
///
/// # Panics
/// When the lists differ in length.
pub fn tau_b(a: &[f64], b: &[f64]) -> Measured {
    assert_eq!(a.len(), b.len(), "two values of the same things");
    let mut order: Vec<u32> = (0..a.len() as u32).collect();
    // Both zeros are the same value; the total order tells them apart.
    let at = |list: &[f64], k: u32| list[k as usize] + 0.0;
    order.sort_unstable_by(|&i, &j| at(a, i).total_cmp(&at(a, j)).then(at(b, i).total_cmp(&at(b, j))));
    let mut sorted: Vec<f64> = order.iter().map(|&k| at(b, k)).collect();
    let tied_a = tied(&order, |&i, &j| at(a, i) == at(a, j));
    let tied_both = tied(&order, |&i, &j| at(a, i) == at(a, j) && at(b, i) == at(b, j));
    let exchanges = merge_sort(&mut sorted);
    let tied_b = tied(&sorted, |x, y| x == y);
    let all = pairs(a.len());
    if tied_a == all || tied_b == all {
        return Status::ZeroVariance.into();
    }
    // Neither tied in a nor in b: concordant and discordant ones together.
    let decided = all + tied_both - tied_a - tied_b;
    let difference = decided as f64 - 2.0 * exchanges as f64;
    // One root of the product: exactly 1 for equal orders.
    Measured::finite(difference / ((all - tied_a) as f64 * (all - tied_b) as f64).sqrt())
}

fn pairs(n: usize) -> u64 {
    let n = n as u64;
    n * n.saturating_sub(1) / 2
}

/// Pairs within runs of equal neighbours.
fn tied<T>(sorted: &[T], same: impl Fn(&T, &T) -> bool) -> u64 {
    sorted.chunk_by(|x, y| same(x, y)).map(|run| pairs(run.len())).sum()
}

/// Sorts, and counts the pairs that stood in the wrong order.
fn merge_sort(values: &mut [f64]) -> u64 {
    let n = values.len();
    let mut spare = values.to_vec();
    let mut exchanges = 0;
    let mut width = 1;
    while width < n {
        for (from, to) in values.chunks(2 * width).zip(spare.chunks_mut(2 * width)) {
            let (left, right) = from.split_at(width.min(from.len()));
            let (mut i, mut j) = (0, 0);
            for out in to {
                if j == right.len() || (i < left.len() && left[i] <= right[j]) {
                    *out = left[i];
                    i += 1;
                } else {
                    *out = right[j];
                    j += 1;
                    exchanges += (left.len() - i) as u64;
                }
            }
        }
        values.copy_from_slice(&spare);
        width *= 2;
    }
    exchanges
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pair by pair.
    fn slow(a: &[f64], b: &[f64]) -> Option<f64> {
        let (mut difference, mut of_a, mut of_b) = (0.0, 0.0_f64, 0.0_f64);
        for i in 0..a.len() {
            for j in 0..i {
                let (x, y) = ((a[i] - a[j]).signum() * f64::from(a[i] != a[j]), b[i] - b[j]);
                let y = y.signum() * f64::from(b[i] != b[j]);
                difference += x * y;
                of_a += x * x;
                of_b += y * y;
            }
        }
        (of_a * of_b > 0.0).then(|| difference / (of_a * of_b).sqrt())
    }

    proptest! {
        #[test]
        fn counting_exchanges_is_counting_pairs(
            values in prop::collection::vec((-4_i8..4, -4_i8..4), 0..60)
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = values.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).unzip();
            match (tau_b(&a, &b).value(), slow(&a, &b)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }
    }

    #[test]
    fn opposite_orders_and_constants() {
        assert_eq!(tau_b(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).value(), Some(-1.0));
        assert_eq!(tau_b(&[1.0, 2.0, 3.0], &[5.0; 3]).status(), Some(Status::ZeroVariance));
        let (signed, plain) = ([-0.0, 0.0, 1.0], [0.0, 0.0, 1.0]);
        assert_eq!(tau_b(&signed, &[5.0, 1.0, 9.0]), tau_b(&plain, &[5.0, 1.0, 9.0]));
    }
}
