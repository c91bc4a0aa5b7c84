//! Choosing layers: by kind, by name and by glob.

use std::collections::BTreeSet;

use globset::GlobBuilder;

use crate::{Choice, Layer, LayerKind, NetsError};

/// The default selection.
pub const DEFAULT_SELECTION: &str = "paper";

/// Every word that selects layers. Anything else is a layer's name or a glob over names.
pub static SELECTORS: &[Choice] = &[
    Choice {
        name: "paper",
        summary: "all convolutions, a residual block's last one after the addition, and the logits; of text encoders embeddings, blocks, and logits or outputs (default)",
    },
    Choice { name: "conv", summary: "convolutions, 1x1 shortcuts among them" },
    Choice { name: "block", summary: "outputs of residual blocks, after the addition" },
    Choice {
        name: "taps",
        summary: "stem, stages, pool and logits of a network that comes as weights with its architecture",
    },
    Choice { name: "embedding", summary: "tokens that have become vectors" },
    Choice { name: "linear", summary: "matrix products with a weight, bias included" },
    Choice { name: "norm", summary: "normalisations that the exporter did not fold away" },
    Choice { name: "activation", summary: "activation functions" },
    Choice { name: "pool", summary: "pooling over space" },
    Choice { name: "logits", summary: "the class scores, before any softmax" },
    Choice { name: "output", summary: "what a network without class scores returns" },
    Choice { name: "all", summary: "every value with a batch axis" },
];

/// Positions of the selected layers, in execution order and without duplicates. `selection` is any number of
/// words, names and globs, each of which may also be a comma-separated list of them; their results are joined.
///
/// ```
/// # use subspect_nets::{select, Layer, NetsError};
/// # fn f(layers: &[Layer]) -> Result<(), NetsError> {
/// let chosen = select(layers, &["block,logits", "layer3.*"])?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`NetsError::UnknownLayer`] for a name or glob that matches nothing, [`NetsError::BadGlob`], and
/// [`NetsError::EmptySelection`] when all words together select nothing.
pub fn select<S: AsRef<str>>(layers: &[Layer], selection: &[S]) -> Result<Vec<usize>, NetsError> {
    let words: Vec<&str> = selection.iter().flat_map(|s| split_list(s.as_ref())).collect();
    let words = if words.is_empty() { vec![DEFAULT_SELECTION] } else { words };
    let mut chosen = BTreeSet::new();
    for word in &words {
        let is_keyword = SELECTORS.iter().any(|info| info.name == *word);
        if is_keyword {
            chosen.extend((0..layers.len()).filter(|&i| by_keyword(word, &layers[i]) == Some(true)));
        } else {
            chosen.extend(by_name(layers, word)?);
        }
    }
    if chosen.is_empty() {
        return Err(NetsError::EmptySelection { selection: words.join(","), n_layers: layers.len() });
    }
    Ok(chosen.into_iter().collect())
}

/// Splits at commas outside of braces and brackets.
fn split_list(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth <= 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|p| !p.is_empty()).collect()
}

/// Whether a word of [`SELECTORS`] selects a layer; `None` when it is not such a word.
fn by_keyword(word: &str, layer: &Layer) -> Option<bool> {
    let kind = layer.kind;
    let selected = match word {
        "all" => true,
        "logits" => layer.is_logits,
        "paper" => {
            layer.is_logits
                || layer.is_output
                || matches!(kind, LayerKind::Block | LayerKind::Embedding)
                || kind == LayerKind::Conv && layer.replaced_by.is_none()
        }
        "conv" => kind == LayerKind::Conv,
        "block" => kind == LayerKind::Block,
        "taps" => layer.is_tap,
        "embedding" => kind == LayerKind::Embedding,
        "output" => layer.is_output,
        "linear" => kind == LayerKind::Linear,
        "norm" => kind == LayerKind::Norm,
        "activation" => kind == LayerKind::Activation,
        "pool" => kind == LayerKind::Pool,
        _ => return None,
    };
    Some(selected)
}

fn by_name(layers: &[Layer], pattern: &str) -> Result<Vec<usize>, NetsError> {
    if let Some(i) = layers.iter().position(|l| l.name == pattern) {
        return Ok(vec![i]);
    }
    let glob = GlobBuilder::new(pattern)
        .build()
        .map_err(|e| NetsError::BadGlob { pattern: pattern.to_owned(), reason: e.kind().to_string() })?
        .compile_matcher();
    let found: Vec<usize> = (0..layers.len()).filter(|&i| glob.is_match(&layers[i].name)).collect();
    if found.is_empty() {
        return Err(NetsError::UnknownLayer {
            pattern: pattern.to_owned(),
            nearest: nearest(layers, pattern),
        });
    }
    Ok(found)
}

/// The three names most similar to a pattern, its wildcards left out.
fn nearest(layers: &[Layer], pattern: &str) -> Vec<String> {
    let plain: String = pattern.chars().filter(|c| !"*?[]{}".contains(*c)).collect();
    most_alike(&plain, layers.iter().map(|l| l.name.as_str()), 3)
}

/// At most `n` of `names`, the most similar to `wanted` first (Jaro-Winkler), none that is not similar at all.
pub(crate) fn most_alike<'a>(wanted: &str, names: impl Iterator<Item = &'a str>, n: usize) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(score, _)| *score > 0.5)
        .collect();
    // Stable: of equally similar names the first one stays first.
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(n).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, kind: LayerKind, replaced_by: Option<&str>) -> Layer {
        Layer {
            name: name.into(),
            kind,
            op_type: "X".into(),
            value: name.into(),
            shape: vec![1],
            channels: None,
            replaced_by: replaced_by.map(str::to_owned),
            is_logits: name == "fc",
            is_tap: kind == LayerKind::Block,
            is_output: false,
            token_axis: None,
        }
    }

    fn net() -> Vec<Layer> {
        vec![
            layer("conv1", LayerKind::Conv, None),
            layer("relu", LayerKind::Activation, None),
            layer("layer1.0.conv1", LayerKind::Conv, None),
            layer("layer1.0.conv2", LayerKind::Conv, Some("layer1.0")),
            layer("layer1.0", LayerKind::Block, None),
            layer("fc", LayerKind::Linear, None),
        ]
    }

    fn names(selection: &[&str]) -> Vec<String> {
        let net = net();
        select(&net, selection).unwrap().into_iter().map(|i| net[i].name.clone()).collect()
    }

    #[test]
    fn words_names_and_globs_join_in_execution_order() {
        assert_eq!(names(&[]), ["conv1", "layer1.0.conv1", "layer1.0", "fc"]);
        assert_eq!(names(&["paper"]), names(&[]));
        assert_eq!(names(&["linear,conv", "block"]).len(), 5);
        assert_eq!(
            names(&["fc", "layer1.*", "layer1.0.conv1"]),
            ["layer1.0.conv1", "layer1.0.conv2", "layer1.0", "fc"]
        );
        assert_eq!(names(&["layer1.0.conv[12]"]).len(), 2);
        assert_eq!(names(&["{conv1,fc}"]), ["conv1", "fc"]);
        assert_eq!(names(&["all"]).len(), 6);
        assert_eq!(names(&["logits"]), ["fc"]);
        assert_eq!(names(&["taps,logits"]), ["layer1.0", "fc"]);
    }

    #[test]
    fn mistakes_are_answered_with_names() {
        let e = select(&net(), &["layer1.0.cnv1"]).unwrap_err().to_string();
        assert!(
            e.contains("no layer matches \"layer1.0.cnv1\"; the nearest names are layer1.0.conv1"),
            "{e}"
        );
        let e = select(&net(), &["zzz*"]).unwrap_err().to_string();
        assert!(e.contains("subspect layers"), "{e}");
        let e = select(&net(), &["conv[1"]).unwrap_err().to_string();
        assert!(e.contains("not a valid glob"), "{e}");
        let e = select(&net(), &["pool,norm"]).unwrap_err().to_string();
        assert!(e.contains("\"pool,norm\" matches none of the model's 6 layers"), "{e}");
    }

    #[test]
    fn every_word_of_the_list_is_understood() {
        for info in SELECTORS {
            assert!(by_keyword(info.name, &net()[0]).is_some(), "{}", info.name);
        }
    }
}
