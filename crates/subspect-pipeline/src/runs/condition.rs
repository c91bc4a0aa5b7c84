//! Conditions of `--fail-if`.
//!
//! ```text
//! condition = measure [ "(" layers ")" ] operator number
//! layers    = name or glob                  the layers of that name in both networks
//!           | name "," name                 a layer of the first, a layer of the second
//! operator  = "<" | "<=" | ">" | ">="
//! ```

use std::fmt;

use super::measures::{COMPARED, ComparedInfo};
use crate::PipelineError;
use crate::options::nearest;

/// How a value is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Longer spellings first, so that `<=` is not read as `<`.
    const ALL: [Operator; 4] = [Operator::AtMost, Operator::AtLeast, Operator::Below, Operator::Above];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Operator::Below => "<",
            Operator::AtMost => "<=",
            Operator::Above => ">",
            Operator::AtLeast => ">=",
        }
    }

    /// Whether it holds between `value` and `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Operator::Below => value < bound,
            Operator::AtMost => value <= bound,
            Operator::Above => value > bound,
            Operator::AtLeast => value >= bound,
        }
    }
}

/// Which layers a condition is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layers {
    /// The networks as a whole.
    Whole,
    /// Layers of this name, or of names that match, in both networks.
    Named(String),
    /// A layer of the first and one of the second.
    Two(String, String),
}

/// One condition, parsed.
#[derive(Clone)]
pub struct Condition {
    text: String,
    pub(crate) measure: &'static ComparedInfo,
    pub(crate) layers: Layers,
    pub(crate) operator: Operator,
    pub(crate) bound: f64,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What was expected and where; an unknown measure is answered with the nearest and with all of them.
    pub fn parse(text: &str) -> Result<Self, PipelineError> {
        let (head, operator, bound) = split(text)?;
        let (name, argument) = match head.split_once('(') {
            None => (head.trim(), None),
            Some((name, rest)) => {
                let inner = rest.trim_end().strip_suffix(')');
                let inner = inner.ok_or_else(|| refused(text, "a \")\" after the layer", head))?;
                (name.trim(), Some(inner.trim()))
            }
        };
        let measure = measure(text, name)?;
        let layers = match (argument, measure.of_layers) {
            (None, false) => Layers::Whole,
            (Some(given), true) if !given.is_empty() => match given.split_once(',') {
                Some((a, b)) => Layers::Two(a.trim().to_owned(), b.trim().to_owned()),
                None => Layers::Named(given.to_owned()),
            },
            (_, true) => {
                return Err(refused(
                    text,
                    &format!("a layer, as in {name}(fc), or {name}(*) for all"),
                    head.trim(),
                ));
            }
            (Some(_), false) => {
                return Err(refused(
                    text,
                    &format!("{name} without a layer: it is of whole networks"),
                    head.trim(),
                ));
            }
        };
        Ok(Condition { text: text.trim().to_owned(), measure, layers, operator, bound })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What stands before the operator, the operator and the number behind it.
fn split(text: &str) -> Result<(&str, Operator, f64), PipelineError> {
    let after_layer = text.rfind(')').map_or(0, |at| at + 1);
    let found = Operator::ALL
        .iter()
        .filter_map(|&op| text[after_layer..].find(op.as_str()).map(|at| (after_layer + at, op)))
        .min_by_key(|&(at, op)| (at, std::cmp::Reverse(op.as_str().len())));
    let Some((at, operator)) = found else {
        return Err(refused(
            text,
            "MEASURE(LAYER) and one of < <= > >= and a number, as in \"ssc_cka(fc) < 0.8\"",
            text,
        ));
    };
    let number = text[at + operator.as_str().len()..].trim();
    match number.parse::<f64>() {
        Ok(bound) if bound.is_finite() => Ok((&text[..at], operator, bound)),
        _ => Err(refused(text, &format!("a number after {}", operator.as_str()), number)),
    }
}

fn measure(text: &str, name: &str) -> Result<&'static ComparedInfo, PipelineError> {
    let wanted = name.replace('-', "_");
    if let Some(info) = COMPARED.iter().find(|m| m.name == wanted) {
        return Ok(info);
    }
    let names: Vec<&str> = COMPARED.iter().map(|m| m.name).collect();
    Err(PipelineError::Input {
        what: format!("--fail-if \"{}\"", text.trim()),
        expected: format!("one of {}", names.join(", ")),
        found: if name.is_empty() { "no measure".into() } else { format!("\"{name}\"") },
        mend: nearest(&wanted, names).map_or(String::new(), |n| format!("did you mean \"{n}\"?")),
    })
}

fn refused(text: &str, expected: &str, found: &str) -> PipelineError {
    PipelineError::Option {
        origin: format!("--fail-if \"{}\"", text.trim()),
        expected: expected.to_owned(),
        found: found.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let c = Condition::parse(" ssc-cka( layer3.* ) <= 0.8 ").unwrap();
        assert_eq!((c.measure.name, &c.layers), ("ssc_cka", &Layers::Named("layer3.*".into())));
        assert_eq!((c.operator, c.bound, c.text()), (Operator::AtMost, 0.8, "ssc-cka( layer3.* ) <= 0.8"));
        let two = Condition::parse("modularity_drop(layer3.2, layer3.4)>-1e-2").unwrap();
        assert_eq!(two.layers, Layers::Two("layer3.2".into(), "layer3.4".into()));
        assert_eq!((two.operator, two.bound), (Operator::Above, -0.01));
        let whole = Condition::parse("accuracy_drop>=0").unwrap();
        assert_eq!((whole.layers, whole.operator), (Layers::Whole, Operator::AtLeast));
        // Names of ONNX values may hold anything but a closing bracket after them.
        let odd = Condition::parse("ssc_cka(/layer<1>(x)) < 1").unwrap();
        assert_eq!(odd.layers, Layers::Named("/layer<1>(x)".into()));
    }

    #[test]
    fn operators_hold_as_written() {
        assert!(Operator::Below.holds(0.1, 0.2) && !Operator::Below.holds(0.2, 0.2));
        assert!(Operator::AtMost.holds(0.2, 0.2) && Operator::AtLeast.holds(0.2, 0.2));
        assert!(Operator::Above.holds(0.3, 0.2) && !Operator::Above.holds(0.2, 0.2));
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        let error = |text: &str| Condition::parse(text).unwrap_err();
        assert!(error("ssc_cka(fc)").to_string().contains("ssc_cka(fc) < 0.8"));
        assert!(error("ssc_cka(fc) < nan").to_string().contains("expected a number after <, found \"nan\""));
        assert!(error("ssc_cka(fc < 0.8").to_string().contains("a \")\" after the layer"));
        assert!(error("ssc_cka < 0.8").to_string().contains("ssc_cka(*) for all"));
        assert!(error("ssc_cka() < 0.8").to_string().contains("a layer"));
        assert!(error("accuracy_drop(fc) < 0.8").to_string().contains("whole networks"));
        let unknown = error("ssc_cak(fc) < 0.8");
        assert!(unknown.to_string().contains("one of ssc_cka, "), "{unknown}");
        assert_eq!(unknown.help().unwrap(), "did you mean \"ssc_cka\"?");
        assert!(error("< 0.8").to_string().contains("no measure"));
    }
}
