//! Events, and the client's habit of folding similar ones together.
//!
//! Rules: `semantics/job.md` §5 (last paragraph), `semantics/scheduler.md` §3; recorded in `many-events`.
//! Source: `client-go/tools/record/events_cache.go` (core events), `client-go/tools/events/event_broadcaster.go`
//! (the scheduler's).

use std::collections::BTreeMap;

use crate::api::kind::Kind;
use crate::api::meta::Key;
use crate::api::object::Object;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{SimTime, Span};
use crate::base::value::Value;
use crate::object;
use crate::store::Api;

/// How many similar events stand alone; the next is the combined one (`defaultAggregateMaxEvents`).
const AGGREGATE_MAX_EVENTS: usize = 10;
/// Similar events further apart than this are not combined (`defaultAggregateIntervalInSeconds`).
const AGGREGATE_INTERVAL: Span = Span::secs(600);
/// Events a source may send about one object at once (`defaultSpamBurst`) …
const SPAM_BURST: i64 = 25;
/// … and how long it waits for each further one (`defaultSpamQPS`).
const SPAM_REFILL: Span = Span::secs(300);
/// `--event-ttl` of the API server.
const EVENT_TTL: Span = Span::secs(3600);

/// `event.type`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EventType {
    Normal,
    Warning,
}

impl EventType {
    pub fn name(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// What the recorders of all components remember.
#[derive(Clone, Debug, Default)]
pub struct Correlator {
    buckets: BTreeMap<SpamKey, Bucket>,
    groups: BTreeMap<GroupKey, Group>,
    /// The event object that stands for a group, or for one exact event.
    written: BTreeMap<(GroupKey, Option<String>), Key>,
    /// The scheduler's events by all but their text; each version of the object has its own.
    series: SortedMap<(GroupKey, u64), Key>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct SpamKey {
    source: String,
    object_uid: String,
    event_type: EventType,
}

#[derive(Clone, Debug)]
struct Bucket {
    tokens: i64,
    refilled_at: SimTime,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct GroupKey {
    source: String,
    object_uid: String,
    field_path: String,
    event_type: EventType,
    reason: String,
}

#[derive(Clone, Debug)]
struct Group {
    messages: SortedSet<String>,
    last_at: SimTime,
}

impl Correlator {
    /// Drops what can no longer matter: events that are gone, groups and buckets that have rested.
    fn forget(&mut self, exists: impl Fn(&Key) -> bool, now: SimTime) {
        self.written.retain(|_, key| exists(key));
        self.series.retain(|_, key| exists(key));
        self.groups.retain(|_, group| now.since(group.last_at) <= AGGREGATE_INTERVAL);
        let refilled = Span::ms(SPAM_REFILL.as_ms() * SPAM_BURST);
        self.buckets.retain(|_, bucket| now.since(bucket.refilled_at) <= refilled);
    }

    /// Takes a token; false if there is none.
    fn admit(&mut self, key: SpamKey, now: SimTime) -> bool {
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: SPAM_BURST, refilled_at: now });
        let refills = now.since(bucket.refilled_at).as_ms() / SPAM_REFILL.as_ms();
        if refills > 0 {
            bucket.tokens = (bucket.tokens + refills).min(SPAM_BURST);
            bucket.refilled_at += Span::ms(refills * SPAM_REFILL.as_ms());
        }
        let admitted = bucket.tokens > 0;
        bucket.tokens -= i64::from(admitted);
        admitted
    }

    /// True if the event is one too many of its like and goes into the combined one.
    fn is_combined(&mut self, key: &GroupKey, message: &str, now: SimTime) -> bool {
        let group = self.groups.entry(key.clone()).or_insert(Group { messages: SortedSet::new(), last_at: now });
        if now.since(group.last_at) > AGGREGATE_INTERVAL {
            group.messages.clear();
        }
        group.last_at = now;
        group.messages.insert(message.to_owned());
        if group.messages.len() < AGGREGATE_MAX_EVENTS {
            return false;
        }
        group.messages.pop_first();
        true
    }
}

impl Api<'_> {
    /// Records an event about `object` in the name of this client.
    pub fn event(&mut self, object: &Object, event_type: EventType, reason: &str, message: &str) {
        self.event_at(object, "", "", event_type, reason, message);
    }

    /// Records an event about a part of `object` (`spec.containers{main}`), seen on `host`.
    pub fn event_at(
        &mut self,
        object: &Object,
        field_path: &str,
        host: &str,
        event_type: EventType,
        reason: &str,
        message: &str,
    ) {
        let source = format!("{}/{host}", self.actor);
        let spam = SpamKey { source: source.clone(), object_uid: object.uid().to_owned(), event_type };
        let group = GroupKey {
            source,
            object_uid: object.uid().to_owned(),
            field_path: field_path.to_owned(),
            event_type,
            reason: reason.to_owned(),
        };
        // The real recorder combines first and asks the spam filter last; a dropped event still counts as seen.
        let combined = self.store.correlator.is_combined(&group, message, self.now);
        if !self.store.correlator.admit(spam, self.now) {
            return;
        }
        let text = if combined { format!("(combined from similar events): {message}") } else { message.to_owned() };
        let written = (group, (!combined).then(|| message.to_owned()));
        let known = self.store.correlator.written.get(&written).filter(|key| self.store.get(key).is_some()).cloned();
        match known {
            Some(key) => self.count_again(&key, &text),
            None => {
                let event = self.new_event(object, field_path, host, event_type, reason, &text);
                let key = self.write_event(event);
                self.store.correlator.written.insert(written, key);
            }
        }
    }

    /// Records an event as `events.k8s.io` clients do (the scheduler): repeats become a series under the first text.
    pub fn event_series(&mut self, object: &Object, event_type: EventType, reason: &str, action: &str, message: &str) {
        let group = GroupKey {
            source: self.actor.to_owned(),
            object_uid: object.uid().to_owned(),
            field_path: String::new(),
            event_type,
            reason: reason.to_owned(),
        };
        let group = (group, object.resource_version());
        let known = self.store.correlator.series.get(&group).filter(|key| self.store.get(key).is_some()).cloned();
        if let Some(key) = known {
            let now = self.now.rfc3339_micro();
            let repeated = self.store.get(&key).is_some_and(|event| event.value().has("series"));
            // Only the first repeat is sent at once; later ones wait for a refresh every half hour.
            if !repeated {
                self.rewrite_event(&key, |event| {
                    event.set("series", object! { "count" => 2, "lastObservedTime" => now })
                });
            }
            return;
        }
        let cut: String = message.chars().take(1024).collect();
        let mut event = self.new_event(object, "", "", event_type, reason, &cut);
        event.set("eventTime", self.now.rfc3339_micro());
        event.set("firstTimestamp", Value::Null);
        event.set("lastTimestamp", Value::Null);
        event.set("action", action);
        event.set("source", Value::map());
        event.set("reportingInstance", format!("{}-vm", self.actor));
        event.remove("count");
        let key = self.write_event(event);
        self.store.correlator.series.insert(group, key);
    }

    fn new_event(
        &self,
        object: &Object,
        field_path: &str,
        host: &str,
        event_type: EventType,
        reason: &str,
        message: &str,
    ) -> Value {
        let now = self.now;
        let mut involved = object! {
            "apiVersion" => object.kind().info().api_version(), "kind" => object.kind().name(),
            "name" => object.name(), "resourceVersion" => object.resource_version().to_string(), "uid" => object.uid(),
        };
        let mut namespace = object.namespace();
        if namespace.is_empty() {
            namespace = "default";
        } else {
            involved.set("namespace", namespace);
        }
        if !field_path.is_empty() {
            involved.set("fieldPath", field_path);
        }
        let mut source = object! { "component" => self.actor };
        if !host.is_empty() {
            source.set("host", host);
        }
        // The name ends in the moment in nanoseconds; ours has milliseconds, the revision makes it unique.
        let nanos = now.millis().wrapping_mul(1_000_000).wrapping_add((self.store.revision % 1_000_000) as i64);
        object! {
            "apiVersion" => "v1", "kind" => "Event", "involvedObject" => involved, "reason" => reason,
            "message" => message, "type" => event_type.name(), "count" => 1, "eventTime" => Value::Null,
            "firstTimestamp" => now, "lastTimestamp" => now, "source" => source,
            "reportingComponent" => self.actor, "reportingInstance" => host,
            "metadata" => object! {
                "name" => format!("{}.{nanos:x}", object.name()), "namespace" => namespace, "creationTimestamp" => now,
                "uid" => self.rng.uuid(&format!("event/{}/{nanos}", object.uid())),
            },
        }
    }

    fn count_again(&mut self, key: &Key, text: &str) {
        let now = self.now;
        self.rewrite_event(key, |event| {
            event.set("count", event.i64_at("count").unwrap_or(0) + 1);
            event.set("lastTimestamp", now);
            event.set("message", text);
        });
    }

    fn rewrite_event(&mut self, key: &Key, edit: impl FnOnce(&mut Value)) {
        let Some(current) = self.get(key) else { return };
        let mut event = current.value().clone();
        edit(&mut event);
        self.lease(key);
        self.store.commit(key.clone(), Some(event), self.now, self.actor, self.cause);
    }

    fn write_event(&mut self, event: Value) -> Key {
        let key = Key::new(
            Kind::Event,
            event.str_at("metadata.namespace").unwrap_or_default(),
            event.str_at("metadata.name").unwrap_or_default(),
        );
        self.lease(&key);
        self.store.commit(key.clone(), Some(event), self.now, self.actor, self.cause);
        key
    }

    /// An event lives an hour from its last write.
    fn lease(&mut self, key: &Key) {
        let until = self.now + EVENT_TTL;
        if let Some(before) = self.store.event_leases.insert(key.clone(), until) {
            self.store.expiries.remove(&(before, key.clone()));
        }
        self.store.expiries.insert((until, key.clone()));
    }

    /// Forgets events whose time has come (`--event-ttl`).
    pub fn expire_events(&mut self) {
        while let Some((at, key)) = self.store.expiries.first().cloned() {
            if at > self.now {
                break;
            }
            self.store.expiries.pop_first();
            self.store.event_leases.remove(&key);
            if self.store.get(&key).is_some() {
                self.store.commit(key, None, self.now, self.actor, self.cause);
            }
        }
        self.store.correlator.forget(|key| self.store.objects.contains_key(key), self.now);
    }
}
