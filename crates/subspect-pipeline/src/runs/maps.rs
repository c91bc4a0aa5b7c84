//! Layer x layer maps between two runs, with a null and an interval for every cell.
//!
//! SSC-CKA compares the graphs. Linear CKA needs the activations of both runs: where they are gone, or the inputs
//! were in another order, the map is missing and a note says so. Its null is exact without draws (z).

use subspect_data::comparison::{BestMatch, CrossMap};
use subspect_data::record::InferenceRecord;
use subspect_linalg::{MatRef, Measured, Seed, Status};
use subspect_similarity::{
    Cell, Inference, InferenceMatrix, InferenceOptions, Monitor, linear_cka_inference_between,
    ssc_cka_inference_between,
};

use super::CompareSettings;
use super::pair::{Pair, Side};
use crate::compare::Percent;
use crate::{Events, PipelineError};

/// How maps are drawn and resampled.
pub(crate) fn options(settings: &CompareSettings) -> InferenceOptions {
    InferenceOptions {
        n_permutations: settings.permutations,
        n_resamples: settings.resamples,
        level: settings.level,
        ..InferenceOptions::new(Seed::new(settings.seed).axis("compare"))
    }
}

/// Every map that the two runs allow, SSC-CKA first, the biased estimator first.
pub(crate) fn maps(
    pair: &Pair,
    settings: &CompareSettings,
    events: &dyn Events,
    notes: &mut Vec<String>,
) -> Result<Vec<CrossMap>, PipelineError> {
    let adjacency = |side: &'_ Side| side.graphs.iter().map(|g| g.adjacency().clone()).collect::<Vec<_>>();
    let (rows, cols) = (adjacency(&pair.a), adjacency(&pair.b));
    let (rows, cols): (Vec<_>, Vec<_>) = (rows.iter().collect(), cols.iter().collect());
    let options = options(settings);
    let monitor = Percent::of(events);
    let ssc = ssc_cka_inference_between(&rows, &cols, &options, &monitor)?;
    let mut out = records("ssc_cka", &ssc, &options);
    match linear(pair, settings, &options, &monitor)? {
        Ok(found) => {
            out.extend(records("linear_cka", &found, &InferenceOptions { n_permutations: 0, ..options }))
        }
        Err(note) => notes.push(note),
    }
    Ok(out)
}

fn linear(
    pair: &Pair,
    settings: &CompareSettings,
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Result<Inference, String>, PipelineError> {
    if pair.reordered {
        return Ok(Err(
            "linear CKA was left out: the activations of the second run are in another order".into()
        ));
    }
    let (Some(a), Some(b)) = (pair.a.store(), pair.b.store()) else {
        let gone = if pair.a.store().is_none() { &pair.a } else { &pair.b };
        return Ok(Err(format!(
            "linear CKA was left out: {} has no activations any more",
            gone.path.display()
        )));
    };
    let layers = |side: &Side, store: &subspect_data::store::ActivationStore| {
        let index = |l: &subspect_data::record::LayerRecord| store.layer_index(&l.name);
        side.record.layers.iter().filter_map(index).map(|i| store.layer(i)).collect::<Result<Vec<_>, _>>()
    };
    let (rows, cols) = (layers(&pair.a, &a)?, layers(&pair.b, &b)?);
    let rows: Vec<MatRef<'_, f32>> = rows.iter().map(|x| x.as_ref()).collect();
    let cols: Vec<MatRef<'_, f32>> = cols.iter().map(|x| x.as_ref()).collect();
    let budget = usize::try_from(settings.memory).unwrap_or(usize::MAX);
    let exact = InferenceOptions { n_permutations: 0, ..*options };
    Ok(Ok(linear_cka_inference_between(&rows, &cols, budget, &exact, monitor)?))
}

fn records(measure: &str, found: &Inference, options: &InferenceOptions) -> Vec<CrossMap> {
    [&found.biased, &found.debiased]
        .map(|map| CrossMap {
            measure: measure.to_owned(),
            estimator: map.estimator.as_str().to_owned(),
            values: table(map, |c| c.value),
            inference: inference(map, options),
        })
        .into()
}

/// A map's nulls and intervals, as records hold them.
pub(crate) fn inference(map: &InferenceMatrix, options: &InferenceOptions) -> InferenceRecord {
    let drawn = map.cells.iter().map(|c| c.null.n_permutations).max().unwrap_or(0);
    InferenceRecord {
        n_permutations: drawn,
        n_resamples: options.n_resamples,
        level: options.level,
        lo: table(map, |c| c.interval.lo),
        hi: table(map, |c| c.interval.hi),
        z: table(map, |c| c.null.z),
        p: table(map, |c| c.null.p),
        p_adjusted: table(map, |c| c.p_familywise),
    }
}

pub(crate) fn table(map: &InferenceMatrix, of: impl Fn(&Cell) -> Measured) -> Vec<Vec<Measured>> {
    (0..map.n_rows).map(|i| (0..map.n_cols).map(|j| of(map.cell(i, j))).collect()).collect()
}

/// Best matches of the rows and of the columns of a map; the first layer among equals.
pub(crate) fn best_matches(map: &CrossMap) -> [Vec<BestMatch>; 2] {
    let n_cols = map.values.first().map_or(0, Vec::len);
    let rows = map.values.iter().map(|row| best(row.iter().copied())).collect();
    let cols = (0..n_cols).map(|j| best(map.values.iter().map(|row| row[j]))).collect();
    [rows, cols]
}

fn best(values: impl Iterator<Item = Measured>) -> BestMatch {
    let (mut found, mut why) = (None, Status::NTooSmall);
    for (at, value) in values.enumerate() {
        match value {
            Measured::Value(v) if found.is_none_or(|(_, best)| v > best) => found = Some((at, v)),
            Measured::Value(_) => {}
            Measured::Undefined(status) => why = status,
        }
    }
    match found {
        Some((at, v)) => BestMatch { layer: Some(at), value: Measured::Value(v) },
        None => BestMatch { layer: None, value: why.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_match_skips_what_is_undefined_and_prefers_the_first() {
        let undefined = Measured::from(Status::EmptyGraph);
        let found = best([undefined, Measured::Value(0.3), Measured::Value(0.3)].into_iter());
        assert_eq!((found.layer, found.value), (Some(1), Measured::Value(0.3)));
        let none = best([undefined, undefined].into_iter());
        assert_eq!((none.layer, none.value.status()), (None, Some(Status::EmptyGraph)));
    }
}
