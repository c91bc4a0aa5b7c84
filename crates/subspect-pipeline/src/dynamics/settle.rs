//! When a layer settles: the first epoch from which on its similarity `s` to the final state stays at the threshold `t` or
//! above.
//!
//! With `k` the last recorded epoch at which `s_k < t`, and `e_k` its number, the moment lies between two recorded epochs and
//! is taken to be `e_k + (t - s_k) / (s_{k+1} - s_k) (e_{k+1} - e_k)`: similarity is linear in between. Two cases are censored:
//! no `k` (settled by the first epoch), and a `k` just before the last epoch, whose similarity with itself is 1 whatever the
//! layer does. An undefined similarity (an empty graph, a constant layer) counts as below.

use subspect_data::dynamics::{Censored, SettlingEpoch};
use subspect_linalg::{Measured, Status};
use subspect_statistics::quantile;

/// One layer's curve: its similarity to the final state by epoch, and the draws of every epoch but the last.
pub(crate) struct Curve<'a> {
    pub(crate) values: &'a [Measured],
    /// One row per epoch but the last, one value per resample; rows may be empty without resamples.
    pub(crate) draws: Vec<&'a [f32]>,
}

/// The settling epoch; `curve` has one value per epoch.
pub(crate) fn settle(curve: &[Option<f64>], epochs: &[u64], threshold: f64) -> (f64, Censored) {
    let last = epochs.len() - 1;
    let below = |v: &Option<f64>| v.is_none_or(|v| v < threshold);
    match curve[..last].iter().rposition(below) {
        None => (epochs[0] as f64, Censored::ByFirst),
        Some(k) if k + 1 == last => (epochs[last] as f64, Censored::AtLast),
        Some(k) => {
            let (from, to) = (epochs[k] as f64, epochs[k + 1] as f64);
            let share = match (curve[k], curve[k + 1]) {
                (Some(low), Some(high)) => (threshold - low) / (high - low),
                _ => 1.0,
            };
            (from + share * (to - from), Censored::No)
        }
    }
}

impl Curve<'_> {
    /// The settling epoch of the values, and of every draw.
    pub(crate) fn settle(&self, epochs: &[u64], threshold: f64) -> Result<(f64, Censored, Vec<f64>), Status> {
        if let Some(why) = self.values.last().and_then(|v| v.status()) {
            return Err(why);
        }
        let values: Vec<Option<f64>> = self.values.iter().map(|v| v.value()).collect();
        let (epoch, censored) = settle(&values, epochs, threshold);
        let n_draws = self.draws.iter().map(|d| d.len()).min().unwrap_or(0);
        let mut drawn = values.clone();
        let draws = (0..n_draws)
            .map(|r| {
                for (k, row) in self.draws.iter().enumerate() {
                    drawn[k] = values[k].map(|_| f64::from(row[r]));
                }
                settle(&drawn, epochs, threshold).0
            })
            .collect();
        Ok((epoch, censored, draws))
    }
}

/// The estimate with the middle `level` of the draws as its interval.
pub(crate) fn estimate(epoch: f64, censored: Censored, draws: &[f64], level: f64) -> SettlingEpoch {
    let [lo, hi] = middle(draws, level);
    SettlingEpoch { epoch: Measured::finite(epoch), lo, hi, censored }
}

/// The middle `level` of some draws. Draws that are all alike are their own interval: a censored layer has one.
pub(crate) fn middle(draws: &[f64], level: f64) -> [Measured; 2] {
    let mut sorted = draws.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - level);
    [tail, 1.0 - tail].map(|q| quantile(&sorted, q).map_or(Status::NotExecuted.into(), Measured::finite))
}

/// No settling epoch, and why.
pub(crate) fn undefined(status: Status) -> SettlingEpoch {
    let none = Measured::from(status);
    SettlingEpoch { epoch: none, lo: none, hi: none, censored: Censored::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(curve: &[f64], epochs: &[u64]) -> (f64, Censored) {
        settle(&curve.iter().map(|&v| Some(v)).collect::<Vec<_>>(), epochs, 0.95)
    }

    #[test]
    fn it_is_the_last_crossing_between_recorded_epochs() {
        // Over at epoch 1 for a moment only; for good between 10 and 20, at a third of the way.
        let (epoch, censored) = of(&[0.1, 0.97, 0.94, 0.97, 0.99, 1.0], &[0, 1, 10, 20, 30, 40]);
        assert!((epoch - (10.0 + 10.0 / 3.0)).abs() < 1e-12 && censored == Censored::No);
        // Just at the threshold counts as settled.
        assert_eq!(of(&[0.9, 0.95, 0.96, 1.0], &[0, 1, 2, 3]), (1.0, Censored::No));
    }

    #[test]
    fn both_ends_are_censored() {
        assert_eq!(of(&[0.96, 0.97, 1.0], &[2, 3, 4]), (2.0, Censored::ByFirst));
        assert_eq!(of(&[0.5, 0.94, 1.0], &[2, 3, 4]), (4.0, Censored::AtLast));
        assert_eq!(of(&[0.5, 1.0], &[0, 9]), (9.0, Censored::AtLast));
    }

    #[test]
    fn undefined_counts_as_below_and_an_undefined_end_has_no_answer() {
        let values =
            [Status::EmptyGraph.into(), Measured::Value(0.97), Measured::Value(1.0), Measured::Value(1.0)];
        let draws: [&[f32]; 3] = [&[0.0, 0.0], &[0.96, 0.9], &[0.99, 0.99]];
        let curve = Curve { values: &values, draws: draws.to_vec() };
        let (epoch, censored, drawn) = curve.settle(&[0, 1, 2, 3], 0.95).unwrap();
        assert_eq!((epoch, censored), (1.0, Censored::No));
        assert_eq!(drawn[0], 1.0);
        assert!((drawn[1] - (1.0 + 0.05 / 0.09)).abs() < 1e-6, "{drawn:?}");
        let found = estimate(epoch, censored, &drawn, 0.95);
        assert!(found.lo.value().unwrap() >= 1.0 && found.hi.value().unwrap() < 1.6);
        let end = [Measured::Value(0.5), Status::EmptyGraph.into()];
        let curve = Curve { values: &end, draws: vec![&[]] };
        assert_eq!(curve.settle(&[0, 1], 0.95).unwrap_err(), Status::EmptyGraph);
        assert_eq!(estimate(1.0, Censored::No, &[], 0.95).lo.status(), Some(Status::NotExecuted));
    }
}
