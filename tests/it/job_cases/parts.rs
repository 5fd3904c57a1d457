//! The tables about single functions: back-off, indexes, policies, conditions.

use std::collections::BTreeMap;

use batchyard::api::batch::{JOB_COMPLETION_INDEX, Job, JobStatus};
use batchyard::cluster::control::job::backoff::{Backoff, BackoffRecord, finish_time};
use batchyard::cluster::control::job::indexed::{self, FailureCounts, Indexes, Intervals};
use batchyard::cluster::control::job::plan::{ensure_condition, newly_finished};
use batchyard::cluster::control::job::pods::{JobPod, split_duplicates};
use batchyard::cluster::control::job::policy::{self, Verdict};
use batchyard::cluster::control::ref_manager::{Claim, claim};
use batchyard::values::object;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;

use super::making::*;

pub fn new_finished_pods(case: &Value) {
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

pub fn independent_indexes(case: &Value) {
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

pub fn pods_for_job(case: &Value) {
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

pub fn ensure_conditions(case: &Value) {
    let mut status = JobStatus { conditions: case.at("haveList").decode().unwrap(), ..JobStatus::default() };
    let text = |path: &str| case.str_at(path).unwrap_or_default();
    let is_true = text("wantStatus") == "True";
    let changed = ensure_condition(&mut status, text("wantType"), is_true, text("wantReason"), "", now());
    let expected: Vec<_> = case.list_at("expectList").iter().map(|c| c.decode().unwrap()).collect();
    assert_eq!(status.conditions, expected);
    assert_eq!(changed, case.bool_at("expectUpdate").unwrap_or(false));
}

pub fn new_backoff_record(case: &Value) {
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

pub fn finished_time(case: &Value) {
    let pod = pod_of(case.at("pod").clone(), 0);
    assert_eq!(finish_time(pod.pod()), time(case.str_at("wantFinishTime").unwrap()));
}

fn backoff(case: &Value) -> Backoff {
    Backoff { base: nanos(case, "defaultBackoff"), max: nanos(case, "maxBackoff") }
}

pub fn remaining_backoff(case: &Value) {
    let record = BackoffRecord {
        failures_after_last_success: number(case, "backoffRecord.failuresAfterLastSuccess") as u32,
        last_failure: case.str_at("backoffRecord.lastFailureTime").map(time),
    };
    let at = case.str_at("currentTime").map_or_else(now, time);
    assert_eq!(record.remaining(backoff(case), at), nanos(case, "wantDuration"));
}

pub fn remaining_backoff_per_index(case: &Value) {
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

pub fn succeeded_indexes(case: &Value) {
    let mut job = Job::default();
    job.spec.completion_mode = Some("Indexed".into());
    job.spec.completions = case.i64_at("completions").map(|n| n as i32);
    job.status.completed_indexes = case.str_at("prevSucceeded").unwrap_or_default().to_owned();
    let pods = indexed_pods(case, "pods");
    let indexes = Indexes::new(&job, &pods);
    assert_eq!(indexes.counted, intervals(case, "wantStatusIntervals"));
    assert_eq!(indexes.succeeded, intervals(case, "wantIntervals"));
}

pub fn is_index_failed(case: &Value) {
    let job = job_of(case.at("job"));
    let pod = pod_of(case.at("pod").clone(), 0);
    let fails = indexed::fails_index(&job, job.spec.backoff_limit_per_index.unwrap(), &pod);
    assert_eq!(fails, case.bool_at("wantResult").unwrap_or(false));
}

pub fn failed_indexes(case: &Value) {
    let (job, pods) = (job_of(case.at("job")), pods_of(case.list_at("pods")));
    assert_eq!(Indexes::new(&job, &pods).failed, Some(intervals(case, "wantFailedIndexes")));
}

pub fn delayed_deletion(case: &Value) {
    let (job, pods) = (job_of(case.at("job")), pods_of(case.list_at("pods")));
    let awaiting = Indexes::new(&job, &pods).awaiting_replacement;
    let uids: Vec<&str> = awaiting.values().map(|pod| pod.uid()).collect();
    let wanted: Vec<&str> =
        case.list_at("wantPodsWithDelayedDeletionPerIndex").iter().filter_map(Value::as_str).collect();
    assert_eq!(uids, wanted);
}

pub fn new_failure_counts(case: &Value) {
    let job = job_of(case.at("job"));
    let pod = (!case.at("pod").is_null()).then(|| pod_of(case.at("pod").clone(), 0));
    let counts = FailureCounts::for_replacement(&job, pod.as_ref().map(JobPod::pod));
    let wanted = (number(case, "wantNewIndexFailureCount"), number(case, "wantNewIndexIgnoredFailureCount"));
    assert_eq!((i64::from(counts.counted), i64::from(counts.ignored)), wanted);
}

pub fn intervals_have(case: &Value) {
    let has = intervals(case, "intervals").has(number(case, "index"));
    assert_eq!(has, case.bool_at("wantHas").unwrap_or(false));
}

pub fn first_pending(case: &Value) {
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

pub fn duplicates(case: &Value) {
    let pods = indexed_pods(case, "pods");
    let (removed, kept) = split_duplicates(pods.iter().collect(), number(case, "completions"));
    let shown = |pods: Vec<&JobPod>| -> Vec<(String, String)> {
        let one = |pod: &JobPod| {
            let index = pod.pod().metadata.annotations.get(JOB_COMPLETION_INDEX);
            (index.map_or("-".to_owned(), |index| index.to_string()), pod.pod().status.phase.to_string())
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

pub fn generate_name(case: &Value) {
    let name = indexed::generate_name(case.str_at("jobname").unwrap(), number(case, "index"));
    assert_eq!(name, case.str_at("wantPodGenerateName").unwrap());
}

pub fn index_failure_count(case: &Value) {
    let pod = pod_of(case.at("pod").clone(), 0);
    assert_eq!(i64::from(FailureCounts::of(pod.pod()).counted), number(case, "wantResult"));
}

pub fn match_pod_failure_policy(case: &Value) {
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

pub fn match_success_policy(case: &Value) {
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

pub fn finished_condition(case: &Value) {
    let job = job_with(case.at("conditions"));
    assert_eq!(job.finished().is_some(), case.bool_at("wantJobFinished").unwrap());
    assert_eq!(job.finished().map_or("", |c| &c.kind), case.str_at("wantConditionType").unwrap());
}

pub fn is_succeeded(case: &Value) {
    let job = job_with(case.at("job.status.conditions"));
    assert_eq!(job.status.has("Complete"), case.bool_at("wantResult").unwrap());
}
