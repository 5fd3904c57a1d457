//! The Job controller's unit-test tables of Kubernetes 1.36, run against our `plan`, `account` and `settle`.
//!
//! The tables were written for a controller with a cache and a fake API; here the three pure steps of a sync are run
//! one after the other, with the writes between them made up. Rows that cannot apply are named in [`SKIPPED`].

use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;

use batchyard::actor::Actor;
use batchyard::api::batch::{JOB_COMPLETION_INDEX, JOB_TRACKING_FINALIZER, Job, JobStatus};
use batchyard::api::kind::Kind;
use batchyard::api::object::Object;
use batchyard::base::time::{SimTime, Span};
use batchyard::base::value::Value;
use batchyard::control::job::backoff::{Backoff, BackoffRecord, finish_time};
use batchyard::control::job::indexed::{self, FailureCounts, Indexes, Intervals};
use batchyard::control::job::plan::{End, Outcome, Suspension, ensure_condition, newly_finished, plan};
use batchyard::control::job::pods::{JobPod, NewPod, split_duplicates};
use batchyard::control::job::policy::{self, Verdict};
use batchyard::control::job::tracking::tally;
use batchyard::control::ref_manager::{Claim, claim};
use batchyard::object;

use crate::lab::{Lab, simple_job};

/// `_about` of the tables: the time at which they run.
const NOW: &str = "2026-01-01T00:00:00Z";
/// A time so long ago that no back-off is left.
const LONG_AGO: &str = "2000-01-01T00:00:00Z";

type Run = fn(&Value);

/// Every table of the file.
const TABLES: &[(&str, Run)] = &[
    ("TestControllerSyncJob", controller_sync_job),
    ("TestGetNewFinshedPods", new_finished_pods),
    ("TestTrackJobStatusAndRemoveFinalizers", track_status),
    ("TestSyncJobPastDeadline", past_deadline),
    ("TestSyncJobWhenManagedBy", managed_by),
    ("TestSyncJobWithJobPodFailurePolicy", sync_with_pod_failure_policy),
    ("TestSyncJobWithJobSuccessPolicy", sync_with_status),
    ("TestSyncJobWithJobBackoffLimitPerIndex", sync_with_status),
    ("TestGetPodCreationInfoForIndependentIndexes", independent_indexes),
    ("TestGetPodsForJob", pods_for_job),
    ("TestSyncOrphanPod", sync_orphan_pod),
    ("TestJobBackoff", job_backoff),
    ("TestJobBackoffForOnFailure", on_failure),
    ("TestJobBackoffOnRestartPolicyNever", restart_policy_never),
    ("TestEnsureJobConditions", ensure_conditions),
    ("TestNewBackoffRecord", new_backoff_record),
    ("TestGetFinishedTime", finished_time),
    ("TestGetRemainingBackoffTime", remaining_backoff),
    ("TestGetRemainingBackoffTimePerIndex", remaining_backoff_per_index),
    ("TestCalculateSucceededIndexes", succeeded_indexes),
    ("TestIsIndexFailed", is_index_failed),
    ("TestCalculateFailedIndexes", failed_indexes),
    ("TestGetPodsWithDelayedDeletionPerIndex", delayed_deletion),
    ("TestGetNewIndexFailureCountValue", new_failure_counts),
    ("TestIntervalsHaveIndex", intervals_have),
    ("TestFirstPendingIndexes", first_pending),
    ("TestAppendDuplicatedIndexPodsForRemoval", duplicates),
    ("TestPodGenerateNameWithIndex", generate_name),
    ("TestGetIndexFailureCount", index_failure_count),
    ("TestMatchPodFailurePolicy", match_pod_failure_policy),
    ("TestMatchSuccessPolicy", match_success_policy),
    ("TestFinishedCondition", finished_condition),
    ("TestIsJobSucceeded", is_succeeded),
];

const EXPECTATIONS: &str = "needs expectations: our sync reads the store itself and has none";
const STATUS_ERROR: &str = "the status write fails: then our sync ends before the steps that are run here";
const OLD_GATE: &str = "runs with a feature gate off that is locked on in 1.36";

/// Rows that cannot apply, and why.
const SKIPPED: &[(&str, &str, &str)] = &[
    ("TestControllerSyncJob", "job failures, unsatisfied expectations", EXPECTATIONS),
    ("TestControllerSyncJob", "suspending a job with unsatisfied expectations", EXPECTATIONS),
    ("TestControllerSyncJob", "count ready pods when suspending a job with unsatisfied expectations", EXPECTATIONS),
    (
        "TestControllerSyncJob",
        "suspending a job with unsatisfied expectations; PodReplacementPolicy enabled",
        EXPECTATIONS,
    ),
    ("TestGetNewFinshedPods", "with expected removed finalizers", EXPECTATIONS),
    ("TestTrackJobStatusAndRemoveFinalizers", "expecting removed finalizers", EXPECTATIONS),
    ("TestTrackJobStatusAndRemoveFinalizers", "status update error", STATUS_ERROR),
    (
        "TestSyncJobWhenManagedBy",
        "job with custom value of managedBy; feature disabled; the status is updated",
        OLD_GATE,
    ),
    (
        "TestSyncJobWithJobSuccessPolicy",
        "when the JobSuccessPolicy is disabled, the Job never got SuccessCriteriaMet condition even if the Job has the \
         successPolicy field",
        OLD_GATE,
    ),
    (
        "TestSyncJobWithJobBackoffLimitPerIndex",
        "job with finished indexes; failedIndexes are cleaned when JobBackoffLimitPerIndex disabled",
        OLD_GATE,
    ),
    (
        "TestGetPodsWithDelayedDeletionPerIndex",
        "failed pod with expected finalizer removal; the pod's deletion is not delayed as it already started",
        EXPECTATIONS,
    ),
    ("TestMatchPodFailurePolicy", "FailIndex rule matched for exit codes; JobBackoffLimitPerIndex disabled", OLD_GATE),
    (
        "TestMatchPodFailurePolicy",
        "FailIndex rule matched for pod conditions; JobBackoffLimitPerIndex disabled",
        OLD_GATE,
    ),
];

#[test]
fn all_tables_of_the_job_controller() {
    let tables = read_tables();
    let names: Vec<&str> = tables.as_map().unwrap().keys().filter(|key| *key != "_about").collect();
    let mut known: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(names, known, "each table of the file is run, and no other");
    let (mut rows, mut skipped, mut failures) = (0, 0, Vec::new());
    for (table, run) in TABLES {
        for case in tables.list_at(&format!("{table}.cases")) {
            rows += 1;
            let name = case.str_at("name").unwrap();
            if SKIPPED.iter().any(|(t, n, _)| t == table && *n == name) {
                skipped += 1;
                continue;
            }
            if std::panic::catch_unwind(|| run(&Value::from_json(&case.to_json()).unwrap())).is_err() {
                failures.push(format!("{table}: {name}"));
            }
        }
    }
    assert_eq!(skipped, SKIPPED.len(), "a skipped row that does not exist");
    assert!(skipped * 10 < rows, "{skipped} of {rows} rows are skipped");
    assert!(failures.is_empty(), "{} of {rows} rows fail:\n{}", failures.len(), failures.join("\n"));
}

fn read_tables() -> Value {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("job_cases.json.gz")[..]).read_to_string(&mut text).unwrap();
    Value::from_json(&text).unwrap()
}

// ---- making things

fn now() -> SimTime {
    time(NOW)
}

fn time(text: &str) -> SimTime {
    SimTime::parse_rfc3339(text).unwrap()
}

fn number(case: &Value, path: &str) -> i64 {
    case.i64_at(path).unwrap_or(0)
}

fn nanos(case: &Value, path: &str) -> Span {
    Span::ms(number(case, path) / 1_000_000)
}

fn job_of(value: &Value) -> Job {
    value.decode().unwrap()
}

fn pod_of(mut value: Value, number: usize) -> JobPod {
    value.set_default("metadata.uid", format!("uid-{number}"));
    JobPod::new(Rc::new(Object::new(Kind::Pod, value, 1)))
}

fn pods_of(list: &[Value]) -> Vec<JobPod> {
    list.iter().cloned().enumerate().map(|(n, pod)| pod_of(pod, n)).collect()
}

/// A Pod with the tracking finalizer that ended, if it did, long ago.
fn tracked_pod(phase: &str) -> Value {
    let metadata = object! {
        "creationTimestamp" => LONG_AGO, "finalizers" => vec![Value::from(JOB_TRACKING_FINALIZER)],
    };
    object! { "metadata" => metadata, "status" => object! { "phase" => phase } }
}

/// `{"index": "3", "phase": "Running"}`; the index `-` means that there is no annotation.
fn indexed_pod(case: &Value) -> Value {
    let mut pod = tracked_pod(case.str_at("phase").unwrap());
    let index = case.str_at("index").unwrap();
    if index != "-" {
        pod.set("metadata.annotations", Value::map());
        pod.at_mut("metadata.annotations").unwrap().map_mut().insert(JOB_COMPLETION_INDEX, index);
    }
    pod
}

fn indexed_pods(case: &Value, path: &str) -> Vec<JobPod> {
    case.list_at(path).iter().enumerate().map(|(n, pod)| pod_of(indexed_pod(pod), n)).collect()
}

/// The Pods that `count` fields of a row ask for.
fn counted_pods(case: &Value) -> Vec<JobPod> {
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
fn described_job(case: &Value) -> Job {
    let mut job = object! { "metadata" => object! { "name" => "foobar", "uid" => "job" } };
    let count = |field: &str| case.i64_at(field).filter(|n| *n >= 0);
    for field in ["parallelism", "completions", "activeDeadlineSeconds"] {
        if let Some(count) = count(field) {
            job.set(&format!("spec.{field}"), count);
        }
    }
    job.set("spec.backoffLimit", number(case, "backoffLimit"));
    for field in ["completionMode", "podReplacementPolicy", "podFailurePolicy", "suspend"] {
        if !case.at(field).is_null() {
            job.set(&format!("spec.{field}"), case.at(field).clone());
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
            job.set(&format!("status.{to}"), initial.at(from).clone());
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

// ---- one sync, with the writes made up

/// What the API does with the writes of a sync.
#[derive(Clone, Copy, Default)]
struct Answers {
    /// Every write to a Pod fails.
    refuses: bool,
    /// Only so many Pods can be created.
    create_limit: Option<usize>,
}

struct Synced {
    status: JobStatus,
    created: Vec<NewPod>,
    deleted: usize,
    /// Finalizers that were or should have been taken off.
    patched: usize,
}

fn sync(job: &Job, pods: &[JobPod], record: BackoffRecord, now: SimTime, answers: Answers) -> Synced {
    let plan = plan(job, pods, record, now);
    let mut patched = if plan.strips_finalizers { plan.deletions.len() } else { 0 };
    let deleted = if answers.refuses { 0 } else { plan.deletions.len() };
    let ready = plan.deletions.iter().take(deleted).filter(|pod| pod.pod().is_ready()).count();
    let limit = if answers.refuses { 0 } else { answers.create_limit.unwrap_or(usize::MAX) };
    let created = plan.creations.len().min(limit);
    let outcome = Outcome { created, deleted, deleted_ready: ready };
    let tally = plan.account(outcome, now);
    patched += tally.released.len();
    let kept = if answers.refuses { tally.released.clone() } else { vec![] };
    // A refused first batch counts as an attempt in the tables.
    let attempts = if answers.refuses { plan.creations.len().min(1) } else { created };
    let created = plan.creations[..attempts].to_vec();
    Synced { status: tally.settle(&kept, now).status, created, deleted, patched }
}

fn sync_fresh(job: &Job, pods: &[JobPod]) -> Synced {
    sync(job, pods, BackoffRecord::default(), now(), Answers::default())
}

/// Type, status, and, where a row names them, reason and message.
fn check_conditions(status: &JobStatus, expected: &[Value]) {
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
fn as_in_1_36(case: &Value, expected: &[Value], status: &JobStatus) -> Vec<Value> {
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

fn check_counts(case: &Value, status: &JobStatus) {
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

// ---- the tables

fn controller_sync_job(case: &Value) {
    let (job, pods) = (described_job(case), counted_pods(case));
    let record = BackoffRecord {
        failures_after_last_success: number(case, "backoffRecord.failuresAfterLastSuccess") as u32,
        last_failure: case.str_at("backoffRecord.lastFailureTime").map(time),
    };
    let answers = Answers {
        refuses: !case.at("podControllerError").is_null(),
        create_limit: case.i64_at("podLimit").map(|n| n as usize),
    };
    let synced = sync(&job, &pods, record, now(), answers);
    check_counts(case, &synced.status);
    assert_eq!(synced.created.len() as i64, number(case, "expectedCreations"), "creations");
    assert_eq!(synced.deleted as i64, number(case, "expectedDeletions"), "deletions");
    assert_eq!(synced.patched as i64, number(case, "expectedPodPatches"), "patches");
    assert_eq!(synced.status.completed_indexes, case.str_at("expectedCompletedIdxs").unwrap_or_default());
    let indexes: Vec<i64> = synced.created.iter().filter_map(|new| new.index).collect();
    let wanted: Vec<i64> = case.list_at("expectedCreatedIndexes").iter().filter_map(Value::as_i64).collect();
    assert_eq!(indexes, wanted, "indexes");
    let derived = case.at("derived_1_36");
    if let Some(terminating) = derived.i64_at("terminating") {
        assert_eq!(synced.status.terminating, Some(terminating as i32), "terminating");
    }
    let path = if derived.at("conditions").is_null() { "expectedConditions" } else { "derived_1_36.conditions" };
    check_conditions(&synced.status, case.list_at(path));
}

fn new_finished_pods(case: &Value) {
    let (job, pods) = (job_of(case.at("job")), pods_of(case.list_at("pods")));
    let (succeeded, failed) = newly_finished(&job, &pods);
    let uncounted = job.status.uncounted_terminated_pods.unwrap_or_default();
    let total = |counter: i32, new: usize, noted: usize| i64::from(counter) + (new + noted) as i64;
    let (all_succeeded, all_failed) = (
        total(job.status.succeeded, succeeded.len(), uncounted.succeeded.len()),
        total(job.status.failed, failed.len(), uncounted.failed.len()),
    );
    assert_eq!((all_succeeded, all_failed), (number(case, "wantSucceeded"), number(case, "wantFailed")));
}

fn track_status(case: &Value) {
    let (job, pods) = (job_of(case.at("job")), pods_of(case.list_at("pods")));
    let indexes = job.is_indexed().then(|| {
        let indexes = Indexes::new(&job, &pods);
        // The table calls the function with what was counted before, not with what has succeeded since.
        Indexes { succeeded: indexes.counted.clone(), ..indexes }
    });
    let end = case.str_at("finishedCond.type").map(|kind| End {
        success: matches!(kind, "Complete" | "SuccessCriteriaMet"),
        announced: kind != "SuccessCriteriaMet",
        reason: case.str_at("finishedCond.reason").unwrap_or_default().to_owned(),
        message: case.str_at("finishedCond.message").unwrap_or_default().to_owned(),
    });
    let mut before = job.status.clone();
    // The sync has counted the Pods that are ending; the table leaves that to a field of its context.
    before.terminating = Some(pods.iter().filter(|pod| pod.is_terminating()).count() as i32);
    let tally = tally(&job, &pods, indexes.as_ref(), end.clone(), before, now());
    assert_eq!(tally.released.len() as i64, number(case, "wantRmFinalizers"), "released");
    let refused = !case.at("podControlErr").is_null();
    let kept = if refused { tally.released.clone() } else { vec![] };
    let first = tally.status.clone();
    let settled = tally.settle(&kept, now()).status;
    let wanted: Vec<Value> = case.list_at("wantStatusUpdates").iter().map(without_times).collect();
    let forced = case.bool_at("needsFlush") == Some(true);
    let mut written = Vec::new();
    let mut last = shown(&job.status);
    last.set_default("uncountedTerminatedPods", Value::map());
    for (position, status) in [first, settled].into_iter().enumerate() {
        let shown = shown(&status);
        if shown != last || (forced && position == 0) {
            written.push(shown.clone());
        }
        last = shown;
    }
    let wanted: Vec<Value> = wanted.iter().map(|status| older_terminal(status, &pods, end.as_ref())).collect();
    // A write that the rows with older gates make once more without a change is none here.
    let mut wanted_once = wanted.clone();
    wanted_once.dedup();
    assert_eq!(written, wanted_once);
}

/// Rows with older gates end a Job while a Pod is still ending; in 1.36 that write does not happen yet.
fn older_terminal(status: &Value, pods: &[JobPod], end: Option<&End>) -> Value {
    let mut status = status.clone();
    if end.is_some() && pods.iter().any(JobPod::is_terminating) {
        let mut conditions = status.list_at("conditions").to_vec();
        conditions.retain(|c| !matches!(c.str_at("type"), Some("Failed" | "Complete")));
        status.set("conditions", conditions);
    }
    status
}

/// A status as the tables compare it: without times, and without what counts Pods that are still there.
fn shown(status: &JobStatus) -> Value {
    without_times(&Value::encode(status))
}

fn without_times(status: &Value) -> Value {
    let mut status = status.clone();
    for field in ["startTime", "completionTime", "ready", "terminating"] {
        status.remove(field);
    }
    for zero in ["active", "succeeded", "failed", "completedIndexes"] {
        if status.at(zero).is_empty() {
            status.remove(zero);
        }
    }
    let strip = |condition: &Value| {
        let field = |name: &str| condition.str_at(name).unwrap_or_default().to_owned();
        object! {
            "type" => field("type"), "status" => field("status"), "reason" => field("reason"),
            "message" => field("message"),
        }
    };
    let conditions: Vec<Value> = status.list_at("conditions").iter().map(strip).collect();
    status.set("conditions", conditions);
    status
}

fn past_deadline(case: &Value) {
    let mut job = described_job(case);
    job.status.start_time = Some(now() - Span::secs(number(case, "startTime")));
    let synced = sync_fresh(&job, &counted_pods(case));
    assert_eq!(synced.deleted as i64, number(case, "expectedDeletions"));
    assert_eq!(i64::from(synced.status.failed), number(case, "expectedFailed"));
    assert_eq!(i64::from(synced.status.succeeded), number(case, "expectedSucceeded"));
    let expected = as_in_1_36(case, case.list_at("expectedConditions"), &synced.status);
    check_conditions(&synced.status, &expected);
}

fn managed_by(case: &Value) {
    let mut lab = Lab::new(now());
    let managed_by = case.str_at("job.spec.managedBy");
    let mut job = simple_job("foobar");
    for field in ["parallelism", "completions"] {
        job.set(&format!("spec.{field}"), case.at(&format!("job.spec.{field}")).clone());
    }
    if let Some(name) = managed_by {
        job.set("spec.managedBy", name);
    }
    lab.create(job);
    lab.run_for(Span::ms(500));
    let left_alone = case.at("job.status") == case.at("wantStatus");
    let status = lab.find(Kind::Job, "foobar").value().at("status").clone();
    let expected = if left_alone { Value::map() } else { case.at("wantStatus").clone() };
    assert_eq!(status.at("active"), expected.at("active"));
    assert_eq!(status.at("uncountedTerminatedPods"), expected.at("uncountedTerminatedPods"));
    assert_eq!(status.has("ready"), expected.has("ready"));
}

fn sync_orphan_pod(case: &Value) {
    let mut lab = Lab::new(now());
    let mut owner = case.at("owner").clone();
    if case.bool_at("inCache") == Some(true) {
        lab.create(simple_job("j"));
        lab.run_for(Span::ms(500));
        owner.set("uid", lab.find(Kind::Job, "j").uid());
        if !case.list_at("job.status.conditions").is_empty() {
            lab.edit_status(Kind::Job, "j", |status| {
                let conditions = ["SuccessCriteriaMet", "Complete"].map(|kind| {
                    object! { "type" => kind, "status" => "True", "lastTransitionTime" => NOW, "lastProbeTime" => NOW }
                });
                status.set("conditions", conditions.to_vec());
            });
        }
    }
    let mut pod = simple_job("").at("spec.template").clone();
    pod.set("apiVersion", "v1");
    pod.set("kind", "Pod");
    pod.set("metadata.name", "pod");
    pod.set("metadata.namespace", "default");
    pod.set("metadata.finalizers", vec![Value::from(JOB_TRACKING_FINALIZER)]);
    if !owner.is_null() {
        pod.set("metadata.ownerReferences", vec![owner]);
    }
    if let Some(labels) = case.map_at("podSelector.matchLabels") {
        pod.set("metadata.labels", labels.clone());
    }
    lab.create(pod);
    // Owned by a Job, a Pod is looked at as an orphan when it goes.
    lab.delete(Kind::Pod, "pod");
    lab.run_for(Span::ms(500));
    let held = lab.store.find(Kind::Pod, "default", "pod").is_some();
    assert_eq!(!held, case.bool_at("wantFinalizerRemoved").unwrap());
}

fn job_backoff(case: &Value) {
    let mut lab = Lab::new(now());
    lab.create(simple_job("foobar"));
    lab.run_for(Span::secs(5));
    assert_eq!(lab.controller.next_wakeup(), None, "nothing is left to do");
    let name = lab.pods()[0].name().to_owned();
    let phase = case.str_at("phase").unwrap();
    lab.edit_status(Kind::Pod, &name, |status| status.set("phase", phase));
    let wait = lab.controller.next_wakeup().unwrap().since(lab.now) - nanos(case, "wantBackoff");
    assert!((0..20).contains(&wait.as_ms()), "{wait:?} beyond the wait there should be");
}

fn sync_with_pod_failure_policy(case: &Value) {
    let job = job_of(case.at("job"));
    let mut pods = case.list_at("pods").to_vec();
    for (n, pod) in pods.iter_mut().enumerate() {
        pod.set("metadata.name", format!("mypod-{n}"));
        pod.set("metadata.namespace", "default");
        pod.set("metadata.finalizers", vec![Value::from(JOB_TRACKING_FINALIZER)]);
        if job.is_indexed() {
            pod.set("metadata.annotations", Value::map());
            pod.at_mut("metadata.annotations").unwrap().map_mut().insert(JOB_COMPLETION_INDEX, n.to_string());
        }
    }
    let status = sync_fresh(&job, &pods_of(&pods)).status;
    assert_eq!(i64::from(status.failed), number(case, "wantStatusFailed"));
    assert_eq!(i64::from(status.active), number(case, "wantStatusActive"));
    assert_eq!(i64::from(status.succeeded), number(case, "wantStatusSucceeded"));
    check_conditions(&status, &as_in_1_36(case, case.list_at("wantConditions"), &status));
}

fn sync_with_status(case: &Value) {
    let job = job_of(case.at("job"));
    let mut pods = case.list_at("pods").to_vec();
    for (n, pod) in pods.iter_mut().enumerate() {
        pod.set("metadata.name", format!("mypod-{n}"));
        pod.set("metadata.namespace", "default");
    }
    let mut status = sync_fresh(&job, &pods_of(&pods)).status;
    let gates = ["enableJobBackoffLimitPerIndex", "enableBackoffLimitPerIndex"];
    if gates.iter().all(|gate| case.bool_at(gate) != Some(true)) {
        // These rows set `backoffLimitPerIndex` but run with its gate off: no index is ever noted as failed.
        assert!(status.failed_indexes.take().unwrap_or_default().is_empty());
    }
    let (have, mut want) = (shown(&status), without_times(case.at("wantStatus")));
    want.set("conditions", as_in_1_36(case, want.list_at("conditions"), &status));
    if let Some(terminating) = case.i64_at("wantStatus.terminating") {
        assert_eq!(status.terminating, Some(terminating as i32));
    }
    check_conditions(&status, want.list_at("conditions"));
    let mut want_rest = want;
    want_rest.set("conditions", have.at("conditions").clone());
    assert_eq!(have, want_rest);
}

fn independent_indexes(case: &Value) {
    let pods: BTreeMap<i64, JobPod> = case
        .map_at("podsWithDelayedDeletionPerIndex")
        .into_iter()
        .flat_map(|map| map.iter())
        .map(|(index, pod)| (index.parse().unwrap(), pod_of(pod.clone(), 0)))
        .collect();
    let awaiting = pods.iter().map(|(index, pod)| (*index, pod)).collect();
    let indexes = Indexes { awaiting_replacement: awaiting, ..Indexes::default() };
    let wanted: Vec<i64> = case.list_at("indexesToAdd").iter().filter_map(Value::as_i64).collect();
    match indexes.past_backoff(wanted, now()) {
        Ok(ready) => {
            let expected: Vec<i64> = case.list_at("wantIndexesToAdd").iter().filter_map(Value::as_i64).collect();
            assert_eq!(ready, expected);
        }
        Err(wait) => assert_eq!(wait, nanos(case, "wantRemainingTime")),
    }
}

fn pods_for_job(case: &Value) {
    let mut job = object! { "name" => "test_job", "uid" => "00000000-0000-4000-8000-000000000001" };
    if case.bool_at("jobDeleted") == Some(true) {
        job.set("deletionTimestamp", NOW);
    }
    let job = job.decode().unwrap();
    let selector = object! { "matchLabels" => object! { "foo" => "bar" } }.decode().unwrap();
    let (mut kept, mut with_finalizer) = (Vec::new(), Vec::new());
    for mut pod in case.list_at("pods").to_vec() {
        // The tables lost which Job is which: both have the same uid in them.
        if pod.str_at("metadata.ownerReferences.0.name") == Some("other_job") {
            let mut owner = pod.at("metadata.ownerReferences.0").clone();
            owner.set("uid", "other");
            pod.set("metadata.ownerReferences", vec![owner]);
        }
        let pod = pod_of(pod, 0);
        let claim = claim(&job, &selector, &pod.pod().metadata);
        if matches!(claim, Claim::Keep | Claim::Adopt) {
            kept.push(pod.pod().metadata.name.clone());
            if pod.is_tracked() || claim == Claim::Adopt {
                with_finalizer.push(pod.pod().metadata.name.clone());
            }
        }
    }
    let names = |path: &str| -> Vec<&str> { case.list_at(path).iter().filter_map(Value::as_str).collect() };
    assert_eq!(kept, names("wantPods"));
    assert_eq!(with_finalizer, names("wantPodsFinalizer"));
}

fn on_failure(case: &Value) {
    let mut job = described_job(case);
    job.spec.template.set("spec.restartPolicy", "OnFailure");
    let pods: Vec<Value> = case
        .list_at("restartCounts")
        .iter()
        .map(|count| {
            let mut pod = tracked_pod(case.str_at("podPhase").unwrap());
            pod.set("status.containerStatuses", vec![object! { "restartCount" => count.clone() }]);
            pod
        })
        .collect();
    let status = sync_fresh(&job, &pods_of(&pods)).status;
    check_counts(case, &status);
    check_conditions(&status, &as_in_1_36(case, case.list_at("expectedConditions"), &status));
}

fn restart_policy_never(case: &Value) {
    let mut job = described_job(case);
    job.spec.template.set("spec.restartPolicy", "Never");
    let phase = case.str_at("activePodsPhase").unwrap();
    let active = (0..number(case, "activePods")).map(|_| tracked_pod(phase));
    let failed = (0..number(case, "failedPods")).map(|_| tracked_pod("Failed"));
    let status = sync_fresh(&job, &pods_of(&active.chain(failed).collect::<Vec<_>>())).status;
    check_counts(case, &status);
    check_conditions(&status, &as_in_1_36(case, case.list_at("expectedConditions"), &status));
}

fn ensure_conditions(case: &Value) {
    let mut status = JobStatus { conditions: case.at("haveList").decode().unwrap(), ..JobStatus::default() };
    let text = |path: &str| case.str_at(path).unwrap_or_default();
    let is_true = text("wantStatus") == "True";
    let changed = ensure_condition(&mut status, text("wantType"), is_true, text("wantReason"), "", now());
    let expected: Vec<_> = case.list_at("expectList").iter().map(|c| c.decode().unwrap()).collect();
    assert_eq!(status.conditions, expected);
    assert_eq!(changed, case.bool_at("expectUpdate").unwrap_or(false));
}

fn new_backoff_record(case: &Value) {
    let record = |value: &Value| BackoffRecord {
        failures_after_last_success: number(value, "failuresAfterLastSuccess") as u32,
        last_failure: value.str_at("lastFailureTime").map(time),
    };
    let times =
        |path: &str| -> Vec<SimTime> { case.list_at(path).iter().filter_map(Value::as_str).map(time).collect() };
    let before = record(case.at("storedRecord"));
    let after = before.with(&times("newSucceededPods"), &times("newFailedPods"));
    assert_eq!(after, record(case.at("wantBackoffRecord")));
}

fn finished_time(case: &Value) {
    let pod = pod_of(case.at("pod").clone(), 0);
    assert_eq!(finish_time(pod.pod()), time(case.str_at("wantFinishTime").unwrap()));
}

fn backoff(case: &Value) -> Backoff {
    Backoff { base: nanos(case, "defaultBackoff"), max: nanos(case, "maxBackoff") }
}

fn remaining_backoff(case: &Value) {
    let record = BackoffRecord {
        failures_after_last_success: number(case, "backoffRecord.failuresAfterLastSuccess") as u32,
        last_failure: case.str_at("backoffRecord.lastFailureTime").map(time),
    };
    let at = case.str_at("currentTime").map_or_else(now, time);
    assert_eq!(record.remaining(backoff(case), at), nanos(case, "wantDuration"));
}

fn remaining_backoff_per_index(case: &Value) {
    let at = case.str_at("currentTime").map_or_else(now, time);
    let wait = match case.at("lastFailedPod") {
        Value::Null => Span::ZERO,
        pod => indexed::index_backoff(backoff(case), pod_of(pod.clone(), 0).pod(), at),
    };
    assert_eq!(wait, nanos(case, "wantDuration"));
}

fn intervals(case: &Value, path: &str) -> Intervals {
    Intervals::new(case.list_at(path).iter().map(|i| (number(i, "first"), number(i, "last"))))
}

fn succeeded_indexes(case: &Value) {
    let mut job = Job::default();
    job.spec.completion_mode = Some("Indexed".into());
    job.spec.completions = case.i64_at("completions").map(|n| n as i32);
    job.status.completed_indexes = case.str_at("prevSucceeded").unwrap_or_default().to_owned();
    let pods = indexed_pods(case, "pods");
    let indexes = Indexes::new(&job, &pods);
    assert_eq!(indexes.counted, intervals(case, "wantStatusIntervals"));
    assert_eq!(indexes.succeeded, intervals(case, "wantIntervals"));
}

fn is_index_failed(case: &Value) {
    let job = job_of(case.at("job"));
    let pod = pod_of(case.at("pod").clone(), 0);
    let fails = indexed::fails_index(&job, job.spec.backoff_limit_per_index.unwrap(), &pod);
    assert_eq!(fails, case.bool_at("wantResult").unwrap_or(false));
}

fn failed_indexes(case: &Value) {
    let (job, pods) = (job_of(case.at("job")), pods_of(case.list_at("pods")));
    assert_eq!(Indexes::new(&job, &pods).failed, Some(intervals(case, "wantFailedIndexes")));
}

fn delayed_deletion(case: &Value) {
    let (job, pods) = (job_of(case.at("job")), pods_of(case.list_at("pods")));
    let awaiting = Indexes::new(&job, &pods).awaiting_replacement;
    let uids: Vec<&str> = awaiting.values().map(|pod| pod.uid()).collect();
    let wanted: Vec<&str> =
        case.list_at("wantPodsWithDelayedDeletionPerIndex").iter().filter_map(Value::as_str).collect();
    assert_eq!(uids, wanted);
}

fn new_failure_counts(case: &Value) {
    let job = job_of(case.at("job"));
    let pod = (!case.at("pod").is_null()).then(|| pod_of(case.at("pod").clone(), 0));
    let counts = FailureCounts::for_replacement(&job, pod.as_ref().map(JobPod::pod));
    let wanted = (number(case, "wantNewIndexFailureCount"), number(case, "wantNewIndexIgnoredFailureCount"));
    assert_eq!((i64::from(counts.counted), i64::from(counts.ignored)), wanted);
}

fn intervals_have(case: &Value) {
    let has = intervals(case, "intervals").has(number(case, "index"));
    assert_eq!(has, case.bool_at("wantHas").unwrap_or(false));
}

fn first_pending(case: &Value) {
    let failed = (!case.at("failedIndexes").is_null()).then(|| intervals(case, "failedIndexes"));
    let indexes = Indexes {
        completions: number(case, "completions"),
        succeeded: intervals(case, "succeededIndexes"),
        failed,
        ..Indexes::default()
    };
    let pods = indexed_pods(case, "activePods");
    let pending = indexes.first_pending(&Job::default(), &pods, number(case, "cnt") as usize);
    let wanted: Vec<i64> = case.list_at("want").iter().filter_map(Value::as_i64).collect();
    assert_eq!(pending, wanted);
}

fn duplicates(case: &Value) {
    let pods = indexed_pods(case, "pods");
    let (removed, kept) = split_duplicates(pods.iter().collect(), number(case, "completions"));
    let shown = |pods: Vec<&JobPod>| -> Vec<(String, String)> {
        let one = |pod: &JobPod| {
            let index = pod.pod().metadata.annotations.get(JOB_COMPLETION_INDEX).cloned();
            (index.unwrap_or_else(|| "-".into()), pod.pod().status.phase.clone())
        };
        let mut all: Vec<_> = pods.into_iter().map(one).collect();
        all.sort();
        all
    };
    let wanted = |path: &str| -> Vec<(String, String)> {
        let text = |v: &Value, f: &str| v.str_at(f).unwrap().to_owned();
        let mut all: Vec<_> = case.list_at(path).iter().map(|v| (text(v, "index"), text(v, "phase"))).collect();
        all.sort();
        all
    };
    assert_eq!(shown(removed), wanted("wantRm"));
    assert_eq!(shown(kept), wanted("wantLeft"));
}

fn generate_name(case: &Value) {
    let name = indexed::generate_name(case.str_at("jobname").unwrap(), number(case, "index"));
    assert_eq!(name, case.str_at("wantPodGenerateName").unwrap());
}

fn index_failure_count(case: &Value) {
    let pod = pod_of(case.at("pod").clone(), 0);
    assert_eq!(i64::from(FailureCounts::of(pod.pod()).counted), number(case, "wantResult"));
}

fn match_pod_failure_policy(case: &Value) {
    let rules = case.at("podFailurePolicy").decode().unwrap();
    let pod = pod_of(case.at("failedPod").clone(), 0);
    let verdict = policy::judge(Some(&rules), pod.pod());
    let (action, message) = match &verdict {
        Verdict::Count => ("Count", None),
        Verdict::Ignore => ("Ignore", None),
        Verdict::FailIndex => ("FailIndex", None),
        Verdict::FailJob(message) => ("FailJob", Some(message.as_str())),
    };
    assert_eq!(message, case.str_at("wantJobFailureMessage"));
    assert_eq!(verdict.counts(), case.bool_at("wantCountFailed").unwrap());
    // Where no rule matches a failure is counted, as by the action Count.
    assert_eq!(action, case.str_at("wantAction").unwrap_or("Count"));
}

fn match_success_policy(case: &Value) {
    let enabled = case.bool_at("enableJobSuccessPolicy") == Some(true);
    let rules = (enabled && !case.at("successPolicy").is_null()).then(|| case.at("successPolicy").decode().unwrap());
    let met = policy::success(rules.as_ref(), number(case, "completions"), &intervals(case, "succeededIndexes"));
    assert_eq!(met.is_some(), case.bool_at("wantMetSuccessPolicy").unwrap_or(false));
    assert_eq!(met.unwrap_or_default(), case.str_at("wantMessage").unwrap_or_default());
}

fn job_with(conditions: &Value) -> Job {
    let mut job = Job::default();
    job.status.conditions = conditions.as_list().unwrap_or_default().iter().map(|c| c.decode().unwrap()).collect();
    job
}

fn finished_condition(case: &Value) {
    let job = job_with(case.at("conditions"));
    assert_eq!(job.finished().is_some(), case.bool_at("wantJobFinished").unwrap());
    assert_eq!(job.finished().map_or("", |c| &c.kind), case.str_at("wantConditionType").unwrap());
}

fn is_succeeded(case: &Value) {
    let job = job_with(case.at("job.status.conditions"));
    assert_eq!(job.status.has("Complete"), case.bool_at("wantResult").unwrap());
}

/// The suspension of a Job is noted once, not at each sync.
#[test]
fn a_suspension_is_noted_once() {
    let case = object! { "parallelism" => 1, "completions" => 1, "suspend" => true };
    let mut job = described_job(&case);
    let first = plan(&job, &[], BackoffRecord::default(), now()).account(Outcome::default(), now());
    assert_eq!(first.suspension, Some(Suspension::Suspended));
    job.status = first.status;
    let second = plan(&job, &[], BackoffRecord::default(), now()).account(Outcome::default(), now());
    assert_eq!(second.suspension, None);
}
