//! What stands in a cluster before anyone does anything: namespaces, accounts, priority classes.
//!
//! The Service `kubernetes` is left out: the recordings were made in a namespace without it (`api::gaps`).
//!
//! Source: what `kubeadm` and the API server make (`pkg/controlplane`), as seen on the recorded cluster.

use std::rc::Rc;

use crate::store::{Api, EventType};
use api::kind::Kind;
use api::object::Object;
use values::object;
use values::value::Value;

/// Makes it all. These objects are ours, so the API takes them.
pub(super) fn create(api: &mut Api<'_>) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        add(api, "v1", "Namespace", "", name, Value::map());
        add(api, "v1", "ServiceAccount", name, "default", Value::map());
        let data = object! { "data" => object! { "ca.crt" => "-----BEGIN CERTIFICATE-----\n…\n" } };
        add(api, "v1", "ConfigMap", name, "kube-root-ca.crt", data);
    }
    for (name, value) in [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)] {
        let fields = object! { "value" => value, "globalDefault" => false };
        add(api, "scheduling.k8s.io/v1", "PriorityClass", "", name, fields);
    }
}

/// The node controller met the nodes before anything else happened.
pub(super) fn announce_nodes(api: &mut Api<'_>) {
    let nodes: Vec<Rc<Object>> = api.store().list(Kind::Node).cloned().collect();
    for node in nodes {
        let message = format!("Node {0} event: Registered Node {0} in Controller", node.name());
        api.event(&node, EventType::Normal, "RegisteredNode", &message);
    }
}

fn add(api: &mut Api<'_>, version: &str, kind: &str, namespace: &str, name: &str, mut fields: Value) {
    fields.set("apiVersion", version);
    fields.set("kind", kind);
    fields.set("metadata.name", name);
    if !namespace.is_empty() {
        fields.set("metadata.namespace", namespace);
    }
    let made = api.create(fields);
    debug_assert!(made.is_ok(), "{kind} {name}: {made:?}");
}
