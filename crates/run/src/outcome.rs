//! Outcome: how a run came out, for each Job and CronJob.
//!
//! Rule: everything is counted from the journal, so what is gone counts as well. A Job works while a process of one of its
//! containers runs, and waits for the rest of the time between its making and its end.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::Sim;
use crate::explain::{Past, clock, length, object_name};
use crate::journal::{Facts, JournalEntry, What};
use api::kind::Kind;
use api::meta::Key;
use cluster::store::{ChangeType, Happened, Rule, Subject};
use values::object;
use values::time::{SimTime, Span};
use values::value::{Text, Value};

/// How a Job stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobEnd {
    Running,
    Suspended,
    Complete,
    /// With the reason of its condition: `BackoffLimitExceeded` …
    Failed(Text),
    /// It was deleted before it had ended.
    Deleted,
}

/// How a Job came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobOutcome {
    pub key: Key,
    /// The CronJob that made it.
    pub cron_job: Option<Key>,
    pub end: JobEnd,
    pub made_at: SimTime,
    pub ended_at: Option<SimTime>,
    /// Pods made for it, and those of them that replaced a failed one.
    pub pods: u32,
    pub retries: u32,
    pub succeeded: u32,
    pub failures: u32,
    /// Containers started again within their Pods.
    pub restarts: u32,
    pub working: Span,
    pub waiting: Span,
}

/// How a CronJob came out so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronJobOutcome {
    pub key: Key,
    /// Jobs made, and how they stand.
    pub jobs: u32,
    pub complete: u32,
    pub failed: u32,
    pub unfinished: u32,
    pub deleted: u32,
    /// Moments of the schedule that passed without a Job.
    pub skipped: u32,
    /// When it makes its next Job.
    pub next: Option<SimTime>,
    /// It was deleted.
    pub gone: bool,
}

/// How a run came out, up to now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    pub jobs: Vec<JobOutcome>,
    pub cron_jobs: Vec<CronJobOutcome>,
    /// False if entries of the journal were thinned out, so that numbers may be too low.
    pub exact: bool,
}

/// Sums a run up, as it stands now.
pub fn outcome(sim: &Sim) -> Outcome {
    let (past, mut count) = (Past::of(sim), Count::default());
    for entry in past.entries() {
        count.see(entry);
    }
    let now = past.now();
    let mut outcome = Outcome { exact: sim.journal().dropped() == 0, ..Outcome::default() };
    for uid in &count.order {
        let Some(work) = count.jobs.get(uid) else { continue };
        outcome.jobs.push(work.outcome(now));
    }
    for (uid, cron) in &count.cron_jobs {
        let object = sim.cluster().store().get(&cron.key).filter(|object| object.uid() == &**uid);
        let next = object.and_then(|object| sim.cluster().next_schedule(object));
        let mut total = CronJobOutcome { next, gone: object.is_none(), ..cron.clone() };
        for job in count.jobs.values().filter(|job| job.owner.as_ref().is_some_and(|owner| owner.uid == *uid)) {
            total.jobs += 1;
            match job.end {
                JobEnd::Complete => total.complete += 1,
                JobEnd::Failed(_) => total.failed += 1,
                JobEnd::Deleted => total.deleted += 1,
                JobEnd::Running | JobEnd::Suspended => total.unfinished += 1,
            }
        }
        outcome.cron_jobs.push(total);
    }
    outcome
}

/// One Job while it is counted.
struct Work {
    key: Key,
    owner: Option<Subject>,
    end: JobEnd,
    made_at: SimTime,
    ended_at: Option<SimTime>,
    pods: u32,
    retries: u32,
    succeeded: u32,
    failures: u32,
    restarts: u32,
    working: Span,
    /// Processes that run, by Pod and container, and since when at least one does.
    running: BTreeSet<(Rc<str>, Text)>,
    since: SimTime,
}

impl Work {
    fn start(&mut self, pod: &Rc<str>, container: &Text, at: SimTime) {
        if self.running.is_empty() {
            self.since = at;
        }
        self.running.insert((Rc::clone(pod), container.clone()));
    }

    fn stop(&mut self, which: impl Fn(&(Rc<str>, Text)) -> bool, at: SimTime) {
        let ran = !self.running.is_empty();
        self.running.retain(|process| !which(process));
        if ran && self.running.is_empty() {
            self.working = self.working + self.worked(at);
        }
    }

    /// What was worked since the first of the processes that run began, not counting what came after the Job's end.
    fn worked(&self, at: SimTime) -> Span {
        let until = self.ended_at.map_or(at, |ended| ended.min(at));
        until.since(self.since).max(Span::ZERO)
    }

    fn outcome(&self, now: SimTime) -> JobOutcome {
        let rest = if self.running.is_empty() { Span::ZERO } else { self.worked(now) };
        let working = self.working + rest;
        let whole = self.ended_at.unwrap_or(now).since(self.made_at);
        JobOutcome {
            key: self.key.clone(),
            cron_job: self
                .owner
                .as_ref()
                .filter(|owner| owner.key.kind == Kind::CronJob)
                .map(|owner| owner.key.clone()),
            end: self.end.clone(),
            made_at: self.made_at,
            ended_at: self.ended_at,
            pods: self.pods,
            retries: self.retries,
            succeeded: self.succeeded,
            failures: self.failures,
            restarts: self.restarts,
            working,
            waiting: (whole - working).max(Span::ZERO),
        }
    }
}

/// All that is counted, by uid.
#[derive(Default)]
struct Count {
    jobs: BTreeMap<Rc<str>, Work>,
    /// Uids of Jobs in the order in which they were made.
    order: Vec<Rc<str>>,
    cron_jobs: BTreeMap<Rc<str>, CronJobOutcome>,
    /// The Job of each Pod.
    job_of: BTreeMap<Rc<str>, Rc<str>>,
}

impl Count {
    fn see(&mut self, entry: &JournalEntry) {
        let Some(about) = &entry.about else { return };
        match &entry.what {
            What::Happened(happened) => self.see_happened(about, happened, entry.at),
            What::Change { change, facts, .. } => match about.key.kind {
                Kind::Job => self.see_job(about, *change, facts.as_deref(), entry.at),
                Kind::Pod => self.see_pod(about, *change, facts.as_deref(), entry),
                Kind::CronJob => {
                    self.cron_jobs.entry(Rc::clone(&about.uid)).or_insert_with(|| CronJobOutcome {
                        key: about.key.clone(),
                        jobs: 0,
                        complete: 0,
                        failed: 0,
                        unfinished: 0,
                        deleted: 0,
                        skipped: 0,
                        next: None,
                        gone: false,
                    });
                }
                _ => {}
            },
        }
    }

    fn see_job(&mut self, about: &Subject, change: ChangeType, facts: Option<&Facts>, at: SimTime) {
        if change == ChangeType::Added {
            self.order.push(Rc::clone(&about.uid));
            let work = Work {
                key: about.key.clone(),
                owner: facts.and_then(|facts| facts.controller.clone()),
                end: JobEnd::Running,
                made_at: at,
                ended_at: None,
                pods: 0,
                retries: 0,
                succeeded: 0,
                failures: 0,
                restarts: 0,
                working: Span::ZERO,
                running: BTreeSet::new(),
                since: at,
            };
            self.jobs.insert(Rc::clone(&about.uid), work);
        }
        let Some(work) = self.jobs.get_mut(&about.uid).filter(|work| work.ended_at.is_none()) else { return };
        let deleted = change == ChangeType::Deleted || facts.is_some_and(|facts| facts.deletion_began);
        for turned in facts.iter().flat_map(|facts| &facts.conditions) {
            work.end = match (turned.kind.as_str(), turned.status == "True") {
                ("Complete", true) => JobEnd::Complete,
                ("Failed", true) => JobEnd::Failed(turned.reason.clone()),
                ("Suspended", true) => JobEnd::Suspended,
                ("Suspended", false) => JobEnd::Running,
                _ => continue,
            };
        }
        if deleted {
            work.end = JobEnd::Deleted;
        }
        if !matches!(work.end, JobEnd::Running | JobEnd::Suspended) {
            work.ended_at = Some(at);
        }
    }

    fn see_pod(&mut self, about: &Subject, change: ChangeType, facts: Option<&Facts>, entry: &JournalEntry) {
        if change == ChangeType::Added {
            let owner = facts.and_then(|facts| facts.controller.as_ref()).filter(|owner| owner.key.kind == Kind::Job);
            if let Some(owner) = owner {
                self.job_of.insert(Rc::clone(&about.uid), Rc::clone(&owner.uid));
            }
        }
        let Some(work) = self.job_of.get(&about.uid).and_then(|job| self.jobs.get_mut(job)) else { return };
        if change == ChangeType::Added {
            work.pods += 1;
            work.retries += u32::from(entry.cause.rule == Rule::JobReplacement);
        }
        match facts.and_then(|facts| facts.phase.as_ref()).map(Text::as_str) {
            Some("Failed") => work.failures += 1,
            Some("Succeeded") => work.succeeded += 1,
            _ => {}
        }
        if change == ChangeType::Deleted {
            work.stop(|(pod, _)| *pod == about.uid, entry.at);
        }
    }

    fn see_happened(&mut self, about: &Subject, happened: &Happened, at: SimTime) {
        if let Happened::ScheduleSkipped { .. } = happened
            && let Some(cron_job) = self.cron_jobs.get_mut(&about.uid)
        {
            cron_job.skipped += 1;
        }
        let Some(work) = self.job_of.get(&about.uid).and_then(|job| self.jobs.get_mut(job)) else { return };
        match happened {
            Happened::ProcessStarted { container, attempt } => {
                work.restarts += u32::from(*attempt > 1);
                work.start(&about.uid, container, at);
            }
            Happened::ProcessEnded { container, .. } => {
                work.stop(|(pod, name)| *pod == about.uid && name == container, at);
            }
            _ => {}
        }
    }
}

impl JobEnd {
    /// `Complete`, `Failed`, `Deleted`, `Suspended` or `Running`.
    pub fn name(&self) -> &'static str {
        match self {
            JobEnd::Running => "Running",
            JobEnd::Suspended => "Suspended",
            JobEnd::Complete => "Complete",
            JobEnd::Failed(_) => "Failed",
            JobEnd::Deleted => "Deleted",
        }
    }
}

/// `1 Pod`, `7 Pods`.
fn count(number: u32, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

impl JobOutcome {
    fn text(&self) -> String {
        let name = object_name(&self.key);
        let at = self.ended_at.map(|at| {
            let (at, whole) = (clock(at), length(at.since(self.made_at)));
            format!(" at {at} after {whole}")
        });
        let end = match &self.end {
            JobEnd::Running => "has not ended".to_owned(),
            JobEnd::Suspended => "is suspended".to_owned(),
            JobEnd::Complete => "completed".to_owned(),
            JobEnd::Failed(reason) => format!("failed ({reason})"),
            JobEnd::Deleted => "was deleted".to_owned(),
        };
        format!(
            "{name} {end}{}: {}, {} of them in place of one that failed; {} succeeded, {} failed; {}; worked {}, waited {}",
            at.unwrap_or_default(),
            count(self.pods, "Pod"),
            self.retries,
            self.succeeded,
            self.failures,
            count(self.restarts, "restart"),
            length(self.working),
            length(self.waiting),
        )
    }

    fn to_value(&self, start: SimTime) -> Value {
        let ms = |at: SimTime| at.since(start).as_ms();
        let mut value = object! {
            "kind" => "Job", "namespace" => &*self.key.namespace, "name" => &*self.key.name, "end" => self.end.name(),
            "madeMs" => ms(self.made_at), "pods" => i64::from(self.pods), "retries" => i64::from(self.retries),
            "succeeded" => i64::from(self.succeeded), "failed" => i64::from(self.failures),
            "restarts" => i64::from(self.restarts), "workingMs" => self.working.as_ms(),
            "waitingMs" => self.waiting.as_ms(),
        };
        if let JobEnd::Failed(reason) = &self.end {
            value.set("reason", reason.clone());
        }
        if let Some(at) = self.ended_at {
            value.set("endedMs", ms(at));
        }
        if let Some(owner) = &self.cron_job {
            value.set("cronJob", &*owner.name);
        }
        value
    }
}

impl CronJobOutcome {
    fn text(&self) -> String {
        let next = self.next.map(|at| format!("; the next is due at {}", clock(at))).unwrap_or_default();
        format!(
            "{}{} made {}: {} completed, {} failed, {} not ended, {} deleted before their end; {} without a Job{next}",
            object_name(&self.key),
            if self.gone { ", which is gone," } else { "" },
            count(self.jobs, "Job"),
            self.complete,
            self.failed,
            self.unfinished,
            self.deleted,
            count(self.skipped, "moment"),
        )
    }

    fn to_value(&self, start: SimTime) -> Value {
        let number = |number: u32| i64::from(number);
        let mut value = object! {
            "kind" => "CronJob", "namespace" => &*self.key.namespace, "name" => &*self.key.name,
            "jobs" => number(self.jobs), "complete" => number(self.complete), "failed" => number(self.failed),
            "unfinished" => number(self.unfinished), "deleted" => number(self.deleted),
            "skipped" => number(self.skipped), "gone" => self.gone,
        };
        if let Some(next) = self.next {
            value.set("nextMs", next.since(start).as_ms());
        }
        value
    }
}

impl Outcome {
    /// A line for each CronJob and each Job.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.cron_jobs.iter().map(CronJobOutcome::text).collect();
        lines.extend(self.jobs.iter().map(JobOutcome::text));
        if lines.is_empty() {
            lines.push("there was no Job and no CronJob".to_owned());
        }
        if !self.exact {
            lines.push("the run was long and not all of it is kept: numbers may be too low".to_owned());
        }
        lines
    }

    /// The same as JSON; times are milliseconds since `start`, lengths of time milliseconds.
    pub fn to_value(&self, start: SimTime) -> Value {
        object! {
            "cronJobs" => Value::list(self.cron_jobs.iter().map(|one| one.to_value(start))),
            "jobs" => Value::list(self.jobs.iter().map(|one| one.to_value(start))), "exact" => self.exact,
        }
    }
}
