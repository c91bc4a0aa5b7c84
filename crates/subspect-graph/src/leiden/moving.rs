//! Fast local moving: nodes go to the community that gains most, until no node wants to go elsewhere.
//!
//! Nodes wait in a queue that starts in random order; when a node has moved, those of its neighbours that are not in
//! its new community join the queue again (Traag, Waltman & van Eck 2019, algorithm A.2, `MoveNodesFast`). A node may
//! also leave for a community of its own.

use std::collections::VecDeque;

use rand::RngCore;
use subspect_linalg::CsrValue;

use super::network::{NeighbourSums, Network};
use super::quality::Objective;
use subspect_statistics::{below, shuffle_from};

/// Gains below this share of what was summed are rounding: without it two nodes could change places for ever.
const ROUNDING: f64 = 1e-13;

/// Moves nodes between the communities `of` (numbers below the number of nodes); returns how often one moved.
pub(super) fn move_nodes<T: CsrValue>(
    network: &Network<'_, T>,
    objective: Objective,
    of: &mut [u32],
    rng: &mut impl RngCore,
) -> usize {
    let n = network.n_nodes();
    let mut communities = Sizes::of(&network.mass, of);
    let mut order: Vec<u32> = (0..n as u32).collect();
    shuffle_from(&mut order, rng);
    let mut queue = VecDeque::from(order);
    let mut waits = vec![true; n];
    let mut sums = NeighbourSums::new(n);
    let mut n_moves = 0;
    while let Some(node) = queue.pop_front() {
        let v = node as usize;
        waits[v] = false;
        let (cols, values) = network.links.row(v);
        for (&j, &w) in cols.iter().zip(values) {
            sums.add(of[j as usize], w.into());
        }
        let (from, mass) = (of[v], network.mass[v]);
        communities.take(from, mass);
        let to = best(&mut sums, &communities, objective, (from, mass), rng);
        communities.put(to, mass);
        if to == from {
            continue;
        }
        of[v] = to;
        n_moves += 1;
        for &j in cols {
            if of[j as usize] != to && !waits[j as usize] {
                waits[j as usize] = true;
                queue.push_back(j);
            }
        }
    }
    n_moves
}

/// Where a node of `(community, mass)` that was taken out of its community gains most: there unless another is better
/// by more than rounding. Among equals chance decides, or all searches of a graph with equal weights would go alike.
#[inline]
fn best(
    sums: &mut NeighbourSums,
    communities: &Sizes,
    objective: Objective,
    (from, mass): (u32, f64),
    rng: &mut impl RngCore,
) -> u32 {
    let stay = objective.join(sums.get(from), mass, communities.mass[from as usize]);
    let mut to = from;
    let mut gain = stay + ROUNDING * (sums.get(from) + objective.penalty * mass * communities.total);
    // To be alone gains nothing.
    if gain < 0.0
        && let Some(&empty) = communities.empty.last()
    {
        (to, gain) = (empty, 0.0);
    }
    let mut n_equal = 1;
    sums.drain(|community, weight| {
        let joined = objective.join(weight, mass, communities.mass[community as usize]);
        if joined < gain || community == from {
            return;
        }
        if joined > gain {
            n_equal = 1;
        } else if to == from {
            return;
        } else {
            n_equal += 1;
            if below(rng, n_equal) != 0 {
                return;
            }
        }
        (to, gain) = (community, joined);
    });
    to
}

/// Mass and number of nodes of every community.
struct Sizes {
    mass: Vec<f64>,
    n_nodes: Vec<u32>,
    empty: Vec<u32>,
    total: f64,
}

impl Sizes {
    fn of(masses: &[f64], of: &[u32]) -> Self {
        let n = masses.len();
        let (mut mass, mut n_nodes) = (vec![0.0; n], vec![0; n]);
        for (&c, m) in of.iter().zip(masses) {
            mass[c as usize] += m;
            n_nodes[c as usize] += 1;
        }
        let empty = (0..n as u32).rev().filter(|&c| n_nodes[c as usize] == 0).collect();
        Self { mass, n_nodes, empty, total: masses.iter().sum() }
    }

    /// Takes a node out. An emptied community has no mass left, not a rounding error of it.
    #[inline]
    fn take(&mut self, community: u32, mass: f64) {
        let c = community as usize;
        self.n_nodes[c] -= 1;
        if self.n_nodes[c] == 0 {
            self.mass[c] = 0.0;
            self.empty.push(community);
        } else {
            self.mass[c] -= mass;
        }
    }

    #[inline]
    fn put(&mut self, community: u32, mass: f64) {
        let c = community as usize;
        if self.n_nodes[c] == 0 {
            // Only the last empty community is ever offered, or the one that was emptied just now: the same.
            self.empty.pop();
        }
        self.n_nodes[c] += 1;
        self.mass[c] += mass;
    }
}
