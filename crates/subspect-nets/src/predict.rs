//! The network's own choice: `argmax_c z_c` of the class scores z, and its softmax probability
//! `exp(z_k - max z) / sum_c exp(z_c - max z)`, in float64.

/// Choice and confidence of one row of scores; the lowest class wins a tie.
pub(crate) fn predict(scores: &[f32]) -> (u32, f32) {
    let best = (1..scores.len()).fold(0, |best, c| if scores[c] > scores[best] { c } else { best });
    let top = scores.get(best).copied().map_or(0.0, f64::from);
    let sum: f64 = scores.iter().map(|&z| (f64::from(z) - top).exp()).sum();
    (best as u32, (1.0 / sum) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice_ties_and_confidence() {
        assert_eq!(predict(&[1.0, 3.0, 3.0]).0, 1);
        let (class, p) = predict(&[0.0, 3.0_f32.ln()]);
        assert_eq!((class, (p - 0.75).abs() < 1e-6), (1, true));
        assert_eq!(predict(&[1e30, -1e30]), (0, 1.0));
        assert_eq!(predict(&[5.0]), (0, 1.0));
    }
}
