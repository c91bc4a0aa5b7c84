//! A folder with one folder of pictures per class: `class/*.png|jpg|jpeg`, or `test/class/...` and
//! `train/class/...`.
//!
//! Classes and pictures come in natural order. All pictures have one size, unless a size to resize to is given.
//! They are read as one grey channel when every file is grey, else as RGB; transparency and EXIF rotation are
//! left out, 16-bit values are reduced to 8.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::{ImageDecoder, ImageReader};

use super::resize::resize;
use super::set::{Ids, Layout, Pixels};
use super::{Dataset, OpenOptions, Split};
use crate::error::{DataError, Result};
use crate::names::{file_name, has_extension, list_folder, short_name};

const EXTENSIONS: &[&str] = &["png", "jpg", "jpeg"];

pub(super) fn detect(path: &Path) -> bool {
    list_folder(path).is_ok_and(|entries| entries.iter().any(|e| e.is_dir() || has_extension(e, EXTENSIONS)))
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    let roots = roots(path, options)?;
    let (mut classes, mut files, mut labels): (Vec<String>, Vec<PathBuf>, Vec<u32>) = Default::default();
    for (k, root) in roots.iter().enumerate() {
        for (name, pictures) in class_folders(root)? {
            let label = match classes.iter().position(|c| *c == name) {
                Some(label) => label,
                None if k == 0 => {
                    classes.push(name);
                    classes.len() - 1
                }
                None => {
                    let (expected, mend) =
                        (format!("the classes of {}", file_name(&roots[0])), "choose one split");
                    return Err(DataError::malformed(
                        root,
                        "",
                        expected,
                        format!("the class '{name}'"),
                        mend,
                    ));
                }
            };
            labels.extend(std::iter::repeat_n(label as u32, pictures.len()));
            files.extend(pictures);
        }
    }
    let shape = common_shape(path, &files, options.resize)?;
    let ids = files.iter().map(|f| relative_id(path, f)).collect();
    Ok(Dataset {
        name: short_name(path),
        format: "image_folder",
        image_shape: shape,
        n_inputs: files.len(),
        ids: Ids::Names(ids),
        labels,
        classes,
        citation: None,
        pixels: Box::new(Files { files, shape, may_resize: options.resize.is_some() }),
        positions: OnceLock::new(),
    })
}

/// The folders that hold class folders: the path itself, or its parts when it has a `test` or `train` folder of
/// class folders.
fn roots(path: &Path, options: &OpenOptions) -> Result<Vec<PathBuf>> {
    let part = |names: &[&str]| {
        names
            .iter()
            .map(|n| path.join(n))
            .find(|p| list_folder(p).is_ok_and(|e| e.iter().any(|x| x.is_dir())))
    };
    let (train, test) = (part(&["train"]), part(&["test", "val"]));
    if train.is_none() && test.is_none() {
        options.refuse_split(path)?;
        return Ok(vec![path.to_owned()]);
    }
    let split = options.split.unwrap_or_default();
    let wanted = match split {
        Split::Test => vec![("test", test)],
        Split::Train => vec![("train", train)],
        Split::All => vec![("train", train), ("test", test)],
    };
    let missing = |name: &str| {
        let expected = format!("a folder '{name}' of class folders for the split '{}'", split.as_str());
        DataError::malformed(path, "", expected, "no such folder", "choose another split")
    };
    wanted.into_iter().map(|(name, folder)| folder.ok_or_else(|| missing(name))).collect()
}

/// Class folders with their pictures.
fn class_folders(root: &Path) -> Result<Vec<(String, Vec<PathBuf>)>> {
    let mut classes = Vec::new();
    let entries = list_folder(root)?;
    for folder in entries.iter().filter(|e| e.is_dir()) {
        let pictures: Vec<_> = list_folder(folder)?
            .into_iter()
            .filter(|f| f.is_file() && has_extension(f, EXTENSIONS))
            .collect();
        if pictures.is_empty() {
            let mend = "remove the folder, or put its pictures directly into it";
            return Err(DataError::malformed(folder, "", "pictures (.png, .jpg)", "none", mend));
        }
        classes.push((file_name(folder), pictures));
    }
    if classes.is_empty() {
        let n = entries.iter().filter(|e| has_extension(e, EXTENSIONS)).count();
        let found =
            if n == 0 { "no folder".to_owned() } else { format!("{n} pictures outside any class folder") };
        let mend = "put the pictures of each class into a folder named like the class";
        return Err(DataError::malformed(root, "", "one folder per class", found, mend));
    }
    Ok(classes)
}

/// Reads every header: the shape that all pictures share, or an error that names the odd one.
fn common_shape(path: &Path, files: &[PathBuf], resize: Option<(usize, usize)>) -> Result<[usize; 3]> {
    let mut is_grey = true;
    let mut sizes = Vec::with_capacity(files.len());
    for file in files {
        let (size, grey) = picture_header(file)?;
        is_grey &= grey;
        sizes.push(size);
    }
    let channels = if is_grey { 1 } else { 3 };
    if let Some((h, w)) = resize {
        return Ok([h, w, channels]);
    }
    let mut counts = BTreeMap::new();
    for &size in &sizes {
        *counts.entry(size).or_insert(0_usize) += 1;
    }
    // The most frequent size is the rule; on a tie the first picture decides.
    let most = counts.values().copied().max().unwrap_or(0);
    let (h, w) = sizes.iter().copied().find(|s| counts[s] == most).unwrap_or((0, 0));
    match sizes.iter().position(|&s| s != (h, w)) {
        None => Ok([h, w, channels]),
        Some(odd) => Err(DataError::malformed(
            &files[odd],
            "",
            format!("{h} x {w} pixels, like {most} of {} pictures in {}", files.len(), file_name(path)),
            format!("{} x {}", sizes[odd].0, sizes[odd].1),
            "give a size to resize all pictures to",
        )),
    }
}

/// (height, width), and whether the file is grey.
fn picture_header(file: &Path) -> Result<((usize, usize), bool)> {
    let decoder = reader(file)?.into_decoder().map_err(|e| unreadable(file, e))?;
    let (width, height) = decoder.dimensions();
    Ok(((height as usize, width as usize), !decoder.color_type().has_color()))
}

fn reader(file: &Path) -> Result<ImageReader<std::io::BufReader<std::fs::File>>> {
    ImageReader::open(file).and_then(|r| r.with_guessed_format()).map_err(|e| DataError::io("read", file, e))
}

fn unreadable(file: &Path, error: image::ImageError) -> DataError {
    let mend = "convert the file again, or remove it";
    DataError::malformed(file, "", "a readable PNG or JPEG picture", format!("'{error}'"), mend)
}

/// Path below `root` with forward slashes.
fn relative_id(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file);
    relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

struct Files {
    files: Vec<PathBuf>,
    shape: [usize; 3],
    may_resize: bool,
}

impl Pixels for Files {
    fn layout(&self) -> Layout {
        Layout::Hwc
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let file = &self.files[i];
        let [h, w, c] = self.shape;
        let picture = reader(file)?.decode().map_err(|e| unreadable(file, e))?;
        let size = (picture.height() as usize, picture.width() as usize);
        let pixels = if c == 1 { picture.into_luma8().into_raw() } else { picture.into_rgb8().into_raw() };
        if size == (h, w) {
            out.copy_from_slice(&pixels);
        } else if self.may_resize {
            out.copy_from_slice(&resize(&pixels, [size.0, size.1, c], (h, w))?);
        } else {
            let (expected, found) = (format!("{h} x {w} pixels"), format!("{} x {}", size.0, size.1));
            let mend = "the file changed after the data set was opened: start again";
            return Err(DataError::malformed(file, "", expected, found, mend));
        }
        Ok(())
    }
}
