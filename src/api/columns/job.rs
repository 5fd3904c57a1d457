//! STATUS and COMPLETIONS of a Job (`printJob`).

use crate::api::batch::Job;

/// `Complete`, `Failed`, `Terminating`, `Suspended`, `FailureTarget`, `SuccessCriteriaMet` or `Running`, the first that holds.
pub fn job_status(job: &Job) -> &'static str {
    let status = &job.status;
    if status.has("Complete") {
        "Complete"
    } else if status.has("Failed") {
        "Failed"
    } else if job.metadata.is_being_deleted() {
        "Terminating"
    } else if status.has("Suspended") {
        "Suspended"
    } else if status.has("FailureTarget") {
        "FailureTarget"
    } else if status.has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

/// `3/10`; for a work queue `1/1 of 5`.
pub fn completions(job: &Job) -> String {
    let succeeded = job.status.succeeded;
    match (job.spec.completions, job.spec.parallelism.unwrap_or(0)) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}
