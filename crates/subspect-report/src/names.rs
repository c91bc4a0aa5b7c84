//! Names of layers and classes, short enough for an axis.
//!
//! Layer names are dotted module paths. Leading parts that all layers share say nothing and are dropped; runs of
//! layers with the same first part form a group (`layer1`, `layer2`, ...), which figures mark; a name that is
//! still long keeps its beginning and its end, because the end tells siblings apart.

use subspect_data::record::RunRecord;

/// Longest layer name on an axis, in characters.
const AXIS_CHARS: usize = 19;

/// A run of neighbouring layers with the same first part of their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The part that they share.
    pub(crate) name: String,
    /// First layer.
    pub(crate) start: usize,
    /// One past the last layer.
    pub(crate) end: usize,
}

/// The layers' names as figures show them.
#[derive(Clone, Debug)]
pub(crate) struct LayerNames {
    /// As recorded.
    pub(crate) full: Vec<String>,
    /// Short, for an axis.
    pub(crate) short: Vec<String>,
    /// Runs of two or more.
    pub(crate) groups: Vec<Group>,
}

impl LayerNames {
    pub(crate) fn new(full: Vec<String>) -> Self {
        let mut parts: Vec<Vec<&str>> = full.iter().map(|n| n.split('.').collect()).collect();
        while shares_first(&parts) {
            for part in &mut parts {
                part.remove(0);
            }
        }
        let short = parts.iter().map(|p| elide(&p.join("."), AXIS_CHARS)).collect();
        let groups = groups_of(&parts);
        LayerNames { short, groups, full: full.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.full.len()
    }
}

fn shares_first(parts: &[Vec<&str>]) -> bool {
    parts.len() > 1 && parts.iter().all(|p| p.len() > 1 && p[0] == parts[0][0])
}

fn groups_of(parts: &[Vec<&str>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut start = 0;
    while start < parts.len() {
        let name = parts[start][0];
        let run = parts[start..].iter().take_while(|p| p[0] == name).count();
        if run > 1 {
            groups.push(Group { name: name.to_owned(), start, end: start + run });
        }
        start += run;
    }
    groups
}

/// Shortens to at most `max` characters by leaving out the middle.
pub(crate) fn elide(name: &str, max: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= max || max < 3 {
        return name.to_owned();
    }
    let head = (max - 1) / 3;
    let tail = max - 1 - head;
    chars[..head].iter().chain(['\u{2026}'].iter()).chain(&chars[chars.len() - tail..]).collect()
}

/// The name of a class, or its number when it has none.
pub(crate) fn class_name(record: &RunRecord, class: u32) -> String {
    match record.dataset.classes.get(class as usize) {
        Some(name) if !name.trim().is_empty() => name.clone(),
        _ => format!("class {class}"),
    }
}

/// What to call the model on the page: its file name without the extension.
pub(crate) fn model_name(record: &RunRecord) -> Option<&str> {
    record.model.as_ref().map(|m| m.name.strip_suffix(".onnx").unwrap_or(&m.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> LayerNames {
        LayerNames::new(list.iter().map(|s| s.to_string()).collect())
    }

    #[test]
    fn a_shared_prefix_is_dropped_and_stages_become_groups() {
        let n = names(&["net.stem", "net.layer1.0.conv1", "net.layer1.0.conv2", "net.fc"]);
        assert_eq!(n.short, ["stem", "layer1.0.conv1", "layer1.0.conv2", "fc"]);
        assert_eq!(n.groups, [Group { name: "layer1".into(), start: 1, end: 3 }]);
    }

    #[test]
    fn a_plain_sequence_keeps_its_numbers() {
        let n = names(&["features.0", "features.3", "features.6"]);
        assert_eq!(n.short, ["0", "3", "6"]);
        assert!(n.groups.is_empty());
        assert_eq!(names(&["conv1"]).short, ["conv1"]);
    }

    #[test]
    fn long_names_keep_both_ends() {
        let short = elide("encoder_block_attention_projection_out", 19);
        assert_eq!(short.chars().count(), 19);
        assert!(short.starts_with("encode") && short.ends_with("jection_out"), "{short}");
        assert_eq!(elide("日本語の長い名前です", 5).chars().count(), 5);
    }
}
