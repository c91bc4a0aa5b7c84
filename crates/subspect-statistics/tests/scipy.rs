//! Values of SciPy 1.17.1, computed once with the calls named beside them; `oracles/test_statistics.py` computes such
//! values anew through the example `statistics_values`.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

use proptest::prelude::*;
use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::{
    Adjustment, Interval, Verdict, adjust, kendall, max_t, mcnemar, mean_interval, multiplicities,
    normal_quantile, permutations_needed, sign_flip, spearman,
};

fn close(found: Measured, wanted: f64, tolerance: f64) {
    let value = found.value().unwrap();
    assert!((value - wanted).abs() <= tolerance, "{value} for {wanted}");
}

fn measured(p: &[f64]) -> Vec<Measured> {
    p.iter().map(|&p| Measured::Value(p)).collect()
}

const X: [f64; 9] = [2.1, 3.4, 1.2, 5.6, 4.4, 3.4, 0.5, 7.2, 2.8];
const Y: [f64; 9] = [1.0, 2.5, 2.5, 4.1, 6.0, 3.1, 0.2, 5.5, 3.0];

/// `spearmanr(X, Y)`, `kendalltau(X, Y)`; p by `permutation_test((Y,), .., permutation_type="pairings")` with 99,999 and
/// 49,999 resamples.
#[test]
fn rank_correlations_with_ties() {
    let (rho, tau) = (spearman(&X, &Y, 20_000, Seed::new(1)), kendall(&X, &Y, 20_000, Seed::new(1)));
    close(rho.value, 0.8781512605042018, 1e-14);
    close(tau.value, 0.7428571428571428, 1e-14);
    close(rho.p, 0.00274, 0.0012);
    close(tau.p, 0.00492, 0.0016);
    let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]);
    // All 120 pairings: `n_resamples=np.inf`.
    close(spearman(&x, &y, 20_000, Seed::new(2)).p, 0.13333333333333333, 0.008);
    for test in [spearman, kendall] {
        assert_eq!(test(&x[..2], &y[..2], 9, Seed::new(1)).value.status(), Some(Status::NTooSmall));
        assert_eq!(test(&x, &[1.0; 5], 9, Seed::new(1)).p.status(), Some(Status::ZeroVariance));
        assert_eq!(test(&[f64::NAN; 5], &y, 9, Seed::new(1)).value.status(), Some(Status::NotFinite));
        assert_eq!(test(&x, &y, 0, Seed::new(1)).p.status(), Some(Status::NTooSmall));
    }
}

/// `permutation_test((d, 0), mean difference, permutation_type="samples", n_resamples=np.inf)`.
#[test]
fn paired_tests() {
    let d = [0.31, -0.12, 0.45, 0.27, 0.08, -0.05, 0.22, 0.19, 0.4];
    let found = sign_flip(&d, 0, Seed::new(1));
    close(found.p, 0.0234375, 1e-15);
    close(found.difference, 0.19444444444444445, 1e-15);
    assert_eq!(found.n_permutations, 512);
    // The same differences twice, beyond what is enumerated: all 2^18 signs give p = 0.0006.
    let twice = [d, d].concat();
    close(sign_flip(&twice, 20_000, Seed::new(1)).p, exact_signs(&twice), 0.0006);
    assert_eq!(sign_flip(&[0.0; 30], 9, Seed::new(1)).p.value(), Some(1.0));
    assert_eq!(sign_flip(&[], 9, Seed::new(1)).p.status(), Some(Status::NTooSmall));
    assert_eq!(sign_flip(&[f64::INFINITY], 9, Seed::new(1)).p.status(), Some(Status::NotFinite));
}

fn exact_signs(d: &[f64]) -> f64 {
    let total: f64 = d.iter().sum();
    let sum =
        |s: usize| d.iter().enumerate().map(|(i, v)| if s >> i & 1 == 1 { -v } else { *v }).sum::<f64>();
    let n = 1_usize << d.len();
    (0..n).filter(|&s| sum(s).abs() >= total - 1e-12).count() as f64 / n as f64
}

/// `binomtest(min(b, c), b + c, 0.5).pvalue`.
#[test]
fn mcnemars_test() {
    for (b, c, p) in
        [(3, 12, 0.03515625), (0, 5, 0.0625), (40, 60, 0.05688793364098089), (7, 7, 1.0), (0, 0, 1.0)]
    {
        let first: Vec<bool> = (0..200).map(|i| i < b || i >= b + c).collect();
        let second: Vec<bool> = (0..200).map(|i| i >= b).collect();
        let found = mcnemar(&first, &second);
        close(found.p, p, 1e-12);
        close(found.difference, (b as f64 - c as f64) / 200.0, 1e-15);
    }
    assert_eq!(mcnemar(&[], &[]).p.status(), Some(Status::NTooSmall));
}

/// `false_discovery_control(p)`; Holm by its definition in NumPy (equal to statsmodels' `multipletests`).
#[test]
fn adjusted_p_values() {
    let p = measured(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.2]);
    let wanted = [
        (Adjustment::BenjaminiHochberg, [0.03, 0.06, 0.06, 0.03, 0.5, 0.24]),
        (Adjustment::Holm, [0.05, 0.12, 0.12, 0.03, 0.5, 0.4]),
    ];
    for (adjustment, wanted) in wanted {
        adjust(&p, adjustment).into_iter().zip(wanted).for_each(|(a, w)| close(a, w, 1e-15));
        let mut with_gap = p.clone();
        with_gap.insert(2, Status::EmptyGraph.into());
        let mut found = adjust(&with_gap, adjustment);
        assert_eq!(found.remove(2), Status::EmptyGraph.into());
        assert_eq!(found, adjust(&p, adjustment), "undefined values do not count");
    }
    assert_eq!(permutations_needed(190, 0.05), 3799);
    let least = Measured::Value(1.0 / 3800.0);
    let holm = adjust(&[vec![least], vec![Measured::Value(1.0); 189]].concat(), Adjustment::Holm);
    assert_eq!(Verdict::of(holm[0], 0.05), Verdict::Distinguishable);
    assert_eq!(Verdict::of(holm[1], 0.05), Verdict::NotDistinguishable);
    assert_eq!(Verdict::of(Status::OneClass.into(), 0.05).as_str(), "one_class");
}

/// `bootstrap((v,), np.mean, n_resamples=400_000, method=..)`: both draw, so they agree to their noise.
#[test]
fn intervals_of_a_mean() {
    let v = [1.2, 0.4, 3.3, 2.2, 0.1, 5.9, 1.1, 0.7, 2.0, 0.9, 1.6, 8.1];
    let mean = v.iter().sum::<f64>() / 12.0;
    let draws: Vec<f64> = (0..40_000)
        .map(|r| {
            let w = multiplicities(12, Seed::new(7).index(r));
            w.iter().zip(&v).map(|(&w, v)| f64::from(w) * v).sum::<f64>() / 12.0
        })
        .collect();
    let both = |interval: Interval, lo: f64, hi: f64| {
        close(interval.lo, lo, 0.03);
        close(interval.hi, hi, 0.04);
    };
    both(Interval::percentile(draws.clone(), 0.95), 1.1416666666666666, 3.716666666666667);
    both(Interval::basic(mean, draws, 0.95), 0.8666666666666663, 3.4416666666666664);
    // The bias is itself drawn: with a tenth of the draws, the upper end varies by 0.025 in SciPy as well.
    both(mean_interval(&v, 400_000, 0.95, Seed::new(7)), 1.3083333333333333, 4.116666666666667);
    assert_eq!(mean_interval(&[1.0; 9], 99, 0.95, Seed::new(1)).status(), Some(Status::ZeroVariance));
    assert_eq!(mean_interval(&[1.0], 99, 0.95, Seed::new(1)).status(), Some(Status::NTooSmall));
    assert_eq!(mean_interval(&v, 1, 0.95, Seed::new(1)).status(), Some(Status::NTooSmall));
    let unfinished = vec![0.0, f64::NAN, 1.0];
    assert_eq!(Interval::percentile(unfinished, 0.95).status(), Some(Status::NotFinite));
    assert_eq!(Interval::percentile(vec![0.0, 1.0], 1.5).status(), Some(Status::NotFinite));
}

/// Of independent tests without effect, a familywise test at 10 % finds anything in about 10 % of all worlds; a test
/// with an effect is found beside them.
#[test]
fn the_familywise_error_is_kept() {
    let (n_tests, n_draws, n_worlds) = (20, 99, 400);
    let uniform = |seed: Seed, n: usize| -> Vec<f64> {
        let order = subspect_statistics::permutation(1 << 12, seed);
        order[..n].iter().map(|&i| normal_quantile((f64::from(i) + 0.5) / 4096.0)).collect()
    };
    let mut n_false = 0;
    for world in 0..n_worlds {
        let seed = Seed::new(4).index(world);
        let observed = measured(&uniform(seed, n_tests));
        let draws: Vec<Vec<f64>> =
            (0..n_tests).map(|t| uniform(seed.axis("draws").index(t as u64), n_draws)).collect();
        let p = max_t(&observed, &draws);
        n_false += usize::from(p.iter().any(|p| p.value().unwrap() <= 0.1));
        let mut with_effect = observed.clone();
        with_effect[3] = Measured::Value(9.0);
        with_effect[4] = Status::EmptyGraph.into();
        let p = max_t(&with_effect, &draws);
        assert_eq!((p[3].value(), p[4].status()), (Some(0.01), Some(Status::EmptyGraph)));
    }
    let share = n_false as f64 / n_worlds as f64;
    assert!((share - 0.1).abs() < 0.045, "three standard errors: {share}");
    assert_eq!(max_t(&measured(&[1.0]), &[Vec::new()])[0].status(), Some(Status::NotExecuted));
}

proptest! {
    #[test]
    fn adjusted_p_values_keep_their_order_and_never_shrink(p in proptest::collection::vec(0.0_f64..=1.0, 1..30)) {
        for adjustment in Adjustment::ALL {
            let found = adjust(&measured(&p), adjustment);
            for (i, a) in found.iter().enumerate() {
                let a = a.value().unwrap();
                // m p / m may round.
                prop_assert!(a >= p[i] * (1.0 - 1e-15) && a <= 1.0);
                for (j, b) in found.iter().enumerate() {
                    prop_assert!(p[i] > p[j] || a <= b.value().unwrap());
                }
            }
        }
    }

    /// With every test drawn alike, the familywise p is that of the one test.
    #[test]
    fn equal_tests_cost_nothing(draws in proptest::collection::vec(-3.0_f64..3.0, 1..50), t in -3.0_f64..3.0) {
        let p = max_t(&measured(&[t; 4]), &vec![draws.clone(); 4]);
        let one = subspect_statistics::permutation_p(t, &draws, subspect_statistics::Tail::Upper);
        prop_assert!(p.iter().all(|&p| p == one));
    }

    #[test]
    fn correlations_do_not_change_with_monotone_maps(x in proptest::collection::vec(-5.0_f64..5.0, 3..12)) {
        let y: Vec<f64> = x.iter().map(|v| v.exp()).collect();
        for test in [spearman, kendall] {
            let found = test(&x, &y, 9, Seed::new(1));
            if let Some(v) = found.value.value() {
                prop_assert!((v - 1.0).abs() < 1e-12);
            }
        }
    }
}
