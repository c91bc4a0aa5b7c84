//! A weighted graph with three classes against networkx 3.6.1: the constants come from `oracle/networkx_values.py`.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{blocks, coefficients};
use subspect_graph::{AffinityGraph, Subject, class_affinity, conductance, measure_all, modularity};

const N: usize = 24;

fn class(i: usize) -> usize {
    [10, 18].iter().filter(|&&start| i >= start).count()
}

fn weight(a: usize, b: usize) -> f32 {
    let h = (a * 73 + b * 151 + a * b * 29) % 97;
    if h < if class(a) == class(b) { 60 } else { 25 } { (h % 8 + 1) as f32 / 8.0 } else { 0.0 }
}

#[test]
fn values_agree_with_networkx() {
    let c = coefficients(N, weight);
    let (g, p) = (AffinityGraph::from_coefficients(&c).unwrap(), blocks(&[10, 8, 6]));
    assert_eq!((g.n_edges(), g.total_mass()), (113, 129.5));
    let close =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1e-13, "{found} for {expected}");
    for (resolution, q) in [(1.0, 0.1349543835065071), (0.5, 0.31361618789224965), (2.0, -0.2223692252649781)]
    {
        close(modularity(&g, &p, resolution).value().unwrap(), q);
    }
    let expected = [0.386892177589852, 0.6091205211726385, 0.609375];
    conductance(&g, &p).iter().zip(expected).for_each(|(c, e)| close(c.value().unwrap(), e));
    let expected = [
        [0.6131078224101479, 0.226215644820296, 0.160676532769556],
        [0.3485342019543974, 0.39087947882736157, 0.26058631921824105],
        [0.296875, 0.3125, 0.390625],
    ];
    class_affinity(&g, &p).iter().flatten().zip(expected.iter().flatten()).for_each(|(f, e)| close(*f, *e));
    let all = measure_all(&Subject::new(&c, &g, Some(&p))).unwrap();
    for (name, value) in [
        ("density", 0.40942028985507245),
        ("mean_neighbors", 9.416666666666666),
        ("max_neighbors", 13.0),
        ("max_degree", 6.75),
        ("mean_degree", 129.5 / 24.0),
        ("conductance_max", 0.609375),
    ] {
        close(all[name].value().unwrap(), value);
    }
}
