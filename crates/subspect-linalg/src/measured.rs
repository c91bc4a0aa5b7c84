//! A number that may be undefined, and then says why.
//!
//! No NaN leaves Subspect: a quantity that cannot be computed (a graph without edges has no modularity) is
//! [`Measured::Undefined`] with a [`Status`], spelled the same in the API, in JSON, in tables and on the page.

use serde::{Deserialize, Serialize};

/// Why a value is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Fewer inputs than the formula needs (the debiased HSIC needs 4).
    NTooSmall,
    /// A kernel or feature without variance: every input looks the same.
    ZeroVariance,
    /// A graph without edges.
    EmptyGraph,
    /// Only one class among the labels.
    OneClass,
    /// No labels were given.
    NoLabels,
    /// The network's own predictions are not known.
    NoPredictions,
    /// The step that would give this value was not run.
    NotExecuted,
    /// The debiased estimate of a self-similarity is not positive, so no ratio can be formed.
    NotPositive,
    /// The computation overflowed.
    NotFinite,
    /// The quantity does not exist for this method: a greedy solution has no duality gap.
    NotApplicable,
    /// An iteration ended before it reached its tolerance.
    NotConverged,
}

impl Status {
    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::NTooSmall => "n_too_small",
            Status::ZeroVariance => "zero_variance",
            Status::EmptyGraph => "empty_graph",
            Status::OneClass => "one_class",
            Status::NoLabels => "no_labels",
            Status::NoPredictions => "no_predictions",
            Status::NotExecuted => "not_executed",
            Status::NotPositive => "not_positive",
            Status::NotFinite => "not_finite",
            Status::NotApplicable => "not_applicable",
            Status::NotConverged => "not_converged",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A finite number, or the reason why there is none. In JSON: `{"value": 0.58}` or `{"status": "empty_graph"}`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub enum Measured {
    /// A finite number.
    Value(f64),
    /// No number, and why.
    Undefined(Status),
}

impl Measured {
    /// `value` when finite, otherwise [`Status::NotFinite`].
    pub fn finite(value: f64) -> Self {
        if value.is_finite() { Measured::Value(value) } else { Measured::Undefined(Status::NotFinite) }
    }

    /// The number, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Measured::Value(v) => Some(v),
            Measured::Undefined(_) => None,
        }
    }

    /// The reason, if there is no number.
    pub fn status(self) -> Option<Status> {
        match self {
            Measured::Value(_) => None,
            Measured::Undefined(s) => Some(s),
        }
    }

    /// Applies `f` to the number, if there is one.
    pub fn map(self, f: impl FnOnce(f64) -> f64) -> Self {
        match self {
            Measured::Value(v) => Measured::finite(f(v)),
            undefined @ Measured::Undefined(_) => undefined,
        }
    }
}

impl From<Status> for Measured {
    fn from(status: Status) -> Self {
        Measured::Undefined(status)
    }
}

impl std::fmt::Display for Measured {
    /// The number with the formatter's precision (4 digits unless told), or the status.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Measured::Value(v) => write!(f, "{v:.*}", f.precision().unwrap_or(4)),
            Measured::Undefined(s) => f.write_str(s.as_str()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    status: Option<Status>,
}

impl From<Measured> for Wire {
    fn from(m: Measured) -> Self {
        Wire { value: m.value(), status: m.status() }
    }
}

impl TryFrom<Wire> for Measured {
    type Error = String;
    fn try_from(w: Wire) -> Result<Self, String> {
        match (w.value, w.status) {
            (Some(v), None) if v.is_finite() => Ok(Measured::Value(v)),
            (None, Some(s)) => Ok(Measured::Undefined(s)),
            _ => Err("expected either a finite \"value\" or a \"status\"".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_becomes_a_status() {
        assert_eq!(Measured::finite(f64::NAN), Measured::Undefined(Status::NotFinite));
        assert_eq!(Measured::finite(f64::INFINITY).map(|v| v + 1.0).status(), Some(Status::NotFinite));
    }

    #[test]
    fn json_holds_the_value_or_the_reason() {
        let pair = [Measured::Value(0.5), Status::EmptyGraph.into()];
        let text = serde_json::to_string(&pair).unwrap();
        assert_eq!(text, r#"[{"value":0.5},{"status":"empty_graph"}]"#);
        assert_eq!(serde_json::from_str::<[Measured; 2]>(&text).unwrap(), pair);
        assert!(serde_json::from_str::<Measured>("{}").is_err());
    }

    #[test]
    fn the_wire_spelling_and_as_str_agree() {
        for s in [
            Status::NTooSmall,
            Status::ZeroVariance,
            Status::EmptyGraph,
            Status::OneClass,
            Status::NotPositive,
        ] {
            assert_eq!(serde_json::to_string(&s).unwrap(), format!("\"{}\"", s.as_str()));
        }
    }
}
