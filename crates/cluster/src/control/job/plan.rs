//! What a sync decides, as a pure function of the Job, its Pods, the memory of failures and the time.
//!
//! A sync has three steps, with writes between them: [`plan`] says which Pods to delete and to make; once that is done,
//! [`Plan::account`] says what to write into the status and which finalizers to take off; then
//! [`Tally::settle`](super::tracking::Tally::settle) says what to write last.
//!
//! Rules: `docs/semantics/job.md` §2 (steps 7–14), §4, §7, §9, §11.
//! Source: `pkg/controller/job/job_controller.go` (`syncJob`, `manageJob`).

use crate::control::job::backoff::{Backoff, BackoffRecord, finish_time};
use crate::control::job::indexed::{FailureCounts, Indexes, Intervals, replaces_only_failed};
use crate::control::job::pods::{self, JobPod, NewPod};
use crate::control::job::policy::{self, Verdict};
use crate::control::job::tracking::{Tally, tally};
use crate::store::Rule;
use api::batch::{Job, JobCondition, JobStatus};
use values::sorted::SortedSet;
use values::time::{SimTime, Span};

/// How many Pods one sync makes or deletes at most.
const MAX_POD_CREATE_DELETE_PER_SYNC: usize = 500;
/// How long changes of Pods and of the status are gathered before a sync; also the shortest wait for a back-off.
pub const SYNC_JOB_BATCH_PERIOD: Span = Span::secs(1);

/// How a Job ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    pub success: bool,
    /// True once `SuccessCriteriaMet` or `FailureTarget` stands in the status.
    pub announced: bool,
    pub reason: String,
    pub message: String,
    /// The numbers that its rule's sentence speaks of.
    pub counts: [i64; 2],
}

impl End {
    fn failure(reason: &str, message: &str) -> End {
        End { success: false, announced: false, reason: reason.to_owned(), message: message.to_owned(), counts: [0; 2] }
    }

    fn success(reason: &str, message: &str) -> End {
        End { success: true, ..End::failure(reason, message) }
    }

    fn announced(success: bool, condition: &JobCondition) -> End {
        End { success, announced: true, ..End::failure(&condition.reason, &condition.message) }
    }

    /// The rule that ends the Job, for explanations: mostly the field of the spec that asks for it.
    pub fn rule(&self) -> Rule {
        match self.reason.as_str() {
            "PodFailurePolicy" => Rule::JobPodFailurePolicy,
            "BackoffLimitExceeded" => Rule::JobBackoffLimit,
            "DeadlineExceeded" => Rule::JobActiveDeadline,
            "MaxFailedIndexesExceeded" => Rule::JobMaxFailedIndexes,
            "FailedIndexes" => Rule::JobBackoffLimitPerIndex,
            "SuccessPolicy" => Rule::JobSuccessPolicy,
            _ => Rule::JobCompletions,
        }
    }

    /// What the rule's sentence counts, for an end that an earlier sync announced.
    fn counts_of(&self, job: &Job, failed: i64, succeeded: i64) -> [i64; 2] {
        match self.rule() {
            Rule::JobBackoffLimit => [failed, i64::from(job.spec.backoff_limit.unwrap_or(6))],
            Rule::JobActiveDeadline => [job.spec.active_deadline_seconds.unwrap_or(0).saturating_mul(1000), 0],
            Rule::JobMaxFailedIndexes => {
                let indexes = job.status.failed_indexes.as_deref().unwrap_or_default();
                let failed = Intervals::parse(indexes, i64::MAX).total();
                [failed, i64::from(job.spec.max_failed_indexes.unwrap_or(0))]
            }
            Rule::JobCompletions => [succeeded, job.spec.completions.map_or(succeeded, i64::from)],
            _ => [0; 2],
        }
    }
}

/// What to do with the Job's Pods, and what was found on the way.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    job: &'a Job,
    pods: &'a [JobPod],
    /// Pods to delete.
    pub deletions: Vec<&'a JobPod>,
    /// True if the deleted Pods lose their finalizer first, so that nobody counts them.
    pub strips_finalizers: bool,
    /// Pods to make, in slow-start batches.
    pub creations: Vec<NewPod>,
    /// When the Job needs a sync even if nothing happens: its deadline, or the end of its back-off.
    pub sync_after: Option<Span>,
    /// The back-off that keeps it from making Pods now: what is left of it, by which rule, and that rule's counts.
    pub held: Option<(Span, Rule, [i64; 2])>,
    /// Pods on their way out keep it from making others in their place.
    pub awaits_ending: bool,
    /// The failures, to be remembered once they stand in the status.
    pub record: BackoffRecord,
    /// True unless the Job ends or is being deleted: only then is its suspension noted.
    managed: bool,
    end: Option<End>,
    indexes: Option<Indexes<'a>>,
    succeeded: i64,
    /// Failures that count towards `backoffLimit`, so far.
    failed: i64,
    start_time: Option<SimTime>,
}

/// How far the writes of a [`Plan`] succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Carried {
    pub created: usize,
    pub deleted: usize,
    /// How many of the deleted Pods were ready.
    pub deleted_ready: usize,
}

/// What the status says of `spec.suspend`, when that changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suspension {
    Suspended,
    Resumed,
}

/// Decides what happens to the Pods. `pods` are those the Job manages, as they stand now.
pub fn plan<'a>(job: &'a Job, pods: &'a [JobPod], record: BackoffRecord, now: SimTime) -> Plan<'a> {
    let finished = Finished::new(job, pods);
    let indexes = job.is_indexed().then(|| Indexes::new(job, pods));
    let succeeded = indexes.as_ref().map_or(finished.succeeded, |indexes| indexes.succeeded.total());
    let start_time = job.status.start_time.or((!job.is_suspended()).then_some(now));
    let mut plan = Plan {
        job,
        pods,
        deletions: Vec::new(),
        strips_finalizers: false,
        creations: Vec::new(),
        sync_after: deadline_in(job, start_time, now),
        held: None,
        awaits_ending: false,
        record: record.with(&finished.success_times, &finished.failure_times),
        managed: false,
        end: None,
        indexes,
        succeeded,
        failed: finished.failed,
        start_time,
    };
    plan.end = plan.find_end(finished.failed, now);
    if let Some(end) = &mut plan.end {
        end.counts = end.counts_of(job, finished.failed, succeeded);
    }
    if plan.end.is_some() {
        plan.sync_after = None;
        plan.deletions = plan.active().collect();
    } else if !job.metadata.is_being_deleted() {
        plan.managed = true;
        plan.manage(now);
    }
    plan
}

impl<'a> Plan<'a> {
    /// True if the Job ends now because its time is over.
    pub fn is_over_time(&self) -> bool {
        self.end.as_ref().is_some_and(|end| !end.announced && end.rule() == Rule::JobActiveDeadline)
    }

    /// The rule by which Pods are deleted, and its counts.
    pub fn deletion_rule(&self) -> (Rule, [i64; 2]) {
        match &self.end {
            Some(end) => (end.rule(), end.counts),
            None if self.job.is_suspended() => (Rule::JobSuspend, [0; 2]),
            None => (Rule::JobSurplus, self.wanted_and_active()),
        }
    }

    /// The rule by which Pods are made, and its counts: the first ones because the spec asks for them, later ones because
    /// others failed.
    pub fn creation_rule(&self) -> (Rule, [i64; 2]) {
        match self.record.failures_after_last_success {
            0 => (Rule::JobParallelism, self.wanted_and_active()),
            _ => (Rule::JobReplacement, [self.failed, i64::from(self.job.spec.backoff_limit.unwrap_or(6))]),
        }
    }

    fn wanted_and_active(&self) -> [i64; 2] {
        let active = self.active().count();
        [self.wanted_active(active), active].map(|count| i64::try_from(count).unwrap_or(i64::MAX))
    }

    fn active(&self) -> impl Iterator<Item = &'a JobPod> + use<'a> {
        self.pods.iter().filter(|pod| pod.is_active())
    }

    /// The first reason for the Job to end.
    fn find_end(&self, failed: i64, now: SimTime) -> Option<End> {
        let job = self.job;
        let standing = |kind| job.status.conditions.iter().find(|c| c.kind == kind && c.status == "True");
        if let Some(condition) = standing("SuccessCriteriaMet") {
            return Some(End::announced(true, condition));
        }
        if let Some(condition) = standing("FailureTarget") {
            return Some(End::announced(false, condition));
        }
        if let Some(message) = self.fail_job_message() {
            return Some(End::failure("PodFailurePolicy", &message));
        }
        let backoff_limit = i64::from(job.spec.backoff_limit.unwrap_or(6));
        if failed > backoff_limit || restarts_exceed(job, self.pods, backoff_limit) {
            return Some(End::failure("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
        }
        if deadline_in(job, self.start_time, now).is_some_and(|left| left <= Span::ZERO) {
            return Some(End::failure("DeadlineExceeded", "Job was active longer than specified deadline"));
        }
        let indexes = self.indexes.as_ref()?;
        if let Some(failed) = indexes.failed.as_ref().map(|failed| failed.total()) {
            if job.spec.max_failed_indexes.is_some_and(|most| failed > i64::from(most)) {
                let message = "Job has exceeded the specified maximal number of failed indexes";
                return Some(End::failure("MaxFailedIndexesExceeded", message));
            }
            if failed > 0 && failed + self.succeeded >= indexes.completions {
                return Some(End::failure("FailedIndexes", "Job has failed indexes"));
            }
        }
        let message = policy::success(job.spec.success_policy.as_ref(), indexes.completions, &indexes.succeeded)?;
        Some(End::success("SuccessPolicy", &message))
    }

    /// The message of the first failed Pod that a `FailJob` rule matches.
    fn fail_job_message(&self) -> Option<String> {
        let policy = self.job.spec.pod_failure_policy.as_ref()?;
        let failed = self.pods.iter().filter(|pod| pod.is_failed(self.job));
        failed.map(|pod| policy::judge(Some(policy), pod.pod())).find_map(|verdict| match verdict {
            Verdict::FailJob(message) => Some(message),
            _ => None,
        })
    }

    /// Brings the number of active Pods to what the spec asks for: deletes some, or makes some, never both.
    fn manage(&mut self, now: SimTime) {
        let active = self.active().count();
        if self.job.is_suspended() {
            self.strips_finalizers = true;
            self.deletions = pods::for_removal(self.job, self.active().collect(), active);
            return;
        }
        let wanted = self.wanted_active(active);
        let surplus = active.saturating_sub(wanted);
        self.deletions = pods::for_removal(self.job, self.active().collect(), surplus);
        self.deletions.truncate(MAX_POD_CREATE_DELETE_PER_SYNC);
        if !self.deletions.is_empty() {
            self.strips_finalizers = true;
            return;
        }
        let only_failed = replaces_only_failed(self.job);
        let ending = if only_failed { self.pods.iter().filter(|pod| pod.is_terminating()).count() } else { 0 };
        let missing = wanted.saturating_sub(ending).saturating_sub(active).min(MAX_POD_CREATE_DELETE_PER_SYNC);
        self.awaits_ending = missing == 0 && ending > 0 && wanted > active;
        if missing > 0 {
            self.make_pods(missing, now);
        }
    }

    fn wanted_active(&self, active: usize) -> usize {
        let parallelism = usize::try_from(self.job.spec.parallelism.unwrap_or(1)).unwrap_or(0);
        match self.job.spec.completions {
            // A work queue: once one Pod has succeeded no more are started, and the others may finish.
            None if self.succeeded > 0 => active,
            None => parallelism,
            Some(completions) => usize::try_from(i64::from(completions) - self.succeeded).unwrap_or(0).min(parallelism),
        }
    }

    /// Plans `missing` Pods, or waits for the back-off.
    fn make_pods(&mut self, missing: usize, now: SimTime) {
        let per_index = self.job.spec.backoff_limit_per_index.is_some();
        let wait = if per_index { Span::ZERO } else { self.record.remaining(Backoff::POD_FAILURE, now) };
        if wait.is_positive() {
            let failures = self.record.failures_after_last_success;
            let whole = Backoff::POD_FAILURE.after(failures).as_ms();
            return self.wait(wait, Rule::JobBackoff, [i64::from(failures), whole]);
        }
        let Some(indexes) = &self.indexes else {
            self.creations = vec![NewPod::default(); missing];
            return;
        };
        let mut chosen = indexes.first_pending(self.job, self.pods, missing);
        if per_index {
            chosen = match indexes.past_backoff(chosen, now) {
                Ok(chosen) => chosen,
                Err(wait) => return self.wait(wait, Rule::JobIndexBackoff, [0, wait.as_ms()]),
            };
        }
        let failures = |index| {
            let failed = indexes.awaiting_replacement.get(&index).map(|pod| pod.pod());
            per_index.then(|| FailureCounts::for_replacement(self.job, failed))
        };
        self.creations =
            chosen.into_iter().map(|index| NewPod { index: Some(index), failures: failures(index) }).collect();
    }

    /// Asks for a sync after a back-off; an earlier wish stays.
    fn wait(&mut self, wait: Span, rule: Rule, counts: [i64; 2]) {
        let wait = wait.max(SYNC_JOB_BATCH_PERIOD);
        self.held = Some((wait, rule, counts));
        self.sync_after = Some(self.sync_after.map_or(wait, |earlier| earlier.min(wait)));
    }

    /// Decides, after the Pods were deleted and made as far as that went, what the status says and whose finalizers
    /// are to go.
    pub fn account(&self, carried: Carried, now: SimTime) -> Tally<'a> {
        let active = self.active().count() + carried.created - carried.deleted;
        let mut status = JobStatus { start_time: self.start_time, ..self.job.status.clone() };
        let mut suspension = None;
        let mut end = self.end.clone();
        if end.is_some() {
            // While a Pod of the Job may still be running, the Job cannot be called finished.
            end = end.filter(|_| carried.deleted == self.deletions.len());
        } else if self.is_complete(active) {
            let mut done = End::success("CompletionsReached", "Reached expected number of succeeded pods");
            done.counts = done.counts_of(self.job, self.failed, self.succeeded);
            end = Some(done);
        } else if self.managed {
            suspension = note_suspension(self.job, &mut status, now);
        }
        let ready = self.active().filter(|pod| pod.pod().is_ready()).count() - carried.deleted_ready;
        let terminating = self.pods.iter().filter(|pod| pod.is_terminating()).count() + carried.deleted;
        status.active = active as i32;
        status.ready = Some(ready as i32);
        status.terminating = Some(terminating as i32);
        let mut tally = tally(self.job, self.pods, self.indexes.as_ref(), end, status, now);
        tally.suspension = suspension;
        tally
    }

    fn is_complete(&self, active: usize) -> bool {
        let enough = match self.job.spec.completions {
            None => self.succeeded > 0,
            Some(completions) => self.succeeded >= i64::from(completions),
        };
        enough && active == 0
    }
}

/// Sets the condition `Suspended` as the spec has it, and what hangs on it: the Job's clock starts anew on each resume.
fn note_suspension(job: &Job, status: &mut JobStatus, now: SimTime) -> Option<Suspension> {
    if job.is_suspended() {
        // Since 1.36 a suspended Job has no start time (`MutableSchedulingDirectivesForSuspendedJobs`).
        status.start_time = None;
        return ensure_condition(status, "Suspended", true, "JobSuspended", "Job suspended", now)
            .then_some(Suspension::Suspended);
    }
    let resumed = ensure_condition(status, "Suspended", false, "JobResumed", "Job resumed", now);
    if resumed {
        status.start_time = Some(now);
    }
    resumed.then_some(Suspension::Resumed)
}

/// Sets a condition. One that is missing is only added if it is true. True if anything changed.
pub fn ensure_condition(
    status: &mut JobStatus,
    kind: &str,
    is_true: bool,
    reason: &str,
    message: &str,
    now: SimTime,
) -> bool {
    let wanted = JobCondition {
        kind: kind.to_owned(),
        status: if is_true { "True" } else { "False" }.to_owned(),
        last_probe_time: Some(now),
        last_transition_time: Some(now),
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    match status.conditions.iter_mut().find(|c| c.kind == kind) {
        Some(c) if (&c.status, &c.reason, &c.message) == (&wanted.status, &wanted.reason, &wanted.message) => false,
        Some(condition) => {
            *condition = wanted;
            true
        }
        None if is_true => {
            status.conditions.push(wanted);
            true
        }
        None => false,
    }
}

/// Pods whose end the status does not know yet.
struct Finished {
    /// With those the status knows.
    succeeded: i64,
    /// With those the status knows, without ignored ones.
    failed: i64,
    success_times: Vec<SimTime>,
    /// Ignored failures too: they cause back-off.
    failure_times: Vec<SimTime>,
}

impl Finished {
    fn new(job: &Job, pods: &[JobPod]) -> Finished {
        let (succeeded, failed) = newly_finished(job, pods);
        let policy = job.spec.pod_failure_policy.as_ref();
        let counted = failed.iter().filter(|pod| policy::judge(policy, pod.pod()).counts()).count();
        let known = job.status.uncounted_terminated_pods.as_ref();
        let (known_succeeded, known_failed) = known.map_or((0, 0), |u| (u.succeeded.len(), u.failed.len()));
        Finished {
            succeeded: i64::from(job.status.succeeded) + (succeeded.len() + known_succeeded) as i64,
            failed: i64::from(job.status.failed) + (counted + known_failed) as i64,
            success_times: succeeded.iter().map(|pod| finish_time(pod.pod())).collect(),
            failure_times: failed.iter().map(|pod| finish_time(pod.pod())).collect(),
        }
    }
}

/// Pods that have succeeded and failed and are neither counted nor noted as uncounted.
pub fn newly_finished<'a>(job: &Job, pods: &'a [JobPod]) -> (Vec<&'a JobPod>, Vec<&'a JobPod>) {
    let noted = job.status.uncounted_terminated_pods.as_ref();
    let set = |uids: Option<&'_ Vec<String>>| -> SortedSet<String> { uids.into_iter().flatten().cloned().collect() };
    let (noted_succeeded, noted_failed) = (set(noted.map(|n| &n.succeeded)), set(noted.map(|n| &n.failed)));
    let completions = i64::from(job.spec.completions.unwrap_or(0));
    let valid = |pod: &&JobPod| pod.is_tracked() && (!job.is_indexed() || pod.valid_index(completions).is_some());
    let succeeded = pods.iter().filter(valid).filter(|p| p.succeeded() && !noted_succeeded.contains(p.uid()));
    let failed = pods.iter().filter(valid).filter(|p| p.is_failed(job) && !noted_failed.contains(p.uid()));
    (succeeded.collect(), failed.collect())
}

/// How long until `activeDeadlineSeconds` is over, for a Job that runs.
fn deadline_in(job: &Job, start_time: Option<SimTime>, now: SimTime) -> Option<Span> {
    let allowed = job.spec.active_deadline_seconds.filter(|_| !job.is_suspended())?;
    Some(Span::secs(allowed) - now.since(start_time?))
}

/// With `restartPolicy: OnFailure`: whether the containers have been restarted too often.
fn restarts_exceed(job: &Job, pods: &[JobPod], backoff_limit: i64) -> bool {
    if job.spec.template.str_at("spec.restartPolicy") != Some("OnFailure") {
        return false;
    }
    let restarts: i64 = pods
        .iter()
        .map(JobPod::pod)
        .filter(|pod| pod.status.phase == "Running" || pod.status.phase == "Pending")
        .flat_map(|pod| pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses))
        .map(|status| i64::from(status.restart_count))
        .sum();
    if backoff_limit == 0 { restarts > 0 } else { restarts >= backoff_limit }
}
