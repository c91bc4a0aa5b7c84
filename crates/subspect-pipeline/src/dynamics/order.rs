//! Do shallower layers settle first? Rank correlation of depth and settling epoch, tested.
//!
//! Spearman's rho and Kendall's tau-b over the layers, depth being the order of execution. Censored layers of one kind are
//! tied: they all lie beyond the same bound, so that nothing is known about their order, while their order against every
//! other layer is known. p is two-sided, over all orders of up to eight layers and over random ones above: how seldom
//! layers that settle in no order at all give a correlation as far from 0. Layers depend on one another, so p is about
//! this network's order and not about networks at large; several seeds are.

use subspect_data::dynamics::{Censored, Estimate, OrderTest, OrderVerdict, SettlingEpoch};
use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::{kendall, spearman};

use super::settle::middle;

/// Random orders for more than eight layers.
const N_PERMUTATIONS: usize = 9999;

/// What the intervals of the correlations come from.
pub(crate) enum Spread<'a> {
    /// Settling epochs of every layer, draw by draw (`None`: the layer has none); all layers drawn together.
    Inputs(&'a [Option<Vec<f64>>]),
    /// Intervals that are known already: of rho and of tau.
    Known([[Measured; 2]; 2]),
}

/// Tests the order of layers that settle at `layers`; `label` names the measure in the sentence.
pub(crate) fn order_test(
    layers: &[SettlingEpoch],
    spread: &Spread<'_>,
    level: f64,
    label: &str,
    seed: Seed,
) -> OrderTest {
    let kept: Vec<usize> = (0..layers.len()).filter(|&l| layers[l].epoch.value().is_some()).collect();
    let depth: Vec<f64> = kept.iter().map(|&l| l as f64).collect();
    let epochs: Vec<f64> = kept.iter().filter_map(|&l| layers[l].epoch.value()).collect();
    let seed = seed.axis("order");
    let rho = spearman(&depth, &epochs, N_PERMUTATIONS, seed);
    let tau = kendall(&depth, &epochs, N_PERMUTATIONS, seed);
    let [rho_ends, tau_ends] = match spread {
        Spread::Known(ends) => *ends,
        Spread::Inputs(draws) => intervals(&kept, &depth, draws, level),
    };
    let estimate = |value: Measured, [lo, hi]: [Measured; 2]| Estimate { value, lo, hi };
    let count = |kind: Censored| kept.iter().filter(|&&l| layers[l].censored == kind).count();
    let mut test = OrderTest {
        n_layers: kept.len(),
        n_by_first: count(Censored::ByFirst),
        n_at_last: count(Censored::AtLast),
        spearman: estimate(rho.value, rho_ends),
        spearman_p: rho.p,
        kendall: estimate(tau.value, tau_ends),
        kendall_p: tau.p,
        n_permutations: rho.n_permutations,
        exact: rho.exact,
        verdict: verdict(rho.value, rho.p, level),
        sentence: String::new(),
    };
    test.sentence = sentence(&test, label);
    test
}

fn verdict(rho: Measured, p: Measured, level: f64) -> OrderVerdict {
    match (rho.value(), p.value()) {
        (Some(rho), Some(p)) if p <= 1.0 - level + 1e-12 && rho > 0.0 => OrderVerdict::ShallowerFirst,
        (Some(rho), Some(p)) if p <= 1.0 - level + 1e-12 && rho < 0.0 => OrderVerdict::DeeperFirst,
        _ => OrderVerdict::CannotTell,
    }
}

/// Intervals over inputs of rho and tau.
fn intervals(kept: &[usize], depth: &[f64], draws: &[Option<Vec<f64>>], level: f64) -> [[Measured; 2]; 2] {
    let rows: Vec<&Vec<f64>> = kept.iter().filter_map(|&l| draws[l].as_ref()).collect();
    let n_draws = rows.iter().map(|d| d.len()).min().unwrap_or(0);
    if n_draws == 0 || rows.len() < kept.len() {
        return [[Status::NotExecuted.into(); 2]; 2];
    }
    let (mut rhos, mut taus) = (Vec::with_capacity(n_draws), Vec::with_capacity(n_draws));
    for r in 0..n_draws {
        let epochs: Vec<f64> = rows.iter().map(|d| d[r]).collect();
        rhos.extend(spearman(depth, &epochs, 0, Seed::new(0)).value.value());
        taus.extend(kendall(depth, &epochs, 0, Seed::new(0)).value.value());
    }
    [middle(&rhos, level), middle(&taus, level)]
}

fn sentence(test: &OrderTest, label: &str) -> String {
    let Some(rho) = test.spearman.value.value() else {
        let why = match test.spearman.value.status() {
            Some(Status::ZeroVariance) => "all layers settle at the same epoch".to_owned(),
            Some(Status::NTooSmall) => format!("only {} layers have a settling epoch", test.n_layers),
            other => other.map_or_else(String::new, |s| s.as_str().to_owned()),
        };
        return format!("By {label}, whether shallower layers settle first cannot be told: {why}.");
    };
    let claim = match test.verdict {
        OrderVerdict::ShallowerFirst => "shallower layers settle first",
        OrderVerdict::DeeperFirst => "deeper layers settle first",
        OrderVerdict::CannotTell => "whether shallower layers settle first cannot be told",
    };
    let interval = match (test.spearman.lo.value(), test.spearman.hi.value()) {
        (Some(lo), Some(hi)) => format!(" ({lo:.2} to {hi:.2})"),
        _ => String::new(),
    };
    let p = test.spearman_p.value().map_or_else(String::new, |p| match p {
        p if p < 0.001 => ", p < 0.001".to_owned(),
        p => format!(", p = {p:.3}"),
    });
    let tau = test.kendall.value.value().map_or_else(String::new, |t| format!(", Kendall's tau {t:.2}"));
    let mut bounds = Vec::new();
    if test.n_by_first > 0 {
        bounds.push(format!("{} of {} by the first epoch", test.n_by_first, test.n_layers));
    }
    if test.n_at_last > 0 {
        bounds.push(format!("{} of {} not before the last", test.n_at_last, test.n_layers));
    }
    let bounds = if bounds.is_empty() { String::new() } else { format!("; settled {}", bounds.join(", ")) };
    format!(
        "By {label}, {claim}: Spearman's rho of depth and settling epoch is {rho:.2}{interval}{p}{tau}{bounds}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: f64, censored: Censored) -> SettlingEpoch {
        super::super::settle::estimate(epoch, censored, &[], 0.95)
    }

    fn test(layers: &[SettlingEpoch]) -> OrderTest {
        order_test(layers, &Spread::Inputs(&vec![None; layers.len()]), 0.95, "SSC-CKA", Seed::new(0))
    }

    #[test]
    fn a_strict_order_is_told_with_its_exact_p() {
        let up: Vec<_> = (0..5).map(|e| at(f64::from(e), Censored::No)).collect();
        let found = test(&up);
        assert_eq!(found.verdict, OrderVerdict::ShallowerFirst);
        // Only the order itself and its reverse are as far from 0.
        assert_eq!(
            (found.spearman_p, found.n_permutations, found.exact),
            (Measured::Value(2.0 / 120.0), 120, true)
        );
        assert!(
            found.sentence.starts_with("By SSC-CKA, shallower layers settle first: Spearman's rho"),
            "{}",
            found.sentence
        );
        let down: Vec<_> = up.iter().rev().copied().collect();
        assert_eq!(test(&down).verdict, OrderVerdict::DeeperFirst);
    }

    #[test]
    fn ties_of_censored_layers_and_layers_without_an_epoch_are_handled() {
        let mut layers = vec![at(0.0, Censored::ByFirst), at(0.0, Censored::ByFirst), at(3.0, Censored::No)];
        layers.push(super::super::settle::undefined(Status::EmptyGraph));
        layers.push(at(9.0, Censored::AtLast));
        let found = test(&layers);
        assert_eq!((found.n_layers, found.n_by_first, found.n_at_last), (4, 2, 1));
        // tau-b of (1, 1, 2, 3) with depth: five concordant pairs over sqrt(6 * 5).
        assert!((found.kendall.value.value().unwrap() - 5.0 / 30.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(found.verdict, OrderVerdict::CannotTell);
        assert!(found.sentence.contains("cannot be told") && found.sentence.contains("2 of 4 by the first"));
        let same = test(&vec![at(0.0, Censored::ByFirst); 4]);
        assert!(same.sentence.contains("all layers settle at the same epoch"), "{}", same.sentence);
        assert!(test(&layers[..2]).sentence.contains("only 2 layers"));
    }

    #[test]
    fn the_interval_is_over_draws_of_all_layers_at_once() {
        let layers: Vec<_> = (0..6).map(|e| at(f64::from(e), Censored::No)).collect();
        let draws: Vec<Option<Vec<f64>>> = (0..6)
            .map(|l| Some((0..99).map(|r| l as f64 + if l == 0 { r as f64 / 20.0 } else { 0.0 }).collect()))
            .collect();
        let found = order_test(&layers, &Spread::Inputs(&draws), 0.95, "x", Seed::new(0));
        assert!(found.spearman.hi.value().unwrap() > 0.99 && found.spearman.lo.value().unwrap() < 0.5);
    }
}
