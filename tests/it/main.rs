//! The integration tests, one module a subject.

mod control_cases;
