//! The work queue of controllers: keys that wait for their time, each at most once.
//!
//! Rule: a key that is already waiting keeps the earlier of both times; failures wait longer each time.
//! Source: `client-go/util/workqueue/{delaying_queue,default_rate_limiters}.go`.

use std::cmp::Reverse;

use crate::store::Cause;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};

/// A key whose time has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due<K> {
    pub key: K,
    /// What first asked for this work.
    pub cause: Cause,
}

/// How a failed key is tried again: `base`, doubled with each failure in a row, at most `max`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    pub base: Span,
    pub max: Span,
}

impl Retry {
    /// `DefaultControllerRateLimiter`: 5 ms to 1000 s.
    pub const CONTROLLER: Retry = Retry { base: Span::ms(5), max: Span::secs(1000) };
}

/// When a key is due, and its order of arrival, so that equal times are served first come, first served.
type Turn = (SimTime, u64);

/// Keys by the time they are due.
#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    waiting: SortedMap<K, Turn>,
    /// The last is due first, so that taking it moves nothing.
    order: SortedMap<Reverse<Turn>, (K, Cause)>,
    failures: SortedMap<K, u32>,
    turns: u64,
}

impl<K> Default for WorkQueue<K> {
    fn default() -> WorkQueue<K> {
        WorkQueue { waiting: SortedMap::new(), order: SortedMap::new(), failures: SortedMap::new(), turns: 0 }
    }
}

impl<K: Ord + Clone> WorkQueue<K> {
    pub fn new() -> WorkQueue<K> {
        WorkQueue::default()
    }

    /// Asks for `key` at `at`. If it already waits, the earlier time and its cause stay.
    pub fn add(&mut self, key: K, at: SimTime, cause: Cause) {
        if let Some(turn) = self.waiting.get(&key) {
            if turn.0 <= at {
                return;
            }
            self.order.remove(&Reverse(*turn));
        }
        self.turns += 1;
        let turn = (at, self.turns);
        self.order.insert(Reverse(turn), (key.clone(), cause));
        self.waiting.insert(key, turn);
    }

    /// The next time anything is due.
    pub fn next_at(&self) -> Option<SimTime> {
        self.order.keys().next_back().map(|Reverse((at, _))| *at)
    }

    /// Takes the first key that is due at `now`.
    pub fn pop(&mut self, now: SimTime) -> Option<Due<K>> {
        if self.next_at()? > now {
            return None;
        }
        let (_, (key, cause)) = self.order.pop_last()?;
        self.waiting.remove(&key);
        Some(Due { key, cause })
    }

    /// Work on `key` failed: ask for it again, later each time.
    pub fn retry(&mut self, key: K, now: SimTime, retry: Retry, cause: Cause) {
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let factor = 1_i64 << (*failures).min(32);
        *failures += 1;
        let delay = Span::ms(retry.base.as_ms().saturating_mul(factor)).min(retry.max);
        self.add(key, now + delay, cause);
    }

    /// Work on `key` went well: its failures are forgotten.
    pub fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// When `key` is due, if it waits.
    pub fn due_at(&self, key: &K) -> Option<SimTime> {
        self.waiting.get(key).map(|(at, _)| *at)
    }

    /// Takes `key` out, if it waits.
    pub fn remove(&mut self, key: &K) {
        if let Some(turn) = self.waiting.remove(key) {
            self.order.remove(&Reverse(turn));
        }
        self.failures.remove(key);
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::EntryId;

    fn at(seconds: i64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    fn cause(entry: u64) -> Cause {
        Cause { by: EntryId::new(entry), ..Cause::default() }
    }

    #[test]
    fn the_earlier_time_wins_and_keys_stand_once() {
        let mut queue = WorkQueue::new();
        queue.add("job", at(5), Cause::default());
        queue.add("job", at(9), cause(1));
        queue.add("other", at(5), Cause::default());
        queue.add("job", at(3), cause(2));
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.next_at(), Some(at(3)));
        assert_eq!(queue.pop(at(2)), None);
        assert_eq!(queue.pop(at(3)).unwrap().cause, cause(2));
        assert_eq!(queue.pop(at(5)).unwrap().key, "other");
        assert!(queue.is_empty());
    }

    #[test]
    fn failures_wait_longer_until_forgotten() {
        let retry = Retry { base: Span::secs(1), max: Span::secs(60) };
        let mut queue = WorkQueue::new();
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            queue.retry("k", at(0), retry, Cause::default());
            assert_eq!(queue.due_at(&"k"), Some(at(expected)));
            queue.pop(at(100));
        }
        queue.forget(&"k");
        queue.retry("k", at(0), retry, Cause::default());
        assert_eq!(queue.due_at(&"k"), Some(at(1)));
    }
}
