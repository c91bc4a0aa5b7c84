//! Refinement: every community is built anew from single nodes, and may come out as several parts.
//!
//! A node that is still alone joins a part of its own community at random, in proportion to `exp(gain / theta)` over
//! the parts that it gains by joining; node and part must both be well connected with the rest of the community,
//! `w(S, C - S) >= rho M_S (M_C - M_S)` (Traag, Waltman & van Eck 2019, algorithm A.2, `RefinePartition`). Parts are
//! connected, because a node only joins what it has an edge to. Gains, and with them theta, are in units of the
//! finest graph's mean edge weight, so that rescaling all affinities changes nothing.

use rand::RngCore;
use subspect_linalg::CsrValue;

use super::network::{NeighbourSums, Network, members_in_order, renumber};
use super::quality::Objective;
use super::random::uniform;
use subspect_statistics::shuffle_from;

/// How nodes choose.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) objective: Objective,
    /// Theta times the mean edge weight; 0 takes the best part always.
    pub(super) temperature: f64,
}

/// Parts of the communities `of` (numbers below `n_communities`): the part of every node, and how many there are.
pub(super) fn refine<T: CsrValue>(
    network: &Network<'_, T>,
    choice: Choice,
    of: &[u32],
    n_communities: usize,
    rng: &mut impl RngCore,
) -> (Vec<u32>, usize) {
    let n = network.n_nodes();
    let mut order: Vec<u32> = (0..n as u32).collect();
    shuffle_from(&mut order, rng);
    let (starts, members) = members_in_order(of, n_communities, &order);
    let mut parts = Parts::single(network, of);
    let mut sums = NeighbourSums::new(n);
    let mut candidates = Vec::new();
    for c in 0..n_communities {
        let nodes = &members[starts[c]..starts[c + 1]];
        let community: f64 = nodes.iter().map(|&i| network.mass[i as usize]).sum();
        for &node in nodes {
            let v = node as usize;
            if !parts.is_single(v) || !parts.is_well_connected(v, community, choice.objective) {
                continue;
            }
            let (cols, values) = network.links.row(v);
            for (&j, &w) in cols.iter().zip(values) {
                if of[j as usize] == of[v] {
                    sums.add(parts.of[j as usize], w.into());
                }
            }
            candidates.clear();
            sums.drain(|part, weight| {
                let gain = choice.objective.join(weight, network.mass[v], parts.mass[part as usize]);
                if gain >= 0.0 && parts.is_well_connected(part as usize, community, choice.objective) {
                    candidates.push((part, weight, gain));
                }
            });
            if let Some((part, weight)) = choose(&candidates, choice.temperature, rng) {
                parts.join(v, part, weight);
            }
        }
    }
    let mut parts = parts.of;
    let n_parts = renumber(&mut parts, n);
    (parts, n_parts)
}

/// A candidate (part, weight, gain) in proportion to `exp(gain / temperature)`, or none: to stay alone gains 0.
fn choose(candidates: &[(u32, f64, f64)], temperature: f64, rng: &mut impl RngCore) -> Option<(u32, f64)> {
    let &(part, weight, largest) = candidates.iter().reduce(|a, b| if b.2 > a.2 { b } else { a })?;
    // Relative to the largest gain: exponentials of what is positive could overflow.
    let odds = |gain: f64| {
        let exponent = (gain - largest) / temperature;
        // Odds below 1e-21 would never be drawn, and most gains are that far behind.
        if exponent < -50.0 { 0.0 } else { exponent.exp() }
    };
    if temperature <= 0.0 || candidates.len() == 1 && odds(0.0) == 0.0 {
        return Some((part, weight));
    }
    let total = odds(0.0) + candidates.iter().map(|c| odds(c.2)).sum::<f64>();
    let mut at = uniform(rng) * total;
    for c in candidates {
        at -= odds(c.2);
        if at < 0.0 {
            return Some((c.0, c.1));
        }
    }
    None
}

/// The parts so far. A part is numbered by one of its nodes.
struct Parts {
    of: Vec<u32>,
    mass: Vec<f64>,
    /// Weight to the rest of the community.
    outward: Vec<f64>,
    /// Whether the node of this number is alone in its part.
    single: Vec<bool>,
}

impl Parts {
    fn single<T: CsrValue>(network: &Network<'_, T>, of: &[u32]) -> Self {
        let outward = |v: usize| {
            let (cols, values) = network.links.row(v);
            let own = cols.iter().zip(values).filter(|(j, _)| of[**j as usize] == of[v]);
            own.map(|(_, &w)| w.into()).sum()
        };
        let n = network.n_nodes();
        Self {
            of: (0..n as u32).collect(),
            mass: network.mass.clone(),
            outward: (0..n).map(outward).collect(),
            single: vec![true; n],
        }
    }

    fn is_single(&self, node: usize) -> bool {
        self.single[node]
    }

    fn is_well_connected(&self, part: usize, community: f64, objective: Objective) -> bool {
        objective.join(self.outward[part], self.mass[part], community - self.mass[part]) >= 0.0
    }

    fn join(&mut self, node: usize, part: u32, weight: f64) {
        let p = part as usize;
        self.of[node] = part;
        self.mass[p] += self.mass[node];
        self.outward[p] += self.outward[node] - 2.0 * weight;
        (self.single[node], self.single[p]) = (false, false);
    }
}
