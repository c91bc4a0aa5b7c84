//! One search by Leiden: passes over ever coarser graphs, repeated until one changes nothing.
//!
//! A pass moves nodes, refines the communities into parts, makes every part one node and goes on with these, from
//! the communities as they were (Traag, Waltman & van Eck 2019, algorithm A.2). The next pass starts from the
//! communities that the last one ended with. Sequential: its result depends on graph, options and stream only.

use rand::RngCore;
use std::borrow::Cow;
use subspect_linalg::CsrValue;

use super::moving::move_nodes;
use super::network::{Network, renumber};
use super::refinement::{Choice, refine};
use crate::AffinityGraph;

/// Where a search ended.
pub(super) struct Found {
    /// Community of every node, numbered by first appearance.
    pub(super) of: Vec<u32>,
    pub(super) n_communities: usize,
    pub(super) n_iterations: usize,
    /// Whether the last pass changed nothing.
    pub(super) converged: bool,
}

/// Searches from single nodes, with at most `n_iterations` passes.
pub(super) fn search(
    graph: &AffinityGraph,
    masses: Vec<f64>,
    choice: Choice,
    n_iterations: usize,
    rng: &mut impl RngCore,
) -> Found {
    let n = graph.n_nodes();
    let finest = Network { links: Cow::Borrowed(graph.adjacency()), mass: masses };
    let mut found =
        Found { of: (0..n as u32).collect(), n_communities: n, n_iterations: 0, converged: false };
    while !found.converged && found.n_iterations < n_iterations {
        found.converged = !pass(&finest, choice, &mut found.of, rng);
        found.n_iterations += 1;
    }
    found.n_communities = renumber(&mut found.of, n);
    found
}

/// One pass; returns whether anything moved.
fn pass(finest: &Network<'_, f32>, choice: Choice, of: &mut [u32], rng: &mut impl RngCore) -> bool {
    let mut level = descend(finest, choice, of, rng);
    let mut moved = level.moved;
    // Node of the present level that every input lies in.
    let mut place: Option<Vec<u32>> = None;
    let mut communities = of.to_vec();
    while let Some(coarser) = level.coarser {
        match &mut place {
            None => place = Some(coarser.part),
            Some(place) => place.iter_mut().for_each(|p| *p = coarser.part[*p as usize]),
        }
        communities = coarser.communities;
        level = descend(&coarser.network, choice, &mut communities, rng);
        moved |= level.moved;
    }
    match place {
        None => of.copy_from_slice(&communities),
        Some(place) => of.iter_mut().zip(place).for_each(|(c, p)| *c = communities[p as usize]),
    }
    if level.stalled {
        moved |= split(finest, of);
    }
    moved
}

/// What a level leaves.
struct Level {
    moved: bool,
    coarser: Option<Coarser>,
    /// No part had more than one node although a community has: its communities may be unconnected.
    stalled: bool,
}

/// The next level.
struct Coarser {
    network: Network<'static, f64>,
    /// Node of the next level for every node of this one.
    part: Vec<u32>,
    /// Community of every node of the next level.
    communities: Vec<u32>,
}

fn descend<T: CsrValue>(
    network: &Network<'_, T>,
    choice: Choice,
    of: &mut [u32],
    rng: &mut impl RngCore,
) -> Level {
    let n = network.n_nodes();
    let moved = move_nodes(network, choice.objective, of, rng) > 0;
    let n_communities = renumber(of, n);
    if n_communities == n {
        return Level { moved, coarser: None, stalled: false };
    }
    let (part, n_parts) = refine(network, choice, of, n_communities, rng);
    if n_parts == n {
        return Level { moved, coarser: None, stalled: true };
    }
    let mut communities = vec![0; n_parts];
    part.iter().zip(of.iter()).for_each(|(&p, &c)| communities[p as usize] = c);
    let coarser = Coarser { network: network.aggregate(&part, n_parts), part, communities };
    Level { moved, coarser: Some(coarser), stalled: false }
}

/// Makes every connected part of a community a community of its own, which never lowers the quality: nothing links
/// the parts. Returns whether there was one to split.
fn split(finest: &Network<'_, f32>, of: &mut [u32]) -> bool {
    let n = finest.n_nodes();
    let n_before = renumber(of, n);
    let mut part = vec![u32::MAX; n];
    let mut stack = Vec::new();
    let mut n_parts = 0;
    for start in 0..n {
        if part[start] != u32::MAX {
            continue;
        }
        part[start] = n_parts;
        stack.push(start);
        while let Some(i) = stack.pop() {
            for &j in finest.links.row(i).0 {
                if part[j as usize] == u32::MAX && of[j as usize] == of[i] {
                    part[j as usize] = n_parts;
                    stack.push(j as usize);
                }
            }
        }
        n_parts += 1;
    }
    of.copy_from_slice(&part);
    n_parts as usize > n_before
}
