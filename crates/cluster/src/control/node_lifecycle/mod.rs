//! The node lifecycle controller: notices silent kubelets and tells the world by conditions and taints.
//!
//! Rule: `docs/semantics/ttl.md` §4; recorded in `node-failure` and `node-drain`. Nodes are looked at every 5 s; a
//! heartbeat counts from the look that first saw it; 50 s later the node is `Unknown`. Taints `NoSchedule` follow a
//! node's conditions at once, taints `NoExecute` one node in 10 s, and not at all when every node is lost. Source:
//! `pkg/controller/nodelifecycle/node_lifecycle_controller.go`, `pkg/controller/util/node/controller_utils.go`.

mod taints;

use std::rc::Rc;

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, EventType, Rule, Store};
use api::core::Node;
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::object;
use values::rng::Rng;
use values::sorted::{SortedMap, SortedSet};
use values::time::{SimTime, Span};
use values::value::{Text, Value};

use taints::{
    current_no_execute, no_execute_key, no_schedule_taints, ready_status, set_no_execute, set_no_schedule,
    wanted_no_schedule,
};

/// `--node-monitor-period`
const MONITOR_PERIOD: Span = Span::secs(5);
/// `--node-monitor-grace-period`
const GRACE_PERIOD: Span = Span::secs(50);
/// From a change of a node to its `NoSchedule` taints.
const TAINT_DELAY: Span = Span::ms(9);
/// From the verdict on a node to its `NoExecute` taint.
const EVICTION_DELAY: Span = Span::ms(55);
/// `--node-eviction-rate` 0.1 and `--secondary-node-eviction-rate` 0.01, as the time between two nodes.
const EVERY: Span = Span::secs(10);
const EVERY_IN_TROUBLE: Span = Span::secs(100);
/// `--large-cluster-size-threshold`: smaller zones in trouble are left alone.
const LARGE_ZONE: usize = 50;
/// `--unhealthy-zone-threshold`, in hundredths.
const UNHEALTHY_PERCENT: usize = 55;

const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Work {
    /// Make the `NoSchedule` taints follow the conditions.
    Taint(String),
    /// The regular look at a node.
    Look(String),
    /// Give a lost node its `NoExecute` taint.
    Evict(String),
    /// Say that a node came or went.
    Announce(Key, &'static str),
}

/// node-lifecycle-controller. It wakes only for nodes with news.
#[derive(Clone, Debug)]
pub struct NodeLifecycle {
    /// When, within each period, it looks at nodes.
    phase: Span,
    queue: WorkQueue<Work>,
    /// Nodes whose Pods have been told that their node is not ready.
    lost: SortedSet<String>,
    /// The earliest time for the next `NoExecute` taint, by zone.
    next_eviction: SortedMap<String, SimTime>,
    /// Nodes that were there from the beginning are not announced.
    started_at: Option<SimTime>,
    /// The last state of nodes that are gone, to tell of them.
    departed: SortedMap<Key, Rc<Object>>,
}

/// How many nodes of a zone are lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ZoneState {
    Normal,
    /// Most nodes are lost.
    Partial,
    /// All are.
    Full,
}

impl NodeLifecycle {
    pub fn new(rng: Rng) -> NodeLifecycle {
        NodeLifecycle {
            phase: Span::ms(rng.between("node-monitor-phase", "", 0, MONITOR_PERIOD.as_ms() - 1)),
            queue: WorkQueue::new(),
            lost: SortedSet::new(),
            next_eviction: SortedMap::new(),
            started_at: None,
            departed: SortedMap::new(),
        }
    }

    /// The first look at or after `at`.
    fn look_after(&self, at: SimTime) -> SimTime {
        let period = MONITOR_PERIOD.as_ms();
        let since = (at - self.phase).millis();
        let up = since.rem_euclid(period);
        if up == 0 { at } else { at + Span::ms(period - up) }
    }

    /// When the node will be given up if it stays silent.
    fn gives_up_at(&self, last_heartbeat: SimTime) -> SimTime {
        self.look_after(last_heartbeat) + GRACE_PERIOD
    }

    fn observe_node(&mut self, change: &Change, cause: Cause) {
        let name = change.object.name().to_owned();
        let started = *self.started_at.get_or_insert(change.at);
        if change.change == ChangeType::Deleted {
            self.lost.remove(&name);
            let key = change.object.key();
            self.departed.insert(key.clone(), Rc::clone(&change.object));
            self.queue.add(Work::Announce(key, "RemovingNode"), self.look_after(change.at), cause);
            return;
        }
        if change.change == ChangeType::Added && change.at > started {
            let at = self.look_after(change.at);
            self.queue.add(Work::Announce(change.object.key(), "RegisteredNode"), at, cause);
        }
        let node = change.object.node();
        if no_schedule_taints(node) != wanted_no_schedule(node) {
            self.queue.add(Work::Taint(name.clone()), change.at + TAINT_DELAY, cause);
        }
        self.plan_look(&name, node, change.at, cause);
        let ready = |object: &Rc<Object>| object.node().is_ready();
        if change.previous.as_ref().is_some_and(|before| ready(before) != ready(&change.object)) {
            // The state of the zone may have changed for the others, too.
            let lost: Vec<String> = self.lost.iter().filter(|other| **other != name).cloned().collect();
            for other in lost {
                self.queue.add(Work::Look(other), self.look_after(change.at), cause);
            }
        }
    }

    fn plan_look(&mut self, name: &str, node: &Node, now: SimTime, cause: Cause) {
        if ready_status(node).is_empty() {
            // Its kubelet has not reported yet.
            return;
        }
        let silent = node.last_heartbeat().filter(|_| ready_status(node) != "Unknown");
        if let Some(heard_at) = silent {
            let at = self.gives_up_at(heard_at).max(self.look_after(now));
            self.queue.add(Work::Look(name.to_owned()), at, cause);
        } else if no_execute_key(node) != current_no_execute(node) || node.is_ready() == self.lost.contains(name) {
            self.queue.add(Work::Look(name.to_owned()), self.look_after(now), cause);
        }
    }

    fn look(&mut self, api: &mut Api<'_>, name: &str) {
        let Some(object) = api.find(Kind::Node, "", name) else { return };
        let now = api.now();
        if let Some(heard_at) = object.node().last_heartbeat().filter(|_| ready_status(object.node()) != "Unknown") {
            if self.gives_up_at(heard_at) > now {
                return self.plan_look(name, object.node(), now, api.cause());
            }
            set_unknown(api, &object);
        }
        let Some(object) = api.find(Kind::Node, "", name) else { return };
        let node = object.node();
        if node.is_ready() {
            self.lost.remove(name);
            self.queue.remove(&Work::Evict(name.to_owned()));
            set_no_execute(api, &object, None);
            return;
        }
        if self.lost.insert(name.to_owned()) {
            tell_pods(api, &object);
        }
        self.queue.add(Work::Evict(name.to_owned()), now + EVICTION_DELAY, api.cause());
    }

    fn evict(&mut self, api: &mut Api<'_>, name: &str) {
        let Some(object) = api.find(Kind::Node, "", name) else { return };
        let node = object.node();
        if node.is_ready() || no_execute_key(node) == current_no_execute(node) {
            return;
        }
        let states = zone_states(api.store());
        if states.values().all(|(state, _)| *state == ZoneState::Full) {
            // If nothing answers, the fault is more likely ours: all Pods stay where they are.
            let nodes: Vec<Rc<Object>> = api.store().list(Kind::Node).cloned().collect();
            for node in nodes {
                set_no_execute(api, &node, None);
            }
            return;
        }
        let zone = zone_of(node);
        let every = match states.get(&zone) {
            Some((ZoneState::Partial, size)) if *size <= LARGE_ZONE => return,
            Some((ZoneState::Partial, _)) => EVERY_IN_TROUBLE,
            _ => EVERY,
        };
        let earliest = self.next_eviction.get(&zone).copied().unwrap_or(SimTime::EPOCH);
        if earliest > api.now() {
            self.queue.add(Work::Evict(name.to_owned()), earliest, api.cause());
            return;
        }
        self.next_eviction.insert(zone, api.now() + every);
        set_no_execute(api, &object, no_execute_key(node));
    }

    fn announce(&mut self, api: &mut Api<'_>, key: &Key, reason: &'static str) {
        let object = self.departed.remove(key).or_else(|| api.get(key));
        let Some(object) = object else { return };
        let what = if reason == "RemovingNode" { "Removing Node" } else { "Registered Node" };
        let link = if reason == "RemovingNode" { "from" } else { "in" };
        let name = &key.name;
        let message = format!("Node {name} event: {what} {name} {link} Controller");
        api.event(&object, EventType::Normal, reason, &message);
    }
}

/// The kubelet is silent: all its conditions are unknown.
fn set_unknown(api: &mut Api<'_>, object: &Object) {
    let now = api.now();
    let silent_ms = object.node().last_heartbeat().map_or(0, |heard_at| now.since(heard_at).as_ms());
    api.because_of(Rule::NodeHeartbeatMissed, [silent_ms, 0]);
    let written = api.patch_status(&object.key(), |status| {
        let mut conditions = status.list_at("conditions").to_vec();
        for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
            let old = conditions.iter().position(|c| c.str_at("type") == Some(kind));
            let heartbeat = old.map_or(Value::from(now), |i| conditions[i].at("lastHeartbeatTime").clone());
            let condition = object! {
                "type" => kind, "status" => "Unknown", "lastHeartbeatTime" => heartbeat, "lastTransitionTime" => now,
                "reason" => "NodeStatusUnknown", "message" => "Kubelet stopped posting node status.",
            };
            match old {
                Some(i) => conditions[i] = condition,
                None => conditions.push(condition),
            }
        }
        status.set("conditions", conditions);
    });
    debug_assert!(written.is_ok(), "the node is there: {written:?}");
}

/// The node is not ready, so its Pods are not either, whatever their last words were.
fn tell_pods(api: &mut Api<'_>, node: &Object) {
    api.because(Rule::NodeNotReady);
    let name = node.name();
    api.event(node, EventType::Normal, "NodeNotReady", &format!("Node {name} status is now: NodeNotReady"));
    let on_node = |pod: &&Rc<Object>| pod.value().str_at("spec.nodeName") == Some(name);
    let pods: Vec<Rc<Object>> = api.store().list(Kind::Pod).filter(on_node).cloned().collect();
    let now = api.now();
    for pod in pods {
        let ready = pod.pod().status.conditions.iter().position(|c| c.kind == "Ready" && c.status == "True");
        if let Some(index) = ready {
            let written = api.patch_status(&pod.key(), |status| {
                if let Some(condition) = status.at_mut(&format!("conditions.{index}")) {
                    condition.set("status", "False");
                    condition.set("lastTransitionTime", now);
                }
            });
            debug_assert!(written.is_ok(), "the Pod is there: {written:?}");
        }
        api.event(&pod, EventType::Warning, "NodeNotReady", "Node is not ready");
    }
}

fn zone_of(node: &Node) -> String {
    node.metadata.labels.get(ZONE_LABEL).map(Text::to_string).unwrap_or_default()
}

/// The state of each zone, and its size.
fn zone_states(store: &Store) -> SortedMap<String, (ZoneState, usize)> {
    let mut counts: SortedMap<String, (usize, usize)> = SortedMap::new();
    for node in store.list(Kind::Node) {
        let (lost, all) = counts.entry(zone_of(node.node())).or_default();
        *lost += usize::from(!node.node().is_ready());
        *all += 1;
    }
    let state = |(lost, all): (usize, usize)| {
        if lost == all {
            ZoneState::Full
        } else if lost > 2 && lost * 100 >= all * UNHEALTHY_PERCENT {
            ZoneState::Partial
        } else {
            ZoneState::Normal
        }
    };
    counts.into_iter().map(|(zone, count)| (zone, (state(count), count.1))).collect()
}

impl Actor for NodeLifecycle {
    /// As its events say.
    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if change.kind() == Kind::Node {
            self.observe_node(change, change.cause());
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        api.set_cause(due.cause);
        match due.key {
            Work::Taint(name) => {
                if let Some(object) = api.find(Kind::Node, "", &name) {
                    set_no_schedule(api, &object);
                }
            }
            Work::Look(name) => self.look(api, &name),
            Work::Evict(name) => self.evict(api, &name),
            Work::Announce(key, reason) => self.announce(api, &key, reason),
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        self.lost.clear();
        self.next_eviction.clear();
        self.departed.clear();
        self.started_at = Some(now);
        for object in store.list(Kind::Node) {
            let node = object.node();
            if !node.is_ready() {
                self.lost.insert(object.name().to_owned());
            }
            self.queue.add(Work::Taint(object.name().to_owned()), now + TAINT_DELAY, cause);
            self.plan_look(object.name(), node, now, cause);
        }
    }
}
