//! The statistics under Subspect: what chance alone would give, and how far a value can be trusted.
//!
//! - random orders and resamples, one stream per draw ([`permutation`], [`multiplicities`], [`shuffle`]);
//! - the distribution of a measure under permutations and where the observed value stands in it ([`Null`],
//!   [`order_null`]);
//! - intervals from resamples ([`Interval`], [`mean_interval`], [`wilson`], [`student_interval`]);
//! - many tests at once ([`adjust`], [`max_t`], [`Verdict`]);
//! - two values of the same inputs ([`sign_flip`], [`mcnemar`]) and two orders of the same things
//!   ([`spearman`], [`kendall`]).
//!
//! Pure mathematics: no I/O, no clock, no environment, no printing. Draw `r` comes from the stream `seed.index(r)`,
//! so neither the number of draws nor the number of threads changes any of them. What cannot be computed carries
//! its [`subspect_linalg::Status`].
//!
//! ```
//! use subspect_linalg::Seed;
//! use subspect_statistics::{mean_interval, sign_flip};
//!
//! let (a, b) = ([0.8, 0.7, 0.9, 0.6, 0.8], [0.7, 0.5, 0.8, 0.5, 0.6]);
//! let differences: Vec<f64> = a.iter().zip(&b).map(|(x, y)| x - y).collect();
//! let test = sign_flip(&differences, 999, Seed::new(1));
//! assert_eq!(test.p.value(), Some(2.0 / 32.0)); // all signs of five pairs were tried
//! assert!(mean_interval(&differences, 999, 0.95, Seed::new(1)).lo.value() > Some(0.0));
//! ```

mod adjust;
mod correlation;
mod family;
mod interval;
mod kendall;
mod mean;
mod normal;
mod null;
mod paired;
mod quantile;
mod resample;
mod student;
mod wilson;

pub use adjust::{Adjustment, Verdict, adjust, permutations_needed};
pub use correlation::{RankCorrelation, kendall, spearman};
pub use family::max_t;
pub use interval::{Interval, IntervalMethod};
pub use kendall::tau_b;
pub use mean::mean_interval;
pub use normal::{normal_cdf, normal_quantile};
pub use null::{Null, Tail, order_null, permutation_p};
pub use paired::{PairedTest, mcnemar, sign_flip};
pub use quantile::{quantile, ranks};
pub use resample::{below, multiplicities, permutation, shuffle, shuffle_from};
pub use student::{student_interval, student_quantile};
pub use wilson::wilson;
