//! Pods (`printPod`).

use super::cells::NONE;
use super::{Column, column, wide};
use crate::pod::{Container, ContainerState, ContainerStatus, Pod};
use values::human::{human_duration, since};
use values::time::SimTime;
use values::value::Text;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Ready"),
    column("Status"),
    column("Restarts"),
    column("Age"),
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];

pub fn row(pod: &Pod, now: SimTime) -> Vec<String> {
    let columns = pod_columns(pod);
    let restarts = match columns.last_restart.filter(|_| columns.restarts != 0) {
        Some(last) => format!("{} ({} ago)", columns.restarts, human_duration(now.since(last))),
        None => columns.restarts.to_string(),
    };
    let or_none = |text: &str| if text.is_empty() { NONE.to_owned() } else { text.to_owned() };
    vec![
        pod.metadata.name.to_string(),
        format!("{}/{}", columns.ready, columns.total),
        columns.status.to_string(),
        restarts,
        since(pod.metadata.creation_timestamp, now),
        or_none(pod.status.pod_ips.first().map_or("", |ip| &ip.ip)),
        or_none(&pod.spec.node_name),
        or_none(&pod.status.nominated_node_name),
        readiness_gates(pod),
    ]
}

/// `1/2`: how many of the gates are open.
fn readiness_gates(pod: &Pod) -> String {
    let gates = &pod.spec.readiness_gates;
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let open = |gate: &&values::value::Value| {
        let kind = gate.str_at("conditionType").unwrap_or_default();
        pod.condition(kind).is_some_and(|c| c.status == "True")
    };
    format!("{}/{}", gates.iter().filter(open).count(), gates.len())
}

/// The columns of one Pod that take more than a look at one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodColumns {
    pub ready: i32,
    pub total: usize,
    /// `Running`, `Init:0/2`, `CrashLoopBackOff` …
    pub status: Text,
    pub restarts: i32,
    /// When a container last ended before a restart, if that is known: the `(12s ago)` of RESTARTS.
    pub last_restart: Option<SimTime>,
}

/// Reads the columns off a Pod, as the API server does.
pub fn pod_columns(pod: &Pod) -> PodColumns {
    let sidecars = pod.spec.init_containers.iter().filter(|c| c.is_sidecar()).count();
    let mut columns = PodColumns {
        ready: 0,
        total: pod.spec.containers.len() + sidecars,
        status: phase_or_reason(pod),
        restarts: 0,
        last_restart: None,
    };
    let mut tally = Tally::default();
    let initializing = read_init_containers(pod, &mut columns, &mut tally);
    if !initializing || pod.condition("Initialized").is_some_and(|c| c.status == "True") {
        (columns.restarts, columns.last_restart) = (tally.sidecar_restarts, tally.sidecar_last);
        read_containers(pod, &mut columns);
    } else {
        (columns.restarts, columns.last_restart) = (tally.restarts, tally.last);
    }
    if pod.metadata.is_being_deleted() {
        if pod.status.reason == "NodeLost" {
            columns.status = Text::Known("Unknown");
        } else if !pod.is_terminal() {
            columns.status = Text::Known("Terminating");
        }
    }
    columns
}

/// Restarts of all init containers, and of the sidecars among them.
#[derive(Default)]
struct Tally {
    restarts: i32,
    last: Option<SimTime>,
    sidecar_restarts: i32,
    sidecar_last: Option<SimTime>,
}

fn phase_or_reason(pod: &Pod) -> Text {
    if pod.condition("PodScheduled").is_some_and(|c| c.reason == "SchedulingGated") {
        return Text::Known("SchedulingGated");
    }
    let status = &pod.status;
    if status.reason.is_empty() { status.phase.clone() } else { status.reason.clone() }
}

/// True if an init container is not done yet; then the status is its.
fn read_init_containers(pod: &Pod, columns: &mut PodColumns, tally: &mut Tally) -> bool {
    let sidecar = |name: &str| pod.spec.init_containers.iter().any(|c: &Container| c.name == name && c.is_sidecar());
    for (i, container) in pod.status.init_container_statuses.iter().enumerate() {
        tally.restarts += container.restart_count;
        tally.last = tally.last.max(last_end(container));
        let is_sidecar = sidecar(&container.name);
        if is_sidecar {
            tally.sidecar_restarts += container.restart_count;
            tally.sidecar_last = tally.sidecar_last.max(last_end(container));
        }
        let state = &container.state;
        if state.terminated.as_ref().is_some_and(|t| t.exit_code == 0) {
            continue;
        }
        if is_sidecar && container.started == Some(true) {
            columns.ready += i32::from(container.ready);
            continue;
        }
        columns.status = match (&state.terminated, waiting_reason(state)) {
            (Some(_), _) => format!("Init:{}", ended_word(state)).into(),
            (None, Some(reason)) if *reason != "PodInitializing" => format!("Init:{reason}").into(),
            _ => format!("Init:{i}/{}", pod.spec.init_containers.len()).into(),
        };
        return true;
    }
    false
}

/// The first container with something to say gives the status; that is why they are read backwards.
fn read_containers(pod: &Pod, columns: &mut PodColumns) {
    let mut running = false;
    let mut failed_word = None;
    for container in pod.status.container_statuses.iter().rev() {
        columns.restarts += container.restart_count;
        columns.last_restart = columns.last_restart.max(last_end(container));
        let state = &container.state;
        if let Some(reason) = waiting_reason(state) {
            columns.status = reason.clone();
        } else if let Some(ended) = &state.terminated {
            columns.status = ended_word(state);
            if ended.exit_code != 0 {
                failed_word = Some(columns.status.clone());
            }
        } else if container.ready && state.running.is_some() {
            running = true;
            columns.ready += 1;
        }
    }
    if columns.status == "Completed" {
        if running && pod.is_ready() {
            columns.status = Text::Known("Running");
        } else if let Some(word) = failed_word {
            columns.status = word;
        } else if running {
            columns.status = Text::Known("NotReady");
        }
    }
}

fn waiting_reason(state: &ContainerState) -> Option<&Text> {
    state.waiting.as_ref().map(|w| &w.reason).filter(|reason| !reason.is_empty())
}

/// `Completed`, `Error`, `Signal:9`, `ExitCode:3`.
fn ended_word(state: &ContainerState) -> Text {
    let Some(ended) = &state.terminated else { return Text::default() };
    if !ended.reason.is_empty() {
        ended.reason.clone()
    } else if ended.signal != 0 {
        format!("Signal:{}", ended.signal).into()
    } else {
        format!("ExitCode:{}", ended.exit_code).into()
    }
}

fn last_end(container: &ContainerStatus) -> Option<SimTime> {
    container.last_state.terminated.as_ref().and_then(|t| t.finished_at)
}
