//! `subspect compare`: two networks on the same inputs.

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_data::comparison::{ComparisonRecord, Difference, Verdict};
use subspect_linalg::Measured;
use subspect_pipeline::{
    COMPARED, CompareSettings, Condition, compare_runs, most_changed, similarity_table, write_comparison,
};

use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::run::{command_line, show};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::table::{count, table};

/// Inputs shown to people; tables hold all.
const SHOWN: usize = 10;

/// Compare two runs over the same inputs: matching layers, differences with tests, inputs that moved
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// Run directory of the first network
    #[arg(value_name = "RUN_A")]
    a: PathBuf,
    /// Run directory of the second
    #[arg(value_name = "RUN_B")]
    b: PathBuf,
    /// Exit with 1 when this holds: MEASURE(LAYER) < NUMBER; may be given several times
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true)]
    fail_if: Vec<String>,
    /// Folder for comparison.json, tables/ and comparison.html
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    options: OptionArgs<CompareOptions>,
}

#[derive(Debug)]
struct CompareOptions;

impl OptionSet for CompareOptions {
    const NAMES: &'static [&'static str] = &["permutations", "resamples", "level", "resolution", "memory"];
}

fn after_help() -> String {
    let measures: Vec<String> = COMPARED
        .iter()
        .map(|m| {
            format!(
                "  {:<28}{}",
                if m.of_layers { format!("{}(LAYER)", m.name) } else { m.name.into() },
                m.summary
            )
        })
        .collect();
    format!(
        "Differences and drops are the first minus the second. A condition compares one of these with a\n\
         number by < <= > >=:\n{}\n\
         LAYER is a name or a glob of layers that both runs have, or LAYER_OF_A, LAYER_OF_B. Over several\n\
         layers a condition holds when it holds for one. A value that is undefined makes it hold.\n\n\
         Examples:\n  \
         subspect compare RUN_A RUN_B --output COMPARISON\n  \
         subspect compare BEFORE AFTER --fail-if \"ssc_cka(fc) < 0.8\" --format json\n  \
         subspect compare RUN_A RUN_B --format csv > similarity.csv",
        measures.join("\n")
    )
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let options = &args.options.options;
    let conditions = args.fail_if.iter().map(|text| Condition::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let resolution = options.number("resolution")?.unwrap_or(1.0);
    if resolution <= 0.0 {
        return Err(options.refuse("resolution", "a number above 0", &resolution.to_string()).into());
    }
    let settings = CompareSettings {
        permutations: options.count("permutations")?.unwrap_or(0) as usize,
        resamples: options.count("resamples")?.unwrap_or(0) as usize,
        level: options.level()?,
        resolution,
        memory: options.bytes("memory")?,
        seed: global.seed.unwrap_or(0),
        conditions,
        command: command_line(),
    };
    let progress = Progress::new(global.quiet);
    let result = compare_runs(&args.a, &args.b, &settings, &progress);
    progress.clear();
    let record = result?;
    let page = match &args.output {
        Some(folder) => {
            write_comparison(&record, folder)?;
            Some(subspect_report::render_comparison(&record, folder).map_err(|e| Failure::from_error(&e))?)
        }
        None => None,
    };
    let mut answer = Answer::new(human(&record, page.as_deref()), to_json(&record, page.as_deref()))
        .with_table(&similarity_table(&record))?;
    answer.unmet = record.verdict.as_ref().and_then(unmet);
    Ok(answer)
}

/// The values that made conditions hold, in one sentence.
fn unmet(verdict: &Verdict) -> Option<String> {
    let of = |c: &subspect_data::comparison::ConditionResult| {
        let cells = c.cells.iter().filter(|cell| cell.failed);
        let texts: Vec<String> = cells
            .map(|cell| match (&cell.layer_a, &cell.layer_b) {
                (Some(a), Some(b)) if a == b => format!("{a}: {}", show(cell.value, 4)),
                (Some(a), Some(b)) => format!("{a}, {b}: {}", show(cell.value, 4)),
                _ => show(cell.value, 4),
            })
            .collect();
        format!("{} ({})", c.condition, texts.join("; "))
    };
    let failed: Vec<String> = verdict.conditions.iter().filter(|c| c.failed).map(of).collect();
    verdict.failed.then(|| format!("--fail-if {}", failed.join(", ")))
}

fn class(record: &ComparisonRecord, of: Option<u32>) -> String {
    of.map_or("-".into(), |c| record.classes.get(c as usize).cloned().unwrap_or_else(|| c.to_string()))
}

fn human(record: &ComparisonRecord, page: Option<&Path>) -> String {
    let [a, b] = &record.networks;
    let mut parts = vec![
        format!(
            "{} ({} layers) and {} ({} layers) on {}: {} inputs",
            a.name,
            a.layers.len(),
            b.name,
            b.layers.len(),
            record.dataset,
            count(record.ids.len())
        ),
        matches(record),
    ];
    parts.extend(classes(record));
    parts.push(inputs(record));
    parts.push(record.summary.join("\n"));
    if !record.notes.is_empty() {
        parts.push(record.notes.iter().map(|n| format!("note: {n}")).collect::<Vec<_>>().join("\n"));
    }
    parts.extend(record.verdict.as_ref().map(verdict));
    parts.extend(page.map(|p| format!("page: {}", p.display())));
    parts.join("\n\n")
}

fn signed(value: Measured, digits: usize) -> String {
    value.value().map_or_else(|| show(value, digits), |v| format!("{v:+.digits$}"))
}

/// Every layer of the first network beside its best match.
fn matches(record: &ComparisonRecord) -> String {
    let [a, b] = &record.networks;
    let rows = record.best[0].iter().enumerate().map(|(i, best)| {
        let name = a.layers[i].name.clone();
        let pair = best.layer.and_then(|j| record.pairs.iter().find(|p| (p.first, p.second) == (i, j)));
        let (Some(j), Some(pair)) = (best.layer, pair) else {
            return vec![name, "-".into(), show(best.value, 3)];
        };
        let difference =
            |d: &Difference| vec![show(d.first, 3), show(d.second, 3), signed(d.value, 3), show(d.p, 3)];
        let back = record.best[1].get(j).and_then(|m| m.layer) == Some(i);
        let matched = format!("{}{}", b.layers[j].name, if back { "" } else { " *" });
        let mut row = vec![name, matched, show(best.value, 3), show(pair.neighbour_overlap, 3)];
        row.extend(difference(&pair.modularity));
        row.extend(difference(&pair.vote));
        row
    });
    let header = [
        "layer of A",
        "best match in B",
        "ssc_cka",
        "overlap",
        "modularity A",
        "B",
        "A - B",
        "p",
        "vote A",
        "B",
        "A - B",
        "p",
    ];
    let width = header.len();
    let rows: Vec<Vec<String>> = rows
        .map(|mut row| {
            row.resize(width, String::new());
            row
        })
        .collect();
    let note = "* the best match of that layer is another one";
    format!("{}\n{note}", table(&header, &rows, 2))
}

fn classes(record: &ComparisonRecord) -> Option<String> {
    if record.by_class.is_empty() {
        return None;
    }
    let rows: Vec<Vec<String>> = record
        .by_class
        .iter()
        .enumerate()
        .map(|(c, found)| {
            let shares = |d: Option<&Difference>| match d {
                Some(d) => vec![show(d.first, 3), show(d.second, 3), show(d.p, 3)],
                None => vec!["-".into(); 3],
            };
            let mut row = vec![class(record, Some(c as u32)), count(found.n_inputs), show(found.change, 3)];
            row.extend(shares(found.accuracy.as_ref()));
            row.extend(shares(Some(&found.vote)));
            row
        })
        .collect();
    Some(table(&["class", "inputs", "change", "accuracy A", "B", "p", "vote A", "B", "p"], &rows, 1))
}

fn inputs(record: &ComparisonRecord) -> String {
    let rows: Vec<Vec<String>> = most_changed(&record.inputs)
        .into_iter()
        .take(SHOWN)
        .map(|i| {
            let x = &record.inputs[i];
            let [vote_a, vote_b] = x.votes.map(|v| class(record, v));
            let [answer_a, answer_b] = x.predictions.map(|p| class(record, p));
            let label = class(record, record.labels.get(i).copied());
            let change = [show(x.change, 3), show(x.mean_change, 3)];
            [vec![record.ids[i].clone(), label, answer_a, answer_b, vote_a, vote_b], change.to_vec()].concat()
        })
        .collect();
    let header = ["input", "label", "answer A", "answer B", "vote A", "vote B", "change", "mean change"];
    format!("Inputs whose neighbourhoods differ most\n{}", table(&header, &rows, 6))
}

fn verdict(verdict: &Verdict) -> String {
    let lines: Vec<String> = verdict
        .conditions
        .iter()
        .map(|c| format!("{}  {}", if c.failed { "holds  " } else { "does not" }, c.condition))
        .collect();
    format!("conditions of --fail-if\n{}", lines.join("\n"))
}

fn to_json(record: &ComparisonRecord, page: Option<&Path>) -> serde_json::Value {
    let names = |of: &subspect_data::comparison::Network| {
        of.layers.iter().map(|l| l.name.clone()).collect::<Vec<_>>()
    };
    let [a, b] = &record.networks;
    let matches = |side: usize| {
        let other = &record.networks[1 - side];
        record.best[side]
            .iter()
            .zip(&record.networks[side].layers)
            .map(|(m, l)| {
                let found = m.layer.map(|k| other.layers[k].name.clone());
                json!({ "layer": l.name, "match": found, "ssc_cka": m.value })
            })
            .collect::<Vec<_>>()
    };
    let pairs: Vec<_> = record
        .pairs
        .iter()
        .map(|p| {
            json!({
                "layer_a": a.layers[p.first].name, "layer_b": b.layers[p.second].name, "ssc_cka": p.ssc_cka,
                "neighbour_overlap": p.neighbour_overlap, "modularity": p.modularity, "vote": p.vote,
                "vote_change": p.vote_change,
            })
        })
        .collect();
    let inputs: Vec<_> = most_changed(&record.inputs)
        .into_iter()
        .map(|i| {
            let x = &record.inputs[i];
            json!({
                "id": record.ids[i], "label": record.labels.get(i), "change": x.change,
                "mean_change": x.mean_change, "votes": x.votes, "predictions": x.predictions,
            })
        })
        .collect();
    json!({
        "a": { "run": a.run, "name": a.name, "layers": names(a) },
        "b": { "run": b.run, "name": b.name, "layers": names(b) },
        "n_inputs": record.ids.len(),
        "maps": record.maps,
        "best_in_b": matches(0),
        "best_in_a": matches(1),
        "pairs": pairs,
        "focus": record.focus,
        "accuracy": record.accuracy,
        "prediction_change": record.prediction_change,
        "classes": record.classes,
        "by_class": record.by_class,
        "inputs": inputs,
        "summary": record.summary,
        "notes": record.notes,
        "verdict": record.verdict,
        "page": page.map(|p| p.display().to_string()),
    })
}
