//! How much detail fits: the budget of the packed data, and what is left out first.
//!
//! Fewer neighbours for each input come first; then single inputs can be followed through a part of the layers only,
//! the deepest always among them.

use subspect_data::record::RunRecord;

use super::LayerFiles;

/// Bytes of the arrays before compression.
const BUDGET: usize = 7_000_000;
/// Neighbours of each input, from most to least.
const NEIGHBOURS: [usize; 4] = [10, 8, 6, 4];
/// Most classes whose affinity is kept for every input and layer.
const MAX_CLASSES: usize = 20;

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Neighbours of each input.
    pub(crate) n_neighbours: usize,
    /// Layers with maps, neighbours and class affinities, ascending.
    pub(crate) layers: Vec<usize>,
    /// Whether class affinities are kept.
    pub(crate) class_affinity: bool,
}

impl Detail {
    /// The most that fits.
    pub(crate) fn within_budget(record: &RunRecord, files: &[LayerFiles]) -> Self {
        let n = record.inputs.ids.len();
        let n_classes = record.dataset.classes.len();
        let usable: Vec<usize> = (0..files.len())
            .filter(|&l| files[l].layout.is_some() || files[l].neighbours.is_some())
            .collect();
        let class_affinity = (1..=MAX_CLASSES).contains(&n_classes);
        let per_layer = |k: usize| n * (4 + 8 * k + if class_affinity { n_classes } else { 0 });
        let most = files.iter().filter_map(|f| f.neighbours.as_ref()).map(longest).max().unwrap_or(0);
        for k in NEIGHBOURS.map(|k| k.min(most)) {
            if per_layer(k) * usable.len() <= BUDGET {
                return Detail { n_neighbours: k, layers: usable, class_affinity };
            }
        }
        let k = NEIGHBOURS[NEIGHBOURS.len() - 1].min(most);
        let n_layers = (BUDGET / per_layer(k).max(1)).clamp(1, usable.len().max(1));
        Detail { n_neighbours: k, layers: spread(&usable, n_layers), class_affinity }
    }
}

fn longest(neighbours: &subspect_data::neighbours::Neighbours) -> usize {
    neighbours.indptr.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
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
}
