//! Progress of a training on the terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use subspect_data::training::EpochRecord;
use subspect_linalg::Measured;
use subspect_train::TrainMonitor;

use crate::interrupt;

/// Epoch, rate, loss so far and the time that is left, on a terminal only.
pub(super) struct Progress {
    bar: ProgressBar,
    epochs: usize,
    n_train: usize,
    start: Instant,
    done: usize,
    last: String,
}

impl Progress {
    pub(super) fn new(quiet: bool, epochs: usize, n_train: usize) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some((epochs * n_train) as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {msg} eta {eta}") {
            bar.set_style(style);
        }
        if visible {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, epochs, n_train, start: Instant::now(), done: 0, last: String::new() }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl TrainMonitor for Progress {
    fn stepped(&mut self, epoch: usize, n: usize) {
        self.done += n;
        let rate = self.done as f64 / self.start.elapsed().as_secs_f64().max(1e-9);
        self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        self.bar.set_message(format!("{rate:.0} images/s{}", self.last));
        self.bar.inc(n as u64);
    }

    fn finished(&mut self, epoch: &EpochRecord) {
        let share = |m: Measured| m.value().map_or("-".to_owned(), |v| format!("{v:.3}"));
        let accuracy = share(epoch.test_accuracy);
        self.last =
            format!(", loss {}, accuracy {}, held out {accuracy}", share(epoch.loss), share(epoch.accuracy));
        self.bar.set_position((epoch.epoch * self.n_train) as u64);
    }

    fn is_cancelled(&self) -> bool {
        interrupt::asked()
    }
}
