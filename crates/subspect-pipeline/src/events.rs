//! What a run tells while it works. The pipeline never prints: it calls [`Events`], and the command line decides
//! what that looks like.

use std::sync::Mutex;

/// A stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading and choosing the inputs.
    Data,
    /// Running the network and storing every layer's activations.
    Capture,
    /// Solving the self-expression of one layer.
    Graph,
    /// Class structure of one layer's graph.
    Measures,
    /// Layer x layer maps.
    Similarity,
    /// Two-dimensional maps of the inputs.
    Layouts,
    /// Neighbourhoods, thumbnails, tables and the record.
    Record,
}

impl Stage {
    /// The spelling used in messages, the log and [`subspect_data::record::RunRecord::seconds`].
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Data => "data",
            Stage::Capture => "capture",
            Stage::Graph => "graphs",
            Stage::Measures => "measures",
            Stage::Similarity => "similarity",
            Stage::Layouts => "layouts",
            Stage::Record => "record",
        }
    }
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was computed now.
    Computed,
    /// Its output was there already, under the same key.
    Reused,
}

/// Receives progress. Calls may come from any thread; all methods have an empty default.
pub trait Events: Sync {
    /// A stage begins; `label` names what it works on (a layer, a file), `total` its steps (0: unknown).
    fn started(&self, _stage: Stage, _label: &str, _total: u64) {}
    /// `n` more steps of the stage are done.
    fn advanced(&self, _stage: Stage, _n: u64) {}
    /// The stage ended.
    fn finished(&self, _stage: Stage, _label: &str, _outcome: Outcome, _seconds: f64) {}
    /// Something worth a line.
    fn message(&self, _text: &str) {}
    /// Something a reader should know before trusting a number.
    fn warning(&self, _text: &str) {}
    /// Whether to stop at the next possible point, keeping everything that is finished.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Events for Silent {}

/// Remembers every call as a line of text: for tests.
#[derive(Debug, Default)]
pub struct Recording(Mutex<Vec<String>>);

impl Recording {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().map(|lines| lines.clone()).unwrap_or_default()
    }

    fn push(&self, line: String) {
        if let Ok(mut lines) = self.0.lock() {
            lines.push(line);
        }
    }
}

impl Events for Recording {
    fn finished(&self, stage: Stage, label: &str, outcome: Outcome, _seconds: f64) {
        let how = if outcome == Outcome::Computed { "computed" } else { "reused" };
        self.push(format!("{how} {} {label}", stage.as_str()));
    }
    fn message(&self, text: &str) {
        self.push(format!("message {text}"));
    }
    fn warning(&self, text: &str) {
        self.push(format!("warning {text}"));
    }
}
