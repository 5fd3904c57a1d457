//! Batchyard's engine: Kubernetes' Jobs and CronJobs, simulated.
//!
//! The modules below stand in layers; each may use those above it in this list and none below. `ARCHITECTURE.md` draws
//! the house. Nothing here knows that a browser, a wall clock or a thread exists.

#![forbid(unsafe_code)]

pub mod base;
pub mod yaml;
pub mod api;
pub mod shell;
pub mod program;
pub mod store;
pub mod actor;
pub mod net;
pub mod sched;
pub mod control;
pub mod node;
pub mod cluster;
pub mod terminal;
pub mod view;
pub mod sim;
