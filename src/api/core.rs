//! `v1` without Pods: Node and Service as controllers and the scheduler read them.
//!
//! Source: `k8s.io/api/core/v1/types.go`.

use serde::{Deserialize, Serialize};

use crate::api::meta::{ObjectMeta, StringMap};
use crate::base::time::SimTime;
use crate::base::value::Value;

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    pub metadata: ObjectMeta,
    pub spec: NodeSpec,
    pub status: NodeStatus,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSpec {
    pub unschedulable: bool,
    pub taints: Vec<Taint>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Taint {
    pub key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_added: Option<SimTime>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// Quantities by resource.
    pub capacity: StringMap,
    pub allocatable: StringMap,
    pub conditions: Vec<NodeCondition>,
    pub addresses: Vec<NodeAddress>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeCondition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub last_heartbeat_time: Option<SimTime>,
    pub last_transition_time: Option<SimTime>,
    pub reason: String,
    pub message: String,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeAddress {
    #[serde(rename = "type")]
    pub kind: String,
    pub address: String,
}

/// The annotation by which a node whose kubelet is silent is known: when it last renewed its Lease.
///
/// A real kubelet renews a Lease every 10 s. Here nothing is written while it does; whoever stops a kubelet sets this
/// annotation to the last renewal before that moment, and whoever starts it again removes it. Ready conditions are
/// written by the kubelet itself after that. Not for the eyes of users: `kubectl` leaves it out.
pub const LAST_HEARTBEAT: &str = "batchyard.dev/last-heartbeat";

impl Node {
    /// When its kubelet was last heard of, if it is silent.
    pub fn last_heartbeat(&self) -> Option<SimTime> {
        SimTime::parse_rfc3339(self.metadata.annotations.get(LAST_HEARTBEAT)?)
    }

    pub fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|c| c.kind == "Ready" && c.status == "True")
    }
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    pub metadata: ObjectMeta,
    pub spec: ServiceSpec,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSpec {
    #[serde(rename = "type")]
    pub kind: String,
    pub selector: StringMap,
    #[serde(rename = "clusterIP")]
    pub cluster_ip: String,
    pub ports: Vec<ServicePort>,
    pub publish_not_ready_addresses: bool,
    pub external_name: String,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePort {
    pub name: String,
    pub protocol: String,
    pub port: i32,
    /// A number or the name of a container's port.
    pub target_port: Value,
    pub node_port: i32,
}
