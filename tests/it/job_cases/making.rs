//! What rows of the tables ask for, made into Jobs and Pods; and one sync of them, with its writes made up.

use std::rc::Rc;

use batchyard::api::batch::{JOB_COMPLETION_INDEX, JOB_TRACKING_FINALIZER, Job, JobStatus};
use batchyard::api::kind::Kind;
use batchyard::api::object::Object;
use batchyard::cluster::control::job::backoff::BackoffRecord;
use batchyard::cluster::control::job::plan::{Carried, plan};
use batchyard::cluster::control::job::pods::{JobPod, NewPod};
use batchyard::values::object;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;

/// `_about` of the tables: the time at which they run.
pub const NOW: &str = "2026-01-01T00:00:00Z";
/// A time so long ago that no back-off is left.
pub const LONG_AGO: &str = "2000-01-01T00:00:00Z";

pub fn now() -> SimTime {
    time(NOW)
}

pub fn time(text: &str) -> SimTime {
    SimTime::parse_rfc3339(text).unwrap()
}

pub fn number(case: &Value, path: &str) -> i64 {
    case.i64_at(path).unwrap_or(0)
}

pub fn nanos(case: &Value, path: &str) -> Span {
    Span::ms(number(case, path) / 1_000_000)
}

pub fn job_of(value: &Value) -> Job {
    value.decode().unwrap()
}

pub fn pod_of(mut value: Value, number: usize) -> JobPod {
    value.set_default("metadata.uid", format!("uid-{number}"));
    JobPod::new(Rc::new(Object::new(Kind::Pod, value, 1)))
}

pub fn pods_of(list: &[Value]) -> Vec<JobPod> {
    list.iter().cloned().enumerate().map(|(n, pod)| pod_of(pod, n)).collect()
}

/// A Pod with the tracking finalizer that ended, if it did, long ago.
pub fn tracked_pod(phase: &str) -> Value {
    let metadata = object! {
        "creationTimestamp" => LONG_AGO, "finalizers" => vec![Value::from(JOB_TRACKING_FINALIZER)],
    };
    object! { "metadata" => metadata, "status" => object! { "phase" => phase } }
}

/// `{"index": "3", "phase": "Running"}`; the index `-` means that there is no annotation.
pub fn indexed_pod(case: &Value) -> Value {
    let mut pod = tracked_pod(case.str_at("phase").unwrap());
    let index = case.str_at("index").unwrap();
    if index != "-" {
        pod.set("metadata.annotations", Value::map());
        pod.at_mut("metadata.annotations").unwrap().map_mut().insert(JOB_COMPLETION_INDEX, index);
    }
    pod
}

pub fn indexed_pods(case: &Value, path: &str) -> Vec<JobPod> {
    case.list_at(path).iter().enumerate().map(|(n, pod)| pod_of(indexed_pod(pod), n)).collect()
}

/// The Pods that `count` fields of a row ask for.
pub fn counted_pods(case: &Value) -> Vec<JobPod> {
    let mut pods = Vec::new();
    for (field, phase) in [
        ("pendingPods", "Pending"),
        ("activePods", "Running"),
        ("succeededPods", "Succeeded"),
        ("failedPods", "Failed"),
        ("terminatingPods", "Running"),
    ] {
        for n in 0..number(case, field) {
            let mut pod = tracked_pod(phase);
            if field == "activePods" && n < number(case, "readyPods") {
                let ready = object! { "type" => "Ready", "status" => "True" };
                pod.set("status.conditions", vec![ready]);
            }
            if field == "terminatingPods" {
                pod.set("metadata.deletionTimestamp", LONG_AGO);
            }
            pods.push(pod);
        }
    }
    pods.extend(case.list_at("podsWithIndexes").iter().map(indexed_pod));
    pods_of(&pods)
}

/// The Job that the fields of a row ask for.
pub fn described_job(case: &Value) -> Job {
    let mut job = object! { "metadata" => object! { "name" => "foobar", "uid" => "job" } };
    let count = |field: &str| case.i64_at(field).filter(|n| *n >= 0);
    for field in ["parallelism", "completions", "activeDeadlineSeconds"] {
        if let Some(count) = count(field) {
            job.put(&format!("spec.{field}"), count);
        }
    }
    job.set("spec.backoffLimit", number(case, "backoffLimit"));
    for field in ["completionMode", "podReplacementPolicy", "podFailurePolicy", "suspend"] {
        if !case.at(field).is_null() {
            job.put(&format!("spec.{field}"), case.at(field).clone());
        }
    }
    let initial = case.at("initialStatus");
    job.set("status", Value::map());
    for (from, to) in [
        ("active", "active"),
        ("succeed", "succeeded"),
        ("failed", "failed"),
        ("startTime", "startTime"),
        ("conditions", "conditions"),
    ] {
        if !initial.at(from).is_null() {
            job.put(&format!("status.{to}"), initial.at(from).clone());
        }
    }
    if case.bool_at("wasSuspended") == Some(true) {
        let suspended = object! {
            "type" => "Suspended", "status" => "True", "reason" => "JobSuspended", "message" => "Job suspended",
        };
        job.set("status.conditions", vec![suspended]);
    }
    if case.bool_at("deleting") == Some(true) {
        job.set("metadata.deletionTimestamp", NOW);
    }
    job_of(&job)
}

/// What the API does with the writes of a sync.
#[derive(Clone, Copy, Default)]
pub struct Answers {
    /// Every write to a Pod fails.
    pub refuses: bool,
    /// Only so many Pods can be created.
    pub create_limit: Option<usize>,
}

pub struct Synced {
    pub status: JobStatus,
    pub created: Vec<NewPod>,
    pub deleted: usize,
    /// Finalizers that were or should have been taken off.
    pub patched: usize,
}

pub fn sync(job: &Job, pods: &[JobPod], record: BackoffRecord, now: SimTime, answers: Answers) -> Synced {
    let plan = plan(job, pods, record, now);
    let mut patched = if plan.strips_finalizers { plan.deletions.len() } else { 0 };
    let deleted = if answers.refuses { 0 } else { plan.deletions.len() };
    let ready = plan.deletions.iter().take(deleted).filter(|pod| pod.pod().is_ready()).count();
    let limit = if answers.refuses { 0 } else { answers.create_limit.unwrap_or(usize::MAX) };
    let created = plan.creations.len().min(limit);
    let outcome = Carried { created, deleted, deleted_ready: ready };
    let tally = plan.account(outcome, now);
    patched += tally.released.len();
    let kept = if answers.refuses { tally.released.clone() } else { vec![] };
    // A refused first batch counts as an attempt in the tables.
    let attempts = if answers.refuses { plan.creations.len().min(1) } else { created };
    let created = plan.creations[..attempts].to_vec();
    Synced { status: tally.settle(&kept, now).status, created, deleted, patched }
}

pub fn sync_fresh(job: &Job, pods: &[JobPod]) -> Synced {
    sync(job, pods, BackoffRecord::default(), now(), Answers::default())
}

/// Type, status, and, where a row names them, reason and message.
pub fn check_conditions(status: &JobStatus, expected: &[Value]) {
    let shown = |c: &Value| ["type", "status", "reason", "message"].map(|f| c.str_at(f).unwrap_or_default().to_owned());
    let have: Vec<[String; 4]> = status.conditions.iter().map(|c| shown(&Value::encode(c))).collect();
    let mut want: Vec<[String; 4]> = expected.iter().map(shown).collect();
    for (have, want) in have.iter().zip(&mut want).filter(|(_, want)| want[2].is_empty() && want[3].is_empty()) {
        want[2..].clone_from_slice(&have[2..]);
    }
    assert_eq!(have, want);
}

/// The conditions of a row as 1.36 has them. Rows with older gates lack the interim condition, which comes first, and
/// have the final one while Pods are still ending.
pub fn as_in_1_36(case: &Value, expected: &[Value], status: &JobStatus) -> Vec<Value> {
    let older =
        ["enableJobManagedBy", "enableJobPodReplacementPolicy"].iter().all(|gate| case.bool_at(gate) != Some(true));
    let has = |kind: &str| expected.iter().any(|c| c.str_at("type") == Some(kind));
    let mut result = Vec::new();
    for condition in expected {
        let interim = match condition.str_at("type") {
            Some("Failed") => "FailureTarget",
            Some("Complete") => "SuccessCriteriaMet",
            _ => {
                result.push(condition.clone());
                continue;
            }
        };
        if older && !has(interim) {
            let mut first = condition.clone();
            first.set("type", interim);
            result.push(first);
        }
        if !older || status.terminating == Some(0) {
            result.push(condition.clone());
        }
    }
    result
}

pub fn check_counts(case: &Value, status: &JobStatus) {
    for (field, have) in [
        ("expectedActive", status.active),
        ("expectedReady", status.ready.unwrap()),
        ("expectedSucceeded", status.succeeded),
        ("expectedFailed", status.failed),
    ] {
        if let Some(want) = case.i64_at(field) {
            assert_eq!(i64::from(have), want, "{field}");
        }
    }
}
