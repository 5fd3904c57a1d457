//! One sync of one Job: reads its Pods, has the plan made, writes; and the clean-up of Pods that no Job counts.
//!
//! Rules: `docs/semantics/job.md` §2, §3 (order of writes), §4 step 7, §5 (events), §13.
//! Source: `pkg/controller/job/job_controller.go` (`syncJob`, `syncOrphanPod`, `deleteJobPods`).

use std::rc::Rc;

use crate::control::job::plan::{Carried, End, Plan, Suspension, plan};
use crate::control::job::pods::{JobPod, NewPod, PodTemplate};
use crate::control::job::turns::Turns;
use crate::control::job::{CONTROLLER_NAME, JobController, watch};
use crate::control::ref_manager::{self, Claim};
use crate::store::{Api, Cause, DeleteOptions, EventType, Happened, Rule, Subject};
use api::batch::{JOB_TRACKING_FINALIZER, Job, JobStatus};
use api::meta::Key;
use api::object::Object;
use api::status::{ApiError, Reason};
use values::value::Value;

impl JobController {
    /// Brings one Job a step further.
    ///
    /// # Errors
    /// Of a write; the sync is to be tried again.
    pub(super) fn sync_job(&mut self, api: &mut Api<'_>, key: &Key) -> Result<(), ApiError> {
        let Some(object) = api.get(key) else {
            self.forget(key);
            return Ok(());
        };
        let job = object.job();
        if job.finished().is_some() {
            self.forget(key);
            return Ok(());
        }
        if !is_managed_here(job) {
            return Ok(());
        }
        if !matches!(job.spec.completion_mode.as_deref(), None | Some("NonIndexed" | "Indexed")) {
            // Our API refuses such a Job, as does that of 1.36; a later version may know more modes.
            let message = "Skipped Job sync because completion mode is unknown";
            api.event(&object, EventType::Warning, "UnknownCompletionMode", message);
            return Ok(());
        }
        let pods = self.claim_pods(api, &object)?;
        let record = self.records.get(key).copied().unwrap_or_default();
        let now = api.now();
        let plan = plan(job, &pods, record, now);
        let woken = api.cause();
        if let Some(after) = plan.sync_after {
            let cause = self.note_wait(api, &object, &plan).unwrap_or(woken);
            self.jobs.add(key.clone(), now + after, cause);
        }
        if plan.awaits_ending {
            self.note_waiting_for_end(api, &object);
        }
        if plan.is_over_time() {
            let started = self.turns.get(key).and_then(|turns| turns.started);
            api.set_cause(Cause { by: started.or(woken.by), ..woken });
            let (rule, counts) = plan.deletion_rule();
            api.because_of(rule, counts);
            let over = api.note(Subject::from(&*object), Happened::TimeUp);
            api.set_cause(Cause::by(over));
        }
        let deciding = api.cause();
        let (carried, managed) = carry_out(api, &object, &plan, self.turns.get(key));
        api.set_cause(deciding);
        let tally = plan.account(carried, now);
        let (rule, counts) = tally.rule();
        if !matches!(rule, Rule::JobStatus | Rule::JobSuspend | Rule::JobResume) && rule != Rule::JobActiveDeadline {
            let ended = self.turns.get(key).and_then(|turns| turns.ended_by(rule));
            api.set_cause(Cause { by: ended.or(deciding.by), ..deciding });
        }
        api.because_of(rule, counts);
        let telling = api.cause();
        if write_status(api, &object, &tally.status)? {
            self.records.insert(key.clone(), plan.record);
        }
        if let Some(suspension) = tally.suspension {
            tell_suspension(api, &object, suspension);
        }
        api.because(Rule::JobCounted);
        let (kept, released) = release(api, &tally.released);
        let settled = tally.settle(&kept, now);
        api.set_cause(telling);
        if settled.finished.is_some() && lacks_start(job, &settled.status) {
            // The API refuses the end, and the counts written with it. It comes when the Job is resumed.
            return released.and(managed);
        }
        write_status(api, &object, &settled.status)?;
        if let Some(end) = &settled.finished {
            tell_end(api, &object, &settled.status, end);
        }
        self.pods.forget_recalled(object.uid());
        released.and(managed)
    }

    /// Notes that a back-off keeps the Job from making Pods, unless that is known; what comes after it is caused by it.
    fn note_wait(&mut self, api: &mut Api<'_>, object: &Object, plan: &Plan<'_>) -> Option<Cause> {
        let (left, rule, counts) = plan.held?;
        let (until, turns) = (api.now() + left, self.turns.entry(object.key()).or_default());
        if let Some((known, entry)) = turns.held
            && known == Some(until)
        {
            return Some(Cause::by(entry));
        }
        let woken = api.cause();
        api.set_cause(Cause { by: turns.failed.or(woken.by), ..woken }.counted(rule, counts));
        let entry = api.happened(Some(Subject::from(object)), Happened::Held { until: Some(until) });
        turns.held = Some((Some(until), entry));
        api.set_cause(woken);
        Some(Cause::by(entry))
    }

    /// Notes that Pods on their way out keep the Job from making others, once for each time one began to go.
    fn note_waiting_for_end(&mut self, api: &mut Api<'_>, object: &Object) {
        let turns = self.turns.entry(object.key()).or_default();
        if turns.held.is_some_and(|(until, entry)| until.is_none() && Some(entry) > turns.failed) {
            return;
        }
        let woken = api.cause();
        api.set_cause(Cause { by: turns.failed.or(woken.by), ..woken }.rule(Rule::JobReplaceWhenFailed));
        let entry = api.happened(Some(Subject::from(object)), Happened::Held { until: None });
        turns.held = Some((None, entry));
        api.set_cause(woken);
    }

    /// The Pods that matter and belong to the Job, after orphans were taken in and strays let go.
    fn claim_pods(&self, api: &mut Api<'_>, object: &Rc<Object>) -> Result<Vec<JobPod>, ApiError> {
        let job = object.job();
        let mut pods: Vec<JobPod> = self.pods.of_job(object.uid()).collect();
        let Some(selector) = &job.spec.selector else { return Ok(pods) };
        let mut strays = Vec::new();
        pods.retain(|pod| match ref_manager::claim(&job.metadata, selector, &pod.pod().metadata) {
            Claim::Release => {
                strays.push(pod.object().key());
                false
            }
            claim => claim == Claim::Keep,
        });
        let adopts = |pod: &&Rc<Object>| ref_manager::claim(&job.metadata, selector, pod.meta()) == Claim::Adopt;
        let orphans: Vec<Key> =
            self.pods.unmanaged(object.namespace(), api.store()).filter(adopts).map(|pod| pod.key()).collect();
        api.because(Rule::JobSelector);
        for stray in strays {
            ref_manager::release(api, &stray, object.uid(), Some(JOB_TRACKING_FINALIZER))?;
        }
        for orphan in orphans {
            ref_manager::adopt(api, &orphan, object, Some(JOB_TRACKING_FINALIZER))?;
            pods.extend(api.get(&orphan).map(JobPod::new));
        }
        Ok(pods)
    }

    /// Takes the tracking finalizer off a Pod, unless a Job is there to do so.
    ///
    /// # Errors
    /// Of the write; it is to be tried again.
    pub(super) fn sync_orphan(&mut self, api: &mut Api<'_>, key: &Key) -> Result<(), ApiError> {
        let Some(pod) = api.get(key) else { return Ok(()) };
        let job = watch::job_uid(&pod).and_then(|uid| watch::find_job(uid, &pod, api.store()));
        let is_foreign = pod.meta().controller().is_some() && watch::job_uid(&pod).is_none();
        let is_counted_by = |job: &Job| job.finished().is_none() || !is_managed_here(job);
        if is_foreign || job.is_some_and(|job| is_counted_by(job.job())) {
            return Ok(());
        }
        api.because(Rule::JobOrphan);
        let pod = JobPod::new(pod);
        let released = release(api, &[&pod]).1;
        if let Some(uid) = watch::job_uid(pod.object()) {
            self.pods.forget_recalled(uid);
        }
        released
    }
}

/// False if `spec.managedBy` names another controller.
fn is_managed_here(job: &Job) -> bool {
    job.spec.managed_by.as_deref().is_none_or(|name| name == CONTROLLER_NAME)
}

/// True if the Job may not end because it has not started: suspending takes `startTime` away, and the last Pod may
/// succeed after that (`docs/semantics/validation.md` §4).
fn lacks_start(job: &Job, status: &JobStatus) -> bool {
    status.start_time.is_none() && !(job.is_suspended() && job.spec.completions == Some(0))
}

/// Deletes and creates the plan's Pods. The first error is for the end of the sync: first the status is written.
fn carry_out(
    api: &mut Api<'_>,
    job: &Object,
    plan: &Plan<'_>,
    turns: Option<&Turns>,
) -> (Carried, Result<(), ApiError>) {
    let mut carried = Carried::default();
    let mut result = Ok(());
    let woken = api.cause();
    let (rule, counts) = plan.deletion_rule();
    let decided = turns.and_then(|turns| turns.ended_by(rule));
    api.set_cause(Cause { by: decided.or(woken.by), ..woken }.counted(rule, counts));
    for pod in &plan.deletions {
        let deleted = delete_pod(api, job, pod, plan.strips_finalizers);
        if deleted.is_ok() {
            carried.deleted += 1;
            carried.deleted_ready += usize::from(pod.pod().is_ready());
        }
        result = result.and(deleted);
    }
    let (rule, counts) = plan.creation_rule();
    let failed = turns.filter(|_| rule == Rule::JobReplacement).and_then(Turns::replaces);
    api.set_cause(Cause { by: failed.or(woken.by), ..woken }.counted(rule, counts));
    let created = create_pods(api, job, &plan.creations, &mut carried.created);
    (carried, result.and(created))
}

/// Deletes one Pod. One that has gone already is as good as deleted.
fn delete_pod(api: &mut Api<'_>, job: &Object, pod: &JobPod, strips_finalizer: bool) -> Result<(), ApiError> {
    if strips_finalizer && pod.is_tracked() {
        release(api, &[pod]).1?;
    }
    let name = &pod.pod().metadata.name;
    match api.delete(&pod.object().key(), &DeleteOptions::default()) {
        Err(error) if error.reason == Reason::NotFound => {}
        Err(error) => {
            api.event(job, EventType::Warning, "FailedDelete", &format!("Error deleting: {error}"));
            return Err(error);
        }
        Ok(()) => api.event(job, EventType::Normal, "SuccessfulDelete", &format!("Deleted pod: {name}")),
    }
    Ok(())
}

/// Creates Pods in batches of 1, 2, 4 …; after a batch with a failure the rest is left for later, so that a Job whose
/// Pods are all refused does not flood the API. `created` counts those that were made.
fn create_pods(api: &mut Api<'_>, job: &Object, mut creations: &[NewPod], created: &mut usize) -> Result<(), ApiError> {
    if creations.is_empty() {
        return Ok(());
    }
    let template = PodTemplate::new(job);
    let mut result = Ok(());
    let mut batch_size = 1;
    while !creations.is_empty() && result.is_ok() {
        let (batch, rest) = creations.split_at(batch_size.min(creations.len()));
        for new in batch {
            match api.create(template.make(*new)) {
                Ok(pod) => {
                    *created += 1;
                    api.event(job, EventType::Normal, "SuccessfulCreate", &format!("Created pod: {}", pod.name()));
                }
                // Nothing can be made there any more; trying again would be in vain.
                Err(error) if is_namespace_ending(&error) => return Ok(()),
                Err(error) => {
                    api.event(job, EventType::Warning, "FailedCreate", &format!("Error creating: {error}"));
                    result = result.and(Err(error));
                }
            }
        }
        creations = rest;
        batch_size *= 2;
    }
    result
}

fn is_namespace_ending(error: &ApiError) -> bool {
    error.reason == Reason::Forbidden && error.message.ends_with("because it is being terminated")
}

/// Takes the tracking finalizer off Pods; those that could not be let go come back with the first error.
fn release<'a>(api: &mut Api<'_>, pods: &[&'a JobPod]) -> (Vec<&'a JobPod>, Result<(), ApiError>) {
    let (mut kept, mut result) = (Vec::new(), Ok(()));
    for pod in pods {
        match api.remove_finalizer(&pod.object().key(), JOB_TRACKING_FINALIZER) {
            Err(error) if error.reason != Reason::NotFound => {
                kept.push(*pod);
                result = result.and(Err(error));
            }
            _ => {}
        }
    }
    (kept, result)
}

/// Writes the status, if it differs. True if it did.
fn write_status(api: &mut Api<'_>, job: &Object, status: &JobStatus) -> Result<bool, ApiError> {
    let before = api.store().revision();
    api.update_status(&job.key(), Value::encode(status))?;
    Ok(api.store().revision() != before)
}

fn tell_suspension(api: &mut Api<'_>, job: &Object, suspension: Suspension) {
    let (reason, message) = match suspension {
        Suspension::Suspended => ("Suspended", "Job suspended"),
        Suspension::Resumed => ("Resumed", "Job resumed"),
    };
    api.event(job, EventType::Normal, reason, message);
}

fn tell_end(api: &mut Api<'_>, job: &Object, status: &JobStatus, end: &End) {
    if !end.success {
        return api.event(job, EventType::Warning, &end.reason, &end.message);
    }
    if job.job().spec.completions.is_some_and(|completions| status.succeeded > completions) {
        let message = "Too many succeeded pods running after completion count reached";
        api.event(job, EventType::Warning, "TooManySucceededPods", message);
    }
    api.event(job, EventType::Normal, "Completed", "Job completed");
}
