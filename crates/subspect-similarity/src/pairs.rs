//! All wanted pairs of layers, with what each layer is compared by made once and kept within a budget.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use subspect_linalg::{Measured, Status};

use crate::{Monitor, Parameters, SimilarityError};

/// Layers prepared, or pairs compared, between two looks at the monitor: fixed, so that progress and memory do not
/// depend on the number of threads.
const LAYERS: usize = 4;
const PAIRS: usize = 64;

/// What to compare, and with what.
pub(crate) struct Task<'a> {
    pub(crate) parameters: &'a Parameters,
    /// All pairs; otherwise the first `n_rows` layers with the others.
    pub(crate) square: bool,
    pub(crate) n_rows: usize,
    pub(crate) budget_bytes: usize,
    pub(crate) monitor: &'a dyn Monitor,
}

impl Task<'_> {
    /// Whether the pair is wanted.
    pub(crate) fn wants(&self, i: usize, j: usize) -> bool {
        self.square || (i < self.n_rows && j >= self.n_rows)
    }
}

/// Values of pairs, `L x L`; `None` where a pair was not wanted.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    n: usize,
    cells: Vec<Option<Measured>>,
}

impl Grid {
    pub(crate) fn empty(n: usize) -> Self {
        Self { n, cells: vec![None; n * n] }
    }

    /// Every wanted pair from `f`.
    pub(crate) fn from_fn(n: usize, task: &Task<'_>, f: impl Fn(usize, usize) -> Measured) -> Self {
        let mut grid = Self::empty(n);
        for i in 0..n {
            for j in (0..n).filter(|&j| task.wants(i, j)) {
                grid.cells[i * n + j] = Some(f(i, j));
            }
        }
        grid
    }

    pub(crate) fn get(&self, i: usize, j: usize) -> Option<Measured> {
        self.cells[i * self.n + j]
    }

    fn set(&mut self, i: usize, j: usize, value: Measured) {
        self.cells[i * self.n + j] = Some(value);
    }
}

/// How a measure prepares a layer and compares two prepared layers.
pub(crate) struct Pairwise<'a, P> {
    /// Number of layers.
    pub(crate) n_layers: usize,
    /// Whether the value of (i, j) is that of (j, i).
    pub(crate) symmetric: bool,
    /// Bytes that preparing and keeping layer `l` takes.
    pub(crate) bytes: &'a (dyn Fn(usize) -> usize + Sync),
    /// What layer `l` is compared by, or why it cannot be compared.
    pub(crate) prepare: &'a (dyn Fn(usize) -> Result<P, Status> + Sync),
    /// The value of two layers.
    pub(crate) compare: &'a (dyn Fn(&P, &P) -> Measured + Sync),
}

impl<P: Send + Sync> Pairwise<'_, P> {
    /// The wanted pairs, in groups of layers that fit into the budget.
    pub(crate) fn run(&self, task: &Task<'_>) -> Result<Grid, SimilarityError> {
        let groups = self.groups(task.budget_bytes)?;
        let work = groups.len() * (groups.len() + 1) / 2;
        let mut grid = Grid::empty(self.n_layers);
        let progress = Progress { task, done: AtomicUsize::new(0), work: work * (self.n_layers + 1) };
        for (g, &own) in groups.iter().enumerate() {
            let ours = self.prepared(own, &progress)?;
            self.fill(&mut grid, (own, &ours), (own, &ours), &progress)?;
            for &other in &groups[g + 1..] {
                let theirs = self.prepared(other, &progress)?;
                self.fill(&mut grid, (own, &ours), (other, &theirs), &progress)?;
            }
        }
        task.monitor.progress(1.0);
        Ok(grid)
    }

    /// Ranges of layers: one when all fit, else so that any two of them fit together.
    fn groups(&self, budget: usize) -> Result<Vec<(usize, usize)>, SimilarityError> {
        let largest = (0..self.n_layers).map(|l| (self.bytes)(l)).max().unwrap_or(0).max(1);
        let all = largest.saturating_mul(self.n_layers);
        let size = if all <= budget { self.n_layers.max(1) } else { budget / largest / 2 };
        if size == 0 {
            let (needed, n_layers) = (largest.saturating_mul(2), 2);
            return Err(SimilarityError::Budget { needed, found: budget, n_layers });
        }
        let starts = (0..self.n_layers).step_by(size);
        Ok(starts.map(|s| (s, (s + size).min(self.n_layers))).collect())
    }

    fn prepared(
        &self,
        (start, end): (usize, usize),
        progress: &Progress<'_>,
    ) -> Result<Vec<Result<P, Status>>, SimilarityError> {
        let mut out = Vec::with_capacity(end - start);
        for at in (start..end).step_by(LAYERS) {
            let until = (at + LAYERS).min(end);
            out.par_extend((at..until).into_par_iter().map(|l| (self.prepare)(l)));
            progress.advance(until - at)?;
        }
        Ok(out)
    }

    fn fill(
        &self,
        grid: &mut Grid,
        (rows, ours): ((usize, usize), &[Result<P, Status>]),
        (cols, theirs): ((usize, usize), &[Result<P, Status>]),
        progress: &Progress<'_>,
    ) -> Result<(), SimilarityError> {
        let task = progress.task;
        let pairs: Vec<(usize, usize)> = (rows.0..rows.1)
            .flat_map(|i| (cols.0..cols.1).map(move |j| (i, j)))
            .filter(|&(i, j)| i <= j && (task.wants(i, j) || task.wants(j, i)))
            .collect();
        let value = |a: &Result<P, Status>, b: &Result<P, Status>| match (a, b) {
            (Ok(a), Ok(b)) => (self.compare)(a, b),
            (Err(status), _) | (_, Err(status)) => (*status).into(),
        };
        for some in pairs.chunks(PAIRS) {
            let found: Vec<(Measured, Measured)> = some
                .par_iter()
                .map(|&(i, j)| {
                    let (a, b) = (&ours[i - rows.0], &theirs[j - cols.0]);
                    let forth = value(a, b);
                    let back_wanted = !self.symmetric && i != j && task.wants(j, i);
                    (forth, if back_wanted { value(b, a) } else { forth })
                })
                .collect();
            for (&(i, j), (forth, back)) in some.iter().zip(found) {
                grid.set(i, j, forth);
                grid.set(j, i, back);
            }
            progress.advance(0)?;
        }
        progress.advance(1)
    }
}

struct Progress<'a> {
    task: &'a Task<'a>,
    done: AtomicUsize,
    work: usize,
}

impl Progress<'_> {
    /// Reports `steps` more; fractions stay below 1 until the end.
    fn advance(&self, steps: usize) -> Result<(), SimilarityError> {
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        self.task.monitor.progress(done as f64 / self.work as f64);
        if self.task.monitor.is_cancelled() { Err(SimilarityError::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Silent, measure};

    fn run(budget: usize, square: bool, symmetric: bool) -> Result<Grid, SimilarityError> {
        let parameters = Parameters::defaults(measure("linear_cka").unwrap());
        let task =
            Task { parameters: &parameters, square, n_rows: 2, budget_bytes: budget, monitor: &Silent };
        let prepare = |l: usize| if l == 3 { Err(Status::ZeroVariance) } else { Ok(l as f64) };
        Pairwise {
            n_layers: 5,
            symmetric,
            bytes: &|_| 10,
            prepare: &prepare,
            compare: &|a, b| Measured::Value(10.0 * a + b),
        }
        .run(&task)
    }

    #[test]
    fn any_budget_gives_the_same_pairs() {
        for square in [true, false] {
            let whole = run(1000, square, false).unwrap();
            for budget in [20, 30, 40, 50] {
                assert_eq!(run(budget, square, false).unwrap().cells, whole.cells, "{budget}");
            }
            assert_eq!(whole.get(1, 2), Some(Measured::Value(12.0)));
            assert_eq!(whole.get(1, 3), Some(Status::ZeroVariance.into()));
            if square {
                assert_eq!(whole.get(4, 2), Some(Measured::Value(42.0)));
                assert!(whole.cells.iter().all(Option::is_some));
            }
        }
        assert_eq!(run(50, true, true).unwrap().get(4, 2), Some(Measured::Value(24.0)));
        assert!(matches!(run(19, true, true), Err(SimilarityError::Budget { needed: 20, .. })));
    }
}
