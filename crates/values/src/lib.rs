//! Values that know nothing of Kubernetes' machinery: time and its zones, schedules, randomness, quantities, the JSON tree.

#![forbid(unsafe_code)]

pub mod part;
pub mod hashed;
pub mod rng;
pub mod template;
pub mod time;
pub mod value;
pub mod duration;
pub mod human;
pub mod jsonpath;
pub mod quantity;
pub mod sort;
pub mod sorted;
mod strftime;
pub mod zone;
pub mod cron;
