//! One sync of one CronJob: clean up, read, decide, write.
//!
//! Rule: `docs/semantics/cronjob.md` §2 and §3 (steps 11 to 14), §5 for the Job that is made. The status is written
//! once, and the events follow, as the recorder of a real controller sends them behind its back. Source:
//! `pkg/controller/cronjob/cronjob_controllerv2.go` (`sync`, `syncCronJob`), `utils.go` (`getJobFromTemplate2`).

use std::rc::Rc;

use crate::control::cronjob::history;
use crate::control::cronjob::plan::{self, Decision, Note};
use crate::control::cronjob::schedule::{Timing, Timings, requeue_at};
use crate::store::{Api, Cause, DeleteOptions, EntryId, Happened, Rule, Store, Subject};
use api::batch::{CronJob, ObjectReference};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::status::{ApiError, Reason};
use values::object;
use values::time::SimTime;
use values::value::Value;
use values::zone::Zone;

/// The annotation that tells a Job the time it was scheduled for.
pub const SCHEDULED_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// How many missed moments of a schedule are noted one by one when one Job makes up for all of them.
const NOTED_MISSES: usize = 20;

/// How a sync ended, and what it asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NextLook {
    /// Wait for a change.
    Rest,
    /// Wait for the table of time zones.
    AwaitZones,
    /// Look again at this time.
    Requeue(SimTime),
    /// Try again soon, later each time.
    Failed(ApiError),
}

/// The Jobs that belong to the CronJob: all of its namespace whose controller has its name.
pub fn jobs_of(store: &Store, namespace: &str, name: &str) -> Vec<Rc<Object>> {
    let is_ours = |job: &&Rc<Object>| job.meta().controller().is_some_and(|owner| owner.name == name);
    store.list_in(Kind::Job, namespace).filter(is_ours).cloned().collect()
}

/// Syncs `object`, a CronJob, with `jobs`, all that belong to it.
pub fn sync(api: &mut Api<'_>, object: &Object, jobs: &[Rc<Object>], timings: &mut Timings) -> NextLook {
    let mut cron = (**object.cron_job()).clone();
    let mut sync = Sync { api, object, cron: &mut cron, notes: Vec::new(), changed: false };
    sync.clean_history(jobs);
    let mut outcome = sync.reconcile(jobs, timings);
    if sync.changed
        && let Err(error) = sync.api.update_status(&object.key(), Value::encode(&sync.cron.status))
    {
        outcome = NextLook::Failed(error);
    }
    let deciding = sync.api.cause();
    for Note { event_type, reason, message, skips } in &sync.notes {
        if let Some((scheduled, rule, counts)) = *skips {
            timings.note_skip(sync.api, object, scheduled, rule, counts);
        }
        sync.api.event(object, *event_type, reason, message);
        sync.api.set_cause(deciding);
    }
    outcome
}

struct Sync<'s, 'a> {
    api: &'s mut Api<'a>,
    /// The CronJob as it was read.
    object: &'s Object,
    /// The same with its status as it is to be.
    cron: &'s mut CronJob,
    notes: Vec<Note>,
    /// The status is to be written.
    changed: bool,
}

impl Sync<'_, '_> {
    fn clean_history(&mut self, jobs: &[Rc<Object>]) {
        for job in history::surplus(&self.cron.spec, jobs) {
            self.api.because_of(Rule::CronJobHistory, history::kept_and_had(&self.cron.spec, jobs, &job));
            self.changed |= self.delete_job(&job).is_ok();
        }
    }

    fn reconcile(&mut self, jobs: &[Rc<Object>], timings: &mut Timings) -> NextLook {
        self.api.because(Rule::CronJobStatus);
        let stored = self.api.get(&self.object.key()).unwrap_or_else(|| Rc::new(self.object.clone()));
        self.changed |= plan::review_jobs(self.cron, stored.cron_job(), jobs, &mut self.notes);
        let store = self.api.store();
        let exists = |job: &ObjectReference| store.find(Kind::Job, &job.namespace, &job.name).is_some();
        self.changed |= plan::drop_missing(self.cron, jobs, exists, &mut self.notes);
        let asked = timings.asked(&self.object.key());
        let timing = timings.of(&self.object.key(), &self.cron.spec);
        match plan::decide(self.cron, timing, self.api.now(), &mut self.notes) {
            Decision::Rest => NextLook::Rest,
            Decision::AwaitZones => NextLook::AwaitZones,
            Decision::Requeue(at) => NextLook::Requeue(at),
            Decision::Start(due) => self.start(due, timing, asked).unwrap_or_else(NextLook::Failed),
        }
    }

    /// Makes the Job that is due, in place of those that run if the policy says so.
    fn start(&mut self, due: SimTime, timing: &Timing, asked: Option<EntryId>) -> Result<NextLook, ApiError> {
        self.note_due(due, timing, asked);
        if self.cron.spec.concurrency_policy == "Replace" {
            self.api.because(Rule::CronJobReplace);
            self.replace_active()?;
        }
        self.api.because(Rule::CronJobStart);
        let zone = timing.zone.clone().unwrap_or_default();
        let job = match self.api.create(job_from_template(self.object, due, &zone)) {
            Ok(job) => {
                self.notes.push(Note::normal("SuccessfulCreate", format!("Created job {}", job.name())));
                job
            }
            Err(error) if error.reason == Reason::AlreadyExists => match self.existing_job(due)? {
                Some(job) => job,
                None => return Ok(NextLook::Rest),
            },
            Err(error) => {
                // In a namespace that goes away nothing can be made, and nobody needs to hear of it.
                if !self.namespace_is_terminating() {
                    self.notes.push(Note::warning("FailedCreate", format!("Error creating job: {error}")));
                }
                return Err(error);
            }
        };
        self.cron.status.active.push(reference(&job));
        self.cron.status.last_schedule_time = Some(due);
        self.changed = true;
        let schedule = timing.schedule.as_ref().ok();
        let next = schedule.and_then(|schedule| requeue_at(self.cron, self.api.now(), schedule));
        Ok(next.map_or(NextLook::Rest, NextLook::Requeue))
    }

    /// Notes that a moment of the schedule has come, and those before it that no Job was made for.
    fn note_due(&mut self, due: SimTime, timing: &Timing, asked: Option<EntryId>) {
        let woken = self.api.cause();
        let asked = Cause { by: asked.or(woken.by), ..woken };
        let last = self.cron.status.last_schedule_time.or(self.cron.metadata.creation_timestamp);
        let mut missed = last;
        for _ in 0..NOTED_MISSES {
            let next = missed.zip(timing.schedule.as_ref().ok());
            missed = next.and_then(|(at, schedule)| schedule.next(at, &Zone::UTC)).filter(|at| *at < due);
            let Some(scheduled) = missed else { break };
            self.api.set_cause(asked.rule(Rule::CronJobOneForMany));
            self.api.happened(Some(Subject::from(self.object)), Happened::ScheduleSkipped { scheduled });
        }
        self.api.set_cause(asked.rule(Rule::CronJobStart));
        self.api.note(Subject::from(self.object), Happened::ScheduleMet { scheduled: due });
    }

    fn replace_active(&mut self) -> Result<(), ApiError> {
        for active in self.cron.status.active.clone() {
            let Some(job) = self.api.find(Kind::Job, &active.namespace, &active.name) else {
                let error = ApiError::not_found(Kind::Job, &active.name);
                self.notes.push(Note::warning("FailedGet", format!("Get job: {error}")));
                return Err(error);
            };
            self.delete_job(&job)?;
            self.changed = true;
        }
        Ok(())
    }

    /// The Job that has the name already, if it is ours and forgotten: made by a sync whose status was lost.
    fn existing_job(&self, due: SimTime) -> Result<Option<Rc<Object>>, ApiError> {
        let name = plan::job_name(self.object.name(), due);
        let job = self.api.find(Kind::Job, self.object.namespace(), &name);
        let job = job.ok_or_else(|| ApiError::not_found(Kind::Job, &name))?;
        let is_forgotten = job.meta().is_controlled_by(self.object.uid()) && !plan::is_active(self.cron, job.uid());
        Ok(is_forgotten.then_some(job))
    }

    fn delete_job(&mut self, job: &Object) -> Result<(), ApiError> {
        let result = self.api.delete(&job.key(), &DeleteOptions::background());
        self.notes.push(match &result {
            Ok(()) => {
                plan::drop_active(self.cron, job.uid());
                Note::normal("SuccessfulDelete", format!("Deleted job {}", job.name()))
            }
            Err(error) => Note::warning("FailedDelete", format!("Deleted job: {error}")),
        });
        result
    }

    fn namespace_is_terminating(&self) -> bool {
        let namespace = self.api.store().get(&Key::new(Kind::Namespace, "", self.object.namespace()));
        namespace.is_some_and(|namespace| namespace.meta().is_being_deleted())
    }
}

/// The Job of a CronJob for a scheduled time; `zone` is the one the time is written in.
pub fn job_from_template(cron: &Object, due: SimTime, zone: &Zone) -> Value {
    let template = cron.value().at("spec.jobTemplate");
    let owner = object! {
        "apiVersion" => Kind::CronJob.info().api_version(), "kind" => Kind::CronJob.name(), "name" => cron.name(),
        "uid" => cron.uid(), "controller" => true, "blockOwnerDeletion" => true,
    };
    // The key has dots in it, so the path stops before it.
    let mut annotations = template.at("metadata.annotations").clone();
    annotations.map_mut().insert(SCHEDULED_TIMESTAMP, zone.rfc3339(due));
    let mut metadata = object! {
        "name" => plan::job_name(cron.name(), due), "namespace" => cron.namespace(),
        "annotations" => annotations, "ownerReferences" => vec![owner],
    };
    let labels = template.at("metadata.labels");
    if !labels.is_empty() {
        metadata.set("labels", labels.clone());
    }
    object! {
        "apiVersion" => Kind::Job.info().api_version(), "kind" => Kind::Job.name(),
        "metadata" => metadata, "spec" => template.at("spec").clone(),
    }
}

fn reference(job: &Object) -> ObjectReference {
    ObjectReference {
        api_version: Kind::Job.info().api_version().to_string(),
        kind: Kind::Job.name().to_owned(),
        name: job.name().to_owned(),
        namespace: job.namespace().to_owned(),
        uid: job.uid().to_owned(),
        resource_version: job.resource_version().to_string(),
        field_path: String::new(),
    }
}
