//! The order of an axis: numbers as they are, and texts that differ in one number by that number (`resnet8`, `resnet20`:
//! depth; `resnet8:width=0.5`, `resnet8:width=2`: width).

/// Axes whose values name things, even where a number tells them apart.
const NAMES: [&str; 7] = ["model", "data", "test_data", "store", "labels", "output", "seed"];

/// Place of every value on the axis; `None` where they have no order, or are all the same.
pub(super) fn places(axis: &str, values: &[&str]) -> Option<Vec<f64>> {
    if NAMES.contains(&axis) {
        return None;
    }
    let split: Vec<(String, Vec<f64>)> = values.iter().map(|v| numbers(v)).collect();
    let (pattern, first) = split.first()?;
    if split.iter().any(|(p, numbers)| p != pattern || numbers.len() != first.len()) {
        return None;
    }
    let differs = |k: &usize| split.iter().any(|(_, numbers)| numbers[*k] != first[*k]);
    let varying: Vec<usize> = (0..first.len()).filter(differs).collect();
    let &[at] = varying.as_slice() else { return None };
    Some(split.iter().map(|(_, numbers)| numbers[at]).collect())
}

/// A text with `#` in the place of its numbers, and these. A minus is part of a number only where the text is nothing else:
/// in `wrn-16-2` it divides.
fn numbers(text: &str) -> (String, Vec<f64>) {
    if let Some(number) = text.parse().ok().filter(|v: &f64| v.is_finite()) {
        return ("#".to_owned(), vec![number]);
    }
    let (mut pattern, mut found, mut digits) = (String::new(), Vec::new(), String::new());
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() || c == '.' && !digits.is_empty() && !digits.contains('.') {
            digits.push(c);
            continue;
        }
        if let Ok(number) = digits.parse() {
            found.push(number);
            pattern.push('#');
        }
        digits.clear();
        pattern.extend((c != '\0').then_some(c));
    }
    (pattern, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_that_differ_in_one_have_an_order() {
        assert_eq!(places("epochs", &["5", "0.5", "1e1"]), Some(vec![5.0, 0.5, 10.0]));
        assert_eq!(places("label_noise", &["-1", "2"]), Some(vec![-1.0, 2.0]));
        assert_eq!(places("arch", &["resnet20", "resnet8"]), Some(vec![20.0, 8.0]));
        assert_eq!(places("arch", &["wrn-16-2", "wrn-16-10"]), Some(vec![2.0, 10.0]));
        assert_eq!(places("arch", &["cnn:width=0.25", "cnn:width=2"]), Some(vec![0.25, 2.0]));
        assert_eq!(places("arch", &["vgg11.5", "vgg16."]), Some(vec![11.5, 16.0]));
        for (axis, values) in [
            ("arch", vec!["resnet8", "vgg11"]),
            ("arch", vec!["wrn-16-2", "wrn-28-10"]),
            ("arch", vec!["resnet8", "resnet8"]),
            ("optimizer", vec!["sgd", "adam"]),
            ("data", vec!["batch1", "batch2"]),
            ("epochs", vec![]),
        ] {
            assert_eq!(places(axis, &values), None, "{values:?}");
        }
    }
}
