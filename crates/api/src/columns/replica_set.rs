//! ReplicaSets (`printReplicaSet`).

use super::cells::{age, containers, count, label_selector, name};
use super::{Column, column, wide};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Desired"),
    column("Current"),
    column("Ready"),
    column("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let [containers, images] = containers(value.at("spec.template"));
    vec![
        name(value),
        count(value, "spec.replicas"),
        count(value, "status.replicas"),
        count(value, "status.readyReplicas"),
        age(value, now),
        containers,
        images,
        label_selector(value.at("spec.selector")),
    ]
}
