//! What the scheduler knows of the nodes: who is on them and what is left. Kept up to date change by change.
//!
//! Rule: terminal Pods do not count, terminating ones do until they are gone or terminal; a Pod that has been given a
//! node counts there from that moment, before its binding is written ("assumed").
//! Source: `pkg/scheduler/backend/cache/cache.go`, `pkg/scheduler/framework/types.go` (`NodeInfo`).

use std::rc::Rc;

use crate::sched::resources::{Resources, pod_requests, pod_scoring_requests};
use api::core::Node;
use api::meta::{Key, StringMap};
use api::object::Object;
use api::pod::Pod;
use values::sorted::SortedMap;
use values::value::Text;

/// A Pod with what scheduling needs of it, worked out once.
#[derive(Clone, Debug)]
pub struct PodInfo {
    pub key: Key,
    pub object: Rc<Object>,
    pub needs: Rc<Needs>,
}

/// What follows from a Pod's spec.
#[derive(Clone, Debug)]
pub struct Needs {
    pub requests: Resources,
    /// The requests with defaults, for scores.
    pub scoring: Resources,
    /// Ports on the node itself, with their protocols.
    pub host_ports: Vec<(Text, i32)>,
    pub priority: i32,
    /// It asks for or refuses the company of other Pods.
    pub has_affinity: bool,
}

impl PodInfo {
    pub fn new(object: &Rc<Object>) -> PodInfo {
        let pod = object.pod();
        let containers = pod.spec.containers.iter().chain(pod.spec.init_containers.iter().filter(|c| c.is_sidecar()));
        let host_ports = containers
            .flat_map(|c| &c.ports)
            .filter(|p| p.host_port > 0)
            .map(|p| (if p.protocol.is_empty() { Text::Known("TCP") } else { p.protocol.clone() }, p.host_port))
            .collect();
        let affinity = &pod.spec.affinity;
        let has_affinity = [&affinity.pod_affinity, &affinity.pod_anti_affinity].into_iter().any(|a| {
            !a.required_during_scheduling_ignored_during_execution.is_empty()
                || !a.preferred_during_scheduling_ignored_during_execution.is_empty()
        });
        let needs = Needs {
            requests: pod_requests(pod),
            scoring: pod_scoring_requests(pod),
            host_ports,
            priority: pod.spec.priority,
            has_affinity,
        };
        PodInfo { key: object.key(), object: Rc::clone(object), needs: Rc::new(needs) }
    }

    pub fn pod(&self) -> &Pod {
        self.object.pod()
    }

    pub fn labels(&self) -> &StringMap {
        &self.pod().metadata.labels
    }

    pub fn namespace(&self) -> &str {
        &self.key.namespace
    }

    pub fn priority(&self) -> i32 {
        self.needs.priority
    }

    /// The same Pod in a newer version; its needs are worked out again only if `spec_changed`.
    pub fn renewed(&self, object: &Rc<Object>, spec_changed: bool) -> PodInfo {
        if spec_changed {
            return PodInfo::new(object);
        }
        PodInfo { key: self.key.clone(), object: Rc::clone(object), needs: Rc::clone(&self.needs) }
    }
}

/// A node and the Pods on it.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub name: String,
    pub node: Rc<Node>,
    pub allocatable: Resources,
    pub requested: Resources,
    pub scoring: Resources,
    pub pods: SortedMap<Key, Rc<PodInfo>>,
}

impl NodeInfo {
    fn new(name: &str, node: Rc<Node>) -> NodeInfo {
        NodeInfo {
            name: name.to_owned(),
            allocatable: Resources::read(&node.status.allocatable),
            node,
            requested: Resources::default(),
            scoring: Resources::default(),
            pods: SortedMap::new(),
        }
    }

    pub fn labels(&self) -> &StringMap {
        &self.node.metadata.labels
    }

    pub fn add(&mut self, pod: Rc<PodInfo>) {
        self.requested.add(&pod.needs.requests);
        self.scoring.add(&pod.needs.scoring);
        if let Some(before) = self.pods.insert(pod.key.clone(), pod) {
            self.requested.subtract(&before.needs.requests);
            self.scoring.subtract(&before.needs.scoring);
        }
    }

    pub fn remove(&mut self, key: &Key) -> Option<Rc<PodInfo>> {
        let pod = self.pods.remove(key)?;
        self.requested.subtract(&pod.needs.requests);
        self.scoring.subtract(&pod.needs.scoring);
        Some(pod)
    }
}

/// All nodes, by name.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    nodes: SortedMap<String, NodeInfo>,
    /// The node of each Pod that has one. Pods of unknown nodes wait in `strays`.
    places: SortedMap<Key, String>,
    strays: SortedMap<Key, Rc<PodInfo>>,
    /// Pods that ask for or refuse company; mostly none.
    with_affinity: SortedMap<Key, String>,
}

impl Cache {
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &NodeInfo> {
        self.nodes.values()
    }

    pub fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.nodes.get(name)
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Where the Pod is, or is about to be.
    pub fn place_of(&self, key: &Key) -> Option<&str> {
        self.places.get(key).map(String::as_str)
    }

    /// The Pods that ask for or refuse company, with their nodes.
    pub fn pods_with_affinity(&self) -> impl Iterator<Item = (&NodeInfo, &PodInfo)> {
        self.with_affinity.iter().filter_map(|(key, node)| {
            let node = self.nodes.get(node)?;
            Some((node, &**node.pods.get(key)?))
        })
    }

    /// All Pods with their nodes.
    pub fn pods(&self) -> impl Iterator<Item = (&NodeInfo, &PodInfo)> {
        self.nodes.values().flat_map(|node| node.pods.values().map(move |pod| (node, &**pod)))
    }

    /// Takes in a node's new version.
    pub fn set_node(&mut self, object: &Object) {
        let name = object.name();
        let node = Rc::clone(object.node());
        if let Some(info) = self.nodes.get_mut(name) {
            info.allocatable = Resources::read(&node.status.allocatable);
            info.node = node;
            return;
        }
        let mut info = NodeInfo::new(name, node);
        let here: Vec<Key> =
            self.strays.keys().filter(|key| self.places.get(*key).is_some_and(|n| n == name)).cloned().collect();
        for key in here {
            if let Some(pod) = self.strays.remove(&key) {
                info.add(pod);
            }
        }
        self.nodes.insert(name.to_owned(), info);
    }

    pub fn remove_node(&mut self, name: &str) {
        if let Some(info) = self.nodes.remove(name) {
            self.strays.extend(info.pods);
        }
    }

    /// Counts the Pod on `node`, from now on.
    pub fn add_pod(&mut self, pod: Rc<PodInfo>, node: &str) {
        if self.place_of(&pod.key).is_some_and(|before| before != node) {
            self.remove_pod(&pod.key);
        }
        if pod.needs.has_affinity {
            self.with_affinity.insert(pod.key.clone(), node.to_owned());
        }
        if !self.places.contains_key(&pod.key) {
            self.places.insert(pod.key.clone(), node.to_owned());
        }
        match self.nodes.get_mut(node) {
            Some(info) => info.add(pod),
            None => {
                self.strays.insert(pod.key.clone(), pod);
            }
        }
    }

    /// Takes in a new version of a Pod that is already counted.
    pub fn refresh_pod(&mut self, object: &Rc<Object>, spec_changed: bool) {
        let key = object.key();
        let Some(info) = self.places.get(&key).and_then(|node| self.nodes.get_mut(node)) else { return };
        let Some(pod) = info.pods.get(&key) else { return };
        let pod = Rc::new(pod.renewed(object, spec_changed));
        if spec_changed {
            info.add(pod);
        } else {
            info.pods.insert(key, pod);
        }
    }

    /// Stops counting the Pod. False if it was not counted.
    pub fn remove_pod(&mut self, key: &Key) -> bool {
        let Some(node) = self.places.remove(key) else { return false };
        self.with_affinity.remove(key);
        self.strays.remove(key);
        if let Some(info) = self.nodes.get_mut(&node) {
            info.remove(key);
        }
        true
    }
}
