//! Who comes next in a pursuit: the largest correlations of `K_i - sum_s c_s K_s`, without keeping them.
//!
//! The Gram rows of the chosen atoms were read when they entered and still lie in the second-level cache: a step costs
//! one new row from memory and writes nothing. Columns are handled in chunks of the first-level cache; what is kept is
//! one maximum per chunk, and only chunks that hold a candidate are formed again.

use subspect_linalg::{Matrix, vectorize};

use crate::target::Target;

/// Columns of a chunk.
const CHUNK: usize = 512;

/// The correlations of one target's residual, held implicitly.
pub(crate) struct PursuitScan<'s> {
    start: &'s [f32],
    rows: Vec<&'s [f32]>,
    weights: Vec<f32>,
    excluded: Option<usize>,
    maxima: Vec<f32>,
}

impl<'s> PursuitScan<'s> {
    /// `start` holds the target's correlations with all atoms.
    pub(crate) fn new(target: &Target<'_, '_, '_>, start: &'s [f32]) -> Self {
        let (rows, weights, maxima) = (Vec::new(), Vec::new(), vec![0.0; start.len().div_ceil(CHUNK)]);
        Self { start, rows, weights, excluded: target.excluded(), maxima }
    }

    /// The residual of these coefficients; atoms only ever join. Returns the largest absolute correlation of an atom
    /// that is not excluded. Chosen atoms count with what rounding leaves of them.
    pub(crate) fn largest(&mut self, gram: &'s Matrix<f32>, atoms: &[u32], weights: &[f64]) -> f32 {
        self.rows.extend(atoms[self.rows.len()..].iter().map(|&j| gram.row(j as usize)));
        self.weights.clear();
        self.weights.extend(weights.iter().map(|&w| w as f32));
        let excluded = self.excluded.unwrap_or(usize::MAX);
        chunk_maxima(self.start, &self.rows, &self.weights, excluded, &mut self.maxima);
        self.maxima.iter().fold(0.0, |m, &v| m.max(v))
    }

    /// Atoms with an absolute correlation of at least `threshold`, ascending, after [`PursuitScan::largest`].
    pub(crate) fn candidates(&self, threshold: f32, mut f: impl FnMut(usize)) {
        let mut values = [0.0_f32; CHUNK];
        for (chunk, _) in self.maxima.iter().enumerate().filter(|(_, m)| **m >= threshold) {
            let at = chunk * CHUNK;
            let length = CHUNK.min(self.start.len() - at);
            one_chunk(self.start, &self.rows, &self.weights, at, &mut values[..length]);
            for (k, v) in values[..length].iter().enumerate() {
                if v.abs() >= threshold && self.excluded != Some(at + k) {
                    f(at + k);
                }
            }
        }
    }
}

/// `out = (K_i - sum_s c_s K_s)` from column `at`, four atoms at a time.
#[inline(always)]
fn residual(start: &[f32], rows: &[&[f32]], weights: &[f32], at: usize, out: &mut [f32]) {
    let n = out.len();
    out.copy_from_slice(&start[at..at + n]);
    let part = |s: usize| &rows[s][at..at + n];
    let mut s = 0;
    while s + 4 <= rows.len() {
        let (a, b, c, d) = (part(s), part(s + 1), part(s + 2), part(s + 3));
        let w = &weights[s..s + 4];
        for k in 0..n {
            let first = w[0].mul_add(a[k], w[1] * b[k]);
            let second = w[2].mul_add(c[k], w[3] * d[k]);
            out[k] -= first + second;
        }
        s += 4;
    }
    if s + 2 <= rows.len() {
        let (a, b) = (part(s), part(s + 1));
        for k in 0..n {
            out[k] -= weights[s].mul_add(a[k], weights[s + 1] * b[k]);
        }
        s += 2;
    }
    if s < rows.len() {
        for (o, &a) in out.iter_mut().zip(part(s)) {
            *o = (-weights[s]).mul_add(a, *o);
        }
    }
}

#[inline(always)]
fn largest(values: &[f32]) -> f32 {
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

vectorize! {
    fn one_chunk(start: &[f32], rows: &[&[f32]], weights: &[f32], at: usize, out: &mut [f32]) {
        residual(start, rows, weights, at, out);
    }

    fn chunk_maxima(start: &[f32], rows: &[&[f32]], weights: &[f32], excluded: usize, maxima: &mut [f32]) {
        let mut values = [0.0_f32; CHUNK];
        for (chunk, most) in maxima.iter_mut().enumerate() {
            let at = chunk * CHUNK;
            let values = &mut values[..CHUNK.min(start.len() - at)];
            residual(start, rows, weights, at, values);
            if let Some(own) = excluded.checked_sub(at).and_then(|k| values.get_mut(k)) {
                *own = 0.0;
            }
            *most = largest(values);
        }
    }
}
