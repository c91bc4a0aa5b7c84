//! `log.txt` of a run directory: every event as a line with its time, kept over resumed runs.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use crate::{Events, Outcome, PipelineError, Stage, now_rfc3339};

/// Passes events on and writes them down.
pub(crate) struct Log<'a> {
    file: Mutex<File>,
    warnings: Mutex<Vec<String>>,
    inner: &'a dyn Events,
}

impl<'a> Log<'a> {
    /// Opens the log at its end.
    pub(crate) fn append(path: &Path, inner: &'a dyn Events) -> Result<Self, PipelineError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|e| PipelineError::io("write", path, e))?;
        Ok(Log { file: Mutex::new(file), warnings: Mutex::default(), inner })
    }

    /// The warnings so far, in order.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().map(|w| w.clone()).unwrap_or_default()
    }

    /// Writes a line only here.
    pub(crate) fn line(&self, text: &str) {
        if let Ok(mut file) = self.file.lock() {
            // A log that cannot be written (disk full) must not end the run; its outputs will tell.
            let _ = writeln!(file, "{} {text}", now_rfc3339());
        }
    }
}

impl Events for Log<'_> {
    fn started(&self, stage: Stage, label: &str, total: u64) {
        self.inner.started(stage, label, total);
    }
    fn advanced(&self, stage: Stage, n: u64) {
        self.inner.advanced(stage, n);
    }
    fn finished(&self, stage: Stage, label: &str, outcome: Outcome, seconds: f64) {
        let how = match outcome {
            Outcome::Computed => format!("computed in {seconds:.2} s"),
            Outcome::Reused => "reused".to_owned(),
        };
        self.line(&format!("{} {label}: {how}", stage.as_str()));
        self.inner.finished(stage, label, outcome, seconds);
    }
    fn message(&self, text: &str) {
        self.line(text);
        self.inner.message(text);
    }
    fn warning(&self, text: &str) {
        self.line(&format!("warning: {text}"));
        if let Ok(mut warnings) = self.warnings.lock() {
            warnings.push(text.to_owned());
        }
        self.inner.warning(text);
    }
    fn is_cancelled(&self) -> bool {
        self.inner.is_cancelled()
    }
}
