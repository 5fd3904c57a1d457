//! What the API server's tables say of an object: the columns `kubectl get` prints.
//!
//! Rules: `semantics/kubectl.md` §3. Source: `pkg/printers/internalversion/printers.go`.

mod job;
mod pod;

pub use job::{completions, job_status};
pub use pod::{PodColumns, pod_columns};
