//! The integration tests: what the engine promises, asked from outside through its public face.

mod case_tables;
mod control_cases;
mod cron;
mod cronjob_cases;
mod fidelity;
mod hostile;
mod job_cases;
mod job_replays;
mod job_timelines;
mod kubelet_cases;
mod lab;
mod laws;
mod node;
mod parts;
mod runs;
mod scale;
mod scenarios;
mod shell;
mod terminal;
mod tidy;
mod tutorials;
mod validation_cases;
mod validation_errors;
