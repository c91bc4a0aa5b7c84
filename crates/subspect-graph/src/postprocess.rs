//! From coefficients to an affinity graph: what is done to `|C|` before it is made symmetric.
//!
//! Every variant ends in `A = W + Wᵀ`, with `W` made from `|C|` row by row: as it is, divided by the row's largest
//! entry (so that every input has the same say whatever its coefficients' scale; usual before the spectral
//! clustering of SSC and EnSC), or with only the row's strongest entries kept.

use std::collections::BTreeMap;

use subspect_linalg::{Csr, CsrBuilder};

use crate::measures::ParameterInfo;
use crate::{AffinityGraph, GraphError};

/// Every variant, in the order in which they are listed to people.
pub static POSTPROCESSES: &[&PostprocessInfo] = &[&NONE, &ROW_NORMALIZED, &STRONGEST];

static NONE: PostprocessInfo = PostprocessInfo {
    name: "none",
    summary: "|C| + |C|^T, coefficients as they are",
    reference: "Elhamifar & Vidal, TPAMI 35 (2013), section 2.3",
    parameters: &[],
};

static ROW_NORMALIZED: PostprocessInfo = PostprocessInfo {
    name: "row_normalized",
    summary: "every row of |C| divided by its largest entry, then made symmetric",
    reference: "Elhamifar & Vidal, TPAMI 35 (2013), section 2.3; You, Li, Robinson & Vidal, CVPR 2016",
    parameters: &[],
};

static STRONGEST: PostprocessInfo = PostprocessInfo {
    name: "strongest",
    summary: "the strongest entries of every row of |C|, then made symmetric",
    reference: "hard thresholding of coefficients: Peng, Yu, Yi & Tang, IEEE Trans. Cybernetics 47 (2017)",
    parameters: &[N_STRONGEST],
};

/// How many entries of a row [`Postprocess::Strongest`] keeps.
const N_STRONGEST: ParameterInfo = ParameterInfo {
    name: "n_strongest",
    default: 10.0,
    range: "1 and up",
    summary: "entries kept in every row, those of lower index among equals",
};

/// One variant: what it is called, what it does, where it comes from.
#[derive(Debug)]
pub struct PostprocessInfo {
    /// Name in every interface.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Where it was used first, or best described.
    pub reference: &'static str,
    /// Parameters with their defaults.
    pub parameters: &'static [ParameterInfo],
}

/// What is done to `|C|` before it is made symmetric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Postprocess {
    /// Nothing.
    #[default]
    None,
    /// Rows divided by their largest entry.
    RowNormalized,
    /// Only the `n_strongest` largest entries of every row.
    Strongest {
        /// Entries kept in every row.
        n_strongest: usize,
    },
}

impl Postprocess {
    /// The variant called `name`, with the given parameters and the defaults of the others.
    ///
    /// # Errors
    /// [`GraphError::Name`] for a name that is not in [`POSTPROCESSES`]; [`GraphError::Parameter`] for a parameter
    /// that the variant has not, or that is out of its range.
    pub fn from_parameters(name: &str, parameters: &BTreeMap<String, f64>) -> Result<Self, GraphError> {
        let Some(info) = POSTPROCESSES.iter().find(|p| p.name == name) else {
            let known: Vec<&str> = POSTPROCESSES.iter().map(|p| p.name).collect();
            return Err(GraphError::Name {
                what: "postprocess",
                found: name.to_owned(),
                known: known.join(", "),
            });
        };
        let refuse = |parameter: &str, expected: &str, found: String| {
            Err(GraphError::Parameter {
                parameter: parameter.to_owned(),
                expected: expected.to_owned(),
                found,
            })
        };
        if let Some((key, value)) =
            parameters.iter().find(|(k, _)| info.parameters.iter().all(|p| p.name != **k))
        {
            return refuse(
                key,
                &format!("only beside a postprocess that has it, not \"{name}\""),
                value.to_string(),
            );
        }
        match name {
            "row_normalized" => Ok(Postprocess::RowNormalized),
            "strongest" => {
                let value = parameters.get(N_STRONGEST.name).copied().unwrap_or(N_STRONGEST.default);
                if value.fract() != 0.0 || !(1.0..=f64::from(u32::MAX)).contains(&value) {
                    return refuse(N_STRONGEST.name, "a whole number from 1 on", value.to_string());
                }
                Ok(Postprocess::Strongest { n_strongest: value as usize })
            }
            _ => Ok(Postprocess::None),
        }
    }

    /// The name in [`POSTPROCESSES`].
    pub fn name(&self) -> &'static str {
        match self {
            Postprocess::None => NONE.name,
            Postprocess::RowNormalized => ROW_NORMALIZED.name,
            Postprocess::Strongest { .. } => STRONGEST.name,
        }
    }

    /// Every parameter with its effective value.
    pub fn parameters(&self) -> BTreeMap<String, f64> {
        match self {
            Postprocess::Strongest { n_strongest } => {
                BTreeMap::from([(N_STRONGEST.name.to_owned(), *n_strongest as f64)])
            }
            _ => BTreeMap::new(),
        }
    }

    /// The affinity graph of `coefficients` (row i expresses input i), `O(nnz)` but for a sort of each row.
    ///
    /// # Errors
    /// As [`AffinityGraph::from_coefficients`].
    pub fn affinity(&self, coefficients: &Csr) -> Result<AffinityGraph, GraphError> {
        match *self {
            Postprocess::None => AffinityGraph::from_coefficients(coefficients),
            Postprocess::RowNormalized => AffinityGraph::from_coefficients(&by_rows(coefficients, |row| {
                let largest = row.iter().fold(0.0_f32, |m, e| m.max(e.1.abs()));
                // In float64, because the inverse of a subnormal number overflows float32.
                row.iter_mut().for_each(|e| e.1 = (f64::from(e.1.abs()) / f64::from(largest)) as f32);
            })),
            Postprocess::Strongest { n_strongest } => {
                AffinityGraph::from_coefficients(&by_rows(coefficients, |row| {
                    // Columns ascend, so a stable sort leaves the lower index first among equals.
                    row.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
                    row.truncate(n_strongest);
                }))
            }
        }
    }
}

fn by_rows(coefficients: &Csr, change: impl Fn(&mut Vec<(u32, f32)>)) -> Csr {
    let mut builder = CsrBuilder::new(coefficients.n_cols());
    let mut row = Vec::new();
    for i in 0..coefficients.n_rows() {
        let (cols, values) = coefficients.row(i);
        row.clear();
        row.extend(cols.iter().copied().zip(values.iter().copied()));
        change(&mut row);
        builder.push_row(&mut row);
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coefficients() -> Csr {
        let mut b = CsrBuilder::new(4);
        b.push_row(&mut [(1, -0.5), (2, 0.25), (3, 0.25)]);
        b.push_row(&mut [(0, 1e-40)]);
        b.push_row(&mut []);
        b.push_row(&mut [(0, 4.0), (2, -1.0)]);
        b.finish()
    }

    #[test]
    fn rows_have_the_same_largest_entry_afterwards() {
        let g = Postprocess::RowNormalized.affinity(&coefficients()).unwrap();
        assert_eq!(g.adjacency().get(0, 1), 2.0);
        assert_eq!(g.adjacency().get(0, 3), 1.5);
        assert_eq!(g.adjacency().get(3, 2), 0.25);
    }

    #[test]
    fn the_strongest_are_kept_by_size_then_by_index() {
        let g = Postprocess::Strongest { n_strongest: 2 }.affinity(&coefficients()).unwrap();
        assert_eq!((g.adjacency().get(0, 2), g.adjacency().get(0, 3)), (0.25, 4.0));
        let all = Postprocess::Strongest { n_strongest: 9 }.affinity(&coefficients()).unwrap();
        assert_eq!(all, Postprocess::None.affinity(&coefficients()).unwrap());
    }

    #[test]
    fn names_and_parameters_go_back_and_forth() {
        for info in POSTPROCESSES {
            let made = Postprocess::from_parameters(info.name, &BTreeMap::new()).unwrap();
            assert_eq!(made.name(), info.name);
            let defaults: BTreeMap<String, f64> =
                info.parameters.iter().map(|p| (p.name.to_owned(), p.default)).collect();
            assert_eq!(made.parameters(), defaults);
            assert_eq!(Postprocess::from_parameters(info.name, &defaults).unwrap(), made);
        }
        let error = |name: &str, value: f64| {
            let given = BTreeMap::from([("n_strongest".to_owned(), value)]);
            Postprocess::from_parameters(name, &given).unwrap_err().to_string()
        };
        assert!(error("strongest", 0.5).contains("a whole number from 1 on, found 0.5"));
        assert!(error("none", 3.0).contains("not \"none\""));
        assert!(error("nonne", 3.0).contains("none, row_normalized, strongest"));
    }
}
