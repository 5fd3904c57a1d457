//! What the API knows: kinds, their types, errors in Kubernetes' own words.

pub mod apps;
pub mod batch;
pub mod condition;
pub mod core;
pub mod kind;
pub mod meta;
pub mod object;
pub mod pod;
pub mod status;
pub mod taint;
