//! The contingency table of two partitions.

use crate::agreement::check_length;
use crate::{GraphError, Partition};

/// How many inputs are in class i of one partition and class j of the other. Empty classes have no row or column,
/// so that partitions of 10,000 classes of which 10 are present cost what 10 cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    /// Counts, one row per class of the first partition that is present.
    pub counts: Vec<Vec<usize>>,
    /// Class of every row.
    pub row_classes: Vec<u32>,
    /// Class of every column.
    pub col_classes: Vec<u32>,
    /// Sums of the rows.
    pub row_sums: Vec<usize>,
    /// Sums of the columns.
    pub col_sums: Vec<usize>,
    /// Number of inputs.
    pub n: usize,
}

impl Contingency {
    /// Counts `first` (rows) against `second` (columns).
    ///
    /// # Errors
    /// [`GraphError::Length`] when they are for different numbers of inputs.
    pub fn new(first: &Partition, second: &Partition) -> Result<Self, GraphError> {
        check_length("cluster labels", first.len(), second.len())?;
        let ((row_classes, row_of, row_sums), (col_classes, col_of, col_sums)) =
            (present(first), present(second));
        let mut counts = vec![vec![0; col_sums.len()]; row_sums.len()];
        for (&a, &b) in first.classes().iter().zip(second.classes()) {
            counts[row_of[a as usize]][col_of[b as usize]] += 1;
        }
        Ok(Self { counts, row_classes, col_classes, row_sums, col_sums, n: first.len() })
    }

    /// All counts that are not zero, with their row and column.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.counts.iter().enumerate().flat_map(|(i, row)| {
            row.iter().enumerate().filter(|(_, c)| **c > 0).map(move |(j, &c)| (i, j, c))
        })
    }
}

/// The classes that are present, the position of every class among them, and their sizes.
fn present(partition: &Partition) -> (Vec<u32>, Vec<usize>, Vec<usize>) {
    let (mut classes, mut position, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for (class, &size) in partition.sizes().iter().enumerate() {
        position.push(sizes.len());
        if size > 0 {
            classes.push(class as u32);
            sizes.push(size);
        }
    }
    (classes, position, sizes)
}
