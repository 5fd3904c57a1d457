//! A small stage for tests: one store, a few actors, and a clock that goes from wish to wish.

use crate::actor::Actor;
use crate::store::{Api, Change, Store};
use api::kind::Kind;
use api::object::Object;
use std::rc::Rc;
use values::rng::Rng;
use values::time::{SimTime, Span};
use values::value::Value;

pub(crate) struct Stage {
    pub store: Store,
    pub now: SimTime,
    pub actors: Vec<Box<dyn Actor>>,
    /// All changes so far.
    pub log: Vec<Change>,
}

impl Stage {
    /// An empty cluster with the namespace `default`, at 2026-01-01T00:00:00Z.
    pub fn new(actors: Vec<Box<dyn Actor>>) -> Stage {
        let now = SimTime::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time");
        let mut stage = Stage { store: Store::new(), now, actors, log: Vec::new() };
        stage.create(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#);
        stage.create(r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}"#);
        stage
    }

    /// Acts on the API in the name of a test, and tells everyone.
    pub fn api<R>(&mut self, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        let result = act(&mut Api::new(&mut self.store, self.now, Rng::new(1), "test"));
        self.tell();
        result
    }

    /// Creates an object from JSON.
    pub fn create(&mut self, json: &str) -> Rc<Object> {
        let value = Value::from_json(json).unwrap_or_else(|e| panic!("{e}: {json}"));
        self.api(|api| api.create(value)).unwrap_or_else(|e| panic!("{e}: {json}"))
    }

    /// Changes an object's status.
    pub fn patch_status(&mut self, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        let key = self.get(kind, name).key();
        self.api(|api| api.patch_status(&key, edit)).expect("it exists");
    }

    pub fn find(&self, kind: Kind, name: &str) -> Option<Rc<Object>> {
        self.store.find(kind, "default", name).cloned()
    }

    pub fn get(&self, kind: Kind, name: &str) -> Rc<Object> {
        self.find(kind, name).unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    /// Lets everything happen that is due within `span`.
    pub fn run_for(&mut self, span: Span) {
        let until = self.now + span;
        let mut steps = 0;
        loop {
            let wishes = self.actors.iter().enumerate().filter_map(|(i, a)| Some((a.next_wakeup()?, i)));
            let Some((at, i)) = wishes.min().filter(|(at, _)| *at <= until) else { break };
            steps += 1;
            assert!(steps < 1_000_000, "an actor never rests");
            self.now = self.now.max(at);
            let actor = &mut self.actors[i];
            actor.step(&mut Api::new(&mut self.store, self.now, Rng::new(1), actor.name()));
            self.tell();
        }
        self.now = until;
    }

    /// `reason: message` of the events about one object, oldest first.
    pub fn events(&self, about: &str) -> Vec<String> {
        let of = self.log.iter().filter(|change| change.kind() == Kind::Event && change.previous.is_none());
        of.map(|change| change.object.value())
            .filter(|event| event.str_at("involvedObject.name") == Some(about))
            .map(|event| {
                format!("{}: {}", event.at("reason").as_str().unwrap_or(""), event.str_at("message").unwrap_or(""))
            })
            .collect()
    }

    /// Milliseconds since the start at which `name` was last written so that `is` holds.
    pub fn first_time(&self, kind: Kind, name: &str, is: impl Fn(&Change) -> bool) -> Option<i64> {
        let start = SimTime::parse_rfc3339("2026-01-01T00:00:00Z")?;
        let found = self.log.iter().find(|c| c.kind() == kind && c.object.name() == name && is(c));
        found.map(|change| change.at.since(start).as_ms())
    }

    fn tell(&mut self) {
        for change in self.store.take_changes() {
            for actor in &mut self.actors {
                actor.observe(&change, &self.store);
            }
            self.log.push(change);
        }
    }
}
