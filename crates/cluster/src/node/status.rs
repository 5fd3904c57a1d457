//! A Pod's status as the kubelet computes it from what it has read of the runtime.
//!
//! Rules: `docs/semantics/kubelet.md` §3, §6, §7. The order of the writes, and that a reason found by one sync is shown
//! by the next, follow from when this is called (`sync.rs`). Source: `pkg/kubelet/kubelet_pods.go`
//! (`generateAPIPodStatus`, `convertToAPIContainerStatuses`), `pkg/kubelet/status/status_manager.go`
//! (`mergePodStatus`).

use crate::node::conditions::{self, Finding};
use crate::node::phase::{AfterExit, after_exit, phase};
use crate::node::worker::{EndReason, EndStep, Ended, Run, Sandbox, Seen, Slot, WantedStatus, Worker};
use api::pod::{
    ContainerState, ContainerStatus, PodCondition, PodIp, PodStatus, StateRunning, StateTerminated, StateWaiting,
};
use values::object;
use values::sort::sort_by;
use values::time::SimTime;
use values::value::{Map, Text, Value};

/// What the kernel reports for a memory limit that is not set (cgroup v1), as recorded.
const NO_MEMORY_LIMIT: &str = "9007199254740988Ki";

/// The kubelet's own conditions, in the order in which it writes them.
const OWN_CONDITIONS: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

impl Worker {
    /// The status as of now.
    pub fn status(&self, now: SimTime, host_ip: &Text) -> WantedStatus {
        let object = &self.object;
        let pod = object.pod();
        let mut statuses: Vec<ContainerStatus> =
            (0..self.slots.len()).map(|slot| self.container_status(slot)).collect();
        let finished = self.ending.as_ref().is_some_and(|e| matches!(e.step, EndStep::CleanUp | EndStep::Done));
        let killed_off = self.ending.as_ref().is_some_and(|e| e.step == EndStep::LastStatus);
        let terminal = finished || killed_off;
        let before = phase(&pod.spec, &statuses, terminal, self.initialized);
        let failing = self.ending.as_ref().is_some_and(|e| matches!(e.why, EndReason::Failed { .. }));
        let conditions = self.conditions(&statuses, if failing { "Failed" } else { before }, now);
        // Conditions are found before what was never seen again is written off (recorded in `image-pull-fail`).
        self.write_off(&mut statuses);
        let computed = phase(&pod.spec, &statuses, terminal, self.initialized);
        let own_end = self.ending.as_ref().map(|e| &e.why);
        // A Pod that ended by itself keeps its phase until all is cleaned up; one that was told to end shows it as soon as its containers have stopped.
        let keeps_phase = match own_end {
            Some(EndReason::Completed) => !finished,
            Some(_) => !terminal,
            None => matches!(computed, "Succeeded" | "Failed"),
        };
        let final_phase = if failing { "Failed" } else { computed };
        let phase = if pod.is_terminal() {
            // Nobody leaves it: the Pod GC may have failed a Pod whose containers still run here.
            pod.status.phase.clone()
        } else if keeps_phase && matches!(final_phase, "Succeeded" | "Failed") {
            pod.status.phase.clone()
        } else {
            Text::Known(final_phase)
        };
        let mut status = PodStatus {
            observed_generation: pod.metadata.generation,
            phase,
            host_ip: host_ip.clone(),
            host_ips: vec![PodIp { ip: host_ip.clone() }],
            start_time: Some(self.start_time),
            qos_class: pod.status.qos_class.clone(),
            nominated_node_name: pod.status.nominated_node_name.clone(),
            ..PodStatus::default()
        };
        if !matches!(self.sandbox, Sandbox::None | Sandbox::Unseen) && !self.ip.is_empty() {
            status.pod_ip = self.ip.clone();
            status.pod_ips = vec![PodIp { ip: self.ip.clone() }];
        }
        if let Some(EndReason::Failed { reason, message }) = own_end.filter(|_| terminal) {
            status.reason = reason.clone();
            status.message = message.clone();
        }
        let mut tree = Value::encode(&status);
        let main = statuses.split_off(pod.spec.init_containers.len());
        let mut main: Vec<(usize, ContainerStatus)> = (statuses.len()..).zip(main).collect();
        sort_by(&mut main, |a, b| a.1.name.cmp(&b.1.name));
        let init: Vec<(usize, ContainerStatus)> = statuses.into_iter().enumerate().collect();
        for (field, list) in [
            ("conditions", self.condition_trees(&conditions)),
            (
                "containerStatuses",
                self.container_trees("status.containerStatuses", &pod.status.container_statuses, &main),
            ),
            (
                "initContainerStatuses",
                self.container_trees("status.initContainerStatuses", &pod.status.init_container_statuses, &init),
            ),
        ] {
            if !list.is_empty() {
                tree.set(field, list);
            }
        }
        status.conditions = conditions;
        status.container_statuses = main.into_iter().map(|(_, status)| status).collect();
        status.init_container_statuses = init.into_iter().map(|(_, status)| status).collect();
        self.add_resources(&mut tree);
        // What others wrote into the status stays.
        for field in ["resize", "ephemeralContainerStatuses", "resourceClaimStatuses"] {
            let kept = object.value().at("status").at(field);
            if !kept.is_null() {
                tree.set(field, kept.clone());
            }
        }
        WantedStatus { typed: status, tree }
    }

    /// The conditions as trees. Those of the kubelet that are as before are taken over from the Pod as it stands.
    fn condition_trees(&self, conditions: &[PodCondition]) -> Vec<Value> {
        let (typed, trees) = (&self.pod().status.conditions, self.object.value().list_at("status.conditions"));
        let own = typed.iter().zip(trees).filter(|(old, _)| OWN_CONDITIONS.contains(&old.kind.as_str()));
        let known = |new: &PodCondition| own.clone().find(|(old, _)| *old == new).map(|(_, tree)| tree.clone());
        conditions.iter().map(|new| known(new).unwrap_or_else(|| Value::encode(new))).collect()
    }

    /// Statuses of containers, with their slots, as trees. Those that are as before are taken over from the list at `path`
    /// of the Pod as it stands: what a tree has beyond the status follows from the spec and from whether there is a run.
    fn container_trees(&self, path: &str, old: &[ContainerStatus], new: &[(usize, ContainerStatus)]) -> Vec<Value> {
        let old = old.iter().zip(self.object.value().list_at(path));
        let tree = |(slot, status): &(usize, ContainerStatus)| {
            let known = old.clone().find(|(old, _)| *old == status).map(|(_, tree)| tree.clone());
            known.unwrap_or_else(|| self.container_tree(*slot, status))
        };
        new.iter().map(tree).collect()
    }

    fn container_tree(&self, slot: usize, status: &ContainerStatus) -> Value {
        let container = self.spec_of(slot);
        let mut value = Value::encode(status);
        let map = value.map_mut();
        if !container.volume_mounts.is_empty() {
            map.insert(Text::Known("volumeMounts"), volume_mounts(container));
        }
        if let Some(run) = self.slots[slot].seen_run() {
            let ids = i64::from(run.user);
            let linux = object! { "gid" => ids, "supplementalGroups" => vec![Value::Int(ids)], "uid" => ids };
            map.insert(Text::Known("user"), object! { "linux" => linux });
            map.insert(Text::Known("resources"), resources_value(container));
            if !container.resources.requests.is_empty() {
                map.insert(Text::Known("allocatedResources"), string_map(&container.resources.requests));
            }
        }
        value
    }

    fn conditions(&self, statuses: &[ContainerStatus], phase: &str, now: SimTime) -> Vec<PodCondition> {
        let pod = self.object.pod();
        let old = &pod.status.conditions;
        let sandbox = matches!(self.sandbox, Sandbox::Unseen | Sandbox::Ready);
        let findings = [
            Finding { holds: sandbox, ..Finding::default() },
            conditions::initialized(&pod.spec, Some(statuses), phase),
            conditions::pod_ready(&pod.spec, old, Some(statuses), phase),
            conditions::containers_ready(&pod.spec, Some(statuses), phase),
            Finding { holds: true, ..Finding::default() },
        ];
        let foreign = old.iter().filter(|c| !OWN_CONDITIONS.contains(&c.kind.as_str())).cloned();
        let own = OWN_CONDITIONS.iter().zip(findings).map(|(kind, finding)| {
            let text = if finding.holds { "True" } else { "False" };
            let before = old.iter().find(|c| c.kind == *kind);
            let since = before.filter(|c| c.status == text).and_then(|c| c.last_transition_time);
            PodCondition {
                kind: Text::Known(kind),
                observed_generation: pod.metadata.generation,
                status: Text::Known(text),
                last_probe_time: None,
                last_transition_time: Some(since.unwrap_or(now.whole_second())),
                reason: finding.reason,
                message: finding.message,
            }
        });
        foreign.chain(own).collect()
    }

    /// `status.resources` and `status.allocatedResources`: the sums over the containers.
    fn add_resources(&self, value: &mut Value) {
        let spec = &self.object.pod().spec;
        let total = |limits: bool| {
            let mut sums = Map::new();
            for name in ["cpu", "memory"] {
                let amounts = spec.containers.iter().filter_map(|c| {
                    let list = if limits { &c.resources.limits } else { &c.resources.requests };
                    values::quantity::Quantity::parse(list.get(name)?).ok()
                });
                if let Some(sum) = amounts.reduce(|a, b| a.plus(b)) {
                    sums.insert(name, sum.to_string());
                }
            }
            sums
        };
        let (requests, limits) = (total(false), total(true));
        let mut resources = Map::new();
        if !requests.is_empty() {
            value.set("allocatedResources", requests.clone());
            resources.insert("requests", requests);
        }
        if !limits.is_empty() {
            resources.insert("limits", limits);
        } else if self.measured {
            resources.insert("limits", object! { "memory" => Text::Known(NO_MEMORY_LIMIT) });
        }
        value.set("resources", resources);
    }

    fn container_status(&self, slot_index: usize) -> ContainerStatus {
        let slot = &self.slots[slot_index];
        let container = self.spec_of(slot_index);
        let pod = self.object.pod();
        let default_reason = if pod.spec.init_containers.is_empty() { "ContainerCreating" } else { "PodInitializing" };
        let mut status = ContainerStatus {
            name: slot.name.clone(),
            image: container.image.clone(),
            started: Some(false),
            ..ContainerStatus::default()
        };
        let seen: Vec<&Run> = slot.runs.iter().rev().filter(|run| run.seen != Seen::Nothing).collect();
        match seen.first() {
            None => {
                status.state.waiting =
                    Some(StateWaiting { reason: Text::Known(default_reason), ..StateWaiting::default() })
            }
            Some(run) => {
                status.restart_count = run.restart_count;
                status.container_id = run.container_id.clone();
                status.image = slot.image_name.clone();
                status.image_id = slot.image_id.clone();
                status.state = state_of(run);
                self.set_readiness(slot, run, &mut status);
            }
        }
        let before = seen.get(1).and_then(|run| run.ended.as_ref().map(|ended| (run, ended)));
        if let Some((run, ended)) = before {
            status.last_state.terminated = Some(terminated(run, ended));
        }
        self.show_reason(slot, slot_index, &mut status);
        status
    }

    fn set_readiness(&self, slot: &Slot, run: &Run, status: &mut ContainerStatus) {
        match &status.state {
            ContainerState { running: Some(_), .. } => {
                status.started = Some(run.started);
                status.ready = run.started && run.ready && (!slot.init || slot.sidecar);
            }
            ContainerState { terminated: Some(ended), .. } => {
                status.ready = slot.init && !slot.sidecar && ended.exit_code == 0;
            }
            _ => {}
        }
    }

    /// A container that was still waiting when its Pod was told to end has no end of its own. Containers that never had
    /// their turn, because the init containers before them did not come through, wait for ever (`TerminatePod`,
    /// `hasPodInitialized` and `initializedContainers` of `pkg/kubelet/status/status_manager.go`).
    fn write_off(&self, statuses: &mut [ContainerStatus]) {
        let finished = self.ending.as_ref().is_some_and(|e| matches!(e.step, EndStep::CleanUp | EndStep::Done));
        let told = self.ending.as_ref().is_some_and(|e| e.why != EndReason::Completed);
        if !finished || !told {
            return;
        }
        let (init, main) = statuses.split_at_mut(self.pod().spec.init_containers.len());
        let moved = |status: &ContainerStatus| status.state.waiting.is_none() || status.last_state.terminated.is_some();
        let passed = |status: &ContainerStatus| {
            let ends = [&status.state.terminated, &status.last_state.terminated];
            ends.into_iter().flatten().any(|end| end.exit_code == 0)
        };
        let initialized = main.iter().any(moved) || init.last().is_none_or(passed);
        let tried = init.iter().rposition(moved).map_or(1, |last| last + 1).min(init.len());
        let lost = init[..tried].iter_mut().chain(main.iter_mut().filter(|_| initialized));
        for status in lost.filter(|status| status.state.terminated.is_none()) {
            status.state = ContainerState {
                terminated: Some(StateTerminated {
                    exit_code: 137,
                    reason: Text::Known("ContainerStatusUnknown"),
                    message: Text::Known("The container could not be located when the pod was terminated"),
                    ..StateTerminated::default()
                }),
                ..ContainerState::default()
            };
        }
    }

    /// A container that is to start (again) shows what the last sync found in its way.
    fn show_reason(&self, slot: &Slot, slot_index: usize, status: &mut ContainerStatus) {
        let Some(found) = slot.reason.as_ref().filter(|_| self.ending.is_none()) else { return };
        if status.state.running.is_some() || !self.may_start(slot_index, status) {
            return;
        }
        if let Some(ended) = status.state.terminated.take() {
            status.last_state = ContainerState { terminated: Some(ended), ..ContainerState::default() };
        }
        status.state.waiting = Some(StateWaiting { reason: found.reason.clone(), message: found.message.clone() });
        status.ready = false;
    }

    fn may_start(&self, slot_index: usize, status: &ContainerStatus) -> bool {
        let spec = &self.object.pod().spec;
        status
            .state
            .terminated
            .as_ref()
            .is_none_or(|t| after_exit(spec, self.spec_of(slot_index), t.exit_code) != AfterExit::Stay)
    }
}

fn state_of(run: &Run) -> ContainerState {
    match (&run.ended, run.seen) {
        (Some(ended), Seen::Ended) => {
            ContainerState { terminated: Some(terminated(run, ended)), ..ContainerState::default() }
        }
        _ => ContainerState {
            running: Some(StateRunning { started_at: Some(run.started_at.whole_second()) }),
            ..ContainerState::default()
        },
    }
}

fn terminated(run: &Run, ended: &Ended) -> StateTerminated {
    let started = if ended.never_started { SimTime::EPOCH } else { run.started_at.whole_second() };
    StateTerminated {
        exit_code: ended.exit_code,
        signal: 0,
        reason: ended.reason.clone(),
        message: ended.message.clone(),
        started_at: Some(started),
        finished_at: Some(ended.at.whole_second()),
        container_id: run.container_id.clone(),
    }
}

fn volume_mounts(container: &api::pod::Container) -> Value {
    Value::list(container.volume_mounts.iter().map(|mount| {
        let mut value = object! { "mountPath" => &mount.mount_path, "name" => &mount.name };
        if mount.read_only {
            value.set("readOnly", true);
            value.set("recursiveReadOnly", Text::Known("Disabled"));
        }
        value
    }))
}

fn string_map(map: &api::meta::StringMap) -> Value {
    Value::from(map.iter().map(|(k, v)| (k.clone(), v)).collect::<Map>())
}

fn resources_value(container: &api::pod::Container) -> Value {
    let mut value = Value::map();
    for (name, list) in [("limits", &container.resources.limits), ("requests", &container.resources.requests)] {
        if !list.is_empty() {
            value.set(name, string_map(list));
        }
    }
    value
}
