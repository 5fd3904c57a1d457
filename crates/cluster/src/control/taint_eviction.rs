//! The taint eviction controller: deletes Pods that do not put up with a `NoExecute` taint of their node, or no longer.
//!
//! Rule: `docs/semantics/ttl.md` §4. A Pod that tolerates all such taints stays as long as the shortest
//! `tolerationSeconds` says, counted from the moment the taint was seen; one that does not goes at once. Source:
//! `pkg/controller/tainteviction/taint_eviction.go`.

use std::rc::Rc;

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, EventType, Rule, Store};
use api::condition::{NewCondition, set_pod_condition};
use api::core::Taint;
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::Toleration;
use values::sorted::{SortedMap, SortedSet};
use values::time::{SimTime, Span};

/// From a change to the controller's look at it.
const WATCH_DELAY: Span = Span::ms(8);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Work {
    /// The taints of this node changed.
    Node(String),
    /// This Pod came to a tainted node.
    Pod(Key),
    /// The Pod's time is over.
    Evict(Key),
}

/// taint-eviction-controller.
#[derive(Clone, Debug, Default)]
pub struct TaintEviction {
    queue: WorkQueue<Work>,
    /// Nodes with `NoExecute` taints.
    tainted: SortedSet<String>,
    /// Pods whose eviction is planned: since when.
    planned: SortedMap<Key, SimTime>,
}

/// How long Pods with these tolerations may stay: the shortest of their times, `None` for ever.
pub fn min_toleration_time(tolerations: &[&Toleration]) -> Option<Span> {
    if tolerations.is_empty() {
        return Some(Span::ZERO);
    }
    tolerations.iter().filter_map(|t| t.toleration_seconds).map(|seconds| Span::secs(seconds.max(0))).min()
}

/// How long a Pod may stay on a node with these `NoExecute` taints; `None` for ever.
pub fn time_to_stay(taints: &[Taint], tolerations: &[Toleration]) -> Option<Span> {
    if taints.is_empty() {
        return None;
    }
    let mut used: Vec<&Toleration> = Vec::new();
    for taint in taints {
        match tolerations.iter().find(|t| t.tolerates(taint)) {
            Some(toleration) => used.push(toleration),
            None => return Some(Span::ZERO),
        }
    }
    min_toleration_time(&used)
}

fn no_execute(object: &Object) -> Vec<Taint> {
    object.node().spec.taints.iter().filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

fn node_name(object: &Object) -> &str {
    &object.pod().spec.node_name
}

impl TaintEviction {
    pub fn new() -> TaintEviction {
        TaintEviction::default()
    }

    fn observe_node(&mut self, change: &Change, cause: Cause) {
        let name = change.object.name().to_owned();
        let deleted = change.change == ChangeType::Deleted;
        let taints = if deleted { Vec::new() } else { no_execute(&change.object) };
        let before = change.previous.as_ref().map(|node| no_execute(node)).unwrap_or_default();
        if taints.is_empty() {
            self.tainted.remove(&name);
        } else {
            self.tainted.insert(name.clone());
        }
        if taints != before && !deleted {
            self.queue.add(Work::Node(name), change.at + WATCH_DELAY, cause);
        }
    }

    fn observe_pod(&mut self, change: &Change, cause: Cause) {
        let key = change.object.key();
        if change.change == ChangeType::Deleted {
            self.forget(&key);
            return;
        }
        let node = node_name(&change.object);
        let moved = change.previous.as_ref().is_none_or(|before| node_name(before) != node);
        if moved && self.tainted.contains(node) {
            self.queue.add(Work::Pod(key), change.at + WATCH_DELAY, cause);
        }
    }

    fn forget(&mut self, key: &Key) -> bool {
        self.queue.remove(&Work::Evict(key.clone()));
        self.planned.remove(key).is_some()
    }

    fn look_at_node(&mut self, api: &mut Api<'_>, name: &str) {
        let on_node = |pod: &&Rc<Object>| node_name(pod) == name;
        let pods: Vec<Rc<Object>> = api.store().list(Kind::Pod).filter(on_node).cloned().collect();
        for pod in pods {
            self.look_at_pod(api, &pod);
        }
    }

    fn look_at_pod(&mut self, api: &mut Api<'_>, pod: &Object) {
        let key = pod.key();
        let taints = api.find(Kind::Node, "", node_name(pod)).map(|node| no_execute(&node)).unwrap_or_default();
        let now = api.now();
        match time_to_stay(&taints, &pod.pod().spec.tolerations) {
            None => {
                if self.forget(&key) {
                    let message = format!("Cancelling deletion of Pod {}/{}", key.namespace, key.name);
                    api.event(pod, EventType::Normal, "TaintManagerEviction", &message);
                }
            }
            Some(Span::ZERO) => {
                self.forget(&key);
                evict(api, pod);
            }
            Some(stay) => {
                // A plan that exists counts from when it was made.
                let since = *self.planned.entry(key.clone()).or_insert(now);
                self.queue.remove(&Work::Evict(key.clone()));
                self.queue.add(Work::Evict(key), since + stay, api.cause());
            }
        }
    }
}

fn evict(api: &mut Api<'_>, pod: &Object) {
    if pod.meta().is_being_deleted() {
        return;
    }
    let key = pod.key();
    let taints = api.find(Kind::Node, "", node_name(pod)).map(|node| no_execute(&node)).unwrap_or_default();
    let stay_ms = time_to_stay(&taints, &pod.pod().spec.tolerations).map_or(0, Span::as_ms);
    api.because_of(Rule::NodeTaintEviction, [stay_ms, 0]);
    let message = format!("Marking for deletion Pod {}/{}", key.namespace, key.name);
    api.event(pod, EventType::Normal, "TaintManagerEviction", &message);
    let condition = NewCondition {
        kind: "DisruptionTarget",
        status: "True",
        reason: "DeletionByTaintManager",
        message: "Taint manager: deleting due to NoExecute taint",
        observed_generation: pod.meta().generation,
    };
    let now = api.now();
    let marked = api.patch_status(&key, |status| set_pod_condition(status, condition, now));
    debug_assert!(marked.is_ok(), "the Pod is there: {marked:?}");
    let deleted = api.delete(&key, &DeleteOptions::default());
    debug_assert!(deleted.is_ok(), "the Pod is there: {deleted:?}");
}

impl Actor for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        let cause = change.cause();
        match change.kind() {
            Kind::Node => self.observe_node(change, cause),
            Kind::Pod => self.observe_pod(change, cause),
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        api.set_cause(due.cause);
        match due.key {
            Work::Node(name) => self.look_at_node(api, &name),
            Work::Pod(key) => {
                if let Some(pod) = api.get(&key) {
                    self.look_at_pod(api, &pod);
                }
            }
            Work::Evict(key) => {
                self.planned.remove(&key);
                if let Some(pod) = api.get(&key) {
                    evict(api, &pod);
                }
            }
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        *self = TaintEviction::new();
        for node in store.list(Kind::Node).filter(|node| !no_execute(node).is_empty()) {
            self.tainted.insert(node.name().to_owned());
            self.queue.add(Work::Node(node.name().to_owned()), now + WATCH_DELAY, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;
    use crate::control::node_lifecycle::NodeLifecycle;
    use api::core::LAST_HEARTBEAT;
    use values::object;
    use values::rng::Rng;

    const TOLERATIONS: &str = r#""tolerations":[
        {"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":20},
        {"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":20}],"#;

    fn stage(nodes: &[&str]) -> Stage {
        let mut stage = Stage::new(vec![Box::new(NodeLifecycle::new(Rng::new(5))), Box::new(TaintEviction::new())]);
        for name in nodes {
            let json = format!(
                r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}"}},
                "status":{{"conditions":[{{"type":"Ready","status":"True"}}]}}}}"#
            );
            stage.create(&json);
        }
        stage
    }

    fn pod(stage: &mut Stage, name: &str, node: &str, spec: &str) {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}},"spec":{{"nodeName":"{node}",{spec}
            "containers":[{{"name":"main","image":"busybox:1.36"}}]}}}}"#
        ));
        let now = stage.now;
        stage.patch_status(Kind::Pod, name, |status| {
            status.set("phase", "Running");
            let ready = object! { "type" => "Ready", "status" => "True", "lastTransitionTime" => now };
            status.set("conditions", vec![ready]);
        });
    }

    /// Stops the kubelet, as the node actor does.
    fn silence(stage: &mut Stage, node: &str) {
        let (key, now) = (Key::new(Kind::Node, "", node), stage.now);
        stage
            .api(|api| {
                api.update(&key, |node| {
                    let mut annotations = node.at("metadata.annotations").clone();
                    annotations.map_mut().insert(LAST_HEARTBEAT, now);
                    node.set("metadata.annotations", annotations);
                })
            })
            .unwrap();
    }

    fn wake(stage: &mut Stage, node: &str) {
        let key = Key::new(Kind::Node, "", node);
        stage
            .api(|api| {
                api.update(&key, |node| {
                    node.remove("metadata.annotations");
                })
            })
            .unwrap();
        stage.api(|api| {
            api.patch_status(&key, |status| {
                status.set("conditions", vec![object! { "type" => "Ready", "status" => "True" }]);
            })
            .unwrap()
        });
    }

    fn taints(stage: &Stage, node: &str) -> Vec<String> {
        let node = stage.store.find(Kind::Node, "", node).unwrap();
        node.node().spec.taints.iter().map(|t| format!("{}:{}", t.key, t.effect)).collect()
    }

    #[test]
    fn a_silent_node_is_given_up_and_its_pods_are_evicted_in_time() {
        let mut stage = stage(&["node-1", "node-2"]);
        pod(&mut stage, "a", "node-2", TOLERATIONS);
        pod(&mut stage, "steady", "node-2", r#""tolerations":[{"operator":"Exists"}],"#);
        stage.run_for(Span::secs(10));
        silence(&mut stage, "node-2");
        stage.run_for(Span::secs(150));
        let lost = stage.first_time(Kind::Node, "node-2", |c| !c.object.node().is_ready()).unwrap();
        assert!((60_000..65_100).contains(&lost), "{lost}");
        let unready = stage.first_time(Kind::Pod, "a", |c| {
            c.previous.is_some() && !c.object.pod().is_ready() && c.at.millis() % 1000 != 0
        });
        assert_eq!(unready, Some(lost));
        assert_eq!(
            taints(&stage, "node-2"),
            ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]
        );
        let evicted = stage.first_time(Kind::Pod, "a", |c| c.object.meta().is_being_deleted()).unwrap();
        assert!((20_000..20_200).contains(&(evicted - lost)), "{evicted}");
        assert_eq!(
            stage.events("a"),
            ["NodeNotReady: Node is not ready", "TaintManagerEviction: Marking for deletion Pod default/a"]
        );
        assert_eq!(stage.events("node-2"), ["NodeNotReady: Node node-2 status is now: NodeNotReady"]);
        assert!(!stage.get(Kind::Pod, "steady").meta().is_being_deleted());
        wake(&mut stage, "node-2");
        stage.run_for(Span::secs(6));
        assert!(taints(&stage, "node-2").is_empty());
    }

    #[test]
    fn a_node_that_comes_back_in_time_keeps_its_pods() {
        let mut stage = stage(&["node-1", "node-2"]);
        pod(&mut stage, "a", "node-2", TOLERATIONS);
        silence(&mut stage, "node-2");
        stage.run_for(Span::secs(65));
        assert_eq!(taints(&stage, "node-2").len(), 2);
        wake(&mut stage, "node-2");
        stage.run_for(Span::secs(60));
        assert!(!stage.get(Kind::Pod, "a").meta().is_being_deleted());
        assert!(stage.events("a").contains(&"TaintManagerEviction: Cancelling deletion of Pod default/a".to_owned()));
    }

    #[test]
    fn nobody_is_evicted_when_every_node_is_lost() {
        let mut stage = stage(&["node-1"]);
        pod(&mut stage, "a", "node-1", TOLERATIONS);
        silence(&mut stage, "node-1");
        stage.run_for(Span::secs(300));
        assert_eq!(taints(&stage, "node-1"), ["node.kubernetes.io/unreachable:NoSchedule"]);
        assert!(!stage.get(Kind::Pod, "a").meta().is_being_deleted());
    }

    #[test]
    fn lost_nodes_are_evicted_one_in_ten_seconds() {
        let mut stage = stage(&["n1", "n2", "n3", "n4"]);
        silence(&mut stage, "n1");
        silence(&mut stage, "n2");
        stage.run_for(Span::secs(100));
        let tainted = |name: &str| {
            let is = |c: &Change| !no_execute(&c.object).is_empty();
            stage.first_time(Kind::Node, name, is).unwrap()
        };
        assert_eq!((tainted("n1") - tainted("n2")).abs(), 10_000);
    }

    #[test]
    fn a_cordon_becomes_a_taint_and_goes_with_it() {
        let mut stage = stage(&["node-1"]);
        let key = Key::new(Kind::Node, "", "node-1");
        stage.api(|api| api.update(&key, |node| node.set("spec.unschedulable", true))).unwrap();
        stage.run_for(Span::secs(1));
        assert_eq!(taints(&stage, "node-1"), ["node.kubernetes.io/unschedulable:NoSchedule"]);
        stage.api(|api| api.update(&key, |node| node.set("spec.unschedulable", false))).unwrap();
        stage.run_for(Span::secs(1));
        assert!(taints(&stage, "node-1").is_empty());
    }
}
