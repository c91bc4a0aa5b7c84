//! CIFAR-100, binary version: a coarse label byte in 0..=19 and a fine one in 0..=99 per record.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::cifar_records::{
    IMAGE_SHAPE, RecordLayout, class_names, folder_with, missing_parts, open_records,
};
use super::{Dataset, OpenOptions, Split};
use crate::error::Result;
use crate::names::{file_name, has_extension};

const MEND: &str =
    "the file is cut short, damaged or of another layout: download it again, or name the format";

const FINE: RecordLayout =
    RecordLayout { title: "CIFAR-100", n_classes: &[20, 100], label_byte: 1, mend: MEND };
const COARSE: RecordLayout =
    RecordLayout { title: "CIFAR-100", n_classes: &[20, 100], label_byte: 0, mend: MEND };

const CITATION: &str =
    "CIFAR-100: A. Krizhevsky, Learning multiple layers of features from tiny images, technical report, 2009";

pub(super) fn detect(path: &Path) -> bool {
    if path.is_dir() {
        return folder(path).is_some();
    }
    let size = path.metadata().map_or(0, |m| m.len());
    let named = ["train.bin", "test.bin"].contains(&file_name(path).as_str());
    has_extension(path, &["bin"]) && (named || (size > 0 && size.is_multiple_of(FINE.record() as u64)))
}

fn folder(path: &Path) -> Option<PathBuf> {
    folder_with(path, "cifar-100-binary", |p| p.join("test.bin").is_file() || p.join("train.bin").is_file())
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    let (files, names_folder) = if path.is_dir() {
        let folder = folder(path).unwrap_or_else(|| path.to_owned());
        (parts(&folder, options.split.unwrap_or_default())?, folder)
    } else {
        options.refuse_split(path)?;
        (vec![path.to_owned()], path.parent().unwrap_or(Path::new("")).to_owned())
    };
    let (layout, names_file, standard): (_, _, &[&str]) = if options.coarse_labels {
        (&COARSE, "coarse_label_names.txt", &COARSE_CLASSES)
    } else {
        (&FINE, "fine_label_names.txt", &FINE_CLASSES)
    };
    let records = open_records(&files, layout)?;
    Ok(Dataset {
        name: "cifar100".to_owned(),
        format: "cifar100",
        image_shape: IMAGE_SHAPE,
        n_inputs: records.labels.len(),
        ids: records.ids,
        labels: records.labels,
        classes: class_names(&names_folder.join(names_file), standard)?,
        citation: Some(CITATION.to_owned()),
        pixels: Box::new(records.pixels),
        positions: OnceLock::new(),
    })
}

fn parts(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let wanted: &[&str] = match split {
        Split::Test => &["test.bin"],
        Split::Train => &["train.bin"],
        Split::All => &["train.bin", "test.bin"],
    };
    let files: Vec<_> = wanted.iter().map(|f| folder.join(f)).collect();
    match files.iter().find(|f| !f.is_file()) {
        Some(missing) => Err(missing_parts(folder, split.as_str(), &file_name(missing))),
        None => Ok(files),
    }
}

/// The coarse classes of the original data set, in label order.
#[rustfmt::skip]
const COARSE_CLASSES: [&str; 20] = [
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables",
    "household_electrical_devices", "household_furniture", "insects", "large_carnivores",
    "large_man-made_outdoor_things", "large_natural_outdoor_scenes", "large_omnivores_and_herbivores",
    "medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals", "trees",
    "vehicles_1", "vehicles_2",
];

/// The fine classes of the original data set, in label order (alphabetical).
#[rustfmt::skip]
const FINE_CLASSES: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];
