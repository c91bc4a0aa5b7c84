//! A partition of the inputs into classes: usually the labels, sometimes detected communities.

use crate::{AffinityGraph, GraphError};

/// Which class every input belongs to: indices `0..n_classes`, one per input. Classes may be empty, so that a
/// subset of a data set keeps the data set's class numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    classes: Vec<u32>,
    sizes: Vec<usize>,
}

impl Partition {
    /// Takes class indices below `n_classes`.
    ///
    /// # Errors
    /// [`GraphError::ClassOutOfRange`] with the first offending input.
    pub fn new(classes: Vec<u32>, n_classes: usize) -> Result<Self, GraphError> {
        let mut sizes = vec![0; n_classes];
        for (position, &class) in classes.iter().enumerate() {
            match sizes.get_mut(class as usize) {
                Some(size) => *size += 1,
                None => return Err(GraphError::ClassOutOfRange { position, class, n_classes }),
            }
        }
        Ok(Self { classes, sizes })
    }

    /// Numbers arbitrary labels in ascending order. Also returns the label of every class.
    pub fn from_labels<T: Ord>(labels: &[T]) -> (Self, Vec<&T>) {
        let mut distinct: Vec<&T> = labels.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut sizes = vec![0; distinct.len()];
        let classes = labels
            .iter()
            .map(|label| {
                let class = distinct.partition_point(|d| *d < label);
                sizes[class] += 1;
                class as u32
            })
            .collect();
        (Self { classes, sizes }, distinct)
    }

    /// Takes class indices that this crate numbered itself: below `n_classes` all.
    pub(crate) fn numbered(classes: Vec<u32>, n_classes: usize) -> Self {
        let mut sizes = vec![0; n_classes];
        classes.iter().for_each(|&c| sizes[c as usize] += 1);
        Self { classes, sizes }
    }

    /// Class index of every input.
    pub fn classes(&self) -> &[u32] {
        &self.classes
    }

    /// Class index of input `i`.
    pub fn class(&self, i: usize) -> usize {
        self.classes[i] as usize
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no input.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Number of classes, empty ones included.
    pub fn n_classes(&self) -> usize {
        self.sizes.len()
    }

    /// Number of classes with at least one input.
    pub fn n_present(&self) -> usize {
        self.sizes.iter().filter(|&&s| s > 0).count()
    }

    /// Number of inputs of every class.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Whether there is one class index per node of `graph`.
    ///
    /// # Errors
    /// [`GraphError::Length`] when not.
    pub fn check(&self, graph: &AffinityGraph) -> Result<(), GraphError> {
        check_length("labels", graph.n_nodes(), self.len())
    }
}

/// Refuses an array that is not as long as the graph.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), GraphError> {
    if expected == found { Ok(()) } else { Err(GraphError::Length { what, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_numbered_in_order() {
        let (p, names) = Partition::from_labels(&["dog", "cat", "dog", "ape"]);
        assert_eq!(p.classes(), &[2, 1, 2, 0]);
        assert_eq!(names, vec![&"ape", &"cat", &"dog"]);
        assert_eq!(p.sizes(), &[1, 1, 2]);
        assert_eq!(Partition::from_labels(&[-3_i64, 7, -3]).0.classes(), &[0, 1, 0]);
    }

    #[test]
    fn empty_classes_are_kept_and_counted_apart() {
        let p = Partition::new(vec![0, 3, 3], 10).unwrap();
        assert_eq!((p.n_classes(), p.n_present(), p.len()), (10, 2, 3));
    }

    #[test]
    fn an_index_out_of_range_is_located() {
        let err = Partition::new(vec![0, 1, 4], 3).unwrap_err();
        assert_eq!(err.to_string(), "expected class indices below 3, found 4 at input 2");
    }
}
