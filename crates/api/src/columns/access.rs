//! Kinds that stand beside Jobs: access rules, budgets, classes, and those that are only kept (`printRole`,
//! `printRoleBinding`, `printPodDisruptionBudget`, `printStorageClass`, `printDaemonSet`, `printStatefulSet` …).
//!
//! Each table is the names of its columns and, for each, where its text stands.

use super::cells::{NONE, age, containers, count, label_selector, map, name, text, text_or};
use super::{Column, column, wide};
use crate::kind::Kind;
use values::time::SimTime;
use values::value::Value;

/// What a cell shows.
#[derive(Clone, Copy)]
enum Cell {
    Name,
    Age,
    /// The moment of creation as the API writes it.
    Created,
    /// The text at a path.
    Text(&'static str),
    /// The text at a path, or something else.
    Or(&'static str, &'static str),
    Count(&'static str),
    /// How many entries there are.
    Length(&'static str),
    Bool(&'static str),
    Selector(&'static str),
    Labels(&'static str),
    Containers,
    Images,
    /// A number or a percentage; `N/A` without one.
    Amount(&'static str),
    With(fn(&Value) -> String),
}

use Cell::{Age, Amount, Bool, Containers, Count, Created, Images, Labels, Length, Name, Or, Selector, Text, With};

struct Table {
    columns: &'static [Column],
    cells: &'static [Cell],
}

const NAME: Column = column("Name");
const AGE: Column = column("Age");

static NAME_AND_AGE: Table = Table { columns: &[NAME, AGE], cells: &[Name, Age] };
static NAME_AND_CREATION: Table = Table { columns: &[NAME, column("Created At")], cells: &[Name, Created] };
static BINDING: Table = Table {
    columns: &[NAME, column("Role"), AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")],
    cells: &[
        Name,
        With(|v| format!("{}/{}", text(v, "roleRef.kind"), text(v, "roleRef.name"))),
        Age,
        With(|v| subjects(v, "User")),
        With(|v| subjects(v, "Group")),
        With(|v| subjects(v, "ServiceAccount")),
    ],
};
static BUDGET: Table = Table {
    columns: &[NAME, column("Min Available"), column("Max Unavailable"), column("Allowed Disruptions"), AGE],
    cells: &[Name, Amount("spec.minAvailable"), Amount("spec.maxUnavailable"), Count("status.disruptionsAllowed"), Age],
};
static STORAGE_CLASS: Table = Table {
    columns: &[
        NAME,
        column("Provisioner"),
        column("ReclaimPolicy"),
        column("VolumeBindingMode"),
        column("AllowVolumeExpansion"),
        AGE,
    ],
    cells: &[
        With(class_name),
        Text("provisioner"),
        Or("reclaimPolicy", "Delete"),
        Or("volumeBindingMode", "Immediate"),
        Bool("allowVolumeExpansion"),
        Age,
    ],
};
static DAEMON_SET: Table = Table {
    columns: &[
        NAME,
        column("Desired"),
        column("Current"),
        column("Ready"),
        column("Up-to-date"),
        column("Available"),
        column("Node Selector"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: &[
        Name,
        Count("status.desiredNumberScheduled"),
        Count("status.currentNumberScheduled"),
        Count("status.numberReady"),
        Count("status.updatedNumberScheduled"),
        Count("status.numberAvailable"),
        Labels("spec.template.spec.nodeSelector"),
        Age,
        Containers,
        Images,
        Selector("spec.selector"),
    ],
};
static STATEFUL_SET: Table = Table {
    columns: &[NAME, column("Ready"), AGE, wide("Containers"), wide("Images")],
    cells: &[
        Name,
        With(|v| format!("{}/{}", count(v, "status.readyReplicas"), count(v, "spec.replicas"))),
        Age,
        Containers,
        Images,
    ],
};
static REPLICATION_CONTROLLER: Table = Table {
    columns: &[
        NAME,
        column("Desired"),
        column("Current"),
        column("Ready"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: &[
        Name,
        Count("spec.replicas"),
        Count("status.replicas"),
        Count("status.readyReplicas"),
        Age,
        Containers,
        Images,
        Labels("spec.selector"),
    ],
};
static AUTOSCALER: Table = Table {
    columns: &[
        NAME,
        column("Reference"),
        column("Targets"),
        column("MinPods"),
        column("MaxPods"),
        column("Replicas"),
        AGE,
    ],
    cells: &[
        Name,
        With(|v| format!("{}/{}", text(v, "spec.scaleTargetRef.kind"), text(v, "spec.scaleTargetRef.name"))),
        With(|v| if v.list_at("spec.metrics").is_empty() { NONE.to_owned() } else { "<unknown>".to_owned() }),
        With(|v| v.i64_at("spec.minReplicas").map_or("<unset>".to_owned(), |n| n.to_string())),
        Count("spec.maxReplicas"),
        Count("status.currentReplicas"),
        Age,
    ],
};
static INGRESS: Table = Table {
    columns: &[NAME, column("Class"), column("Hosts"), column("Address"), column("Ports"), AGE],
    cells: &[
        Name,
        Or("spec.ingressClassName", NONE),
        With(hosts),
        With(|_| String::new()),
        With(|v| if v.list_at("spec.tls").is_empty() { "80".to_owned() } else { "80, 443".to_owned() }),
        Age,
    ],
};
static INGRESS_CLASS: Table = Table {
    columns: &[NAME, column("Controller"), column("Parameters"), AGE],
    cells: &[Name, Text("spec.controller"), Or("spec.parameters.name", NONE), Age],
};
static NETWORK_POLICY: Table =
    Table { columns: &[NAME, column("Pod-Selector"), AGE], cells: &[Name, Selector("spec.podSelector"), Age] };
static WEBHOOKS: Table = Table { columns: &[NAME, column("Webhooks"), AGE], cells: &[Name, Length("webhooks"), Age] };
static RUNTIME_CLASS: Table = Table { columns: &[NAME, column("Handler"), AGE], cells: &[Name, Text("handler"), Age] };
static LEASE: Table =
    Table { columns: &[NAME, column("Holder"), AGE], cells: &[Name, Text("spec.holderIdentity"), Age] };
static CLAIM: Table =
    Table { columns: &[NAME, column("State"), AGE], cells: &[Name, With(|_| "pending".to_owned()), Age] };
static VOLUME_CLASS: Table =
    Table { columns: &[NAME, column("DriverName"), AGE], cells: &[Name, Text("driverName"), Age] };

fn table(kind: Kind) -> &'static Table {
    match kind {
        Kind::Role | Kind::ClusterRole | Kind::CustomResourceDefinition | Kind::LimitRange => &NAME_AND_CREATION,
        Kind::RoleBinding | Kind::ClusterRoleBinding => &BINDING,
        Kind::PodDisruptionBudget => &BUDGET,
        Kind::StorageClass => &STORAGE_CLASS,
        Kind::DaemonSet => &DAEMON_SET,
        Kind::StatefulSet => &STATEFUL_SET,
        Kind::ReplicationController => &REPLICATION_CONTROLLER,
        Kind::HorizontalPodAutoscaler => &AUTOSCALER,
        Kind::Ingress => &INGRESS,
        Kind::IngressClass => &INGRESS_CLASS,
        Kind::NetworkPolicy => &NETWORK_POLICY,
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => &WEBHOOKS,
        Kind::RuntimeClass => &RUNTIME_CLASS,
        Kind::Lease => &LEASE,
        Kind::ResourceClaim => &CLAIM,
        Kind::VolumeAttributesClass => &VOLUME_CLASS,
        _ => &NAME_AND_AGE,
    }
}

pub(super) fn columns(kind: Kind) -> &'static [Column] {
    table(kind).columns
}

pub(super) fn row(kind: Kind, value: &Value, now: SimTime) -> Vec<String> {
    table(kind).cells.iter().map(|cell| shown(*cell, value, now)).collect()
}

fn shown(cell: Cell, value: &Value, now: SimTime) -> String {
    match cell {
        Name => name(value),
        Age => age(value, now),
        Created => text(value, "metadata.creationTimestamp"),
        Text(path) => text(value, path),
        Or(path, otherwise) => text_or(value, path, otherwise),
        Count(path) => count(value, path),
        Length(path) => value.list_at(path).len().to_string(),
        Bool(path) => value.bool_at(path).unwrap_or(false).to_string(),
        Selector(path) => label_selector(value.at(path)),
        Labels(path) => map(value.at(path)),
        Containers => containers(value.at("spec.template"))[0].clone(),
        Images => containers(value.at("spec.template"))[1].clone(),
        Amount(path) => match value.at(path) {
            Value::Null => "N/A".to_owned(),
            amount => amount.as_str().map_or_else(|| amount.to_string(), str::to_owned),
        },
        With(of) => of(value),
    }
}

/// The names of a binding's subjects of one kind.
fn subjects(value: &Value, kind: &str) -> String {
    let of_kind = value.list_at("subjects").iter().filter(|s| s.str_at("kind") == Some(kind));
    let named = of_kind.map(|subject| match (kind, subject.str_at("namespace")) {
        ("ServiceAccount", Some(namespace)) => format!("{namespace}/{}", name_of(subject)),
        _ => name_of(subject).to_owned(),
    });
    named.collect::<Vec<_>>().join(", ")
}

fn name_of(subject: &Value) -> &str {
    subject.str_at("name").unwrap_or_default()
}

/// The annotation that makes a class the one of claims that name none.
pub const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

fn class_name(value: &Value) -> String {
    let default = value.at_keys(["metadata", "annotations", DEFAULT_CLASS]).as_str() == Some("true");
    let mark = if default { " (default)" } else { "" };
    format!("{}{mark}", name(value))
}

/// The hosts of an Ingress's rules; `*` without any.
fn hosts(value: &Value) -> String {
    let named: Vec<&str> = value.list_at("spec.rules").iter().filter_map(|rule| rule.str_at("host")).collect();
    match named.len() {
        0 => "*".to_owned(),
        1..=3 => named.join(","),
        more => format!("{} + {} more...", named[..3].join(","), more - 3),
    }
}
