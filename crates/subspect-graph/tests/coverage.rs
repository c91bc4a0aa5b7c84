//! How often intervals over inputs hold the value that they are about: simulated stochastic block models.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

use rand::RngCore;
use subspect_graph::{
    AffinityGraph, IntervalOptions, Partition, modularity, modularity_difference, modularity_interval,
};
use subspect_linalg::{CsrBuilder, Seed};

/// Inputs with random classes and random propensities to have edges, which both depend on the input alone; edges of
/// random weight, more within classes.
struct Population {
    n: usize,
    n_classes: u64,
    within: f64,
    between: f64,
    /// Propensities are `exp(spread * normal)`.
    spread: f64,
}

fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(rng: &mut impl RngCore) -> f64 {
    (-2.0 * (1.0 - uniform(rng)).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}

impl Population {
    /// Two graphs on the same inputs; the second keeps classes apart `worse` times as well.
    fn sample(&self, worse: f64, seed: Seed) -> (AffinityGraph, AffinityGraph, Partition) {
        let mut rng = seed.rng();
        let classes: Vec<u32> = (0..self.n).map(|_| (rng.next_u64() % self.n_classes) as u32).collect();
        let propensity: Vec<f64> = (0..self.n).map(|_| (self.spread * normal(&mut rng)).exp()).collect();
        let mut graph = |within: f64| {
            let mut b = CsrBuilder::new(self.n);
            for i in 0..self.n {
                let mut row = Vec::new();
                for j in i + 1..self.n {
                    let chance = if classes[i] == classes[j] { within } else { self.between };
                    if uniform(&mut rng) < chance * propensity[i] * propensity[j] {
                        row.push((j as u32, (0.1 + uniform(&mut rng)) as f32));
                    }
                }
                b.push_row(&mut row);
            }
            AffinityGraph::from_coefficients(&b.finish()).unwrap()
        };
        let (first, second) =
            (graph(self.within), graph(self.between + worse * (self.within - self.between)));
        (first, second, Partition::new(classes, self.n_classes as usize).unwrap())
    }
}

/// Share of 95 % intervals of the modularity, and of the difference of two graphs, that hold the mean value of many
/// other samples; and the modularity's mean width relative to the spread of those values.
fn coverage(population: &Population) -> (f64, f64, f64) {
    const OTHERS: u64 = 400;
    const SAMPLES: u64 = 200;
    let q = |g: &AffinityGraph, p: &Partition| modularity(g, p, 1.0).value().unwrap();
    let others: Vec<(f64, f64)> = (0..OTHERS)
        .map(|r| {
            let (a, b, p) = population.sample(0.7, Seed::new(1).axis("others").index(r));
            (q(&a, &p), q(&a, &p) - q(&b, &p))
        })
        .collect();
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| others.iter().map(f).sum::<f64>() / OTHERS as f64;
    let (truth, difference) = (mean(&|v| v.0), mean(&|v| v.1));
    let sd = mean(&|v| (v.0 - truth).powi(2)).sqrt();
    let (mut n_within, mut n_differences, mut width) = (0_u32, 0_u32, 0.0);
    for r in 0..SAMPLES {
        let (a, b, p) = population.sample(0.7, Seed::new(1).index(r));
        let options = IntervalOptions { n_resamples: 200, ..IntervalOptions::new(Seed::new(r)) };
        let interval = modularity_interval(&a, &p, 1.0, &options);
        n_within += u32::from(interval.contains(truth).unwrap());
        width += interval.hi.value().unwrap() - interval.lo.value().unwrap();
        let paired = modularity_difference(&a, &b, &p, 1.0, &options).unwrap();
        n_differences += u32::from(paired.interval.contains(difference).unwrap());
    }
    let n = SAMPLES as f64;
    (f64::from(n_within) / n, f64::from(n_differences) / n, width / n / (2.0 * 1.96 * sd))
}

/// 200 samples put two standard errors at 3 %; the bootstrap of inputs without its correction is 40 to 70 % too wide on
/// graphs without structure, which these bounds tell.
#[test]
fn of_the_modularity() {
    for population in [
        Population { n: 100, n_classes: 3, within: 0.2, between: 0.05, spread: 0.0 },
        Population { n: 100, n_classes: 5, within: 0.2, between: 0.03, spread: 0.5 },
        Population { n: 60, n_classes: 2, within: 0.2, between: 0.2, spread: 0.0 },
    ] {
        let (cover, differences, width) = coverage(&population);
        let n = population.n;
        assert!((0.9..=0.99).contains(&cover), "{n} inputs: {cover}");
        assert!((0.9..=0.99).contains(&differences), "{n} inputs: {differences}");
        assert!((0.9..=1.2).contains(&width), "{n} inputs: {width}");
    }
}
