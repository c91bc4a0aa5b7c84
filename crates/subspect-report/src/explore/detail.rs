//! How much detail of single inputs fits into a page: rungs of a ladder, from everything to little.
//!
//! Fewer neighbours come first, then fewer digits, then neighbours in a part of the layers only (the deepest always
//! among them), at last maps in a part of the layers.

use subspect_data::record::RunRecord;

use super::LayerFiles;

/// Most classes whose affinity is kept for every input and layer.
const MAX_CLASSES: usize = 20;
/// Neighbours, whether with few digits, and one layer of how many has neighbours and a map.
const LADDER: [(usize, bool, usize, usize); 16] = [
    (10, false, 1, 1),
    (8, false, 1, 1),
    (6, false, 1, 1),
    (6, true, 1, 1),
    (4, true, 1, 1),
    (4, true, 2, 1),
    (4, true, 3, 1),
    (4, true, 4, 1),
    (4, true, 5, 1),
    (4, true, 6, 1),
    (4, true, 8, 1),
    (4, true, 10, 1),
    (4, true, 15, 1),
    (4, true, 20, 2),
    (4, true, 24, 6),
    (4, true, 1000, 1000),
];

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Neighbours of each input.
    pub(crate) n_neighbours: usize,
    /// Whether places and coefficients have 8 bits instead of 16.
    pub(crate) coarse: bool,
    /// Layers with maps, ascending.
    pub(crate) mapped: Vec<usize>,
    /// Layers with neighbours and class affinities, ascending.
    pub(crate) linked: Vec<usize>,
    /// Whether class affinities are kept.
    pub(crate) class_affinity: bool,
    /// Whether every layer's share of the network's choice is kept, beside that of the label.
    pub(crate) choices: bool,
}

impl Detail {
    /// Number of rungs.
    pub(crate) const RUNGS: usize = LADDER.len();

    /// What a rung keeps of a run.
    pub(crate) fn rung(rung: usize, record: &RunRecord, files: &[LayerFiles]) -> Self {
        let (k, coarse, per_linked, per_mapped) = LADDER[rung.min(LADDER.len() - 1)];
        let with = |has: fn(&LayerFiles) -> bool| (0..files.len()).filter(|&l| has(&files[l])).collect();
        let (mapped, linked): (Vec<usize>, Vec<usize>) =
            (with(|f| f.layout.is_some()), with(|f| f.neighbours.is_some()));
        let most = files.iter().filter_map(|f| f.neighbours.as_ref()).map(longest).max().unwrap_or(0);
        Detail {
            n_neighbours: k.min(most),
            coarse,
            mapped: spread(&mapped, mapped.len().div_ceil(per_mapped)),
            linked: linked_of(record, &linked, per_linked),
            class_affinity: has_few_classes(record),
            choices: false,
        }
    }

    /// What a served page holds of every layer before the layer is asked for.
    pub(crate) fn served() -> Self {
        Detail {
            n_neighbours: 0,
            coarse: false,
            mapped: Vec::new(),
            linked: Vec::new(),
            class_affinity: false,
            choices: true,
        }
    }

    /// Everything about one layer, whose files are the only ones at hand.
    pub(crate) fn whole(record: &RunRecord, file: &LayerFiles) -> Self {
        Detail {
            n_neighbours: file.neighbours.as_ref().map_or(0, longest),
            coarse: false,
            mapped: file.layout.iter().map(|_| 0).collect(),
            linked: file.neighbours.iter().map(|_| 0).collect(),
            class_affinity: has_few_classes(record),
            choices: false,
        }
    }

    /// Bytes of the arrays before compression.
    pub(crate) fn bytes(&self, record: &RunRecord) -> usize {
        let n = record.inputs.ids.len();
        let (place, near) = if self.coarse { (2, 4) } else { (4, 10) };
        let shares = if self.class_affinity { record.dataset.classes.len() } else { 0 };
        n * (self.mapped.len() * place + self.linked.len() * (near * self.n_neighbours + shares))
    }
}

fn has_few_classes(record: &RunRecord) -> bool {
    (1..=MAX_CLASSES).contains(&record.dataset.classes.len())
}

fn longest(neighbours: &subspect_data::neighbours::Neighbours) -> usize {
    neighbours.indptr.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
}

/// One layer of `per`, the deepest before the output always among them: it is what a reader sees first.
fn linked_of(record: &RunRecord, layers: &[usize], per: usize) -> Vec<usize> {
    let is_output = layers.last().is_some_and(|&l| record.layers[l].kind == "linear");
    let deep = if per > 1 && is_output && layers.len() > 1 { &layers[..layers.len() - 1] } else { layers };
    spread(deep, layers.len().div_ceil(per))
}

/// `n` of the items, evenly spread, the last always among them.
fn spread(items: &[usize], n: usize) -> Vec<usize> {
    let len = items.len();
    (1..=n.min(len)).map(|k| items[(k * len).div_ceil(n.min(len)) - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreading_keeps_the_last_and_repeats_nothing() {
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5], 3), [1, 3, 5]);
        assert_eq!(spread(&[4, 7], 5), [4, 7]);
        assert_eq!(spread(&[1, 2, 3], 1), [3]);
        assert!(spread(&[], 3).is_empty());
    }

    #[test]
    fn every_rung_is_smaller_than_the_one_above() {
        let cost = |&(k, coarse, linked, mapped): &(usize, bool, usize, usize)| {
            let (place, near) = if coarse { (2.0, 4.0) } else { (4.0, 10.0) };
            place / mapped as f64 + near * k as f64 / linked as f64
        };
        assert!(LADDER.windows(2).all(|w| cost(&w[1]) < cost(&w[0])));
    }
}
