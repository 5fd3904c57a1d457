//! Laws of Pods and Nodes: phases go one way, restarts wait, nodes hold no more than they have.
//!
//! Rules: `docs/semantics/kubelet.md` §4, §6; `docs/semantics/scheduler.md`.

use std::collections::BTreeMap;

use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::api::pod::{ContainerStatus, Pod, Toleration};
use batchyard::cluster::store::{Change, ChangeType};
use batchyard::values::quantity::Quantity;
use batchyard::values::time::{SimTime, Span};

use super::Law;
use super::world::World;

/// What may happen to one Pod.
#[derive(Default)]
pub struct Lives {
    /// How often each container came back, and when it last went.
    restarts: BTreeMap<(String, String), (i32, Option<SimTime>)>,
}

impl Law for Lives {
    fn see(&mut self, change: &Change, _world: &World, broken: &mut Vec<String>) {
        if change.kind() != Kind::Pod || change.change != ChangeType::Modified {
            return;
        }
        let Some(before) = &change.previous else { return };
        let (old, pod) = (before.pod(), change.object.pod());
        let mut fail =
            |text: String| broken.push(format!("Pod {} at {}: {text}", pod.metadata.name, change.at.rfc3339_micro()));
        let phases = (old.status.phase.as_str(), pod.status.phase.as_str());
        let allowed = phases.0 == phases.1 || matches!(phases, ("Pending", _) | ("Running", "Succeeded" | "Failed"));
        if !allowed {
            fail(format!("from {} to {}", phases.0, phases.1));
        }
        if !old.spec.node_name.is_empty() && old.spec.node_name != pod.spec.node_name {
            fail("it changed its node".to_owned());
        }
        // Whom its deadline, an eviction or the Pod GC ends is Failed before its containers are (recorded in
        // `pod-deadline-and-messages`).
        let ended_by_others = !old.status.reason.is_empty() || pod.condition("DisruptionTarget").is_some();
        if old.is_terminal() && !ended_by_others && old.status.container_statuses != pod.status.container_statuses {
            fail("a container of an ended Pod changed".to_owned());
        }
        if pod.is_ready()
            && !ended_by_others
            && (phases.1 != "Running" || !pod.status.container_statuses.iter().all(|c| c.ready))
        {
            fail("it is Ready without all its containers running".to_owned());
        }
        let ended_well = |c: &ContainerStatus| c.state.terminated.as_ref().is_some_and(|end| end.exit_code == 0);
        if phases.1 == "Succeeded" && !pod.status.container_statuses.iter().all(ended_well) {
            fail("it succeeded with a container that did not".to_owned());
        }
        if phases.1 == "Succeeded"
            && phases.0 != "Succeeded"
            && pod.spec.restart_policy == "Always"
            && !old.metadata.is_being_deleted()
        {
            fail("it succeeded, and is to be restarted for ever".to_owned());
        }
        for status in pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses) {
            self.see_container(pod, status, &mut fail);
        }
    }
}

impl Lives {
    fn see_container(&mut self, pod: &Pod, status: &ContainerStatus, fail: &mut dyn FnMut(String)) {
        let key = (pod.metadata.uid.to_string(), status.name.to_string());
        let (count, went) = self.restarts.entry(key).or_default();
        if status.restart_count < *count {
            fail(format!("{} came back {} times after {count}", status.name, status.restart_count));
        }
        let began = status.state.running.as_ref().and_then(|run| run.started_at);
        // What could not be started began in 1970 (recorded in `bad-command-and-oom`).
        let began = began
            .or(status.state.terminated.as_ref().and_then(|end| end.started_at))
            .filter(|began| *began > SimTime::EPOCH);
        let last_end = status.last_state.terminated.as_ref().and_then(|end| end.finished_at).max(*went);
        // Whom a probe kills is started in the same sync, before its end is known, so its back-off lags behind by one.
        let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
        let is_probed = containers.filter(|c| c.name == status.name).any(|c| c.liveness_probe.is_some());
        if status.restart_count > *count
            && !is_probed
            && let (Some(began), Some(last_end)) = (began, last_end)
        {
            // At once, then 10 s, doubled each time up to five minutes; written times are whole seconds.
            let nth = i64::from(status.restart_count);
            let wait = if nth < 2 { Span::ZERO } else { Span::secs((10_i64 << (nth - 2).min(10)).min(300)) };
            if began < last_end + wait - Span::secs(1) {
                fail(format!(
                    "{} came back for the {nth}th time {} s after its end",
                    status.name,
                    began.since(last_end).as_secs()
                ));
            }
        }
        *count = (*count).max(status.restart_count);
        *went = status.state.terminated.as_ref().and_then(|end| end.finished_at).max(*went);
    }
}

/// What a node may be given.
#[derive(Default)]
pub struct Capacity {
    /// When each node was last cordoned, tainted or freed of it.
    respecified: BTreeMap<String, SimTime>,
}

/// From the scheduler's choice to the binding.
const BINDING: Span = Span::ms(100);

impl Law for Capacity {
    fn see(&mut self, change: &Change, world: &World, broken: &mut Vec<String>) {
        let spec = |object: &batchyard::api::object::Object| object.value().at("spec").clone();
        let before = change.previous.as_deref().map(spec);
        if change.kind() == Kind::Node && before != Some(spec(&change.object)) {
            self.respecified.insert(change.object.name().to_owned(), change.at);
        }
        if change.kind() != Kind::Pod || change.change != ChangeType::Modified {
            return;
        }
        let pod = change.object.pod();
        let is_new = change.previous.as_ref().is_some_and(|before| before.pod().spec.node_name.is_empty());
        if !is_new || pod.spec.node_name.is_empty() {
            return;
        }
        let name = pod.spec.node_name.as_str();
        let mut fail = |text: String| broken.push(format!("Pod {} was bound to {name}: {text}", pod.metadata.name));
        let Some(node) = world.objects.get(&Key::new(Kind::Node, "", name)) else {
            return fail("there is no such node".to_owned());
        };
        let node = node.node();
        if pod.metadata.is_being_deleted() {
            fail("it was being deleted".to_owned());
        }
        let tolerated = |key: &str, value: &str, effect: &str| {
            pod.spec.tolerations.iter().any(|t| tolerates(t, key, value, effect))
        };
        let is_settled = self.respecified.get(name).is_none_or(|at| *at + BINDING < change.at);
        if is_settled && node.spec.unschedulable && !tolerated("node.kubernetes.io/unschedulable", "", "NoSchedule") {
            fail("it is cordoned".to_owned());
        }
        for taint in node.spec.taints.iter().filter(|taint| is_settled && taint.effect != "PreferNoSchedule") {
            if !tolerated(&taint.key, &taint.value, &taint.effect) {
                fail(format!("it has the taint {}:{}", taint.key, taint.effect));
            }
        }
        let here: Vec<&Pod> = world
            .list(Kind::Pod)
            .map(|pod| &**pod.pod())
            .filter(|p| p.spec.node_name == *name && !p.is_terminal())
            .collect();
        for resource in ["cpu", "memory"] {
            let asked: i64 = here.iter().map(|pod| requested(pod, resource)).sum();
            let has = node.status.allocatable.get(resource).map_or(0, |text| millis(text));
            if asked > has {
                fail(format!("{asked} of {resource} are asked for, and it has {has} thousandths"));
            }
        }
    }
}

fn millis(text: &str) -> i64 {
    Quantity::parse(text).map_or(0, Quantity::millis)
}

/// The larger of what its containers ask for together and what any init container does.
fn requested(pod: &Pod, resource: &str) -> i64 {
    let of = |container: &batchyard::api::pod::Container| {
        container.resources.requests.get(resource).map_or(0, |text| millis(text))
    };
    let sidecars: i64 = pod.spec.init_containers.iter().filter(|c| c.is_sidecar()).map(of).sum();
    let together: i64 = pod.spec.containers.iter().map(of).sum::<i64>() + sidecars;
    pod.spec.init_containers.iter().filter(|c| !c.is_sidecar()).map(of).fold(together, i64::max)
}

fn tolerates(toleration: &Toleration, key: &str, value: &str, effect: &str) -> bool {
    (toleration.effect.is_empty() || toleration.effect == effect)
        && (toleration.key == key || (toleration.key.is_empty() && toleration.operator == "Exists"))
        && (toleration.operator == "Exists" || toleration.value == value)
}
