//! Values that know nothing of Kubernetes' machinery: time, randomness, the JSON tree.

pub mod cron;
pub mod duration;
pub mod rng;
pub mod time;
pub mod value;
pub mod zone;
