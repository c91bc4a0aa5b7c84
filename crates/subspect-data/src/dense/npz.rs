//! `.npz` archives: a zip file of `.npy` arrays, as `numpy.savez` and SciPy write them.

use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Header, read_header};
use crate::bytes::Bytes;
use crate::error::{DataError, Result};

const MEND: &str = "write it again with numpy.savez";

/// An opened archive.
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    /// Array name and its entry in the archive, in the archive's order.
    entries: Vec<(String, usize)>,
}

/// Whether the file starts like a zip archive (an empty archive has only the end record).
pub(crate) fn is_zip(path: &Path) -> bool {
    let mut magic = [0_u8; 4];
    File::open(path).and_then(|mut f| f.read_exact(&mut magic)).is_ok()
        && (&magic == b"PK\x03\x04" || &magic == b"PK\x05\x06")
}

impl Npz {
    /// Opens an archive and lists its arrays.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when it is not a complete zip file, [`DataError::Io`] when it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| DataError::io("read", path, e))?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| broken(path, "", e))?;
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|e| broken(path, "", e))?;
            let name = entry.name().map_err(|e| broken(path, "", e))?;
            if let Some(array) = name.strip_suffix(".npy") {
                entries.push((array.to_owned(), index));
            }
        }
        Ok(Self { path: path.to_owned(), archive, entries })
    }

    /// Names of the arrays, in the archive's order.
    pub fn names(&self) -> Vec<&str> {
        self.entries.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Whether there is an array of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|(n, _)| n == name)
    }

    /// The header of one array, without reading its values.
    ///
    /// # Errors
    /// When there is no such array or its header is broken.
    pub fn header(&mut self, name: &str) -> Result<Header> {
        self.with_reader(name, |header, _| Ok(header.clone()))
    }

    /// Lets `f` read the values of one array, which follow the header in the stream it gets.
    ///
    /// # Errors
    /// When there is no such array, its header is broken, or `f` fails.
    pub(crate) fn with_reader<T>(
        &mut self,
        name: &str,
        f: impl FnOnce(&Header, &mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let index = self.index(name)?;
        let mut entry = self.archive.by_index(index).map_err(|e| broken(&self.path, name, e))?;
        let (header, _) = read_header(&self.path, name, &mut entry)?;
        f(&header, &mut entry)
    }

    /// Header and values of one array: memory-mapped when stored without compression, else decoded.
    pub(crate) fn array(&mut self, name: &str) -> Result<(Header, Bytes)> {
        let path = self.path.clone();
        let index = self.index(name)?;
        let mut entry = self.archive.by_index(index).map_err(|e| broken(&path, name, e))?;
        let stored = entry.compression() == CompressionMethod::Stored;
        let data_start = entry.data_start();
        let (header, header_len) = read_header(&path, name, &mut entry)?;
        let n_bytes = header.n_bytes();
        let bytes = match data_start {
            Some(start) if stored => Bytes::map(&path)?.skip(start as usize + header_len).take(n_bytes),
            _ => {
                let mut data = Vec::new();
                let n = (&mut entry).take(n_bytes as u64).read_to_end(&mut data);
                n.map_err(|e| broken(&path, name, e.into()))?;
                Bytes::Owned(data)
            }
        };
        if bytes.len() < n_bytes {
            return Err(DataError::malformed(
                &path,
                format!("array '{name}'"),
                format!("{n_bytes} bytes for shape {:?} of {}", header.shape, header.dtype.name()),
                format!("{} bytes", bytes.len()),
                MEND,
            ));
        }
        Ok((header, bytes))
    }

    fn index(&self, name: &str) -> Result<usize> {
        self.entries.iter().find(|(n, _)| n == name).map(|&(_, index)| index).ok_or_else(|| {
            let found = self.entries.iter().map(|(n, _)| format!("'{n}'")).collect::<Vec<_>>().join(", ");
            DataError::malformed(
                &self.path,
                "",
                format!("an array named '{name}'"),
                if found.is_empty() { "no arrays".into() } else { found },
                format!("save it with numpy.savez(..., {name}=...)"),
            )
        })
    }
}

/// Writes an archive array by array, compressed.
pub struct NpzWriter<W: Write + Seek> {
    path: PathBuf,
    zip: ZipWriter<W>,
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An empty archive on `writer`; `path` is for messages.
    pub fn new(writer: W, path: &Path) -> Self {
        Self { path: path.to_owned(), zip: ZipWriter::new(writer) }
    }

    /// Adds an array whose little-endian values in C order are `bytes`. The entries carry no time, so that equal
    /// arrays give equal files.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn add(&mut self, name: &str, descr: &str, shape: &[usize], bytes: &[u8]) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(bytes.len() >= u32::MAX as usize - (1 << 20));
        let io = |e| DataError::io("write", &self.path, e);
        self.zip.start_file(format!("{name}.npy"), options).map_err(|e| io(e.into()))?;
        self.zip.write_all(&super::header_bytes(descr, shape)).map_err(io)?;
        self.zip.write_all(bytes).map_err(io)
    }

    /// Writes the directory of the archive and gives the writer back.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn finish(self) -> Result<W> {
        let path = self.path;
        self.zip.finish().map_err(|e| DataError::io("write", &path, e.into()))
    }
}

fn broken(path: &Path, array: &str, error: zip::result::ZipError) -> DataError {
    let place = if array.is_empty() { String::new() } else { format!("array '{array}'") };
    DataError::malformed(path, place, "a complete .npz archive", format!("'{error}'"), MEND)
}
