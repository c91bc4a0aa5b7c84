//! What a training wrote about itself: `training.json` beside its checkpoints.
//!
//! Only two things are expected of it: an object, and in it `epochs`, a list with one object of numbers per epoch. Numbers
//! are taken by the names they have, nested ones as `outer_inner`, and `epoch` tells which it is. `arch` and `normalize`, if
//! there, spare the user from repeating them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use subspect_data::dynamics::TrainingPoint;

use crate::PipelineError;

/// Name of the file.
const FILE: &str = "training.json";

/// What is known about a training; empty without the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Training {
    /// Values of options that the training settles: `arch`, `normalize`.
    pub(crate) options: BTreeMap<&'static str, String>,
    /// Seed, if stated.
    pub(crate) seed: Option<u64>,
    /// Its numbers by epoch, ascending.
    pub(crate) points: Vec<TrainingPoint>,
}

impl Training {
    /// Reads `training.json` in `folder`, if there is one.
    pub(crate) fn read(folder: &Path) -> Result<Self, PipelineError> {
        let path = folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(PipelineError::io("read", &path, e)),
        };
        let refused = |found: String| PipelineError::Input {
            what: path.display().to_string(),
            expected: "an object with \"epochs\": a list of objects of numbers".into(),
            found,
            mend: "mend the file, or move it away: the dynamics need only the checkpoints".into(),
        };
        let value: Value = serde_json::from_slice(&text).map_err(|e| refused(e.to_string()))?;
        Self::of(&value).ok_or_else(|| refused("something else".into()))
    }

    fn of(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let options = ["arch", "normalize"].into_iter().filter_map(|n| Some((n, text(n)?))).collect();
        let mut points = Vec::new();
        for (at, entry) in object.get("epochs")?.as_array()?.iter().enumerate() {
            let mut values = BTreeMap::new();
            numbers("", entry, &mut values);
            let epoch = values.remove("epoch").filter(|e| *e >= 0.0).map_or(at as u64, |e| e as u64);
            points.push(TrainingPoint { epoch, values });
        }
        points.sort_by_key(|p| p.epoch);
        Some(Self { options, seed: object.get("seed").and_then(Value::as_u64), points })
    }
}

/// Every finite number below `value`, named by its path.
fn numbers(prefix: &str, value: &Value, out: &mut BTreeMap<String, f64>) {
    match value {
        Value::Number(n) => out.extend(n.as_f64().filter(|v| v.is_finite()).map(|v| (prefix.to_owned(), v))),
        Value::Object(map) => {
            for (name, value) in map {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}_{name}") };
                numbers(&name, value, out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_by_name_and_the_rest_is_left() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Training::read(dir.path()).unwrap(), Training::default());
        let write = |text: &str| std::fs::write(dir.path().join(FILE), text).unwrap();
        write(
            r#"{"arch": "resnet8", "normalize": "cifar10", "seed": 3, "data": {"train": "x"},
                "epochs": [{"epoch": 2, "train": {"loss": 0.5}, "note": "x"}, {"epoch": 1, "test_accuracy": 0.25}]}"#,
        );
        let training = Training::read(dir.path()).unwrap();
        assert_eq!((training.options["arch"].as_str(), training.seed), ("resnet8", Some(3)));
        assert_eq!(training.points[0].values["test_accuracy"], 0.25);
        assert_eq!((training.points[1].epoch, training.points[1].values["train_loss"]), (2, 0.5));
        write("{");
        assert!(Training::read(dir.path()).unwrap_err().to_string().contains("training.json"));
        write("[]");
        assert!(Training::read(dir.path()).unwrap_err().to_string().contains("something else"));
    }
}
