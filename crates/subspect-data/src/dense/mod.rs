//! Dense arrays as NumPy keeps them: `.npy` files, `.npz` archives of them, and the [`Activations`] of one layer.
//!
//! Format: `\x93NUMPY`, version, length of the header, a Python dictionary with `descr`, `fortran_order` and
//! `shape`, padding to a multiple of 64 bytes, then the values (NumPy enhancement proposal 1). Versions 1 to 3
//! are read, version 1 is written. Little- and big-endian values are read, little-endian ones written.

mod activations;
mod dtype;
mod header;
mod npz;
mod read;
mod write;

pub use activations::Activations;
pub use dtype::{Dtype, Kind};
pub use header::Header;
pub use npz::{Npz, NpzWriter};
pub use read::{MAX_CLASSES, read_f32, read_f64, read_labels};
pub use write::{header_bytes, write_f32, write_f64, write_labels};

pub(crate) use header::{parse_header, read_header};
pub(crate) use npz::is_zip;
pub(crate) use read::{
    AXIS_MEND, decode_labels, decode_text, f64_values, flattened, npy_bytes, read_chunks, row_major,
};
