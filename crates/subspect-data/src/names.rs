//! Names on disk: the order people expect, and file names made of layer names.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::error::{DataError, Result};

/// Longest file stem made of a layer name; some file systems stop at 143 bytes.
const MAX_STEM: usize = 100;

/// Compares names so that `conv2` comes before `conv10`: runs of digits compare as numbers.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(&x), Some(&y)) = (left.first(), right.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (digit_run(left), digit_run(right));
            let (p, q) = (without_zeros(&left[..m]), without_zeros(&right[..n]));
            let order = p.len().cmp(&q.len()).then_with(|| p.cmp(q));
            if order.is_ne() {
                return order;
            }
            (left, right) = (&left[m..], &right[n..]);
        } else if x != y {
            return x.cmp(&y);
        } else {
            (left, right) = (&left[1..], &right[1..]);
        }
    }
    // Names that differ only in leading zeros (`1`, `01`) still need one fixed order.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

fn digit_run(s: &[u8]) -> usize {
    s.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&b| b == b'0').count();
    &digits[zeros..]
}

/// A file stem for a layer: letters, digits, `.`, `_` and `-` stay, every other byte becomes `%XX`. Different
/// names give different stems; very long names are cut and get a hash.
pub fn file_stem(name: &str) -> String {
    let mut stem = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || (byte == b'.' && at > 0);
        if plain {
            stem.push(byte as char);
        } else {
            stem.push_str(&format!("%{byte:02X}"));
        }
    }
    if stem.len() > MAX_STEM {
        let hash = blake3::hash(name.as_bytes()).to_hex();
        stem.truncate(MAX_STEM - 17);
        stem.push('-');
        stem.push_str(&hash[..16]);
    }
    if stem.is_empty() { "%".into() } else { stem }
}

/// The entries of a folder in natural order, hidden ones left out.
pub(crate) fn list_folder(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path).map_err(|e| DataError::io("read", path, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| DataError::io("read", path, e))?.path();
        if !file_name(&entry).starts_with('.') {
            found.push(entry);
        }
    }
    found.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
    Ok(found)
}

/// The last part of a path, as text.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The last part of a path without its extension, or of the folder it stands for (`.`, `a/..`).
pub(crate) fn short_name(path: &Path) -> String {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolved = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let stem = if resolved.is_dir() { resolved.file_name() } else { resolved.file_stem() };
    stem.map_or_else(|| "data".into(), |s| s.to_string_lossy().into_owned())
}

/// Whether the extension of `path` is one of `extensions`, in any case.
pub(crate) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|e| extensions.iter().any(|x| e.eq_ignore_ascii_case(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_sort_as_numbers() {
        let mut names = ["l10", "l2", "l1.9", "l1.10", "a", "l02", "l"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "l", "l1.9", "l1.10", "l02", "l2", "l10"]);
    }

    #[test]
    fn layer_names_become_safe_and_distinct_file_names() {
        assert_eq!(file_stem("layer1.0.conv1"), "layer1.0.conv1");
        assert_eq!(file_stem("/a b:0"), "%2Fa%20b%3A0");
        assert_eq!(file_stem(".."), "%2E.");
        assert_ne!(file_stem("a/b"), file_stem("a_b"));
        let (long, longer) = ("x".repeat(300), "x".repeat(301));
        assert!(file_stem(&long).len() <= MAX_STEM && file_stem(&long) != file_stem(&longer));
    }

    proptest! {
        #[test]
        fn natural_order_is_a_total_order(a in "[a0-2]{0,6}", b in "[a0-2]{0,6}", c in "[a0-2]{0,6}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b).is_eq(), a == b);
            if natural_order(&a, &b).is_le() && natural_order(&b, &c).is_le() {
                prop_assert!(natural_order(&a, &c).is_le());
            }
        }
    }
}
