//! Nulls and intervals of maps of CKA.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{dense, gaussian, gram, random_graph, slow_cka, to_f32, views};
use subspect_linalg::{Csr, CsrBuilder, Matrix, Seed, Status};
use subspect_similarity::{
    Estimator, Inference, InferenceMatrix, InferenceOptions, Silent, kernel_cka_inference,
    linear_cka_inference, linear_cka_inference_between, linear_cka_matrix, ssc_cka_inference,
    ssc_cka_inference_between, ssc_cka_matrix,
};
use subspect_statistics::{Verdict, permutation};

fn options(n_permutations: usize, n_resamples: usize) -> InferenceOptions {
    InferenceOptions { n_permutations, n_resamples, ..InferenceOptions::new(Seed::new(3)) }
}

fn maps(inference: &Inference) -> [&InferenceMatrix; 2] {
    [&inference.biased, &inference.debiased]
}

/// Every order of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    (0..n).flat_map(|at| shorter.iter().map(move |o| [&o[..at], &[n - 1], &o[at..]].concat())).collect()
}

fn reordered(k: &Matrix<f64>, order: &[usize]) -> Matrix<f64> {
    Matrix::from_fn(k.n_rows(), k.n_rows(), |i, j| k.row(order[i])[order[j]])
}

#[test]
fn exact_moments_are_those_of_all_orders() {
    for n in [4, 5, 6, 7] {
        let a = gram(&gaussian(n, 3, Seed::new(1)));
        let mut b = gram(&gaussian(n, 2, Seed::new(2)));
        b.row_mut(1)[1] += 3.0;
        let found = kernel_cka_inference(&[a.as_ref(), b.as_ref()], &options(0, 0), &Silent).unwrap();
        for map in maps(&found) {
            let all: Vec<f64> =
                orders(n).iter().map(|o| slow_cka(&a, &reordered(&b, o), map.estimator)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let sd = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
            let null = map.cell(0, 1).null;
            assert!((null.mean.value().unwrap() - mean).abs() < 1e-12, "{n} {}: {null:?}", map.estimator);
            assert!((null.sd.value().unwrap() - sd).abs() < 1e-12, "{n} {}: {null:?} {sd}", map.estimator);
            let z = (slow_cka(&a, &b, map.estimator) - mean) / sd;
            assert!((null.z.value().unwrap() - z).abs() < 1e-10);
            assert_eq!((null.n_permutations, null.p.status()), (0, Some(Status::NotExecuted)));
        }
    }
}

/// Also with entries on the diagonal, which a graph of coefficients never has.
fn with_diagonal(g: &Csr) -> Csr {
    let mut b = CsrBuilder::new(g.n_cols());
    for i in 0..g.n_rows() {
        let (cols, values) = g.row(i);
        let mut row: Vec<(u32, f32)> = cols.iter().copied().zip(values.iter().copied()).collect();
        row.push((i as u32, 0.1 * (i % 5) as f32));
        b.push_row(&mut row);
    }
    b.finish()
}

#[test]
fn draws_are_the_similarity_of_permuted_graphs() {
    let n = 30;
    let plain: Vec<Csr> = (0..10).map(|k| random_graph(n, 0.2, Seed::new(k))).collect();
    let looped: Vec<Csr> = plain.iter().map(with_diagonal).collect();
    for graphs in [&plain[..2], &plain, &looped[..3]] {
        let refs: Vec<&Csr> = graphs.iter().collect();
        let found = ssc_cka_inference(&refs, &options(19, 0), &Silent).unwrap();
        let kernels: Vec<Matrix<f64>> = graphs.iter().map(dense).collect();
        for map in maps(&found) {
            for (l, m) in [(0, 1), (0, graphs.len() - 1), (graphs.len() - 2, graphs.len() - 1)] {
                let drawn: Vec<f64> = (0..19)
                    .map(|r| {
                        let order = permutation(n, Seed::new(3).axis("permutation").index(r));
                        let order: Vec<usize> = order.iter().map(|&i| i as usize).collect();
                        slow_cka(&kernels[l], &reordered(&kernels[m], &order), map.estimator)
                    })
                    .collect();
                let value = slow_cka(&kernels[l], &kernels[m], map.estimator);
                let null = map.cell(l, m).null;
                let p = (1 + drawn.iter().filter(|&&v| v >= value - 1e-12).count()) as f64 / 20.0;
                assert_eq!(null.p.value(), Some(p));
                let mut sorted = drawn.clone();
                sorted.sort_by(f64::total_cmp);
                let lo = subspect_statistics::quantile(&sorted, 0.025).unwrap();
                assert!((null.lo.value().unwrap() - lo).abs() < 1e-12, "{l} {m} {}", map.estimator);
                assert_eq!(map.cell(l, m), map.cell(m, l));
            }
        }
    }
}

#[test]
fn draws_agree_with_the_exact_moments() {
    let graphs: Vec<Csr> = (0..3).map(|k| random_graph(60, 0.1, Seed::new(k))).collect();
    let refs: Vec<&Csr> = graphs.iter().collect();
    let found = ssc_cka_inference(&refs, &options(4000, 0), &Silent).unwrap();
    for map in maps(&found) {
        let null = map.cell(0, 2).null;
        let (mean, sd) = (null.mean.value().unwrap(), null.sd.value().unwrap());
        let (lo, hi) = (null.lo.value().unwrap(), null.hi.value().unwrap());
        assert!(lo < mean && mean < hi);
        assert!(((hi - lo) / sd - 3.92).abs() < 0.4, "about normal: {lo} {hi} {sd}");
    }
}

#[test]
fn values_are_those_of_the_maps() {
    let graphs: Vec<Csr> = (0..4).map(|k| random_graph(50, 0.3, Seed::new(k))).collect();
    let refs: Vec<&Csr> = graphs.iter().collect();
    let layers: Vec<Matrix<f32>> =
        [(0, 7), (1, 300), (2, 1030)].map(|(k, d)| to_f32(&gaussian(200, d, Seed::new(k)))).into();
    let found = ssc_cka_inference(&refs, &options(0, 20), &Silent).unwrap();
    let between = ssc_cka_inference_between(&refs[..1], &refs[1..], &options(9, 20), &Silent).unwrap();
    let within = ssc_cka_inference(&refs, &options(9, 20), &Silent).unwrap();
    let linear = linear_cka_inference(&views(&layers), 1 << 28, &options(9, 20), &Silent).unwrap();
    let halves = linear_cka_inference_between(
        &views(&layers)[..1],
        &views(&layers)[1..],
        1 << 28,
        &options(9, 20),
        &Silent,
    )
    .unwrap();
    for (e, estimator) in Estimator::SHOWN.into_iter().enumerate() {
        let wanted = ssc_cka_matrix(&refs, estimator).unwrap();
        let dense = linear_cka_matrix(&views(&layers), estimator, 1 << 28, &Silent).unwrap();
        for l in 0..4 {
            for m in 0..4 {
                assert_eq!(maps(&found)[e].cell(l, m).value, wanted[l][m]);
                if l > 0 {
                    let (a, b) = (maps(&within)[e].cell(0, l), maps(&between)[e].cell(0, l - 1));
                    assert_eq!(a.value, b.value);
                    assert_eq!(a.null, b.null, "the same orders");
                    let ends = |c: &subspect_similarity::Cell| {
                        (c.interval.lo.value().unwrap(), c.interval.hi.value().unwrap())
                    };
                    assert!((ends(a).0 - ends(b).0).abs() < 1e-6 && (ends(a).1 - ends(b).1).abs() < 1e-6);
                }
            }
        }
        for l in 0..3 {
            for m in 0..3 {
                let (a, b) =
                    (maps(&linear)[e].cell(l, m).value.value().unwrap(), dense[l][m].value().unwrap());
                assert!((a - b).abs() < 1e-6, "{l} {m}: {a} {b}");
            }
        }
        let (a, b) = (maps(&linear)[e].cell(0, 2), maps(&halves)[e].cell(0, 1));
        assert_eq!((a.value, a.null.p), (b.value, b.null.p));
    }
}

/// CKA of U-centred kernels without the pairs of one input, by the definition.
fn cka_without(u: &Matrix<f64>, v: &Matrix<f64>, out: Option<usize>) -> f64 {
    let sum = |f: &dyn Fn(usize, usize) -> f64| -> f64 {
        let kept = || (0..u.n_rows()).filter(|&i| Some(i) != out);
        kept().map(|i| kept().filter(|&j| j != i).map(|j| f(i, j)).sum::<f64>()).sum()
    };
    sum(&|i, j| u.row(i)[j] * v.row(i)[j])
        / (sum(&|i, j| u.row(i)[j].powi(2)) * sum(&|i, j| v.row(i)[j].powi(2))).sqrt()
}

fn u_centred(k: &Matrix<f64>) -> Matrix<f64> {
    let n = k.n_rows();
    let sum = |i: usize| (0..n).filter(|&j| j != i).map(|j| k.row(i)[j]).sum::<f64>();
    let rows: Vec<f64> = (0..n).map(|i| sum(i) / (n as f64 - 2.0)).collect();
    let all = rows.iter().sum::<f64>() / (n as f64 - 1.0);
    Matrix::from_fn(n, n, |i, j| if i == j { 0.0 } else { k.row(i)[j] - rows[i] - rows[j] + all })
}

#[test]
fn intervals_are_the_definition_on_dense_matrices() {
    let n = 40;
    let graphs = [random_graph(n, 0.4, Seed::new(1)), random_graph(n, 0.5, Seed::new(2))];
    let refs: Vec<&Csr> = graphs.iter().collect();
    let found = ssc_cka_inference(&refs, &options(0, 200), &Silent).unwrap().debiased;
    let (u, v) = (u_centred(&dense(&graphs[0])), u_centred(&dense(&graphs[1])));
    let rho = found.cell(0, 1).value.value().unwrap();
    assert!((cka_without(&u, &v, None) - rho).abs() < 1e-12);
    let mut influence: Vec<f64> = (0..n).map(|i| rho - cka_without(&u, &v, Some(i))).collect();
    let mean = influence.iter().sum::<f64>() / n as f64;
    influence.iter_mut().for_each(|t| *t -= mean);
    let norm = |m: &Matrix<f64>| m.data().iter().map(|x| x * x).sum::<f64>().sqrt();
    let (nu, nv) = (norm(&u), norm(&v));
    let mut noise = 0.0;
    for i in 0..n {
        for j in 0..n {
            let (a, b) = (u.row(i)[j] / nu, v.row(i)[j] / nv);
            let edge = graphs.iter().any(|g| g.get(i, j) != 0.0);
            noise += if edge { 2.0 * (a * b - 0.5 * rho * (a * a + b * b)).powi(2) } else { 0.0 };
        }
    }
    let squares: f64 = influence.iter().map(|t| t * t).sum();
    let variance = noise + (squares - 2.0 * noise).max(0.0);
    let scale = (variance / squares).sqrt() / (1.0 - rho * rho);
    let mut draws: Vec<f64> = (0..200)
        .map(|r| {
            let w = subspect_statistics::multiplicities(n, Seed::new(3).axis("bootstrap").index(r));
            let moved: f64 = w.iter().zip(&influence).map(|(&w, t)| (f64::from(w) - 1.0) * t).sum();
            (rho.atanh() + scale * moved).tanh()
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    let interval = found.cell(0, 1).interval;
    let near = |found: Option<f64>, q: f64| {
        // tanh and interpolation do not commute exactly.
        let wanted = subspect_statistics::quantile(&draws, q).unwrap();
        assert!((found.unwrap() - wanted).abs() < 1e-5, "{found:?} for {wanted}");
    };
    near(interval.lo.value(), 0.025);
    near(interval.hi.value(), 0.975);
}

#[test]
fn sparse_and_dense_intervals_agree() {
    let graphs: Vec<Csr> = (0..3).map(|k| random_graph(70, 1.1, Seed::new(k))).collect();
    let refs: Vec<&Csr> = graphs.iter().collect();
    let kernels: Vec<Matrix<f64>> = graphs.iter().map(dense).collect();
    let kernels: Vec<_> = kernels.iter().map(Matrix::as_ref).collect();
    let sparse = ssc_cka_inference(&refs, &options(99, 200), &Silent).unwrap();
    let dense = kernel_cka_inference(&kernels, &options(99, 200), &Silent).unwrap();
    for (a, b) in maps(&sparse).into_iter().zip(maps(&dense)) {
        for (a, b) in a.cells.iter().zip(&b.cells) {
            assert_eq!(a.interval.status(), b.interval.status());
            let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 1e-6, "{a} {b}"),
                (a, b) => assert_eq!(a, b),
            };
            near(a.interval.lo.value(), b.interval.lo.value());
            near(a.interval.hi.value(), b.interval.hi.value());
            near(a.null.sd.value(), b.null.sd.value());
            near(a.null.lo.value(), b.null.lo.value());
            near(a.null.p.value(), b.null.p.value());
            near(a.p_familywise.value(), b.p_familywise.value());
        }
    }
}

#[test]
fn related_layers_stand_out_and_unrelated_ones_do_not() {
    let x = gaussian(80, 12, Seed::new(1));
    let noise = gaussian(80, 12, Seed::new(2));
    let near = Matrix::from_fn(80, 12, |i, j| x.row(i)[j] + 0.5 * noise.row(i)[j]);
    let layers = [to_f32(&x), to_f32(&near), to_f32(&gaussian(80, 12, Seed::new(4)))];
    let found = linear_cka_inference(&views(&layers), 1 << 28, &options(199, 500), &Silent).unwrap();
    for map in maps(&found) {
        assert_eq!(map.cell(0, 1).verdict(0.05), Verdict::Distinguishable);
        assert_eq!(map.cell(0, 2).verdict(0.05), Verdict::NotDistinguishable);
        assert_eq!(map.cell(1, 1).verdict(0.05), Verdict::Undefined(Status::NotApplicable));
        assert_eq!(map.cell(1, 1).value.value(), Some(1.0));
        assert!(map.cell(0, 1).p_familywise.value() >= map.cell(0, 1).null.p.value());
        let interval = map.cell(0, 1).interval;
        assert_eq!(interval.contains(map.cell(0, 1).value.value().unwrap()), Some(true));
    }
    // Biased, 12 features of 80 inputs look alike by themselves; the null knows.
    assert!(found.biased.cell(0, 2).null.mean.value().unwrap() > 0.1);
}

#[test]
fn what_cannot_be_told_says_why() {
    let good = random_graph(20, 0.3, Seed::new(1));
    let empty = Csr::empty(20, 20);
    let found = ssc_cka_inference(&[&good, &empty, &good], &options(9, 9), &Silent).unwrap();
    for map in maps(&found) {
        let cell = map.cell(0, 1);
        assert_eq!(cell.value.status(), Some(Status::EmptyGraph));
        assert_eq!(cell.null.z.status(), Some(Status::EmptyGraph));
        assert_eq!(cell.interval.status(), Some(Status::EmptyGraph));
        assert_eq!(cell.verdict(0.05), Verdict::Undefined(Status::EmptyGraph));
        // The same graph twice: a value and a null, and no spread.
        let same = map.cell(0, 2);
        assert!((same.value.value().unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(same.null.p.value(), Some(0.1));
        assert_eq!(same.interval.status(), Some(Status::ZeroVariance));
    }
    for n in 0..4 {
        let graph = random_graph(n, 1.1, Seed::new(2));
        let found = ssc_cka_inference(&[&graph, &graph], &options(9, 9), &Silent).unwrap();
        for map in maps(&found) {
            let cell = map.cell(0, 1);
            assert!(cell.null.p.status().is_some() && cell.interval.status().is_some(), "{n}");
        }
        let x = Matrix::from_fn(n, 3, |i, j| (i * 3 + j * j) as f32);
        let found =
            linear_cka_inference(&[x.as_ref(), x.as_ref()], 1 << 24, &options(9, 9), &Silent).unwrap();
        assert!(maps(&found).iter().all(|map| map.cell(0, 1).null.p.status().is_some()), "{n}");
    }
    // A complete graph is the same in every order.
    let complete = random_graph(12, 1.1, Seed::new(3));
    let flat =
        Csr::new(12, 12, complete.indptr().to_vec(), complete.indices().to_vec(), vec![0.5; complete.nnz()])
            .unwrap();
    let found = ssc_cka_inference(&[&complete, &flat], &options(9, 9), &Silent).unwrap();
    assert!(maps(&found).iter().all(|m| m.cell(0, 1).null.z.status().is_some()), "{found:?}");
    let constant = Matrix::filled(0.25_f32, 20, 4);
    let other = to_f32(&gaussian(20, 4, Seed::new(1)));
    let found =
        linear_cka_inference(&[constant.as_ref(), other.as_ref()], 1 << 24, &options(9, 9), &Silent).unwrap();
    for map in maps(&found) {
        assert_eq!(map.cell(0, 1).null.z.status(), Some(Status::ZeroVariance));
        assert_eq!(map.cell(0, 1).interval.status(), Some(Status::ZeroVariance));
    }
    // Every input twice: nothing is special about copies.
    let (x, y) = (gaussian(10, 4, Seed::new(1)), gaussian(10, 6, Seed::new(2)));
    let twice = |m: &Matrix<f64>| to_f32(&Matrix::from_fn(20, m.n_cols(), |i, j| m.row(i / 2)[j]));
    let found =
        linear_cka_inference(&views(&[twice(&x), twice(&y)]), 1 << 24, &options(9, 9), &Silent).unwrap();
    assert!(
        maps(&found)
            .iter()
            .all(|m| m.cell(0, 1).null.z.value().is_some() && m.cell(0, 1).interval.status().is_none())
    );
    let short = linear_cka_inference(&views(&[twice(&x), twice(&y)]), 100, &options(9, 9), &Silent);
    assert!(short.unwrap_err().to_string().contains("budget of at least 960 bytes for 2 layers"));
    let kernels_do_not_fit =
        linear_cka_inference(&views(&[twice(&x), twice(&y)]), 1000, &options(9, 9), &Silent);
    assert_eq!(kernels_do_not_fit.unwrap().biased.cell(0, 1).null.p.status(), Some(Status::NotExecuted));
    assert!(ssc_cka_inference(&[], &options(9, 9), &Silent).unwrap().biased.cells.is_empty());
    assert!(linear_cka_inference(&[], 1 << 24, &options(9, 9), &Silent).unwrap().biased.cells.is_empty());
}

#[test]
fn neither_threads_nor_more_draws_change_a_draw() {
    let graphs: Vec<Csr> = (0..9).map(|k| random_graph(90, 0.2, Seed::new(k))).collect();
    let refs: Vec<&Csr> = graphs.iter().collect();
    let layers: Vec<Matrix<f32>> =
        [5, 200, 40].map(|d| to_f32(&gaussian(150, d, Seed::new(d as u64)))).into();
    let with = |threads, n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            (
                ssc_cka_inference(&refs, &options(n, n), &Silent).unwrap(),
                linear_cka_inference(&views(&layers), 1 << 28, &options(n, n), &Silent).unwrap(),
            )
        })
    };
    assert_eq!(with(1, 40), with(3, 40));
    let few = InferenceOptions { max_lookups: 0.0, ..options(40, 5) };
    assert_eq!(ssc_cka_inference(&refs, &few, &Silent).unwrap().biased.cell(0, 1).null.n_permutations, 0);
}
