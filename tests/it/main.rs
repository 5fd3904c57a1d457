//! Tests of the whole from outside.

mod kubelet_cases;
mod node;
