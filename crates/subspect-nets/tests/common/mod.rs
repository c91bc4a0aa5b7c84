//! Shared by the integration tests.
#![allow(dead_code, clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use subspect_nets::*;

pub(crate) fn fixture(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(file)
}

/// The folder of models and data that are not in the repository; says which test goes without.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var_os("SUBSPECT_SHARED").map_or_else(|| PathBuf::from(default), PathBuf::from);
    if root.join("models").is_dir() {
        return Some(root);
    }
    eprintln!("skipped: {test}: needs ../shared");
    None
}

pub(crate) fn load(file: &str) -> Network {
    Network::load(&fixture(file), &LoadOptions { threads: 1, ..LoadOptions::default() }).unwrap()
}

pub(crate) fn load_error(file: &str) -> String {
    Network::load(&fixture(file), &LoadOptions::default()).unwrap_err().to_string()
}

pub(crate) fn names(network: &Network, chosen: &[usize]) -> Vec<String> {
    chosen.iter().map(|&i| network.layers()[i].name.clone()).collect()
}

/// The pictures of `fixtures/make.py`: byte k is `k² + 7 k + 3`, modulo 256.
pub(crate) fn pixels(n: usize, len: usize) -> Vec<u8> {
    (0..n * len).map(|k| ((k * k + 7 * k + 3) % 256) as u8).collect()
}

#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) layers: Vec<Vec<f32>>,
    pub(crate) calls: usize,
}

impl ActivationSink for Rows {
    fn append(&mut self, layer: usize, rows: usize, data: &[f32]) -> Result<(), BoxError> {
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, Vec::new());
        }
        assert_eq!(data.len() % rows, 0);
        self.layers[layer].extend_from_slice(data);
        self.calls += 1;
        Ok(())
    }
}

/// Captures `layers` of the test pictures, H x W x C, normalised by `none`.
pub(crate) fn capture_pixels(
    network: &mut Network,
    layers: &[usize],
    n: usize,
    channels: usize,
    options: &CaptureOptions,
) -> Result<(Captured, Rows), NetsError> {
    let image = ImageShape { channels, ..network.pictures().unwrap().shape };
    let plan = Preprocess::new(
        network.pictures().unwrap(),
        image,
        PixelOrder::Hwc,
        &Normalize::None,
        Resize::Never,
    )?;
    let (all, len) = (pixels(n, image.len()), image.len());
    let mut read = |range: std::ops::Range<usize>, out: &mut [u8]| {
        out.copy_from_slice(&all[range.start * len..range.end * len]);
        Ok(())
    };
    let mut source = PixelSource { n_inputs: n, read: &mut read };
    let mut rows = Rows::default();
    let captured =
        capture(network, layers, &mut source, &plan, options, &mut rows, &mut |_| ControlFlow::Continue(()))?;
    Ok((captured, rows))
}

pub(crate) fn position(network: &Network, name: &str) -> usize {
    network.layers().iter().position(|l| l.name == name).unwrap_or_else(|| panic!("no layer {name}"))
}
