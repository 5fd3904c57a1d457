//! A small cluster for tests of one controller: a store, the controller, and hands to play everyone else.

use std::rc::Rc;

use batchyard::actor::Actor;
use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::api::object::Object;
use batchyard::base::rng::Rng;
use batchyard::base::time::{SimTime, Span};
use batchyard::base::value::Value;
use batchyard::control::job::JobController;
use batchyard::object;
use batchyard::store::{Api, Change, DeleteOptions, Store};

/// The Job controller and a store, at one moment.
pub struct Lab {
    pub store: Store,
    pub controller: JobController,
    pub now: SimTime,
    /// All changes so far.
    pub log: Vec<Change>,
    rng: Rng,
}

impl Lab {
    pub fn new(now: SimTime) -> Lab {
        let rng = Rng::new(1);
        let mut lab = Lab { store: Store::new(), controller: JobController::new(rng), now, log: vec![], rng };
        lab.create(object! {
            "apiVersion" => "v1", "kind" => "Namespace", "metadata" => object! { "name" => "default" },
            "status" => object! { "phase" => "Active" },
        });
        lab
    }

    /// Acts on the API as somebody else.
    pub fn api<R>(&mut self, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        let result = act(&mut Api::new(&mut self.store, self.now, self.rng, "test"));
        self.tell();
        result
    }

    /// Lets the controller act until `until`.
    pub fn run_until(&mut self, until: SimTime) {
        while let Some(at) = self.controller.next_wakeup().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let name = self.controller.name();
            self.controller.step(&mut Api::new(&mut self.store, self.now, self.rng, name));
            self.tell();
        }
        self.now = self.now.max(until);
    }

    pub fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }

    pub fn create(&mut self, value: Value) -> Rc<Object> {
        self.api(|api| api.create(value)).expect("the test's object is valid")
    }

    /// Deletes with the object's own grace period, or at once.
    pub fn delete(&mut self, kind: Kind, name: &str) {
        self.api(|api| api.delete(&Key::new(kind, "default", name), &DeleteOptions::background())).expect("it exists");
    }

    /// Ends a Pod as the kubelet does.
    pub fn end_deletion(&mut self, pod: &str) {
        let key = Key::new(Kind::Pod, "default", pod);
        self.api(|api| api.delete(&key, &DeleteOptions::with_grace(0))).expect("it exists");
    }

    pub fn edit(&mut self, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        self.api(|api| api.update(&Key::new(kind, "default", name), edit)).expect("the edit is valid");
    }

    pub fn edit_status(&mut self, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        self.api(|api| api.patch_status(&Key::new(kind, "default", name), edit)).expect("it exists");
    }

    pub fn find(&self, kind: Kind, name: &str) -> Rc<Object> {
        Rc::clone(self.store.find(kind, "default", name).expect("it exists"))
    }

    /// All Pods, by name.
    pub fn pods(&self) -> Vec<Rc<Object>> {
        self.store.list(Kind::Pod).cloned().collect()
    }

    fn tell(&mut self) {
        for change in self.store.take_changes() {
            self.controller.observe(&change, &self.store);
            self.log.push(change);
        }
    }
}
