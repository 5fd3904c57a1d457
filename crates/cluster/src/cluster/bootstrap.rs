//! What stands in a cluster before anyone does anything: namespaces, accounts, priority classes.
//!
//! The Service `kubernetes` and a class of storage come if the setup says so: the recordings were made without them.
//!
//! Source: what `kubeadm` and the API server make (`pkg/controlplane`), as seen on the recorded cluster.

use std::rc::Rc;

use crate::cluster::Setup;
use crate::store::{Api, EventType};
use api::kind::Kind;
use api::object::Object;
use values::object;
use values::value::Value;

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
    if setup.kubernetes_service {
        kubernetes_service(api);
        cluster_roles(api);
    }
    if setup.storage_class {
        storage_class(api);
    }
}

/// The address at which the API server itself listens.
const SERVER: &str = "172.30.0.1";

/// The Service by which Pods reach the API server, with its endpoints. (`pkg/controlplane/controller/kubernetesservice`)
fn kubernetes_service(api: &mut Api<'_>) {
    let port = object! { "name" => "https", "port" => 443, "protocol" => "TCP", "targetPort" => 6443 };
    let labels = object! { "component" => "apiserver", "provider" => "kubernetes" };
    let metadata = |labels: Value| object! { "labels" => labels };
    let spec = object! { "clusterIP" => "10.96.0.1", "clusterIPs" => Value::list(["10.96.0.1".into()]), "ports" => Value::list([port]) };
    add(api, "v1", "Service", "default", "kubernetes", object! { "metadata" => metadata(labels), "spec" => spec });
    let port = object! { "name" => "https", "port" => 6443, "protocol" => "TCP" };
    let address = object! { "ip" => SERVER };
    let subset = object! { "addresses" => Value::list([address]), "ports" => Value::list([port.clone()]) };
    let mirror = object! { "endpointslice.kubernetes.io/skip-mirror" => "true" };
    let fields = object! { "metadata" => metadata(mirror), "subsets" => Value::list([subset]) };
    add(api, "v1", "Endpoints", "default", "kubernetes", fields);
    let endpoint = object! {
        "addresses" => Value::list([SERVER.into()]), "conditions" => object! { "ready" => true },
    };
    let label = object! { "kubernetes.io/service-name" => "kubernetes" };
    let fields = object! {
        "metadata" => metadata(label), "addressType" => "IPv4", "endpoints" => Value::list([endpoint]),
        "ports" => Value::list([port]),
    };
    add(api, "discovery.k8s.io/v1", "EndpointSlice", "default", "kubernetes", fields);
}

/// The roles that every cluster has for people to bind. (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`, without the
/// resources that are not here)
fn cluster_roles(api: &mut Api<'_>) {
    let texts = |list: &[&'static str]| Value::list(list.iter().map(|text| Value::from(*text)));
    let rule = |groups: &[&'static str], resources: &[&'static str], verbs: &[&'static str]| {
        object! { "apiGroups" => texts(groups), "resources" => texts(resources), "verbs" => texts(verbs) }
    };
    let groups = ["", "apps", "batch", "autoscaling", "networking.k8s.io", "policy", "discovery.k8s.io"];
    let read = ["get", "list", "watch"];
    let write = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    let of_view = [
        "bindings",
        "configmaps",
        "controllerrevisions",
        "cronjobs",
        "cronjobs/status",
        "daemonsets",
        "deployments",
        "deployments/scale",
        "endpoints",
        "endpointslices",
        "events",
        "horizontalpodautoscalers",
        "ingresses",
        "jobs",
        "jobs/status",
        "limitranges",
        "namespaces",
        "networkpolicies",
        "persistentvolumeclaims",
        "poddisruptionbudgets",
        "pods",
        "pods/log",
        "pods/status",
        "replicasets",
        "replicationcontrollers",
        "resourcequotas",
        "serviceaccounts",
        "services",
        "statefulsets",
    ];
    let of_edit = [
        "configmaps",
        "cronjobs",
        "daemonsets",
        "deployments",
        "deployments/scale",
        "events",
        "horizontalpodautoscalers",
        "ingresses",
        "jobs",
        "networkpolicies",
        "persistentvolumeclaims",
        "poddisruptionbudgets",
        "pods",
        "pods/attach",
        "pods/eviction",
        "pods/exec",
        "pods/portforward",
        "replicasets",
        "replicationcontrollers",
        "secrets",
        "serviceaccounts",
        "services",
        "statefulsets",
    ];
    let rbac = rule(&["rbac.authorization.k8s.io"], &["roles", "rolebindings"], &write);
    let (view, edit) = (rule(&groups, &of_view, &read), rule(&groups, &of_edit, &write));
    for (name, rules) in [
        ("cluster-admin", vec![rule(&["*"], &["*"], &["*"])]),
        ("admin", vec![view.clone(), edit.clone(), rbac]),
        ("edit", vec![view.clone(), edit]),
        ("view", vec![view]),
    ] {
        add(api, "rbac.authorization.k8s.io/v1", "ClusterRole", "", name, object! { "rules" => Value::list(rules) });
    }
}

/// The class that claims without one get.
fn storage_class(api: &mut Api<'_>) {
    let mut annotations = Value::map();
    annotations.map_mut().insert(api::columns::DEFAULT_CLASS, "true");
    let fields = object! {
        "metadata" => object! { "annotations" => annotations },
        "provisioner" => "rancher.io/local-path", "volumeBindingMode" => "WaitForFirstConsumer",
    };
    add(api, "storage.k8s.io/v1", "StorageClass", "", "standard", fields);
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
