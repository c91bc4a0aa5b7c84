//! Activations against values that onnxruntime computed (`fixtures/make.py`), and the ways to stop.

#![allow(clippy::unwrap_used)]

mod common;

use std::ops::ControlFlow;

use common::{Rows, capture_pixels, fixture, load, pixels, position};
use subspect_nets::*;

fn close(found: f64, expected: f64, scale: f64) -> bool {
    (found - expected).abs() <= 1e-4 * scale.max(1.0)
}

#[test]
fn values_equal_onnxruntimes() {
    let text = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (model, values) in table.as_object().unwrap() {
        let mut net = load(&format!("{model}.onnx"));
        let channels = net.pictures().unwrap().shape.channels;
        for (value, expected) in values.as_object().unwrap() {
            let layer =
                net.layers().iter().position(|l| l.value == *value).unwrap_or_else(|| panic!("{value}"));
            let (_, rows) =
                capture_pixels(&mut net, &[layer], 3, channels, &CaptureOptions::default()).unwrap();
            let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
            assert_eq!(net.layers()[layer].shape, shape, "{model} {value}");
            let features = net.layers()[layer].n_values();
            for (i, row) in rows.layers[0].chunks(features).enumerate() {
                let norm = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
                let expected_norm = expected["norm"][i].as_f64().unwrap();
                assert!(close(norm, expected_norm, expected_norm), "{model} {value} {i}: {norm}");
                let sum: f64 = row.iter().map(|v| f64::from(*v)).sum();
                let scale = norm * (features as f64).sqrt();
                assert!(
                    close(sum, expected["sum"][i].as_f64().unwrap(), scale),
                    "{model} {value} {i}: {sum}"
                );
                for (k, v) in expected["first"][i].as_array().unwrap().iter().enumerate() {
                    assert!(
                        close(f64::from(row[k]), v.as_f64().unwrap(), 1.0),
                        "{model} {value} {i} {k}: {}",
                        row[k]
                    );
                }
            }
        }
    }
}

#[test]
fn a_fixed_batch_is_padded_and_the_padding_left_out() {
    let mut net = load("fixed_batch.onnx");
    let all: Vec<usize> = (0..net.layers().len()).collect();
    let (captured, rows) = capture_pixels(&mut net, &all, 6, 3, &CaptureOptions::default()).unwrap();
    assert_eq!((captured.batch, captured.predictions.len(), rows.calls), (4, 6, 2 * all.len()));
    let (_, four) = capture_pixels(&mut net, &all, 4, 3, &CaptureOptions::default()).unwrap();
    for (i, layer) in net.layers().iter().enumerate() {
        assert_eq!(rows.layers[i].len(), 6 * layer.n_values());
        assert_eq!(rows.layers[i][..4 * layer.n_values()], four.layers[i]);
    }
}

#[test]
fn batches_and_threads_do_not_change_a_bit() {
    let mut net = load("residual.onnx");
    let chosen = select(net.layers(), &["all"]).unwrap();
    let (captured, reference) = capture_pixels(&mut net, &chosen, 9, 3, &CaptureOptions::default()).unwrap();
    assert_eq!(captured.batch, 64);
    for threads in [1, 2, 3] {
        let options = LoadOptions { threads, ..LoadOptions::default() };
        let mut net = Network::load(&fixture("residual.onnx"), &options).unwrap();
        for batch in [1, 4] {
            let options = CaptureOptions { batch, ..CaptureOptions::default() };
            let (again, rows) = capture_pixels(&mut net, &chosen, 9, 3, &options).unwrap();
            assert_eq!(rows.layers, reference.layers, "{threads} threads, batch {batch}");
            assert_eq!(again.predictions, captured.predictions);
        }
    }
}

#[test]
fn a_small_budget_makes_small_batches() {
    let mut net = load("residual.onnx");
    let chosen = select(net.layers(), &["conv1"]).unwrap();
    let per_input = 4 * (4 * 64 + 3 + 3 * 64);
    let options = CaptureOptions { memory_budget: 2 * per_input, ..CaptureOptions::default() };
    assert_eq!(capture_pixels(&mut net, &chosen, 5, 3, &options).unwrap().0.batch, 2);
    let options = CaptureOptions { memory_budget: 0, ..CaptureOptions::default() };
    assert_eq!(capture_pixels(&mut net, &chosen, 5, 3, &options).unwrap().0.batch, 1);
}

#[test]
fn predictions_come_from_the_scores_before_the_softmax() {
    let mut net = load("residual.onnx");
    let (scores, probabilities) = (position(&net, "fc"), position(&net, "softmax"));
    let (captured, rows) =
        capture_pixels(&mut net, &[scores, probabilities], 5, 3, &CaptureOptions::default()).unwrap();
    for i in 0..5 {
        let row = &rows.layers[1][3 * i..3 * i + 3];
        let class = captured.predictions[i] as usize;
        assert!((row[class] - captured.confidence[i]).abs() < 1e-6);
        assert!(row.iter().all(|p| *p <= row[class]));
    }
    let hidden = position(&net, "conv1");
    let (again, rows) = capture_pixels(&mut net, &[hidden], 5, 3, &CaptureOptions::default()).unwrap();
    assert_eq!((again.predictions, rows.layers.len()), (captured.predictions, 1));
}

#[test]
fn pooling_keeps_one_value_per_channel() {
    let mut net = load("residual.onnx");
    let layer = position(&net, "layer1.0");
    let flat = capture_pixels(&mut net, &[layer], 2, 3, &CaptureOptions::default()).unwrap().1;
    for (pool, fold) in [
        (Pool::Avg, (|c: &[f32]| c.iter().sum::<f32>() / 16.0) as fn(&[f32]) -> f32),
        (Pool::Max, |c: &[f32]| c.iter().copied().fold(f32::MIN, f32::max)),
    ] {
        let options = CaptureOptions { pool, ..CaptureOptions::default() };
        let pooled = capture_pixels(&mut net, &[layer], 2, 3, &options).unwrap().1;
        let expected: Vec<f32> = flat.layers[0].chunks(16).map(fold).collect();
        assert_eq!(pooled.layers[0].len(), 12);
        assert!(pooled.layers[0].iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

struct Failing;

impl ActivationSink for Failing {
    fn append(&mut self, _: usize, _: usize, _: &[f32]) -> Result<(), BoxError> {
        Err("the disk is full".into())
    }
}

/// Captures `conv1` of six inputs in batches of two, with something going wrong.
fn attempt(
    sink: &mut dyn ActivationSink,
    normalize: &Normalize,
    broken_at: usize,
    stop_at: usize,
) -> Result<Captured, NetsError> {
    let mut net = load("residual.onnx");
    let chosen = [position(&net, "conv1"), position(&net, "bn1")];
    let image = net.pictures().unwrap().shape;
    let plan = Preprocess::new(net.pictures().unwrap(), image, PixelOrder::Hwc, normalize, Resize::Never)?;
    let data = pixels(6, image.len());
    let mut read = |range: std::ops::Range<usize>, out: &mut [u8]| {
        if range.contains(&broken_at) {
            return Err(BoxError::from("bad sector"));
        }
        out.copy_from_slice(&data[range.start * 192..range.end * 192]);
        Ok(())
    };
    let options = CaptureOptions { batch: 2, ..CaptureOptions::default() };
    let mut source = PixelSource { n_inputs: 6, read: &mut read };
    capture(&mut net, &chosen, &mut source, &plan, &options, sink, &mut |p| {
        assert_eq!(p.total, 6);
        if p.done >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

#[test]
fn what_stops_a_capture_is_named() {
    let none = Normalize::None;
    let e = attempt(&mut Failing, &none, 99, 99).unwrap_err().to_string();
    assert_eq!(e, "cannot store layer conv1: the disk is full");
    let e = attempt(&mut Rows::default(), &none, 3, 99).unwrap_err().to_string();
    assert_eq!(e, "cannot read inputs 2..4: bad sector");
    let e = attempt(&mut Rows::default(), &none, 99, 4).unwrap_err().to_string();
    assert_eq!(e, "cancelled after 4 of 6 inputs");
    assert!(attempt(&mut Rows::default(), &none, 99, 6).is_ok());
    let huge: Normalize = "0:1e-39".parse().unwrap();
    let e = attempt(&mut Rows::default(), &huge, 99, 99).unwrap_err().to_string();
    assert!(e.starts_with("layer ") && e.contains("for input 0; check the model's weights"), "{e}");
}

#[test]
fn grey_pictures_reach_a_colour_model() {
    let mut net = load("residual.onnx");
    let layer = position(&net, "fc");
    assert_eq!(
        capture_pixels(&mut net, &[layer], 2, 1, &CaptureOptions::default()).unwrap().1.layers[0].len(),
        6
    );
}

#[test]
fn batch_axes_that_were_traced_away_still_work_one_by_one() {
    let mut net = load("one_at_a_time.onnx");
    let all: Vec<usize> = (0..net.layers().len()).collect();
    let (captured, rows) = capture_pixels(&mut net, &all, 3, 3, &CaptureOptions::default()).unwrap();
    assert_eq!((captured.batch, captured.predictions.len(), rows.calls), (1, 3, 3 * all.len()));
}
