//! Rows in panels: the unit of parallel work, of progress and of memory.
//!
//! A panel is a run of consecutive rows that share one buffer of correlations (`rows x N` float32). Panels are cut
//! by the size of the problem only, so that the number of threads changes nothing in the result.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use subspect_linalg::{Csr, CsrBuilder, Dictionary, MemoryMode};

use crate::target::Targets;
use crate::{Certificate, ExpressError, Monitor, Solution};

/// Floats of one panel's correlations in [`MemoryMode::Panels`]: 2 MiB per thread, more only above 8,192 atoms, where
/// fewer than 64 rows would leave the product waiting for memory.
const PANEL_FLOATS: usize = 1 << 19;

/// One solved row: coefficients in any order, and its certificate.
pub(crate) struct Row {
    pub(crate) entries: Vec<(u32, f64)>,
    pub(crate) certificate: Certificate,
}

/// Rows that are solved together, and share the rounding of one product. With panels many, because the check of all
/// atoms is one product per panel; with the Gram matrix at hand few, because nothing is shared but progress. Blocks for
/// [`crate::express_range`] begin at multiples of this.
pub fn panel_height(mode: MemoryMode, n_atoms: usize) -> usize {
    match mode {
        MemoryMode::Gram => 16,
        MemoryMode::Panels => (PANEL_FLOATS / n_atoms.max(1)).clamp(64, 256),
    }
}

pub(crate) fn height(dictionary: &Dictionary<'_>) -> usize {
    panel_height(dictionary.mode(), dictionary.n_atoms())
}

/// Solves all rows, panel by panel, and stacks them.
pub(crate) fn for_each_panel(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    monitor: &dyn Monitor,
    solve: impl Fn(Range<usize>) -> Vec<Row> + Sync,
) -> Result<Solution, ExpressError> {
    let panels = map_panels(dictionary, targets, monitor, solve)?;
    Ok(stack(dictionary.n_atoms(), panels.into_iter().flatten()))
}

/// What `solve` makes of every panel, in order.
pub(crate) fn map_panels<T: Send>(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    monitor: &dyn Monitor,
    solve: impl Fn(Range<usize>) -> T + Sync,
) -> Result<Vec<T>, ExpressError> {
    let n = targets.len(dictionary);
    let height = height(dictionary);
    let stopped = AtomicBool::new(false);
    let panels: Vec<Option<T>> = (0..n.div_ceil(height))
        .into_par_iter()
        .with_max_len(1)
        .map(|p| {
            if stopped.load(Ordering::Relaxed) || monitor.is_cancelled() {
                stopped.store(true, Ordering::Relaxed);
                return None;
            }
            let rows = p * height..((p + 1) * height).min(n);
            let done = rows.len();
            let solved = solve(rows);
            monitor.rows_done(done);
            Some(solved)
        })
        .collect();
    panels.into_iter().collect::<Option<Vec<T>>>().ok_or(ExpressError::Cancelled)
}

/// Rows in order to one sparse matrix and the list of certificates.
pub(crate) fn stack(n_atoms: usize, rows: impl Iterator<Item = Row>) -> Solution {
    let mut builder: CsrBuilder<f64> = CsrBuilder::new(n_atoms);
    let mut certificates = Vec::new();
    for mut row in rows {
        builder.push_row(&mut row.entries);
        certificates.push(row.certificate);
    }
    let coefficients: Csr<f64> = builder.finish();
    Solution { coefficients, certificates }
}
