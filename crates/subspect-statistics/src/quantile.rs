//! Quantiles of sorted values, and ranks with ties.

/// The `q` quantile (0 to 1) of ascending values, linearly interpolated between neighbours (type 7 of Hyndman & Fan,
/// Am. Stat. 50, 361 (1996): NumPy's default). `None` without values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

/// Rank of every value, from 1; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut ranks, mut below) = (vec![0.0; values.len()], 0);
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        run.iter().for_each(|&i| ranks[i] = below as f64 + (run.len() as f64 + 1.0) / 2.0);
        below += run.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.quantile([0, 1, 4, 9], q)` and `scipy.stats.rankdata`.
    #[test]
    fn quantiles_interpolate_and_ties_share_their_rank() {
        let sorted = [0.0, 1.0, 4.0, 9.0];
        for (q, value) in [(0.0, 0.0), (0.025, 0.075), (0.5, 2.5), (0.9, 7.5), (1.0, 9.0)] {
            assert!((quantile(&sorted, q).unwrap_or(f64::NAN) - value).abs() < 1e-14, "{q}");
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.975), Some(3.0));
        assert_eq!(ranks(&[3.0, 1.0, 3.0, -2.0, 3.0]), [4.0, 2.0, 4.0, 1.0, 4.0]);
        assert!(ranks(&[]).is_empty());
    }
}
