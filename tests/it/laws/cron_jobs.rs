//! Laws of CronJobs: one Job a scheduled time, none that the policy forbids, none too late, none forgotten.
//!
//! Rules: `docs/semantics/cronjob.md` §3, §4, §6. The random schedules here are all `*/N * * * *`.

use std::collections::{BTreeMap, BTreeSet};

use batchyard::api::batch::CronJob;
use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::cluster::store::{Change, ChangeType};
use batchyard::run::{Fault, Input, Scenario, Sim};
use batchyard::values::time::{SimTime, Span};

use super::Law;
use super::world::World;

const NAME: &str = "cronjob-controller";
/// From a scheduled time to the Job, and from a Job's end to the clean-up, with room.
const ROOM: Span = Span::secs(2);

pub struct Schedules {
    /// Nothing delays the controller in this run.
    undisturbed: bool,
    /// It was stopped at some time.
    stopped: bool,
    /// Jobs made by the controller, by the CronJob's uid: their scheduled times.
    made: BTreeMap<String, BTreeSet<SimTime>>,
    /// Jobs made by the controller.
    ours: BTreeSet<String>,
    /// CronJobs that were changed by someone after they were made.
    edited: BTreeSet<String>,
}

impl Schedules {
    pub fn new(scenario: &Scenario) -> Schedules {
        let any = |is: fn(&Fault) -> bool| {
            scenario.steps.iter().any(|step| matches!(&step.input, Input::Fault(fault) if is(fault)))
        };
        let stopped = any(|fault| matches!(fault, Fault::StopController { name, .. } if name == NAME));
        let slow = any(|fault| matches!(fault, Fault::SlowApi { .. }));
        Schedules {
            undisturbed: !stopped && !slow,
            stopped: stopped || slow,
            made: BTreeMap::new(),
            ours: BTreeSet::new(),
            edited: BTreeSet::new(),
        }
    }

    fn see_job(&mut self, change: &Change, world: &World, broken: &mut Vec<String>) {
        let job = &change.object;
        let mut fail =
            |text: String| broken.push(format!("Job {} at {}: {text}", job.name(), change.at.rfc3339_micro()));
        let owner = job.meta().controller().cloned().unwrap_or_default();
        let Some(cron) = world.objects.get(&Key::new(Kind::CronJob, "default", &owner.name)) else {
            return fail("it was made for no CronJob".to_owned());
        };
        let cron = cron.cron_job();
        let annotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
        let due = job.meta().annotations.get(annotation).and_then(|text| SimTime::parse_rfc3339(text));
        let Some(due) = due else { return fail("it does not say when it was due".to_owned()) };
        if job.name() != format!("{}-{}", cron.metadata.name, due.secs() / 60) {
            fail("its name is not that of its minute".to_owned());
        }
        if !self.made.entry(owner.uid.to_string()).or_default().insert(due) {
            fail(format!("it is the second for {due}"));
        }
        if !is_scheduled(cron, due) || due > change.at || cron.metadata.creation_timestamp.is_some_and(|at| due <= at) {
            fail(format!("{due} is no time of {:?}", cron.spec.schedule));
        }
        if cron.spec.suspend == Some(true) || cron.metadata.is_being_deleted() {
            fail("its CronJob is suspended or going".to_owned());
        }
        if cron.spec.starting_deadline_seconds.is_some_and(|seconds| due + Span::secs(seconds) < change.at) {
            fail(format!("it is later than {:?} s", cron.spec.starting_deadline_seconds));
        }
        let others = world.controlled_by(Kind::Job, &owner.uid).filter(|other| {
            let deleted = other.meta().is_being_deleted() && cron.spec.concurrency_policy == "Replace";
            other.uid() != job.uid() && self.ours.contains(other.uid()) && other.job().finished().is_none() && !deleted
        });
        let others: Vec<&str> = others.map(|other| other.name()).collect();
        if !others.is_empty() && cron.spec.concurrency_policy != "Allow" {
            fail(format!("{others:?} run, and the policy is {}", cron.spec.concurrency_policy));
        }
        self.ours.insert(job.uid().to_owned());
    }
}

/// The minutes N of `*/N * * * *`.
fn every(cron: &CronJob) -> i64 {
    let minutes = cron.spec.schedule.split(' ').next().unwrap_or_default();
    minutes.strip_prefix("*/").and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn is_scheduled(cron: &CronJob, at: SimTime) -> bool {
    at.millis() % 60_000 == 0 && (at.secs() / 60 % 60) % every(cron) == 0
}

impl Law for Schedules {
    fn see(&mut self, change: &Change, world: &World, broken: &mut Vec<String>) {
        if change.kind() == Kind::Job && change.change == ChangeType::Added && change.actor == NAME {
            self.see_job(change, world, broken);
        }
        let Some(before) = change.previous.as_ref().filter(|_| change.kind() == Kind::CronJob) else { return };
        let (old, new) = (before.cron_job(), change.object.cron_job());
        if old.spec != new.spec || new.metadata.is_being_deleted() {
            self.edited.insert(new.metadata.uid.to_string());
        }
        if new.status.last_schedule_time < old.status.last_schedule_time
            || new.status.last_successful_time < old.status.last_successful_time
        {
            broken
                .push(format!("CronJob {}: its times went back: {:?} {:?}", new.metadata.name, old.status, new.status));
        }
        let uids: BTreeSet<&String> = new.status.active.iter().map(|reference| &reference.uid).collect();
        if uids.len() != new.status.active.len() {
            broken.push(format!("CronJob {}: active has one twice: {:?}", new.metadata.name, new.status.active));
        }
    }

    fn end(&mut self, sim: &Sim, world: &World, broken: &mut Vec<String>) {
        let now = sim.now();
        for object in world.list(Kind::CronJob) {
            let cron = object.cron_job();
            let jobs: Vec<_> = world.controlled_by(Kind::Job, object.uid()).collect();
            let quiet = jobs.iter().all(|job| {
                job.job().finished().is_none_or(|end| end.last_transition_time.is_some_and(|at| at + ROOM + ROOM < now))
            });
            if quiet && !self.stopped && !self.edited.contains(object.uid()) {
                let limits = [
                    ("Complete", cron.spec.successful_jobs_history_limit.unwrap_or(3)),
                    ("Failed", cron.spec.failed_jobs_history_limit.unwrap_or(1)),
                ];
                for (kind, limit) in limits {
                    let ended = jobs.iter().filter(|job| job.job().finished().is_some_and(|end| end.kind == kind));
                    let ended = ended.filter(|job| !job.meta().is_being_deleted()).count();
                    if ended > limit as usize {
                        broken.push(format!("CronJob {} keeps {ended} {kind} Jobs of {limit}", object.name()));
                    }
                }
            }
            let free = cron.spec.concurrency_policy == "Allow" && cron.spec.suspend != Some(true);
            if !self.undisturbed || !free || self.edited.contains(object.uid()) {
                continue;
            }
            let from = cron.metadata.creation_timestamp.expect("every object has one");
            let made = self.made.get(object.uid()).cloned().unwrap_or_default();
            let mut due = from.whole_second() + Span::secs(60 - from.secs() % 60);
            while due + ROOM < now {
                if is_scheduled(cron, due) && !made.contains(&due) {
                    broken.push(format!("CronJob {}: nothing was started at {due}", object.name()));
                }
                due += Span::secs(60);
            }
        }
    }
}
