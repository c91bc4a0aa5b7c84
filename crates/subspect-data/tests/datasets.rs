//! Data sets from files: what each layout gives, and what each kind of damage says.
#![allow(clippy::unwrap_used)]

mod common;

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use common::{f32_bytes, fixture, shared, write_npz};
use proptest::prelude::*;
use subspect_data::dataset::{self, Dataset, EmbeddedImages, OpenOptions, Split};
use subspect_data::subset::balanced_subset;
use subspect_linalg::Seed;

fn open(path: &Path) -> Dataset {
    dataset::open(path, &OpenOptions::default()).unwrap()
}

fn message(path: &Path, options: &OpenOptions) -> String {
    dataset::open(path, options).unwrap_err().to_string()
}

fn hwc(data: &Dataset, i: usize) -> Vec<u8> {
    let mut out = vec![0; data.n_pixels()];
    data.read_hwc(i, &mut out).unwrap();
    out
}

fn chw(data: &Dataset, i: usize) -> Vec<u8> {
    let mut out = vec![0; data.n_pixels()];
    data.read_chw(i, &mut out).unwrap();
    out
}

/// A record whose pixel bytes count up from `start`.
fn record(labels: &[u8], start: usize) -> Vec<u8> {
    labels.iter().copied().chain((start..start + 3072).map(|v| (v % 251) as u8)).collect()
}

#[test]
fn the_real_cifar10_test_batch() {
    let Some(path) = shared("the_real_cifar10_test_batch", "data/cifar10") else { return };
    let data = open(&path);
    assert_eq!((data.format(), data.len(), data.image_shape()), ("cifar10", 10_000, [32, 32, 3]));
    assert_eq!(data.classes()[9], "truck");
    let raw = fs::read(path.join("test_batch.bin")).unwrap();
    assert!((0..10_000).all(|i| data.labels()[i] == u32::from(raw[3073 * i])));
    let at = 3073 * 77 + 1;
    assert_eq!(chw(&data, 77), raw[at..at + 3072]);
    assert_eq!(
        hwc(&data, 77)[..6],
        [raw[at], raw[at + 1024], raw[at + 2048], raw[at + 1], raw[at + 1025], raw[at + 2049]]
    );

    let chosen = balanced_subset(&data, 1000, Seed::new(0)).unwrap();
    let count = |c: u32| chosen.iter().filter(|&&i| data.labels()[i] == c).count();
    assert!((0..10).all(|c| count(c) == 100));
    assert_eq!(data.hash(&chosen).unwrap(), data.hash(&chosen).unwrap());
    assert_ne!(data.hash(&chosen).unwrap(), data.hash(&chosen[1..]).unwrap());
    let err = balanced_subset(&data, 10_001, Seed::new(0)).unwrap_err().to_string();
    assert_eq!(err, "asked for 10001 inputs, but cifar10 has 10000; ask for at most 10000");

    let train =
        dataset::open(&path, &OpenOptions { split: Some(Split::All), ..OpenOptions::default() }).unwrap();
    assert_eq!((train.len(), train.id(10_003).as_str()), (20_000, "test_batch:3"));
    assert_eq!(train.position("test_batch:3"), Some(10_003));
    assert_eq!(chw(&train, 10_077), chw(&data, 77));
}

#[test]
fn damaged_cifar10_files_say_where() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("test_batch.bin");
    fs::write(&file, [record(&[1], 0), record(&[2], 9)[..100].to_vec()].concat()).unwrap();
    let text = message(&file, &OpenOptions::default());
    assert!(text.contains("byte 3173: expected a multiple of 3073 bytes"), "{text}");
    assert!(
        text.contains("found 3173 bytes: 1 whole records and 100 bytes more; the file is cut short"),
        "{text}"
    );

    fs::write(&file, [record(&[1], 0), record(&[10], 9)].concat()).unwrap();
    let text = message(dir.path(), &OpenOptions::default());
    assert!(text.contains("record 1, byte 3073: expected a CIFAR-10 label in 0..=9, found 10"), "{text}");

    fs::write(&file, b"").unwrap();
    assert!(message(&file, &OpenOptions::default()).contains("found an empty file"));

    fs::write(&file, record(&[1], 0)).unwrap();
    let text = message(dir.path(), &OpenOptions { split: Some(Split::Train), ..OpenOptions::default() });
    assert!(text.contains("expected data_batch_1.bin, ... for the split 'train'"), "{text}");
    let text = message(&file, &OpenOptions { split: Some(Split::Test), ..OpenOptions::default() });
    assert!(text.contains("found data without parts"), "{text}");
    fs::write(dir.path().join("batches.meta.txt"), "one\ntwo\n").unwrap();
    assert!(message(&file, &OpenOptions::default()).contains("expected 10 class names"));
}

#[test]
fn cifar100_has_fine_and_coarse_labels() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("test.bin");
    fs::write(&file, [record(&[4, 0], 0), record(&[14, 98], 5)].concat()).unwrap();
    let fine = open(dir.path());
    assert_eq!((fine.format(), fine.labels(), fine.classes().len()), ("cifar100", &[0, 98][..], 100));
    assert_eq!((fine.classes()[0].as_str(), fine.classes()[98].as_str()), ("apple", "woman"));
    assert_eq!(chw(&fine, 1)[..3], [5, 6, 7]);
    let coarse =
        dataset::open(&file, &OpenOptions { coarse_labels: true, ..OpenOptions::default() }).unwrap();
    assert_eq!((coarse.labels(), coarse.classes()[14].as_str()), (&[4, 14][..], "people"));
    fs::write(&file, record(&[20, 0], 0)).unwrap();
    assert!(
        message(&file, &OpenOptions::default())
            .contains("record 0, byte 0: expected a CIFAR-100 label in 0..=19")
    );
}

/// IDX bytes: magic, axes, values.
fn idx(magic: u32, axes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut out = magic.to_be_bytes().to_vec();
    out.extend(axes.iter().flat_map(|a| a.to_be_bytes()));
    out.extend(values);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn idx_files_find_their_labels_gzipped_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..24).collect();
    fs::write(dir.path().join("t10k-images-idx3-ubyte.gz"), gzip(&idx(0x803, &[2, 3, 4], &pixels))).unwrap();
    fs::write(dir.path().join("t10k-labels-idx1-ubyte"), idx(0x801, &[2], &[7, 2])).unwrap();
    fs::write(dir.path().join("train-images.idx3-ubyte"), idx(0x803, &[1, 3, 4], &pixels[..12])).unwrap();
    fs::write(dir.path().join("train-labels.idx1-ubyte.gz"), gzip(&idx(0x801, &[1], &[1]))).unwrap();
    let data = open(dir.path());
    assert_eq!(
        (data.format(), data.len(), data.image_shape(), data.labels()),
        ("idx", 2, [3, 4, 1], &[7, 2][..])
    );
    assert_eq!((hwc(&data, 1), data.classes().len()), (pixels[12..].to_vec(), 8));
    let all = dataset::open(dir.path(), &OpenOptions { split: Some(Split::All), ..OpenOptions::default() })
        .unwrap();
    assert_eq!((all.len(), all.id(0), all.id(2)), (3, "train:0".into(), "t10k:1".into()));
    let one = open(&dir.path().join("train-images.idx3-ubyte"));
    assert_eq!((one.len(), one.id(0)), (1, "0".into()));
}

#[test]
fn damaged_idx_files_say_where() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("a-images-idx3-ubyte");
    let labels = dir.path().join("a-labels-idx1-ubyte");
    let try_it = |i: &[u8], l: &[u8]| {
        fs::write(&images, i).unwrap();
        fs::write(&labels, l).unwrap();
        message(&images, &OpenOptions::default())
    };
    let (good_images, good_labels) = (idx(0x803, &[2, 2, 2], &[0; 8]), idx(0x801, &[2], &[0, 1]));
    let text = try_it(&idx(0x80d, &[2, 2, 2], &[0; 32]), &good_labels);
    assert!(
        text.contains("byte 0: expected the magic 0x00000803") && text.contains("found 0x0000080d"),
        "{text}"
    );
    assert!(try_it(&good_labels, &good_labels).contains("give the images file"));
    assert!(
        try_it(&good_images[..21], &good_labels)
            .contains("byte 21: expected 24 bytes for the axes [2, 2, 2]")
    );
    assert!(try_it(&good_images[..7], &good_labels).contains("expected 3 axes"));
    assert!(try_it(&[], &good_labels).contains("end of the file after 0 bytes"));
    assert!(try_it(&idx(0x803, &[u32::MAX; 3], &[]), &good_labels).contains("found 16 bytes"));
    let text = try_it(&good_images, &idx(0x801, &[1], &[0]));
    assert!(
        text.contains("expected 2 labels, as many as pictures in a-images-idx3-ubyte, found 1 labels"),
        "{text}"
    );
    assert!(try_it(&gzip(&good_images)[..20], &good_labels).contains("expected a complete gzip stream"));
    fs::remove_file(&labels).unwrap();
    fs::write(&images, &good_images).unwrap();
    let text = message(&images, &OpenOptions::default());
    assert!(
        text.contains("expected its labels beside it, in a-labels-idx1-ubyte or a-labels-idx1-ubyte.gz"),
        "{text}"
    );
}

fn picture(path: &Path, w: u32, h: u32, rgb: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(w, h, image::Rgb(rgb)).save(path).unwrap();
}

#[test]
fn an_image_folder_is_sorted_as_people_sort() {
    let dir = tempfile::tempdir().unwrap();
    for (name, rgb) in [("dog/2.png", [1, 2, 3]), ("dog/10.png", [4, 5, 6]), ("cat/a.png", [7, 8, 9])] {
        picture(&dir.path().join(name), 6, 4, rgb);
    }
    fs::write(dir.path().join("dog/notes.txt"), "not a picture").unwrap();
    let data = open(dir.path());
    assert_eq!(
        (data.format(), data.image_shape(), data.classes()),
        ("image_folder", [4, 6, 3], &["cat".into(), "dog".into()][..])
    );
    let ids: Vec<_> = (0..3).map(|i| data.id(i)).collect();
    assert_eq!(
        (ids, data.labels()),
        (vec!["cat/a.png".into(), "dog/2.png".into(), "dog/10.png".into()], &[0, 1, 1][..])
    );
    assert_eq!((hwc(&data, 2)[..4].to_vec(), chw(&data, 2)[24]), (vec![4, 5, 6, 4], 5));
    assert_eq!(data.position("dog/10.png"), Some(2));

    picture(&dir.path().join("cat/odd.png"), 5, 4, [0, 0, 0]);
    let text = message(dir.path(), &OpenOptions::default());
    assert!(
        text.contains("odd.png: expected 4 x 6 pixels, like 3 of 4 pictures in")
            && text.contains("found 4 x 5"),
        "{text}"
    );
    let small =
        dataset::open(dir.path(), &OpenOptions { resize: Some((2, 2)), ..OpenOptions::default() }).unwrap();
    assert_eq!((small.image_shape(), hwc(&small, 3)), ([2, 2, 3], [4, 5, 6].repeat(4)));
}

#[test]
fn grey_pictures_have_one_channel_and_parts_can_be_chosen() {
    let dir = tempfile::tempdir().unwrap();
    for (part, value) in [("train", 3), ("test", 9)] {
        let path = dir.path().join(part).join("x/0.png");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_pixel(2, 2, image::Luma([value])).save(path).unwrap();
    }
    let test = open(dir.path());
    assert_eq!(
        (test.image_shape(), test.id(0), hwc(&test, 0)),
        ([2, 2, 1], "test/x/0.png".into(), vec![9; 4])
    );
    let all = dataset::open(dir.path(), &OpenOptions { split: Some(Split::All), ..OpenOptions::default() })
        .unwrap();
    assert_eq!((all.len(), all.labels(), hwc(&all, 0)), (2, &[0, 0][..], vec![3; 4]));
}

#[test]
fn damaged_image_folders_say_which_file() {
    let dir = tempfile::tempdir().unwrap();
    assert!(message(dir.path(), &OpenOptions::default()).contains("found an empty folder"));
    fs::write(dir.path().join("a.txt"), "x").unwrap();
    assert!(message(dir.path(), &OpenOptions::default()).contains("found a folder of 1 entries (a.txt)"));
    picture(&dir.path().join("1.png"), 2, 2, [0; 3]);
    assert!(
        message(dir.path(), &OpenOptions::default()).contains("found 1 pictures outside any class folder")
    );
    fs::create_dir(dir.path().join("cat")).unwrap();
    assert!(
        message(dir.path(), &OpenOptions::default())
            .contains("cat: expected pictures (.png, .jpg), found none")
    );
    fs::write(dir.path().join("cat/bad.png"), "not a picture").unwrap();
    assert!(
        message(dir.path(), &OpenOptions::default()).contains("bad.png: expected a readable PNG or JPEG")
    );
    // A header that is whole and a body that is not: found when the picture is read.
    picture(&dir.path().join("cat/bad.png"), 30, 30, [9, 200, 3]);
    let bytes = fs::read(dir.path().join("cat/bad.png")).unwrap();
    fs::write(dir.path().join("cat/bad.png"), &bytes[..bytes.len() - 30]).unwrap();
    let data = open(dir.path());
    let err = data.read_hwc(0, &mut vec![0; data.n_pixels()]).unwrap_err().to_string();
    assert!(err.contains("bad.png: expected a readable PNG or JPEG"), "{err}");
}

#[test]
fn npz_pictures_from_numpy() {
    let bytes = open(&fixture("images_u8.npz"));
    let floats = open(&fixture("images_float.npz"));
    assert_eq!((bytes.len(), bytes.image_shape(), bytes.labels()), (2, [4, 5, 3], &[1, 0][..]));
    assert_eq!((floats.len(), floats.image_shape(), floats.labels()), (2, [4, 5, 3], &[1, 0][..]));
    assert_eq!(bytes.classes(), ["cat", "dög"]);
    assert_eq!((floats.classes(), floats.id(1)), (&["0".into(), "1".into()][..], "second".into()));
    for i in 0..2 {
        let expected: Vec<u8> = (i * 60..(i + 1) * 60).map(|v| v as u8).collect();
        assert_eq!((hwc(&bytes, i), hwc(&floats, i)), (expected.clone(), expected));
        assert_eq!(chw(&bytes, i), chw(&floats, i));
    }
    let chosen = [1, 0];
    assert_eq!(
        bytes.hash(&chosen).unwrap(),
        floats.hash(&chosen).unwrap(),
        "the hash is of pixels, not of files"
    );
}

#[test]
fn damaged_npz_files_say_which_array() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    let try_it = |arrays: &[(&str, &str, &[usize], Vec<u8>)]| {
        write_npz(&path, arrays);
        message(&path, &OpenOptions::default())
    };
    let text = try_it(&[("pictures", "|u1", &[1, 2, 2], vec![0; 4])]);
    assert!(text.contains("expected an array named 'images', found 'pictures'"), "{text}");
    let text = try_it(&[("images", "<i4", &[1, 2, 2], vec![0; 16])]);
    assert!(text.contains("array 'images': expected uint8, or floats in 0..1, found int32"), "{text}");
    let text = try_it(&[("images", "|u1", &[1, 2, 2, 2], vec![0; 8])]);
    assert!(text.contains("with 1, 3 or 4 channels, found [1, 2, 2, 2]"), "{text}");
    let text = try_it(&[("images", "|u1", &[2, 2, 2], vec![0; 8]), ("labels", "<i8", &[1], vec![0; 8])]);
    assert!(text.contains("array 'labels': expected 2 values, one per input, found 1"), "{text}");
    let text = try_it(&[("images", "|u1", &[1, 2, 2], vec![0; 4]), ("labels", "|i1", &[1], vec![255])]);
    assert!(text.contains("array 'labels', input 0: expected a label in 0..65536, found -1"), "{text}");
    let text = try_it(&[("images", "|u1", &[3, 2, 2], vec![0; 4])]);
    assert!(text.contains("expected 12 bytes for shape [3, 2, 2] of uint8, found 4 bytes"), "{text}");
    write_npz(&path, &[("images", "<f4", &[1, 1, 2], f32_bytes(&[0.5, 3.2]))]);
    let data = open(&path);
    let err = data.read_hwc(0, &mut [0; 2]).unwrap_err().to_string();
    assert!(
        err.contains("input 0: expected float values in 0..1, found 3.2; undo the normalisation"),
        "{err}"
    );
    fs::write(&path, b"PK\x03\x04 cut").unwrap();
    assert!(message(&path, &OpenOptions::default()).contains("expected a complete .npz archive"));
}

#[test]
fn unknown_paths_and_names_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(message(&dir.path().join("no"), &OpenOptions::default()).contains("cannot read"));
    let file = dir.path().join("x.dat");
    fs::write(&file, "12345").unwrap();
    let text = message(&file, &OpenOptions::default());
    assert!(
        text.contains(
            "expected a data set (tokens, npz, cifar10, cifar100, idx, image_folder), found a file of 5 bytes"
        ),
        "{text}"
    );
    let text = message(&file, &OpenOptions { format: Some("cifar".into()), ..OpenOptions::default() });
    assert!(text.contains("no data format is called 'cifar'; known: tokens, npz, cifar10"), "{text}");
    assert!("dev".parse::<Split>().unwrap_err().to_string().contains("no split is called 'dev'"));
    // Every layout, forced on a file that it is not, fails with a message.
    for format in dataset::FORMATS {
        assert!(
            dataset::open(&file, &OpenOptions { format: Some(format.name.into()), ..OpenOptions::default() })
                .is_err()
        );
        assert!(!format.summary.is_empty());
    }
}

#[test]
fn embedded_pictures_are_a_data_set() {
    let embedded = EmbeddedImages {
        name: "tiny".into(),
        image_shape: [1, 2, 3],
        pixels: Cow::Borrowed(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
        labels: vec![0, 1],
        classes: vec!["a".into(), "b".into()],
        citation: Some("made here".into()),
    };
    let data = embedded.clone().into_dataset().unwrap();
    assert_eq!((hwc(&data, 1), chw(&data, 1)), (vec![7, 8, 9, 10, 11, 12], vec![7, 10, 8, 11, 9, 12]));
    let info = data.info("none", "h".into());
    assert_eq!((info.format.as_str(), info.n_total, info.image_shape), ("embedded", 2, vec![1, 2, 3]));
    assert_eq!(data.inputs(&[1]).labels, [1]);
    assert!(data.read_hwc(2, &mut [0; 6]).is_err() && data.read_hwc(0, &mut [0; 5]).is_err());
    let bad = EmbeddedImages { labels: vec![0], ..embedded.clone() };
    assert!(bad.into_dataset().unwrap_err().to_string().contains("tiny: expected 2 labels, found 1"));
    let bad = EmbeddedImages { labels: vec![0, 2], ..embedded };
    assert!(bad.into_dataset().unwrap_err().to_string().contains("expected labels below 2, found 2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No file content makes any layout panic.
    #[test]
    fn any_bytes_are_a_data_set_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400), magic in 0_usize..4) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x-images-idx3-ubyte");
        let start: [&[u8]; 4] = [b"", b"PK\x03\x04", &[0x1f, 0x8b, 8, 0], &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0]];
        fs::write(&path, [start[magic], &bytes].concat()).unwrap();
        for format in dataset::FORMATS {
            let options = OpenOptions { format: Some(format.name.into()), ..OpenOptions::default() };
            prop_assert!(dataset::open(&path, &options).is_err());
        }
    }
}

fn ints(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn token_arrays_are_a_data_set_without_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.npz");
    let mut arrays = vec![
        ("input_ids", "<i8", &[3, 2][..], ints(&[5, 6, 7, 8, 9, 10])),
        ("attention_mask", "|b1", &[3, 2], vec![1, 1, 1, 0, 1, 1]),
        ("labels", "|u1", &[3], vec![0, 1, 0]),
    ];
    write_npz(&path, &arrays);
    let data = open(&path);
    assert_eq!((data.format(), data.len(), data.labels()), ("tokens", 3, &[0, 1, 0][..]));
    let tokens = data.tokens().unwrap();
    assert_eq!((tokens.n_tokens, tokens.arrays.len()), (2, 2));
    assert_eq!(tokens.chosen(&[2, 0])[0].values, [9, 10, 5, 6]);
    assert_eq!(tokens.arrays[1].values, [1, 1, 1, 0, 1, 1]);
    assert!(data.info("none", String::new()).image_shape.is_empty());
    let hash = data.hash(&[0, 1]).unwrap();
    assert_ne!(hash, data.hash(&[0, 2]).unwrap());
    // Another name or another token is another data set; the third input was not chosen.
    arrays[0].3 = ints(&[5, 6, 7, 8, 9, 11]);
    write_npz(&path, &arrays);
    assert_eq!(open(&path).hash(&[0, 1]).unwrap(), hash);
    arrays[0].3 = ints(&[5, 6, 7, 9, 9, 11]);
    write_npz(&path, &arrays);
    assert_ne!(open(&path).hash(&[0, 1]).unwrap(), hash);

    let refused = |arrays: &[(&str, &str, &[usize], Vec<u8>)], expected: &str| {
        write_npz(&path, arrays);
        let text = dataset::open(&path, &OpenOptions::default()).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    };
    arrays.push(("types", "<i8", &[2, 3], ints(&[0; 6])));
    refused(&arrays, "array 'types': expected shape [3, 2], that of 'input_ids', found [2, 3]");
    arrays[3] = ("extra", "<f4", &[3, 2], vec![0; 24]);
    refused(&arrays, "array 'extra': expected integers or bool, found float32");
    arrays[3] = ("lengths", "<i8", &[3], ints(&[0; 3]));
    refused(&arrays, "array 'lengths': expected N inputs x T tokens, neither of them 0, found shape [3]");
}
