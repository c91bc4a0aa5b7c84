//! Reading `record.json`, with a clear message for a record that is truncated, foreign or too new.

use std::path::Path;

use serde::Deserialize;
use subspect_data::record::{RECORD_SCHEMA, RunRecord};

use crate::error::ReportError;

/// The two fields that every schema has, read before the rest is trusted.
#[derive(Deserialize)]
struct Head {
    schema: u64,
    #[serde(default)]
    subspect_version: Option<String>,
}

/// Reads the record of a run directory.
pub fn read_record(run_dir: &Path) -> Result<RunRecord, ReportError> {
    let path = run_dir.join("record.json");
    let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ReportError::NoRecord { dir: run_dir.to_owned() },
        _ => ReportError::Io { action: "read", path: path.clone(), source },
    })?;
    parse_record(&text, &path)
}

/// Parses the text of a record; `path` is for messages.
pub(crate) fn parse_record(text: &str, path: &Path) -> Result<RunRecord, ReportError> {
    let explain = |source: serde_json::Error| {
        if source.is_eof() {
            ReportError::Truncated { path: path.to_owned(), line: source.line(), column: source.column() }
        } else {
            ReportError::Malformed { path: path.to_owned(), source }
        }
    };
    let head: Head = serde_json::from_str(text).map_err(explain)?;
    if head.schema > u64::from(RECORD_SCHEMA) {
        return Err(ReportError::Newer {
            path: path.to_owned(),
            found: head.schema,
            known: RECORD_SCHEMA,
            version: head.subspect_version.unwrap_or_else(|| "unknown".into()),
        });
    }
    serde_json::from_str(text).map_err(explain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RunRecord, ReportError> {
        parse_record(text, Path::new("run/record.json"))
    }

    #[test]
    fn a_newer_record_is_refused_by_schema_and_version() {
        let error = parse(r#"{"schema": 99, "subspect_version": "7.0.0", "unheard_of": []}"#).unwrap_err();
        assert!(matches!(error, ReportError::Newer { found: 99, .. }));
        let message = error.to_string();
        assert!(
            message.contains("schema 99") && message.contains("7.0.0") && message.contains("update"),
            "{message}"
        );
    }

    #[test]
    fn a_truncated_record_says_where_it_ends_and_how_to_mend_it() {
        let error = parse("{\"schema\": 1,\n \"subspect_ver").unwrap_err();
        assert!(matches!(error, ReportError::Truncated { line: 2, .. }), "{error}");
        assert!(error.to_string().contains("resumes"));
        assert!(matches!(parse(""), Err(ReportError::Truncated { .. })));
    }

    #[test]
    fn something_else_is_malformed() {
        assert!(matches!(parse("[1, 2]"), Err(ReportError::Malformed { .. })));
        assert!(matches!(parse("{\"schema\": 1}"), Err(ReportError::Malformed { .. })));
    }

    #[test]
    fn a_directory_without_record_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = read_record(dir.path()).unwrap_err();
        assert!(matches!(error, ReportError::NoRecord { .. }));
    }
}
