//! A table of activations as text, `.csv` or `.tsv`: one line of column names, then one line per input.
//!
//! Columns called `id`, `label` and `prediction` (or their plurals) say something about the input; every other column
//! is a feature of the one layer, which is called like the file. Labels are class indices, or names, which are numbered
//! in natural order. The file is read twice: once to check it all and to learn N and the labels, once to hand the
//! values on in blocks, so that memory does not hold the table.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::layers::{At, Found, SourceLayer};
use crate::dense::{Dtype, Header};
use crate::error::{DataError, Result};
use crate::names::{has_extension, natural_order, short_name};

/// What a table's columns are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    names: Vec<String>,
    features: Vec<usize>,
    id: Option<usize>,
    label: Option<usize>,
    prediction: Option<usize>,
}

pub(super) fn detect(path: &Path) -> bool {
    has_extension(path, &["csv", "tsv"])
}

pub(super) fn find(path: &Path) -> Result<Found> {
    let (mut reader, columns) = open(path)?;
    let (mut ids, mut labels, mut predictions) = (Vec::new(), Vec::new(), Vec::new());
    let mut n_inputs = 0;
    for_each_row(path, &mut reader, &columns, &mut |record, _| {
        let take = |from: Option<usize>, to: &mut Vec<String>| {
            to.extend(from.map(|c| record.get(c).unwrap_or_default().to_owned()));
        };
        take(columns.id, &mut ids);
        take(columns.label, &mut labels);
        take(columns.prediction, &mut predictions);
        n_inputs += 1;
        Ok(())
    })?;
    if n_inputs == 0 {
        let mend = "write one line of values per input";
        return Err(DataError::malformed(path, "line 2", "values", "the end of the file", mend));
    }
    let (labels, predictions, classes) = numbered(path, labels, predictions)?;
    let named = |what: &str| format!("column '{what}'");
    let shape = vec![n_inputs, columns.features.len()];
    let header = Header { dtype: Dtype::F32, fortran_order: false, shape };
    let some = |column: Option<usize>| column.map(|c| named(&columns.names[c]));
    Ok(Found {
        labels: some(columns.label).map(|name| (name, labels)),
        predictions: some(columns.prediction).map(|name| (name, predictions)),
        ids: some(columns.id).map(|name| (name, ids)),
        classes,
        layers: vec![SourceLayer { name: short_name(path), path: path.to_owned(), header, at: At::Table }],
    })
}

/// Hands the values to `f` in blocks of whole rows.
pub(super) fn stream(
    path: &Path,
    max_values: usize,
    f: &mut dyn FnMut(Vec<f32>, usize) -> Result<()>,
) -> Result<()> {
    let (mut reader, columns) = open(path)?;
    let (mut block, mut rows) = (Vec::new(), 0);
    for_each_row(path, &mut reader, &columns, &mut |_, values| {
        block.extend_from_slice(values);
        rows += 1;
        if block.len() + values.len() > max_values {
            f(std::mem::take(&mut block), std::mem::take(&mut rows))?;
        }
        Ok(())
    })?;
    if rows > 0 { f(block, rows) } else { Ok(()) }
}

/// Opens a table and reads its line of names.
fn open(path: &Path) -> Result<(Reader<File>, Columns)> {
    let mut head = String::new();
    let file = File::open(path).map_err(|e| DataError::io("read", path, e))?;
    BufReader::new(file).read_line(&mut head).map_err(|e| DataError::io("read", path, e))?;
    let delimiter = match head.as_str() {
        _ if has_extension(path, &["tsv"]) => b'\t',
        h if h.contains(';') && !h.contains(',') => b';',
        _ => b',',
    };
    let build = ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_path(path);
    let mut reader = build.map_err(|e| broken(path, &e))?;
    let names = reader.headers().map_err(|e| broken(path, &e))?.clone();
    let columns = Columns::of(path, &names)?;
    let mut features = columns.features.iter().map(|&c| &columns.names[c]);
    if columns.features.is_empty() || features.all(|name| name.parse::<f64>().is_ok()) {
        let found =
            if names.is_empty() { "an empty line".to_owned() } else { format!("'{}'", head.trim_end()) };
        let mend = "begin the table with a line of names; id, label and prediction are no features";
        return Err(DataError::malformed(path, "line 1", "names of columns", found, mend));
    }
    Ok((reader, columns))
}

impl Columns {
    fn of(path: &Path, names: &StringRecord) -> Result<Self> {
        let mut columns = Columns { names: names.iter().map(str::to_owned).collect(), ..Columns::default() };
        for (c, name) in names.iter().enumerate() {
            let place = match name.trim_start_matches('\u{feff}').to_lowercase().as_str() {
                "id" | "ids" => &mut columns.id,
                "label" | "labels" => &mut columns.label,
                "prediction" | "predictions" => &mut columns.prediction,
                _ => {
                    columns.features.push(c);
                    continue;
                }
            };
            if let Some(first) = place.replace(c) {
                let found = format!("columns {} and {}", first + 1, c + 1);
                let expected = format!("one column called '{name}'");
                return Err(DataError::malformed(path, "line 1", expected, found, "rename one of them"));
            }
        }
        Ok(columns)
    }
}

fn for_each_row(
    path: &Path,
    reader: &mut Reader<File>,
    columns: &Columns,
    f: &mut dyn FnMut(&StringRecord, &[f32]) -> Result<()>,
) -> Result<()> {
    let (mut record, mut values) = (StringRecord::new(), Vec::with_capacity(columns.features.len()));
    while reader.read_record(&mut record).map_err(|e| broken(path, &e))? {
        values.clear();
        for &c in &columns.features {
            let text = record.get(c).unwrap_or_default();
            match text.parse::<f32>() {
                Ok(v) if v.is_finite() => values.push(v),
                _ => {
                    let line = record.position().map_or(0, csv::Position::line);
                    let place = format!("line {line}, column {} ('{}')", c + 1, columns.names[c]);
                    let mend = "leave the column or the line out, or mend the value";
                    return Err(DataError::malformed(
                        path,
                        place,
                        "a finite number",
                        format!("'{text}'"),
                        mend,
                    ));
                }
            }
        }
        f(&record, &values)?;
    }
    Ok(())
}

/// Class indices of labels and predictions, and the classes' names where they are no indices.
type Numbered = (Vec<u32>, Vec<u32>, Vec<String>);

fn numbered(path: &Path, labels: Vec<String>, predictions: Vec<String>) -> Result<Numbered> {
    let indices = |texts: &[String]| -> Option<Vec<u32>> {
        texts.iter().map(|t| t.parse().ok().filter(|&v| v < crate::dense::MAX_CLASSES)).collect()
    };
    if let (Some(labels), Some(predictions)) = (indices(&labels), indices(&predictions)) {
        return Ok((labels, predictions, Vec::new()));
    }
    let mut names: Vec<&String> = labels.iter().chain(&predictions).collect();
    names.sort_by(|a, b| natural_order(a, b));
    names.dedup();
    if names.len() > crate::dense::MAX_CLASSES as usize {
        let expected = format!("at most {} classes", crate::dense::MAX_CLASSES);
        let mend = "is the label column one of ids? call it id";
        return Err(DataError::malformed(path, "column of labels", expected, names.len().to_string(), mend));
    }
    let index = |text: &String| names.binary_search_by(|n| natural_order(n, text)).unwrap_or(0) as u32;
    Ok((
        labels.iter().map(index).collect(),
        predictions.iter().map(index).collect(),
        names.iter().map(|n| (*n).clone()).collect(),
    ))
}

/// The reader's own words, with the line.
fn broken(path: &Path, error: &csv::Error) -> DataError {
    let place = error.position().map_or(String::new(), |p| format!("line {}", p.line()));
    match error.kind() {
        csv::ErrorKind::Io(e) => DataError::io("read", path, std::io::Error::new(e.kind(), e.to_string())),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => DataError::malformed(
            path,
            place,
            format!("{expected_len} columns, as in line 1"),
            len.to_string(),
            "every line has a value for every column",
        ),
        other => DataError::malformed(path, place, "UTF-8 text", format!("{other:?}"), "save it as UTF-8"),
    }
}
