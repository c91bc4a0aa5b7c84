//! The contingency table of two partitions.

use crate::agreement::check_length;
use crate::{GraphError, Partition};

/// How many inputs are in class i of one partition and class j of the other. Empty classes have no row or column, and
/// only cells with inputs are held: two partitions into 10,000 communities cost what 10,000 inputs cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    /// Row, column and count of every cell that has inputs, row after row.
    pub cells: Vec<(u32, u32, usize)>,
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
        let place = |(&a, &b): (&u32, &u32)| (row_of[a as usize], col_of[b as usize]);
        let mut places: Vec<(u32, u32)> = first.classes().iter().zip(second.classes()).map(place).collect();
        places.sort_unstable();
        let cells = places.chunk_by(|a, b| a == b).map(|same| (same[0].0, same[0].1, same.len())).collect();
        Ok(Self { cells, row_classes, col_classes, row_sums, col_sums, n: first.len() })
    }

    /// All counts, one row per class of the first partition that is present.
    pub fn counts(&self) -> Vec<Vec<usize>> {
        let mut counts = vec![vec![0; self.col_sums.len()]; self.row_sums.len()];
        self.cells.iter().for_each(|&(i, j, count)| counts[i as usize][j as usize] = count);
        counts
    }

    /// Whether the two partitions differ in their numbering at most.
    pub(crate) fn is_matching(&self) -> bool {
        self.cells.len() == self.row_sums.len() && self.cells.len() == self.col_sums.len()
    }
}

/// The classes that are present, the position of every class among them, and their sizes.
fn present(partition: &Partition) -> (Vec<u32>, Vec<u32>, Vec<usize>) {
    let (mut classes, mut position, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for (class, &size) in partition.sizes().iter().enumerate() {
        position.push(sizes.len() as u32);
        if size > 0 {
            classes.push(class as u32);
            sizes.push(size);
        }
    }
    (classes, position, sizes)
}
