//! The header of a `.npy` array.
//!
//! A small strict reader of its own: it needs no general Python parser, and no header, however broken, can make
//! it overflow, recurse or allocate.

use std::io::Read;
use std::path::Path;

use super::Dtype;
use crate::error::{DataError, Result};

/// Real headers are 128 bytes; only structured types, which are refused anyway, need more than a few hundred.
const MAX_HEADER: usize = 1 << 16;

const MEND: &str = "write it again with numpy.save";

/// What a `.npy` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Element type.
    pub dtype: Dtype,
    /// First axis fastest.
    pub fortran_order: bool,
    /// Axes; empty for a single value.
    pub shape: Vec<usize>,
}

impl Header {
    /// Number of elements. The header reader has checked that it and the bytes fit `usize`.
    pub fn n_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes of all elements.
    pub fn n_bytes(&self) -> usize {
        self.n_elements() * self.dtype.size()
    }

    /// Product of all axes after the first: the D of an N x D matrix.
    pub fn n_columns(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Whether values lie in C order, which arrays of one axis always do.
    pub fn is_row_major(&self) -> bool {
        !self.fortran_order || self.shape.iter().filter(|&&n| n > 1).count() < 2
    }
}

/// Reads the header at the current place of `reader`; afterwards the reader is at the first value. `array` names
/// the array within `path`, empty for a plain `.npy`. Also returns the header's length in bytes.
pub(crate) fn read_header(path: &Path, array: &str, reader: &mut dyn Read) -> Result<(Header, usize)> {
    let place =
        |text: &str| if array.is_empty() { text.to_owned() } else { format!("array '{array}', {text}") };
    let bad = |at: &str, expected: &str, found: String| {
        Err(DataError::malformed(path, place(at), expected, found, MEND))
    };
    let mut start = [0_u8; 8];
    let got = fill(reader, &mut start).map_err(|e| DataError::io("read", path, e))?;
    if got < 8 || &start[..6] != b"\x93NUMPY" {
        let text = start[..got.min(6)].escape_ascii().to_string();
        return bad("byte 0", "the .npy magic '\\x93NUMPY'", format!("'{text}'"));
    }
    let n_length_bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        v => return bad("byte 6", ".npy version 1, 2 or 3", format!("version {v}")),
    };
    let mut length = [0_u8; 4];
    let mut header = Vec::new();
    let mut complete = fill(reader, &mut length[..n_length_bytes])
        .map_err(|e| DataError::io("read", path, e))?
        == n_length_bytes;
    let n = u32::from_le_bytes(length) as usize;
    if n > MAX_HEADER {
        return bad("byte 8", &format!("a header of at most {MAX_HEADER} bytes"), format!("{n} bytes"));
    }
    if complete {
        header.resize(n, 0);
        complete = fill(reader, &mut header).map_err(|e| DataError::io("read", path, e))? == n;
    }
    if !complete {
        return bad("byte 8", "a whole header", "the end of the file".into());
    }
    let text = String::from_utf8_lossy(&header);
    match parse_dictionary(&text) {
        Ok(h) => Ok((h, 8 + n_length_bytes + n)),
        Err((expected, found)) => bad("header", &expected, found),
    }
}

/// Reads the header at the start of `bytes`; also returns where the values begin.
pub(crate) fn parse_header(path: &Path, array: &str, mut bytes: &[u8]) -> Result<(Header, usize)> {
    read_header(path, array, &mut bytes)
}

/// Reads until `buffer` is full or the stream ends.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`; the error is (expected, found).
fn parse_dictionary(text: &str) -> std::result::Result<Header, (String, String)> {
    let missing = |key: &str| (format!("the key '{key}'"), format!("'{}'", shorten(text)));
    let descr = value_of(text, "descr").ok_or_else(|| missing("descr"))?;
    let dtype = quoted(descr).and_then(Dtype::parse).ok_or_else(|| {
        ("numbers or text (float16/32/64, an integer type, bool, S, U)".to_owned(), shorten(descr))
    })?;
    let order = value_of(text, "fortran_order").ok_or_else(|| missing("fortran_order"))?;
    let fortran_order = match (order.starts_with("True"), order.starts_with("False")) {
        (true, _) => true,
        (_, true) => false,
        _ => return Err(("True or False for 'fortran_order'".into(), shorten(order))),
    };
    let axes = value_of(text, "shape").ok_or_else(|| missing("shape"))?;
    let shape =
        parse_shape(axes).ok_or_else(|| ("a tuple of sizes for 'shape'".to_owned(), shorten(axes)))?;
    let n_bytes = shape.iter().try_fold(dtype.size(), |n, &axis| n.checked_mul(axis));
    // An axis of 0 hides an overflow of the others, and `n_columns` multiplies those alone.
    let no_overflow = shape.iter().try_fold(dtype.size(), |n, &axis| n.checked_mul(axis.max(1)));
    if n_bytes.is_none() || no_overflow.is_none_or(|n| n > isize::MAX as usize) {
        return Err(("a shape that fits the address space".into(), format!("{shape:?}")));
    }
    Ok(Header { dtype, fortran_order, shape })
}

/// The text after `'key':`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let quote = ['\'', '"'].into_iter().find_map(|q| {
        let marker = format!("{q}{key}{q}");
        text.find(&marker).map(|at| at + marker.len())
    })?;
    text[quote..].trim_start().strip_prefix(':').map(str::trim_start)
}

/// The content of a leading string literal.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|q| *q == '\'' || *q == '"')?;
    text[1..].split_once(quote).map(|(inside, _)| inside)
}

/// `()`, `(3,)`, `(3, 4)`.
fn parse_shape(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let inside = inside.trim();
    let inside = inside.strip_suffix(',').unwrap_or(inside);
    if inside.is_empty() {
        return Some(Vec::new());
    }
    // Python 2 wrote long integers with a trailing L.
    inside.split(',').map(|n| n.trim().trim_end_matches('L').parse().ok()).collect()
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::header_bytes;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Result<(Header, usize)> {
        parse_header(Path::new("x.npy"), "", bytes)
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![3], vec![3, 4], vec![10_000, 16, 32, 32]] {
            let bytes = header_bytes("<f4", &shape);
            assert_eq!(bytes.len() % 64, 0);
            let (header, offset) = parse(&bytes).unwrap();
            assert_eq!((offset, header.dtype), (bytes.len(), Dtype::F32));
            assert_eq!((header.shape, header.fortran_order), (shape, false));
        }
    }

    #[test]
    fn broken_headers_are_named() {
        let message = |dict: &str| {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((dict.len() as u16).to_le_bytes());
            bytes.extend(dict.bytes());
            parse(&bytes).unwrap_err().to_string()
        };
        let shape = "'shape': (2, 3), }";
        assert!(message("{}").contains("expected the key 'descr'"));
        assert!(message(&format!("{{'descr': '|O', 'fortran_order': False, {shape}")).contains("found '|O'"));
        assert!(message(&format!("{{'descr': '<f4', 'fortran_order': 0, {shape}")).contains("True or False"));
        assert!(
            message("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}").contains("tuple of sizes")
        );
        let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 99999999999, 99999999999)}";
        assert!(message(huge).contains("address space"));
        assert!(
            parse(b"PK\x03\x04....").unwrap_err().to_string().contains("byte 0: expected the .npy magic")
        );
        assert!(parse(b"\x93NUMPY\x09\x00").unwrap_err().to_string().contains("version 9"));
        assert!(parse(b"\x93NUMPY\x01\x00\x76\x00{'de").unwrap_err().to_string().contains("end of the file"));
        assert!(parse(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").unwrap_err().to_string().contains("at most"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), version in 0_u8..5) {
            let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
            bytes.extend(tail);
            let _ = parse(&bytes);
        }

        #[test]
        fn no_dictionary_makes_it_panic(dict in "[{}'\":, ()LdescrshapeTrueFalse<f40-9é]{0,80}") {
            let _ = parse_dictionary(&dict);
        }
    }
}
