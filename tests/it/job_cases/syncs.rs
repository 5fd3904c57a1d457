//! The tables about whole syncs.

use batchyard::api::batch::{JOB_COMPLETION_INDEX, JOB_TRACKING_FINALIZER, JobStatus};
use batchyard::api::kind::Kind;
use batchyard::cluster::actor::Actor;
use batchyard::cluster::control::job::backoff::BackoffRecord;
use batchyard::cluster::control::job::indexed::Indexes;
use batchyard::cluster::control::job::plan::End;
use batchyard::cluster::control::job::pods::JobPod;
use batchyard::cluster::control::job::tracking::tally;
use batchyard::values::object;
use batchyard::values::time::Span;
use batchyard::values::value::Value;

use super::making::*;
use crate::lab::{Lab, simple_job};

pub fn controller_sync_job(case: &Value) {
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

pub fn track_status(case: &Value) {
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
        counts: [0; 2],
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

pub fn past_deadline(case: &Value) {
    let mut job = described_job(case);
    job.status.start_time = Some(now() - Span::secs(number(case, "startTime")));
    let synced = sync_fresh(&job, &counted_pods(case));
    assert_eq!(synced.deleted as i64, number(case, "expectedDeletions"));
    assert_eq!(i64::from(synced.status.failed), number(case, "expectedFailed"));
    assert_eq!(i64::from(synced.status.succeeded), number(case, "expectedSucceeded"));
    let expected = as_in_1_36(case, case.list_at("expectedConditions"), &synced.status);
    check_conditions(&synced.status, &expected);
}

pub fn managed_by(case: &Value) {
    let mut lab = Lab::new(now());
    let managed_by = case.str_at("job.spec.managedBy");
    let mut job = simple_job("foobar");
    for field in ["parallelism", "completions"] {
        job.put(&format!("spec.{field}"), case.at(&format!("job.spec.{field}")).clone());
    }
    if let Some(name) = managed_by {
        // The table has a name that validation refuses; any other manager will do.
        let domain = if name.contains('/') { name.to_owned() } else { format!("example.com/{name}") };
        job.set("spec.managedBy", domain);
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

pub fn sync_orphan_pod(case: &Value) {
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

pub fn job_backoff(case: &Value) {
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

pub fn sync_with_pod_failure_policy(case: &Value) {
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

pub fn sync_with_status(case: &Value) {
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

pub fn on_failure(case: &Value) {
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

pub fn restart_policy_never(case: &Value) {
    let mut job = described_job(case);
    job.spec.template.set("spec.restartPolicy", "Never");
    let phase = case.str_at("activePodsPhase").unwrap();
    let active = (0..number(case, "activePods")).map(|_| tracked_pod(phase));
    let failed = (0..number(case, "failedPods")).map(|_| tracked_pod("Failed"));
    let status = sync_fresh(&job, &pods_of(&active.chain(failed).collect::<Vec<_>>())).status;
    check_counts(case, &status);
    check_conditions(&status, &as_in_1_36(case, case.list_at("expectedConditions"), &status));
}
