//! The axis `epoch`: which snapshot of a training a cell shows. `first` is the epoch after which the network has seen all
//! data once, `2/3` two thirds of the epochs (rounded, at least 1), a number that epoch (0: before training).

use super::TrainingOutline;
use crate::PipelineError;

pub(super) fn snapshot_epoch(
    word: &str,
    outline: &TrainingOutline,
    place: &str,
) -> Result<usize, PipelineError> {
    let refuse = |expected: String| PipelineError::Option {
        origin: format!("epoch in {place}"),
        expected,
        found: word.to_owned(),
    };
    let epochs = outline.epochs;
    let epoch = match word {
        "first" => Some(1),
        "last" => Some(epochs),
        other => match other.split_once('/') {
            None => other.parse().ok(),
            Some((part, whole)) => share(part, whole, epochs),
        },
    };
    let epoch = epoch
        .filter(|&e| e <= epochs)
        .ok_or_else(|| refuse(format!("first, last, a share such as 1/3, or a number from 0 to {epochs}")))?;
    if outline.kept.contains(&epoch) {
        return Ok(epoch);
    }
    let kept: Vec<String> = outline.kept.iter().map(ToString::to_string).collect();
    Err(refuse(format!("an epoch whose weights are kept ({})", kept.join(", "))))
}

fn share(part: &str, whole: &str, epochs: usize) -> Option<usize> {
    let (part, whole): (usize, usize) = (part.trim().parse().ok()?, whole.trim().parse().ok()?);
    if whole == 0 || part == 0 || part > whole {
        return None;
    }
    Some(((epochs as f64 * part as f64 / whole as f64).round() as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_shares_and_numbers_name_epochs() {
        let outline = TrainingOutline {
            arch: "cnn".into(),
            normalize: "none".into(),
            data: "d".into(),
            data_format: None,
            test_data: None,
            epochs: 10,
            kept: vec![0, 1, 3, 7, 10],
        };
        let at = |word: &str| snapshot_epoch(word, &outline, "c.toml").map_err(|e| e.to_string());
        for (word, epoch) in
            [("first", 1), ("1/3", 3), ("2/3", 7), ("last", 10), ("0", 0), ("3", 3), ("1/100", 1)]
        {
            assert_eq!(at(word), Ok(epoch), "{word}");
        }
        for bad in ["11", "half", "0/3", "4/3", "1/0", "-1"] {
            assert!(at(bad).unwrap_err().contains("epoch in c.toml: expected first, last, a share"), "{bad}");
        }
        assert!(at("5").unwrap_err().contains("whose weights are kept (0, 1, 3, 7, 10), found \"5\""));
    }
}
