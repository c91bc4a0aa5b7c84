//! A synthetic run that looks like a residual network on small pictures: modularity that grows with depth, block
//! structure between layers, confident mistakes, and statuses in places. Deterministic.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use subspect_data::record::*;
use subspect_linalg::{Measured, Status};

const NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// What kind of run to make up.
#[derive(Clone, Copy)]
pub struct Sample {
    pub n_layers: usize,
    pub n_classes: usize,
    pub n_inputs: usize,
    pub n_cards: usize,
    pub model: bool,
    pub labels: bool,
    pub thumbnails: bool,
    /// A dead layer, an isolated input, an estimate that is not positive, rows that did not converge.
    pub statuses: bool,
}

impl Default for Sample {
    fn default() -> Self {
        Sample {
            n_layers: 20,
            n_classes: 10,
            n_inputs: 1000,
            n_cards: 12,
            model: true,
            labels: true,
            thumbnails: true,
            statuses: true,
        }
    }
}

/// A small generator, good enough to scatter values.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize % n.max(1)
    }
}

impl Sample {
    pub fn record(&self) -> RunRecord {
        let classes = if self.labels { self.classes() } else { Vec::new() };
        let inputs = self.inputs();
        RunRecord {
            schema: RECORD_SCHEMA,
            subspect_version: "0.1.0".into(),
            created: "2025-11-24T11:36:02Z".into(),
            command: "subspect run --model models/cifar10_resnet20.onnx --data data/cifar10 --output runs/resnet20 \
                      --inputs 1000 --method lasso --alpha-ratio 0.1 --pool flatten --normalize cifar10 --seed 0"
                .into(),
            state: RunState::Complete,
            machine: Machine { os: "linux".into(), arch: "x86_64".into(), threads: 2 },
            model: self.model.then(|| ModelInfo {
                name: "cifar10_resnet20.onnx".into(),
                hash: "3f9d0c61a4f2b7e8c5d10a9b8e7f6d5c4b3a29181716151413121110f0e0d0c0".into(),
                engine: "rten 0.27".into(),
                input_shape: vec![3, 32, 32],
                accuracy: Measured::Value(0.92),
            }),
            dataset: DatasetInfo {
                name: "cifar10".into(),
                format: "cifar10".into(),
                n_total: 10_000.max(self.n_inputs),
                classes,
                image_shape: vec![32, 32, 3],
                normalize: "cifar10".into(),
                hash: "b81e4a7f2c6d90357e1f8a4b5c2d3e6f708192a3b4c5d6e7f8091a2b3c4d5e6f".into(),
                citation: Some(
                    "Krizhevsky, A. (2009). Learning multiple layers of features from tiny images. \
                     https://www.cs.toronto.edu/~kriz/cifar.html"
                        .into(),
                ),
            },
            settings: settings(),
            neighbourhoods: self.neighbourhoods(&inputs),
            layers: (0..self.n_layers).map(|i| self.layer(i)).collect(),
            similarity: self.maps(),
            inputs,
            scores: Vec::new(),
            thumbnails: self.thumbnails.then(|| Thumbnails {
                file: "thumbnails.png".into(),
                tile_width: 32,
                tile_height: 32,
                n_columns: 40,
            }),
            summary: vec![
                "Class structure grows with depth: modularity rises from 0.064 at conv1 to 0.637 at fc, where permuted \
                 labels give at most 0.003."
                    .into(),
                "In layer3.2.conv2 the affinity vote is right for 90.4 % of the inputs; the network is right for 92.0 % \
                 and the two agree on 94.0 %."
                    .into(),
                "The layers fall into three blocks by SSC-CKA, one per stage; linear CKA hardly separates them.".into(),
            ],
            warnings: if self.statuses {
                vec![
                    "17 of 20,000 rows stopped at the iteration limit (largest relative duality gap 3.1e-4).".into(),
                    "layer3.0.conv1 has an empty graph: its activations are constant.".into(),
                ]
            } else {
                Vec::new()
            },
            seconds: [("capture", 2.41), ("express", 31.7), ("measure", 1.9), ("similarity", 4.35), ("report", 0.4)]
                .map(|(k, v)| (k.to_string(), v))
                .into(),
        }
    }

    /// Writes `record.json` and the atlas.
    pub fn write(&self, dir: &Path) -> RunRecord {
        let record = self.record();
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join("record.json"), serde_json::to_string(&record).unwrap()).unwrap();
        if let Some(thumbnails) = &record.thumbnails {
            std::fs::write(dir.join(&thumbnails.file), atlas(&record)).unwrap();
        }
        record
    }

    fn classes(&self) -> Vec<String> {
        let name = |c: usize| match NAMES.get(c) {
            Some(name) if self.n_classes <= 10 => name.to_string(),
            _ => format!("class name {c:03}"),
        };
        (0..self.n_classes).map(name).collect()
    }

    fn inputs(&self) -> Inputs {
        let mut dice = Dice::new(3);
        let n = self.n_inputs;
        let labels: Vec<u32> = (0..n).map(|i| (i % self.n_classes) as u32).collect();
        let wrong = |i: usize, y: u32| if i % 12 == 5 { (y + 2) % self.n_classes as u32 } else { y };
        let predictions = labels.iter().enumerate().map(|(i, &y)| wrong(i, y)).collect();
        Inputs {
            ids: (0..n).map(|i| format!("{:04}", (i * 7919) % 10_000)).collect(),
            predictions: if self.model { predictions } else { Vec::new() },
            confidence: if self.model {
                (0..n).map(|_| 0.6 + 0.4 * dice.unit() as f32).collect()
            } else {
                Vec::new()
            },
            labels: if self.labels { labels } else { Vec::new() },
        }
    }

    fn depth(&self, i: usize) -> f64 {
        if self.n_layers > 1 { i as f64 / (self.n_layers - 1) as f64 } else { 1.0 }
    }

    fn is_dead(&self, i: usize) -> bool {
        self.statuses && self.n_layers > 14 && i == 13
    }

    fn layer_name(&self, i: usize) -> String {
        if i == 0 {
            return "conv1".into();
        }
        if i + 1 == self.n_layers {
            return "fc".into();
        }
        let body = self.n_layers - 2;
        let per_stage = body.div_ceil(3).max(1);
        let (stage, k) = ((i - 1) / per_stage, (i - 1) % per_stage);
        format!("layer{}.{}.conv{}", stage + 1, k / 2, k % 2 + 1)
    }

    fn layer(&self, i: usize) -> LayerRecord {
        let mut dice = Dice::new(100 + i as u64);
        let depth = self.depth(i);
        let q = 0.064 + 0.14 * depth + 0.43 * depth.powi(5) + 0.012 * (dice.unit() - 0.5);
        let dead = self.is_dead(i);
        let or = |value: f64| if dead { Status::EmptyGraph.into() } else { Measured::Value(value) };
        let label = |value: f64| if self.labels { or(value) } else { Status::NoLabels.into() };
        let ceiling = 1.0 - 1.0 / self.n_classes as f64;
        let vote = 0.31 + 0.3 * depth + 0.29 * depth.powi(3) + 0.02 * (dice.unit() - 0.5);
        let agreement = label(vote * 1.02 + 0.015);
        let stage = ((depth * 3.0) as usize).min(2);
        let shape =
            if i + 1 == self.n_layers { vec![10] } else { vec![16 << stage, 32 >> stage, 32 >> stage] };
        let nnz = if dead { 0 } else { (self.n_inputs as f64 * (28.0 + 45.0 * dice.unit())) as usize };
        let unfinished = if self.statuses && i == 3 { 17.min(self.n_inputs) } else { 0 };
        let trivial = if dead { self.n_inputs } else { 0 };
        LayerRecord {
            name: self.layer_name(i),
            kind: if i + 1 == self.n_layers {
                "linear"
            } else if i > 0 && i.is_multiple_of(2) {
                "block"
            } else {
                "conv"
            }
            .into(),
            n_features: shape.iter().product(),
            shape,
            pool: "flatten".into(),
            graph: format!("graphs/{i:03}.npz"),
            solve: SolveRecord {
                method: "lasso".into(),
                n_converged: self.n_inputs - unfinished - trivial,
                n_max_iter: unfinished,
                n_trivial: trivial,
                gap_max: or(if unfinished > 0 { 3.1e-4 } else { 8.2e-7 * (0.5 + dice.unit() / 2.0) }),
                gap_median: or(2.4e-7 * dice.unit()),
                objective: or(210.0 + 40.0 * dice.unit()),
                memory_mode: "gram".into(),
                seconds: 0.4 + 2.0 * dice.unit(),
            },
            nnz,
            n_edges: nnz * 4 / 5,
            n_isolated: trivial,
            measures: BTreeMap::from([
                ("modularity".into(), label(q)),
                (
                    "modularity_ceiling".into(),
                    if self.labels { Measured::Value(ceiling) } else { Status::NoLabels.into() },
                ),
                ("modularity_floor".into(), label(-0.0009)),
                ("sre".into(), label(0.88 - 0.68 * depth.powi(2))),
                ("one_class_rows".into(), label(0.02 + 0.5 * depth.powi(4))),
                ("vote_accuracy".into(), label(vote)),
                ("vote_agreement".into(), if self.model { agreement } else { Status::NoPredictions.into() }),
                ("mean_degree".into(), or(61.0)),
            ]),
            modularity_null: NullRecord {
                n_permutations: 200,
                mean: label(-0.001),
                sd: label(0.0016),
                lo: label(-0.0041),
                hi: label(0.0024),
                z: label((q + 0.001) / 0.0016),
                p: label(1.0 / 201.0),
            },
            nulls: BTreeMap::new(),
            intervals: BTreeMap::new(),
            class_affinity: if self.labels { self.class_affinity(depth, dead) } else { Vec::new() },
            votes: (0..self.n_inputs).map(|k| (!dead).then_some((k % self.n_classes) as u32)).collect(),
            layout: None,
            neighbours: None,
        }
    }

    fn class_affinity(&self, depth: f64, dead: bool) -> Vec<Vec<f64>> {
        let n = self.n_classes;
        let sharp = 0.3 + 5.0 * depth.powi(2);
        let row = |c: usize| -> Vec<f64> {
            if dead {
                return vec![0.0; n];
            }
            let animal = |k: usize| (2..8).contains(&k);
            let weight = |d: usize| {
                let near = if c == d { 1.0 } else { 0.0 } + if animal(c) == animal(d) { 0.25 } else { 0.0 };
                let pair =
                    [(3, 5), (1, 9), (0, 8), (4, 7)].iter().any(|&(a, b)| (a, b) == (c.min(d), c.max(d)));
                (sharp * (near + if pair { 0.3 } else { 0.0 })).exp()
            };
            let weights: Vec<f64> = (0..n).map(weight).collect();
            let total: f64 = weights.iter().sum();
            weights.iter().map(|w| w / total).collect()
        };
        (0..n).map(row).collect()
    }

    fn maps(&self) -> Vec<SimilarityRecord> {
        let n = self.n_layers;
        let value = |i: usize, j: usize, reach: f64, floor: f64| {
            let gap = (self.depth(i) - self.depth(j)).abs();
            let late = self.depth(i).max(self.depth(j)).powi(4);
            floor + (1.0 - floor) * (-(gap / reach) * (1.0 + 2.0 * late)).exp()
        };
        let map = |measure: &str, estimator: &str, reach: f64, floor: f64| SimilarityRecord {
            measure: measure.into(),
            estimator: estimator.into(),
            inference: None,
            blocks: None,
            values: (0..n)
                .map(|i| {
                    (0..n)
                        .map(|j| match (self.is_dead(i) || self.is_dead(j), i == j) {
                            (true, _) => Status::ZeroVariance.into(),
                            (_, true) => Measured::Value(1.0),
                            _ if self.statuses
                                && estimator == "debiased"
                                && (i.min(j), i.max(j)) == (0, n - 1) =>
                            {
                                Status::NotPositive.into()
                            }
                            _ => Measured::Value(value(i, j, reach, floor)),
                        })
                        .collect()
                })
                .collect(),
        };
        vec![
            map("ssc_cka", "biased", 0.22, 0.03),
            map("linear_cka", "biased", 0.8, 0.35),
            map("ssc_cka", "debiased", 0.2, -0.01),
            map("linear_cka", "debiased", 0.6, 0.12),
        ]
    }

    fn neighbourhoods(&self, inputs: &Inputs) -> Vec<NeighbourhoodRecord> {
        let wrong = (0..self.n_inputs)
            .filter(|&i| self.model && self.labels && inputs.labels[i] != inputs.predictions[i]);
        let layer = self.n_layers.saturating_sub(2);
        wrong.take(self.n_cards).enumerate().map(|(k, i)| self.neighbourhood(k, i, layer, inputs)).collect()
    }

    fn neighbourhood(&self, k: usize, i: usize, layer: usize, inputs: &Inputs) -> NeighbourhoodRecord {
        let mut dice = Dice::new(7000 + i as u64);
        let mut class_affinity = vec![0.0; self.n_classes];
        if self.statuses && k == 7 {
            return NeighbourhoodRecord {
                input: i,
                layer,
                neighbours: Vec::new(),
                class_affinity,
                vote: None,
            };
        }
        let mut neighbours: Vec<NeighbourRecord> = (0..10)
            .map(|m| {
                let class = match dice.below(10) {
                    0..=4 => inputs.predictions[i],
                    5..=7 => inputs.labels[i],
                    _ => dice.below(self.n_classes) as u32,
                };
                let per_class = self.n_inputs / self.n_classes;
                let input = (dice.below(per_class.max(1)) * self.n_classes + class as usize) % self.n_inputs;
                let size = 0.34 / (1.0 + m as f64 * 0.7) * (0.7 + 0.6 * dice.unit());
                let coefficient = if m == 3 {
                    0.0
                } else if m % 4 == 2 {
                    -size
                } else {
                    size
                };
                let reverse = if m == 3 { size } else { size * 0.3 * dice.unit() };
                let affinity = coefficient.abs() + reverse.abs();
                NeighbourRecord { input, affinity, coefficient, reverse_coefficient: reverse }
            })
            .collect();
        neighbours.sort_by(|a, b| b.affinity.total_cmp(&a.affinity));
        let total: f64 = neighbours.iter().map(|n| n.affinity).sum();
        for n in &neighbours {
            class_affinity[inputs.labels[n.input] as usize] += n.affinity / total;
        }
        let vote = (0..self.n_classes).max_by(|&a, &b| class_affinity[a].total_cmp(&class_affinity[b]));
        NeighbourhoodRecord { input: i, layer, neighbours, class_affinity, vote: vote.map(|c| c as u32) }
    }
}

fn settings() -> BTreeMap<String, String> {
    [
        ("alpha_ratio", "0.1"),
        ("data", "data/cifar10"),
        ("inputs", "1000"),
        ("layers", "default"),
        ("max_iter", "10000"),
        ("method", "lasso"),
        ("model", "models/cifar10_resnet20.onnx"),
        ("normalize", "cifar10"),
        ("permutations", "200"),
        ("pool", "flatten"),
        ("seed", "0"),
        ("threads", "2"),
        ("tol", "1e-6"),
    ]
    .map(|(k, v)| (k.to_string(), v.to_string()))
    .into()
}

/// Pictures with a hue per class and a shape per input.
fn atlas(record: &RunRecord) -> Vec<u8> {
    let t = record.thumbnails.as_ref().unwrap();
    let n = record.inputs.ids.len();
    let (width, height) = (t.n_columns * t.tile_width, n.div_ceil(t.n_columns) * t.tile_height);
    let mut pixels = vec![0u8; width * height * 3];
    for k in 0..n {
        let class = record.inputs.labels.get(k).copied().unwrap_or(0) as f64;
        let mut dice = Dice::new(k as u64 + 1);
        let (cx, cy, r) = (8.0 + 16.0 * dice.unit(), 8.0 + 16.0 * dice.unit(), 5.0 + 6.0 * dice.unit());
        let sky = [0.62 + 0.2 * dice.unit(), 0.68 + 0.15 * dice.unit(), 0.72 + 0.2 * dice.unit()];
        for y in 0..t.tile_height {
            for x in 0..t.tile_width {
                let far = ((x as f64 - cx).powi(2) + (y as f64 - cy).powi(2)).sqrt() / r;
                let inside = (1.0 - (far - 0.8) * 3.0).clamp(0.0, 1.0);
                let at =
                    ((k / t.n_columns * t.tile_height + y) * width + k % t.n_columns * t.tile_width + x) * 3;
                for c in 0..3 {
                    let hue = 0.45 + 0.4 * (class * 0.63 + c as f64 * 2.1).cos();
                    let ground = sky[c] * (1.05 - 0.35 * y as f64 / t.tile_height as f64);
                    let v = inside * hue * (1.15 - 0.3 * far)
                        + (1.0 - inside) * ground
                        + 0.05 * (dice.unit() - 0.5);
                    pixels[at + c] = (v.clamp(0.0, 1.0) * 255.0) as u8;
                }
            }
        }
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    png
}
