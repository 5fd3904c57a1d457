//! `batch/v1`: Job and CronJob as the controllers read and write them.
//!
//! Source: `k8s.io/api/batch/v1/types.go`. The Pod template stays a tree: the Job controller only copies it.

use crate::meta::{LabelSelector, ObjectMeta};
use values::record;
use values::time::SimTime;
use values::value::Value;

/// The finalizer by which the Job controller keeps finished Pods until they are counted.
pub const JOB_TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";
pub const JOB_COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
pub const JOB_INDEX_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
pub const JOB_INDEX_IGNORED_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

record! {
    pub struct Job {
        pub metadata: ObjectMeta,
        pub spec: JobSpec,
        pub status: JobStatus,
    }

    pub struct JobSpec {
        pub parallelism: Option<i32>,
        pub completions: Option<i32>,
        pub active_deadline_seconds: Option<i64>,
        pub pod_failure_policy: Option<PodFailurePolicy>,
        pub success_policy: Option<SuccessPolicy>,
        pub backoff_limit: Option<i32>,
        pub backoff_limit_per_index: Option<i32>,
        pub max_failed_indexes: Option<i32>,
        pub selector: Option<LabelSelector>,
        pub manual_selector: Option<bool>,
        /// The Pod template as it stands.
        pub template: Value,
        pub ttl_seconds_after_finished: Option<i32>,
        /// `NonIndexed` or `Indexed`; anything else is not synced.
        pub completion_mode: Option<String>,
        pub suspend: Option<bool>,
        /// `TerminatingOrFailed` or `Failed`.
        pub pod_replacement_policy: Option<String>,
        pub managed_by: Option<String>,
    }

    pub struct PodFailurePolicy {
        pub rules: Vec<PodFailurePolicyRule>,
    }

    pub struct PodFailurePolicyRule {
        /// `FailJob`, `FailIndex`, `Ignore` or `Count`.
        pub action: String,
        pub on_exit_codes: Option<OnExitCodes>,
        pub on_pod_conditions: Vec<OnPodCondition>,
    }

    pub struct OnExitCodes {
        pub container_name: Option<String>,
        /// `In` or `NotIn`.
        pub operator: String,
        pub values: Vec<i32>,
    }

    pub struct OnPodCondition {
        pub kind: String as "type",
        pub status: String,
    }

    pub struct SuccessPolicy {
        pub rules: Vec<SuccessPolicyRule>,
    }

    pub struct SuccessPolicyRule {
        /// `0-2,5`
        pub succeeded_indexes: Option<String>,
        pub succeeded_count: Option<i32>,
    }

    /// `status` of a Job. Fields are written as Go's `omitempty` would write them.
    pub struct JobStatus {
        pub conditions: Vec<JobCondition>,
        pub start_time: Option<SimTime>,
        pub completion_time: Option<SimTime>,
        pub active: i32,
        pub succeeded: i32,
        pub failed: i32,
        /// Written even when 0, once the controller has seen the Job.
        pub terminating: Option<i32>,
        pub ready: Option<i32>,
        pub completed_indexes: String,
        pub failed_indexes: Option<String>,
        pub uncounted_terminated_pods: Option<UncountedTerminatedPods>,
        pub observed_generation: i64,
    }

    /// Pods whose end is noted but not yet added to the counters, by uid.
    pub struct UncountedTerminatedPods {
        pub succeeded: Vec<String>,
        pub failed: Vec<String>,
    }

    /// One entry of a Job's `status.conditions`.
    pub struct JobCondition {
        pub kind: String as "type" = always,
        /// `True` or `False`.
        pub status: String = always,
        pub last_probe_time: Option<SimTime> = always,
        pub last_transition_time: Option<SimTime> = always,
        pub reason: String,
        pub message: String,
    }
}

impl Job {
    /// The terminal condition (`Complete` or `Failed`), if the Job has one.
    pub fn finished(&self) -> Option<&JobCondition> {
        self.status.conditions.iter().find(|c| (c.kind == "Complete" || c.kind == "Failed") && c.status == "True")
    }

    pub fn is_indexed(&self) -> bool {
        self.spec.completion_mode.as_deref() == Some("Indexed")
    }

    pub fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }
}

impl JobStatus {
    /// True if the condition stands with status True.
    pub fn has(&self, kind: &str) -> bool {
        self.conditions.iter().any(|c| c.kind == kind && c.status == "True")
    }
}

record! {
    pub struct CronJob {
        pub metadata: ObjectMeta,
        pub spec: CronJobSpec,
        pub status: CronJobStatus,
    }

    pub struct CronJobSpec {
        pub schedule: String,
        pub time_zone: Option<String>,
        pub starting_deadline_seconds: Option<i64>,
        /// `Allow`, `Forbid` or `Replace`.
        pub concurrency_policy: String,
        pub suspend: Option<bool>,
        pub job_template: JobTemplate,
        pub successful_jobs_history_limit: Option<i32>,
        pub failed_jobs_history_limit: Option<i32>,
    }

    pub struct JobTemplate {
        pub metadata: ObjectMeta,
        /// The Job spec as it stands.
        pub spec: Value,
    }

    pub struct CronJobStatus {
        pub active: Vec<ObjectReference>,
        pub last_schedule_time: Option<SimTime>,
        pub last_successful_time: Option<SimTime>,
    }

    /// `corev1.ObjectReference`.
    #[derive(Eq)]
    pub struct ObjectReference {
        pub api_version: String,
        pub field_path: String,
        pub kind: String,
        pub name: String,
        pub namespace: String,
        pub resource_version: String,
        pub uid: String,
    }
}
