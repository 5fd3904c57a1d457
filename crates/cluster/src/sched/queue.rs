//! The scheduling queue: Pods to be placed now, Pods that wait out a back-off, Pods that wait for the world to change.
//!
//! Rule: `docs/semantics/scheduler.md` §1. Back-offs end on whole seconds; an idle scheduler does not wait for them
//! (`SchedulerPopFromBackoffQ`). Pods are retried when something happened that may help, else after five minutes.
//! Source: `pkg/scheduler/backend/queue/{scheduling_queue,active_queue,backoff_queue}.go`.

use std::cmp::Reverse;
use std::rc::Rc;

use crate::sched::cache::PodInfo;
use crate::sched::fit_error::Plugin;
use crate::store::Cause;
use api::meta::Key;
use values::sorted::{SortedMap, SortedSet};
use values::time::{SimTime, Span};

/// `podInitialBackoffSeconds` and `podMaxBackoffSeconds`.
const BACKOFF: Span = Span::secs(1);
const MAX_BACKOFF: Span = Span::secs(10);
/// `podMaxInUnschedulablePodsDuration`, and how often it is looked at.
const MAX_WAIT: Span = Span::mins(5);
const FLUSH_EVERY: Span = Span::secs(30);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// It has scheduling gates.
    Gated,
    Active,
    BackOff {
        until: SimTime,
    },
    Unschedulable,
    /// It was taken out and is being placed.
    InFlight,
}

/// A Pod that has no node yet.
#[derive(Clone, Debug)]
pub struct Entry {
    pub info: Rc<PodInfo>,
    /// The change that put it into the queue last.
    pub cause: Cause,
    /// Who refused it last time.
    pub refused_by: SortedSet<Plugin>,
    place: Standing,
    attempts: u32,
    /// When it came into the active queue, and in which turn.
    queued_at: SimTime,
    turn: u64,
    failed_at: SimTime,
}

impl Entry {
    /// 1 s after the first attempt, doubled with each, at most 10 s; rounded up to the whole second.
    fn backoff_until(&self) -> SimTime {
        if self.attempts == 0 {
            return self.failed_at;
        }
        let doubled = BACKOFF.as_ms() << (self.attempts - 1).min(10);
        let until = self.failed_at + Span::ms(doubled).min(MAX_BACKOFF);
        let cut = until.whole_second();
        if cut == until { until } else { cut + Span::secs(1) }
    }
}

/// All Pods without a node.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    entries: SortedMap<Key, Entry>,
    active: SortedSet<(Reverse<i32>, SimTime, u64, Key)>,
    backing_off: SortedSet<(SimTime, Reverse<i32>, u64, Key)>,
    unschedulable: SortedSet<(SimTime, Key)>,
    nominated: SortedMap<Key, String>,
    turns: u64,
}

impl Queue {
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// A new Pod.
    pub fn add(&mut self, info: PodInfo, gated: bool, now: SimTime, cause: Cause) {
        let key = info.key.clone();
        self.remove(&key);
        let entry = Entry {
            info: Rc::new(info),
            cause,
            refused_by: SortedSet::new(),
            place: Standing::Gated,
            attempts: 0,
            queued_at: now,
            turn: 0,
            failed_at: now,
        };
        self.entries.insert(key.clone(), entry);
        if !gated {
            self.activate(&key, now);
        }
    }

    /// Takes in a newer version of a waiting Pod.
    pub fn refresh(&mut self, key: &Key, info: PodInfo) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.info = Rc::new(info);
        }
    }

    pub fn is_gated(&self, key: &Key) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.place == Standing::Gated)
    }

    pub fn remove(&mut self, key: &Key) {
        self.nominated.remove(key);
        self.leave(key);
        self.entries.remove(key);
    }

    /// True if there is a Pod to be placed as soon as the scheduler is free.
    pub fn has_work(&self) -> bool {
        !self.active.is_empty() || !self.backing_off.is_empty()
    }

    /// The next Pod to be placed.
    pub fn pop(&mut self) -> Option<Entry> {
        let active = self.active.first().map(|(_, _, _, key)| key.clone());
        let key = active.or_else(|| self.backing_off.first().map(|(_, _, _, key)| key.clone()))?;
        self.leave(&key);
        let entry = self.entries.get_mut(&key)?;
        entry.place = Standing::InFlight;
        entry.attempts += 1;
        Some(entry.clone())
    }

    /// The Pod that was taken out could not be placed.
    pub fn put_back(&mut self, key: &Key, refused_by: SortedSet<Plugin>, now: SimTime, cause: Cause) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.cause = cause;
        entry.place = Standing::Unschedulable;
        entry.refused_by = refused_by;
        entry.failed_at = now;
        self.unschedulable.insert((now, key.clone()));
    }

    /// The Pods that wait for something to change, with those who refused them.
    pub fn waiting(&self) -> impl Iterator<Item = &Entry> {
        self.unschedulable.iter().filter_map(|(_, key)| self.entries.get(key))
    }

    /// Something happened that may help: the Pod is tried again, after its back-off.
    pub fn retry(&mut self, key: &Key, now: SimTime, cause: Cause) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.place != Standing::Unschedulable {
            return;
        }
        entry.cause = cause;
        let until = entry.backoff_until();
        if until <= now {
            return self.activate(key, now);
        }
        self.leave(key);
        self.turns += 1;
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.place = Standing::BackOff { until };
        entry.turn = self.turns;
        self.backing_off.insert((until, Reverse(entry.info.priority()), entry.turn, key.clone()));
    }

    /// Puts the Pod into the active queue at once: its gates are gone, or it waited long enough.
    pub fn activate(&mut self, key: &Key, now: SimTime) {
        self.leave(key);
        self.turns += 1;
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.place = Standing::Active;
        entry.queued_at = now;
        entry.turn = self.turns;
        self.active.insert((Reverse(entry.info.priority()), now, entry.turn, key.clone()));
    }

    /// When Pods are next looked at that waited too long.
    pub fn next_flush(&self) -> Option<SimTime> {
        let (since, _) = self.unschedulable.first()?;
        let due = (*since + MAX_WAIT).millis() + 1;
        let every = FLUSH_EVERY.as_ms();
        Some(SimTime::from_millis(due.div_euclid(every) * every + every))
    }

    /// Tries Pods again that have waited for five minutes.
    pub fn flush(&mut self, now: SimTime) {
        let due: Vec<Key> = self
            .unschedulable
            .iter()
            .take_while(|(since, _)| now.since(*since) > MAX_WAIT)
            .map(|(_, key)| key.clone())
            .collect();
        for key in due {
            let cause = self.entries.get(&key).map(|entry| entry.cause).unwrap_or_default();
            self.retry(&key, now, cause);
        }
    }

    pub fn nominate(&mut self, key: &Key, node: Option<&str>) {
        match node {
            Some(node) => self.nominated.insert(key.clone(), node.to_owned()),
            None => self.nominated.remove(key),
        };
    }

    /// The node for which Pods were pushed out in favour of this one.
    pub fn nomination(&self, key: &Key) -> Option<&str> {
        self.nominated.get(key).map(String::as_str)
    }

    /// The Pods that are meant for `node`.
    pub fn nominated_to<'q>(&'q self, node: &'q str) -> impl Iterator<Item = &'q Rc<PodInfo>> {
        let keys = self.nominated.iter().filter(move |(_, n)| *n == node).map(|(key, _)| key);
        keys.filter_map(|key| self.entries.get(key)).map(|entry| &entry.info)
    }

    pub fn has_nominations(&self) -> bool {
        !self.nominated.is_empty()
    }

    /// Takes the Pod out of the line it stands in.
    fn leave(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else { return };
        let priority = Reverse(entry.info.priority());
        match entry.place {
            Standing::Active => {
                self.active.remove(&(priority, entry.queued_at, entry.turn, key.clone()));
            }
            Standing::BackOff { until } => {
                self.backing_off.remove(&(until, priority, entry.turn, key.clone()));
            }
            Standing::Unschedulable => {
                self.unschedulable.remove(&(entry.failed_at, key.clone()));
            }
            Standing::Gated | Standing::InFlight => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::kind::Kind;
    use api::object::Object;
    use values::value::Value;

    fn pod(name: &str, priority: i32) -> PodInfo {
        let json = format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"priority":{priority},"containers":[]}}}}"#
        );
        PodInfo::new(&Rc::new(Object::new(Kind::Pod, Value::from_json(&json).unwrap(), 1)))
    }

    fn at(ms: i64) -> SimTime {
        SimTime::from_millis(ms)
    }

    fn pop(queue: &mut Queue) -> String {
        queue.pop().unwrap().info.key.name.to_string()
    }

    #[test]
    fn priority_comes_before_age_and_active_before_backing_off() {
        let mut queue = Queue::default();
        for (name, priority, ms) in [("old", 0, 1), ("young", 0, 2), ("important", 9, 3)] {
            queue.add(pod(name, priority), false, at(ms), Cause::default());
        }
        assert_eq!(pop(&mut queue), "important");
        let key = Key::new(Kind::Pod, "default", "important");
        queue.put_back(&key, SortedSet::new(), at(10), Cause::default());
        queue.retry(&key, at(20), Cause::default());
        assert_eq!(pop(&mut queue), "old");
        assert_eq!(pop(&mut queue), "young");
        // Nobody else is there, so its back-off is cut short.
        assert_eq!(pop(&mut queue), "important");
        assert!(!queue.has_work());
    }

    #[test]
    fn back_offs_double_to_ten_seconds_and_end_on_whole_ones() {
        let mut queue = Queue::default();
        queue.add(pod("a", 0), false, at(0), Cause::default());
        let key = Key::new(Kind::Pod, "default", "a");
        for expected in [1500 + 1000, 1500 + 2000, 1500 + 4000, 1500 + 8000, 1500 + 10_000, 1500 + 10_000] {
            queue.pop();
            queue.put_back(&key, SortedSet::new(), at(1500), Cause::default());
            let up = (expected + 999) / 1000 * 1000;
            assert_eq!(queue.get(&key).unwrap().backoff_until(), at(up));
            queue.activate(&key, at(1500));
        }
    }

    #[test]
    fn pods_are_looked_at_again_after_five_minutes_on_a_grid_of_thirty_seconds() {
        let mut queue = Queue::default();
        queue.add(pod("a", 0), false, at(0), Cause::default());
        queue.pop();
        queue.put_back(&Key::new(Kind::Pod, "default", "a"), SortedSet::new(), at(1500), Cause::default());
        assert_eq!(queue.next_flush(), Some(at(330_000)));
        queue.flush(at(330_000));
        assert!(queue.has_work());
    }
}
