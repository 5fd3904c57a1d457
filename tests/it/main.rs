//! The integration tests: what the engine promises, asked from outside through its public face.

mod cron;
mod job_cases;
mod job_replays;
mod job_timelines;
mod lab;
mod scenarios;
mod tidy;
