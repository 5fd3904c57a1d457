//! Deployments (`printDeployment`).

use super::cells::{age, containers, count, label_selector, name};
use super::{Column, column, wide};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Ready"),
    column("Up-to-date"),
    column("Available"),
    column("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let [containers, images] = containers(value.at("spec.template"));
    vec![
        name(value),
        format!("{}/{}", count(value, "status.readyReplicas"), count(value, "spec.replicas")),
        count(value, "status.updatedReplicas"),
        count(value, "status.availableReplicas"),
        age(value, now),
        containers,
        images,
        label_selector(value.at("spec.selector")),
    ]
}
