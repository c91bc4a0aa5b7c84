//! Tables as CSV: quoted as in RFC 4180, lines ended by a line feed, numbers in the shortest form that reads back
//! to the same bits. A value that could not be computed shows its status.

use std::path::Path;

use subspect_linalg::Measured;

use crate::atomic;
use crate::error::{DataError, Result};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A name.
    Text(String),
    /// A count or an index.
    Count(u64),
    /// A number, or the reason why there is none.
    Number(Measured),
    /// Nothing.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<usize> for Cell {
    fn from(n: usize) -> Self {
        Cell::Count(n as u64)
    }
}

impl From<u32> for Cell {
    fn from(n: u32) -> Self {
        Cell::Count(u64::from(n))
    }
}

impl From<f64> for Cell {
    fn from(v: f64) -> Self {
        Cell::Number(Measured::finite(v))
    }
}

impl From<Measured> for Cell {
    fn from(m: Measured) -> Self {
        Cell::Number(m)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(v: Option<T>) -> Self {
        v.map_or(Cell::Empty, Into::into)
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Text(text) => f.write_str(text),
            Cell::Count(n) => write!(f, "{n}"),
            Cell::Number(Measured::Value(v)) => write!(f, "{v:?}"),
            Cell::Number(Measured::Undefined(status)) => f.write_str(status.as_str()),
            Cell::Empty => Ok(()),
        }
    }
}

/// A table with named columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Column names.
    pub columns: Vec<String>,
    /// Rows, each as long as the columns.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&c| c.to_owned()).collect(), rows: Vec::new() }
    }

    /// Appends a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The table as CSV text.
    ///
    /// # Errors
    /// [`DataError::Argument`] when a row has too few or too many cells.
    pub fn to_csv(&self) -> Result<String> {
        let mut text = String::new();
        push_line(&mut text, self.columns.iter().map(String::as_str));
        for (i, row) in self.rows.iter().enumerate() {
            if row.len() != self.columns.len() {
                let (expected, found) = (self.columns.len(), row.len());
                return Err(DataError::Argument(format!(
                    "row {i}: expected {expected} cells, found {found}"
                )));
            }
            let cells: Vec<String> = row.iter().map(Cell::to_string).collect();
            push_line(&mut text, cells.iter().map(String::as_str));
        }
        Ok(text)
    }

    /// Writes the table to `path`, atomically.
    ///
    /// # Errors
    /// As [`Self::to_csv`], or [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        atomic::write_bytes(path, self.to_csv()?.as_bytes())
    }
}

fn push_line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (k, cell) in cells.enumerate() {
        if k > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push('\n');
}
