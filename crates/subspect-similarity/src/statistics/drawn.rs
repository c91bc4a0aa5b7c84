//! Joint draws of many similarities: the curve of a layer over the epochs of a training, say, drawn as a whole.
//!
//! Two calls over the same number of inputs with the same number of resamples and the same seed draw the same inputs in
//! draw r, whatever they compare, so that draws may be put together across calls: draw r of one cell belongs to draw r of
//! every other. The draws are those behind the intervals of the maps ([`interval`](super::interval)).

use subspect_linalg::{Matrix, Measured, Seed, Status};

use super::cells::Cells;
use super::inference::MIN_INPUTS;
use super::inferred::Inferred;
use super::interval::{Influence, draws, resamples};
use crate::KernelMoments;

/// A similarity and what it is when the inputs are drawn again.
#[derive(Clone, Debug, PartialEq)]
pub struct CkaDraws {
    /// The similarity.
    pub value: Measured,
    /// One value per resample, or why there are none: `zero_variance` where the two layers are the same.
    pub draws: Result<Vec<f64>, Status>,
}

/// The resamples of one number of inputs.
pub(crate) struct Drawing {
    weights: Result<Matrix<f32>, Status>,
}

impl Drawing {
    pub(crate) fn new(moments: &KernelMoments, n_resamples: usize, seed: Seed) -> Self {
        let n = moments.n_inputs();
        let weights = if n_resamples == 0 {
            Err(Status::NotExecuted)
        } else if n < MIN_INPUTS {
            Err(Status::NTooSmall)
        } else {
            Ok(resamples(n, n_resamples, seed.axis("bootstrap")))
        };
        Self { weights }
    }

    /// The draws of all cells; `influences` passes groups of influences to what it is given.
    pub(crate) fn of(
        &self,
        cells: Cells,
        moments: &KernelMoments,
        estimator: Inferred,
        influences: impl FnOnce(
            &dyn Fn(Vec<Influence>) -> Vec<Result<Vec<f64>, Status>>,
        ) -> Vec<Result<Vec<f64>, Status>>,
    ) -> Vec<CkaDraws> {
        let pairs = cells.pairs();
        let drawn = match &self.weights {
            Err(status) => vec![Err(*status); pairs.len()],
            Ok(weights) => influences(&|group| {
                let back = |z: Result<Vec<f64>, Status>| z.map(|z| z.into_iter().map(f64::tanh).collect());
                draws(group, weights.as_ref(), back)
            }),
        };
        let value = |(l, m): (usize, usize)| moments.cka(l, m, estimator.into());
        pairs.into_iter().zip(drawn).map(|(pair, draws)| CkaDraws { value: value(pair), draws }).collect()
    }
}

#[cfg(test)]
mod tests {
    use subspect_linalg::Matrix;
    use subspect_statistics::quantile;

    use super::*;
    use crate::{InferenceOptions, Silent, linear_cka_draws, linear_cka_inference_between};

    fn layer(n: usize, d: usize, shift: f32) -> Matrix<f32> {
        Matrix::from_fn(n, d, |i, j| ((i * 37 + j * 101) as f32 * 0.37 + shift * (i % 5) as f32).sin())
    }

    #[test]
    fn draws_are_those_of_the_intervals_and_the_same_in_every_call() {
        let (a, b, c) = (layer(30, 6, 0.0), layer(30, 9, 0.8), layer(30, 4, 2.0));
        let seed = Seed::new(3);
        let of = |x: &Matrix<f32>, y: &Matrix<f32>| {
            linear_cka_draws(&[x.as_ref()], &[y.as_ref()], 1 << 30, 199, seed, &Silent).unwrap()
        };
        let both =
            linear_cka_draws(&[a.as_ref()], &[b.as_ref(), c.as_ref()], 1 << 30, 199, seed, &Silent).unwrap();
        let options = InferenceOptions { n_permutations: 0, n_resamples: 199, ..InferenceOptions::new(seed) };
        let map =
            linear_cka_inference_between(&[a.as_ref()], &[b.as_ref()], 1 << 30, &options, &Silent).unwrap();
        for (e, map) in [&map.biased, &map.debiased].into_iter().enumerate() {
            let cell = map.cell(0, 0);
            let mut draws = both[e][0].draws.clone().unwrap();
            assert!((both[e][0].value.value().unwrap() - cell.value.value().unwrap()).abs() < 1e-9);
            for (x, y) in draws.iter().zip(of(&a, &b)[e][0].draws.as_ref().unwrap()) {
                assert!((x - y).abs() < 1e-5, "{x} {y}");
            }
            draws.sort_by(f64::total_cmp);
            let lo = quantile(&draws, 0.025).unwrap();
            assert!((lo - cell.interval.lo.value().unwrap()).abs() < 0.01, "{lo} {:?}", cell.interval);
        }
        let same = of(&a, &a);
        assert_eq!(same[0][0].draws, Err(Status::ZeroVariance));
        let none = linear_cka_draws(&[a.as_ref()], &[b.as_ref()], 1 << 30, 0, seed, &Silent).unwrap();
        assert_eq!(none[0][0].draws, Err(Status::NotExecuted));
    }
}
