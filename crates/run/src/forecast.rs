//! Forecast: what stands in the queue for an object, and how it ends if nobody acts.
//!
//! Rule: what stands is read from the journal, the actors and the object's own clocks; how it ends is seen by playing a copy
//! of the cluster ahead under a budget. Nothing of the run changes, and what would still be done from outside is left out.

use std::rc::Rc;

use crate::Sim;
use crate::explain::{Past, clock, length, object_name};
use crate::journal::{JournalEntry, What};
use crate::record::Record;
use api::kind::Kind;
use api::object::Object;
use cluster::Cluster;
use cluster::store::{ChangeType, Entry, Happened, Rule, Subject};
use values::object;
use values::time::{SimTime, Span};
use values::value::Value;

/// How far ahead is looked at most.
const HORIZON: Span = Span::secs(40 * 86_400);

/// Something that is due by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub at: SimTime,
    pub says: String,
    pub rule: Rule,
}

/// How it ends if nobody acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It has ended already, or is gone.
    Past,
    At {
        at: SimTime,
        /// `fails (BackoffLimitExceeded)`, `is complete`, `makes Job x` …
        says: String,
        /// Until then: Pods made, Pods that failed, containers started again.
        pods: u32,
        failures: u32,
        restarts: u32,
    },
    /// Nothing ends it: nothing more will happen to it.
    Never,
    /// It has not ended by then; nobody looked further.
    Open { until: SimTime },
}

/// What is to come for one object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forecast {
    pub about: Subject,
    /// In order of time.
    pub standing: Vec<Standing>,
    pub ending: Ending,
}

/// What stands in the queue for an object, and how it ends if nobody acts, as far as `budget` things show. None if it is
/// not there.
pub fn forecast(sim: &Sim, about: &Subject, budget: u32) -> Option<Forecast> {
    let object = sim.cluster().store().get(&about.key).filter(|object| object.uid() == &*about.uid)?;
    let mut standing = Vec::new();
    collect(&Past::of(sim), object, &mut standing);
    standing.sort_by_key(|one| one.at);
    let ending = if has_ended(object) { Ending::Past } else { play(sim, about, budget) };
    Some(Forecast { about: about.clone(), standing, ending })
}

fn has_ended(object: &Object) -> bool {
    match object.kind() {
        Kind::Job => object.job().finished().is_some(),
        Kind::Pod => object.pod().is_terminal(),
        _ => false,
    }
}

/// Everything that is due for an object and for its Pods.
fn collect(past: &Past<'_>, object: &Object, standing: &mut Vec<Standing>) {
    let (subject, now) = (Subject::from(object), past.now());
    let name = object_name(&subject.key);
    let mut due = |at: SimTime, rule: Rule, says: String| {
        if at > now {
            standing.push(Standing { at, says, rule });
        }
    };
    let noted = past.entries().rev().filter(|entry| entry.is_about(&subject.uid));
    let mut seen: Vec<(u8, &str)> = Vec::new();
    for entry in noted {
        let (sort, container, at, says) = match entry.happened() {
            Some(Happened::Held { until: Some(until) }) => (0, "", *until, format!("{name} makes its next Pod")),
            Some(Happened::BackOff { container, until, pulls }) => {
                let what = if *pulls { "pulls its image again" } else { "is started again" };
                (1, container.as_str(), *until, format!("container {container} of {name} {what}"))
            }
            Some(Happened::ProcessTold { container, grace_seconds }) => {
                let at = entry.at + Span::secs(*grace_seconds);
                (2, container.as_str(), at, format!("container {container} of {name} is killed if it has not ended"))
            }
            Some(Happened::ProcessEnded { container, .. }) => (2, container.as_str(), entry.at, String::new()),
            Some(Happened::ProcessStarted { container, .. }) => (1, container.as_str(), entry.at, String::new()),
            _ => continue,
        };
        // The latest of each sort counts; a start ends a back-off, an end ends the grace.
        if !seen.contains(&(sort, container)) {
            seen.push((sort, container));
            due(at, entry.cause.rule, says);
        }
    }
    match object.kind() {
        Kind::Job => job_clocks(object, &name, &mut due),
        Kind::CronJob => {
            if let Some(next) = past.cluster().next_schedule(object) {
                due(next, Rule::CronJobStart, format!("{name} makes its next Job"));
            }
        }
        Kind::Pod => {
            let pod = object.pod();
            let deadline = object.value().i64_at("spec.activeDeadlineSeconds");
            if let Some((start, deadline)) = pod.status.start_time.zip(deadline).filter(|_| !pod.is_terminal()) {
                due(start + Span::secs(deadline), Rule::KubeletDeadline, format!("the time of {name} is up"));
            }
        }
        _ => {}
    }
    if matches!(object.kind(), Kind::Job | Kind::CronJob) {
        for owned in past.cluster().store().owned_by(object.uid()) {
            collect(past, owned, standing);
        }
    }
}

fn job_clocks(object: &Object, name: &str, due: &mut dyn FnMut(SimTime, Rule, String)) {
    let job = object.job();
    match job.finished() {
        None => {
            if let Some((start, deadline)) = job.status.start_time.zip(job.spec.active_deadline_seconds) {
                due(start + Span::secs(deadline), Rule::JobActiveDeadline, format!("the time of {name} is up"));
            }
        }
        Some(end) => {
            if let Some((at, ttl)) = end.last_transition_time.zip(job.spec.ttl_seconds_after_finished) {
                due(at + Span::secs(i64::from(ttl)), Rule::JobTtl, format!("{name} is deleted"));
            }
        }
    }
}

/// What is counted on the way.
#[derive(Default)]
struct Tally {
    /// The Pods that it owns, by uid.
    own: Vec<Rc<str>>,
    pods: u32,
    failures: u32,
    restarts: u32,
}

/// Plays a copy ahead until the object has ended.
fn play(sim: &Sim, about: &Subject, budget: u32) -> Ending {
    let mut cluster = sim.cluster().clone();
    let own = cluster.store().owned_by(&about.uid).filter(|object| object.kind() == Kind::Pod);
    let own = own.map(|pod| Rc::from(pod.uid())).collect();
    let (horizon, mut tally) = (cluster.now() + HORIZON, Tally { own, ..Tally::default() });
    cluster.take_log();
    for _ in 0..budget {
        if sim.lacks_shells() {
            break;
        }
        if !cluster.step(horizon) {
            return if cluster.next().is_none() { Ending::Never } else { Ending::Open { until: horizon } };
        }
        for entry in cluster.take_log() {
            if let Some(says) = see(&entry, about, &mut tally) {
                let Tally { pods, failures, restarts, .. } = tally;
                return Ending::At { at: entry.at(), says, pods, failures, restarts };
            }
            if sim.awaits_shells() && starts_shell(&cluster, &entry) {
                return Ending::Open { until: cluster.now() };
            }
        }
    }
    Ending::Open { until: cluster.now() }
}

/// Whether a Pod was made whose containers may start a shell.
fn starts_shell(cluster: &Cluster, entry: &Entry) -> bool {
    let Entry::Change(change) = entry else { return false };
    let is_new_pod = (change.change, change.kind()) == (ChangeType::Added, Kind::Pod);
    is_new_pod && cluster.images().may_start_shell(&change.object.pod().spec)
}

/// Counts an entry; if it ends the object, how.
fn see(entry: &Entry, about: &Subject, tally: &mut Tally) -> Option<String> {
    let record = match entry.clone() {
        Entry::Change(change) => {
            let is_own = *change.object.uid() == *about.uid;
            let controller = change.object.meta().controller();
            let is_owned = controller.is_some_and(|owner| *owner.uid == *about.uid);
            if !is_own && !is_owned {
                return None;
            }
            Record::Change(change)
        }
        // Of what happens to the Job's Pods, only starts are counted.
        Entry::Happening(happening) => Record::Happening(happening),
    };
    let seen = JournalEntry::of(&record)?;
    let subject = seen.about.clone()?;
    let is_own = subject.uid == about.uid;
    match (&seen.what, subject.key.kind) {
        (What::Change { change: ChangeType::Added, .. }, Kind::Pod) => {
            tally.pods += 1;
            tally.own.push(Rc::clone(&subject.uid));
        }
        (What::Change { change: ChangeType::Added, .. }, Kind::Job) if about.key.kind == Kind::CronJob => {
            return Some(format!("makes {}", object_name(&subject.key)));
        }
        (What::Change { change: ChangeType::Deleted, .. }, _) if is_own => return Some("is gone".to_owned()),
        (What::Happened(happened), Kind::Pod) => {
            if let Happened::ProcessStarted { attempt, .. } = &**happened
                && *attempt > 1
                && (is_own || tally.own.contains(&subject.uid))
            {
                tally.restarts += 1;
            }
        }
        _ => {}
    }
    let facts = seen.facts()?;
    for turned in facts.conditions.iter().filter(|turned| is_own && turned.status == "True") {
        match (subject.key.kind, turned.kind.as_str()) {
            (Kind::Job, "Complete") => return Some("is complete".to_owned()),
            (Kind::Job, "Failed") => return Some(format!("fails ({})", turned.reason)),
            _ => {}
        }
    }
    let phase = facts.phase.as_ref().filter(|_| subject.key.kind == Kind::Pod)?;
    if *phase == "Failed" {
        tally.failures += 1;
    }
    (is_own && (*phase == "Failed" || *phase == "Succeeded"))
        .then(|| if *phase == "Failed" { "fails".to_owned() } else { "succeeds".to_owned() })
}

impl Ending {
    /// `fails (BackoffLimitExceeded) at 09:14:05, after 2 more failures`
    pub fn text(&self, name: &str) -> String {
        match self {
            Ending::Past => format!("{name} has ended"),
            Ending::Never => format!("{name} stays as it is: nothing more happens by itself"),
            Ending::Open { until } => format!("{name} has not ended by {}", clock(*until)),
            Ending::At { at, says, pods, failures, restarts } => {
                let count = |number: &u32, one: &str| match number {
                    0 => None,
                    1 => Some(format!("1 more {one}")),
                    number => Some(format!("{number} more {one}s")),
                };
                let counts = [count(failures, "failure"), count(restarts, "restart"), count(pods, "Pod")];
                let counts: Vec<String> = counts.into_iter().flatten().collect();
                let after = if counts.is_empty() { String::new() } else { format!(", after {}", counts.join(", ")) };
                format!("{name} {says} at {}{after}", clock(*at))
            }
        }
    }
}

impl Forecast {
    /// What is to come, a line each; lengths count from `now`.
    pub fn lines(&self, now: SimTime) -> Vec<String> {
        let due = |one: &Standing| format!("{} (in {}) {}", clock(one.at), length(one.at.since(now)), one.says);
        let mut lines: Vec<String> = self.standing.iter().map(due).collect();
        lines.push(self.ending.text(&object_name(&self.about.key)));
        lines
    }

    /// The same as JSON; times are milliseconds since `start`.
    pub fn to_value(&self, start: SimTime) -> Value {
        let ms = |at: SimTime| at.since(start).as_ms();
        let due = |one: &Standing| object! { "ms" => ms(one.at), "says" => &one.says, "rule" => one.rule.id() };
        let mut value = object! {
            "kind" => self.about.key.kind.name(), "name" => &*self.about.key.name,
            "standing" => Value::list(self.standing.iter().map(due)),
            "says" => self.ending.text(&object_name(&self.about.key)),
        };
        if let Ending::At { at, pods, failures, restarts, .. } = &self.ending {
            value.set("endsMs", ms(*at));
            value.set("pods", i64::from(*pods));
            value.set("failures", i64::from(*failures));
            value.set("restarts", i64::from(*restarts));
        }
        value
    }
}
