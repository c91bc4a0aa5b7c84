//! Progress on the terminal: one bar that follows the run. Silent when stderr is not a terminal or under
//! `--quiet`; warnings are told in any case unless `--quiet`.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use subspect_pipeline::{Events, Outcome, Stage};

use crate::{failure, interrupt};

/// Draws events as a bar.
pub(crate) struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

impl Progress {
    /// A bar on stderr, hidden where nobody would see it move.
    pub(crate) fn new(quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {wide_msg} {elapsed}")
        {
            bar.set_style(style);
        }
        if visible {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Progress { bar, quiet }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Events for Progress {
    fn started(&self, stage: Stage, label: &str, total: u64) {
        self.bar.set_prefix(stage.as_str());
        self.bar.set_message(label.to_owned());
        self.bar.set_length(total);
        self.bar.set_position(0);
    }
    fn advanced(&self, _stage: Stage, n: u64) {
        self.bar.inc(n);
    }
    fn finished(&self, _stage: Stage, _label: &str, _outcome: Outcome, _seconds: f64) {}
    fn message(&self, text: &str) {
        if !self.quiet && std::io::stderr().is_terminal() {
            self.bar.suspend(|| eprintln!("{text}"));
        }
    }
    fn warning(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| failure::line("warning", text));
        }
    }
    fn is_cancelled(&self) -> bool {
        interrupt::asked()
    }
}
