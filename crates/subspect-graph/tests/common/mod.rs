//! Graphs that the tests share.
#![allow(dead_code)] // every test file uses its own selection

use subspect_graph::{AffinityGraph, Partition};
use subspect_linalg::{Csr, CsrBuilder};

/// Coefficients with the weight of every pair above the diagonal, so that `|C| + |C|ᵀ` is the weight itself.
pub(crate) fn coefficients(n: usize, weight: impl Fn(usize, usize) -> f32) -> Csr {
    let mut b = CsrBuilder::new(n);
    for i in 0..n {
        b.push_row(&mut (i + 1..n).map(|j| (j as u32, weight(i, j))).collect::<Vec<_>>());
    }
    b.finish()
}

pub(crate) fn graph(n: usize, weight: impl Fn(usize, usize) -> f32) -> AffinityGraph {
    AffinityGraph::from_coefficients(&coefficients(n, weight)).unwrap()
}

/// Cliques of `size` nodes, joined by one edge from each to the next (and back to the first in a ring).
pub(crate) fn cliques(count: usize, size: usize, ring: bool) -> AffinityGraph {
    graph(count * size, |i, j| {
        let bridge = (i % size == size - 1 && j == i + 1) || (ring && i == 0 && j == count * size - 1);
        f32::from(u8::from(i / size == j / size || bridge))
    })
}

/// Classes of consecutive nodes.
pub(crate) fn blocks(sizes: &[usize]) -> Partition {
    let classes = sizes.iter().enumerate().flat_map(|(c, &s)| std::iter::repeat_n(c as u32, s)).collect();
    Partition::new(classes, sizes.len()).unwrap()
}

/// A repeatable coefficient matrix without symmetry: signs, gaps, an empty row.
pub(crate) fn scattered(n: usize) -> Csr {
    let mut b = CsrBuilder::new(n);
    for i in 0..n {
        let entry = |j: usize| {
            let h = (i * 7919 + j * 104_729 + i * j * 31) % 101;
            let value = (h as f32 - 50.0) / 64.0;
            (j as u32, if i != j && i != 3 && h.is_multiple_of(3) { value } else { 0.0 })
        };
        b.push_row(&mut (0..n).map(entry).collect::<Vec<_>>());
    }
    b.finish()
}

/// Moves node i to `order[i]`.
pub(crate) fn permuted(c: &Csr, order: &[usize]) -> Csr {
    let n = c.n_rows();
    let mut rows = vec![Vec::new(); n];
    for i in 0..n {
        let (cols, values) = c.row(i);
        rows[order[i]] = cols.iter().zip(values).map(|(&j, &v)| (order[j as usize] as u32, v)).collect();
    }
    let mut b = CsrBuilder::new(n);
    rows.iter_mut().for_each(|r| b.push_row(r));
    b.finish()
}
