//! A Pod's conditions as the kubelet writes them: pure rules over the spec and the container statuses.
//!
//! Rules: `docs/semantics/kubelet.md` §7, tables in `tests/cases/kubelet_cases.json`. Source: `pkg/kubelet/status/generate.go`.

use api::pod::{ContainerStatus, PodCondition, PodSpec};
use values::value::Text;

/// A condition without its times.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Finding {
    pub holds: bool,
    pub reason: Text,
    pub message: Text,
}

impl Finding {
    fn yes(reason: &'static str) -> Finding {
        Finding { holds: true, reason: Text::Known(reason), message: Text::default() }
    }

    fn no(reason: &'static str, message: String) -> Finding {
        let message = if message.is_empty() { Text::default() } else { message.into() };
        Finding { holds: false, reason: Text::Known(reason), message }
    }
}

fn status_of<'s>(statuses: &'s [ContainerStatus], name: &str) -> Option<&'s ContainerStatus> {
    statuses.iter().find(|status| status.name == name)
}

/// `ContainersReady`.
pub fn containers_ready(spec: &PodSpec, statuses: Option<&[ContainerStatus]>, phase: &str) -> Finding {
    let Some(statuses) = statuses else { return Finding::no("UnknownContainerStatuses", String::new()) };
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    let sidecars = spec.init_containers.iter().filter(|c| c.is_sidecar());
    for container in sidecars.chain(&spec.containers) {
        match status_of(statuses, &container.name) {
            Some(status) if status.ready => {}
            Some(_) => unready.push(container.name.as_str()),
            None => unknown.push(container.name.as_str()),
        }
    }
    let any_main = spec.containers.iter().any(|c| unknown.contains(&c.name.as_str()));
    match phase {
        "Succeeded" if !any_main => return Finding::no("PodCompleted", String::new()),
        "Failed" => return Finding::no("PodFailed", String::new()),
        _ => {}
    }
    let mut parts = Vec::new();
    if !unknown.is_empty() {
        parts.push(format!("containers with unknown status: [{}]", unknown.join(" ")));
    }
    if !unready.is_empty() {
        parts.push(format!("containers with unready status: [{}]", unready.join(" ")));
    }
    if parts.is_empty() { Finding::yes("") } else { Finding::no("ContainersNotReady", parts.join(", ")) }
}

/// `Ready`: the containers and the readiness gates.
pub fn pod_ready(
    spec: &PodSpec,
    conditions: &[PodCondition],
    statuses: Option<&[ContainerStatus]>,
    phase: &str,
) -> Finding {
    let containers = containers_ready(spec, statuses, phase);
    if !containers.holds {
        return containers;
    }
    let mut complaints = Vec::new();
    for gate in spec.readiness_gates.iter().filter_map(|gate| gate.str_at("conditionType")) {
        match conditions.iter().find(|c| c.kind == gate) {
            None => complaints.push(format!("corresponding condition of pod readiness gate {gate:?} does not exist.")),
            Some(condition) if condition.status != "True" => complaints
                .push(format!("the status of pod readiness gate {gate:?} is not \"True\", but {}", condition.status)),
            Some(_) => {}
        }
    }
    if complaints.is_empty() { Finding::yes("") } else { Finding::no("ReadinessGatesNotReady", complaints.join(", ")) }
}

/// `Initialized`.
pub fn initialized(spec: &PodSpec, statuses: Option<&[ContainerStatus]>, phase: &str) -> Finding {
    if statuses.is_none() && !spec.init_containers.is_empty() {
        return Finding::no("UnknownContainerStatuses", String::new());
    }
    let statuses = statuses.unwrap_or(&[]);
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in &spec.init_containers {
        let name = container.name.as_str();
        match status_of(statuses, name) {
            None => unknown.push(name),
            Some(status) if container.is_sidecar() => {
                if status.started != Some(true) {
                    incomplete.push(name);
                }
            }
            Some(status) => {
                if !status.ready {
                    incomplete.push(name);
                }
            }
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return Finding::yes("PodCompleted");
    }
    // Once an app container has run, initialisation was done, whatever became of the sandbox since.
    let has_run = spec.containers.iter().filter_map(|c| status_of(statuses, &c.name)).any(|status| {
        status.state.running.is_some() || status.state.terminated.is_some() || status.last_state.terminated.is_some()
    });
    if has_run {
        return Finding::yes("");
    }
    let mut parts = Vec::new();
    if !unknown.is_empty() {
        parts.push(format!("containers with unknown status: [{}]", unknown.join(" ")));
    }
    if !incomplete.is_empty() {
        parts.push(format!("containers with incomplete status: [{}]", incomplete.join(" ")));
    }
    if parts.is_empty() { Finding::yes("") } else { Finding::no("ContainersNotInitialized", parts.join(", ")) }
}
