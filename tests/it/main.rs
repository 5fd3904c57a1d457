//! The integration tests: what the engine promises, asked from outside through its public face.

mod cron;
mod job_cases;
mod lab;
mod scenarios;
mod tidy;
