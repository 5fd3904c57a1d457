//! `v1` without Pods: Node and Service as controllers and the scheduler read them.
//!
//! Source: `k8s.io/api/core/v1/types.go`.

use crate::meta::{ObjectMeta, StringMap};
use values::record;
use values::time::SimTime;
use values::value::Value;

record! {
    pub struct Node {
        pub metadata: ObjectMeta,
        pub spec: NodeSpec,
        pub status: NodeStatus,
    }

    pub struct NodeSpec {
        pub unschedulable: bool,
        pub taints: Vec<Taint>,
    }

    #[derive(Eq)]
    pub struct Taint {
        pub key: String = always,
        pub value: String,
        /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
        pub effect: String = always,
        pub time_added: Option<SimTime>,
    }

    pub struct NodeStatus {
        /// Quantities by resource.
        pub capacity: StringMap,
        pub allocatable: StringMap,
        pub conditions: Vec<NodeCondition>,
        pub addresses: Vec<NodeAddress>,
    }

    pub struct NodeCondition {
        pub kind: String as "type" = always,
        pub status: String = always,
        pub last_heartbeat_time: Option<SimTime> = always,
        pub last_transition_time: Option<SimTime> = always,
        pub reason: String = always,
        pub message: String = always,
    }

    pub struct NodeAddress {
        pub kind: String as "type" = always,
        pub address: String = always,
    }
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

record! {
    pub struct Service {
        pub metadata: ObjectMeta,
        pub spec: ServiceSpec,
    }

    pub struct ServiceSpec {
        pub kind: String as "type",
        pub selector: StringMap,
        pub cluster_ip: String as "clusterIP",
        pub ports: Vec<ServicePort>,
        pub publish_not_ready_addresses: bool,
        pub external_name: String,
    }

    pub struct ServicePort {
        pub name: String,
        pub protocol: String,
        pub port: i32,
        /// A number or the name of a container's port.
        pub target_port: Value,
        pub node_port: i32,
    }
}
