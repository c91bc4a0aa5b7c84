//! Images per second of the pass forward and of a training step, as JSON. `benchmarks/training.py` runs it beside PyTorch.
//!
//! `RAYON_NUM_THREADS=2 cargo run --release -p subspect-train --example train_rate -- resnet8 128 5`

use subspect_nets::{ArchitectureOptions, ArchitectureSpec};
use subspect_train::rates;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [arch, batch, repeats] = &args[..] else { return Err("expected: ARCH BATCH REPEATS".into()) };
    let spec: ArchitectureSpec = arch.parse()?;
    let found = rates(&spec, &ArchitectureOptions::default(), batch.parse()?, repeats.parse()?)?;
    println!(
        r#"{{"n_parameters": {}, "forward": {}, "step": {}}}"#,
        found.n_parameters, found.forward, found.step
    );
    Ok(())
}
