//! The journal: what a run remembers of everything that was done, written and noted, each entry with its cause.
//!
//! Rule: entries are numbered by the engine, and playing the past again gives the same entries with the same numbers. So
//! the journal is never wound back: what is known already is skipped, and a branch keeps its entries up to its latest
//! moment. Branches share what they have in common. A journal is bounded: when there is too much, the quiet entries of the
//! older half go, and what they led to is told to have come from what led to them.

use std::rc::Rc;

use crate::record::Record;
use api::batch::Job;
use api::kind::Kind;
use api::meta::Key;
use cluster::store::{Cause, Change, ChangeType, EntryId, Happened, Origin, Subject};
use values::time::SimTime;
use values::value::{Text, Value};

/// Entries that branches share or copy together.
const CHUNK: usize = 256;
/// Entries kept of one branch; when there are more, the older half is thinned.
const KEPT_MAX: usize = 50_000;

/// One entry.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    pub id: EntryId,
    pub at: SimTime,
    /// Who wrote or noted it: `kubelet`, `job-controller`, `user` …
    pub actor: &'static str,
    /// Its `by` is an older entry. What was between them may have been thinned out: see `skips`.
    pub cause: Cause,
    /// Entries between this one and its cause are no longer kept.
    pub skips: bool,
    /// None for what concerns the whole cluster.
    pub about: Option<Subject>,
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A write to the store. `facts` are none if nothing turned that anybody asks for.
    Change { change: ChangeType, facts: Option<Rc<Facts>>, origin: Option<Rc<Origin>> },
    /// What no write shows; also what was done from outside.
    Happened(Rc<Happened>),
}

/// What a write turned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// The new `status.phase`.
    pub phase: Option<Text>,
    /// Conditions whose status turned.
    pub conditions: Vec<Turned>,
    /// The object was told to go.
    pub deletion_began: bool,
    /// Its spec changed, or it is new.
    pub spec: bool,
    /// A Job's active, succeeded and failed Pods, where one of them changed.
    pub counts: Option<[i32; 3]>,
    /// The controller it got: of a new object, or when it changed hands.
    pub controller: Option<Subject>,
    /// `batch.kubernetes.io/job-completion-index` of a new Pod.
    pub index: Option<i32>,
    /// The node a Pod was placed on.
    pub node: Option<Text>,
}

/// A condition whose status turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turned {
    pub kind: Text,
    pub status: Text,
    pub reason: Text,
}

impl JournalEntry {
    /// The entry of a record; none for what a command printed.
    pub fn of(record: &Record) -> Option<JournalEntry> {
        match record {
            Record::Change(change) => Some(JournalEntry {
                id: change.entry,
                at: change.at,
                actor: change.actor,
                cause: change.cause,
                skips: false,
                about: Some(Subject { key: change.object.key(), uid: change.object.shared_uid() }),
                what: What::Change {
                    change: change.change,
                    facts: Facts::of(change).map(Rc::new),
                    origin: change.origin.clone(),
                },
            }),
            Record::Happening(happening) => Some(JournalEntry {
                id: happening.entry,
                at: happening.at,
                actor: happening.actor,
                cause: happening.cause,
                skips: false,
                about: happening.about.clone(),
                what: What::Happened(Rc::new(happening.what.clone())),
            }),
            Record::Output(_) => None,
        }
    }

    /// What was turned, if it is a write that turned something.
    pub fn facts(&self) -> Option<&Facts> {
        match &self.what {
            What::Change { facts, .. } => facts.as_deref(),
            What::Happened(_) => None,
        }
    }

    /// What happened without a write.
    pub fn happened(&self) -> Option<&Happened> {
        match &self.what {
            What::Change { .. } => None,
            What::Happened(happened) => Some(happened),
        }
    }

    /// A write of this sort.
    pub fn is(&self, wanted: ChangeType) -> bool {
        matches!(self.what, What::Change { change, .. } if change == wanted)
    }

    /// True for what was done from outside.
    pub fn is_input(&self) -> bool {
        matches!(self.happened(), Some(Happened::Input { .. }))
    }

    /// True if it is about the object with this uid.
    pub fn is_about(&self, uid: &str) -> bool {
        self.about.as_ref().is_some_and(|about| *about.uid == *uid)
    }

    pub fn kind(&self) -> Option<Kind> {
        self.about.as_ref().map(|about| about.key.kind)
    }

    /// Nobody asks for it by itself: an event, or a write that turned nothing.
    fn is_quiet(&self) -> bool {
        match &self.what {
            What::Happened(_) => false,
            What::Change { facts, origin, .. } => {
                self.kind() == Some(Kind::Event) || (facts.is_none() && origin.is_none())
            }
        }
    }
}

impl Facts {
    /// What a change turned; none if it turned nothing.
    fn of(change: &Change) -> Option<Facts> {
        if change.kind() == Kind::Event {
            return None;
        }
        let (after, before) = (&change.object, change.previous.as_ref());
        let mut facts = Facts { deletion_began: change.starts_deletion(), ..Facts::default() };
        if change.change == ChangeType::Deleted {
            return Some(facts).filter(|facts| *facts != Facts::default());
        }
        if !change.keeps_metadata() {
            facts.spec = change.changes_spec();
            let controller = after.meta().controller();
            if before.is_none_or(|before| before.meta().controller() != controller) {
                facts.controller = controller.and_then(|owner| {
                    let key = Key::new(Kind::named(&owner.kind)?, after.namespace(), &owner.name);
                    Some(Subject { key, uid: owner.uid.shared() })
                });
            }
        }
        let status = after.value().at("status");
        let status_before = before.map_or(&Value::Null, |before| before.value().at("status"));
        match change.kind() {
            Kind::Pod => facts.see_pod(change),
            Kind::Job => facts.see_job(after.job(), before.map(|before| before.job())),
            Kind::CronJob => {}
            _ if status != status_before => facts.see_status(status, status_before),
            _ => {}
        }
        Some(facts).filter(|facts| *facts != Facts::default())
    }

    fn see_pod(&mut self, change: &Change) {
        let (after, before) = (change.object.pod(), change.previous.as_ref().map(|before| before.pod()));
        if before.is_none_or(|before| before.status.phase != after.status.phase) {
            self.phase = Some(after.status.phase.clone());
        }
        if before.is_none_or(|before| before.spec.node_name != after.spec.node_name) && !after.spec.node_name.is_empty()
        {
            self.node = Some(after.spec.node_name.clone());
        }
        let index = "batch.kubernetes.io/job-completion-index";
        if before.is_none() {
            self.index = after.metadata.annotations.get(index).and_then(|text| text.parse().ok());
        }
        if before.is_some_and(|before| Rc::ptr_eq(&before.status, &after.status)) {
            return;
        }
        for condition in &after.status.conditions {
            let known = before.and_then(|before| before.condition(&condition.kind));
            if known.is_none_or(|known| known.status != condition.status) {
                let (kind, status, reason) = (&condition.kind, &condition.status, &condition.reason);
                self.conditions.push(Turned { kind: kind.clone(), status: status.clone(), reason: reason.clone() });
            }
        }
    }

    fn see_job(&mut self, after: &Job, before: Option<&Rc<Job>>) {
        let counts = |job: &Job| [job.status.active, job.status.succeeded, job.status.failed];
        if before.map_or([0; 3], |before| counts(before)) != counts(after) {
            self.counts = Some(counts(after));
        }
        for condition in &after.status.conditions {
            let known = before.and_then(|before| before.status.conditions.iter().find(|c| c.kind == condition.kind));
            if known.is_none_or(|known| known.status != condition.status) {
                let text = |text: &String| Text::from(text.as_str());
                let (kind, status) = (text(&condition.kind), text(&condition.status));
                self.conditions.push(Turned { kind, status, reason: text(&condition.reason) });
            }
        }
    }

    fn see_status(&mut self, after: &Value, before: &Value) {
        let phase = after.at("phase").as_text();
        if phase != before.at("phase").as_text() {
            self.phase = phase.cloned();
        }
        let of = |condition: &Value, key: &str| condition.at(key).as_text().cloned().unwrap_or_default();
        for condition in after.list_at("conditions") {
            let (kind, status) = (of(condition, "type"), of(condition, "status"));
            let known = before.list_at("conditions").iter().find(|known| of(known, "type") == kind);
            if known.is_none_or(|known| of(known, "status") != status) {
                self.conditions.push(Turned { kind, status, reason: of(condition, "reason") });
            }
        }
    }
}

/// The entries of one branch, by number.
#[derive(Clone, Debug)]
pub struct Log {
    chunks: Vec<Rc<Vec<JournalEntry>>>,
    len: usize,
    /// The number of the first entry that was ever noted; what came before is the cluster's set-up.
    begins: u64,
    last: u64,
    /// How many entries were thinned out.
    dropped: usize,
    kept_max: usize,
}

impl Default for Log {
    fn default() -> Log {
        Log { chunks: Vec::new(), len: 0, begins: 0, last: 0, dropped: 0, kept_max: KEPT_MAX }
    }
}

impl Log {
    /// Takes note of a record, unless it is known already.
    pub fn note(&mut self, record: &Record) {
        let known = match record {
            Record::Change(change) => change.entry,
            Record::Happening(happening) => happening.entry,
            Record::Output(_) => return,
        };
        if known.number() <= self.last {
            return;
        }
        let Some(entry) = JournalEntry::of(record) else { return };
        if self.begins == 0 {
            self.begins = known.number();
        }
        self.last = known.number();
        if self.len >= self.kept_max {
            self.thin();
        }
        self.push(entry);
    }

    fn push(&mut self, entry: JournalEntry) {
        self.len += 1;
        if let Some(chunk) = self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Rc::make_mut(chunk).push(entry);
        } else {
            let mut chunk = Vec::with_capacity(CHUNK);
            chunk.push(entry);
            self.chunks.push(Rc::new(chunk));
        }
    }

    /// The entry of this number, if it is kept.
    pub fn get(&self, id: EntryId) -> Option<&JournalEntry> {
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| last.id < id));
        let chunk = self.chunks.get(chunk)?;
        chunk.binary_search_by_key(&id, |entry| entry.id).ok().map(|at| &chunk[at])
    }

    /// All that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &JournalEntry> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many were thinned out.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// True for an entry of the cluster's set-up, before anything was noted.
    pub fn is_before(&self, id: EntryId) -> bool {
        id.number() < self.begins
    }

    /// The same up to an entry.
    fn until(&self, last: Option<EntryId>) -> Log {
        let last = last.map_or(0, EntryId::number);
        let whole = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|entry| entry.id.number() <= last));
        let mut chunks = self.chunks[..whole].to_vec();
        if let Some(chunk) = self.chunks.get(whole) {
            let rest: Vec<JournalEntry> = chunk.iter().take_while(|entry| entry.id.number() <= last).cloned().collect();
            if !rest.is_empty() {
                chunks.push(Rc::new(rest));
            }
        }
        let len = chunks.iter().map(|chunk| chunk.len()).sum();
        let (begins, dropped, kept_max) = (self.begins, self.dropped, self.kept_max);
        Log { chunks, len, begins, last: last.min(self.last), dropped, kept_max }
    }

    /// Lets quiet entries of the older half go; if they are too few, the oldest that were not done from outside.
    fn thin(&mut self) {
        let half = self.len / 2;
        let quiet = self.iter().take(half).filter(|entry| entry.is_quiet()).count();
        let all = quiet < half / 4;
        // In the order of their numbers, each with what led to it and is kept.
        let mut gone: Vec<(EntryId, Option<EntryId>)> = Vec::new();
        let old = std::mem::take(&mut self.chunks);
        self.len = 0;
        for (at, entry) in old.iter().flat_map(|chunk| chunk.iter()).enumerate() {
            let mut entry = entry.clone();
            let skipped = entry.cause.by.and_then(|by| gone.binary_search_by_key(&by, |(id, _)| *id).ok());
            if let Some(skipped) = skipped {
                (entry.cause.by, entry.skips) = (gone[skipped].1, true);
            }
            let goes = if all { at < half / 2 && !entry.is_input() } else { at < half && entry.is_quiet() };
            if goes {
                gone.push((entry.id, entry.cause.by));
                self.dropped += 1;
            } else {
                self.push(entry);
            }
        }
    }
}

/// The entries of all branches of a run.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Of the branch that is played.
    log: Log,
    /// The number of that branch; the first is 1.
    played: u64,
    /// Of the others.
    others: Vec<(u64, Log)>,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { log: Log::default(), played: 1, others: Vec::new() }
    }
}

impl Journal {
    /// The entries of the branch that is played.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The entries of a branch.
    pub fn log_of(&self, branch: u64) -> Option<&Log> {
        let other = || self.others.iter().find(|(id, _)| *id == branch).map(|(_, log)| log);
        if branch == self.played { Some(&self.log) } else { other() }
    }

    /// Nothing is thinned out from now on: for programs that end soon.
    pub fn keep_whole(&mut self) {
        self.log.kept_max = usize::MAX;
    }

    /// Takes note of a record of the branch that is played.
    pub fn note(&mut self, record: &Record) {
        self.log.note(record);
    }

    /// Another branch begins after `last`, and is played.
    pub fn fork(&mut self, branch: u64, last: Option<EntryId>) {
        let log = self.log.until(last);
        self.play(branch, log);
    }

    /// Another branch is played.
    pub fn enter(&mut self, branch: u64) {
        if branch != self.played {
            let at = self.others.iter().position(|(id, _)| *id == branch);
            let log = at.map(|at| self.others.swap_remove(at).1).unwrap_or_default();
            self.play(branch, log);
        }
    }

    fn play(&mut self, branch: u64, log: Log) {
        self.others.push((self.played, std::mem::replace(&mut self.log, log)));
        self.played = branch;
    }

    /// A branch is gone.
    pub fn forget(&mut self, branch: u64) {
        self.others.retain(|(id, _)| *id != branch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster::store::{Happening, Rule};

    fn happening(number: u64, by: Option<u64>) -> Record {
        Record::Happening(Happening {
            entry: EntryId::new(number).expect("from 1"),
            at: SimTime::from_secs(number as i64),
            actor: "test",
            about: None,
            what: Happened::TimeUp,
            cause: Cause { by: by.and_then(EntryId::new), rule: Rule::Start, counts: [0; 2] },
        })
    }

    fn numbers(log: &Log) -> Vec<u64> {
        log.iter().map(|entry| entry.id.number()).collect()
    }

    #[test]
    fn what_is_known_is_skipped_and_branches_part_where_they_fork() {
        let mut journal = Journal::default();
        for number in 1..=600 {
            journal.note(&happening(number, None));
        }
        // Going back plays the same entries again.
        journal.note(&happening(300, None));
        assert_eq!(journal.log().len(), 600);
        journal.fork(2, EntryId::new(300));
        assert_eq!(journal.log().len(), 300);
        journal.note(&happening(301, Some(7)));
        assert_eq!(journal.log().get(EntryId::new(301).unwrap()).unwrap().cause.by, EntryId::new(7));
        journal.enter(1);
        assert_eq!(numbers(journal.log()), (1..=600).collect::<Vec<u64>>());
        assert_eq!(journal.log_of(2).map(Log::len), Some(301));
        journal.forget(2);
        assert!(journal.log_of(2).is_none());
    }

    #[test]
    fn a_full_log_lets_the_oldest_go_and_chains_skip_what_went() {
        let mut log = Log { kept_max: 100, ..Log::default() };
        log.note(&happening(1, None));
        for number in 2..=1_000 {
            log.note(&happening(number, Some(number - 1)));
        }
        assert!(log.len() <= 101 && log.dropped() > 800, "{} {}", log.len(), log.dropped());
        let kept = numbers(&log);
        assert_eq!(kept.last(), Some(&1_000));
        let first = log.get(EntryId::new(kept[0]).unwrap()).unwrap();
        assert!(first.skips, "what it came from is gone");
        let ids: Vec<Option<EntryId>> = log.iter().skip(1).map(|entry| entry.cause.by).collect();
        assert!(ids.iter().all(|by| by.is_some_and(|by| log.get(by).is_some())));
    }
}
