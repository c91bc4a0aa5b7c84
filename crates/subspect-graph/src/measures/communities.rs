//! The graph's own communities beside the labels: Leiden at the resolution of the modularity, best of ten searches.
//!
//! The other measures judge the labels; these show what the graph says without them. They come from a search: other
//! orders of the inputs may give other communities, and `community_stability` tells how much that is to be feared.

use subspect_linalg::{Measured, Status};

use crate::agreement::information::{ami, nmi, vi};
use crate::agreement::{Contingency, accuracy, ari};
use crate::measures::MeasureInfo;
use crate::measures::workings::Workings;
use crate::{Communities, Partition, modularity, stability};

const LEIDEN: &str = "Leiden: Traag, Waltman & van Eck, Scientific Reports 9 (2019)";

pub(super) static COUNT: MeasureInfo = MeasureInfo {
    name: "communities",
    summary: "detected communities of two inputs and more (Leiden at the same resolution)",
    reference: LEIDEN,
    range: "0 to N/2",
    parameters: &[],
    compute: |s| {
        of_communities(s, |c| {
            Measured::finite(c.partition.sizes().iter().filter(|&&size| size > 1).count() as f64)
        })
    },
};

pub(super) static LARGEST: MeasureInfo = MeasureInfo {
    name: "community_largest",
    summary: "share of the inputs in the largest detected community",
    reference: LEIDEN,
    range: "0 to 1",
    parameters: &[],
    compute: |s| {
        of_communities(s, |c| match c.partition.sizes().iter().max() {
            Some(&largest) => Measured::finite(largest as f64 / c.partition.len() as f64),
            None => Status::NTooSmall.into(),
        })
    },
};

pub(super) static MODULARITY: MeasureInfo = MeasureInfo {
    name: "community_modularity",
    summary: "modularity of the detected communities: the most that a search could find, labels or not",
    reference: LEIDEN,
    range: "0 to 1; at least modularity, but for searches that miss it",
    parameters: &[],
    compute: |s| of_communities(s, |c| modularity(s.graph, &c.partition, s.resolution)),
};

pub(super) static STABILITY: MeasureInfo = MeasureInfo {
    name: "community_stability",
    summary: "mutual information of the communities from two seeds, normalised, mean over pairs of seeds",
    reference: "nmi of all pairs of ten searches",
    range: "0 to 1 (every search finds the same)",
    parameters: &[],
    compute: |s| {
        of_communities(s, |c| {
            let all: Vec<&Partition> = c.runs.iter().map(|r| &r.partition).collect();
            stability(&all).map_or(Status::NotApplicable.into(), |found| found.nmi_mean)
        })
    },
};

pub(super) static NMI: MeasureInfo = MeasureInfo {
    name: "community_nmi",
    summary: "mutual information of communities and labels over the mean of both entropies",
    reference: "Strehl & Ghosh, JMLR 3 (2002)",
    range: "0 to 1",
    parameters: &[],
    compute: |s| with_labels(s, nmi),
};

pub(super) static AMI: MeasureInfo = MeasureInfo {
    name: "community_ami",
    summary: "mutual information of communities and labels beyond that of random ones with the same sizes",
    reference: "Vinh, Epps & Bailey, JMLR 11 (2010)",
    range: "about 0 by chance, 1 for equal partitions",
    parameters: &[],
    compute: |s| with_labels(s, ami),
};

pub(super) static ARI: MeasureInfo = MeasureInfo {
    name: "community_ari",
    summary: "pairs of inputs that communities and labels treat alike, beyond chance",
    reference: "Hubert & Arabie, Journal of Classification 2 (1985)",
    range: "-0.5 to 1; 0 by chance",
    parameters: &[],
    compute: |s| with_labels(s, ari),
};

pub(super) static VI: MeasureInfo = MeasureInfo {
    name: "community_vi",
    summary: "variation of information between communities and labels, a distance in nats",
    reference: "Meila, Journal of Multivariate Analysis 98 (2007)",
    range: "0 (equal) to ln N",
    parameters: &[],
    compute: |s| with_labels(s, vi),
};

pub(super) static ACCURACY: MeasureInfo = MeasureInfo {
    name: "community_accuracy",
    summary: "share of inputs in the community that the best one-to-one matching gives their class",
    reference: "Kuhn, Naval Research Logistics 2 (1955)",
    range: "0 to 1",
    parameters: &[],
    compute: |s| with_labels(s, accuracy),
};

/// `f` of the communities; undefined for a graph without edges.
fn of_communities(workings: &Workings<'_>, f: impl FnOnce(&Communities) -> Measured) -> Measured {
    if workings.graph.is_empty() {
        return Status::EmptyGraph.into();
    }
    // No communities only for a resolution that is none.
    workings.communities().map_or(Status::NotApplicable.into(), f)
}

/// A measure of agreement of the communities with the labels; undefined for labels of one class.
fn with_labels(workings: &Workings<'_>, of: fn(&Contingency) -> Measured) -> Measured {
    workings.with_partition(|labels| {
        if labels.n_present() < 2 {
            return Status::OneClass.into();
        }
        of_communities(workings, |c| {
            Contingency::new(labels, &c.partition).map_or(Status::NotApplicable.into(), |table| of(&table))
        })
    })
}
