//! Settling epochs over several trainings of one network from different seeds: means with Student's interval.
//!
//! A layer's mean counts censored seeds at their bound, and says that it did.

use subspect_data::dynamics::{Censored, SeriesRecord, SettlingEpoch, SettlingRecord};
use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::student_interval;

use super::assemble::label;
use super::order::{Spread, order_test};
use super::settle::undefined;

/// One record per measure and estimator; `series` has two or more.
pub(crate) fn over_seeds(series: &[SeriesRecord], level: f64, seed: Seed) -> Vec<SettlingRecord> {
    (0..series[0].settling.len())
        .map(|map| {
            let one = &series[0].settling[map];
            let layers: Vec<SettlingEpoch> = (0..one.layers.len())
                .map(|l| mean(&series.iter().map(|s| s.settling[map].layers[l]).collect::<Vec<_>>(), level))
                .collect();
            let ends = |of: fn(&SettlingRecord) -> Measured| -> [Measured; 2] {
                let values: Vec<f64> = series.iter().filter_map(|s| of(&s.settling[map]).value()).collect();
                let interval = student_interval(&values, level);
                [interval.lo, interval.hi]
            };
            let known = [ends(|s| s.order.spearman.value), ends(|s| s.order.kendall.value)];
            let label = format!("{} over {} seeds", label(&one.measure, &one.estimator), series.len());
            SettlingRecord {
                measure: one.measure.clone(),
                estimator: one.estimator.clone(),
                over: "seeds".into(),
                order: order_test(&layers, &Spread::Known(known), level, &label, seed),
                layers,
            }
        })
        .collect()
}

/// The mean of the seeds that have an epoch.
fn mean(seeds: &[SettlingEpoch], level: f64) -> SettlingEpoch {
    let defined: Vec<&SettlingEpoch> = seeds.iter().filter(|s| s.epoch.value().is_some()).collect();
    let epochs: Vec<f64> = defined.iter().filter_map(|s| s.epoch.value()).collect();
    let Some(first) = defined.first() else {
        return undefined(seeds.iter().find_map(|s| s.epoch.status()).unwrap_or(Status::NTooSmall));
    };
    let censored = match defined.iter().all(|s| s.censored == first.censored) {
        true => first.censored,
        false => Censored::Mixed,
    };
    let interval = student_interval(&epochs, level);
    let epoch = Measured::finite(epochs.iter().sum::<f64>() / epochs.len() as f64);
    SettlingEpoch { epoch, lo: interval.lo, hi: interval.hi, censored }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_the_interval_of_students_t_and_say_what_is_censored() {
        let at = |epoch: f64, censored| super::super::settle::estimate(epoch, censored, &[], 0.95);
        let found = mean(&[at(1.0, Censored::No), at(2.0, Censored::No), at(4.0, Censored::AtLast)], 0.95);
        assert_eq!(found.censored, Censored::Mixed);
        assert!((found.epoch.value().unwrap() - 7.0 / 3.0).abs() < 1e-12);
        assert!((found.lo.value().unwrap() + 1.461_249_70).abs() < 1e-6);
        let one = mean(&[at(1.0, Censored::ByFirst), undefined(Status::EmptyGraph)], 0.95);
        assert_eq!((one.censored, one.lo.status()), (Censored::ByFirst, Some(Status::NTooSmall)));
        assert_eq!(mean(&[undefined(Status::EmptyGraph)], 0.95).epoch.status(), Some(Status::EmptyGraph));
    }
}
