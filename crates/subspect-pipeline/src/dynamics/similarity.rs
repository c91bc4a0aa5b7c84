//! One epoch beside the next and the last: SSC-CKA of the graphs, linear CKA of the activations, neighbourhoods, votes.
//!
//! The values, their intervals over inputs and the bootstrap's draws are kept under the keys of the three epochs, so that
//! activations are needed only once. All draws come from one stream: draw r is of the same inputs at every epoch.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use subspect_data::dense::{read_f32, write_f32};
use subspect_data::dynamics::{ChangeRecord, Estimate};
use subspect_graph::{AffinityGraph, affinity_votes};
use subspect_linalg::{EXACT_GRAM_MAX, MatRef, Matrix, Measured, Seed, Status};
use subspect_similarity::{CkaDraws, Estimator, linear_cka_draws, ssc_cka_draws};

use super::epochs::{Epoch, Finished};
use super::settle::middle;
use crate::compare::{Percent, linear_moments_of};
use crate::recorded::partition;
use crate::run::note::{Note, file_hash, written_hash};
use crate::runs::change::{mean, neighbourhood_changes};
use crate::{Events, KeyBuilder, PipelineError, Plan};

/// Measure and estimator of every map, in the order in which they are kept.
pub(crate) const MAPS: [(&str, &str); 4] =
    [("ssc_cka", "biased"), ("ssc_cka", "debiased"), ("linear_cka", "biased"), ("linear_cka", "debiased")];

/// One epoch's similarities.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Similarities {
    /// To the next and to the last epoch: `MAPS` x layers.
    pub(crate) cells: Vec<Vec<[Estimate; 2]>>,
    /// To the next epoch, by layer.
    pub(crate) changes: Vec<ChangeRecord>,
    /// Of the file of draws.
    draws_hash: String,
    #[serde(skip)]
    pub(crate) draws: Draws,
}

/// Draws of the similarity to the last epoch: row `map * n_layers + layer`, one column per resample.
pub(crate) type Draws = Option<Matrix<f32>>;

/// Three epochs, of which the second and third may be one.
pub(crate) struct Three<'a> {
    pub(crate) epoch: &'a Epoch,
    pub(crate) next: &'a Epoch,
    pub(crate) last: &'a Epoch,
}

impl Three<'_> {
    fn key(&self) -> String {
        KeyBuilder::new("dynamics", 1)
            .text("epoch", &self.epoch.key)
            .text("next", &self.next.key)
            .text("last", &self.last.key)
            .finish()
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.epoch.dir().join("stages/similarity").join(format!("epochs.{ending}"))
    }

    /// What an earlier call found.
    pub(crate) fn read(&self) -> Option<Similarities> {
        let mut found = Note::<Similarities>::read(&self.path("json"), &self.key())?.value;
        let draws = self.path("npy");
        if self.epoch.plan.resamples > 0 {
            if file_hash(&draws)? != found.draws_hash {
                return None;
            }
            found.draws = Some(read_f32(&draws).ok()?);
        }
        Some(found)
    }

    /// Compares, and keeps what it finds.
    pub(crate) fn compute(
        &self,
        of: [&Finished; 3],
        events: &dyn Events,
    ) -> Result<Similarities, PipelineError> {
        let plan = &self.epoch.plan;
        let is_last = self.next.key == self.last.key;
        let n_layers = of[0].graphs.len();
        let mut cells: Vec<Vec<[CkaDraws; 2]>> = MAPS.iter().map(|_| Vec::with_capacity(n_layers)).collect();
        let mut push = |at: usize, [biased, debiased]: [Vec<CkaDraws>; 2]| {
            for (map, mut found) in [(at, biased), (at + 1, debiased)] {
                let next = found.swap_remove(0);
                let last = if is_last { next.clone() } else { found.swap_remove(0) };
                cells[map].push([next, last]);
            }
        };
        let seed = Seed::new(plan.seed).axis("epochs");
        let [own, next, last] = of.map(|f| &f.graphs);
        for ((a, b), c) in own.iter().zip(next).zip(last) {
            let cols = [b.adjacency(), c.adjacency()];
            let cols = if is_last { &cols[..1] } else { &cols[..] };
            push(0, ssc_cka_draws(&[a.adjacency()], cols, plan.resamples, seed)?);
        }
        let stores = [self.epoch.activations()?, self.next.activations()?, self.last.activations()?];
        for layer in &of[0].record.layers {
            if events.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            let mut held = Vec::with_capacity(3);
            for store in &stores[..if is_last { 2 } else { 3 }] {
                let index = store.layer_index(&layer.name).ok_or_else(|| missing(&layer.name))?;
                held.push(store.layer(index)?);
            }
            let layers: Vec<MatRef<'_, f32>> = held.iter().map(|x| x.as_ref()).collect();
            push(2, linear(&layers, plan, seed, events)?);
        }
        let labels = (&of[0].record.inputs.labels[..], of[0].record.dataset.classes.len());
        let changes = changes(own, next, labels)?;
        self.keep(&cells, changes)
    }

    fn keep(
        &self,
        cells: &[Vec<[CkaDraws; 2]>],
        changes: Vec<ChangeRecord>,
    ) -> Result<Similarities, PipelineError> {
        let plan = &self.epoch.plan;
        let n_layers = cells[0].len();
        let estimates = cells
            .iter()
            .map(|map| map.iter().map(|pair| [0, 1].map(|k| estimate(&pair[k], plan.level))).collect())
            .collect();
        let mut draws = None;
        let mut draws_hash = String::new();
        if plan.resamples > 0 {
            let path = self.path("npy");
            let value = |row: usize, r: usize| {
                let cell = &cells[row / n_layers][row % n_layers][1];
                // Two layers that are the same stay so in every draw.
                cell.draws.as_ref().map_or(cell.value.value().unwrap_or(0.0), |d| d[r]) as f32
            };
            let rows = Matrix::from_fn(MAPS.len() * n_layers, plan.resamples, value);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(|e| PipelineError::io("create", parent, e))?;
            }
            write_f32(&path, rows.as_ref())?;
            draws_hash = written_hash(&path)?;
            draws = Some(rows);
        }
        let value = Similarities { cells: estimates, changes, draws_hash, draws };
        let note = Note { key: self.key(), seconds: 0.0, value };
        note.write(&self.path("json"))?;
        Ok(note.value)
    }
}

fn missing(layer: &str) -> PipelineError {
    PipelineError::Input {
        what: "activations".into(),
        expected: format!("layer {layer} at every epoch"),
        found: "none of this name".into(),
        mend: "record every epoch with the same layers".into(),
    }
}

fn estimate(cell: &CkaDraws, level: f64) -> Estimate {
    let [lo, hi] = match &cell.draws {
        Ok(draws) => middle(draws, level),
        Err(status) => [Measured::from(*status); 2],
    };
    Estimate { value: cell.value, lo, hi }
}

/// Linear CKA of the first layer with the others. Above [`EXACT_GRAM_MAX`] inputs, where draws would cost several times
/// the values, the values stand alone.
fn linear(
    layers: &[MatRef<'_, f32>],
    plan: &Plan,
    seed: Seed,
    events: &dyn Events,
) -> Result<[Vec<CkaDraws>; 2], PipelineError> {
    let budget = usize::try_from(plan.memory).unwrap_or(usize::MAX);
    if layers[0].n_rows() <= EXACT_GRAM_MAX {
        let monitor = Percent::of(events);
        return Ok(linear_cka_draws(&layers[..1], &layers[1..], budget, plan.resamples, seed, &monitor)?);
    }
    let moments = linear_moments_of(layers, plan.memory, events)?;
    let alone = |estimator: Estimator| {
        let value =
            |m: usize| CkaDraws { value: moments.cka(0, m, estimator), draws: Err(Status::NotExecuted) };
        (1..layers.len()).map(value).collect()
    };
    Ok([Estimator::Biased, Estimator::Debiased].map(alone))
}

/// Neighbourhoods and votes of one epoch beside the next.
fn changes(
    own: &[AffinityGraph],
    next: &[AffinityGraph],
    (labels, n_classes): (&[u32], usize),
) -> Result<Vec<ChangeRecord>, PipelineError> {
    let partition = partition(labels, n_classes)?;
    let one = |(a, b): (&AffinityGraph, &AffinityGraph)| {
        let distance = mean(neighbourhood_changes(a, b));
        let votes = partition.as_ref().map(|p| (affinity_votes(a, p), affinity_votes(b, p)));
        let vote_change = votes.map_or(Status::NoLabels.into(), |(x, y)| {
            let differ = x.iter().zip(&y).filter(|(x, y)| x != y).count();
            Measured::finite(differ as f64 / x.len() as f64)
        });
        ChangeRecord { neighbour_overlap: distance.map(|d| 1.0 - d), vote_change }
    };
    Ok(own.iter().zip(next).map(one).collect())
}
