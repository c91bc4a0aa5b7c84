//! Values that others computed, and closed forms.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{gaussian, oracle, sparse, to_f32, views};
use subspect_linalg::{Matrix, Seed};
use subspect_similarity::{
    Estimator, Parameters, Silent, cka, compare, linear_cka, linear_moments, measure, ssc_cka,
};

/// Parameters by name.
type Set = &'static [(&'static str, &'static str)];

/// Every stored value of the seeded pair that 16 and more public implementations give: measure, parameters, value.
const STORED: [(&str, Set, f64); 11] = [
    ("linear_cka", &[], 0.489_342_739_104_415_34),
    ("linear_cka", &[("estimator", "debiased")], 0.023_598_698_580_568_348),
    ("linear_cka", &[("estimator", "lange")], 0.053_336_443_340_930_37),
    ("minibatch_cka", &[("batch_size", "30")], 0.023_598_698_580_568_348),
    ("rbf_cka_absolute", &[], 0.894_026_798_628_891_2),
    ("rbf_cka_absolute", &[("estimator", "debiased")], 0.067_639_415_840_883_51),
    ("angular_cka", &[], 1.059_460_393_784_542_4),
    ("procrustes_score", &[], 0.722_778_717_599_336_4),
    ("procrustes_angular", &[], 0.762_981_579_934_096_8),
    ("procrustes_unscaled", &[], 34.235_676_378_936_46),
    ("knn_jaccard", &[("n_neighbors", "10")], 0.214_880_747_620_685_68),
];

#[test]
fn every_stored_value_of_the_pair() {
    let name = "every_stored_value_of_the_pair";
    let (Some(x), Some(y)) = (oracle(name, "cka_pair_x.npy"), oracle(name, "cka_pair_y.npy")) else { return };
    for (name, set, expected) in STORED {
        let m = measure(name).unwrap();
        let parameters =
            set.iter().fold(Parameters::defaults(m), |p, (name, text)| p.with(name, text).unwrap());
        let found = compare(m, &parameters, x.as_ref().into(), y.as_ref().into()).unwrap().value().unwrap();
        assert!((found - expected).abs() < 1e-12 * expected.max(1.0) * 4.0, "{name} {set:?}: {found}");
    }
}

/// Biased linear CKA of the seeded pair on which 16 public implementations agree, and Song's estimator of it.
const PAIR: [(Estimator, f64); 2] =
    [(Estimator::Biased, 0.489_342_739_104_415_34), (Estimator::Debiased, 0.023_598_698_580_568_348)];

#[test]
fn the_pair_that_public_implementations_agree_on() {
    let name = "the_pair_that_public_implementations_agree_on";
    let (Some(x), Some(y)) = (oracle(name, "cka_pair_x.npy"), oracle(name, "cka_pair_y.npy")) else { return };
    assert_eq!((x.n_rows(), x.n_cols(), y.n_rows()), (30, 25, 30));
    let single = [to_f32(&x), to_f32(&y)];
    let panels = linear_moments(&views(&single), 1 << 30, &Silent).unwrap();
    for (estimator, expected) in PAIR {
        let found = linear_cka(x.as_ref(), y.as_ref(), estimator).unwrap().value().unwrap();
        assert!((found - expected).abs() < 1e-12, "{estimator}: {found}");
        let found = panels.cka(0, 1, estimator).value().unwrap();
        assert!((found - expected).abs() < 1e-6, "{estimator} in panels: {found}");
    }
}

#[test]
fn four_blocks_against_two() {
    let blocks = |size: usize| Matrix::from_fn(40, 40, |i, j| if i / size == j / size { 1.0 } else { 0.0 });
    let (four, two) = (blocks(10), blocks(20));
    let expected = 0.577_350_269_189_625_7;
    let found = cka(four.as_ref(), two.as_ref(), Estimator::Biased).unwrap().value().unwrap();
    assert!((found - expected).abs() < 1e-14);
    let (four, two) = (sparse(&to_f32(&four)), sparse(&to_f32(&two)));
    let found = ssc_cka(&four, &two, Estimator::Biased).unwrap().value().unwrap();
    assert!((found - expected).abs() < 1e-14);
}

#[test]
fn independent_gaussians_look_alike_to_the_biased_estimator_only() {
    for (n, expected) in [(32, 0.94), (100, 0.83)] {
        let layers = [gaussian(n, 512, Seed::new(1)), gaussian(n, 512, Seed::new(2))].map(|x| to_f32(&x));
        let moments = linear_moments(&views(&layers), 1 << 30, &Silent).unwrap();
        let biased = moments.cka(0, 1, Estimator::Biased).value().unwrap();
        assert!((biased - expected).abs() < 0.01, "N = {n}: {biased}");
        let debiased = moments.cka(0, 1, Estimator::Debiased).value().unwrap();
        assert!(debiased.abs() < 0.1, "N = {n}: {debiased}");
    }
}
