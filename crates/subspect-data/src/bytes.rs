//! The content of a file: memory-mapped where it lies plainly on disk, in memory where it had to be decoded.
//!
//! The only place of this crate that maps memory. A map is undefined behaviour if another process shortens the
//! file meanwhile; data sets and finished stores are not written to while they are read.

use std::fs::File;
use std::io::Read;
use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::Mmap;

use crate::error::{DataError, Result};

/// Bytes of a file, mapped or owned.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// Decoded into memory.
    Owned(Vec<u8>),
    /// A part of a mapped file.
    Mapped { map: Mmap, range: Range<usize> },
}

impl Bytes {
    /// Maps a whole file.
    pub(crate) fn map(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| DataError::io("read", path, e))?;
        let len = file.metadata().map_err(|e| DataError::io("read", path, e))?.len();
        if len == 0 {
            return Ok(Bytes::Owned(Vec::new()));
        }
        // SAFETY: the map is read-only, and the module's limit on concurrent writers is stated above.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| DataError::io("read", path, e))?;
        let range = 0..map.len();
        Ok(Bytes::Mapped { map, range })
    }

    /// The same bytes without the first `n`; none when there are fewer.
    pub(crate) fn skip(self, n: usize) -> Self {
        match self {
            Bytes::Owned(mut data) => {
                data.drain(..n.min(data.len()));
                Bytes::Owned(data)
            }
            Bytes::Mapped { map, range } => {
                let start = (range.start + n).min(range.end);
                Bytes::Mapped { map, range: start..range.end }
            }
        }
    }

    /// Where these bytes begin in the mapped file.
    pub(crate) fn offset(&self) -> Option<usize> {
        match self {
            Bytes::Owned(_) => None,
            Bytes::Mapped { range, .. } => Some(range.start),
        }
    }

    /// The same bytes, at most `n` of them.
    pub(crate) fn take(self, n: usize) -> Self {
        match self {
            Bytes::Owned(mut data) => {
                data.truncate(n);
                Bytes::Owned(data)
            }
            Bytes::Mapped { map, range } => {
                let end = range.start.saturating_add(n).min(range.end);
                Bytes::Mapped { map, range: range.start..end }
            }
        }
    }

    /// Maps a file, or decodes it into memory when it starts with the gzip magic.
    pub(crate) fn map_or_gunzip(path: &Path) -> Result<Self> {
        let mapped = Bytes::map(path)?;
        if !mapped.starts_with(&[0x1f, 0x8b]) {
            return Ok(mapped);
        }
        let mut data = Vec::new();
        flate2::read::MultiGzDecoder::new(&*mapped).read_to_end(&mut data).map_err(|e| {
            DataError::malformed(
                path,
                "",
                "a complete gzip stream",
                format!("'{e}' after {} decoded bytes", data.len()),
                "copy or download the file again",
            )
        })?;
        Ok(Bytes::Owned(data))
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Owned(data) => data,
            Bytes::Mapped { map, range } => &map[range.clone()],
        }
    }
}
