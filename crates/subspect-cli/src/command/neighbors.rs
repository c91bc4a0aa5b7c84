//! `subspect neighbors`: why an input is where it is.

use std::path::PathBuf;

use serde_json::json;
use subspect_pipeline::{Look, look};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::table::table;

/// Show one input's neighbours in a layer, with signed coefficients and class affinity
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect neighbors RUN --input 751\n  subspect neighbors RUN --input 751 --layer layer2.0 --neighbours 5"
)]
pub(crate) struct Args {
    /// Run directory
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Id of the input, as in record.json and tables/inputs.csv
    #[arg(long, value_name = "ID")]
    input: String,
    /// Layer [default: the deepest before the output]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Most neighbours to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    neighbours: usize,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let found = look(&args.run, &args.input, args.layer.as_deref(), args.neighbours)?;
    Ok(Answer::new(human(&found), to_json(&found)))
}

fn class(found: &Look, of: Option<u32>) -> String {
    let classes = &found.record.dataset.classes;
    of.map_or("-".to_owned(), |c| classes.get(c as usize).cloned().unwrap_or_else(|| c.to_string()))
}

fn human(found: &Look) -> String {
    let (record, near) = (&found.record, &found.neighbourhood);
    let inputs = &record.inputs;
    let rows: Vec<Vec<String>> = near
        .neighbours
        .iter()
        .map(|n| {
            vec![
                inputs.ids[n.input].clone(),
                class(found, inputs.labels.get(n.input).copied()),
                format!("{:.4}", n.affinity),
                format!("{:+.4}", n.coefficient),
                format!("{:+.4}", n.reverse_coefficient),
            ]
        })
        .collect();
    let confidence =
        inputs.confidence.get(near.input).map_or(String::new(), |p| format!(" ({:.1} %)", 100.0 * p));
    let mut out = format!(
        "input {} in {}: label {}, network {}{confidence}, vote {}\n\n{}",
        inputs.ids[near.input],
        record.layers[near.layer].name,
        class(found, inputs.labels.get(near.input).copied()),
        class(found, inputs.predictions.get(near.input).copied()),
        class(found, near.vote),
        if rows.is_empty() {
            "no neighbour: nothing expresses this input, and it expresses nothing".to_owned()
        } else {
            table(&["neighbour", "class", "affinity", "coefficient", "reverse"], &rows, 2)
        }
    );
    let mut shares: Vec<(usize, f64)> =
        near.class_affinity.iter().copied().enumerate().filter(|(_, v)| *v > 0.0).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    if !shares.is_empty() {
        let rows: Vec<Vec<String>> = shares
            .iter()
            .map(|&(c, v)| {
                vec![
                    class(found, Some(c as u32)),
                    "#".repeat((40.0 * v).round() as usize),
                    format!("{:.1} %", 100.0 * v),
                ]
            })
            .collect();
        out += &format!("\n\n{}", table(&["class", "affinity", "share"], &rows, 2));
    }
    out
}

fn to_json(found: &Look) -> serde_json::Value {
    let (record, near) = (&found.record, &found.neighbourhood);
    let inputs = &record.inputs;
    let neighbours: Vec<_> = near
        .neighbours
        .iter()
        .map(|n| {
            json!({
                "input": inputs.ids[n.input], "position": n.input, "label": inputs.labels.get(n.input),
                "affinity": n.affinity, "coefficient": n.coefficient, "reverse_coefficient": n.reverse_coefficient,
            })
        })
        .collect();
    json!({
        "input": inputs.ids[near.input], "position": near.input, "layer": record.layers[near.layer].name,
        "label": inputs.labels.get(near.input), "prediction": inputs.predictions.get(near.input),
        "confidence": inputs.confidence.get(near.input), "vote": near.vote, "classes": record.dataset.classes,
        "class_affinity": near.class_affinity, "neighbours": neighbours,
    })
}
