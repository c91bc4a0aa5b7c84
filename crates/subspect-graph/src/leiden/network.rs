//! The graph that one level of Leiden works on: the inputs themselves, then groups of inputs.
//!
//! `links` holds the weight between different nodes, both directions; what lies inside a node does not change any
//! move and is left out. Sums are float64; the finest level reads the affinity graph's float32 weights in place.

use std::borrow::Cow;

use subspect_linalg::{Csr, CsrBuilder, CsrValue};

/// Nodes with their masses, and the weights between them.
pub(super) struct Network<'a, T: CsrValue> {
    pub(super) links: Cow<'a, Csr<T>>,
    pub(super) mass: Vec<f64>,
}

impl<T: CsrValue> Network<'_, T> {
    pub(super) fn n_nodes(&self) -> usize {
        self.mass.len()
    }

    /// One node per group of `group` (numbers below `n_groups`, none empty).
    pub(super) fn aggregate(&self, group: &[u32], n_groups: usize) -> Network<'static, f64> {
        let mut mass = vec![0.0; n_groups];
        group.iter().zip(&self.mass).for_each(|(&g, m)| mass[g as usize] += m);
        let (starts, members) = members(group, n_groups);
        let mut builder = CsrBuilder::new(n_groups);
        let mut sums = NeighbourSums::new(n_groups);
        let mut row = Vec::new();
        for g in 0..n_groups {
            for &i in &members[starts[g]..starts[g + 1]] {
                let (cols, values) = self.links.row(i as usize);
                for (&j, &w) in cols.iter().zip(values) {
                    sums.add(group[j as usize], w.into());
                }
            }
            row.clear();
            sums.drain(|to, w| {
                if to as usize != g {
                    row.push((to, w));
                }
            });
            builder.push_row(&mut row);
        }
        Network { links: Cow::Owned(builder.finish()), mass }
    }
}

/// The nodes of every group, ascending: those of group g are `members[starts[g]..starts[g + 1]]`.
pub(super) fn members(group: &[u32], n_groups: usize) -> (Vec<usize>, Vec<u32>) {
    let order: Vec<u32> = (0..group.len() as u32).collect();
    members_in_order(group, n_groups, &order)
}

/// The nodes of every group, in the order in which `order` visits them.
pub(super) fn members_in_order(group: &[u32], n_groups: usize, order: &[u32]) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0_usize; n_groups + 1];
    group.iter().for_each(|&g| starts[g as usize + 1] += 1);
    (0..n_groups).for_each(|g| starts[g + 1] += starts[g]);
    let mut next = starts.clone();
    let mut members = vec![0; group.len()];
    for &i in order {
        let next = &mut next[group[i as usize] as usize];
        members[*next] = i;
        *next += 1;
    }
    (starts, members)
}

/// Numbers groups `0..n` in the order of their first node; returns n.
pub(super) fn renumber(group: &mut [u32], n_slots: usize) -> usize {
    let mut number = vec![u32::MAX; n_slots];
    let mut n = 0;
    for g in group {
        let number = &mut number[*g as usize];
        if *number == u32::MAX {
            *number = n;
            n += 1;
        }
        *g = *number;
    }
    n as usize
}

/// Sums of weights by group, kept for the groups that were touched only.
pub(super) struct NeighbourSums {
    sum: Vec<f64>,
    touched: Vec<u32>,
}

impl NeighbourSums {
    pub(super) fn new(n_groups: usize) -> Self {
        Self { sum: vec![0.0; n_groups], touched: Vec::with_capacity(n_groups.min(1024)) }
    }

    /// Weights are positive, so a sum of zero says that the group was not touched.
    #[inline]
    pub(super) fn add(&mut self, group: u32, weight: f64) {
        let sum = &mut self.sum[group as usize];
        if *sum == 0.0 {
            self.touched.push(group);
        }
        *sum += weight;
    }

    #[inline]
    pub(super) fn get(&self, group: u32) -> f64 {
        self.sum[group as usize]
    }

    /// Hands over every touched group in the order of first touch, and forgets all.
    #[inline]
    pub(super) fn drain(&mut self, mut f: impl FnMut(u32, f64)) {
        for &g in &self.touched {
            let sum = &mut self.sum[g as usize];
            f(g, *sum);
            *sum = 0.0;
        }
        self.touched.clear();
    }
}
