//! How far two partitions of the same inputs agree: found clusters against labels, one layer's communities against
//! another's. A new measure is one line in [`AGREEMENTS`].
//!
//! All are functions of the contingency table `n_ij = #{inputs in class i of one and class j of the other}`.
//! Where scikit-learn defines 0/0 as 1, these have a status: two partitions of one class each do not agree about
//! anything.

mod assignment;
mod contingency;
pub(crate) mod information;
mod pairs;

use std::collections::BTreeMap;

use subspect_linalg::{Measured, Status};

use crate::partition::check_length;
use crate::{GraphError, Partition};

pub(crate) use assignment::accuracy;
pub use assignment::best_matching;
pub use contingency::Contingency;
pub(crate) use pairs::ari;

/// Every measure of agreement, in the order in which tables show them.
pub static AGREEMENTS: &[AgreementInfo] = &[
    AgreementInfo {
        name: "accuracy",
        summary: "share of inputs in the cluster that the best one-to-one matching gives their class",
        range: "0 to 1; at least 1/K for K classes and at most K clusters",
        reference: "Kuhn, Naval Research Logistics 2 (1955); usual in subspace clustering",
        symmetric: true,
        compute: assignment::accuracy,
    },
    AgreementInfo {
        name: "nmi",
        summary: "mutual information over the mean of both entropies",
        range: "0 to 1",
        reference: "Strehl & Ghosh, JMLR 3 (2002); arithmetic mean",
        symmetric: true,
        compute: information::nmi,
    },
    AgreementInfo {
        name: "ami",
        summary: "mutual information beyond that of random partitions with the same sizes",
        range: "about 0 by chance, 1 for equal partitions",
        reference: "Vinh, Epps & Bailey, JMLR 11 (2010); arithmetic mean",
        symmetric: true,
        compute: information::ami,
    },
    AgreementInfo {
        name: "ari",
        summary: "pairs of inputs treated alike beyond those of random partitions with the same sizes",
        range: "-0.5 to 1; 0 by chance",
        reference: "Hubert & Arabie, Journal of Classification 2 (1985)",
        symmetric: true,
        compute: pairs::ari,
    },
    AgreementInfo {
        name: "homogeneity",
        summary: "how far clusters hold inputs of one class only",
        range: "0 to 1",
        reference: "Rosenberg & Hirschberg, EMNLP 2007",
        symmetric: false,
        compute: information::homogeneity,
    },
    AgreementInfo {
        name: "completeness",
        summary: "how far the inputs of a class are in one cluster",
        range: "0 to 1",
        reference: "Rosenberg & Hirschberg, EMNLP 2007",
        symmetric: false,
        compute: information::completeness,
    },
    AgreementInfo {
        name: "v_measure",
        summary: "harmonic mean of homogeneity and completeness; equal to nmi",
        range: "0 to 1",
        reference: "Rosenberg & Hirschberg, EMNLP 2007",
        symmetric: true,
        compute: information::nmi,
    },
    AgreementInfo {
        name: "vi",
        summary: "variation of information, a distance in nats",
        range: "0 (equal) to ln N",
        reference: "Meila, Journal of Multivariate Analysis 98 (2007)",
        symmetric: true,
        compute: information::vi,
    },
];

/// One measure: what it is called, what it says, where it comes from, and how it is computed.
#[derive(Debug)]
pub struct AgreementInfo {
    /// Name in every output.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// The values it can take, in words.
    pub range: &'static str,
    /// Where it was defined.
    pub reference: &'static str,
    /// Whether the two partitions can change places.
    pub symmetric: bool,
    compute: fn(&Contingency) -> Measured,
}

impl AgreementInfo {
    /// The agreement of `found` with `labels`.
    ///
    /// # Errors
    /// [`GraphError::Length`] when they are for different numbers of inputs.
    pub fn measure(&self, labels: &Partition, found: &Partition) -> Result<Measured, GraphError> {
        Ok(self.of(&Contingency::new(labels, found)?))
    }

    fn of(&self, table: &Contingency) -> Measured {
        if table.n == 0 { Status::NTooSmall.into() } else { (self.compute)(table) }
    }
}

/// Every measure of [`AGREEMENTS`] of `found` with `labels`, by name.
///
/// # Errors
/// [`GraphError::Length`] when they are for different numbers of inputs.
pub fn agreement(labels: &Partition, found: &Partition) -> Result<BTreeMap<String, Measured>, GraphError> {
    let table = Contingency::new(labels, found)?;
    Ok(AGREEMENTS.iter().map(|a| (a.name.to_owned(), a.of(&table))).collect())
}
