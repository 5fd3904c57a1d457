//! What a sync decides, without doing it: which Jobs are still active, and whether it is time for a new one.
//!
//! Rule: `docs/semantics/cronjob.md` §3, in its order; the numbers in the comments are its steps.
//! Source: `pkg/controller/cronjob/cronjob_controllerv2.go` (`syncCronJob`, `updateCronJob`).

use std::rc::Rc;

use crate::control::cronjob::schedule::{self, Missed, Timing, most_recent, requeue_at};
use crate::store::{EventType, Rule};
use api::batch::{CronJob, ObjectReference};
use api::object::Object;
use values::time::{SimTime, Span};

/// An event to be recorded about the CronJob.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    pub event_type: EventType,
    pub reason: &'static str,
    pub message: String,
    /// The scheduled time that passes without a Job, and by which rule.
    pub skips: Option<(SimTime, Rule, [i64; 2])>,
}

impl Note {
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Note {
        Note { event_type: EventType::Normal, reason, message: message.into(), skips: None }
    }

    pub fn warning(reason: &'static str, message: impl Into<String>) -> Note {
        Note { event_type: EventType::Warning, ..Note::normal(reason, message) }
    }

    fn skipping(self, scheduled: SimTime, rule: Rule, counts: [i64; 2]) -> Note {
        Note { skips: Some((scheduled, rule, counts)), ..self }
    }
}

/// What to do about the schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Nothing, until something changes.
    Rest,
    /// Nothing, until the table of time zones is there.
    AwaitZones,
    /// Nothing now; look again at this time.
    Requeue(SimTime),
    /// Start the Job of this scheduled time.
    Start(SimTime),
}

/// When a new schedule wakes the controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    At(SimTime),
    AwaitZones,
    /// The schedule cannot be read.
    Never,
}

pub fn is_active(cron: &CronJob, uid: &str) -> bool {
    cron.status.active.iter().any(|active| active.uid == uid)
}

pub fn drop_active(cron: &mut CronJob, uid: &str) {
    cron.status.active.retain(|active| active.uid != uid);
}

/// Brings the status up to date with the Jobs (step 1): finished ones leave the active list, and the last success is
/// noted. `stored` is the CronJob as the API has it now, in case `cron` is an older version. True if the status is to
/// be written.
pub fn review_jobs(cron: &mut CronJob, stored: &CronJob, jobs: &[Rc<Object>], notes: &mut Vec<Note>) -> bool {
    let mut changed = false;
    for object in jobs {
        let (name, job) = (object.name(), object.job());
        let known = is_active(cron, object.uid());
        let Some(finished) = job.finished() else {
            if !known && is_active(stored, object.uid()) {
                cron.status = stored.status.clone();
            } else if !known {
                let message = format!("Saw a job that the controller did not create or forgot: {name}");
                notes.push(Note::warning("UnexpectedJob", message));
            }
            continue;
        };
        if known {
            drop_active(cron, object.uid());
            let message = format!("Saw completed job: {name}, condition: {}", finished.kind);
            notes.push(Note::normal("SawCompletedJob", message));
            changed = true;
        }
        if finished.kind == "Complete" && job.status.completion_time > cron.status.last_successful_time {
            cron.status.last_successful_time = job.status.completion_time;
            changed = true;
        }
    }
    changed
}

/// Takes Jobs that are gone off the active list (step 2). `exists` asks the API. True if there were any.
pub fn drop_missing(
    cron: &mut CronJob,
    jobs: &[Rc<Object>],
    exists: impl Fn(&ObjectReference) -> bool,
    notes: &mut Vec<Note>,
) -> bool {
    let before = cron.status.active.len();
    cron.status.active.retain(|active| {
        let stays = jobs.iter().any(|job| job.uid() == active.uid) || exists(active);
        if !stays {
            notes.push(Note::normal("MissingJob", format!("Active job went missing: {}", active.name)));
        }
        stays
    });
    cron.status.active.len() != before
}

/// Whether a Job is to be started now (steps 3 to 10).
pub fn decide(cron: &CronJob, timing: &Timing, now: SimTime, notes: &mut Vec<Note>) -> Decision {
    // 3
    if cron.metadata.is_being_deleted() {
        return Decision::Rest;
    }
    // A real controller always has its table; ours may have to wait for it, and says nothing meanwhile.
    if timing.awaits_zones() {
        return Decision::AwaitZones;
    }
    // 4
    if let (Some(name), Err(error)) = (&cron.spec.time_zone, &timing.zone) {
        notes.push(Note::warning("UnknownTimeZone", format!("invalid timeZone: {name:?}: {error}")));
        return Decision::Rest;
    }
    // 5
    if cron.spec.suspend == Some(true) {
        return Decision::Rest;
    }
    // 6
    let text = &cron.spec.schedule;
    if schedule::names_zone(text) {
        let message = format!(
            "CRON_TZ or TZ used in schedule {text:?} is not officially supported, see \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
        );
        notes.push(Note::warning("UnsupportedSchedule", message));
    }
    let schedule = match &timing.schedule {
        Ok(schedule) => schedule,
        Err(error) => {
            notes.push(Note::warning("UnparseableSchedule", format!("unparseable schedule: {text:?} : {error}")));
            return Decision::Rest;
        }
    };
    // 7
    let recent = match most_recent(cron, now, schedule, true) {
        Ok(recent) => recent,
        Err(error) => {
            notes.push(Note::warning("InvalidSchedule", format!("invalid schedule: {text} : {error}")));
            return Decision::Rest;
        }
    };
    let later = requeue_at(cron, now, schedule).map_or(Decision::Rest, Decision::Requeue);
    let Some(due) = recent.time else { return later };
    if recent.missed == Missed::Many {
        let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        notes.push(Note::warning("TooManyMissedTimes", message));
    }
    if may_start(cron, due, now, notes) { Decision::Start(due) } else { later }
}

/// Steps 8 to 10: what may stand against a start that is due.
pub(super) fn may_start(cron: &CronJob, due: SimTime, now: SimTime, notes: &mut Vec<Note>) -> bool {
    if cron.spec.starting_deadline_seconds.is_some_and(|seconds| due + Span::secs(seconds) < now) {
        let message = format!("Missed scheduled time to start a job: {}", due.format("%a, %d %b %Y %H:%M:%S +0000"));
        let allowed_ms = cron.spec.starting_deadline_seconds.unwrap_or(0).saturating_mul(1000);
        notes.push(Note::warning("MissSchedule", message).skipping(due, Rule::CronJobDeadline, [allowed_ms, 0]));
        return false;
    }
    let name = job_name(&cron.metadata.name, due);
    let is_started = cron.status.active.iter().any(|active| active.name == name);
    if is_started || cron.status.last_schedule_time == Some(due) {
        return false;
    }
    if cron.spec.concurrency_policy == "Forbid" && !cron.status.active.is_empty() {
        let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
        notes.push(Note::normal("JobAlreadyActive", message).skipping(due, Rule::CronJobForbid, [0; 2]));
        return false;
    }
    true
}

/// The name of the Job for a scheduled time: the CronJob's, and the minutes since 1970.
pub fn job_name(cron_job: &str, due: SimTime) -> String {
    format!("{cron_job}-{}", due.secs() / 60)
}

/// True if the update changed when the CronJob is due.
pub fn is_rescheduled(old: &CronJob, new: &CronJob) -> bool {
    old.spec.schedule != new.spec.schedule || old.spec.time_zone != new.spec.time_zone
}

/// When the controller looks at a CronJob whose schedule is new: not at once, as after other updates, but when it is
/// next due.
pub fn wake_for_schedule(cron: &CronJob, timing: &Timing, now: SimTime) -> Wake {
    if timing.awaits_zones() {
        return Wake::AwaitZones;
    }
    match &timing.schedule {
        // Never due is, upstream, a time before all others.
        Ok(schedule) => Wake::At(requeue_at(cron, now, schedule).unwrap_or(now)),
        Err(_) => Wake::Never,
    }
}
