//! Schedules: why a CronJob made no Job at a time, and when it makes its next.
//!
//! Rule: a moment that passed without a Job was noted with its reason; one that was not noted is no moment of the
//! schedule, or nobody was there to see it.

use std::rc::Rc;

use crate::explain::{Finding, Past, words};
use api::batch::CronJob;
use api::object::Object;
use cluster::control::cronjob::next_schedule;
use cluster::store::{ChangeType, Happened, Subject};
use values::time::{SimTime, Span};

impl Past<'_> {
    /// Why a CronJob made no Job at `at`.
    pub(super) fn no_job(&self, subject: &Subject, at: SimTime) -> Vec<Finding> {
        let name = words::object(&subject.key);
        let clock = words::clock(at);
        let noted = |met: bool| {
            self.latest(&subject.uid, |entry| match entry.happened() {
                Some(Happened::ScheduleMet { scheduled }) => met && *scheduled == at,
                Some(Happened::ScheduleSkipped { scheduled }) => !met && *scheduled == at,
                _ => false,
            })
        };
        if let Some(met) = noted(true) {
            return vec![self.finding(format!("{name} did make a Job for {clock}"), Some(met))];
        }
        if let Some(skipped) = noted(false) {
            return vec![self.finding(String::new(), Some(skipped))];
        }
        let made = self.latest(&subject.uid, |entry| entry.is(ChangeType::Added));
        if let Some(made) = made.filter(|made| made.at > at) {
            return vec![self.finding(format!("{name} was not there at {clock}"), Some(made))];
        }
        let Some(object) = self.now_of(subject) else { return self.gone(subject) };
        let cron_job = object.cron_job();
        if at > self.now() {
            let mut findings =
                vec![self.finding(format!("it is {}, so {clock} is still to come", words::clock(self.now())), None)];
            findings.push(self.next_of(subject, object));
            return findings;
        }
        vec![self.not_named(subject, cron_job, at)]
    }

    /// A moment that was not noted.
    fn not_named(&self, subject: &Subject, cron_job: &Rc<CronJob>, at: SimTime) -> Finding {
        let (name, clock, schedule) = (words::object(&subject.key), words::clock(at), &cron_job.spec.schedule);
        let mut awake = (**cron_job).clone();
        awake.spec.suspend = None;
        let next = |after: SimTime| next_schedule(&awake, after, self.cluster().zones());
        if next(at - Span::ms(1)) != Some(at) {
            let zone = cron_job.spec.time_zone.as_deref().unwrap_or("UTC");
            let after = next(at).map(|next| format!("; the next it names after that is {}", words::clock(next)));
            let says = format!(
                "the schedule `{schedule}` of {name}, read in {zone}, does not name {clock} (UTC){}",
                after.unwrap_or_default()
            );
            return Finding { says, place: self.field(subject, "CronJob", "spec.schedule"), chain: None };
        }
        if cron_job.spec.suspend == Some(true) {
            let place = self.field(subject, "CronJob", "spec.suspend");
            let changed = self.latest(&subject.uid, |entry| entry.facts().is_some_and(|facts| facts.spec));
            return Finding { place, ..self.finding(format!("{name} is suspended"), changed) };
        }
        if let Some(stopped) = self.stopped("cronjob-controller") {
            let says = format!("nobody made the Job for {clock}: the CronJob controller stands still");
            return self.finding(says, Some(stopped));
        }
        let says = format!("nothing was noted about {clock} for {name}");
        Finding { says, place: self.field(subject, "CronJob", "spec.schedule"), chain: self.latest_turn(subject) }
    }

    /// Why a CronJob is as it is.
    pub(super) fn cron_job(&self, subject: &Subject) -> Vec<Finding> {
        let Some(object) = self.now_of(subject) else { return self.gone(subject) };
        let mut findings = vec![self.next_of(subject, object)];
        let latest = self.latest(&subject.uid, |entry| {
            matches!(entry.happened(), Some(Happened::ScheduleMet { .. } | Happened::ScheduleSkipped { .. }))
        });
        findings.extend(latest.map(|entry| self.finding(String::new(), Some(entry))));
        findings
    }

    /// When a CronJob makes its next Job, or why it makes none.
    pub(super) fn next_of(&self, subject: &Subject, object: &Rc<Object>) -> Finding {
        let (name, cron_job) = (words::object(&subject.key), object.cron_job());
        if cron_job.spec.suspend == Some(true) {
            let place = self.field(subject, "CronJob", "spec.suspend");
            let changed = self.latest(&subject.uid, |entry| entry.facts().is_some_and(|facts| facts.spec));
            return Finding { place, ..self.finding(format!("{name} is suspended"), changed) };
        }
        let place = self.field(subject, "CronJob", "spec.schedule");
        let says = match self.cluster().next_schedule(object) {
            Some(next) => {
                let left = words::length(next.since(self.now()));
                format!("{name} makes its next Job at {}, in {left}", words::clock(next))
            }
            None => format!("the schedule `{}` of {name} names no further moment", cron_job.spec.schedule),
        };
        Finding { says, place, chain: None }
    }
}
