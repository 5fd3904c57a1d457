//! The integration tests, in one program so that they are linked once.

mod job_cases;
mod job_replays;
mod job_timelines;
mod lab;
