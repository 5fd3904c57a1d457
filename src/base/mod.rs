//! Values that know nothing of Kubernetes' machinery: time, randomness, the JSON tree.

pub mod quantity;
pub mod rng;
pub mod time;
pub mod value;
