//! When a CronJob is due: the most recent time it was not started for, and when to look again.
//!
//! Rule: `docs/semantics/cronjob.md` §4. Missed times are not counted one by one but estimated from the distance of the
//! first two, as upstream does; for irregular schedules the estimate may find none. Source:
//! `pkg/controller/cronjob/utils.go`.

use std::fmt;

use crate::store::{Api, Cause, Change, EntryId, Happened, Rule, Subject};
use api::batch::{CronJob, CronJobSpec};
use api::meta::Key;
use api::object::Object;
use values::cron::{CronError, Schedule};
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::zone::{Zone, ZoneError, ZoneTable};

/// How long after the scheduled time the controller looks (`nextScheduleDelta`).
pub const REQUEUE_DELAY: Span = Span::ms(100);
/// More missed times than this are worth a warning.
const MANY_MISSED: i64 = 100;

/// What `schedule` and `timeZone` of a spec mean, read once.
#[derive(Clone, Debug)]
pub struct Timing {
    source: (String, Option<String>),
    table_is_empty: bool,
    /// The zone that `timeZone` names; UTC if it names none.
    pub zone: Result<Zone, ZoneError>,
    pub schedule: Result<Schedule, CronError>,
}

impl Timing {
    /// Reads both. A zone within the schedule (not supported, but obeyed) goes before `timeZone`.
    pub fn read(spec: &CronJobSpec, zones: &ZoneTable) -> Timing {
        let zone = Zone::load(spec.time_zone.as_deref().unwrap_or_default(), zones);
        let schedule = match (&spec.time_zone, &zone) {
            (Some(name), Ok(_)) if !names_zone(&spec.schedule) => {
                Schedule::parse(&format!("TZ={name} {}", spec.schedule), zones)
            }
            _ => Schedule::parse(&spec.schedule, zones),
        };
        let source = (spec.schedule.clone(), spec.time_zone.clone());
        Timing { source, table_is_empty: zones.is_empty(), zone, schedule }
    }

    /// True if nothing can be said before the table of zones is there.
    pub fn awaits_zones(&self) -> bool {
        let in_schedule = self.table_is_empty && names_zone(&self.source.0) && self.schedule.is_err();
        in_schedule || matches!(self.zone, Err(ZoneError::NoTable(_)))
    }

    fn is_of(&self, spec: &CronJobSpec) -> bool {
        self.source.0 == spec.schedule && self.source.1 == spec.time_zone
    }
}

/// True if a zone stands in the schedule itself.
pub fn names_zone(schedule: &str) -> bool {
    schedule.contains("TZ")
}

/// The timings of all CronJobs, so that none is parsed twice.
#[derive(Clone, Debug)]
pub struct Timings {
    zones: ZoneTable,
    read: SortedMap<Key, Timing>,
    /// The change that gave each CronJob its spec, and the skipped moment that was noted last; for explanations.
    asked: SortedMap<Key, EntryId>,
    skipped: SortedMap<Key, SimTime>,
    /// The change after which each CronJob was noted to be suspended.
    suspended: SortedMap<Key, EntryId>,
}

impl Timings {
    pub fn new(zones: ZoneTable) -> Timings {
        Timings {
            zones,
            read: SortedMap::new(),
            asked: SortedMap::new(),
            skipped: SortedMap::new(),
            suspended: SortedMap::new(),
        }
    }

    /// The timing of the CronJob at `key`, whose spec this is.
    pub fn of(&mut self, key: &Key, spec: &CronJobSpec) -> &Timing {
        if !self.read.get(key).is_some_and(|timing| timing.is_of(spec)) {
            self.read.insert(key.clone(), Timing::read(spec, &self.zones));
        }
        &self.read[key]
    }

    pub fn forget(&mut self, key: &Key) {
        self.read.remove(key);
        self.asked.remove(key);
        self.skipped.remove(key);
        self.suspended.remove(key);
    }

    pub fn clear(&mut self) {
        self.read.clear();
    }

    /// Takes the table of zones, which makes all that was read void.
    pub fn set_zones(&mut self, zones: ZoneTable) {
        self.zones = zones;
        self.read.clear();
    }

    /// Remembers the change that gave a CronJob its spec.
    pub fn observe(&mut self, change: &Change) {
        if change.changes_spec() {
            self.asked.insert(change.object.key(), change.entry);
        }
    }

    /// The change that gave the CronJob its spec.
    pub fn asked(&self, key: &Key) -> Option<EntryId> {
        self.asked.get(key).copied()
    }

    /// Notes that a CronJob makes no Jobs because it is suspended, once for each time it is.
    pub fn note_suspended(&mut self, api: &mut Api<'_>, cron: &Object) {
        let key = cron.key();
        let Some(asked) = self.asked(&key) else { return };
        if self.suspended.insert(key, asked) != Some(asked) {
            api.set_cause(Cause::by(asked).rule(Rule::CronJobSuspend));
            api.happened(Some(Subject::from(cron)), Happened::Held { until: None });
        }
    }

    /// Notes that a moment of the schedule passes without a Job, once; what is written next is caused by it.
    pub fn note_skip(&mut self, api: &mut Api<'_>, cron: &Object, scheduled: SimTime, rule: Rule, counts: [i64; 2]) {
        let key = cron.key();
        let woken = api.cause();
        let by = if rule == Rule::CronJobForbid { woken.by } else { self.asked(&key).or(woken.by) };
        api.set_cause(Cause { by, ..woken }.counted(rule, counts));
        if self.skipped.insert(key, scheduled) != Some(scheduled) {
            api.note(Subject::from(cron), Happened::ScheduleSkipped { scheduled });
        }
    }
}

/// How many scheduled times passed without a Job, roughly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missed {
    None,
    Few,
    /// More than a hundred.
    Many,
}

/// What lies between the last start and now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recent {
    /// Scheduled times up to here are done with.
    pub earliest: SimTime,
    /// The last scheduled time after `earliest` that has come.
    pub time: Option<SimTime>,
    pub missed: Missed,
}

/// A schedule that is never due, or due without end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooClose;

impl fmt::Display for TooClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time difference between two schedules is less than 1 second")
    }
}

impl std::error::Error for TooClose {}

/// The most recent time the CronJob was due (`mostRecentScheduleTime`). With `use_deadline`, times that are older than
/// `startingDeadlineSeconds` do not count.
///
/// # Errors
/// If the schedule is never due, as on 31 February.
pub fn most_recent(cron: &CronJob, now: SimTime, schedule: &Schedule, use_deadline: bool) -> Result<Recent, TooClose> {
    let created = cron.metadata.creation_timestamp.unwrap_or_default();
    let mut earliest = cron.status.last_schedule_time.unwrap_or(created);
    if let Some(seconds) = cron.spec.starting_deadline_seconds.filter(|_| use_deadline) {
        earliest = earliest.max(now - Span::secs(seconds));
    }
    // Without a next time upstream goes on with the year 1, which ends in this error.
    let first = schedule.next(earliest, &Zone::UTC).ok_or(TooClose)?;
    if now < first {
        return Ok(Recent { earliest, time: None, missed: Missed::None });
    }
    let second = schedule.next(first, &Zone::UTC).ok_or(TooClose)?;
    if now < second {
        return Ok(Recent { earliest, time: Some(first), missed: Missed::None });
    }
    let step_seconds = second.since(first).as_secs();
    if step_seconds < 1 {
        return Err(TooClose);
    }
    let count = now.since(first).as_secs() / step_seconds + 1;
    let mut at = schedule.next(first + Span::secs((count - 2) * step_seconds), &Zone::UTC);
    let mut time = None;
    while let Some(due) = at.filter(|due| *due <= now) {
        time = Some(due);
        at = schedule.next(due, &Zone::UTC);
    }
    let missed = match count {
        count if count > MANY_MISSED => Missed::Many,
        count if count > 0 => Missed::Few,
        _ => Missed::None,
    };
    Ok(Recent { earliest, time, missed })
}

/// When to look at the CronJob again (`nextScheduleTimeDuration`): a tenth of a second after its next time. `None` if
/// it will never be due.
pub fn requeue_at(cron: &CronJob, now: SimTime, schedule: &Schedule) -> Option<SimTime> {
    next_after(cron, now, schedule).map(|at| at + REQUEUE_DELAY)
}

/// The next scheduled time that is not yet missed.
pub(super) fn next_after(cron: &CronJob, now: SimTime, schedule: &Schedule) -> Option<SimTime> {
    let base = match most_recent(cron, now, schedule, false) {
        Err(TooClose) => now,
        Ok(Recent { time: Some(time), .. }) => time,
        Ok(Recent { earliest, missed: Missed::None, .. }) => earliest,
        Ok(_) => now,
    };
    schedule.next(base, &Zone::UTC)
}
