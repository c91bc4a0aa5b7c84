//! A two-dimensional map of the inputs of one layer, laid out from the layer's own affinity graph.
//!
//! Every edge attracts and every pair of nodes repels, as in neighbour embeddings: with `q_ij = 1 / (1 + |y_i - y_j|²)`
//! the layout raises `sum_ij s_ij log q_ij + sum_ij log(1 - q_ij)` by stochastic gradient steps, repulsion on a few
//! random nodes per edge (Tang et al., "Visualizing large-scale and high-dimensional data", WWW 2016; McInnes, Healy,
//! Melville, arXiv 1802.03426). Weights are relative to each end's strongest edge, `s_ij = (A_ij / max_i + A_ij / max_j)
//! / 2`, so that a hub does not pull harder than others. The start is a smoothed random vector pair: a few steps of the
//! lazy random walk leave what varies slowly over the graph.
//!
//! Distances in such a map tell who is close; they are not to be measured. [`align`] turns one map onto another by a
//! rotation, reflection and scale, so that the maps of neighbouring layers can be followed by eye.

use rand::RngCore;
use subspect_linalg::Seed;
use subspect_statistics::below;

use crate::AffinityGraph;

/// Repulsions for each attraction.
const N_NEGATIVES: usize = 5;
/// Steps of the random walk before the layout starts.
const N_SMOOTHING: usize = 60;
/// Longest step along one axis, in units of the map.
const LONGEST_STEP: f32 = 4.0;
/// Root mean square of the coordinates at the start.
const START_RADIUS: f32 = 5.0;

/// A position for every node, centred on the nodes that have edges. The layout is computed on one thread and depends on
/// nothing but the graph, the number of epochs and the seed. Nodes without edges stay at the centre: nothing is known
/// about them.
pub fn layout(graph: &AffinityGraph, n_epochs: usize, seed: Seed) -> Vec<[f32; 2]> {
    let mut places = start(graph, seed.axis("start"));
    let edges = Edges::of(graph, n_epochs);
    let mut rng = seed.axis("negatives").rng();
    let connected: Vec<u32> =
        (0..graph.n_nodes()).filter(|&i| graph.n_neighbors(i) > 0).map(|i| i as u32).collect();
    for epoch in 0..n_epochs {
        let rate = 1.0 - epoch as f32 / n_epochs as f32;
        for e in 0..edges.ends.len() {
            if edges.is_due(e, epoch) {
                step(&mut places, edges.ends[e], &connected, rate, &mut rng);
            }
        }
    }
    centre(&mut places, &connected);
    places
}

/// The map turned, mirrored and scaled to lie as closely as possible on `target` (orthogonal Procrustes in the plane);
/// unchanged when one of the two has no extent.
pub fn align(map: &[[f32; 2]], target: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut cross = [[0.0_f64; 2]; 2];
    let (mut own, mut other) = (0.0_f64, 0.0_f64);
    for (y, t) in map.iter().zip(target) {
        for a in 0..2 {
            own += f64::from(y[a]).powi(2);
            other += f64::from(t[a]).powi(2);
            for b in 0..2 {
                cross[a][b] += f64::from(y[a]) * f64::from(t[b]);
            }
        }
    }
    if own == 0.0 || other == 0.0 {
        return map.to_vec();
    }
    let turn = best_turn(cross);
    let scale = (other / own).sqrt();
    let along = |y: &[f32; 2], b: usize| {
        (scale * (f64::from(y[0]) * turn[0][b] + f64::from(y[1]) * turn[1][b])) as f32
    };
    map.iter().map(|y| [along(y, 0), along(y, 1)]).collect()
}

/// The orthogonal 2 x 2 matrix R with the largest trace of `Rᵀ M`: the better of the best rotation and the best
/// reflection, both of which have a closed form in the plane.
fn best_turn(m: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let (rotation, skew) = (m[0][0] + m[1][1], m[0][1] - m[1][0]);
    let (reflection, cross) = (m[0][0] - m[1][1], m[0][1] + m[1][0]);
    let (r, f) = (rotation.hypot(skew), reflection.hypot(cross));
    if r >= f && r > 0.0 {
        let (c, s) = (rotation / r, skew / r);
        [[c, s], [-s, c]]
    } else if f > 0.0 {
        let (c, s) = (reflection / f, cross / f);
        [[c, s], [s, -c]]
    } else {
        [[1.0, 0.0], [0.0, 1.0]]
    }
}

/// Every edge once, with the number of epochs between two of its steps.
struct Edges {
    ends: Vec<[u32; 2]>,
    period: Vec<f32>,
}

impl Edges {
    fn of(graph: &AffinityGraph, n_epochs: usize) -> Self {
        let n = graph.n_nodes();
        let strongest: Vec<f32> =
            (0..n).map(|i| graph.neighbors(i).1.iter().fold(0.0, |top, &w| w.max(top))).collect();
        let (mut ends, mut period) = (Vec::new(), Vec::new());
        for i in 0..n {
            let (cols, values) = graph.neighbors(i);
            for (&j, &w) in cols.iter().zip(values).filter(|&(&j, &w)| (j as usize) > i && w > 0.0) {
                let share = 0.5 * (w / strongest[i] + w / strongest[j as usize]);
                // An edge that would not be due even once is left out.
                if share * n_epochs as f32 >= 1.0 {
                    ends.push([i as u32, j]);
                    period.push(1.0 / share);
                }
            }
        }
        Self { ends, period }
    }

    /// Whether a multiple of the edge's period falls on this epoch.
    fn is_due(&self, e: usize, epoch: usize) -> bool {
        let period = self.period[e];
        ((epoch + 1) as f32 / period) as u32 > (epoch as f32 / period) as u32
    }
}

fn step<R: RngCore>(places: &mut [[f32; 2]], [i, j]: [u32; 2], connected: &[u32], rate: f32, rng: &mut R) {
    let (i, j) = (i as usize, j as usize);
    let pull = move_along(places[i], places[j], |d2| -2.0 / (1.0 + d2), rate);
    for a in 0..2 {
        places[i][a] += pull[a];
        places[j][a] -= pull[a];
    }
    for end in [i, j] {
        for _ in 0..N_NEGATIVES {
            let other = connected[below(rng, connected.len())] as usize;
            if other != i && other != j {
                let push =
                    move_along(places[end], places[other], |d2| 2.0 / ((0.01 + d2) * (1.0 + d2)), rate);
                places[end][0] += push[0];
                places[end][1] += push[1];
            }
        }
    }
}

/// `rate * force(d²) * (y - z)`, no longer than the longest step.
fn move_along(y: [f32; 2], z: [f32; 2], force: impl Fn(f32) -> f32, rate: f32) -> [f32; 2] {
    let d = [y[0] - z[0], y[1] - z[1]];
    let f = force(d[0] * d[0] + d[1] * d[1]);
    [0, 1].map(|a| rate * (f * d[a]).clamp(-LONGEST_STEP, LONGEST_STEP))
}

/// Two random vectors after a few steps of the lazy random walk `(1 + D⁻¹A) / 2`, made orthogonal to each other and to
/// the constant with respect to the degrees, as the walk's own eigenvectors are.
fn start(graph: &AffinityGraph, seed: Seed) -> Vec<[f32; 2]> {
    let n = graph.n_nodes();
    let mut rng = seed.rng();
    let mut uniform = || f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5;
    let mut places: Vec<[f64; 2]> = (0..n).map(|_| [uniform(), uniform()]).collect();
    for _ in 0..N_SMOOTHING {
        places = walk(graph, &places);
        orthogonalise(&mut places, graph.degrees());
    }
    let squares: f64 = places.iter().flatten().map(|v| v * v).sum();
    let scale = f64::from(START_RADIUS) / (squares / (2 * n.max(1)) as f64).sqrt().max(f64::MIN_POSITIVE);
    let isolated = |i: usize| graph.n_neighbors(i) == 0;
    // A pair that hardly anything else is tied to dominates such vectors; it must not start far outside the rest.
    let within = |v: f64| ((v * scale) as f32).clamp(-2.0 * START_RADIUS, 2.0 * START_RADIUS);
    (0..n).map(|i| if isolated(i) { [0.0; 2] } else { places[i].map(within) }).collect()
}

fn walk(graph: &AffinityGraph, places: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let of = |i: usize| {
        let (cols, values) = graph.neighbors(i);
        let k = graph.degrees()[i];
        let mut mean = [0.0; 2];
        for (&j, &w) in cols.iter().zip(values) {
            for a in 0..2 {
                mean[a] += f64::from(w) * places[j as usize][a];
            }
        }
        if k > 0.0 { [0, 1].map(|a| 0.5 * (places[i][a] + mean[a] / k)) } else { [0.0; 2] }
    };
    (0..places.len()).map(of).collect()
}

fn orthogonalise(places: &mut [[f64; 2]], degrees: &[f64]) {
    let total: f64 = degrees.iter().sum();
    if total == 0.0 {
        return;
    }
    let inner = |places: &[[f64; 2]], a: usize, b: usize| -> f64 {
        places.iter().zip(degrees).map(|(y, k)| k * y[a] * y[b]).sum()
    };
    for a in 0..2 {
        let mean = places.iter().zip(degrees).map(|(y, k)| k * y[a]).sum::<f64>() / total;
        places.iter_mut().for_each(|y| y[a] -= mean);
    }
    let first = inner(places, 0, 0);
    if first > 0.0 {
        let shared = inner(places, 0, 1) / first;
        places.iter_mut().for_each(|y| y[1] -= shared * y[0]);
    }
    for a in 0..2 {
        let norm = (inner(places, a, a) / total).sqrt();
        if norm > 0.0 {
            places.iter_mut().for_each(|y| y[a] /= norm);
        }
    }
}

/// Moves the mean of the connected nodes to the origin.
fn centre(places: &mut [[f32; 2]], connected: &[u32]) {
    if connected.is_empty() {
        return;
    }
    let mean = [0, 1].map(|a| {
        connected.iter().map(|&i| f64::from(places[i as usize][a])).sum::<f64>() / connected.len() as f64
    });
    for &i in connected {
        for a in 0..2 {
            places[i as usize][a] -= mean[a] as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    /// Rings of `size` nodes with chords, no edge between rings, and one isolated node at the end.
    fn rings(n_rings: usize, size: usize) -> AffinityGraph {
        let n = n_rings * size + 1;
        let mut c = CsrBuilder::new(n);
        for i in 0..n - 1 {
            let (ring, at) = (i / size, i % size);
            let mut row: Vec<(u32, f32)> =
                [1, 2, 3].iter().map(|d| ((ring * size + (at + d) % size) as u32, 0.5)).collect();
            row.sort_unstable_by_key(|e| e.0);
            c.push_row(&mut row);
        }
        c.push_row(&mut []);
        AffinityGraph::from_coefficients(&c.finish()).unwrap()
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn neighbours_lie_together_and_components_apart() {
        let graph = rings(3, 20);
        let places = layout(&graph, 200, Seed::new(1));
        assert!(places.iter().flatten().all(|v| v.is_finite()));
        assert_eq!(places[60], [0.0, 0.0]);
        let mut hits = 0;
        for i in 0..60 {
            let mut order: Vec<usize> = (0..60).filter(|&j| j != i).collect();
            order.sort_by(|&a, &b| distance(places[i], places[a]).total_cmp(&distance(places[i], places[b])));
            hits += order[..6].iter().filter(|&&j| j / 20 == i / 20).count();
        }
        assert!(hits >= 350, "{hits} of 360 nearest places belong to the same ring");
    }

    #[test]
    fn the_same_seed_gives_the_same_bits() {
        let graph = rings(2, 8);
        assert_eq!(layout(&graph, 50, Seed::new(3)), layout(&graph, 50, Seed::new(3)));
        assert_ne!(layout(&graph, 50, Seed::new(3)), layout(&graph, 50, Seed::new(4)));
    }

    #[test]
    fn graphs_without_edges_have_a_map_too() {
        for n in [0, 1, 3] {
            let graph = AffinityGraph::from_coefficients(&subspect_linalg::Csr::empty(n, n)).unwrap();
            assert_eq!(layout(&graph, 50, Seed::new(0)), vec![[0.0, 0.0]; n]);
        }
    }

    #[test]
    fn a_turned_mirrored_and_scaled_map_is_turned_back() {
        let target: Vec<[f32; 2]> =
            (0..30).map(|i| [(i as f32).sin() * 3.0, (i as f32 * 1.7).cos()]).collect();
        let (c, s) = (0.6_f32, 0.8_f32);
        for mirror in [1.0, -1.0] {
            let map: Vec<[f32; 2]> = target
                .iter()
                .map(|t| [2.0 * (c * t[0] - s * t[1]), 2.0 * mirror * (s * t[0] + c * t[1])])
                .collect();
            for (back, t) in align(&map, &target).iter().zip(&target) {
                assert!(distance(*back, *t) < 1e-4, "{back:?} {t:?}");
            }
        }
        assert_eq!(align(&[[0.0; 2]; 2], &target[..2]), vec![[0.0; 2]; 2]);
    }
}
