//! A simulated cluster: the store, and everything that acts on it.
//!
//! The modules below stand in layers; each may use those above it in this list and none below.

#![forbid(unsafe_code)]

pub mod program;
pub mod store;
pub mod actor;
pub mod net;
pub mod sched;
pub mod control;
pub mod node;
mod cluster;

pub use cluster::{Cluster, NodeSpec, Routing, Setup, Turn, check_controller, controllers};
