//! What stands in a cluster before anyone does anything: namespaces, accounts, priority classes, the API's Service, nodes.
//!
//! Source: what `kubeadm` and the API server make (`pkg/controlplane`), as seen on the recorded cluster.

use crate::base::value::Value;
use crate::cluster::{NodeSetup, Setup};
use crate::object;
use crate::store::Api;

/// Makes it all. These objects are ours, so the API takes them.
pub(super) fn create(api: &mut Api<'_>, setup: &Setup) {
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
    let port = object! { "name" => "https", "port" => 443, "targetPort" => 6443, "protocol" => "TCP" };
    let spec = object! { "clusterIP" => "10.96.0.1", "ports" => vec![port] };
    add(api, "v1", "Service", "default", "kubernetes", object! { "spec" => spec });
    for (i, node) in setup.nodes.iter().enumerate() {
        add_node(api, node, i);
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

/// A machine, already registered and ready.
fn add_node(api: &mut Api<'_>, setup: &NodeSetup, index: usize) {
    let now = api.now();
    let resources = object! {
        "cpu" => setup.cpu.as_str(), "memory" => setup.memory.as_str(), "pods" => "110", "ephemeral-storage" => "100Gi",
    };
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        object! {
            "type" => kind, "status" => status, "reason" => reason, "message" => message,
            "lastHeartbeatTime" => now, "lastTransitionTime" => now,
        }
    };
    let labels = object! {
        "kubernetes.io/arch" => "amd64", "kubernetes.io/os" => "linux", "kubernetes.io/hostname" => setup.name.as_str(),
        "beta.kubernetes.io/arch" => "amd64", "beta.kubernetes.io/os" => "linux",
    };
    let address = format!("172.30.0.{}", index + 1);
    let addresses = vec![
        object! { "type" => "InternalIP", "address" => address },
        object! { "type" => "Hostname", "address" => setup.name.as_str() },
    ];
    let info = object! {
        "architecture" => "amd64", "containerRuntimeVersion" => "containerd://2.3.7", "kernelVersion" => "6.18.0",
        "kubeletVersion" => "v1.36.3", "operatingSystem" => "linux", "osImage" => "Debian GNU/Linux 12 (bookworm)",
    };
    let conditions = vec![
        condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let status = object! {
        "capacity" => resources.clone(), "allocatable" => resources, "conditions" => conditions,
        "addresses" => addresses, "nodeInfo" => info,
    };
    let mut node = object! { "status" => status };
    node.set("metadata.labels", labels);
    let pod_cidr = format!("10.244.{index}.0/24");
    node.set("spec", object! { "podCIDR" => pod_cidr.as_str(), "podCIDRs" => vec![pod_cidr.as_str().into()] });
    add(api, "v1", "Node", "", &setup.name, node);
}
