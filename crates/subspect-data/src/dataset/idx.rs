//! IDX, the layout of MNIST and its family (LeCun, Cortes, Burges): big-endian magic, axes, then bytes. Plain or
//! gzipped.
//!
//! An images file `...images-idx3-ubyte[.gz]` finds `...labels-idx1-ubyte[.gz]` beside it. In a folder, `train`
//! in the name marks the training part, `t10k` or `test` the held-out one. Class names come from `classes.txt`
//! beside the files (one per line), else they are the labels' numbers.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::set::{Ids, Layout, Pixels, numbered_classes};
use super::{Dataset, OpenOptions, Split};
use crate::bytes::Bytes;
use crate::error::{DataError, Result};
use crate::names::{file_name, list_folder, short_name};

/// Unsigned bytes with one axis.
const LABELS: u32 = 0x0801;
/// Unsigned bytes with three axes: N x H x W.
const GREY: u32 = 0x0803;
/// Unsigned bytes with four axes: N x H x W x C.
const COLOUR: u32 = 0x0804;

pub(super) fn detect(path: &Path) -> bool {
    if path.is_dir() {
        return images_in(path).is_ok_and(|f| !f.is_empty());
    }
    if is_images_name(&file_name(path)) {
        return true;
    }
    // A whole gzip stream would have to be decoded to see its magic, so .gz goes by name alone.
    let start = Bytes::map(path).map(|b| b.get(..4).map(be_u32));
    matches!(start, Ok(Some(LABELS | GREY | COLOUR)))
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    let files = if path.is_dir() {
        parts(path, options.split.unwrap_or_default())?
    } else {
        options.refuse_split(path)?;
        vec![path.to_owned()]
    };
    let mut parts = Vec::new();
    let (mut labels, mut names) = (Vec::new(), Vec::new());
    for file in &files {
        let part = Part::open(file)?;
        let part_labels = read_labels(&labels_file(file)?, file, part.n)?;
        names.extend((0..part.n).map(|k| format!("{}:{k}", part_name(file))));
        labels.extend(part_labels);
        parts.push(part);
    }
    let image_shape = parts[0].shape;
    if let Some((file, part)) = files.iter().zip(&parts).find(|(_, p)| p.shape != image_shape) {
        let (expected, found) = (format!("pictures of shape {image_shape:?}"), format!("{:?}", part.shape));
        return Err(DataError::malformed(file, "byte 8", expected, found, "choose one split"));
    }
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    Ok(Dataset {
        name: short_name(if path.is_dir() { path } else { folder }),
        format: "idx",
        image_shape,
        n_inputs: labels.len(),
        ids: if files.len() > 1 { Ids::Names(names) } else { Ids::Number },
        classes: class_names(&folder.join("classes.txt"), &labels)?,
        labels,
        citation: None,
        pixels: Box::new(Parts(parts)),
        positions: OnceLock::new(),
    })
}

/// One images file.
struct Part {
    bytes: Bytes,
    n: usize,
    shape: [usize; 3],
    start: usize,
}

struct Parts(Vec<Part>);

impl Part {
    fn open(path: &Path) -> Result<Self> {
        let bytes = Bytes::map_or_gunzip(path)?;
        let expected = "the magic 0x00000803 (or 0x00000804 with channels) of IDX pictures";
        let magic = magic(path, &bytes, expected)?;
        if magic != GREY && magic != COLOUR {
            let (found, mend) = match magic {
                LABELS => ("the magic 0x00000801 of IDX labels".to_owned(), "give the images file"),
                _ => (
                    format!("{magic:#010x}"),
                    "only pictures of unsigned bytes can be read: convert the file",
                ),
            };
            return Err(DataError::malformed(path, "byte 0", expected, found, mend));
        }
        let n_axes = (magic & 0xff) as usize;
        let axes = axes(path, &bytes, n_axes)?;
        let shape = [axes[1], axes[2], axes.get(3).copied().unwrap_or(1)];
        if axes[0] == 0 || shape.contains(&0) || !matches!(shape[2], 1 | 3 | 4) {
            let (expected, found) = ("at least one picture of 1, 3 or 4 channels", format!("axes {axes:?}"));
            return Err(DataError::malformed(
                path,
                "byte 4",
                expected,
                found,
                "check where the file came from",
            ));
        }
        let start = 4 + 4 * n_axes;
        check_len(path, &bytes, start, &axes)?;
        Ok(Self { bytes, n: axes[0], shape, start })
    }
}

impl Pixels for Parts {
    fn layout(&self) -> Layout {
        Layout::Hwc
    }

    fn read(&self, mut i: usize, out: &mut [u8]) -> Result<()> {
        for part in &self.0 {
            if i < part.n {
                let at = part.start + i * out.len();
                out.copy_from_slice(&part.bytes[at..at + out.len()]);
                return Ok(());
            }
            i -= part.n;
        }
        Err(DataError::Argument(format!("no input {i}")))
    }
}

fn read_labels(path: &Path, images: &Path, n_images: usize) -> Result<Vec<u32>> {
    let bytes = Bytes::map_or_gunzip(path)?;
    let expected = "the magic 0x00000801 of IDX labels";
    let magic = magic(path, &bytes, expected)?;
    if magic != LABELS {
        let mend = "give labels as one unsigned byte per picture";
        return Err(DataError::malformed(path, "byte 0", expected, format!("{magic:#010x}"), mend));
    }
    let axes = axes(path, &bytes, 1)?;
    check_len(path, &bytes, 8, &axes)?;
    if axes[0] != n_images {
        return Err(DataError::malformed(
            path,
            "byte 4",
            format!("{n_images} labels, as many as pictures in {}", file_name(images)),
            format!("{} labels", axes[0]),
            "use the labels file that belongs to the images file",
        ));
    }
    Ok(bytes[8..].iter().map(|&b| u32::from(b)).collect())
}

fn be_u32(b: &[u8]) -> u32 {
    b.iter().fold(0, |n, &x| n << 8 | u32::from(x))
}

fn magic(path: &Path, bytes: &[u8], expected: &str) -> Result<u32> {
    bytes.get(..4).map(be_u32).ok_or_else(|| {
        let found = format!("the end of the file after {} bytes", bytes.len());
        DataError::malformed(path, "byte 0", expected, found, "download the file again")
    })
}

fn axes(path: &Path, bytes: &[u8], n_axes: usize) -> Result<Vec<usize>> {
    let Some(header) = bytes.get(4..4 + 4 * n_axes) else {
        let found = format!("the end of the file after {} bytes", bytes.len());
        return Err(DataError::malformed(
            path,
            "byte 4",
            format!("{n_axes} axes"),
            found,
            "download the file again",
        ));
    };
    Ok(header.chunks_exact(4).map(|b| be_u32(b) as usize).collect())
}

fn check_len(path: &Path, bytes: &[u8], start: usize, axes: &[usize]) -> Result<()> {
    let expected = axes.iter().try_fold(1_u128, |n, &a| n.checked_mul(a as u128)).map(|n| n + start as u128);
    if expected == Some(bytes.len() as u128) {
        return Ok(());
    }
    Err(DataError::malformed(
        path,
        format!("byte {}", bytes.len()),
        format!("{} bytes for the axes {axes:?}", expected.map_or("too many".into(), |n| n.to_string())),
        format!("{} bytes", bytes.len()),
        "the file is cut short or damaged: download it again",
    ))
}

fn is_images_name(name: &str) -> bool {
    name.contains("images") && name.contains("idx3")
}

/// Images files of a folder; a plain file hides its own gzipped copy.
fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let all = list_folder(folder)?;
    Ok(all
        .iter()
        .filter(|p| p.is_file() && is_images_name(&file_name(p)))
        .filter(|p| file_name(p).strip_suffix(".gz").is_none_or(|plain| !all.contains(&folder.join(plain))))
        .cloned()
        .collect())
}

fn parts(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let images = images_in(folder)?;
    let mut files = Vec::new();
    for (wanted, marks) in [(Split::Train, &["train"][..]), (Split::Test, &["t10k", "test"])] {
        if split != wanted && split != Split::All {
            continue;
        }
        let mut found: Vec<_> =
            images.iter().filter(|p| marks.iter().any(|m| file_name(p).contains(m))).cloned().collect();
        if found.len() != 1 {
            let names = images.iter().map(|p| file_name(p)).collect::<Vec<_>>().join(", ");
            return Err(DataError::malformed(
                folder,
                "",
                format!("one {} images file ({}...images-idx3-ubyte)", wanted.as_str(), marks[0]),
                if names.is_empty() { "no images file".into() } else { names },
                "give the images file itself, or choose another split",
            ));
        }
        files.append(&mut found);
    }
    Ok(files)
}

/// `train` of `train-images-idx3-ubyte.gz`.
fn part_name(images: &Path) -> String {
    let name = file_name(images);
    name.split_once("images")
        .map_or(name.as_str(), |(before, _)| before.trim_end_matches(['-', '_', '.']))
        .to_owned()
}

/// The labels file beside an images file, gzipped or not.
fn labels_file(images: &Path) -> Result<PathBuf> {
    let name = file_name(images);
    let labels = name.replacen("images", "labels", 1).replacen("idx3", "idx1", 1).replacen("idx4", "idx1", 1);
    let plain = labels.strip_suffix(".gz").unwrap_or(&labels).to_owned();
    let beside = |n: &str| images.with_file_name(n);
    let candidates = [beside(&labels), beside(&plain), beside(&format!("{plain}.gz"))];
    let found = candidates.iter().find(|c| c.is_file() && c.as_path() != images);
    found.cloned().ok_or_else(|| {
        DataError::malformed(
            images,
            "",
            format!("its labels beside it, in {plain} or {plain}.gz"),
            "neither file",
            "put the labels file there; the names must differ by images/labels and idx3/idx1",
        )
    })
}

fn class_names(file: &Path, labels: &[u32]) -> Result<Vec<String>> {
    let numbered = numbered_classes(labels);
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(numbered),
        Err(e) => return Err(DataError::io("read", file, e)),
    };
    let names: Vec<_> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    if names.len() < numbered.len() {
        let expected = format!("at least {} class names, one per line", numbered.len());
        let found = format!("{} lines with text", names.len());
        return Err(DataError::malformed(
            file,
            "",
            expected,
            found,
            "add the missing names, or remove the file",
        ));
    }
    Ok(names)
}
