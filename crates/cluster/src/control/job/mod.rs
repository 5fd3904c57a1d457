//! The Job controller: makes a Job's Pods, replaces failed ones after a back-off, counts them, and ends the Job.
//!
//! A sync is read (`sync`), decide ([`plan`](mod@plan), [`tracking`]; pure), write (`sync` again). This file hears of
//! changes and says when each Job is due.
//!
//! Rules: `docs/semantics/job.md`, for this file §1. Source: `pkg/controller/job/job_controller.go` (event handlers).
//!
//! The real controller reads a cache that may lag behind its own writes, and so keeps *expectations*: which Pods it
//! should soon see appear, vanish or lose a finalizer. Here a sync reads the store itself, which is never stale, so
//! there is nothing to expect. For the same reason a sync never meets a Job whose end it wrote but cannot see yet.

pub mod backoff;
pub mod indexed;
pub mod plan;
pub mod pods;
pub mod policy;
mod sync;
pub mod tracking;
mod turns;
mod watch;

use crate::actor::{Actor, Due, Hold, Retry, WorkQueue};
use crate::control::job::turns::Turns;
use crate::store::{Api, Cause, Change, ChangeType, Happened, Rule, Store, Subject};
use api::batch::{JOB_TRACKING_FINALIZER, Job};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};

use backoff::{Backoff, BackoffRecord};
use plan::SYNC_JOB_BATCH_PERIOD;
use watch::PodIndex;

/// `spec.managedBy` of Jobs that are this controller's (`JobControllerName`), as are Jobs without it.
const CONTROLLER_NAME: &str = "kubernetes.io/job-controller";
/// `DefaultJobApiBackOff` and `MaxJobApiBackOff`: how a failed sync is tried again.
const API_RETRY: Retry = Retry { base: Span::secs(1), max: Span::secs(60) };
/// Milliseconds from a change to the work it causes, at least and at most (`docs/semantics/latencies.md`: a Job's first
/// Pod is created about 10 ms after the Job).
const LATENCY_MS: (i64, i64) = (4, 14);

/// The actor. Its whole state is plain data.
#[derive(Clone, Debug)]
pub struct JobController {
    rng: Rng,
    /// Jobs that are due for a sync.
    jobs: WorkQueue<Key>,
    /// Pods that may have to lose their tracking finalizer because no Job will count them.
    orphans: WorkQueue<Key>,
    /// Failures by Job.
    records: SortedMap<Key, BackoffRecord>,
    pods: PodIndex,
    /// What turned the course of Jobs that have not ended, for explanations.
    turns: SortedMap<Key, Turns>,
}

impl JobController {
    pub fn new(rng: Rng) -> JobController {
        JobController {
            rng,
            jobs: WorkQueue::new(),
            orphans: WorkQueue::new(),
            records: SortedMap::new(),
            pods: PodIndex::default(),
            turns: SortedMap::new(),
        }
    }

    /// Forgets a Job that has ended or gone.
    fn forget(&mut self, key: &Key) {
        self.records.remove(key);
        self.turns.remove(key);
    }

    /// Puts a Job back whose sync was refused something, and says so.
    fn try_again(&mut self, api: &mut Api<'_>, due: Due<Key>) {
        let now = api.now();
        self.jobs.retry(due.key.clone(), now, API_RETRY, due.cause);
        let (Some(until), Some(job)) = (self.jobs.due_at(&due.key), api.get(&due.key)) else { return };
        api.set_cause(due.cause.counted(Rule::JobRefused, [until.since(now).as_ms(), 0]));
        api.happened(Some(Subject::from(&*job)), Happened::Held { until: Some(until) });
    }

    /// When work that `change` causes is done.
    fn soon(&self, change: &Change) -> SimTime {
        let (low, high) = LATENCY_MS;
        change.at + Span::ms(self.rng.between_of("job/latency", format_args!("{}", change.revision), low, high))
    }

    /// When a sync for a change that can wait is done: such changes are gathered for a second.
    fn batched(&self, change: &Change) -> SimTime {
        self.soon(change) + SYNC_JOB_BATCH_PERIOD
    }

    fn observe_job(&mut self, change: &Change, store: &Store) {
        let (object, cause) = (&change.object, change.cause());
        let is_update = change.change == ChangeType::Modified;
        let at = if is_update && !change.changes_spec() { self.batched(change) } else { self.soon(change) };
        self.jobs.add(object.key(), at, cause);
        let job = object.job();
        if change.change != ChangeType::Deleted && job.finished().is_none() {
            self.turns.entry(object.key()).or_default().observe_job(change);
        }
        if change.change == ChangeType::Deleted || (is_update && job.finished().is_some()) {
            // Nobody will count these Pods any more; their finalizers would keep them for ever.
            let keys: Vec<Key> = self.pods.of_job(object.uid()).map(|pod| pod.object().key()).collect();
            // The same step may have changed them since.
            let pods = keys.iter().filter_map(|key| store.get(key));
            for pod in pods.filter(|pod| pod.meta().has_finalizer(JOB_TRACKING_FINALIZER)) {
                self.orphans.add(pod.key(), self.soon(change), cause);
            }
        }
        if is_update {
            self.observe_deadline(change, job);
        }
    }

    /// A new `activeDeadlineSeconds` of a Job that has started asks for a sync of its own.
    fn observe_deadline(&mut self, change: &Change, job: &Job) {
        let before = change.previous.as_ref().and_then(|previous| previous.job().spec.active_deadline_seconds);
        let (Some(start), Some(deadline)) = (job.status.start_time, job.spec.active_deadline_seconds) else { return };
        if before != Some(deadline) {
            let at = (start + Span::secs(deadline)).max(change.at + SYNC_JOB_BATCH_PERIOD);
            self.jobs.add(change.object.key(), at, change.cause());
        }
    }

    fn observe_pod(&mut self, change: &Change, store: &Store) {
        self.pods.observe(change);
        let pod = change.object.pod();
        let controller = pod.metadata.controller();
        let before = change.previous.as_ref().filter(|_| change.change == ChangeType::Modified);
        let former = before.and_then(|previous| watch::job_uid(previous));
        let owner = watch::job_uid(&change.object);
        if let Some(former) = former.filter(|former| Some(*former) != owner) {
            self.sync_owner(former, before.unwrap_or(&change.object), change, store);
        }
        let is_leaving = change.change == ChangeType::Deleted || pod.metadata.is_being_deleted();
        match (owner, controller) {
            (Some(uid), _) => {
                let job = watch::find_job(uid, &change.object, store);
                if is_leaving && job.as_ref().is_none_or(|job| job.job().finished().is_some()) {
                    self.check_orphan(change);
                } else if let Some(job) = job {
                    if job.job().finished().is_none() {
                        self.turns.entry(job.key()).or_default().observe_pod(change);
                    }
                    self.jobs.add(job.key(), self.batched(change), change.cause());
                }
            }
            (None, Some(_)) => {}
            (None, None) => {
                self.check_orphan(change);
                if !is_leaving && (before.is_none() || watch::changed_hands(change)) {
                    self.sync_adopters(change, store);
                }
            }
        }
    }

    /// The Job that a Pod has left takes note.
    fn sync_owner(&mut self, uid: &str, pod: &Object, change: &Change, store: &Store) {
        if watch::find_job(uid, pod, store).is_some() {
            self.jobs.add(watch::job_key(pod), self.batched(change), change.cause());
        }
    }

    /// Jobs whose selector matches a Pod that nobody manages may want it.
    fn sync_adopters(&mut self, change: &Change, store: &Store) {
        let labels = &change.object.pod().metadata.labels;
        for job in store.list_in(Kind::Job, change.object.namespace()) {
            if job.job().spec.selector.as_ref().is_some_and(|selector| selector.matches(labels)) {
                self.jobs.add(job.key(), self.batched(change), change.cause());
            }
        }
    }

    fn check_orphan(&mut self, change: &Change) {
        let exists = change.change != ChangeType::Deleted;
        if exists && change.object.meta().has_finalizer(JOB_TRACKING_FINALIZER) {
            self.orphans.add(change.object.key(), self.soon(change), change.cause());
        }
    }
}

impl Actor for JobController {
    fn name(&self) -> &'static str {
        "job-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        match change.kind() {
            Kind::Job => self.observe_job(change, store),
            Kind::Pod => self.observe_pod(change, store),
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.jobs.next_at().into_iter().chain(self.orphans.next_at()).min()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let now = api.now();
        if let Some(due) = self.jobs.pop(now) {
            api.set_cause(due.cause);
            match self.sync_job(api, &due.key) {
                Ok(()) => self.jobs.forget(&due.key),
                Err(_) => self.try_again(api, due),
            }
        } else if let Some(due) = self.orphans.pop(now) {
            api.set_cause(due.cause);
            match self.sync_orphan(api, &due.key) {
                Ok(()) => self.orphans.forget(&due.key),
                Err(_) => self.orphans.retry(due.key, now, API_RETRY, due.cause),
            }
        }
    }

    fn back_off(&self, key: &Key) -> Option<Hold> {
        self.records.get(key)?.hold(Backoff::POD_FAILURE)
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        *self = JobController::new(self.rng);
        self.pods = PodIndex::read(store);
        for job in store.list(Kind::Job) {
            self.jobs.add(job.key(), now, cause);
        }
        for pod in store.list(Kind::Pod).filter(|pod| pod.meta().has_finalizer(JOB_TRACKING_FINALIZER)) {
            self.orphans.add(pod.key(), now, cause);
        }
    }
}
