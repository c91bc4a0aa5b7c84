//! The runs of neighbouring layers in a map that do the same work ([`block_structure`]). Cheap beside the maps, so they are
//! looked for anew by every run.

use subspect_data::record::{BlockRecord, SimilarityRecord};
use subspect_linalg::{Measured, Seed};
use subspect_similarity::block_structure;

use crate::measure::record_null;
use crate::{PipelineError, Plan};

/// Finds the blocks of every map.
pub(crate) fn add_blocks(maps: &mut [SimilarityRecord], plan: &Plan) -> Result<(), PipelineError> {
    for map in maps {
        let cells: Vec<Measured> = map.values.iter().flatten().copied().collect();
        // One stream for all maps: their nulls are of the same orders.
        let seed = Seed::new(plan.seed).axis("blocks");
        let found = block_structure(&cells, map.values.len(), plan.permutations, seed)?;
        map.blocks =
            Some(BlockRecord { starts: found.starts, score: found.score, null: record_null(found.null) });
    }
    Ok(())
}
