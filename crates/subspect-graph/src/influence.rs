//! How much every input and every pair of inputs moves the modularity, and what variance follows over inputs.
//!
//! To first order the modularity of a graph whose pairs are weighted by `1 + e_ij` is `Q + sum_ij e_ij h_ij` with
//!
//! `h_ij = A_ij / 2m ([p_i = p_j] - W/2m - gamma (f_i + f_j) + 2 gamma sum_c f_c²)`,
//!
//! `f_i = V_{p_i} / 2m` the share of mass of the class of i, and `sum_ij h_ij = 0`. An input i moves it by
//! `2 g_i`, `g_i = sum_j h_ij`. Over independent inputs, with pairs dependent only through the inputs they share, the
//! variance is estimated without bias by the dyadic-robust sum `4 sum_i g_i² - 2 sum_ij h_ij²` (Fafchamps & Gubert, J. Dev.
//! Econ. 83, 326 (2007); Aronow, Samii & Assenova, Polit. Anal. 23, 564 (2015)). The first term alone, which every
//! bootstrap of the inputs estimates, counts the noise of single pairs twice; it is all there is to a graph whose
//! inputs are alike. The sum is a difference and can fall below the pairs' own noise `2 sum_ij h_ij²`, which bounds it.

use crate::measures::modularity::ClassMass;
use crate::{AffinityGraph, Partition};

/// Shares of one graph's mass.
struct Shares<'a> {
    graph: &'a AffinityGraph,
    within: f64,
    classes: Vec<f64>,
    squares: f64,
    sign: f64,
}

impl<'a> Shares<'a> {
    fn of(graph: &'a AffinityGraph, partition: &Partition, sign: f64) -> Self {
        let mass = ClassMass::of(graph, partition);
        let total = graph.total_mass();
        let classes: Vec<f64> = mass.volume.iter().map(|v| v / total).collect();
        let squares = classes.iter().map(|f| f * f).sum();
        Self { graph, within: mass.within.iter().sum::<f64>() / total, classes, squares, sign }
    }

    /// Adds row `i` of `h` to `row` and its columns to `touched`.
    fn add_row(&self, i: usize, partition: &Partition, gamma: f64, row: &mut [f64], touched: &mut Vec<u32>) {
        let own = partition.class(i);
        let (nodes, weights) = self.graph.neighbors(i);
        for (&j, &w) in nodes.iter().zip(weights) {
            let other = partition.class(j as usize);
            let same = if own == other { 1.0 } else { 0.0 };
            let expected = gamma * (self.classes[own] + self.classes[other] - 2.0 * self.squares);
            if row[j as usize] == 0.0 {
                touched.push(j);
            }
            row[j as usize] +=
                self.sign * f64::from(w) / self.graph.total_mass() * (same - self.within - expected);
        }
    }
}

/// Variance over inputs of the modularity of `first`, or of its difference to that of `second` on the same inputs.
///
/// Neither graph may be empty.
pub(crate) fn variance(
    first: &AffinityGraph,
    second: Option<&AffinityGraph>,
    partition: &Partition,
    resolution: f64,
) -> f64 {
    let mut graphs = vec![Shares::of(first, partition, 1.0)];
    graphs.extend(second.map(|g| Shares::of(g, partition, -1.0)));
    let n = partition.len();
    let (mut row, mut touched) = (vec![0.0; n], Vec::new());
    let (mut inputs, mut pairs) = (0.0, 0.0);
    for i in 0..n {
        for graph in &graphs {
            graph.add_row(i, partition, resolution, &mut row, &mut touched);
        }
        // A column can be listed twice where a sum came back to zero; its value is taken once.
        let mut influence = 0.0;
        for &j in &touched {
            let h = std::mem::take(&mut row[j as usize]);
            influence += h;
            pairs += h * h;
        }
        touched.clear();
        inputs += influence * influence;
    }
    2.0 * pairs + (4.0 * inputs - 4.0 * pairs).max(0.0)
}
