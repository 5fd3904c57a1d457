//! A Pod's phase and whether its containers start again: pure rules over the spec and the container statuses.
//!
//! Rules: `docs/semantics/kubelet.md` §4 to §6, tables in `tests/cases/kubelet_cases.json`. Source:
//! `pkg/kubelet/kubelet_pods.go` (`getPhase`), `pkg/api/v1/pod/util.go` (`ContainerShouldRestart`,
//! `AllContainersCouldRestart`).

use api::pod::{Container, ContainerStatus, PodSpec, RestartRule, StateTerminated};

/// What happens after a container has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterExit {
    Stay,
    Restart,
    /// The whole Pod starts anew in place.
    RestartAll,
}

/// The first of the container's rules that names this exit code.
pub fn matching_rule(container: &Container, exit_code: i32) -> Option<&RestartRule> {
    container.restart_policy_rules.iter().find(|rule| {
        rule.exit_codes.as_ref().is_some_and(|codes| match codes.operator.as_str() {
            "In" => codes.values.contains(&exit_code),
            "NotIn" => !codes.values.contains(&exit_code),
            _ => false,
        })
    })
}

/// Whether a container that ended with this code starts again: by its rules, else its own policy, else the Pod's.
pub fn after_exit(spec: &PodSpec, container: &Container, exit_code: i32) -> AfterExit {
    if let Some(rule) = matching_rule(container, exit_code) {
        return if rule.action == "RestartAllContainers" { AfterExit::RestartAll } else { AfterExit::Restart };
    }
    let is_init = spec.init_containers.iter().any(|c| c.name == container.name);
    let policy = match container.restart_policy.as_deref() {
        Some(own) => own,
        // A Pod that always restarts its containers still runs an init container only until it has succeeded.
        None if is_init && spec.restart_policy == "Always" => "OnFailure",
        None => spec.restart_policy.as_str(),
    };
    match policy {
        "Never" => AfterExit::Stay,
        "OnFailure" if exit_code == 0 => AfterExit::Stay,
        _ => AfterExit::Restart,
    }
}

fn restarts(spec: &PodSpec, container: &Container, exit_code: i32) -> bool {
    after_exit(spec, container, exit_code) != AfterExit::Stay
}

fn status_of<'s>(statuses: &'s [ContainerStatus], name: &str) -> Option<&'s ContainerStatus> {
    statuses.iter().find(|status| status.name == name)
}

/// Whether a container was taken away because all containers of its Pod start anew.
fn is_restarting_all(ended: &StateTerminated) -> bool {
    ended.reason == "RestartingAllContainers"
}

/// What keeps initialisation from being done.
#[derive(Default)]
struct InitTally {
    /// Not yet run, or running, or to be run again.
    pending: usize,
    /// Sidecars that have not yet started.
    pending_sidecars: usize,
    running_sidecars: usize,
    /// Ended badly and not to be run again.
    failed: usize,
}

#[derive(Default)]
struct Tally {
    unknown: usize,
    running: usize,
    waiting: usize,
    stopped: usize,
    succeeded: usize,
    /// Stopped ones that will start again.
    restartable: usize,
}

/// The phase of a Pod. `terminal`: the kubelet has finished ending it. `initialized`: its initialisation was once done.
pub fn phase(spec: &PodSpec, statuses: &[ContainerStatus], terminal: bool, initialized: bool) -> &'static str {
    let init = tally_init(spec, statuses, initialized);
    let main = tally(spec, statuses);
    if init.failed > 0 {
        return "Failed";
    }
    if init.pending > 0 || (init.pending_sidecars > 0 && !initialized) || main.waiting > 0 || main.unknown > 0 {
        return "Pending";
    }
    if main.running > 0 {
        return "Running";
    }
    if main.stopped == 0 {
        return "Pending";
    }
    let ended = if main.stopped == main.succeeded { "Succeeded" } else { "Failed" };
    // Sidecars still have to be stopped: the Pod is not over yet.
    if !terminal && (main.restartable > 0 || init.running_sidecars > 0) { "Running" } else { ended }
}

fn tally_init(spec: &PodSpec, statuses: &[ContainerStatus], initialized: bool) -> InitTally {
    let mut tally = InitTally::default();
    for container in &spec.init_containers {
        let status = status_of(statuses, &container.name);
        if container.is_sidecar() {
            let started = status.is_some_and(|s| match (&s.state.running, &s.state.terminated) {
                (Some(_), _) => s.started == Some(true) || initialized,
                (None, Some(_)) => true,
                (None, None) => s.last_state.terminated.is_some(),
            });
            tally.pending_sidecars += usize::from(!started);
            tally.running_sidecars += usize::from(status.is_some_and(|s| s.state.running.is_some()));
            continue;
        }
        let ended = status.and_then(|s| s.state.terminated.as_ref().or(last_ended(s)));
        match ended {
            Some(t) if t.exit_code == 0 => {}
            Some(t) if !restarts(spec, container, t.exit_code) && !is_restarting_all(t) => tally.failed += 1,
            _ => tally.pending += 1,
        }
    }
    tally
}

/// How a waiting container ended before.
fn last_ended(status: &ContainerStatus) -> Option<&StateTerminated> {
    status.state.running.is_none().then_some(status.last_state.terminated.as_ref()).flatten()
}

fn tally(spec: &PodSpec, statuses: &[ContainerStatus]) -> Tally {
    let mut tally = Tally::default();
    for container in &spec.containers {
        let Some(status) = status_of(statuses, &container.name) else {
            tally.unknown += 1;
            continue;
        };
        if status.state.running.is_some() {
            tally.running += 1;
        } else if let Some(ended) = &status.state.terminated {
            tally.stopped += 1;
            tally.succeeded += usize::from(ended.exit_code == 0);
            tally.restartable += usize::from(restarts(spec, container, ended.exit_code));
        } else if status.state.waiting.is_some() {
            match last_ended(status) {
                Some(ended) => {
                    tally.stopped += 1;
                    let again = restarts(spec, container, ended.exit_code) || is_restarting_all(ended);
                    tally.restartable += usize::from(again);
                }
                None => tally.waiting += 1,
            }
        } else {
            tally.unknown += 1;
        }
    }
    tally
}
