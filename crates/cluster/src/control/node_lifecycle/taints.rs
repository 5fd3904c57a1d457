//! The taints a node gets for its conditions.
//!
//! Rule: `docs/semantics/ttl.md` §4: `NoSchedule` for every bad condition and for a cordon, `NoExecute` for a lost
//! kubelet only. Source: `pkg/controller/nodelifecycle/node_lifecycle_controller.go` (`taintKeyToNodeConditionMap`),
//! `pkg/controller/util/node/controller_utils.go` (`SwapNodeControllerTaint`).

use crate::store::{Api, Rule};
use api::core::{Node, Taint};
use api::object::Object;
use api::taint::{NOT_READY, UNREACHABLE, UNSCHEDULABLE};
use values::sorted::SortedSet;
use values::time::SimTime;
use values::value::Value;

pub(super) fn ready_status(node: &Node) -> &str {
    node.status.conditions.iter().find(|c| c.kind == "Ready").map_or("", |c| &c.status)
}

/// The keys of the `NoSchedule` taints that the conditions and the cordon ask for.
pub(super) fn wanted_no_schedule(node: &Node) -> SortedSet<&'static str> {
    let mut keys = SortedSet::new();
    for condition in &node.status.conditions {
        let key = match (condition.kind.as_str(), condition.status.as_str()) {
            ("Ready", "False") => NOT_READY,
            ("Ready", "Unknown") => UNREACHABLE,
            ("MemoryPressure", "True") => "node.kubernetes.io/memory-pressure",
            ("DiskPressure", "True") => "node.kubernetes.io/disk-pressure",
            ("PIDPressure", "True") => "node.kubernetes.io/pid-pressure",
            ("NetworkUnavailable", "True") => "node.kubernetes.io/network-unavailable",
            _ => continue,
        };
        keys.insert(key);
    }
    if node.spec.unschedulable {
        keys.insert(UNSCHEDULABLE);
    }
    keys
}

/// All keys that [`wanted_no_schedule`] may ask for.
const MANAGED: [&str; 7] = [
    NOT_READY,
    UNREACHABLE,
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/network-unavailable",
    UNSCHEDULABLE,
];

pub(super) fn no_schedule_taints(node: &Node) -> SortedSet<&'static str> {
    let has = |key: &&str| node.spec.taints.iter().any(|t| t.key == *key && t.effect == "NoSchedule");
    MANAGED.into_iter().filter(has).collect()
}

pub(super) fn set_no_schedule(api: &mut Api<'_>, object: &Object) {
    let (wanted, now) = (wanted_no_schedule(object.node()), api.now());
    let managed = |taint: &Taint| taint.effect == "NoSchedule" && MANAGED.contains(&taint.key.as_str());
    let mut taints = object.node().spec.taints.clone();
    taints.retain(|taint| !managed(taint) || wanted.contains(taint.key.as_str()));
    for key in wanted {
        if !taints.iter().any(|taint| managed(taint) && taint.key == key) {
            taints.push(new_taint(key, "NoSchedule", now));
        }
    }
    api.because(Rule::NodeTaints);
    write_taints(api, object, &taints);
}

fn new_taint(key: &str, effect: &str, now: SimTime) -> Taint {
    Taint { key: key.to_owned(), value: String::new(), effect: effect.to_owned(), time_added: Some(now) }
}

/// The `NoExecute` taint that a node deserves.
pub(super) fn no_execute_key(node: &Node) -> Option<&'static str> {
    match ready_status(node) {
        "False" => Some(NOT_READY),
        "Unknown" => Some(UNREACHABLE),
        _ => None,
    }
}

pub(super) fn current_no_execute(node: &Node) -> Option<&'static str> {
    let has = |key: &str| node.spec.taints.iter().any(|t| t.key == key && t.effect == "NoExecute");
    [NOT_READY, UNREACHABLE].into_iter().find(|key| has(key))
}

pub(super) fn set_no_execute(api: &mut Api<'_>, object: &Object, key: Option<&'static str>) {
    let mut taints = object.node().spec.taints.clone();
    let managed = |taint: &Taint| taint.effect == "NoExecute" && (taint.key == NOT_READY || taint.key == UNREACHABLE);
    taints.retain(|taint| !managed(taint) || Some(taint.key.as_str()) == key);
    if let Some(key) = key.filter(|key| !taints.iter().any(|taint| managed(taint) && taint.key == *key)) {
        taints.push(new_taint(key, "NoExecute", api.now()));
    }
    api.because(Rule::NodeEvict);
    write_taints(api, object, &taints);
}

fn write_taints(api: &mut Api<'_>, object: &Object, taints: &[Taint]) {
    if object.node().spec.taints == taints {
        return;
    }
    let written = api.update(&object.key(), |node| {
        if taints.is_empty() {
            node.remove("spec.taints");
        } else {
            node.set("spec.taints", Value::list(taints.iter().map(Value::encode)));
        }
    });
    debug_assert!(written.is_ok(), "the node is there: {written:?}");
}
