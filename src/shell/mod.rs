//! What processes and the machines they run on are to each other. The shell language itself stands beside these types.

pub mod host;
pub mod process;
