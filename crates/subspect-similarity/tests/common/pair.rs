//! Operands of either kind, and what can be done to them.

use subspect_linalg::{Csr, CsrBuilder, Matrix, Seed};
use subspect_similarity::{Invariance, Operand};

use super::{gaussian, product, random_graph, to_f32};

/// One layer.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    Graph(Csr),
    Double(Matrix<f64>),
    Single(Matrix<f32>),
}

pub(crate) type Pair = (Layer, Layer);

impl Layer {
    pub(crate) fn as_operand(&self) -> Operand<'_> {
        match self {
            Layer::Graph(g) => g.into(),
            Layer::Double(x) => x.as_ref().into(),
            Layer::Single(x) => x.as_ref().into(),
        }
    }

    pub(crate) fn to_single(&self) -> Layer {
        match self {
            Layer::Double(x) => Layer::Single(to_f32(x)),
            other => other.clone(),
        }
    }
}

/// A random layer: features of different sizes, not centred.
pub(crate) fn operand(graph: bool, n: usize, d: usize, seed: Seed) -> Layer {
    if graph {
        return Layer::Graph(random_graph(n, 0.05 * d as f64, seed));
    }
    Layer::Double(mapped(&gaussian(n, d, seed), |j, v| (1.0 + j as f64) * (0.5 * v + 0.3)))
}

/// Two layers and, between them, one that holds both: the sum of two graphs, the features of two layers side by side.
pub(crate) fn three(graph: bool, n: usize, seed: Seed) -> [Layer; 3] {
    let (a, b) = (operand(graph, n, 3, seed.index(10)), operand(graph, n, 3, seed.index(11)));
    let both = match (&a, &b) {
        (Layer::Graph(a), Layer::Graph(b)) => {
            Layer::Graph(super::sparse(&Matrix::from_fn(n, n, |i, j| a.get(i, j) + b.get(i, j))))
        }
        (Layer::Double(a), Layer::Double(b)) => {
            Layer::Double(Matrix::from_fn(n, 6, |i, j| if j < 3 { a.row(i)[j] } else { b.row(i)[j - 3] }))
        }
        _ => unreachable!("both are of the same kind"),
    };
    [a, both, b]
}

/// One layer, twice and three times as large.
pub(crate) fn multiples(n: usize, seed: Seed) -> [Layer; 3] {
    let x = gaussian(n, 3, seed);
    [1.0, 2.0, 3.0].map(|factor| Layer::Double(mapped(&x, |_, v| factor * v)))
}

/// The layer after the change.
pub(crate) fn change(layer: &Layer, kind: Invariance, seed: Seed) -> Layer {
    match layer {
        Layer::Graph(g) => Layer::Graph(match kind {
            Invariance::JointPermutation => rebuilt(g, place, 1.0),
            _ => rebuilt(g, |i, _| i, 3.0),
        }),
        Layer::Double(x) => Layer::Double(match kind {
            Invariance::JointPermutation => {
                let mut out = x.clone();
                (0..x.n_rows()).for_each(|i| out.row_mut(place(i, x.n_rows())).copy_from_slice(x.row(i)));
                out
            }
            Invariance::IsotropicScaling => mapped(x, |_, v| 1e3 * v),
            Invariance::Translation => mapped(x, |j, v| v + 40.0 * (j as f64 + 1.0)),
            Invariance::OrthogonalMap => product(x, &orthogonal(x.n_cols(), seed)),
            Invariance::InvertibleMap => mapped(x, |j, v| v * 3.0_f64.powi(j as i32)),
        }),
        Layer::Single(_) => unreachable!("changes are made in float64"),
    }
}

/// Where input i goes: 7 has no factor in common with the numbers of inputs used.
fn place(i: usize, n: usize) -> usize {
    (7 * i + 3) % n
}

fn mapped(x: &Matrix<f64>, f: impl Fn(usize, f64) -> f64) -> Matrix<f64> {
    Matrix::from_fn(x.n_rows(), x.n_cols(), |i, j| f(j, x.row(i)[j]))
}

fn rebuilt(g: &Csr, place: impl Fn(usize, usize) -> usize, factor: f32) -> Csr {
    let n = g.n_rows();
    let mut rows = vec![Vec::new(); n];
    for i in 0..n {
        let (cols, values) = g.row(i);
        rows[place(i, n)] =
            cols.iter().zip(values).map(|(&j, &v)| (place(j as usize, n) as u32, v * factor)).collect();
    }
    let mut b = CsrBuilder::new(n);
    rows.iter_mut().for_each(|r| b.push_row(r));
    b.finish()
}

/// A product of reflections `I - 2 v vᵀ / vᵀv`.
fn orthogonal(d: usize, seed: Seed) -> Matrix<f64> {
    let identity = Matrix::from_fn(d, d, |i, j| f64::from(u8::from(i == j)));
    (0..d as u64).fold(identity, |q, k| {
        let v = gaussian(1, d, seed.index(k));
        let norm: f64 = v.data().iter().map(|a| a * a).sum();
        let reflect = Matrix::from_fn(d, d, |i, j| {
            f64::from(u8::from(i == j)) - 2.0 * v.data()[i] * v.data()[j] / norm
        });
        product(&q, &reflect)
    })
}
