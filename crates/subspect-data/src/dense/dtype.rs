//! Element types of arrays on disk, and their values as numbers.

/// What one element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// NumPy `bool`, one byte.
    Bool,
    /// Unsigned integer of so many bytes: 1, 2, 4 or 8.
    Unsigned(usize),
    /// Signed integer of so many bytes: 1, 2, 4 or 8.
    Signed(usize),
    /// IEEE half precision.
    F16,
    /// The upper half of a float32 (safetensors only).
    Bf16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
    /// Fixed-length bytes, NumPy `S`.
    Bytes(usize),
    /// Fixed-length UTF-32, NumPy `U`, counted in characters.
    Text(usize),
}

/// An element type with its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    /// What one element is.
    pub kind: Kind,
    /// Most significant byte first.
    pub big_endian: bool,
}

impl Dtype {
    /// Little-endian float32, the type of the activation store.
    pub const F32: Dtype = Dtype { kind: Kind::F32, big_endian: false };

    /// Reads NumPy's spelling: `<f4`, `|u1`, `>i8`, `|S3`, `<U12`.
    pub fn parse(descr: &str) -> Option<Dtype> {
        let mut chars = descr.chars();
        let big_endian = match chars.next()? {
            '<' | '|' => false,
            '>' => true,
            '=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        let letter = chars.next()?;
        let size: usize = chars.as_str().parse().ok()?;
        let kind = match (letter, size) {
            ('b', 1) => Kind::Bool,
            ('u', 1 | 2 | 4 | 8) => Kind::Unsigned(size),
            ('i', 1 | 2 | 4 | 8) => Kind::Signed(size),
            ('f', 2) => Kind::F16,
            ('f', 4) => Kind::F32,
            ('f', 8) => Kind::F64,
            ('S', _) => Kind::Bytes(size),
            ('U', 0..=0xff_ffff) => Kind::Text(size),
            _ => return None,
        };
        Some(Dtype { kind, big_endian })
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self.kind {
            Kind::Bool => 1,
            Kind::Unsigned(n) | Kind::Signed(n) | Kind::Bytes(n) => n,
            Kind::F16 | Kind::Bf16 => 2,
            Kind::F32 => 4,
            Kind::F64 => 8,
            Kind::Text(n) => 4 * n,
        }
    }

    /// NumPy's long name, for messages: `float32`, `int64`.
    pub fn name(self) -> String {
        match self.kind {
            Kind::Bool => "bool".into(),
            Kind::Unsigned(n) => format!("uint{}", 8 * n),
            Kind::Signed(n) => format!("int{}", 8 * n),
            Kind::F16 => "float16".into(),
            Kind::Bf16 => "bfloat16".into(),
            Kind::F32 => "float32".into(),
            Kind::F64 => "float64".into(),
            Kind::Bytes(n) => format!("S{n}"),
            Kind::Text(n) => format!("U{n}"),
        }
    }

    /// Half, single or double precision.
    pub fn is_float(self) -> bool {
        matches!(self.kind, Kind::F16 | Kind::Bf16 | Kind::F32 | Kind::F64)
    }

    /// Any width, signed or not, and `bool`.
    pub fn is_integer(self) -> bool {
        matches!(self.kind, Kind::Bool | Kind::Unsigned(_) | Kind::Signed(_))
    }

    /// Appends the elements of `bytes` as float32; float64 values are rounded, too large ones become infinite.
    /// Text gives nothing.
    pub(crate) fn to_f32(self, bytes: &[u8], out: &mut Vec<f32>) {
        match self.kind {
            Kind::F32 => each(bytes, self.big_endian, |b| out.push(f32::from_le_bytes(b))),
            Kind::F16 => each(bytes, self.big_endian, |b| out.push(f16_to_f32(u16::from_le_bytes(b)))),
            Kind::Bf16 => each(bytes, self.big_endian, |b| {
                out.push(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16));
            }),
            Kind::F64 => each(bytes, self.big_endian, |b| out.push(f64::from_le_bytes(b) as f32)),
            _ => self.each_integer(bytes, |v| out.push(v as f32)),
        }
    }

    /// Appends the elements of `bytes` as float64. Text gives nothing.
    pub(crate) fn to_f64(self, bytes: &[u8], out: &mut Vec<f64>) {
        match self.kind {
            Kind::F64 => each(bytes, self.big_endian, |b| out.push(f64::from_le_bytes(b))),
            Kind::F32 | Kind::F16 | Kind::Bf16 => {
                let mut narrow = Vec::with_capacity(bytes.len() / self.size());
                self.to_f32(bytes, &mut narrow);
                out.extend(narrow.into_iter().map(f64::from));
            }
            _ => self.each_integer(bytes, |v| out.push(v as f64)),
        }
    }

    /// Calls `f` with every element of an integer array. Other types give nothing.
    pub(crate) fn each_integer(self, bytes: &[u8], mut f: impl FnMut(i128)) {
        let big = self.big_endian;
        match self.kind {
            Kind::Bool | Kind::Unsigned(1) => bytes.iter().for_each(|&b| f(i128::from(b))),
            Kind::Signed(1) => bytes.iter().for_each(|&b| f(i128::from(b as i8))),
            Kind::Unsigned(2) => each(bytes, big, |b| f(i128::from(u16::from_le_bytes(b)))),
            Kind::Unsigned(4) => each(bytes, big, |b| f(i128::from(u32::from_le_bytes(b)))),
            Kind::Unsigned(8) => each(bytes, big, |b| f(i128::from(u64::from_le_bytes(b)))),
            Kind::Signed(2) => each(bytes, big, |b| f(i128::from(i16::from_le_bytes(b)))),
            Kind::Signed(4) => each(bytes, big, |b| f(i128::from(i32::from_le_bytes(b)))),
            Kind::Signed(8) => each(bytes, big, |b| f(i128::from(i64::from_le_bytes(b)))),
            _ => {}
        }
    }
}

/// Calls `f` with each `W`-byte element in little-endian order.
fn each<const W: usize>(bytes: &[u8], big_endian: bool, mut f: impl FnMut([u8; W])) {
    for chunk in bytes.chunks_exact(W) {
        let mut element = [0_u8; W];
        element.copy_from_slice(chunk);
        if big_endian {
            element.reverse();
        }
        f(element);
    }
}

/// IEEE 754 half to single precision: exact, subnormals and NaN included.
fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // A subnormal is fraction x 2^-24, which single precision holds exactly.
        0 => f32::from_bits((fraction as f32 * (-24.0_f32).exp2()).to_bits() | sign),
        31 => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        let pairs = [
            (0x0000, 0.0_f32),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x8001, -5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ];
        for (half, single) in pairs {
            assert_eq!(f16_to_f32(half), single, "{half:#06x}");
        }
        assert_eq!(f16_to_f32(0xfc00), f32::NEG_INFINITY);
        assert!(f16_to_f32(0x7e00).is_nan());
    }

    #[test]
    fn every_integer_width_and_byte_order() {
        let read = |descr: &str, bytes: &[u8]| {
            let mut out = Vec::new();
            Dtype::parse(descr).unwrap().each_integer(bytes, |v| out.push(v));
            out
        };
        assert_eq!(read("|i1", &[0xff, 2]), [-1, 2]);
        assert_eq!(read(">i2", &[0xff, 0xfe]), [-2]);
        assert_eq!(read("<u2", &[1, 1]), [257]);
        assert_eq!(read(">u4", &[0, 0, 1, 0]), [256]);
        assert_eq!(read("<i8", &(-5_i64).to_le_bytes()), [-5]);
        assert_eq!(read("<u8", &u64::MAX.to_le_bytes()), [i128::from(u64::MAX)]);
        assert!(read("<f4", &[0; 8]).is_empty());
    }

    #[test]
    fn unknown_types_are_refused() {
        for descr in ["", "<", "f4", "<f16", "<c8", "|O8", "<i3", "<U99999999999", "<é4"] {
            assert!(Dtype::parse(descr).is_none(), "{descr}");
        }
        assert_eq!(Dtype::parse("|S3").unwrap().size(), 3);
        assert_eq!(Dtype::parse(">U3").unwrap().size(), 12);
    }
}
