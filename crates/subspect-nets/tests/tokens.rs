//! Text encoders: several integer inputs, layer names and kinds, values against PyTorch's (`fixtures/encoder.py`).

#![allow(clippy::unwrap_used)]

mod common;

use std::ops::ControlFlow;

use common::{Rows, fixture, load, names, position};
use subspect_nets::*;

const N: usize = 5;
const T: usize = 9;

/// The sentences of `fixtures/encoder.py`, under the names of either model.
fn tokens() -> Tokens {
    let mask: Vec<i64> = (0..N * T).map(|k| i64::from(k % T <= (3 * (k / T) + 1) % T)).collect();
    let ids = |k: usize| (1 + (k * k + 7 * k + 3) % 39) as i64 * mask[k];
    let ids: Vec<i64> = (0..N * T).map(ids).collect();
    let types = (0..N * T).map(|k| ((k / 3) % 2) as i64 * mask[k]).collect();
    let arrays =
        [("input_ids", ids.clone()), ("attention_mask", mask), ("token_type_ids", types), ("ids", ids)];
    Tokens::new(N, T, arrays.map(|(name, values)| (name.to_owned(), values)).to_vec()).unwrap()
}

fn load_for(file: &str, n_tokens: usize) -> Network {
    let options = LoadOptions { threads: 1, n_tokens: Some(n_tokens), ..LoadOptions::default() };
    Network::load(&fixture(file), &options).unwrap()
}

fn rows(net: &mut Network, layers: &[usize], tokens: &Tokens, pool: Pool, batch: usize) -> (Captured, Rows) {
    let mut rows = Rows::default();
    let options = CaptureOptions { pool, batch, ..CaptureOptions::default() };
    let mut on = |_: Progress| ControlFlow::Continue(());
    let captured = capture_tokens(net, layers, tokens, &options, &mut rows, &mut on).unwrap();
    (captured, rows)
}

fn table(net: &Network, chosen: &[usize]) -> Vec<String> {
    let line = |l: &Layer| format!("{} {} {} {}", l.name, l.kind, l.op_type, l.describe_shape());
    chosen.iter().map(|&i| line(&net.layers()[i])).collect()
}

#[test]
fn an_encoder_like_bert_has_embeddings_blocks_and_a_pooler() {
    let net = load("encoder.onnx");
    let NetworkInput::Tokens(spec) = net.input() else { panic!("{:?}", net.input()) };
    assert_eq!((spec.n_tokens, spec.is_open, spec.fixed_batch), (8, true, None));
    assert_eq!(spec.inputs[1], ("attention_mask".to_owned(), "int64"));
}

#[test]
fn the_default_selection_of_encoders() {
    let net = load_for("encoder.onnx", T);
    let chosen = select(net.layers(), &["paper"]).unwrap();
    assert_eq!(
        table(&net, &chosen),
        [
            "embeddings embedding LayerNormalization 9x16",
            "encoder.layer.0.attention.output block Add+LayerNormalization 9x16",
            "encoder.layer.0.output block Add+LayerNormalization 9x16",
            "encoder.layer.1.attention.output block Add+LayerNormalization 9x16",
            "encoder.layer.1.output block Add+LayerNormalization 9x16",
            "pooler.activation activation Tanh 16",
        ]
    );
    assert_eq!((net.logits(), net.n_classes()), (None, None));
    let all: Vec<usize> = (0..net.layers().len()).collect();
    let all = names(&net, &all);
    for name in ["encoder.layer.1.attention.self.query", "encoder.layer.0.intermediate.intermediate_act_fn"] {
        assert!(all.iter().any(|n| n == name), "{name} is not in {all:?}");
    }
    assert!(!all.iter().any(|n| n.contains("erf") || n.contains("sqrt")), "{all:?}");

    let net = load_for("sentences.onnx", T);
    let chosen = select(net.layers(), &["paper"]).unwrap();
    assert_eq!(
        table(&net, &chosen),
        [
            "embed embedding Gather 9x16",
            "blocks.0.add block Add 9x16",
            "blocks.0 block Add 9x16",
            "blocks.1.add block Add 9x16",
            "blocks.1 block Add 9x16",
            "head linear Gemm 3",
        ]
    );
    assert_eq!(
        (net.logits().map(|i| net.layers()[i].name.as_str()), net.n_classes()),
        (Some("head"), Some(3))
    );
}

#[test]
fn values_equal_pytorchs() {
    let text = std::fs::read_to_string(fixture("encoder.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (model, modules) in expected.as_object().unwrap() {
        let mut net = load_for(&format!("{model}.onnx"), T);
        for (module, expected) in modules.as_object().unwrap() {
            // Some modules return the value of a module within them.
            let name = match module.as_str() {
                "pooler" => "pooler.activation",
                "encoder.layer.0.intermediate" => "encoder.layer.0.intermediate.intermediate_act_fn",
                name => name,
            };
            let layer = position(&net, name);
            let (_, found) = rows(&mut net, &[layer], &tokens(), Pool::Flatten, 2);
            let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
            assert_eq!(net.layers()[layer].shape, shape, "{model} {module}");
            for (i, row) in found.layers[0].chunks(net.layers()[layer].n_values()).enumerate() {
                let close = |a: f64, b: &serde_json::Value| (a - b.as_f64().unwrap()).abs() < 1e-4;
                let sum: f64 = row.iter().map(|v| f64::from(*v)).sum();
                assert!(close(sum, &expected["sum"][i]), "{model} {module} {i}: {sum}");
                for (k, v) in expected["first"][i].as_array().unwrap().iter().enumerate() {
                    assert!(close(f64::from(row[k]), v), "{model} {module} {i} {k}: {}", row[k]);
                }
            }
        }
    }
}

#[test]
fn padding_does_not_change_pooled_rows() {
    // BERT's attention leaves padding out, so a sentence alone and in a longer row give the same tokens.
    let long = tokens();
    let mut net = load_for("encoder.onnx", T);
    let layers = select(net.layers(), &["paper"]).unwrap();
    for pool in [Pool::Cls, Pool::Mean, Pool::Last, Pool::Max] {
        let (_, padded) = rows(&mut net, &layers, &long, pool, 64);
        // The first sentence has two tokens: those of `tokens`, at T = 2.
        let arrays =
            [("input_ids", vec![4, 12]), ("attention_mask", vec![1, 1]), ("token_type_ids", vec![0, 0])];
        let two = Tokens::new(1, 2, arrays.map(|(name, v)| (name.to_owned(), v)).to_vec()).unwrap();
        let mut short = load_for("encoder.onnx", 2);
        let (_, alone) = rows(&mut short, &layers, &two, pool, 64);
        for (i, row) in alone.layers.iter().enumerate() {
            assert_eq!(row.len(), pool.n_features(&net.layers()[layers[i]]));
            let differs = row.iter().zip(&padded.layers[i]).any(|(a, b)| (a - b).abs() > 1e-5);
            assert!(!differs, "{pool} of {}", net.layers()[layers[i]].name);
        }
    }
    let (captured, _) = rows(&mut net, &layers, &long, Pool::Mean, 2);
    assert_eq!((captured.batch, captured.predictions.len()), (2, 0));
}

#[test]
fn attention_maps_are_pooled_over_their_queries() {
    let mut net = load_for("encoder.onnx", T);
    let layer = position(&net, "encoder.layer.0.attention.self.softmax");
    assert_eq!(
        (net.layers()[layer].shape.as_slice(), net.layers()[layer].token_axis),
        (&[2, T, T][..], Some(1))
    );
    let (_, found) = rows(&mut net, &[layer], &tokens(), Pool::Mean, 64);
    for row in found.layers[0].chunks(T) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn class_scores_give_predictions() {
    let mut net = load_for("sentences.onnx", T);
    let head = position(&net, "head");
    let (captured, found) = rows(&mut net, &[head], &tokens(), Pool::Last, 3);
    for (i, row) in found.layers[0].chunks(3).enumerate() {
        let best = (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        assert_eq!(captured.predictions[i] as usize, best);
    }
}

#[test]
fn mistakes_are_explained() {
    let mut net = load_for("encoder.onnx", 2);
    let only_ids = Tokens::new(1, 2, vec![("input_ids".to_owned(), vec![4, 12])]).unwrap();
    let mut rows = Rows::default();
    let mut on = |_: Progress| ControlFlow::Continue(());
    let options = CaptureOptions::default();
    let e = capture_tokens(&mut net, &[0], &only_ids, &options, &mut rows, &mut on).unwrap_err().to_string();
    assert!(e.contains("has an input attention_mask (int64, N x T), the data have input_ids"), "{e}");
    assert!(e.ends_with("1 for tokens, 0 for padding"), "{e}");
    let padding = vec![("input_ids".to_owned(), vec![4, 12]), ("attention_mask".to_owned(), vec![0, 0])];
    let e = Tokens::new(1, 2, padding).unwrap_err().to_string();
    assert_eq!(e, "attention_mask, input 1: expected at least one token (1), found only padding (0)");
    let e = Tokens::new(2, 2, vec![("ids".to_owned(), vec![4, 12])]).unwrap_err().to_string();
    assert_eq!(e, "ids: expected 2 x 2 values, found 2");
    assert!(net.pictures().unwrap_err().to_string().contains("takes tokens (input_ids, attention_mask"));
    // A token that the embedding has no row for.
    let mut net = load_for("sentences.onnx", 2);
    let high = Tokens::new(1, 2, vec![("ids".to_owned(), vec![4, 40])]).unwrap();
    let e = capture_tokens(&mut net, &[0], &high, &options, &mut rows, &mut on).unwrap_err().to_string();
    assert!(e.contains("failed on a batch of 1") && e.contains("Gather"), "{e}");
}

/// Both engines give the same rows; needs the library named by `ORT_DYLIB_PATH`.
#[cfg(feature = "ort")]
#[test]
fn onnxruntime_takes_tokens_too() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("skipped: onnxruntime_takes_tokens_too: needs ORT_DYLIB_PATH");
        return;
    }
    for file in ["encoder.onnx", "sentences.onnx"] {
        let options = LoadOptions { engine: EngineKind::Ort, n_tokens: Some(T), ..LoadOptions::default() };
        let (mut ort, mut rten) = (Network::load(&fixture(file), &options).unwrap(), load_for(file, T));
        assert_eq!(ort.layers(), rten.layers());
        let all: Vec<usize> = (0..rten.layers().len()).collect();
        let (_, a) = rows(&mut ort, &all, &tokens(), Pool::Mean, 4);
        let (_, b) = rows(&mut rten, &all, &tokens(), Pool::Mean, 4);
        for (i, (x, y)) in a.layers.iter().zip(&b.layers).enumerate() {
            let largest = y.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            let differs = x.iter().zip(y).any(|(p, q)| (p - q).abs() > 1e-4 * largest);
            assert!(x.len() == y.len() && !differs, "{file} {}", rten.layers()[i].name);
        }
    }
}
