//! What the API knows: its fields, how documents become objects, kinds, their types, errors in Kubernetes' own words.

#![forbid(unsafe_code)]

pub mod schema;
pub mod decode;
pub mod defaults;
pub mod validate;
pub mod patch;
pub mod kind;
pub mod meta;
pub mod status;
pub mod condition;
pub mod taint;
pub mod batch;
pub mod apps;
pub mod core;
pub mod pod;
pub mod object;
pub mod columns;
pub mod selector;
pub mod gaps;
