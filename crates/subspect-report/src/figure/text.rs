//! Widths of texts and places for labels, without a layout engine.

/// Advance widths of Inter for U+0020 to U+007E, in hundredths of the font size.
const ADVANCE: [u16; 95] = [
    28, 28, 40, 63, 64, 81, 64, 22, 36, 36, 50, 66, 28, 46, 28, 36, 62, 46, 61, 64, 64, 61, 62, 57, 62, 62,
    28, 28, 66, 66, 66, 51, 94, 68, 65, 73, 72, 60, 59, 74, 74, 26, 54, 65, 56, 89, 75, 76, 63, 76, 64, 64,
    64, 74, 68, 95, 64, 66, 62, 36, 36, 36, 47, 45, 50, 56, 62, 56, 62, 58, 36, 61, 59, 24, 24, 54, 24, 87,
    59, 60, 61, 61, 37, 52, 36, 58, 56, 81, 54, 56, 54, 36, 33, 36, 66,
];
/// Readers' own fonts may be wider than Inter.
const SLACK: f64 = 1.1;

/// About how wide `text` is at `size`, on the safe side.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text
        .chars()
        .map(|c| match c {
            ' '..='~' => f64::from(ADVANCE[c as usize - 32]),
            '\u{1100}'.. => 100.0,
            _ => 66.0,
        })
        .sum();
    units / 100.0 * size * SLACK
}

/// Shortens `text` in the middle until it fits.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    let mut n = text.chars().count();
    let mut shown = text.to_owned();
    while width(&shown, size) > room && n > 3 {
        n -= 1;
        shown = crate::names::elide(text, n);
    }
    shown
}

/// Moves labels apart: returns for each wanted height one at least `gap` from the others and within `lo..=hi`
/// if there is room, as near as possible and in the same order.
pub(crate) fn spread(wanted: &[f64], gap: f64, lo: f64, hi: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    // Pool neighbours that overlap into blocks, each centred on the mean of what its labels want.
    let centre = |sum: f64, n: usize| {
        let half = gap * (n - 1) as f64 / 2.0;
        (sum / n as f64).min(hi - half).max(lo + half)
    };
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for &i in &order {
        blocks.push((wanted[i], 1));
        while let [.., (a, n), (b, m)] = blocks[..] {
            if centre(b, m) - centre(a, n) >= gap * (n + m) as f64 / 2.0 {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push((a + b, n + m));
        }
    }
    let mut out = vec![0.0; wanted.len()];
    let mut next = order.iter();
    for (sum, n) in blocks {
        let top = centre(sum, n) - gap * (n - 1) as f64 / 2.0;
        for (k, &i) in next.by_ref().take(n).enumerate() {
            out[i] = top + gap * k as f64;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_order_and_distance() {
        let y = spread(&[10.0, 11.0, 50.0, 10.5], 12.0, 0.0, 100.0);
        assert!(y[0] < y[3] && y[3] < y[1] && y[1] < y[2]);
        assert!(y[3] - y[0] >= 12.0 - 1e-9 && y[1] - y[3] >= 12.0 - 1e-9);
        assert_eq!(y[2], 50.0);
        assert_eq!(spread(&[], 12.0, 0.0, 1.0), Vec::<f64>::new());
        assert_eq!(spread(&[-5.0], 12.0, 0.0, 100.0), [0.0]);
    }

    proptest::proptest! {
        #[test]
        fn labels_that_have_room_never_overlap(wanted in proptest::collection::vec(-50.0..350.0f64, 0..12)) {
            let (gap, lo, hi) = (15.0, 0.0, 300.0);
            let y = spread(&wanted, gap, lo, hi);
            for i in 0..y.len() {
                proptest::prop_assert!((lo - 1e-9..=hi + 1e-9).contains(&y[i]), "{} is outside", y[i]);
                for j in 0..i {
                    proptest::prop_assert!((y[i] - y[j]).abs() >= gap - 1e-9, "{} and {}", y[i], y[j]);
                    proptest::prop_assert!(wanted[i] == wanted[j] || (wanted[i] < wanted[j]) == (y[i] < y[j]));
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_made_to_fit() {
        assert_eq!(fit("short", 11.0, 100.0), "short");
        let shown = fit("a_very_long_class_name_indeed", 11.0, 80.0);
        assert!(width(&shown, 11.0) <= 80.0 && shown.contains('\u{2026}'), "{shown}");
        assert_eq!(fit("abc", 11.0, 0.0), "abc");
    }
}
