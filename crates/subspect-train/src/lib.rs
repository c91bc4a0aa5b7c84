//! Training of networks that are described as data, with a snapshot of every epoch.
//!
//! [`train`] walks over the operators of a [`subspect_nets::Architecture`] with the tensors and the automatic
//! differentiation of burn; no type of burn leaves this crate. What it leaves behind is read without it: weights by
//! PyTorch's names in `checkpoints/epoch-0007.safetensors`, and `training.json`
//! ([`subspect_data::training::TrainingRecord`]).
//!
//! Everything random comes from one seed, with a stream of its own for the initialisation, the label noise, the share of
//! the data, and the order and augmentation of each epoch; a resumed training ends with the weights of an unbroken one.

mod error;
mod examples;
mod forward;
mod learner;
mod network;
mod optimizer;
mod options;
mod rate;
mod resume;
mod schedule;
mod session;
mod train;

pub use error::TrainError;
pub use examples::Examples;
pub use optimizer::Optimizer;
pub use options::{Snapshots, TrainOptions};
pub use rate::{Rates, rates};
pub use schedule::Schedule;
pub use train::{Silent, TrainMonitor, train};
