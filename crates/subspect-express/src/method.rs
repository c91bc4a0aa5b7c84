//! What a user can ask for: a problem together with the solver that answers it.
//!
//! Names and parameters follow scikit-learn. Our `alpha` is scikit-learn's `alpha` times the number of features
//! (its data term is divided by that); `alpha_ratio = 1 / gamma` of EnSC (You et al. 2016); `tau = 1 / alpha` of
//! the ADMM formulations; SPAMS's `lambda1` is our `alpha * l1_ratio`, its `lambda2` our `alpha * (1 - l1_ratio)`.

use std::collections::BTreeMap;

use crate::ExpressError;
use crate::solvers::METHODS;

/// The weight of the penalty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Alpha {
    /// `alpha_i = ratio * alpha_max_i`, where `alpha_max_i = max_{j != i} |x̂_i · x̂_j| / l1_ratio` is the smallest
    /// alpha at which row `i` is all zero. The default (0.1): layers of different width and scale compare.
    Ratio(f64),
    /// The same alpha for every row.
    Absolute(f64),
}

/// A self-expression problem and the solver that answers it. Sources and parameters: [`METHODS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// `1/2 ||x - Xᵀ c||² + alpha ||c||_1`, exact.
    Lasso {
        /// Weight of the penalty.
        alpha: Alpha,
        /// Whether `c >= 0`.
        positive: bool,
        /// Whether `sum_j c_j = 1`.
        affine: bool,
    },
    /// `1/2 ||x - Xᵀ c||² + alpha (l1_ratio ||c||_1 + (1 - l1_ratio)/2 ||c||²)`, exact.
    ElasticNet {
        /// Weight of the penalty.
        alpha: Alpha,
        /// Share of the l1 part, in (0, 1].
        l1_ratio: f64,
        /// Whether `c >= 0`.
        positive: bool,
        /// Whether `sum_j c_j = 1`.
        affine: bool,
    },
    /// `||x - Xᵀ c||²` with at most `n_nonzero_coefs` atoms, greedy.
    Omp {
        /// Most atoms per row.
        n_nonzero_coefs: usize,
        /// Stop once `||r||² <= tol ||x||²`.
        tol: f64,
        /// Whether `c >= 0`.
        positive: bool,
    },
    /// `||X - C X||² + alpha ||C||²`, zero diagonal, closed form, dense.
    Ridge {
        /// Weight of the penalty, absolute.
        alpha: f64,
        /// Whether `sum_j c_j = 1`.
        affine: bool,
    },
    /// `||C||_* + tau/2 ||X - C X||²`, closed form, dense, returned without its diagonal.
    Lrsc {
        /// Weight of the data term.
        tau: f64,
    },
    /// The `n_neighbors` largest cosines.
    Knn {
        /// Neighbours per row.
        n_neighbors: usize,
    },
    /// The lasso by ADMM: exact, slow, an independent check.
    Admm {
        /// Weight of the penalty.
        alpha: Alpha,
        /// Whether `sum_j c_j = 1`.
        affine: bool,
    },
    /// The published ADMM of Saini et al. 2021, exactly as it behaves.
    Saini2021 {
        /// Weight of the data term.
        tau: f64,
        /// First penalty parameter.
        mu: f64,
        /// The published code's iteration argument.
        max_iter: usize,
        /// The published code's error threshold.
        tol: f64,
    },
}

/// One entry of the list of methods.
#[derive(Debug)]
pub struct MethodInfo {
    /// Name in the command line, in Python and in records.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Where the method comes from.
    pub reference: &'static str,
    /// Whether rows carry a duality gap.
    pub certified: bool,
    /// Whether nearly every coefficient differs from zero: `N²` entries, and `O(N²)` memory on the way.
    pub dense: bool,
    /// Parameters with defaults and ranges.
    pub parameters: &'static [ParameterInfo],
}

/// One parameter of a method.
#[derive(Debug)]
pub struct ParameterInfo {
    /// Name, scikit-learn style.
    pub name: &'static str,
    /// Value when not given; `None` for one that replaces another.
    pub default: Option<f64>,
    /// Smallest admissible value.
    pub min: f64,
    /// Largest admissible value.
    pub max: f64,
    /// Whether `min` itself is excluded.
    pub open_min: bool,
    /// Whether only whole numbers are admissible.
    pub integer: bool,
    /// One line.
    pub summary: &'static str,
}

impl ParameterInfo {
    /// The range in words: `a number in (0, 1]`, `a whole number of at least 1`.
    pub fn range(&self) -> String {
        if self.is_switch() {
            return "true or false".to_owned();
        }
        let noun = if self.integer { "a whole number" } else { "a number" };
        match (self.max.is_finite(), self.open_min) {
            (true, open) => {
                format!("{noun} in {}{}, {}]", if open { "(" } else { "[" }, self.min, self.max)
            }
            (false, true) => format!("{noun} above {}", self.min),
            (false, false) => format!("{noun} of at least {}", self.min),
        }
    }

    /// Whether the parameter is a yes or no, which numbers hold as 1 or 0.
    pub fn is_switch(&self) -> bool {
        self.integer && (self.min, self.max) == (0.0, 1.0)
    }

    /// A value as a person writes it: `true` for the 1 of a switch.
    pub fn show(&self, value: f64) -> String {
        if self.is_switch() { (value != 0.0).to_string() } else { value.to_string() }
    }

    fn admits(&self, value: f64) -> bool {
        value.is_finite()
            && (value > self.min || (!self.open_min && value == self.min))
            && value <= self.max
            && (!self.integer || value.fract() == 0.0)
    }
}

impl Method {
    /// The method's name in [`METHODS`].
    pub fn name(&self) -> &'static str {
        match self {
            Method::Lasso { .. } => "lasso",
            Method::ElasticNet { .. } => "elastic_net",
            Method::Omp { .. } => "omp",
            Method::Ridge { .. } => "ridge",
            Method::Lrsc { .. } => "lrsc",
            Method::Knn { .. } => "knn",
            Method::Admm { .. } => "admm",
            Method::Saini2021 { .. } => "saini2021",
        }
    }

    /// The method's entry in [`METHODS`].
    pub fn info(&self) -> &'static MethodInfo {
        find(self.name()).unwrap_or(METHODS[0])
    }

    /// A method from its name and parameters by name; missing ones take their defaults.
    ///
    /// # Errors
    /// An unknown name or parameter, a value out of range, or both `alpha` and `alpha_ratio`.
    pub fn from_parameters(name: &str, params: &BTreeMap<String, f64>) -> Result<Method, ExpressError> {
        let info = find(name).ok_or_else(|| ExpressError::UnknownMethod {
            name: name.to_owned(),
            known: METHODS.iter().map(|m| m.name).collect::<Vec<_>>().join(", "),
        })?;
        for (key, &value) in params {
            check(info, key, value)?;
        }
        let get = |key: &str| {
            let default = info.parameters.iter().find(|p| p.name == key).and_then(|p| p.default);
            params.get(key).copied().or(default).unwrap_or(0.0)
        };
        let alpha = match (params.get("alpha"), params.get("alpha_ratio")) {
            (Some(_), Some(_)) => return Err(ExpressError::BothAlphas),
            (Some(&alpha), None) => Alpha::Absolute(alpha),
            (None, _) => Alpha::Ratio(get("alpha_ratio")),
        };
        let (positive, affine) = (get("positive") != 0.0, get("affine") != 0.0);
        Ok(match info.name {
            "lasso" => Method::Lasso { alpha, positive, affine },
            "elastic_net" => Method::ElasticNet { alpha, l1_ratio: get("l1_ratio"), positive, affine },
            "omp" => {
                Method::Omp { n_nonzero_coefs: get("n_nonzero_coefs") as usize, tol: get("tol"), positive }
            }
            "ridge" => Method::Ridge { alpha: get("alpha"), affine },
            "lrsc" => Method::Lrsc { tau: get("tau") },
            "admm" => Method::Admm { alpha, affine },
            "knn" => Method::Knn { n_neighbors: get("n_neighbors") as usize },
            _ => Method::Saini2021 {
                tau: get("tau"),
                mu: get("mu"),
                max_iter: get("max_iter") as usize,
                tol: get("tol"),
            },
        })
    }

    /// Every effective parameter by name, as [`Method::from_parameters`] takes them.
    pub fn parameters(&self) -> BTreeMap<String, f64> {
        let alpha = |alpha: Alpha| match alpha {
            Alpha::Ratio(ratio) => ("alpha_ratio", ratio),
            Alpha::Absolute(alpha) => ("alpha", alpha),
        };
        let on = |name, value: bool| (name, f64::from(u8::from(value)));
        let pairs: Vec<(&str, f64)> = match *self {
            Method::Lasso { alpha: a, positive, affine } => {
                vec![alpha(a), on("positive", positive), on("affine", affine)]
            }
            Method::ElasticNet { alpha: a, l1_ratio, positive, affine } => {
                vec![alpha(a), ("l1_ratio", l1_ratio), on("positive", positive), on("affine", affine)]
            }
            Method::Omp { n_nonzero_coefs, tol, positive } => {
                vec![("n_nonzero_coefs", n_nonzero_coefs as f64), ("tol", tol), on("positive", positive)]
            }
            Method::Ridge { alpha, affine } => vec![("alpha", alpha), on("affine", affine)],
            Method::Lrsc { tau } => vec![("tau", tau)],
            Method::Admm { alpha: a, affine } => vec![alpha(a), on("affine", affine)],
            Method::Knn { n_neighbors } => vec![("n_neighbors", n_neighbors as f64)],
            Method::Saini2021 { tau, mu, max_iter, tol } => {
                vec![("tau", tau), ("mu", mu), ("max_iter", max_iter as f64), ("tol", tol)]
            }
        };
        pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
    }

    /// Checks every parameter of a method that was put together by hand.
    pub(crate) fn check(&self) -> Result<(), ExpressError> {
        self.parameters().iter().try_for_each(|(key, &value)| check(self.info(), key, value))
    }
}

fn find(name: &str) -> Option<&'static MethodInfo> {
    METHODS.iter().copied().find(|m| m.name == name)
}

fn check(info: &'static MethodInfo, key: &str, value: f64) -> Result<(), ExpressError> {
    let Some(parameter) = info.parameters.iter().find(|p| p.name == key) else {
        return Err(ExpressError::UnknownParameter {
            method: info.name,
            parameter: key.to_owned(),
            known: info.parameters.iter().map(|p| p.name).collect::<Vec<_>>().join(", "),
        });
    };
    if parameter.admits(value) {
        return Ok(());
    }
    Err(ExpressError::Parameter {
        method: info.name,
        parameter: parameter.name,
        expected: parameter.range(),
        found: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect()
    }

    #[test]
    fn every_listed_method_is_built_from_its_defaults_and_back() {
        for info in METHODS {
            let method = Method::from_parameters(info.name, &BTreeMap::new()).unwrap();
            assert_eq!(method.name(), info.name);
            assert_eq!(Method::from_parameters(info.name, &method.parameters()).unwrap(), method);
            method.check().unwrap();
        }
    }

    #[test]
    fn mistakes_are_named() {
        let err = |name, pairs| Method::from_parameters(name, &params(pairs)).unwrap_err().to_string();
        assert!(err("laso", &[]).contains("expected one of lasso, elastic_net, omp, ridge, lrsc, knn"));
        assert_eq!(
            err("lasso", &[("alpha_ratio", 0.0)]),
            "`alpha_ratio` of method `lasso` must be a number in (0, 1], found 0"
        );
        assert!(err("lasso", &[("alpha_ratio", f64::NAN)]).contains("found NaN"));
        assert!(err("omp", &[("n_nonzero_coefs", 2.5)]).contains("a whole number of at least 1"));
        assert!(err("lasso", &[("k", 1.0)]).contains("it takes alpha_ratio, alpha"));
        assert!(err("lasso", &[("alpha", 0.1), ("alpha_ratio", 0.1)]).contains("exclude each other"));
    }
}
