//! The scan: correlations of all atoms with the residuals of a panel of rows, in float32.
//!
//! `out_n = x̂_n · (x̂_i - X̂ᵀ c)` for every atom `n`. With the Gram matrix at hand this is `K_i - sum_s c_s K_s`,
//! a few streams of length N; without it the residuals are formed (D-dimensional) and a whole panel is one product
//! with all atoms.

use subspect_linalg::{Dictionary, MatRef, vectorize};

use crate::target::Target;

/// Columns handled at a time, so that the output stays in the first-level cache.
const BLOCK: usize = 2048;

/// A row and its present coefficients.
pub(crate) struct Query<'q, 'd, 'a, 't> {
    pub(crate) target: &'q Target<'d, 'a, 't>,
    pub(crate) atoms: &'q [u32],
    pub(crate) weights: &'q [f64],
}

/// Fills `out` (`queries.len() x N`).
pub(crate) fn scan(dictionary: &Dictionary<'_>, queries: &[Query<'_, '_, '_, '_>], out: &mut Vec<f32>) {
    let n = dictionary.n_atoms();
    out.resize(queries.len() * n, 0.0);
    if let Some(gram) = dictionary.gram() {
        for (query, out) in queries.iter().zip(out.chunks_exact_mut(n.max(1))) {
            let weights: Vec<f32> = query.weights.iter().map(|&w| w as f32).collect();
            out.copy_from_slice(query.target.start());
            subtract_rows(gram.as_ref(), query.atoms, &weights, out);
        }
        return;
    }
    let d = dictionary.n_features();
    let mut residuals = vec![0.0_f32; queries.len() * d];
    let mut exact = vec![0.0_f64; d];
    for (query, residual) in queries.iter().zip(residuals.chunks_exact_mut(d.max(1))) {
        exact.fill(0.0);
        query.target.add_scaled(1.0, &mut exact);
        for (&j, &w) in query.atoms.iter().zip(query.weights) {
            dictionary.add_scaled_atom(j as usize, -w, &mut exact);
        }
        for (r, &e) in residual.iter_mut().zip(&exact) {
            *r = e as f32;
        }
    }
    if let Ok(residuals) = MatRef::new(&residuals, queries.len(), d) {
        dictionary.correlate_panel(residuals, out);
    }
}

vectorize! {
    /// `out -= sum_s weights_s K_{atoms_s}`, four atoms at a time.
    fn subtract_rows(gram: MatRef<'_, f32>, atoms: &[u32], weights: &[f32], out: &mut [f32]) {
        let n = out.len();
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            let out = &mut out[start..end];
            let part = |s: usize| &gram.row(atoms[s] as usize)[start..end];
            let mut s = 0;
            while s + 4 <= atoms.len() {
                let (a, b, c, d) = (part(s), part(s + 1), part(s + 2), part(s + 3));
                let w = &weights[s..s + 4];
                for k in 0..out.len() {
                    let first = w[0].mul_add(a[k], w[1] * b[k]);
                    let second = w[2].mul_add(c[k], w[3] * d[k]);
                    out[k] -= first + second;
                }
                s += 4;
            }
            for s in s..atoms.len() {
                for (o, &k) in out.iter_mut().zip(part(s)) {
                    *o = (-weights[s]).mul_add(k, *o);
                }
            }
        }
    }
}

/// A bound on the error of [`scan`]: products of `D` terms, sums of `|S|` terms, for rows and atoms of at most
/// `norm` length and coefficients of absolute sum `l1`.
pub(crate) fn scan_error(target: &Target<'_, '_, '_>, norm: f64, n_terms: usize, l1: f64) -> f64 {
    let sums = (n_terms as f64 + 4.0) * f64::from(f32::EPSILON);
    (target.product_error() + sums) * norm * norm * (1.0 + l1)
}

vectorize! {
    /// Largest absolute value, vectorised.
    pub(crate) fn max_abs(values: &[f32]) -> f32 {
        const LANES: usize = 64;
        let mut best = [0.0_f32; LANES];
        let chunks = values.chunks_exact(LANES);
        let tail = chunks.remainder().iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for chunk in chunks {
            for (b, v) in best.iter_mut().zip(chunk) {
                *b = b.max(v.abs());
            }
        }
        best.iter().fold(tail, |m, &v| m.max(v))
    }

    /// Whether any `|value| >= threshold`.
    fn any_above(values: &[f32], threshold: f32) -> bool {
        let mut any = false;
        for v in values {
            any |= v.abs() >= threshold;
        }
        any
    }
}

/// Calls `f(index, value)` for every value with `|value| >= threshold`, skipping whole chunks without one.
pub(crate) fn for_each_above(values: &[f32], threshold: f32, mut f: impl FnMut(usize, f32)) {
    const CHUNK: usize = 256;
    for (c, chunk) in values.chunks(CHUNK).enumerate() {
        if any_above(chunk, threshold) {
            for (k, &v) in chunk.iter().enumerate() {
                if v.abs() >= threshold {
                    f(c * CHUNK + k, v);
                }
            }
        }
    }
}

/// The `n` other atoms with the largest correlation, absolute unless coefficients must be positive, ascending by index.
pub(crate) fn nearest(
    target: &Target<'_, '_, '_>,
    correlations: &[f32],
    positive: bool,
    n: usize,
) -> Vec<u32> {
    let closeness = |j: u32| {
        let c = correlations[j as usize];
        if positive { c } else { c.abs() }
    };
    let mut atoms: Vec<u32> =
        (0..correlations.len() as u32).filter(|&j| target.excluded() != Some(j as usize)).collect();
    if atoms.len() > n {
        atoms.select_nth_unstable_by(n, |&a, &b| closeness(b).total_cmp(&closeness(a)).then(a.cmp(&b)));
        atoms.truncate(n);
        atoms.sort_unstable();
    }
    atoms
}

/// The `limit` atoms with the largest absolute correlation above `threshold`, ascending by index.
pub(crate) fn strongest(correlations: &[f32], threshold: f32, limit: usize) -> Vec<u32> {
    let mut found: Vec<(f32, u32)> = Vec::new();
    let above = threshold.max(0.0).next_up();
    for_each_above(correlations, above, |j, v| found.push((v.abs(), j as u32)));
    if found.len() > limit {
        found.select_nth_unstable_by(limit - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(limit);
    }
    let mut atoms: Vec<u32> = found.into_iter().map(|f| f.1).collect();
    atoms.sort_unstable();
    atoms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Targets;
    use subspect_linalg::{Matrix, MemoryMode, RowScale};

    #[test]
    fn both_memory_modes_scan_alike_and_within_the_bound() {
        let x = Matrix::from_fn(90, 7, |i, j| ((i * 13 + j * 5) as f32 * 0.61).sin());
        let atoms = [3, 40, 41, 42, 7, 80];
        let weights = [0.5, -0.25, 0.1, 0.3, -0.7, 0.2];
        let mut outs = Vec::new();
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let d = Dictionary::new(x.as_ref(), RowScale::Unit, mode).unwrap();
            let mut out = Vec::new();
            let target = &Targets::Atoms.panel(&d, 11..12, &mut Vec::new())[0];
            scan(&d, &[Query { target, atoms: &atoms, weights: &weights }], &mut out);
            let bound = scan_error(target, 1.0, 6, 2.05);
            let mut r = vec![0.0; 7];
            d.add_scaled_atom(11, 1.0, &mut r);
            for (a, w) in atoms.iter().zip(&weights) {
                d.add_scaled_atom(*a as usize, -w, &mut r);
            }
            for n in 0..90 {
                assert!((d.atom_dot(n, &r) - f64::from(out[n])).abs() <= bound);
            }
            outs.push(out);
        }
        assert!(outs[0].iter().zip(&outs[1]).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn searching_finds_what_a_plain_loop_finds() {
        let v: Vec<f32> = (0..1000).map(|i| (i as f32 * 1.7).sin()).collect();
        let max = max_abs(&v);
        assert_eq!(max, v.iter().fold(0.0, |m: f32, x| m.max(x.abs())));
        let mut found = Vec::new();
        for_each_above(&v, 0.999, |i, _| found.push(i));
        let want: Vec<usize> = (0..1000).filter(|&i| v[i].abs() >= 0.999).collect();
        assert_eq!(found, want);
    }
}
