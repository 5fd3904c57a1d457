//! The API as its clients see it: who writes, when, and why go with every call.

use std::rc::Rc;

use crate::store::{Cause, EntryId, Happened, Origin, Rule, Store, Subject};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::time::SimTime;
use values::value::Value;

/// Who writes, why, and from which document.
#[derive(Clone, Debug)]
pub(super) struct Author {
    pub actor: &'static str,
    pub cause: Cause,
    pub origin: Option<Rc<Origin>>,
}

impl Author {
    pub(super) fn of(actor: &'static str) -> Author {
        Author { actor, cause: Cause::default(), origin: None }
    }
}

/// A client's connection for one piece of work.
///
/// Reads go to [`Api::store`]; writes are the methods of this type, each of which passes admission.
pub struct Api<'a> {
    pub(super) store: &'a mut Store,
    pub(super) now: SimTime,
    pub(super) rng: Rng,
    pub(super) author: Author,
    pub(super) warnings: Vec<String>,
}

impl<'a> Api<'a> {
    pub fn new(store: &'a mut Store, now: SimTime, rng: Rng, actor: &'static str) -> Api<'a> {
        Api { store, now, rng, author: Author::of(actor), warnings: Vec::new() }
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    pub fn rng(&self) -> Rng {
        self.rng
    }

    pub fn store(&self) -> &Store {
        self.store
    }

    pub fn get(&self, key: &Key) -> Option<Rc<Object>> {
        self.store.get(key).cloned()
    }

    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<Rc<Object>> {
        self.store.find(kind, namespace, name).cloned()
    }

    /// Notes who of the users' clients set which field of an object.
    pub fn set_managers(&mut self, key: &Key, managers: Value) {
        if self.store.get(key).is_some() {
            self.store.managers.insert(key.clone(), managers);
        }
    }

    /// Happened the following writes are made for.
    pub fn set_cause(&mut self, cause: Cause) {
        self.author.cause = cause;
    }

    /// Names the rule that the following writes follow; what led here stays.
    pub fn because(&mut self, rule: Rule) {
        self.author.cause = self.author.cause.rule(rule);
    }

    /// The same, with the numbers that the rule's sentence speaks of.
    pub fn because_of(&mut self, rule: Rule, counts: [i64; 2]) {
        self.author.cause = self.author.cause.counted(rule, counts);
    }

    pub fn cause(&self) -> Cause {
        self.author.cause
    }

    /// From which document the following writes are made.
    pub fn set_origin(&mut self, origin: Option<Rc<Origin>>) {
        self.author.origin = origin;
    }

    /// Notes something that happened without a write, for the cause that is set. Happened follows from it is caused by the
    /// entry that comes back.
    pub fn happened(&mut self, about: Option<Subject>, what: Happened) -> EntryId {
        self.store.happen(self.now, self.author.actor, about, what, self.author.cause)
    }

    /// The same, and the following writes are caused by it.
    pub fn note(&mut self, about: Subject, what: Happened) -> EntryId {
        let entry = self.happened(Some(about), what);
        self.author.cause = Cause { by: Some(entry), ..self.author.cause };
        entry
    }

    /// Writes a new version, or takes the object away.
    pub(super) fn commit(&mut self, key: Key, value: Option<Value>) -> Rc<Object> {
        self.store.commit(key, value, self.now, &self.author)
    }

    /// The texts that the API server gave along with the writes since the last call: what stands behind `Warning: `.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }
}
