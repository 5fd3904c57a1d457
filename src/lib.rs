//! Batchyard's engine: Kubernetes' Jobs and CronJobs, simulated.
//!
//! The engine's rooms are crates of their own under `crates/`, in layers that the compiler holds: each may use those above
//! it in this list and none below. `ARCHITECTURE.md` draws the house. Nothing in them knows that a browser, a wall clock
//! or a thread exists.

#![forbid(unsafe_code)]

pub use api;
pub use cluster;
pub use run;
pub use shell;
pub use terminal;
pub use values;
pub use yaml;
