//! Recordings of real clusters, and how near a simulated run comes to one.
//!
//! Rule: the same categories and the same score as the recorder's own comparison: random suffixes, uids, addresses and exact
//! milliseconds are not compared; what a user can see is. Each part counts matched of total; the score is their mean.

mod diff;
mod facts;
mod normal;
mod parts;
mod run;
mod status;

pub use parts::{Category, compare};
pub use run::Recording;

/// The mean of the parts that have anything to compare; 0 if none has.
pub fn score(parts: &[Category]) -> f64 {
    let shares: Vec<f64> = parts.iter().filter(|p| p.total > 0).map(|p| p.good as f64 / p.total as f64).collect();
    if shares.is_empty() { 0.0 } else { shares.iter().sum::<f64>() / shares.len() as f64 }
}
