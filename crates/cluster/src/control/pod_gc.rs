//! The Pod garbage collector: Pods that nobody else will take away.
//!
//! Rule: `docs/semantics/ttl.md` §3, looked at every 20 s: ended Pods beyond the threshold; Pods of nodes that are gone
//! (after 40 s); Pods being deleted that never got a node; Pods being deleted on a node marked as out of service.
//! Source: `pkg/controller/podgc/gc_controller.go`.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::actor::Actor;
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, Rule, Store};
use api::condition::{NewCondition, set_pod_condition};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::Pod;
use api::taint::OUT_OF_SERVICE;
use values::sort::sort_by;
use values::sorted::{SortedMap, SortedSet};
use values::time::{SimTime, Span};

/// `gcCheckPeriod`
const PERIOD: Span = Span::secs(20);
/// How long a node must be gone before its Pods are (`quarantineTime`).
const QUARANTINE: Span = Span::secs(40);
/// `--terminated-pod-gc-threshold`
const THRESHOLD: usize = 12_500;

/// pod-garbage-collector-controller. It wakes only when there may be something to do.
#[derive(Clone, Debug, Default)]
pub struct PodGc {
    ended: BTreeSet<Key>,
    /// Pods by node, as far as they have one.
    placed: SortedMap<String, BTreeSet<Key>>,
    /// Pods being deleted, with the node they have, if any.
    deleting: SortedMap<Key, Option<String>>,
    nodes: SortedSet<String>,
    /// Nodes that carry the taint `out-of-service`.
    out_of_service: SortedSet<String>,
    /// Since when a node with Pods has been seen to be missing.
    missing_since: SortedMap<String, SimTime>,
    last_round: Option<SimTime>,
    now: SimTime,
    /// What brought each Pod, and each node that is gone or out of service, to where it is; for explanations.
    turns: SortedMap<Key, Cause>,
    /// What is named where nothing else is known: the end of the time that the controller stood still.
    begun: Cause,
}

/// The Pods to be deleted so that at most `threshold` ended ones stay: evicted ones first, then the oldest. A threshold
/// of 0 means no limit.
pub fn terminated_beyond<'p>(pods: &[&'p Pod], threshold: usize) -> Vec<&'p Pod> {
    let mut ended: Vec<&Pod> = pods.iter().copied().filter(|pod| pod.is_terminal()).collect();
    if threshold == 0 || ended.len() <= threshold {
        return Vec::new();
    }
    let evicted = |pod: &Pod| pod.status.phase == "Failed" && pod.status.reason == "Evicted";
    sort_by(&mut ended, |a, b| {
        let rank = |pod: &Pod| (!evicted(pod), pod.metadata.creation_timestamp);
        rank(a).cmp(&rank(b)).then_with(|| a.metadata.name.cmp(&b.metadata.name))
    });
    ended.truncate(ended.len() - threshold);
    ended
}

impl PodGc {
    pub fn new() -> PodGc {
        PodGc::default()
    }

    fn forget(&mut self, object: &Object) {
        let key = object.key();
        self.ended.remove(&key);
        self.deleting.remove(&key);
        self.turns.remove(&key);
        if let Some(node) = node_name(object)
            && let Some(pods) = self.placed.get_mut(node)
        {
            pods.remove(&key);
            if pods.is_empty() {
                self.placed.remove(node);
                self.missing_since.remove(node);
            }
        }
    }

    /// Takes in a Pod as it is now; most versions of a Pod change nothing here.
    fn observe_pod(&mut self, object: &Object) {
        let key = object.key();
        if has_ended(object) {
            self.ended.insert(key.clone());
        }
        if is_being_deleted(object) {
            self.deleting.insert(key.clone(), node_name(object).map(str::to_owned));
        }
        if let Some(node) = node_name(object) {
            self.placed.entry(node.to_owned()).or_default().insert(key);
        }
    }

    /// What the collecting of this Pod, or of Pods of this node, follows from.
    fn cause(&self, key: &Key) -> Cause {
        self.turns.get(key).copied().unwrap_or(self.begun)
    }

    fn observe_node(&mut self, object: &Object) {
        let name = object.name().to_owned();
        self.missing_since.remove(&name);
        if object.node().spec.taints.iter().any(|taint| taint.key == OUT_OF_SERVICE) {
            self.out_of_service.insert(name.clone());
        } else {
            self.out_of_service.remove(&name);
        }
        self.nodes.insert(name);
    }

    /// True if a Pod is being deleted that no kubelet will end.
    fn has_stuck(&self) -> bool {
        self.deleting.values().any(|node| node.as_ref().is_none_or(|node| self.out_of_service.contains(node)))
    }

    fn is_orphaning(&self) -> bool {
        self.placed.keys().any(|node| !self.nodes.contains(node))
    }

    fn delete_now(api: &mut Api<'_>, key: &Key) {
        // It may have gone in the same round.
        let _gone = api.delete(key, &DeleteOptions::with_grace(0));
    }

    /// Marks the Pod as failed and lost, then deletes it at once.
    fn fail_and_delete(api: &mut Api<'_>, object: &Object, reason: &str, message: &str) {
        let now = api.now();
        let condition = NewCondition {
            kind: "DisruptionTarget",
            status: "True",
            reason,
            message,
            observed_generation: object.meta().generation,
        };
        if !object.pod().is_terminal() {
            let written = api.patch_status(&object.key(), |status| {
                status.set("phase", "Failed");
                set_pod_condition(status, condition, now);
            });
            debug_assert!(written.is_ok(), "the Pod is there: {written:?}");
        }
        Self::delete_now(api, &object.key());
    }

    fn collect_terminated(&self, api: &mut Api<'_>) {
        let objects: Vec<Rc<Object>> = self.ended.iter().filter_map(|key| api.get(key)).collect();
        let pods: Vec<&Pod> = objects.iter().map(|o| &**o.pod()).collect();
        let keys: Vec<Key> = terminated_beyond(&pods, THRESHOLD)
            .into_iter()
            .map(|pod| Key::new(Kind::Pod, &pod.metadata.namespace, &pod.metadata.name))
            .collect();
        for key in keys {
            api.set_cause(self.cause(&key).rule(Rule::PodGcTerminated));
            Self::delete_now(api, &key);
        }
    }

    fn collect_orphans(&mut self, api: &mut Api<'_>) {
        let now = api.now();
        let missing: Vec<String> = self.placed.keys().filter(|node| !self.nodes.contains(*node)).cloned().collect();
        self.missing_since.retain(|node, _| missing.contains(node));
        for node in missing {
            let gone = Key::new(Kind::Node, "", &node);
            let since = *self.missing_since.entry(node.clone()).or_insert(now);
            if now.since(since) < QUARANTINE {
                continue;
            }
            let pods: Vec<Rc<Object>> =
                self.placed.get(&node).into_iter().flatten().filter_map(|key| api.get(key)).collect();
            for pod in pods {
                let cause = self.turns.get(&gone).copied().unwrap_or_else(|| self.cause(&pod.key()));
                api.set_cause(cause.rule(Rule::PodGcNodeGone));
                Self::fail_and_delete(api, &pod, "DeletionByPodGC", "PodGC: node no longer exists");
            }
        }
    }

    fn collect_deleting(&self, api: &mut Api<'_>) {
        let objects: Vec<Rc<Object>> = self.deleting.keys().filter_map(|key| api.get(key)).collect();
        for object in objects {
            match node_name(&object) {
                None => {
                    api.set_cause(self.cause(&object.key()).rule(Rule::PodGcNeverScheduled));
                    Self::delete_now(api, &object.key());
                }
                Some(node) if is_out_of_service(api.store(), node) => {
                    api.set_cause(self.cause(&Key::new(Kind::Node, "", node)).rule(Rule::PodGcOutOfService));
                    let message = "PodGC: node is out of service";
                    Self::fail_and_delete(api, &object, "DeletionByPodGC", message);
                }
                Some(_) => {}
            }
        }
    }
}

fn has_ended(object: &Object) -> bool {
    object.pod().is_terminal()
}

fn is_being_deleted(object: &Object) -> bool {
    object.meta().is_being_deleted()
}

fn node_name(object: &Object) -> Option<&str> {
    Some(object.pod().spec.node_name.as_str()).filter(|name| !name.is_empty())
}

/// Not ready, and marked so by an administrator.
fn is_out_of_service(store: &Store, node: &str) -> bool {
    let Some(node) = store.find(Kind::Node, "", node) else { return false };
    !node.node().is_ready() && node.node().spec.taints.iter().any(|taint| taint.key == OUT_OF_SERVICE)
}

impl Actor for PodGc {
    fn name(&self) -> &'static str {
        "pod-garbage-collector-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        self.now = change.at;
        let deleted = change.change == ChangeType::Deleted;
        match (change.kind(), deleted) {
            (Kind::Pod, true) => self.forget(&change.object),
            (Kind::Pod, false) => {
                let is_alike = |before: &Object, now: &Object| {
                    has_ended(before) == has_ended(now)
                        && is_being_deleted(before) == is_being_deleted(now)
                        && node_name(before) == node_name(now)
                };
                if !change.previous.as_ref().is_some_and(|before| is_alike(before, &change.object)) {
                    self.turns.insert(change.object.key(), change.cause());
                    self.observe_pod(&change.object);
                }
            }
            (Kind::Node, true) => {
                self.turns.insert(change.object.key(), change.cause());
                self.nodes.remove(change.object.name());
                self.out_of_service.remove(change.object.name());
            }
            (Kind::Node, false) => {
                if change
                    .previous
                    .as_ref()
                    .is_none_or(|before| before.node().spec.taints != change.object.node().spec.taints)
                {
                    self.turns.insert(change.object.key(), change.cause());
                }
                self.observe_node(&change.object);
            }
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        let busy = self.ended.len() > THRESHOLD || self.is_orphaning() || self.has_stuck();
        // Rounds stand on a grid, so that a round that had nothing to do need not have happened.
        let every = PERIOD.as_ms();
        let after = self.last_round.map_or(self.now.millis(), |last| self.now.millis().max(last.millis()));
        busy.then(|| SimTime::from_millis(after.div_euclid(every) * every + every))
    }

    fn step(&mut self, api: &mut Api<'_>) {
        self.last_round = Some(api.now());
        self.collect_terminated(api);
        self.collect_orphans(api);
        self.collect_deleting(api);
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        *self = PodGc { now, begun: cause, ..PodGc::default() };
        for node in store.list(Kind::Node) {
            self.observe_node(node);
        }
        for pod in store.list(Kind::Pod) {
            self.observe_pod(pod);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    fn pod(stage: &mut Stage, name: &str, node: &str) {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}},"spec":{{"nodeName":"{node}",
            "containers":[{{"name":"main","image":"busybox:1.36"}}]}}}}"#
        ));
    }

    fn node(stage: &mut Stage, taints: &str) {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"node-1"}},"spec":{{"taints":[{taints}]}}}}"#
        ));
    }

    #[test]
    fn pods_of_a_node_that_is_gone_fail_after_the_quarantine() {
        let mut stage = Stage::new(vec![Box::new(PodGc::new())]);
        node(&mut stage, "");
        pod(&mut stage, "a", "node-1");
        stage.run_for(Span::mins(5));
        assert!(stage.find(Kind::Pod, "a").is_some());
        stage.api(|api| api.delete(&Key::new(Kind::Node, "", "node-1"), &DeleteOptions::default())).unwrap();
        stage.run_for(Span::secs(50));
        assert!(stage.find(Kind::Pod, "a").is_some());
        stage.run_for(Span::secs(15));
        assert!(stage.find(Kind::Pod, "a").is_none());
        let failed = stage.log.iter().rev().find(|c| c.object.name() == "a" && c.change == ChangeType::Modified);
        let condition = failed.unwrap().object.pod().condition("DisruptionTarget").cloned().unwrap();
        assert_eq!(
            (condition.reason.as_str(), condition.message.as_str()),
            ("DeletionByPodGC", "PodGC: node no longer exists")
        );
    }

    #[test]
    fn terminating_pods_of_a_node_out_of_service_are_forced_out() {
        let mut stage = Stage::new(vec![Box::new(PodGc::new())]);
        node(&mut stage, r#"{"key":"node.kubernetes.io/out-of-service","value":"nodeshutdown","effect":"NoExecute"}"#);
        pod(&mut stage, "a", "node-1");
        pod(&mut stage, "b", "node-1");
        stage.api(|api| api.delete(&Key::new(Kind::Pod, "default", "a"), &DeleteOptions::default())).unwrap();
        assert!(stage.find(Kind::Pod, "a").is_some());
        stage.run_for(Span::secs(30));
        assert!(stage.find(Kind::Pod, "a").is_none());
        assert!(stage.find(Kind::Pod, "b").is_some());
    }
}
