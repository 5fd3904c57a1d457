//! The Job controller's unit-test tables of Kubernetes 1.36, run against our `plan`, `account` and `settle`.
//!
//! The tables were written for a controller with a cache and a fake API; here the three pure steps of a sync are run
//! one after the other, with the writes between them made up. Rows that cannot apply are named in [`SKIPPED`].

mod making;
mod parts;
mod syncs;

use std::io::Read;

use batchyard::cluster::control::job::backoff::BackoffRecord;
use batchyard::cluster::control::job::plan::{Carried, Suspension, plan};
use batchyard::values::object;
use batchyard::values::value::Value;

use making::{described_job, now};

type Runner = fn(&Value);

/// Every table of the file.
const TABLES: &[(&str, Runner)] = &[
    ("TestControllerSyncJob", syncs::controller_sync_job),
    ("TestGetNewFinshedPods", parts::new_finished_pods),
    ("TestTrackJobStatusAndRemoveFinalizers", syncs::track_status),
    ("TestSyncJobPastDeadline", syncs::past_deadline),
    ("TestSyncJobWhenManagedBy", syncs::managed_by),
    ("TestSyncJobWithJobPodFailurePolicy", syncs::sync_with_pod_failure_policy),
    ("TestSyncJobWithJobSuccessPolicy", syncs::sync_with_status),
    ("TestSyncJobWithJobBackoffLimitPerIndex", syncs::sync_with_status),
    ("TestGetPodCreationInfoForIndependentIndexes", parts::independent_indexes),
    ("TestGetPodsForJob", parts::pods_for_job),
    ("TestSyncOrphanPod", syncs::sync_orphan_pod),
    ("TestJobBackoff", syncs::job_backoff),
    ("TestJobBackoffForOnFailure", syncs::on_failure),
    ("TestJobBackoffOnRestartPolicyNever", syncs::restart_policy_never),
    ("TestEnsureJobConditions", parts::ensure_conditions),
    ("TestNewBackoffRecord", parts::new_backoff_record),
    ("TestGetFinishedTime", parts::finished_time),
    ("TestGetRemainingBackoffTime", parts::remaining_backoff),
    ("TestGetRemainingBackoffTimePerIndex", parts::remaining_backoff_per_index),
    ("TestCalculateSucceededIndexes", parts::succeeded_indexes),
    ("TestIsIndexFailed", parts::is_index_failed),
    ("TestCalculateFailedIndexes", parts::failed_indexes),
    ("TestGetPodsWithDelayedDeletionPerIndex", parts::delayed_deletion),
    ("TestGetNewIndexFailureCountValue", parts::new_failure_counts),
    ("TestIntervalsHaveIndex", parts::intervals_have),
    ("TestFirstPendingIndexes", parts::first_pending),
    ("TestAppendDuplicatedIndexPodsForRemoval", parts::duplicates),
    ("TestPodGenerateNameWithIndex", parts::generate_name),
    ("TestGetIndexFailureCount", parts::index_failure_count),
    ("TestMatchPodFailurePolicy", parts::match_pod_failure_policy),
    ("TestMatchSuccessPolicy", parts::match_success_policy),
    ("TestFinishedCondition", parts::finished_condition),
    ("TestIsJobSucceeded", parts::is_succeeded),
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
    flate2::read::GzDecoder::new(&include_bytes!("../cases/job_cases.json.gz")[..]).read_to_string(&mut text).unwrap();
    Value::from_json(&text).unwrap()
}

/// The suspension of a Job is noted once, not at each sync.
#[test]
fn a_suspension_is_noted_once() {
    let case = object! { "parallelism" => 1, "completions" => 1, "suspend" => true };
    let mut job = described_job(&case);
    let first = plan(&job, &[], BackoffRecord::default(), now()).account(Carried::default(), now());
    assert_eq!(first.suspension, Some(Suspension::Suspended));
    job.status = first.status;
    let second = plan(&job, &[], BackoffRecord::default(), now()).account(Carried::default(), now());
    assert_eq!(second.suspension, None);
}
