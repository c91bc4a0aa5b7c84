//! Two runs over the same inputs, in the same order.
//!
//! The inputs are the same when their ids are and, for pictures, the hash over pixels and labels that each run
//! recorded. The same inputs in another order are brought into the first run's order by their ids. A graph over
//! other inputs has other neighbours to offer, so anything else is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use subspect_data::record::RunRecord;
use subspect_data::rundir::RunDir;
use subspect_data::store::ActivationStore;
use subspect_graph::{AffinityGraph, Partition, affinity_votes};
use subspect_linalg::CsrBuilder;

use crate::PipelineError;
use crate::recorded::{layer_graph, partition};

/// One of the two runs, its inputs in the common order.
pub(crate) struct Side {
    pub(crate) path: PathBuf,
    pub(crate) record: RunRecord,
    pub(crate) graphs: Vec<AffinityGraph>,
    /// Affinity votes of every layer; empty without labels.
    pub(crate) votes: Vec<Vec<Option<u32>>>,
}

/// Both runs and what is known about their inputs.
pub(crate) struct Pair {
    pub(crate) a: Side,
    pub(crate) b: Side,
    pub(crate) partition: Option<Partition>,
    pub(crate) classes: Vec<String>,
    /// Whether the second run had its inputs in another order.
    pub(crate) reordered: bool,
    /// What could not be checked.
    pub(crate) notes: Vec<String>,
}

impl Pair {
    /// Opens two runs and checks that they saw the same inputs.
    pub(crate) fn open(a: &Path, b: &Path) -> Result<Self, PipelineError> {
        let (mut a, mut b) = (Side::open(a)?, Side::open(b)?);
        let mut notes = Vec::new();
        let reordered = match order(&a, &b)? {
            Some(order) => {
                b.reorder(&order)?;
                notes.push(
                    "the second run has the inputs in another order: they were matched by id, and their pixels were not compared"
                        .to_owned(),
                );
                true
            }
            None => {
                notes.extend(same_content(&a, &b)?);
                false
            }
        };
        let labels = labels(&a, &b)?;
        let mut classes = a.record.dataset.classes.clone();
        if classes.len() < b.record.dataset.classes.len() {
            classes.clone_from(&b.record.dataset.classes);
        }
        let partition = partition(&labels, classes.len())?;
        if let Some(p) = &partition {
            for side in [&mut a, &mut b] {
                side.votes = side.graphs.iter().map(|g| affinity_votes(g, p)).collect();
            }
        }
        Ok(Pair { a, b, partition, classes, reordered, notes })
    }
}

impl Side {
    fn open(path: &Path) -> Result<Self, PipelineError> {
        let dir = RunDir::open(path)?;
        let record = dir.read_record()?;
        if record.layers.is_empty() {
            return Err(PipelineError::Input {
                what: path.display().to_string(),
                expected: "a run with at least one layer".into(),
                found: "none".into(),
                mend: "the run was interrupted before its first graph: run it again".into(),
            });
        }
        let n = record.inputs.ids.len();
        let mut graphs = Vec::with_capacity(record.layers.len());
        for layer in &record.layers {
            let graph = layer_graph(&dir, layer)?;
            if graph.n_nodes() != n {
                return Err(PipelineError::Input {
                    what: dir.path(&layer.graph).display().to_string(),
                    expected: format!("a graph of the {n} inputs in record.json"),
                    found: format!("one of {}", graph.n_nodes()),
                    mend: "run it again into the same folder".into(),
                });
            }
            graphs.push(graph);
        }
        Ok(Side { path: path.to_owned(), record, graphs, votes: Vec::new() })
    }

    /// The layers' activations, where the run still has them or knows the store it was made from.
    pub(crate) fn store(&self) -> Option<ActivationStore> {
        let own = self.path.join("activations");
        let named = self.record.settings.get("store").map(PathBuf::from);
        let store = std::iter::once(own).chain(named).find_map(|p| ActivationStore::open(&p).ok())?;
        let is_ours = store.n_inputs() == self.record.inputs.ids.len()
            && self.record.layers.iter().all(|l| store.layer_index(&l.name).is_some());
        is_ours.then_some(store)
    }

    /// What to call the network: its file's name, or the run's.
    pub(crate) fn name(&self) -> String {
        match &self.record.model {
            Some(model) => model.name.clone(),
            None => self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// Brings the inputs into another order: input k of the new order is input `order[k]` of the old.
    fn reorder(&mut self, order: &[usize]) -> Result<(), PipelineError> {
        let mut place = vec![0_u32; order.len()];
        order.iter().enumerate().for_each(|(k, &old)| place[old] = k as u32);
        for graph in &mut self.graphs {
            let mut rows = CsrBuilder::new(order.len());
            for &old in order {
                let (cols, values) = graph.neighbors(old);
                let mut row: Vec<(u32, f32)> =
                    cols.iter().map(|&j| place[j as usize]).zip(values.iter().copied()).collect();
                rows.push_row(&mut row);
            }
            *graph = AffinityGraph::from_adjacency(rows.finish())?;
        }
        let inputs = &mut self.record.inputs;
        inputs.ids = picked(&inputs.ids, order);
        inputs.labels = picked(&inputs.labels, order);
        inputs.predictions = picked(&inputs.predictions, order);
        inputs.confidence = picked(&inputs.confidence, order);
        Ok(())
    }
}

/// The values in another order; nothing when they are not known.
fn picked<T: Clone>(values: &[T], order: &[usize]) -> Vec<T> {
    order.iter().filter_map(|&old| values.get(old).cloned()).collect()
}

/// Where the first run's inputs stand in the second, unless both have the same order.
fn order(a: &Side, b: &Side) -> Result<Option<Vec<usize>>, PipelineError> {
    let (first, second) = (&a.record.inputs.ids, &b.record.inputs.ids);
    if first == second {
        return Ok(None);
    }
    let places: BTreeMap<&str, usize> = second.iter().enumerate().map(|(k, id)| (id.as_str(), k)).collect();
    let found: Vec<usize> = first.iter().filter_map(|id| places.get(id.as_str()).copied()).collect();
    let mut distinct = found.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if found.len() == first.len() && distinct.len() == first.len() && first.len() == second.len() {
        return Ok(Some(found));
    }
    let missing = first.iter().find(|id| !places.contains_key(id.as_str()));
    let example = missing.map_or(String::new(), |id| format!(" (input {id} is only in the first)"));
    Err(PipelineError::Input {
        what: format!("{} and {}", a.path.display(), b.path.display()),
        expected: "the same inputs".into(),
        found: format!("{} and {} inputs, {} of them in both{example}", first.len(), second.len(), distinct.len()),
        mend: "make both runs with the same --data, --inputs and --seed: a graph over other inputs offers other neighbours"
            .into(),
    })
}

/// Whether the inputs' content is the same, as far as the runs recorded it.
fn same_content(a: &Side, b: &Side) -> Result<Option<String>, PipelineError> {
    let (first, second) = (&a.record.dataset, &b.record.dataset);
    // The hash of imported activations is that of the activations themselves.
    let has_pictures =
        |d: &subspect_data::record::DatasetInfo| d.format != "activations" && !d.hash.is_empty();
    if !has_pictures(first) || !has_pictures(second) {
        return Ok(Some(
            "the inputs were compared by their ids alone: one of the runs has no pictures to compare".into(),
        ));
    }
    if first.hash == second.hash {
        return Ok(None);
    }
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    Err(PipelineError::Input {
        what: format!("{} and {}", a.path.display(), b.path.display()),
        expected: "the same pixels and labels".into(),
        found: format!(
            "equal ids, but inputs of {} with hash {} and of {} with hash {}",
            first.name,
            short(&first.hash),
            second.name,
            short(&second.hash)
        ),
        mend: "make both runs from the same data".into(),
    })
}

fn labels(a: &Side, b: &Side) -> Result<Vec<u32>, PipelineError> {
    let (first, second) = (&a.record.inputs.labels, &b.record.inputs.labels);
    if first.is_empty() || second.is_empty() || first == second {
        return Ok(if first.is_empty() { second.clone() } else { first.clone() });
    }
    let differing = first.iter().zip(second).filter(|(x, y)| x != y).count();
    Err(PipelineError::Input {
        what: format!("{} and {}", a.path.display(), b.path.display()),
        expected: "the same labels".into(),
        found: format!("{differing} of {} inputs with different ones", first.len()),
        mend: "give both runs the same --labels".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{labelled, layer};

    /// Inputs 0 to 3 in a path 0 - 1 - 2 - 3 of growing weight.
    fn side(name: &str) -> Side {
        let mut rows = CsrBuilder::new(4);
        for i in 0..4_u32 {
            let mut row: Vec<(u32, f32)> = if i < 3 { vec![(i + 1, i as f32 + 1.0)] } else { Vec::new() };
            rows.push_row(&mut row);
        }
        let graph = AffinityGraph::from_coefficients(&rows.finish()).unwrap();
        let record = labelled(vec![layer("a", 0.1, 0.0)]);
        Side { path: PathBuf::from(name), record, graphs: vec![graph], votes: Vec::new() }
    }

    #[test]
    fn the_same_inputs_in_another_order_are_matched_by_id() {
        let (a, mut b) = (side("a"), side("b"));
        // The second run saw 3, 0, 2, 1.
        b.reorder(&[3, 0, 2, 1]).unwrap();
        assert_eq!(b.record.inputs.ids, ["3", "0", "2", "1"]);
        assert_eq!(b.graphs[0].adjacency().get(0, 2), 3.0);
        assert_eq!(b.graphs[0].adjacency().get(1, 3), 1.0);
        let found = order(&a, &b).unwrap().unwrap();
        assert_eq!(found, [1, 3, 2, 0]);
        b.reorder(&found).unwrap();
        assert_eq!((b.graphs[0] == a.graphs[0], b.record.inputs == a.record.inputs), (true, true));
        assert_eq!(order(&a, &b).unwrap(), None);
    }

    #[test]
    fn other_inputs_and_other_labels_are_refused() {
        let (a, mut b) = (side("a"), side("b"));
        b.record.inputs.labels[2] = 0;
        assert!(labels(&a, &b).unwrap_err().to_string().contains("1 of 4 inputs with different ones"));
        b.record.dataset.hash = "0123456789abcdef".into();
        let mut hashed = side("a");
        hashed.record.dataset.hash = "fedcba".into();
        let error = same_content(&hashed, &b).unwrap_err().to_string();
        assert!(error.contains("fedcba") && error.ends_with("0123456789ab"), "{error}");
        assert!(same_content(&a, &b).unwrap().unwrap().contains("ids alone"));
        b.record.inputs.ids[3] = "9".into();
        let error = order(&a, &b).unwrap_err();
        assert!(error.to_string().contains("3 of them in both (input 3 is only in the first)"), "{error}");
        assert!(error.help().unwrap().contains("--seed"));
    }
}
