//! Images per second of capturing every convolution, block and linear layer of a model.
//!
//! `cargo run --release -p subspect-nets --example capture_rate -- MODEL.onnx [--engine rten|ort] [--threads 2]
//! [--images 1024] [--batch 64] [--layers conv,block,linear]` prints one JSON object; the pictures are noise.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use subspect_nets::*;

/// Reads every value once, as a store would, and keeps nothing.
#[derive(Default)]
struct Sum {
    values: usize,
    total: f64,
}

impl ActivationSink for Sum {
    fn append(&mut self, _: usize, _: usize, data: &[f32]) -> Result<(), BoxError> {
        self.values += data.len();
        // Several sums at a time: one would take as long as the network.
        let mut lanes = [0.0_f32; 32];
        for chunk in data.chunks_exact(32) {
            for (lane, v) in lanes.iter_mut().zip(chunk) {
                *lane += v;
            }
        }
        self.total += f64::from(lanes.iter().sum::<f32>());
        Ok(())
    }
}

fn option(args: &[String], name: &str, default: &str) -> String {
    let at = args.iter().position(|a| a == name);
    at.and_then(|i| args.get(i + 1)).map_or_else(|| default.to_owned(), Clone::clone)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let model = args.first().ok_or("give a model file first")?;
    let engine: EngineKind = option(&args, "--engine", "rten").parse()?;
    let threads: usize = option(&args, "--threads", "2").parse()?;
    let n_inputs: usize = option(&args, "--images", "1024").parse()?;
    let batch: usize = option(&args, "--batch", "64").parse()?;
    let selection = option(&args, "--layers", "conv,block,linear");

    let mut network =
        Network::load(Path::new(model), &LoadOptions { engine, threads, ..LoadOptions::default() })?;
    let layers = select(network.layers(), &[selection])?;
    let image = network.pictures()?.shape;
    let plan = Preprocess::new(network.pictures()?, image, PixelOrder::Hwc, &Normalize::None, Resize::Never)?;
    let mut state = 1_u32;
    let mut noise = |_: std::ops::Range<usize>, out: &mut [u8]| {
        for byte in out {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        Ok(())
    };
    let options = CaptureOptions { batch, ..CaptureOptions::default() };
    let mut rate = 0.0;
    let mut sink = Sum::default();
    // The first pass warms up.
    for n_inputs in [2 * batch, n_inputs] {
        let mut source = PixelSource { n_inputs, read: &mut noise };
        sink = Sum::default();
        let start = Instant::now();
        capture(&mut network, &layers, &mut source, &plan, &options, &mut sink, &mut |_| {
            ControlFlow::Continue(())
        })?;
        rate = n_inputs as f64 / start.elapsed().as_secs_f64();
    }
    println!(
        "{{\"engine\": \"{}\", \"model\": \"{}\", \"layers\": {}, \"threads\": {threads}, \"batch\": {batch}, \
         \"images\": {n_inputs}, \"values\": {}, \"sum\": {}, \"images_per_second\": {rate:.1}}}",
        network.engine(),
        network.name(),
        layers.len(),
        sink.values,
        sink.total
    );
    Ok(())
}
