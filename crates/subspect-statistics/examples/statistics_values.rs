//! Statistics of numbers that another program chose, for comparison with SciPy (`oracles/test_statistics.py`).
//!
//! Reads one JSON object from stdin and prints one to stdout: rank correlations of `x` and `y`, sign-flip test of
//! `x - y`, intervals of the mean of `x` from the resamples drawn here (given back as `draws`), adjusted `p`, McNemar's
//! p of `first` and `second`, and Wilson's interval of `first`.

use std::io::Read;

use serde::Deserialize;
use serde_json::json;
use subspect_linalg::{Measured, Seed};
use subspect_statistics::{
    Adjustment, Interval, adjust, kendall, mcnemar, multiplicities, sign_flip, spearman, wilson,
};

#[derive(Deserialize)]
struct Question {
    x: Vec<f64>,
    y: Vec<f64>,
    p: Vec<f64>,
    first: Vec<bool>,
    second: Vec<bool>,
    n_draws: usize,
    level: f64,
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let q: Question = serde_json::from_str(&text)?;
    let seed = Seed::new(q.seed);
    let n = q.x.len();
    let (rho, tau) = (spearman(&q.x, &q.y, q.n_draws, seed), kendall(&q.x, &q.y, q.n_draws, seed));
    let differences: Vec<f64> = q.x.iter().zip(&q.y).map(|(a, b)| a - b).collect();
    let signs = sign_flip(&differences, q.n_draws, seed);
    let sum: f64 = q.x.iter().sum();
    let draws: Vec<f64> = (0..q.n_draws)
        .map(|r| {
            let counts = multiplicities(n, seed.index(r as u64));
            counts.iter().zip(&q.x).map(|(&w, v)| f64::from(w) * v).sum::<f64>() / n as f64
        })
        .collect();
    let without: Vec<f64> = q.x.iter().map(|v| (sum - v) / (n as f64 - 1.0)).collect();
    let p: Vec<Measured> = q.p.iter().map(|&p| Measured::finite(p)).collect();
    let n_true = q.first.iter().filter(|&&b| b).count();
    println!(
        "{}",
        json!({
            "spearman": [rho.value, rho.p],
            "kendall": [tau.value, tau.p],
            "sign_flip": [signs.difference, signs.p],
            "percentile": Interval::percentile(draws.clone(), q.level),
            "basic": Interval::basic(sum / n as f64, draws.clone(), q.level),
            "bca": Interval::bca(sum / n as f64, draws.clone(), &without, q.level),
            "draws": draws,
            "holm": adjust(&p, Adjustment::Holm),
            "benjamini_hochberg": adjust(&p, Adjustment::BenjaminiHochberg),
            "mcnemar": mcnemar(&q.first, &q.second).p,
            "wilson": wilson(n_true, q.first.len(), q.level),
        })
    );
    Ok(())
}
