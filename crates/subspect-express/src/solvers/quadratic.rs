//! The rows of `Q = X̂_W X̂_Wᵀ` that a working set `W` needs: those of atoms that have had a coefficient.
//!
//! Most atoms of a working set never get one, so rows are read when they are first used, and lengthened when the
//! working set has grown: about half of `|W|²` entries, each of which may be a cache miss (Gram matrix at hand) or an
//! inner product of two atoms (panels).

use subspect_linalg::Dictionary;

/// Where Gram entries come from.
pub(crate) trait Entries {
    /// `Q_jp` for all `p` of `columns`.
    fn fill(&self, j: u32, columns: &[u32], out: &mut [f64]);

    /// `Q_jj`.
    fn diagonal(&self, j: u32) -> f64;

    /// Whether an entry costs more than moving one that is at hand.
    fn costly(&self) -> bool;
}

/// Gram entries of a dictionary.
#[derive(Clone, Copy)]
pub(crate) struct AtomEntries<'d, 'a> {
    pub(crate) dictionary: &'d Dictionary<'a>,
    /// In float64, also where that means going back to the activations.
    pub(crate) exact: bool,
}

impl Entries for AtomEntries<'_, '_> {
    fn fill(&self, j: u32, columns: &[u32], out: &mut [f64]) {
        if self.exact && self.dictionary.exact_gram().is_none() {
            for (o, &p) in out.iter_mut().zip(columns) {
                *o = self.dictionary.exact_gram_entry(j as usize, p as usize);
            }
        } else {
            self.dictionary.gram_entries(j as usize, columns, out);
        }
    }

    fn diagonal(&self, j: u32) -> f64 {
        self.dictionary.squared_norm(j as usize)
    }

    fn costly(&self) -> bool {
        self.dictionary.gram().is_none() || (self.exact && self.dictionary.exact_gram().is_none())
    }
}

/// No row yet.
const NONE: u32 = u32::MAX;

/// Rows of the quadratic form over a growing working set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quadratic {
    /// Rows that have been read, `stride` apart.
    values: Vec<f64>,
    stride: usize,
    /// For every atom of the working set: its row of `values`, or `NONE`.
    slot: Vec<u32>,
    /// For every row of `values`: how many columns have been read.
    filled: Vec<usize>,
    diagonal: Vec<f64>,
}

impl Quadratic {
    /// No atoms; memory is kept.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.slot.clear();
        self.filled.clear();
        self.diagonal.clear();
    }

    /// One more atom.
    pub(crate) fn push(&mut self, diagonal: f64) {
        self.slot.push(NONE);
        self.diagonal.push(diagonal);
    }

    pub(crate) fn diagonal(&self, k: usize) -> f64 {
        self.diagonal[k]
    }

    /// Row `k`, which [`Quadratic::ensure`] has read.
    pub(crate) fn row(&self, k: usize) -> &[f64] {
        debug_assert_eq!(self.filled[self.slot[k] as usize], self.slot.len());
        let start = self.slot[k] as usize * self.stride;
        &self.values[start..start + self.slot.len()]
    }

    /// Reads what is missing of row `k` over the working set `atoms`.
    pub(crate) fn ensure(&mut self, k: usize, atoms: &[u32], entries: &impl Entries) {
        let n = atoms.len();
        if self.slot[k] != NONE && self.filled[self.slot[k] as usize] == n {
            return;
        }
        self.reserve(n);
        if self.slot[k] == NONE {
            self.slot[k] = self.filled.len() as u32;
            self.filled.push(0);
            self.values.resize(self.filled.len() * self.stride, 0.0);
        }
        let slot = self.slot[k] as usize;
        let old = self.filled[slot];
        let start = slot * self.stride;
        if entries.costly() {
            self.mirror(k, old, atoms, entries);
        } else {
            entries.fill(atoms[k], &atoms[old..], &mut self.values[start + old..start + n]);
        }
        self.values[start + k] = self.diagonal[k];
        self.filled[slot] = n;
    }

    /// Columns `old..` of row `k`, copied where the other atom's row has the entry.
    fn mirror(&mut self, k: usize, old: usize, atoms: &[u32], entries: &impl Entries) {
        let start = self.slot[k] as usize * self.stride;
        let mut wanted = Vec::new();
        for p in old..atoms.len() {
            match self.slot[p] {
                s if s != NONE && p != k && self.filled[s as usize] > k => {
                    self.values[start + p] = self.values[s as usize * self.stride + k];
                }
                _ => wanted.push(p),
            }
        }
        let columns: Vec<u32> = wanted.iter().map(|&p| atoms[p]).collect();
        let mut found = vec![0.0; columns.len()];
        entries.fill(atoms[k], &columns, &mut found);
        for (p, v) in wanted.into_iter().zip(found) {
            self.values[start + p] = v;
        }
    }

    /// Keeps only the atoms at these ascending positions.
    pub(crate) fn keep(&mut self, kept: &[usize]) {
        let mut rows = 0;
        let mut filled = Vec::new();
        // Slots in ascending order, so that every row moves towards the front.
        let mut by_slot: Vec<(u32, usize)> = kept
            .iter()
            .enumerate()
            .filter(|(_, k)| self.slot[**k] != NONE)
            .map(|(new, &k)| (self.slot[k], new))
            .collect();
        by_slot.sort_unstable();
        let mut slot = vec![NONE; kept.len()];
        for (s, new) in by_slot {
            let (from, to) = (s as usize * self.stride, rows * self.stride);
            let columns = kept.iter().take_while(|&&k| k < self.filled[s as usize]);
            let mut n = 0;
            for &k in columns {
                self.values[to + n] = self.values[from + k];
                n += 1;
            }
            filled.push(n);
            slot[new] = rows as u32;
            rows += 1;
        }
        self.values.truncate(rows * self.stride);
        (self.slot, self.filled) = (slot, filled);
        self.diagonal = kept.iter().map(|&k| self.diagonal[k]).collect();
    }

    fn reserve(&mut self, wanted: usize) {
        if wanted <= self.stride {
            return;
        }
        // An odd number of cache lines, as in the factor.
        let stride = ((wanted + wanted / 8).div_ceil(8) | 1) * 8;
        let mut grown = vec![0.0; self.filled.len() * stride];
        for (row, &n) in self.filled.iter().enumerate() {
            grown[row * stride..row * stride + n]
                .copy_from_slice(&self.values[row * self.stride..row * self.stride + n]);
        }
        (self.values, self.stride) = (grown, stride);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Table {
        costly: bool,
        read: Cell<usize>,
    }

    fn value(i: u32, j: u32) -> f64 {
        f64::from(i.min(j)) + 100.0 * f64::from(i.max(j))
    }

    impl Entries for Table {
        fn fill(&self, j: u32, columns: &[u32], out: &mut [f64]) {
            self.read.set(self.read.get() + columns.len());
            out.iter_mut().zip(columns).for_each(|(o, &p)| *o = value(j, p));
        }
        fn diagonal(&self, j: u32) -> f64 {
            value(j, j)
        }
        fn costly(&self) -> bool {
            self.costly
        }
    }

    fn check(q: &mut Quadratic, atoms: &[u32], rows: &[usize], table: &Table) {
        for &k in rows {
            q.ensure(k, atoms, table);
            let want: Vec<f64> = atoms.iter().map(|&p| value(atoms[k], p)).collect();
            assert_eq!(q.row(k), want);
        }
    }

    #[test]
    fn rows_are_read_once_lengthened_and_survive_a_selection() {
        for costly in [false, true] {
            let table = Table { costly, read: Cell::new(0) };
            let mut q = Quadratic::default();
            let mut atoms = vec![4, 9, 2, 30, 31];
            atoms.iter().for_each(|&j| q.push(table.diagonal(j)));
            check(&mut q, &atoms, &[3, 1, 3], &table);
            assert_eq!(table.read.get(), if costly { 9 } else { 10 });
            for j in 40..60 {
                atoms.push(j);
                q.push(table.diagonal(j));
            }
            check(&mut q, &atoms, &[20, 3, 1], &table);
            let kept = [0, 1, 3, 20, 22];
            let left: Vec<u32> = kept.iter().map(|&k| atoms[k]).collect();
            q.keep(&kept);
            let before = table.read.get();
            check(&mut q, &left, &[1, 2, 3], &table);
            assert_eq!(table.read.get(), before);
            check(&mut q, &left, &[0, 4], &table);
        }
    }
}
