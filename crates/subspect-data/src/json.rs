//! JSON documents with a schema number, laid out for people too: one line per field of the document and of the
//! objects in it, and everything below (arrays of numbers, measured values) on that line.

use std::io::{self, Write};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, Serializer};

use crate::error::{DataError, Result};

/// Objects nested deeper than this stay on one line.
const INDENTED_DEPTH: usize = 2;

/// Parses a document, after checking that its `schema` is not newer than `known`.
pub(crate) fn parse<T: DeserializeOwned>(
    path: &Path,
    text: &[u8],
    what: &'static str,
    known: u32,
) -> Result<T> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    // A newer layout may not parse as ours, so its number is looked at first.
    let head: Schema = serde_json::from_slice(text).map_err(|e| broken(path, what, &e))?;
    if head.schema > known {
        return Err(DataError::NewerSchema { what, path: path.to_owned(), found: head.schema, known });
    }
    serde_json::from_slice(text).map_err(|e| broken(path, what, &e))
}

fn broken(path: &Path, what: &str, error: &serde_json::Error) -> DataError {
    let place = format!("line {}, column {}", error.line(), error.column());
    let mend = format!("the file is cut short or was edited: write the {what} again");
    DataError::malformed(path, place, format!("the JSON of one {what}"), format!("'{error}'"), mend)
}

/// The document as JSON, proved to be readable again: a NaN, which JSON cannot hold, is found here and not by the
/// next program.
pub(crate) fn to_bytes<T: Serialize + DeserializeOwned>(path: &Path, document: &T) -> Result<Vec<u8>> {
    let refuse = |e: serde_json::Error| {
        let reason = "a value that JSON cannot hold (NaN, infinity)";
        DataError::Argument(format!("cannot write {}: {reason}: {e}", path.display()))
    };
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Shallow::default());
    document.serialize(&mut serializer).map_err(refuse)?;
    serde_json::from_slice::<T>(&bytes).map_err(refuse)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// See the module's text.
#[derive(Default)]
struct Shallow {
    depth: usize,
    is_empty: bool,
}

impl Shallow {
    fn new_line<W: ?Sized + Write>(&self, writer: &mut W, depth: usize) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Shallow {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_empty = false;
        if self.depth > INDENTED_DEPTH {
            return if first { Ok(()) } else { writer.write_all(b", ") };
        }
        if !first {
            writer.write_all(b",")?;
        }
        self.new_line(writer, self.depth)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.depth < INDENTED_DEPTH && !self.is_empty {
            self.new_line(writer, self.depth)?;
        }
        self.is_empty = false;
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn fields_have_lines_and_arrays_do_not() {
        let document = json!({
            "a": [1, 2, {"b": {"c": 1, "d": [{}, {"e": null}]}, "f": {}}],
            "g": {},
            "h": "x, {y}: [z]",
        });
        let text = String::from_utf8(to_bytes(Path::new("x.json"), &document).unwrap()).unwrap();
        let expected = "{\n  \"a\": [1, 2, {\n    \"b\": {\"c\": 1, \"d\": [{}, {\"e\": null}]},\n    \"f\": {}\n  }],\n  \
                        \"g\": {},\n  \"h\": \"x, {y}: [z]\"\n}\n";
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
