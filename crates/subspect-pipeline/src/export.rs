//! A finished run in other programs' formats: CSV tables and GraphML graphs.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use subspect_data::record::{LayerRecord, RunRecord};
use subspect_data::rundir::RunDir;
use subspect_data::{atomic, file_stem};
use subspect_graph::AffinityGraph;

use crate::PipelineError;
use crate::recorded::layer_graph;
use crate::run::tables::tables;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Every table as CSV.
    Csv,
    /// Every layer's affinity graph as GraphML, with labels and predictions on its nodes.
    Graphml,
}

/// Writes a run to `folder` and gives the files.
///
/// # Errors
/// When the run cannot be read or the folder not written.
pub fn export(run: &Path, format: ExportFormat, folder: &Path) -> Result<Vec<PathBuf>, PipelineError> {
    let dir = RunDir::open(run)?;
    let record = dir.read_record()?;
    std::fs::create_dir_all(folder).map_err(|e| PipelineError::io("create", folder, e))?;
    let mut files = Vec::new();
    match format {
        ExportFormat::Csv => {
            for (name, table) in tables(&record) {
                let path = folder.join(format!("{}.csv", file_stem(&name)));
                table.write(&path)?;
                files.push(path);
            }
        }
        ExportFormat::Graphml => {
            for layer in &record.layers {
                let graph = layer_graph(&dir, layer)?;
                let path = folder.join(format!("{}.graphml", file_stem(&layer.name)));
                atomic::write_bytes(&path, graphml(&record, layer, &graph).as_bytes())?;
                files.push(path);
            }
        }
    }
    Ok(files)
}

const KEYS: [(&str, &str, &str); 4] = [
    ("id", "node", "string"),
    ("label", "node", "string"),
    ("prediction", "node", "string"),
    ("affinity", "edge", "double"),
];

fn graphml(record: &RunRecord, layer: &LayerRecord, graph: &AffinityGraph) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    for (name, element, kind) in KEYS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "  <key id=\"{name}\" for=\"{element}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
        );
    }
    let _ = writeln!(out, "  <graph id=\"{}\" edgedefault=\"undirected\">", escape(&layer.name));
    let class = |of: &[u32], i: usize| {
        of.get(i).map(|&c| record.dataset.classes.get(c as usize).cloned().unwrap_or_else(|| c.to_string()))
    };
    for i in 0..graph.n_nodes() {
        let values = [
            ("id", record.inputs.ids.get(i).cloned()),
            ("label", class(&record.inputs.labels, i)),
            ("prediction", class(&record.inputs.predictions, i)),
        ];
        let data: String = values
            .into_iter()
            .filter_map(|(key, value)| value.map(|v| format!("<data key=\"{key}\">{}</data>", escape(&v))))
            .collect();
        let _ = writeln!(out, "    <node id=\"n{i}\">{data}</node>");
    }
    for i in 0..graph.n_nodes() {
        let (nodes, affinities) = graph.neighbors(i);
        for (&j, affinity) in nodes.iter().zip(affinities).filter(|(j, _)| **j as usize > i) {
            let _ = writeln!(
                out,
                "    <edge source=\"n{i}\" target=\"n{j}\"><data key=\"affinity\">{affinity}</data></edge>"
            );
        }
    }
    out.push_str("  </graph>\n</graphml>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
