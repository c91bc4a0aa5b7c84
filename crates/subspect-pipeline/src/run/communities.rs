//! Do two layers fall into the same communities? Adjusted mutual information of the communities that Leiden detects in
//! their graphs (Vinh, Epps & Bailey, JMLR 11, 2010): about 0 by chance, 1 for the same division of the inputs.

use subspect_data::record::SimilarityRecord;
use subspect_graph::{AGREEMENTS, LeidenOptions, Partition, leiden};
use subspect_linalg::{Measured, Seed, Status};

use super::LayerGraph;
use super::similarity::plain;
use crate::{PipelineError, Plan};

/// Name of the map, beside those of [`subspect_similarity::MEASURES`], which know activations and graphs only.
pub(crate) const COMMUNITY_AMI: &str = "community_ami";

/// The map over all pairs of layers; communities are those of the largest modularity at the plan's resolution.
pub(super) fn community_ami(plan: &Plan, graphs: &[LayerGraph]) -> Result<SimilarityRecord, PipelineError> {
    let options = LeidenOptions { resolution: plan.resolution, ..LeidenOptions::default() };
    let seed = Seed::new(plan.seed).axis("communities");
    let found: Vec<Partition> = graphs
        .iter()
        .map(|g| leiden(&g.affinity, &options, seed).map(|c| c.partition))
        .collect::<Result<_, _>>()?;
    let mut values = vec![vec![Measured::Undefined(Status::NotExecuted); found.len()]; found.len()];
    for i in 0..found.len() {
        for j in 0..=i {
            values[i][j] = ami(&found[i], &found[j])?;
            values[j][i] = values[i][j];
        }
    }
    Ok(plain(COMMUNITY_AMI, values))
}

fn ami(a: &Partition, b: &Partition) -> Result<Measured, PipelineError> {
    let info = AGREEMENTS.iter().find(|info| info.name == "ami");
    info.map_or(Ok(Measured::Undefined(Status::NotExecuted)), |info| Ok(info.measure(a, b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_communities_under_other_numbers_agree_wholly() {
        let a = Partition::new(vec![0, 0, 1, 1, 2, 2], 3).unwrap();
        let b = Partition::new(vec![2, 2, 0, 0, 1, 1], 3).unwrap();
        let c = Partition::new(vec![0, 1, 0, 1, 0, 1], 2).unwrap();
        assert_eq!(ami(&a, &b).unwrap().value(), Some(1.0));
        assert!(ami(&a, &c).unwrap().value().unwrap() < 0.0);
    }
}
