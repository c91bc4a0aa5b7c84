//! Parameters of a measure: names, defaults and admissible values, which live in the list only.

use crate::{MeasureInfo, SimilarityError};

/// One parameter of a measure.
#[derive(Debug, PartialEq)]
pub struct ParameterInfo {
    /// Name in every interface.
    pub name: &'static str,
    /// Value when not given.
    pub default: Value,
    /// Values it may take.
    pub domain: Domain,
    /// One line for people.
    pub summary: &'static str,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// A finite number.
    Number {
        /// Smallest admissible value.
        min: f64,
        /// Largest admissible value; infinity for none.
        max: f64,
        /// Whether `min` itself is excluded.
        open_min: bool,
        /// Whether only whole numbers are admissible.
        integer: bool,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Domain {
    /// Any number above 0.
    pub const POSITIVE: Domain =
        Domain::Number { min: 0.0, max: f64::INFINITY, open_min: true, integer: false };
    /// A number above 0 and at most 1.
    pub const SHARE: Domain = Domain::Number { min: 0.0, max: 1.0, open_min: true, integer: false };

    /// A whole number of at least `min`.
    pub const fn count(min: f64) -> Domain {
        Domain::Number { min, max: f64::INFINITY, open_min: false, integer: true }
    }

    fn admits(self, value: Value) -> bool {
        match (self, value) {
            (Domain::Number { min, max, open_min, integer }, Value::Number(v)) => {
                v.is_finite()
                    && (v > min || (!open_min && v == min))
                    && v <= max
                    && (!integer || v.fract() == 0.0)
            }
            (Domain::Choice(words), Value::Word(w)) => words.contains(&w),
            _ => false,
        }
    }

    fn parse(self, text: &str) -> Option<Value> {
        let value = match self {
            Domain::Number { .. } => Value::Number(text.parse().ok()?),
            Domain::Choice(words) => Value::Word(words.iter().find(|w| **w == text)?),
        };
        self.admits(value).then_some(value)
    }
}

impl std::fmt::Display for Domain {
    /// In words: `a number in (0, 1]`, `a whole number of at least 1`, `biased or debiased`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Domain::Choice(words) => match words {
                [first @ .., last] if !first.is_empty() => write!(f, "{} or {last}", first.join(", ")),
                _ => f.write_str(&words.concat()),
            },
            Domain::Number { min, max, open_min, integer } => {
                let noun = if integer { "a whole number" } else { "a number" };
                match (max.is_finite(), open_min) {
                    (true, open) => write!(f, "{noun} in {}{min}, {max}]", if open { "(" } else { "[" }),
                    (false, true) => write!(f, "{noun} above {min}"),
                    (false, false) => write!(f, "{noun} of at least {min}"),
                }
            }
        }
    }
}

/// A parameter's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// One of the words of [`Domain::Choice`].
    Word(&'static str),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Number(v) => write!(f, "{v}"),
            Value::Word(w) => f.write_str(w),
        }
    }
}

/// The values of all parameters of one measure; every one is admissible.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    measure: &'static str,
    values: Vec<(&'static ParameterInfo, Value)>,
}

impl Parameters {
    /// The defaults of `measure`.
    pub fn defaults(measure: &MeasureInfo) -> Self {
        Self { measure: measure.name, values: measure.parameters.iter().map(|p| (p, p.default)).collect() }
    }

    /// The same with one parameter set, from its text: `("n_neighbors", "10")`, `("estimator", "debiased")`.
    ///
    /// # Errors
    /// When the measure has no such parameter, or the text is not an admissible value.
    pub fn with(mut self, name: &str, text: &str) -> Result<Self, SimilarityError> {
        let Some(slot) = self.values.iter_mut().find(|(p, _)| p.name == name) else {
            return Err(SimilarityError::UnknownParameter {
                measure: self.measure,
                name: name.to_owned(),
                known: listed(self.values.iter().map(|(p, _)| p.name)),
            });
        };
        slot.1 = slot.0.domain.parse(text).ok_or_else(|| SimilarityError::ParameterValue {
            name: slot.0.name,
            expected: slot.0.domain.to_string(),
            found: text.to_owned(),
        })?;
        Ok(self)
    }

    /// Every parameter and its value, in the measure's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        self.values.iter().map(|(p, v)| (p.name, *v))
    }

    /// A parameter's value, if the measure has it.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// A number that the measure declares; 0 when it does not.
    pub(crate) fn number(&self, info: &ParameterInfo) -> f64 {
        match self.get(info.name) {
            Some(Value::Number(v)) => v,
            _ => 0.0,
        }
    }

    /// A word that the measure declares; empty when it does not.
    pub(crate) fn word(&self, info: &ParameterInfo) -> &'static str {
        match self.get(info.name) {
            Some(Value::Word(w)) => w,
            _ => "",
        }
    }
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "no parameters".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure;

    #[test]
    fn every_default_is_admissible_and_survives_its_own_text() {
        for m in crate::MEASURES {
            let mut set = Parameters::defaults(m);
            for p in m.parameters {
                assert!(p.domain.admits(p.default), "{} of {}", p.name, m.name);
                set = set.with(p.name, &p.default.to_string()).unwrap();
            }
            assert_eq!(set, Parameters::defaults(m));
        }
    }

    #[test]
    fn what_is_not_admissible_is_refused_with_what_is() {
        let defaults = Parameters::defaults(measure("linear_cka").unwrap());
        let error = |name, text| defaults.clone().with(name, text).unwrap_err().to_string();
        assert_eq!(
            error("estimator", "best"),
            "estimator: expected biased, debiased or lange, found \"best\""
        );
        assert_eq!(error("sigma", "1"), "expected a parameter of linear_cka (estimator), found \"sigma\"");
        assert_eq!(Domain::count(2.0).parse("1.5"), None);
        assert_eq!(Domain::count(2.0).parse("3"), Some(Value::Number(3.0)));
        assert_eq!(Domain::SHARE.parse("nan"), None);
        assert_eq!(Domain::POSITIVE.parse("0"), None);
        assert_eq!(Domain::SHARE.to_string(), "a number in (0, 1]");
        assert_eq!(Domain::count(1.0).to_string(), "a whole number of at least 1");
    }
}
