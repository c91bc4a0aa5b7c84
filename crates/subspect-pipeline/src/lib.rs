//! From options to a finished run: plan, stages, cache, progress.
//!
//! [`options::Options`] (command line, TOML) -> [`Plan`] (every effective value) -> [`run`] (stages, each keyed by
//! content) -> [`RunRecord`](subspect_data::record::RunRecord) and its run directory. The command line only
//! translates arguments and prints; whatever it can do, a program can do with the functions here.

mod approximate;
mod builtin;
mod capture;
mod cluster;
mod compare;
mod dynamics;
mod error;
mod events;
mod export;
mod express;
mod key;
mod look;
mod measure;
mod operand;
pub mod options;
mod path;
mod plan;
mod rank;
mod recorded;
mod run;
mod runs;
#[cfg(test)]
mod sample;
mod summary;
mod sweep;
mod time;
mod warnings;

pub use approximate::{Approximated, ApproximationRecord, approximate};
pub use builtin::Builtin;
pub use capture::{CapturedStore, DEFAULT_INPUTS, Pictures, capture, choose_pictures};
pub use cluster::{
    ClusterSettings, Clustered, LeidenRecord, ProfileRecord, SpectralRecord, StabilityRecord, cluster,
};
pub use compare::{linear_cka_maps, ssc_cka_maps};
pub use dynamics::{
    DynamicsSettings, SETTLED, Snapshots, dynamics, dynamics_of, dynamics_table, n_unconverged_epochs,
};
pub use error::PipelineError;
pub use events::{Events, Outcome, Recording, Silent, Stage};
pub use export::{ExportFormat, export};
pub use express::{Expressed, exact_gram_pays, express, express_outside, express_sample, memory_mode};
pub use key::KeyBuilder;
pub use look::{Look, look};
pub use measure::{ClassStructure, MeasureSettings, measure};
pub use operand::{Comparison, similarity};
pub use path::{PathPointRecord, PathRecord, PathRule, choose_ratio, default_grid, path_record};
pub use plan::{Expression, NetworkSource, Plan, Source, StoreSource, network_source};
pub use rank::{EPOCH_SCORES, Ranking, SCORES, ScoreInfo, rank, ranking_table};
pub use run::run;
pub use runs::{
    COMPARED, CompareSettings, ComparedInfo, Condition, Operator, compare_runs, most_changed,
    similarity_table, write_comparison,
};
pub use summary::{focus_layer, is_output, summary};
pub use sweep::{
    CellPlan, PlannedTraining, Snapshot, SweepPlan, Trainer, TrainingOutline, is_sweep, read_sweep, sweep,
    sweep_table,
};
pub use time::{now_rfc3339, rfc3339};
pub use warnings::{n_unconverged, undefined, warnings};
