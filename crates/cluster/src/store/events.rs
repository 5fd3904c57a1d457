//! Events, and the client's habit of folding similar ones together.
//!
//! Rules: `docs/semantics/job.md` §5 (last paragraph), `docs/semantics/scheduler.md` §3; recorded in `many-events`.
//! Source: `client-go/tools/record/events_cache.go` (core events), `client-go/tools/events/event_broadcaster.go`
//! (the scheduler's).

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::store::{Api, Cause, EntryId, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::hashed::Hashed;
use values::object;
use values::sorted::{SortedMap, SortedSet};
use values::time::{SimTime, Span};
use values::value::{Map, Text, Value, beginning};

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

/// What the recorders of all components remember, by the uid of the object that their events are about.
#[derive(Clone, Debug, Default)]
pub struct Correlator {
    about: BTreeMap<Hashed, Rc<Vec<Recorder>>>,
    /// Objects remembered when it is next looked which of them can be forgotten.
    look_at: usize,
}

/// What one source remembers of the events of one type about one object.
#[derive(Clone, Debug)]
struct Recorder {
    actor: &'static str,
    host: Rc<str>,
    event_type: EventType,
    /// Events that it may still send, as of the last refill.
    tokens: i64,
    refilled_at: SimTime,
    groups: Vec<Group>,
}

/// Events that differ only in their text.
#[derive(Clone, Debug)]
struct Group {
    field_path: Rc<str>,
    reason: Rc<str>,
    messages: SortedSet<Rc<str>>,
    last_at: SimTime,
    /// The event object of each exact event, and the one that stands for the group (none as its message).
    written: Vec<(Option<Rc<str>>, Key)>,
    /// The scheduler's event object for each version of the object.
    series: Vec<(u64, Key)>,
}

/// An event lives until this moment, unless it is written again.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) until: SimTime,
    key: Key,
    /// The write that gave the lease.
    revision: u64,
    /// Its entry.
    entry: Option<EntryId>,
}

/// Which events count as alike.
#[derive(Clone, Copy)]
struct Like<'e> {
    object: &'e Object,
    actor: &'static str,
    host: &'e str,
    field_path: &'e str,
    event_type: EventType,
    reason: &'e str,
}

impl Correlator {
    fn recorder(&mut self, like: Like<'_>, now: SimTime) -> &mut Recorder {
        let recorders = Rc::make_mut(self.about.entry(like.object.shared_uid().into()).or_default());
        let is_it = |r: &Recorder| r.event_type == like.event_type && r.actor == like.actor && *r.host == *like.host;
        let at = recorders.iter().position(is_it).unwrap_or_else(|| {
            recorders.push(Recorder {
                actor: like.actor,
                host: like.host.into(),
                event_type: like.event_type,
                tokens: SPAM_BURST,
                refilled_at: now,
                groups: Vec::new(),
            });
            recorders.len() - 1
        });
        &mut recorders[at]
    }

    /// Drops what can no longer matter: events that are gone, groups and buckets that have rested. Looks only when what
    /// it remembers has doubled since the last time.
    fn forget(&mut self, exists: impl Fn(&Key) -> bool, now: SimTime) {
        if self.about.len() < self.look_at {
            return;
        }
        self.about.retain(|_, recorders| {
            Rc::make_mut(recorders).retain_mut(|recorder| {
                recorder.refill(now);
                recorder.groups.retain_mut(|group| {
                    group.written.retain(|(_, key)| exists(key));
                    group.series.retain(|(_, key)| exists(key));
                    let rested = now.since(group.last_at) > AGGREGATE_INTERVAL;
                    !(rested && group.written.is_empty() && group.series.is_empty())
                });
                !recorder.groups.is_empty() || recorder.tokens < SPAM_BURST
            });
            !recorders.is_empty()
        });
        self.look_at = 2 * self.about.len();
    }
}

impl Recorder {
    fn group(&mut self, like: Like<'_>, now: SimTime) -> &mut Group {
        let is_it = |group: &Group| *group.reason == *like.reason && *group.field_path == *like.field_path;
        let at = self.groups.iter().position(is_it).unwrap_or_else(|| {
            self.groups.push(Group {
                field_path: like.field_path.into(),
                reason: like.reason.into(),
                messages: SortedSet::new(),
                last_at: now,
                // Mostly the only one.
                written: Vec::with_capacity(1),
                series: Vec::new(),
            });
            self.groups.len() - 1
        });
        &mut self.groups[at]
    }

    fn refill(&mut self, now: SimTime) {
        let refills = now.since(self.refilled_at).as_ms() / SPAM_REFILL.as_ms();
        self.refilled_at += Span::ms(refills * SPAM_REFILL.as_ms());
        self.tokens += refills;
        // What is full does not fill any further, not even by a part.
        if self.tokens >= SPAM_BURST {
            self.tokens = SPAM_BURST;
            self.refilled_at = now;
        }
    }

    /// Takes a token; false if there is none.
    fn admit(&mut self, now: SimTime) -> bool {
        self.refill(now);
        let admitted = self.tokens > 0;
        self.tokens -= i64::from(admitted);
        admitted
    }
}

impl Group {
    /// True if the event is one too many of its like and goes into the combined one.
    fn combines(&mut self, message: &Rc<str>, now: SimTime) -> bool {
        if now.since(self.last_at) > AGGREGATE_INTERVAL {
            self.messages.clear();
        }
        self.last_at = now;
        self.messages.insert(Rc::clone(message));
        if self.messages.len() < AGGREGATE_MAX_EVENTS {
            return false;
        }
        self.messages.pop_first();
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
        let like = Like { object, actor: self.author.actor, host, field_path, event_type, reason };
        let message: Rc<str> = message.into();
        let recorder = self.store.correlator.recorder(like, self.now);
        // The real recorder combines first and asks the spam filter last; a dropped event still counts as seen.
        let combined = recorder.group(like, self.now).combines(&message, self.now);
        if !recorder.admit(self.now) {
            return;
        }
        let exact = (!combined).then(|| Rc::clone(&message));
        let written = &recorder.group(like, self.now).written;
        let known = written.iter().find(|(of, _)| *of == exact).map(|(_, key)| key.clone());
        let text = if combined { format!("(combined from similar events): {message}").into() } else { message };
        match known.filter(|key| self.store.get(key).is_some()) {
            Some(key) => self.count_again(&key, &text),
            None => {
                let event = self.new_event(like, text);
                let key = self.write_event(event);
                let written = &mut self.store.correlator.recorder(like, self.now).group(like, self.now).written;
                written.retain(|(of, _)| *of != exact);
                written.push((exact, key));
            }
        }
    }

    /// Records an event as `events.k8s.io` clients do (the scheduler): repeats become a series under the first text.
    pub fn event_series(
        &mut self,
        object: &Object,
        event_type: EventType,
        reason: &str,
        action: &'static str,
        message: &str,
    ) {
        let like = Like { object, actor: self.author.actor, host: "", field_path: "", event_type, reason };
        let version = object.resource_version();
        let series = &self.store.correlator.recorder(like, self.now).group(like, self.now).series;
        let known = series.iter().find(|(of, _)| *of == version).map(|(_, key)| key.clone());
        let known = known.filter(|key| self.store.get(key).is_some());
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
        let mut event = self.new_event(like, beginning(message, 1024).into());
        event.remove("count");
        event.set("eventTime", self.now.rfc3339_micro());
        event.set("firstTimestamp", Value::Null);
        event.set("lastTimestamp", Value::Null);
        event.set("action", Text::Known(action));
        event.set("source", Value::map());
        event.set("reportingInstance", format!("{}-vm", self.author.actor));
        let key = self.write_event(event);
        let series = &mut self.store.correlator.recorder(like, self.now).group(like, self.now).series;
        series.retain(|(of, _)| *of != version);
        series.push((version, key));
    }

    fn new_event(&self, like: Like<'_>, message: Rc<str>) -> Value {
        let Like { object, host, field_path, .. } = like;
        let now = self.now;
        let about = object.key();
        let mut involved = Map::with_capacity(7);
        involved.insert(Text::Known("apiVersion"), about.kind.info().api_version());
        if !field_path.is_empty() {
            involved.insert(Text::Known("fieldPath"), field_path);
        }
        involved.insert(Text::Known("kind"), Text::Known(about.kind.name()));
        involved.insert(Text::Known("name"), about.name);
        let mut namespace = Value::from(about.namespace);
        if namespace.is_empty() {
            namespace = "default".into();
        } else {
            involved.insert(Text::Known("namespace"), namespace.clone());
        }
        involved.insert(Text::Known("resourceVersion"), Text::from(object.resource_version()));
        involved.insert(Text::Known("uid"), object.shared_uid());
        let mut source = Map::with_capacity(2);
        source.insert(Text::Known("component"), Text::Known(self.author.actor));
        if !host.is_empty() {
            source.insert(Text::Known("host"), host);
        }
        // The name ends in the moment in nanoseconds; ours has milliseconds, the revision makes it unique.
        let nanos = now.millis().wrapping_mul(1_000_000).wrapping_add((self.store.revision % 1_000_000) as i64);
        let now = Value::from(now);
        let metadata = object! {
            "creationTimestamp" => now.clone(), "name" => Text::from(format_args!("{}.{nanos:x}", object.name())),
            "namespace" => namespace, "resourceVersion" => Value::Null, "uid" => self.rng.uuid(format_args!("event/{}/{nanos}", object.uid())),
        };
        object! {
            "apiVersion" => Text::Known("v1"), "count" => 1, "eventTime" => Value::Null, "firstTimestamp" => now.clone(),
            "involvedObject" => involved, "kind" => Text::Known("Event"), "lastTimestamp" => now, "message" => message,
            "metadata" => metadata, "reason" => like.reason, "reportingComponent" => Text::Known(self.author.actor),
            "reportingInstance" => host, "source" => source, "type" => Text::Known(like.event_type.name()),
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
        self.commit_event(key.clone(), event);
    }

    fn write_event(&mut self, event: Value) -> Key {
        let text = |path: &str| event.at(path).as_text().map(Text::shared).unwrap_or_default();
        let key = Key { kind: Kind::Event, namespace: text("metadata.namespace"), name: text("metadata.name") };
        self.commit_event(key.clone(), event);
        key
    }

    /// An event lives an hour from its last write.
    fn commit_event(&mut self, key: Key, event: Value) {
        let written = self.commit(key.clone(), Some(event));
        let lease = Lease {
            until: self.now + EVENT_TTL,
            key,
            revision: written.resource_version(),
            entry: self.store.last_entry(),
        };
        self.store.leases.push_back(lease);
        self.store.drop_dead_leases();
    }

    /// Forgets events whose time has come (`--event-ttl`), by name.
    pub fn expire_events(&mut self) {
        let mut due = SortedMap::new();
        self.store.drop_dead_leases();
        while self.store.next_expiry().is_some_and(|until| until <= self.now) {
            due.extend(self.store.leases.pop_front().map(|lease| (lease.key, lease.entry)));
            self.store.drop_dead_leases();
        }
        for (key, entry) in due {
            self.set_cause(Cause { by: entry, ..Cause::default() }.rule(Rule::ApiEventTtl));
            self.commit(key, None);
        }
        self.store.correlator.forget(|key| self.store.objects.get(key).is_some(), self.now);
    }
}

impl Store {
    /// Takes away leases at the front that a later write or a deletion has made void.
    fn drop_dead_leases(&mut self) {
        let is_dead =
            |lease: &Lease| self.objects.get(&lease.key).is_none_or(|event| event.resource_version() != lease.revision);
        while self.leases.front().is_some_and(is_dead) {
            self.leases.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    fn messages(stage: &Stage) -> Vec<String> {
        let events = stage.store.list(Kind::Event);
        events.map(|event| event.value().str_at("message").unwrap_or_default().to_owned()).collect()
    }

    fn expire(stage: &mut Stage, after: Span) {
        stage.now += after;
        stage.api(|api| api.expire_events());
    }

    #[test]
    fn an_event_lives_an_hour_from_its_last_write() {
        let mut stage = Stage::new(Vec::new());
        let about = stage.get(Kind::ServiceAccount, "default");
        for message in ["once", "twice"] {
            stage.api(|api| api.event(&about, EventType::Normal, "Test", message));
        }
        expire(&mut stage, Span::mins(30));
        assert_eq!(messages(&stage).len(), 2);
        stage.api(|api| api.event(&about, EventType::Normal, "Test", "twice"));
        assert_eq!(stage.store.next_expiry().map(|at| at.since(stage.now)), Some(Span::mins(30)));
        expire(&mut stage, Span::mins(30));
        assert_eq!(messages(&stage), ["twice"]);
        assert_eq!(stage.store.next_expiry().map(|at| at.since(stage.now)), Some(Span::mins(30)));
        expire(&mut stage, Span::mins(30));
        assert!(messages(&stage).is_empty());
        assert_eq!(stage.store.next_expiry(), None);
    }

    #[test]
    fn what_a_source_may_send_does_not_depend_on_what_was_forgotten() {
        let mut stage = Stage::new(Vec::new());
        let about = stage.get(Kind::ServiceAccount, "default");
        let sent = |stage: &mut Stage, round: i64, count: usize| {
            for n in 0..count {
                stage.api(|api| api.event(&about, EventType::Normal, &format!("R{round}x{n}"), "m"));
            }
            let rounds = stage.store.list(Kind::Event).filter(|event| {
                event.value().str_at("reason").is_some_and(|reason| reason.starts_with(&format!("R{round}x")))
            });
            rounds.count()
        };
        assert_eq!(sent(&mut stage, 0, 30), 25);
        stage.now += SPAM_REFILL;
        assert_eq!(sent(&mut stage, 1, 30), 1);
        // Long enough for the bucket to be full, and for all of it to be forgotten.
        expire(&mut stage, Span::ms(SPAM_REFILL.as_ms() * 26));
        assert!(stage.store.correlator.about.is_empty());
        assert_eq!(sent(&mut stage, 2, 30), 25);
    }
}
