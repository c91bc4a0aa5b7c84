//! What `subspect cluster` says to people.

use std::path::Path;

use subspect_graph::{AGREEMENTS, DETECTORS, Detector, POSTPROCESSES, QUALITY_FUNCTIONS};
use subspect_linalg::Measured;
use subspect_pipeline::{Clustered, LeidenRecord, ProfileRecord};

use crate::command::run::show;
use crate::table::{count, table};

/// Sizes that are listed one by one.
const SIZES: usize = 20;

pub(super) fn after_help() -> String {
    let list = |names: Vec<(&str, &str)>| {
        let width = names.iter().map(|n| n.0.len()).max().unwrap_or(0);
        let lines: Vec<String> =
            names.iter().map(|(name, summary)| format!("  {name:<width$}  {summary}")).collect();
        lines.join("\n")
    };
    format!(
        "Names for --method:\n{}\n\nNames for --quality:\n{}\n\nNames for --postprocess:\n{}\n\n\
         With --strict, the exit code is 1 unless the status is \"converged\".\n\n\
         Examples:\n  \
         subspect cluster c.npz --labels y.npy\n  \
         subspect cluster c.npz --labels y.npy --resolutions 0.1:10:9\n  \
         subspect cluster c.npz --quality cpm --seeds 50 --output communities.npy\n  \
         subspect cluster c.npz --n-clusters 10 --output clusters.npy\n  \
         subspect cluster c.npz --n-clusters 10 --labels y.npy --postprocess row_normalized\n  \
         subspect cluster c.npz --n-clusters 10 --labels y.npy --format json",
        list(DETECTORS.iter().map(|d| (d.name, d.summary)).collect()),
        list(QUALITY_FUNCTIONS.iter().map(|q| (q.name, q.summary)).collect()),
        list(POSTPROCESSES.iter().map(|p| (p.name, p.summary)).collect()),
    )
}

/// What a status other than `converged` means for the reader.
fn remark(found: &Clustered, detector: Detector) -> Option<String> {
    let wanted = match detector {
        Detector::Spectral { n_clusters, .. } => n_clusters,
        Detector::Leiden(_) => 0,
    };
    match found.status {
        "more_components" => Some(format!(
            "more components take part than the {wanted} clusters asked for: they were grouped by size, nothing was \
             cut; raise --min-component to leave small ones out"
        )),
        "fewer_nodes" => Some(format!("fewer inputs have neighbours than the {wanted} clusters asked for")),
        "empty_graph" if found.leiden.is_some() => {
            Some("no input has a neighbour, so each is a community".to_owned())
        }
        "empty_graph" => Some("no input takes part, so all are one cluster".to_owned()),
        "max_restarts" => {
            let n_converged = found.spectral.as_ref().map_or(0, |s| s.n_converged);
            Some(format!("only {n_converged} of {wanted} eigenvectors reached the tolerance"))
        }
        "max_iter" => Some("the last pass still moved inputs; raise --n-iterations".to_owned()),
        _ => None,
    }
}

pub(super) fn human(found: &Clustered, detector: Detector, output: Option<&Path>) -> String {
    let unplaced = found
        .spectral
        .as_ref()
        .map_or(String::new(), |s| format!(", {} inputs took no part", count(s.n_unplaced)));
    let mut out = format!(
        "{} inputs, {} edges, {} connected components{unplaced}\n{} clusters of {} inputs, {:.2} s\nmodularity {}",
        count(found.labels.len()),
        count(found.n_edges),
        count(found.n_components),
        count(found.n_clusters),
        sizes(found),
        found.seconds,
        show(found.modularity, 4),
    );
    if let Some(leiden) = &found.leiden {
        out += &searches(leiden);
    }
    if let Some(remark) = remark(found, detector) {
        out += &format!("\n{}: {remark}", found.status);
    }
    if !found.agreement.is_empty() {
        let row = |a: &subspect_graph::AgreementInfo| {
            let value = found.agreement.get(a.name)?;
            Some(vec![a.name.to_owned(), show(*value, 4), a.summary.to_owned()])
        };
        let rows: Vec<Vec<String>> = AGREEMENTS.iter().filter_map(row).collect();
        out += &format!("\n\n{}", table(&["agreement", "value", "meaning"], &rows, 3));
    }
    if !found.profile.is_empty() {
        out += &format!("\n\n{}", profile(&found.profile));
    }
    if let Some(path) = output {
        out += &format!("\n\nclusters: {}", path.display());
    }
    out
}

/// Sizes in the clusters' order while they are few, otherwise the largest ones.
fn sizes(found: &Clustered) -> String {
    let list = |sizes: &[usize]| sizes.iter().map(|&s| count(s)).collect::<Vec<_>>().join(", ");
    if found.sizes.len() <= SIZES {
        return list(&found.sizes);
    }
    let mut largest = found.sizes.clone();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    format!("{}, ... ({} single)", list(&largest[..SIZES]), count(found.n_singletons))
}

/// What the searches reached, and whether they agree.
fn searches(leiden: &LeidenRecord) -> String {
    let reached = leiden.qualities.iter().filter_map(|q| q.value());
    let (lo, hi) = reached.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), q| (lo.min(q), hi.max(q)));
    let spread = if lo < hi { format!(", from {lo:.6} to {hi:.6}") } else { String::new() };
    format!(
        "\n{} at resolution {}: {}; {} searches{spread}, {} different partitions, nmi of two {}",
        leiden.quality_function,
        show(Measured::Value(leiden.resolution), 4),
        show(leiden.quality, 6),
        leiden.qualities.len(),
        leiden.stability.n_distinct,
        show(leiden.stability.nmi_mean, 4),
    )
}

fn profile(points: &[ProfileRecord]) -> String {
    let agreement =
        |p: &ProfileRecord, name: &str| p.agreement.get(name).map_or("-".to_owned(), |v| show(*v, 4));
    let row = |p: &ProfileRecord| {
        vec![
            format!("{:.4}", p.resolution),
            count(p.n_clusters),
            count(p.n_singletons),
            show(p.quality, 4),
            show(p.modularity, 4),
            show(p.stability.nmi_mean, 4),
            agreement(p, "ami"),
            agreement(p, "ari"),
            agreement(p, "accuracy"),
        ]
    };
    let header = [
        "resolution",
        "clusters",
        "single",
        "quality",
        "modularity",
        "nmi of two seeds",
        "ami",
        "ari",
        "accuracy",
    ];
    table(&header, &points.iter().map(row).collect::<Vec<_>>(), 0)
}
