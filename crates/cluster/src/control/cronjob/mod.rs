//! The CronJob controller: starts Jobs when they are due, keeps track of them, and clears away old ones.
//!
//! Rule: `docs/semantics/cronjob.md` §1 for what wakes it. A change wakes it at once, unless it is a new schedule: then
//! the next scheduled time does. Both may wait for one CronJob, and neither takes the other's place. Source:
//! `pkg/controller/cronjob/cronjob_controllerv2.go`.

pub mod history;
pub mod plan;
pub mod schedule;
pub mod sync;

use std::rc::Rc;

use crate::actor::{Actor, Retry, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, EventType, Store};
use api::batch::CronJob;
use api::kind::Kind;
use api::meta::{Key, OwnerReference};
use api::object::Object;
use values::rng::Rng;
use values::sorted::SortedSet;
use values::time::{SimTime, Span};
use values::zone::ZoneTable;

use self::plan::Wake;
use self::schedule::{Timing, Timings};
use self::sync::NextLook;

const NAME: &str = "cronjob-controller";

/// When the CronJob is next due after `now`. `None` if it is suspended or on its way out, if its schedule cannot be read
/// or never comes, or if its time zone cannot be told.
pub fn next_schedule(cron: &CronJob, now: SimTime, zones: &ZoneTable) -> Option<SimTime> {
    if cron.spec.suspend == Some(true) || cron.metadata.is_being_deleted() {
        return None;
    }
    let timing = Timing::read(&cron.spec, zones);
    if timing.zone.is_err() {
        return None;
    }
    schedule::next_after(cron, now, timing.schedule.as_ref().ok()?).filter(|at| *at > now)
}

/// A piece of work on one CronJob.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Work {
    Sync(Key),
    /// Its schedule is new: find out when to sync.
    Reschedule(Key),
}

/// The controller's state.
#[derive(Clone, Debug)]
pub struct CronJobController {
    rng: Rng,
    timings: Timings,
    /// Work that changes asked for, at once.
    ready: WorkQueue<Work>,
    /// Syncs that wait for their time. As with the real delaying queue, work that comes at once leaves them waiting.
    timers: WorkQueue<Key>,
    /// CronJobs whose time zone cannot be told yet.
    awaiting_zones: SortedSet<Key>,
}

impl CronJobController {
    pub fn new(rng: Rng, zones: ZoneTable) -> CronJobController {
        CronJobController {
            rng,
            timings: Timings::new(zones),
            ready: WorkQueue::new(),
            timers: WorkQueue::new(),
            awaiting_zones: SortedSet::new(),
        }
    }

    fn observe_cron_job(&mut self, change: &Change) {
        let key = change.object.key();
        if change.change == ChangeType::Deleted {
            self.timings.forget(&key);
            self.timers.remove(&key);
            self.awaiting_zones.remove(&key);
            return;
        }
        self.timings.observe(change);
        let before = change.previous.as_ref().map(|before| before.cron_job());
        let is_rescheduled = before.is_some_and(|before| plan::is_rescheduled(before, change.object.cron_job()));
        self.add(if is_rescheduled { Work::Reschedule(key) } else { Work::Sync(key) }, change);
    }

    /// A Job wakes the CronJob that controls it, and the one that did so before.
    fn observe_job(&mut self, change: &Change, store: &Store) {
        let owner = change.object.meta().controller();
        let before = change.previous.as_ref().and_then(|job| job.meta().controller());
        for owner in before.filter(|before| Some(*before) != owner).into_iter().chain(owner) {
            if let Some(key) = cron_job_of(store, change.object.namespace(), owner) {
                self.add(Work::Sync(key), change);
            }
        }
    }

    /// Asks for work once the change has come through the watch.
    fn add(&mut self, work: Work, change: &Change) {
        let delay = self.rng.between("cronjob-watch", &change.revision.to_string(), 2, 7);
        self.ready.add(work, change.at + Span::ms(delay), change.cause());
    }

    /// Asks for a sync at `at`, and the few milliseconds later that the first request takes.
    fn add_timer(&mut self, key: Key, at: SimTime, cause: Cause) {
        let draw = format!("{}/{}/{}", key.namespace, key.name, at.millis());
        let delay = self.rng.between("cronjob-timer", &draw, 4, 16);
        self.timers.add(key, at + Span::ms(delay), cause);
    }

    fn sync(&mut self, api: &mut Api<'_>, key: Key) {
        let Some(object) = api.get(&key) else { return };
        let jobs = sync::jobs_of(api.store(), &key.namespace, &key.name);
        match sync::sync(api, &object, &jobs, &mut self.timings) {
            NextLook::Rest => {
                if object.cron_job().spec.suspend == Some(true) {
                    self.timings.note_suspended(api, &object);
                }
            }
            NextLook::AwaitZones => {
                self.awaiting_zones.insert(key);
            }
            NextLook::Requeue(at) => {
                self.timers.forget(&key);
                self.add_timer(key, at, api.cause());
            }
            NextLook::Failed(_) => self.timers.retry(key, api.now(), Retry::CONTROLLER, api.cause()),
        }
    }

    fn reschedule(&mut self, api: &mut Api<'_>, key: Key) {
        let Some(object) = api.get(&key) else { return };
        let cron = object.cron_job();
        match plan::wake_for_schedule(cron, self.timings.of(&key, &cron.spec), api.now()) {
            Wake::At(at) => self.add_timer(key, at, api.cause()),
            Wake::AwaitZones => {
                self.awaiting_zones.insert(key);
            }
            Wake::Never => {
                let message = format!("unparseable schedule for cronjob: {}", cron.spec.schedule);
                api.event(&object, EventType::Warning, "UnParseableCronJobSchedule", &message);
            }
        }
    }
}

/// The CronJob that `owner` points to, if it is still the same.
fn cron_job_of(store: &Store, namespace: &str, owner: &OwnerReference) -> Option<Key> {
    let found: Option<&Rc<Object>> = store.find(Kind::CronJob, namespace, &owner.name);
    found.filter(|cron| owner.kind == Kind::CronJob.name() && cron.uid() == owner.uid).map(|cron| cron.key())
}

impl Actor for CronJobController {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        match change.kind() {
            Kind::CronJob => self.observe_cron_job(change),
            Kind::Job => self.observe_job(change, store),
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.ready.next_at().into_iter().chain(self.timers.next_at()).min()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let now = api.now();
        while let Some(due) = self.timers.pop(now) {
            self.ready.add(Work::Sync(due.key), now, due.cause);
        }
        let Some(due) = self.ready.pop(now) else { return };
        api.set_cause(due.cause);
        match due.key {
            Work::Sync(key) => self.sync(api, key),
            Work::Reschedule(key) => self.reschedule(api, key),
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.timings.clear();
        self.ready = WorkQueue::new();
        self.timers = WorkQueue::new();
        self.awaiting_zones.clear();
        for cron in store.list(Kind::CronJob) {
            let delay = self.rng.between("cronjob-watch", &format!("{}/{}", cron.uid(), now.millis()), 2, 7);
            self.ready.add(Work::Sync(cron.key()), now + Span::ms(delay), cause);
        }
    }

    fn set_zones(&mut self, zones: &ZoneTable, now: SimTime) {
        self.timings.set_zones(zones.clone());
        for key in std::mem::take(&mut self.awaiting_zones) {
            let cause = self.timings.asked(&key).map(Cause::by).unwrap_or_default();
            self.ready.add(Work::Sync(key), now, cause);
        }
    }
}

#[cfg(test)]
mod tests;
