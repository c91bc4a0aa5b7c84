//! Whether searches from several seeds find the same communities: agreement of every pair of their partitions.

use rayon::prelude::*;
use subspect_linalg::{Measured, Status};

use crate::agreement::Contingency;
use crate::agreement::information::{nmi, vi};
use crate::{GraphError, Partition};

/// Agreement over all pairs of several partitions of the same inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stability {
    /// Partitions that differ in more than their numbering.
    pub n_distinct: usize,
    /// Pairs compared.
    pub n_pairs: usize,
    /// Mean normalised mutual information, over the pairs that have one.
    pub nmi_mean: Measured,
    /// Smallest normalised mutual information.
    pub nmi_min: Measured,
    /// Mean variation of information.
    pub vi_mean: Measured,
    /// Largest variation of information.
    pub vi_max: Measured,
}

/// Compares every pair of `partitions`. Undefined for fewer than two.
///
/// # Errors
/// [`GraphError::Length`] when they are for different numbers of inputs.
pub fn stability(partitions: &[&Partition]) -> Result<Stability, GraphError> {
    let pairs: Vec<(usize, usize)> =
        (0..partitions.len()).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
    let compared: Vec<(bool, Measured, Measured)> = pairs
        .par_iter()
        .map(|&(a, b)| {
            let table = Contingency::new(partitions[a], partitions[b])?;
            let undefined = || (Status::NTooSmall.into(), Status::NTooSmall.into());
            let (nmi, vi) = if table.n == 0 { undefined() } else { (nmi(&table), vi(&table)) };
            Ok((table.is_matching(), nmi, vi))
        })
        .collect::<Result<_, GraphError>>()?;
    // A partition is new when it equals none before it.
    let repeated = |b: usize| pairs.iter().zip(&compared).any(|(pair, found)| pair.1 == b && found.0);
    let over =
        |which: fn(&(bool, Measured, Measured)) -> Measured, combine: fn(f64, f64) -> f64, mean: bool| {
            let values: Vec<f64> = compared.iter().filter_map(|c| which(c).value()).collect();
            let first = compared.first().map_or(Status::NTooSmall.into(), which);
            let count = if mean { values.len() as f64 } else { 1.0 };
            values.into_iter().reduce(combine).map_or(first, |v| Measured::finite(v / count))
        };
    Ok(Stability {
        n_distinct: (0..partitions.len()).filter(|&b| !repeated(b)).count(),
        n_pairs: pairs.len(),
        nmi_mean: over(|c| c.1, |a, b| a + b, true),
        nmi_min: over(|c| c.1, f64::min, false),
        vi_mean: over(|c| c.2, |a, b| a + b, true),
        vi_max: over(|c| c.2, f64::max, false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_partitions_agree_whatever_their_numbering() {
        let p = |classes: [u32; 4]| Partition::new(classes.to_vec(), 3).unwrap();
        let (a, b, c) = (p([0, 0, 1, 1]), p([2, 2, 0, 0]), p([0, 1, 0, 1]));
        let found = stability(&[&a, &b]).unwrap();
        assert_eq!((found.n_distinct, found.n_pairs), (1, 1));
        assert_eq!((found.nmi_min, found.vi_max), (Measured::Value(1.0), Measured::Value(0.0)));
        let found = stability(&[&a, &b, &c]).unwrap();
        assert_eq!((found.n_distinct, found.n_pairs), (2, 3));
        assert!((found.nmi_mean.value().unwrap() - 1.0 / 3.0).abs() < 1e-15);
        assert!((found.vi_max.value().unwrap() - 4.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let one = Partition::new(vec![0; 3], 1).unwrap();
        assert_eq!(stability(&[&one]).unwrap().nmi_mean.status(), Some(Status::NTooSmall));
        let found = stability(&[&one, &one]).unwrap();
        assert_eq!((found.nmi_mean.status(), found.vi_mean.value()), (Some(Status::OneClass), Some(0.0)));
        let none = Partition::new(vec![], 0).unwrap();
        assert_eq!(stability(&[&none, &none]).unwrap().vi_mean.status(), Some(Status::NTooSmall));
        assert!(stability(&[&one, &none]).is_err());
    }
}
