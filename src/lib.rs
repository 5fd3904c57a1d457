//! Batchyard's engine: Kubernetes' Jobs and CronJobs, simulated.

#![forbid(unsafe_code)]

pub mod base;
pub mod shell;
