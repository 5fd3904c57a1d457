//! The API as its clients see it: who writes, when, and why go with every call.

use std::rc::Rc;

use crate::store::{Cause, Store};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::time::SimTime;

/// A client's connection for one piece of work.
///
/// Reads go to [`Api::store`]; writes are the methods of this type, each of which passes admission.
pub struct Api<'a> {
    pub(super) store: &'a mut Store,
    pub(super) now: SimTime,
    pub(super) rng: Rng,
    pub(super) actor: &'static str,
    pub(super) cause: Cause,
    pub(super) warnings: Vec<String>,
}

impl<'a> Api<'a> {
    pub fn new(store: &'a mut Store, now: SimTime, rng: Rng, actor: &'static str) -> Api<'a> {
        Api { store, now, rng, actor, cause: Cause::default(), warnings: Vec::new() }
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

    /// What the following writes are made for.
    pub fn set_cause(&mut self, cause: Cause) {
        self.cause = cause;
    }

    /// Names the rule that the following writes follow; the waking change stays.
    pub fn because(&mut self, rule: &'static str) {
        self.cause.rule = rule;
    }

    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The texts that the API server gave along with the writes since the last call: what stands behind `Warning: `.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }
}
