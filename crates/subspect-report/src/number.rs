//! Numbers and statuses as text. Every number that reaches the page or a figure passes through here, so that a
//! value that is not finite is shown as a status and a minus sign is a minus sign.

use serde::Serialize;
use subspect_linalg::{Measured, Status};

/// `value` with `digits` decimals; `not_finite` when it is not a number.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return Status::NotFinite.as_str().into();
    }
    let text = format!("{value:.digits$}");
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'));
    match text.strip_prefix('-') {
        Some(rest) if is_zero => rest.into(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// `0.0123` as `1.2e−2`: for gaps and objectives that span decades.
pub(crate) fn scientific(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return Status::NotFinite.as_str().into();
    }
    if value == 0.0 {
        return "0".into();
    }
    format!("{value:.digits$e}").replace('-', "\u{2212}")
}

/// `12345` as `12,345`.
pub(crate) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// Seconds as `0.42 s`, `12.3 s` or `3 min 20 s`.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        v if !v.is_finite() => Status::NotFinite.as_str().into(),
        v if v < 10.0 => format!("{} s", fixed(v, 2)),
        v if v < 120.0 => format!("{} s", fixed(v, 1)),
        v => format!("{} min {} s", (v / 60.0).floor(), (v % 60.0).round().min(59.0)),
    }
}

/// What a status means, for readers who do not know its name.
pub(crate) fn explain(status: Status) -> &'static str {
    match status {
        Status::NTooSmall => "fewer inputs than the formula needs",
        Status::ZeroVariance => "every input looks the same here, so there is nothing to compare",
        Status::EmptyGraph => "the graph has no edges",
        Status::OneClass => "all inputs have the same class",
        Status::NoLabels => "the inputs have no labels",
        Status::NoPredictions => "the network's predictions are not known",
        Status::NotExecuted => "this step was not run",
        Status::NotPositive => "the debiased self-similarity is not positive, so no ratio can be formed",
        Status::NotApplicable => "the quantity does not exist for this method",
        Status::NotConverged => "the iteration ended before it reached its tolerance",
        Status::NotFinite => "the computation overflowed",
    }
}

/// A measured value on its way into a template: text, and a bar or a status.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Shown {
    /// The number or the status.
    pub(crate) text: String,
    /// What the status means; empty for a number.
    pub(crate) why: &'static str,
    /// Width of the in-cell bar in percent.
    pub(crate) bar: Option<String>,
}

impl Shown {
    /// A number with `digits` decimals, or its status.
    pub(crate) fn fixed(value: Measured, digits: usize) -> Self {
        Shown::with(value, |v| fixed(v, digits))
    }

    /// A number formatted by `text`, or its status.
    pub(crate) fn with(value: Measured, text: impl Fn(f64) -> String) -> Self {
        match value {
            Measured::Value(v) if v.is_finite() => Shown { text: text(v), why: "", bar: None },
            Measured::Value(_) => Shown::status(Status::NotFinite),
            Measured::Undefined(s) => Shown::status(s),
        }
    }

    /// A status.
    pub(crate) fn status(status: Status) -> Self {
        Shown { text: status.as_str().into(), why: explain(status), bar: None }
    }

    /// Adds a bar for `value` on the scale 0 to `full`.
    pub(crate) fn bar(mut self, value: Measured, full: f64) -> Self {
        self.bar = value.value().filter(|_| full > 0.0).map(|v| percent(v / full));
        self
    }
}

/// A share as the width of a bar: `58.3`, between 0 and 100.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}", 100.0 * share.clamp(0.0, 1.0)) } else { "0".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable_and_never_nan() {
        assert_eq!(fixed(0.5793, 3), "0.579");
        assert_eq!(fixed(-0.0123, 2), "\u{2212}0.01");
        assert_eq!(fixed(-0.0001, 3), "0.000");
        assert_eq!(fixed(f64::NAN, 3), "not_finite");
        assert_eq!(scientific(3.2e-7, 1), "3.2e\u{2212}7");
        assert_eq!(scientific(f64::INFINITY, 1), "not_finite");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(seconds(0.418), "0.42 s");
        assert_eq!(seconds(200.4), "3 min 20 s");
        assert_eq!(percent(f64::NAN), "0");
        assert_eq!(percent(1.7), "100.0");
    }

    #[test]
    fn a_value_that_is_not_finite_becomes_a_status() {
        assert_eq!(Shown::fixed(Measured::Value(f64::NAN), 3).text, "not_finite");
        assert_eq!(Shown::fixed(Status::EmptyGraph.into(), 3).why, "the graph has no edges");
    }
}
