//! Options from a TOML file: flat `name = value` lines, the same names as on the command line with `_`.

use std::path::Path;

use super::{Options, all_names, nearest};
use crate::PipelineError;

/// Reads a configuration. Unknown keys are refused with the nearest known one.
///
/// # Errors
/// When the file cannot be read, is not TOML, or has an unknown key or a value that is a table or a date.
pub fn read_config(path: &Path) -> Result<Options, PipelineError> {
    config_options(&config_table(path)?, &path.display().to_string())
}

/// The contents of a TOML file.
pub(crate) fn config_table(path: &Path) -> Result<toml::Table, PipelineError> {
    let text = std::fs::read_to_string(path).map_err(|source| PipelineError::io("read", path, source))?;
    parse_table(&text, &path.display().to_string())
}

fn parse_table(text: &str, file: &str) -> Result<toml::Table, PipelineError> {
    toml::from_str(text).map_err(|e| PipelineError::ConfigSyntax {
        file: file.to_owned(),
        line: e.span().map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() + 1),
        reason: e.message().to_owned(),
    })
}

/// Flat values as options; `file` is what messages call the place.
pub(crate) fn config_options(table: &toml::Table, file: &str) -> Result<Options, PipelineError> {
    known_options(table, file, &all_names())
}

/// The same for options called `known`.
pub(crate) fn known_options(
    table: &toml::Table,
    file: &str,
    known: &[&str],
) -> Result<Options, PipelineError> {
    let mut options = Options::default();
    for (name, value) in table {
        if !known.contains(&name.as_str()) {
            return Err(PipelineError::UnknownKey {
                file: file.to_owned(),
                key: name.clone(),
                nearest: nearest(name, known.iter().copied()).map(str::to_owned),
            });
        }
        let words = words(value).ok_or_else(|| PipelineError::Option {
            origin: format!("{name} in {file}"),
            expected: "a number, a text, true or false, or a list of texts".into(),
            found: value.to_string(),
        })?;
        options.set(name, words, &format!("{name} in {file}"));
    }
    Ok(options)
}

fn words(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(s) => Some(vec![s.clone()]),
        toml::Value::Integer(i) => Some(vec![i.to_string()]),
        toml::Value::Float(f) => Some(vec![f.to_string()]),
        toml::Value::Boolean(b) => Some(vec![b.to_string()]),
        toml::Value::Array(items) => {
            items.iter().map(|i| words(i).filter(|w| w.len() == 1).map(|mut w| w.remove(0))).collect()
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_config(text: &str, file: &str) -> Result<Options, PipelineError> {
        config_options(&parse_table(text, file)?, file)
    }

    fn error(text: &str) -> String {
        parse_config(text, "c.toml").unwrap_err().to_string()
    }

    #[test]
    fn values_of_every_type_are_read() {
        let text = "inputs = 500\nalpha_ratio = 0.05\nunit_rows = false\nlayers = [\"conv1\", \"layer*\"]\nmethod = 'omp'";
        let options = parse_config(text, "c.toml").unwrap();
        assert_eq!(options.count("inputs").unwrap(), Some(500));
        assert_eq!(options.number("alpha_ratio").unwrap(), Some(0.05));
        assert!(!options.switch("unit_rows").unwrap());
        assert_eq!(options.list("layers"), ["conv1", "layer*"]);
    }

    #[test]
    fn mistakes_are_located() {
        let e = error("input = 5");
        assert!(e.contains("\"input\"") && e.contains("c.toml"), "{e}");
        assert!(error("inputs = 5\nmethod = ").contains("line 2"));
        assert!(error("[inputs]\nx = 1").contains("inputs in c.toml"));
    }
}
