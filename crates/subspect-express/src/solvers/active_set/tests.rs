use super::*;
use proptest::prelude::*;

/// Largest violation of the optimality conditions.
fn violation(p: &Restricted) -> f64 {
    (0..p.atoms.len())
        .map(|k| {
            let (c, g) = (p.coefficients[k], p.gradient[k] - p.weights.l2 * p.coefficients[k]);
            if c == 0.0 {
                (p.weights.pull(g) - p.weights.l1).max(0.0)
            } else {
                (g - p.weights.l1 * c.signum()).abs()
            }
        })
        .fold(0.0, f64::max)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Atoms as they are.
struct Rows<'r>(&'r [Vec<f64>]);

impl Entries for Rows<'_> {
    fn fill(&self, j: u32, columns: &[u32], out: &mut [f64]) {
        for (o, &p) in out.iter_mut().zip(columns) {
            *o = dot(&self.0[j as usize], &self.0[p as usize]);
        }
    }
    fn diagonal(&self, j: u32) -> f64 {
        dot(&self.0[j as usize], &self.0[j as usize])
    }
    fn costly(&self) -> bool {
        self.0.len().is_multiple_of(2)
    }
}

fn problem(rows: &[Vec<f64>], target: &[f64], l1: f64, l2: f64, positive: bool) -> Restricted {
    let mut p = Restricted::new(Weights { l1, l2, positive }, 1e-10);
    let atoms: Vec<u32> = (0..rows.len() as u32).collect();
    p.extend(&atoms, &Rows(rows), |j| dot(&rows[j], target));
    p
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// More atoms than features, so that the support runs into dependence; some atoms twice.
    #[test]
    fn any_restricted_problem_is_solved_to_optimality(
        values in proptest::collection::vec(-1.0_f64..1.0, 20 * 5),
        target in proptest::collection::vec(-1.0_f64..1.0, 5),
        ratio in 0.001_f64..0.9,
        l2 in prop_oneof![Just(0.0), 0.001_f64..0.5],
        positive in proptest::bool::ANY,
    ) {
        let mut rows: Vec<Vec<f64>> = values.chunks(5).map(<[f64]>::to_vec).collect();
        rows.push(rows[3].clone());
        rows.push(vec![0.0; 5]);
        let most = rows.iter().map(|r| r.iter().zip(&target).map(|(a, b)| a * b).sum::<f64>().abs())
            .fold(0.0, f64::max);
        prop_assume!(most > 1e-3);
        let mut p = problem(&rows, &target, ratio * most, l2, positive);
        p.solve(&Rows(&rows));
        prop_assert!(violation(&p) < 1e-8 * most, "violation {}", violation(&p));
        prop_assert!(!positive || p.coefficients.iter().all(|c| *c >= 0.0));
        let support = p.coefficients.iter().filter(|c| **c != 0.0).count();
        prop_assert!(l2 > 0.0 || support <= 5);
    }
}

#[test]
fn one_atom_is_soft_thresholding() {
    let rows = [vec![2.0, 0.0]];
    let mut p = problem(&rows, &[3.0, 1.0], 1.0, 0.5, false);
    p.solve(&Rows(&rows));
    assert!((p.coefficients[0] - (6.0 - 1.0) / 4.5).abs() < 1e-15);
}

#[test]
fn a_defect_correction_moves_the_answer_to_the_exact_gradient() {
    let rows = [vec![1.0, 0.0], vec![0.6, 0.8]];
    let mut p = problem(&rows, &[1.0, 0.7], 0.1, 0.0, false);
    p.solve(&Rows(&rows));
    let before = p.coefficients.clone();
    p.correct(&[Some(p.gradient[0] + 1e-3), None]);
    p.solve(&Rows(&rows));
    assert!(violation(&p) < 1e-12);
    assert!((p.coefficients[0] - before[0]).abs() > 1e-4);
}
