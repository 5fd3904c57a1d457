//! Batchyard's engine: Kubernetes' Jobs and CronJobs, simulated.
//!
//! The modules below stand in layers; each may use those above it in this list and none below. `ARCHITECTURE.md` draws
//! the house. Nothing here knows that a browser, a wall clock or a thread exists.

#![forbid(unsafe_code)]

pub mod base;
pub mod yaml;
pub mod api;
pub mod store;
pub mod actor;
pub mod control;
pub mod cluster;
