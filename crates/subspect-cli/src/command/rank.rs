//! `subspect rank`: the inputs to look at first.

use std::path::PathBuf;

use serde_json::json;
use subspect_pipeline::{EPOCH_SCORES, Ranking, SCORES, ScoreInfo, rank, ranking_table};

use crate::answer::Answer;
use crate::command::run::show;
use crate::failure::Failure;
use crate::table::{count, table};

/// Rank inputs by disagreement of neighbours, label and network: label errors and brittle inputs first
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// Run directory, or the folder of `subspect dynamics`
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Score to rank by
    #[arg(long, value_name = "SCORE", default_value = SCORES[0].name)]
    by: String,
    /// Layer [default: the deepest before the output; for layers: all]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Most inputs to show; 0: all
    #[arg(long, value_name = "K", default_value_t = 20)]
    top: usize,
}

fn after_help() -> String {
    let list = |scores: &[ScoreInfo]| {
        let lines: Vec<String> = scores.iter().map(|s| format!("  {:<18}{}", s.name, s.summary)).collect();
        lines.join("\n")
    };
    format!(
        "Scores; a larger one deserves a look first:\n{}\nOver the epochs of a training:\n{}\n\n\
         Examples:\n  \
         subspect rank RUN\n  \
         subspect rank RUN --by vote-network --top 50\n  \
         subspect rank RUN --by layers --top 0 --format csv > ranked.csv\n  \
         subspect rank DYNAMICS --by epoch-margin",
        list(SCORES),
        list(EPOCH_SCORES)
    )
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let ranking = rank(&args.run, &args.by, args.layer.as_deref())?;
    let top = if args.top == 0 { ranking.order.len() } else { args.top.min(ranking.order.len()) };
    Answer::new(human(&ranking, top), to_json(&ranking, top)).with_table(&ranking_table(&ranking, Some(top)))
}

fn class(ranking: &Ranking, of: Option<u32>) -> String {
    let classes = &ranking.record.dataset.classes;
    of.map_or("-".into(), |c| classes.get(c as usize).cloned().unwrap_or_else(|| c.to_string()))
}

fn human(ranking: &Ranking, top: usize) -> String {
    let inputs = &ranking.record.inputs;
    let rows: Vec<Vec<String>> = ranking.order[..top]
        .iter()
        .enumerate()
        .map(|(k, &i)| {
            let confidence =
                inputs.confidence.get(i).map_or("-".to_owned(), |p| format!("{:.1} %", 100.0 * p));
            vec![
                (k + 1).to_string(),
                inputs.ids[i].clone(),
                class(ranking, inputs.labels.get(i).copied()),
                class(ranking, inputs.predictions.get(i).copied()),
                class(ranking, ranking.votes.get(i).copied().flatten()),
                confidence,
                show(ranking.score.values[i], 3),
            ]
        })
        .collect();
    let place = match &ranking.score.layer {
        Some(layer) => format!("in {layer}"),
        None => format!(
            "over {} layers, votes in {}",
            ranking.record.layers.len(),
            ranking.record.layers[ranking.layer].name
        ),
    };
    let undefined = ranking.score.values.iter().filter(|v| v.status().is_some()).count();
    let mut out = format!(
        "{} inputs by {} {place}\n\n{}",
        count(ranking.order.len()),
        ranking.score.name,
        table(&["rank", "input", "label", "network", "vote", "confidence", "score"], &rows, 5)
    );
    if undefined > 0 {
        let why = ranking.score.values.iter().find_map(|v| v.status()).map_or("", |s| s.as_str());
        out += &format!("\n\n{} inputs have no score ({why}); they come last", count(undefined));
    }
    out
}

fn to_json(ranking: &Ranking, top: usize) -> serde_json::Value {
    let inputs = &ranking.record.inputs;
    let rows: Vec<_> = ranking.order[..top]
        .iter()
        .map(|&i| {
            json!({
                "id": inputs.ids[i], "position": i, "label": inputs.labels.get(i),
                "prediction": inputs.predictions.get(i), "confidence": inputs.confidence.get(i),
                "vote": ranking.votes.get(i).copied().flatten(), "score": ranking.score.values[i],
            })
        })
        .collect();
    json!({
        "score": ranking.score.name, "layer": ranking.score.layer, "n_inputs": ranking.order.len(),
        "classes": ranking.record.dataset.classes, "inputs": rows,
    })
}
