//! Everything that Subspect keeps on disk: data sets, the activation store, graphs, tables and the run record.

pub mod record;
