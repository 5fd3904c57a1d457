//! The cluster: the store and everything that acts on it, in one value that can be copied.
//!
//! Rule: one thing happens at a time. The actor whose wish comes first acts; its writes are told to all; then the next.
//! Equal times are served in the order of the actors, so a run is its inputs and nothing else.

mod bootstrap;

use crate::actor::Actor;
use crate::base::rng::Rng;
use crate::base::time::SimTime;
use crate::control::{self, Controller};
use crate::store::{Api, Change, Store};

/// What a cluster is made of, from a scenario's `cluster` block.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    pub nodes: Vec<NodeSetup>,
    pub routing: Routing,
}

/// One machine.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeSetup {
    pub name: String,
    /// Quantities, such as `2` and `24Gi`.
    pub cpu: String,
    pub memory: String,
}

/// How a Service's name finds a Pod (`semantics/kuard.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Routing {
    /// A random ready endpoint for each connection, as kube-proxy does.
    #[default]
    Random,
    /// The oldest ready endpoint, as on the recorded cluster.
    First,
}

/// A whole cluster at one moment.
#[derive(Clone)]
pub struct Cluster {
    now: SimTime,
    rng: Rng,
    routing: Routing,
    pub(crate) store: Store,
    controllers: Vec<Box<dyn Controller>>,
    /// Every change since the last [`Cluster::take_log`].
    log: Vec<Change>,
}

impl Cluster {
    /// A cluster at rest: its nodes are ready and nothing runs.
    pub fn new(setup: &Setup, start: SimTime, rng: Rng) -> Cluster {
        let mut cluster = Cluster {
            now: start,
            rng,
            routing: setup.routing,
            store: Store::new(),
            controllers: control::all(rng),
            log: Vec::new(),
        };
        cluster.api("kube-apiserver", |api| bootstrap::create(api, setup));
        cluster.take_log();
        cluster
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    pub fn rng(&self) -> Rng {
        self.rng
    }

    pub fn routing(&self) -> Routing {
        self.routing
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Acts on the API in the name of `actor`, now; what changes is told to everyone before this returns.
    pub fn api<R>(&mut self, actor: &'static str, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        let result = act(&mut Api::new(&mut self.store, self.now, self.rng, actor));
        self.tell();
        result
    }

    /// When something next happens by itself, if ever.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        let actors = self.actors().filter_map(Actor::next_wakeup);
        actors.chain(self.store.next_expiry()).min().map(|at| at.max(self.now))
    }

    /// Lets the first thing that is due by `until` happen. False if there was none; then it is `until`.
    pub fn step(&mut self, until: SimTime) -> bool {
        let Some(next) = self.next_wakeup().filter(|next| *next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = next;
        let (now, rng, store) = (self.now, self.rng, &mut self.store);
        if store.next_expiry().is_some_and(|at| at <= now) {
            Api::new(store, now, rng, "etcd").expire_events();
        } else if let Some(controller) =
            self.controllers.iter_mut().find(|c| c.next_wakeup().is_some_and(|at| at <= now))
        {
            controller.step(&mut Api::new(store, now, rng, controller.name()));
        }
        self.tell();
        true
    }

    /// The changes since the last call, oldest first.
    pub fn take_log(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.log)
    }

    fn actors(&self) -> impl Iterator<Item = &dyn Actor> {
        self.controllers.iter().map(|c| &**c as &dyn Actor)
    }

    /// Tells everyone what was written.
    fn tell(&mut self) {
        for change in self.store.take_changes() {
            for controller in &mut self.controllers {
                controller.observe(&change, &self.store);
            }
            self.log.push(change);
        }
    }
}
