//! `.safetensors`: every tensor a layer, in natural order of names (the file itself sorts by type and name).

use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype as TensorType, TensorInfo};

use super::layers::{At, Found, SourceLayer};
use crate::bytes::Bytes;
use crate::dense::{Dtype, Header, Kind, decode_labels};
use crate::error::{DataError, Result};
use crate::names::natural_order;

pub(super) fn find(path: &Path) -> Result<Found> {
    let bytes = Bytes::map(path)?;
    let (header_len, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| {
        let mend = "the file is cut short or damaged: write or copy it again";
        DataError::malformed(path, "header", "a complete safetensors file", format!("'{e}'"), mend)
    })?;
    // Eight bytes hold the header's length.
    let start = 8 + header_len;
    let mut tensors: Vec<_> = metadata.tensors().into_iter().collect();
    tensors.sort_by(|a, b| natural_order(&a.0, &b.0));
    let mut found = Found::default();
    for (name, info) in tensors {
        let header = header(path, &name, info)?;
        let (from, to) = (start + info.data_offsets.0, start + info.data_offsets.1);
        if name == "labels" || name == "predictions" {
            let values = bytes.get(from..to).unwrap_or_default();
            let values = Some((name.clone(), decode_labels(path, &name, &header, values)?));
            *(if name == "labels" { &mut found.labels } else { &mut found.predictions }) = values;
        } else {
            found.layers.push(SourceLayer { name, path: path.to_owned(), header, at: At::Byte(from as u64) });
        }
    }
    Ok(found)
}

fn header(path: &Path, name: &str, info: &TensorInfo) -> Result<Header> {
    let kind = match info.dtype {
        TensorType::BOOL => Kind::Bool,
        TensorType::U8 => Kind::Unsigned(1),
        TensorType::U16 => Kind::Unsigned(2),
        TensorType::U32 => Kind::Unsigned(4),
        TensorType::U64 => Kind::Unsigned(8),
        TensorType::I8 => Kind::Signed(1),
        TensorType::I16 => Kind::Signed(2),
        TensorType::I32 => Kind::Signed(4),
        TensorType::I64 => Kind::Signed(8),
        TensorType::F16 => Kind::F16,
        TensorType::BF16 => Kind::Bf16,
        TensorType::F32 => Kind::F32,
        TensorType::F64 => Kind::F64,
        other => {
            let (place, mend) = (format!("array '{name}'"), "save it as float32");
            let expected = "float16, bfloat16, float32 or float64";
            return Err(DataError::malformed(path, place, expected, format!("{other:?}"), mend));
        }
    };
    Ok(Header { dtype: Dtype { kind, big_endian: false }, fortran_order: false, shape: info.shape.clone() })
}
