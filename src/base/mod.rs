//! Values that know nothing of Kubernetes' machinery: time, randomness, the JSON tree.

pub mod rng;
pub mod quantity;
pub mod time;
pub mod value;
