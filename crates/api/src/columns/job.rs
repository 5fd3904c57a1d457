//! Jobs (`printJob`).

use super::cells::{age, containers, label_selector, name};
use super::{Column, column, wide};
use crate::batch::Job;
use crate::object::Object;
use values::human::human_duration;
use values::time::SimTime;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Status"),
    column("Completions"),
    column("Duration"),
    column("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

pub fn row(object: &Object, now: SimTime) -> Vec<String> {
    let (value, job) = (object.value(), object.job());
    // A Job that failed has no completion time, so its duration goes on growing.
    let end = job.status.completion_time.unwrap_or(now);
    let duration = job.status.start_time.map(|start| human_duration(end.since(start)));
    let [containers, images] = containers(&job.spec.template);
    vec![
        name(value),
        job_status(job).to_owned(),
        completions(job),
        duration.unwrap_or_default(),
        age(value, now),
        containers,
        images,
        label_selector(value.at("spec.selector")),
    ]
}

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
