//! The integration tests: what the engine promises, asked from outside through its public face.

mod cron;
mod tidy;
mod validation_cases;
mod validation_errors;
