//! The scheduler: gives each Pod a node, or says why it has none.
//!
//! Rules: `docs/semantics/scheduler.md`. One Pod is placed at a time; its binding is written a few milliseconds later
//! while the next is being placed. Pods that name another scheduler are left alone. Source:
//! `pkg/scheduler/{schedule_one,eventhandlers}.go`.

mod affinity;
mod cache;
mod company;
mod filter;
mod fit_error;
mod hint;
mod place;
mod preempt;
mod queue;
mod resources;
mod score;
mod spread;
mod volumes;
mod write;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::actor::Actor;
use crate::store::{Api, Cause, Change, ChangeType, Happened, Rule, Store, Subject};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Text;

use cache::{Cache, PodInfo};
use hint::{NodeChange, Relief};
use queue::{Entry, Queue};
use write::{Binding, Eviction};

pub use affinity::term_matches;
pub use fit_error::{FitError, Plugin, Rejection};
pub use place::Failure;
pub use resources::{Resources, pod_requests};

/// `schedulerName` of Pods that are ours.
const NAME: &str = "default-scheduler";
/// From a change in the store until the scheduler hears of it.
const WATCH_DELAY: Span = Span::ms(3);
/// How long the scheduler is busy with a Pod that found a node …
const CYCLE: Span = Span::ms(2);
/// … and with one that did not, whose condition it writes before it goes on.
const FAILED_CYCLE: Span = Span::ms(10);
/// From the choice of a node to the written binding.
const BINDING_MS: (i64, i64) = (3, 12);

/// kube-scheduler.
#[derive(Clone, Debug)]
pub struct Scheduler {
    rng: Rng,
    cache: Cache,
    queue: Queue,
    /// Not before this moment has it heard of the latest news.
    heard_at: SimTime,
    /// Until then it is busy with the last Pod.
    free_at: SimTime,
    bindings: SortedMap<(SimTime, u64), Binding>,
    evictions: SortedMap<(SimTime, u64), Eviction>,
    turns: u64,
    /// Where the search for nodes starts next, in large clusters.
    next_start: usize,
}

impl Scheduler {
    pub fn new(rng: Rng) -> Scheduler {
        Scheduler {
            rng,
            cache: Cache::default(),
            queue: Queue::default(),
            heard_at: SimTime::EPOCH,
            free_at: SimTime::EPOCH,
            bindings: SortedMap::new(),
            evictions: SortedMap::new(),
            turns: 0,
            next_start: 0,
        }
    }

    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// Something that was idle until now has work; it hears of it a little later.
    fn hear(&mut self, at: SimTime) {
        if !self.queue.has_work() {
            self.heard_at = at + WATCH_DELAY;
        }
    }

    /// Lets those Pods be tried again which `relief` may help.
    fn react(&mut self, relief: Relief<'_>, at: SimTime, cause: Cause) {
        let helped = |entry: &&Entry| entry.refused_by.iter().any(|p| hint::helps(*p, &entry.info, relief));
        let keys: Vec<Key> = self.queue.waiting().filter(helped).map(|entry| entry.info.key.clone()).collect();
        if keys.is_empty() {
            return;
        }
        self.hear(at);
        for key in keys {
            self.queue.retry(&key, at, cause);
        }
    }

    fn observe_pod(&mut self, change: &Change, cause: Cause) {
        let object = &change.object;
        let key = object.key();
        let ended = change.change == ChangeType::Deleted || object.pod().is_terminal();
        let node = object.pod().spec.node_name.as_str();
        if ended {
            self.queue.remove(&key);
            self.forget_placed(&key, change, cause);
        } else if node.is_empty() {
            self.observe_waiting(change, key, cause);
        } else {
            self.queue.remove(&key);
            let node = node.to_owned();
            self.observe_placed(change, &key, &node, cause);
        }
    }

    /// A Pod that had a node is gone or over.
    fn forget_placed(&mut self, key: &Key, change: &Change, cause: Cause) {
        let Some(place) = self.cache.place_of(key).map(str::to_owned) else { return };
        let info = self.cache.node(&place).and_then(|node| node.pods.get(key)).cloned();
        self.cache.remove_pod(key);
        if let Some(info) = info {
            self.react(Relief::PodLeft(&info), change.at, cause);
        }
    }

    fn observe_placed(&mut self, change: &Change, key: &Key, node: &str, cause: Cause) {
        let spec_changed = changes_needs(change);
        let known = self.cache.place_of(key) == Some(node);
        if known {
            self.cache.refresh_pod(&change.object, spec_changed);
        } else {
            self.cache.add_pod(Rc::new(PodInfo::new(&change.object)), node);
        }
        let newly_bound = change.previous.as_ref().is_none_or(|before| before.pod().spec.node_name.is_empty());
        if newly_bound {
            self.react(Relief::PodPlaced, change.at, cause);
        }
    }

    fn observe_waiting(&mut self, change: &Change, key: Key, cause: Cause) {
        let object = &change.object;
        let scheduler = object.value().str_at("spec.schedulerName").unwrap_or(NAME);
        if object.value().has("metadata.deletionTimestamp") || scheduler != NAME {
            self.queue.remove(&key);
            return;
        }
        let gated = !object.value().list_at("spec.schedulingGates").is_empty();
        let Some(entry) = self.queue.get(&key) else {
            // A Pod whose binding is on its way is still without a node in the store.
            if self.cache.place_of(&key).is_none() {
                self.hear(change.at);
                self.queue.add(PodInfo::new(object), gated, change.at, cause);
            }
            return;
        };
        let spec_changed = changes_needs(change);
        let info = entry.info.renewed(object, spec_changed);
        self.queue.refresh(&key, info);
        if !spec_changed {
            return;
        }
        self.hear(change.at);
        if self.queue.is_gated(&key) {
            if !gated {
                self.queue.activate(&key, change.at);
            }
        } else {
            self.queue.retry(&key, change.at, cause);
        }
    }

    fn observe_node(&mut self, change: &Change, cause: Cause) {
        if change.change == ChangeType::Deleted {
            self.cache.remove_node(change.object.name());
            return;
        }
        let news = node_change(change);
        self.cache.set_node(&change.object);
        let Some(node) = self.cache.node(change.object.name()).cloned() else { return };
        if change.change == ChangeType::Added {
            self.react(Relief::NodeAdded(&node), change.at, cause);
        } else if !news.is_nothing() {
            self.react(Relief::NodeChanged(&node, news), change.at, cause);
        }
    }

    fn schedule_one(&mut self, api: &mut Api<'_>) {
        let Some(mut entry) = self.queue.pop() else { return };
        let now = api.now();
        let key = entry.info.key.clone();
        api.set_cause(entry.cause);
        match self.find_node(&entry.info, api.store()) {
            Ok(node) => {
                self.queue.remove(&key);
                self.cache.add_pod(Rc::clone(&entry.info), &node);
                let uid = entry.info.object.uid().to_owned();
                let delay = self.rng.between("binding", &uid, BINDING_MS.0, BINDING_MS.1);
                let binding = Binding { key, uid, node, cause: entry.cause };
                let turn = self.turn();
                self.bindings.insert((now + Span::ms(delay), turn), binding);
                self.free_at = now + CYCLE;
            }
            Err(failure) => {
                entry.cause = note_verdict(api, &entry, &failure);
                self.queue.put_back(&key, failure.plugins, now, entry.cause);
                self.report(api, &entry, &failure.message, failure.nominate.as_ref());
                self.evict_for(&entry, failure.nominate, failure.victims, now, api);
                self.free_at = now + FAILED_CYCLE;
            }
        }
    }
}

/// Notes that a Pod found no node; what follows is caused by that.
fn note_verdict(api: &mut Api<'_>, entry: &Entry, failure: &Failure) -> Cause {
    let nodes = i64::try_from(failure.nodes).unwrap_or(i64::MAX);
    api.set_cause(entry.cause.counted(Rule::SchedulerNoNode, [nodes, 0]));
    let verdict = Happened::NotPlaced {
        nodes: failure.nodes,
        message: Text::from(failure.message.as_str()),
        reasons: Rc::from(failure.reasons.as_slice()),
    };
    let noted = api.note(Subject::from(&*entry.info.object), verdict);
    Cause::by(noted).counted(Rule::SchedulerNoNode, [nodes, 0])
}

/// True if the Pod's spec or labels are not what they were.
fn changes_needs(change: &Change) -> bool {
    match &change.previous {
        None => true,
        Some(before) => {
            let (before, after) = (before.pod(), change.object.pod());
            // A deletion raises the generation too, but not what the Pod needs; working it out again does no harm.
            before.metadata.generation != after.metadata.generation
                || before.metadata.labels != after.metadata.labels
                || before.spec.scheduling_gates.len() != after.spec.scheduling_gates.len()
        }
    }
}

fn node_change(change: &Change) -> NodeChange {
    let Some(before) = &change.previous else { return NodeChange::default() };
    let (before, after) = (before.node(), change.object.node());
    let amounts = |node: &api::core::Node| Resources::read(&node.status.allocatable);
    let (old, mut new) = (amounts(before), amounts(after));
    new.subtract(&old);
    NodeChange {
        grew: new.milli_cpu > 0
            || new.memory > 0
            || new.ephemeral_storage > 0
            || new.pods > 0
            || new.others.values().any(|n| *n > 0),
        labels: before.metadata.labels != after.metadata.labels,
        taints: before.spec.taints != after.spec.taints,
        schedulable: before.spec.unschedulable && !after.spec.unschedulable,
    }
}

impl Actor for Scheduler {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        let cause = change.cause();
        match change.kind() {
            Kind::Pod => self.observe_pod(change, cause),
            Kind::Node => self.observe_node(change, cause),
            Kind::PersistentVolumeClaim | Kind::PersistentVolume if change.change != ChangeType::Deleted => {
                self.react(Relief::VolumesChanged, change.at, cause);
            }
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        let bindings = self.bindings.keys().next().map(|(at, _)| *at);
        let evictions = self.evictions.keys().next().map(|(at, _)| *at);
        let pods = self.queue.has_work().then(|| self.free_at.max(self.heard_at));
        [bindings, evictions, pods, self.queue.next_flush()].into_iter().flatten().min()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let now = api.now();
        let is_due = |at: &(SimTime, u64)| at.0 <= now;
        if let Some((_, binding)) = self.bindings.pop_first_if(is_due) {
            self.bind(api, binding);
        } else if let Some((_, eviction)) = self.evictions.pop_first_if(is_due) {
            self.evict(api, &eviction);
        } else if self.queue.next_flush().is_some_and(|at| at <= now) {
            self.queue.flush(now);
        } else if self.queue.has_work() && self.free_at.max(self.heard_at) <= now {
            self.schedule_one(api);
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        *self = Scheduler::new(self.rng);
        for node in store.list(Kind::Node) {
            self.cache.set_node(node);
        }
        for pod in store.list(Kind::Pod) {
            let Some(entry) = store.last_entry() else { continue };
            let change = Change {
                entry,
                origin: None,
                revision: pod.resource_version(),
                at: now,
                change: ChangeType::Added,
                object: Rc::clone(pod),
                previous: None,
                actor: NAME,
                cause: cause,
            };
            self.observe_pod(&change, cause);
            if let Some(node) = pod.value().str_at("status.nominatedNodeName").filter(|_| !is_placed(pod)) {
                self.queue.nominate(&pod.key(), Some(node));
            }
        }
    }
}

fn is_placed(pod: &Object) -> bool {
    !pod.value().at("spec.nodeName").is_empty()
}
