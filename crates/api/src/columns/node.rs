//! Nodes (`printNode`).

use super::cells::{NONE, age, name, text, text_or};
use super::{Column, column, wide};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Status"),
    column("Roles"),
    column("Age"),
    column("Version"),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
];

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let roles = node_roles(value);
    let mut kernel = text_or(value, "status.nodeInfo.kernelVersion", "<unknown>");
    if let Some(architecture) = value.str_at("status.nodeInfo.architecture").filter(|a| !a.is_empty()) {
        kernel = format!("{kernel} ({architecture})");
    }
    vec![
        name(value),
        node_status(value),
        if roles.is_empty() { NONE.to_owned() } else { roles.join(",") },
        age(value, now),
        text(value, "status.nodeInfo.kubeletVersion"),
        address(value, "InternalIP"),
        address(value, "ExternalIP"),
        text_or(value, "status.nodeInfo.osImage", "<unknown>"),
        kernel,
        text_or(value, "status.nodeInfo.containerRuntimeVersion", "<unknown>"),
    ]
}

/// `Ready`, `NotReady` or `Unknown`, with `,SchedulingDisabled` if it is cordoned.
pub fn node_status(value: &Value) -> String {
    let ready = value.list_at("status.conditions").iter().rfind(|c| c.str_at("type") == Some("Ready"));
    let word = match ready.and_then(|c| c.str_at("status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if value.bool_at("spec.unschedulable") == Some(true) { ",SchedulingDisabled" } else { "" };
    format!("{word}{cordoned}")
}

/// The roles its labels give a node, sorted.
pub fn node_roles(value: &Value) -> Vec<String> {
    let labels = value.map_at("metadata.labels").into_iter().flat_map(|labels| labels.iter());
    let mut roles: Vec<String> = labels
        .filter_map(|(key, value)| match key.strip_prefix(ROLE_PREFIX) {
            Some(role) if !role.is_empty() => Some(role.to_owned()),
            None if key == "kubernetes.io/role" => value.as_str().filter(|v| !v.is_empty()).map(str::to_owned),
            _ => None,
        })
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

fn address(value: &Value, kind: &str) -> String {
    let addresses = value.list_at("status.addresses").iter();
    let found = addresses.filter(|a| a.str_at("type") == Some(kind)).find_map(|a| a.str_at("address"));
    found.unwrap_or(NONE).to_owned()
}
