//! Values given by the user, each with the place it came from, so that a message can name it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use subspect_express::{METHODS, MethodInfo};

use super::{Kind, option, uses};
use crate::PipelineError;

/// One value: its words and the place it came from (`--inputs`, `inputs in sweep.toml`).
#[derive(Clone, Debug, PartialEq)]
struct Given {
    words: Vec<String>,
    origin: String,
}

/// The options that were set, by name. What is not set has the default of [`super::OPTIONS`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(BTreeMap<String, Given>);

impl Options {
    /// Sets `name`; a later value replaces an earlier one.
    pub fn set(&mut self, name: &str, words: Vec<String>, origin: &str) {
        self.0.insert(name.to_owned(), Given { words, origin: origin.to_owned() });
    }

    /// Sets `name` as the command line would.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, vec![value.to_owned()], &flag(name));
        self
    }

    /// Whether `name` was set.
    pub fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names that were set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Takes what `other` sets over what is here. With another method, the parameters of the one that is replaced go, unless
    /// the new one has them as well: a plan lists them all.
    pub fn overlay(&mut self, other: Options) {
        let method = |options: &Options| {
            let name = options.0.get("method")?.words.first()?.replace('-', "_");
            METHODS.iter().find(|m| m.name == name)
        };
        if let (Some(before), Some(after)) = (method(self), method(&other)) {
            // The tolerance of omp is its own, that of a certified method the solver's: other things by one name.
            let own = |m: &MethodInfo, name: &str| m.parameters.iter().any(|p| p.name == name);
            let stays = |name: &str| uses(after, name) && own(before, name) == own(after, name);
            self.0.retain(|name, _| !uses(before, name) || stays(name));
        }
        self.0.extend(other.0);
    }

    /// The place where `name` was set, or its flag.
    pub fn origin(&self, name: &str) -> String {
        self.0.get(name).map_or_else(|| flag(name), |g| g.origin.clone())
    }

    /// The value or the default, as one text; `None` when there is neither.
    pub fn text(&self, name: &str) -> Option<String> {
        let words = self.list(name);
        (!words.is_empty()).then(|| words.join(","))
    }

    /// The value or the default, as words. Words that were given are not split: globs may hold commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        let default = || {
            let text = option(name).map_or_else(String::new, |o| o.default_text());
            text.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect()
        };
        self.0.get(name).map_or_else(default, |given| given.words.clone())
    }

    /// A path, if given.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A whole number, if given or defaulted.
    pub fn count(&self, name: &str) -> Result<Option<u64>, PipelineError> {
        let least = match option(name).map(|o| o.kind) {
            Some(Kind::Count(least)) => least,
            _ => 0,
        };
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<u64>() {
            Ok(n) if n >= least => Ok(Some(n)),
            _ => Err(self.refuse(name, &format!("a whole number, {least} or more"), &text)),
        }
    }

    /// A finite number, if given or defaulted.
    pub fn number(&self, name: &str) -> Result<Option<f64>, PipelineError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(v) if v.is_finite() => Ok(Some(v)),
            _ => Err(self.refuse(name, "a number", &text)),
        }
    }

    /// Whether the value is `true` or `false`.
    pub fn is_word(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "false"))
    }

    /// The confidence level: between 0 and 1.
    pub fn level(&self) -> Result<f64, PipelineError> {
        let level = self.number("level")?.unwrap_or(0.95);
        if level > 0.0 && level < 1.0 {
            return Ok(level);
        }
        Err(self.refuse("level", "a number between 0 and 1", &level.to_string()))
    }

    /// True or false.
    pub fn switch(&self, name: &str) -> Result<bool, PipelineError> {
        match self.text(name).as_deref() {
            Some("true") => Ok(true),
            Some("false") | None => Ok(false),
            Some(other) => Err(self.refuse(name, "true or false", other)),
        }
    }

    /// A number of bytes.
    pub fn bytes(&self, name: &str) -> Result<u64, PipelineError> {
        let text = self.text(name).unwrap_or_default();
        parse_bytes(&text).ok_or_else(|| self.refuse(name, "bytes such as 4GiB, 512MiB or 1000000", &text))
    }

    /// The error for a value that cannot be used.
    pub fn refuse(&self, name: &str, expected: &str, found: &str) -> PipelineError {
        PipelineError::Option {
            origin: self.origin(name),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// `alpha_ratio` as `--alpha-ratio`.
fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// `4GiB` as a number of bytes; powers of two (`KiB`, `MiB`, `GiB`) or of ten (`KB`, `MB`, `GB`).
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, size)| text.strip_suffix(name).map(|n| (n, *size)))
        .unwrap_or((text, 1));
    let value: f64 = number.trim().parse().ok()?;
    let bytes = value * unit as f64;
    (1.0..1e18).contains(&bytes).then_some(bytes as u64)
}

/// A number as a person would write it: `0.1`, `1e-6`.
pub fn short(v: f64) -> String {
    if v != 0.0 && (v.abs() < 1e-3 || v.abs() >= 1e9) { format!("{v:e}") } else { v.to_string() }
}

/// A number of bytes in the largest binary unit that divides it, otherwise with one digit.
pub fn show_bytes(bytes: u64) -> String {
    for (name, size) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= size {
            return if bytes.is_multiple_of(size) {
                format!("{}{name}", bytes / size)
            } else {
                format!("{:.1}{name}", bytes as f64 / size as f64)
            };
        }
    }
    format!("{bytes}B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_method_takes_the_parameters_of_the_first_away() {
        let plan = || {
            let given =
                Options::default().with("method", "lasso").with("alpha_ratio", "0.1").with("affine", "false");
            given.with("tol", "1e-6").with("inputs", "10")
        };
        let over = |name: &str| {
            let mut options = plan();
            options.overlay(Options::default().with("method", name).with("seed", "3"));
            options.names().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(over("omp"), "inputs method seed");
        assert_eq!(over("elastic-net"), "affine alpha_ratio inputs method seed tol");
        assert_eq!(over("lasso"), "affine alpha_ratio inputs method seed tol");
    }

    #[test]
    fn bytes_are_read_in_both_kinds_of_units() {
        assert_eq!(parse_bytes("4GiB"), Some(4 << 30));
        assert_eq!(parse_bytes("1.5 MB"), Some(1_500_000));
        assert_eq!(parse_bytes("512"), Some(512));
        for bad in ["", "GiB", "-1GiB", "0", "four", "nan", "4TiB"] {
            assert_eq!(parse_bytes(bad), None, "{bad}");
        }
        assert_eq!(show_bytes(4 << 30), "4GiB");
        assert_eq!(show_bytes(1_500_000), "1.4MiB");
    }

    #[test]
    fn a_bad_value_names_its_origin() {
        let options = Options::default().with("inputs", "many");
        let err = options.count("inputs").unwrap_err().to_string();
        assert_eq!(err, "--inputs: expected a whole number, 1 or more, found \"many\"");
    }

    #[test]
    fn defaults_come_from_the_list() {
        let options = Options::default();
        assert_eq!(options.count("permutations").unwrap(), Some(199));
        assert_eq!(options.list("similarity"), ["ssc_cka", "linear_cka"]);
        assert!(options.switch("unit_rows").unwrap());
        assert_eq!(options.path("model"), None);
    }
}
