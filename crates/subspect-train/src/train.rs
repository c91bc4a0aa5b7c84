//! The training loop: epochs until the last one, or until the loss is no longer finite.

use std::path::Path;
use std::time::Instant;

use subspect_data::dataset::Dataset;
use subspect_data::training::{EpochRecord, TrainingRecord, TrainingState};

use crate::resume::State;
use crate::session::Session;
use crate::{TrainError, TrainOptions};

/// Told as the training goes.
pub trait TrainMonitor {
    /// `n` inputs of epoch `epoch` have been trained on.
    fn stepped(&mut self, epoch: usize, n: usize);

    /// An epoch is over and written.
    fn finished(&mut self, epoch: &EpochRecord);

    /// True to stop: the epoch under way is dropped.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Follows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl TrainMonitor for Silent {
    fn stepped(&mut self, _epoch: usize, _n: usize) {}
    fn finished(&mut self, _epoch: &EpochRecord) {}
}

/// Trains on `data` and evaluates on `held_out`, or goes on where `folder` holds the same training unfinished.
///
/// # Errors
/// [`TrainError`]. A loss that is not finite is none: the record says [`TrainingState::Diverged`].
pub fn train(
    options: &TrainOptions,
    data: &Dataset,
    held_out: Option<&Dataset>,
    folder: &Path,
    monitor: &mut dyn TrainMonitor,
) -> Result<TrainingRecord, TrainError> {
    options.check()?;
    let mut session = Session::start(options, data, held_out)?;
    let (mut state, first) = session.resume(folder)?;
    if session.record.epochs.is_empty() {
        session.finish_epoch(0, &state, None, folder, monitor)?;
    }
    for epoch in first..=options.epochs {
        if session.record.state == TrainingState::Diverged {
            break;
        }
        let start = Instant::now();
        let mean = session.epoch(epoch, &mut state, monitor)?;
        let seconds = start.elapsed().as_secs_f64();
        if !mean.loss.is_finite() || !is_finite(&state) {
            session.record.state = TrainingState::Diverged;
            session.record.write(folder)?;
            break;
        }
        session.finish_epoch(epoch, &state, Some((mean, seconds)), folder, monitor)?;
    }
    Ok(session.record)
}

fn is_finite(state: &State) -> bool {
    state.weights.iter().all(|(_, t)| t.values.iter().all(|v| v.is_finite()))
}
