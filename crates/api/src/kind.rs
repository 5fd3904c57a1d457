//! The table of kinds: names, groups, scopes. Adding a kind is adding a row.
//!
//! Source: the API's discovery documents (`kubectl api-resources` of 1.36).

use std::fmt;

use values::value::Text;

/// A kind of object the API server keeps. The order is the order of lists that mix kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Namespace,
    Node,
    PriorityClass,
    PersistentVolume,
    ClusterRole,
    ClusterRoleBinding,
    StorageClass,
    CSIDriver,
    VolumeAttributesClass,
    IngressClass,
    RuntimeClass,
    DeviceClass,
    CustomResourceDefinition,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    FlowSchema,
    PriorityLevelConfiguration,
    CertificateSigningRequest,
    APIService,
    ConfigMap,
    Secret,
    ServiceAccount,
    ResourceQuota,
    PersistentVolumeClaim,
    Role,
    RoleBinding,
    LimitRange,
    PodDisruptionBudget,
    NetworkPolicy,
    Ingress,
    Lease,
    PodTemplate,
    ControllerRevision,
    ResourceClaim,
    ResourceClaimTemplate,
    Pod,
    ReplicationController,
    Service,
    Endpoints,
    EndpointSlice,
    DaemonSet,
    Deployment,
    ReplicaSet,
    StatefulSet,
    HorizontalPodAutoscaler,
    CronJob,
    Job,
    Event,
}

/// What discovery says of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindInfo {
    pub kind: Kind,
    /// `Job`
    pub name: &'static str,
    /// `batch`; empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    /// `jobs`
    pub plural: &'static str,
    /// `job`
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub namespaced: bool,
    /// In `kubectl get all`.
    pub in_all: bool,
    /// Has `metadata.generation`, raised when the spec changes.
    pub has_generation: bool,
}

const fn row(
    kind: Kind,
    name: &'static str,
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    short_names: &'static [&'static str],
) -> KindInfo {
    KindInfo {
        kind,
        name,
        group,
        version: "v1",
        plural,
        singular,
        short_names,
        namespaced: true,
        in_all: false,
        has_generation: false,
    }
}

const fn cluster_scoped(info: KindInfo) -> KindInfo {
    KindInfo { namespaced: false, ..info }
}

const fn of_version(version: &'static str, info: KindInfo) -> KindInfo {
    KindInfo { version, ..info }
}

const fn in_all(info: KindInfo) -> KindInfo {
    KindInfo { in_all: true, ..info }
}

const fn with_generation(info: KindInfo) -> KindInfo {
    KindInfo { has_generation: true, ..info }
}

/// All kinds, in the order of [`Kind`].
pub const KINDS: &[KindInfo] = &[
    cluster_scoped(row(Kind::Namespace, "Namespace", "", "namespaces", "namespace", &["ns"])),
    cluster_scoped(row(Kind::Node, "Node", "", "nodes", "node", &["no"])),
    cluster_scoped(row(
        Kind::PriorityClass,
        "PriorityClass",
        "scheduling.k8s.io",
        "priorityclasses",
        "priorityclass",
        &["pc"],
    )),
    cluster_scoped(row(
        Kind::PersistentVolume,
        "PersistentVolume",
        "",
        "persistentvolumes",
        "persistentvolume",
        &["pv"],
    )),
    cluster_scoped(row(
        Kind::ClusterRole,
        "ClusterRole",
        "rbac.authorization.k8s.io",
        "clusterroles",
        "clusterrole",
        &[],
    )),
    cluster_scoped(row(
        Kind::ClusterRoleBinding,
        "ClusterRoleBinding",
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        "clusterrolebinding",
        &[],
    )),
    cluster_scoped(row(
        Kind::StorageClass,
        "StorageClass",
        "storage.k8s.io",
        "storageclasses",
        "storageclass",
        &["sc"],
    )),
    cluster_scoped(row(Kind::CSIDriver, "CSIDriver", "storage.k8s.io", "csidrivers", "csidriver", &[])),
    cluster_scoped(row(
        Kind::VolumeAttributesClass,
        "VolumeAttributesClass",
        "storage.k8s.io",
        "volumeattributesclasses",
        "volumeattributesclass",
        &["vac"],
    )),
    with_generation(cluster_scoped(row(
        Kind::IngressClass,
        "IngressClass",
        "networking.k8s.io",
        "ingressclasses",
        "ingressclass",
        &[],
    ))),
    cluster_scoped(row(Kind::RuntimeClass, "RuntimeClass", "node.k8s.io", "runtimeclasses", "runtimeclass", &[])),
    with_generation(cluster_scoped(row(
        Kind::DeviceClass,
        "DeviceClass",
        "resource.k8s.io",
        "deviceclasses",
        "deviceclass",
        &[],
    ))),
    with_generation(cluster_scoped(row(
        Kind::CustomResourceDefinition,
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "customresourcedefinition",
        &["crd", "crds"],
    ))),
    with_generation(cluster_scoped(row(
        Kind::MutatingWebhookConfiguration,
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "mutatingwebhookconfiguration",
        &[],
    ))),
    with_generation(cluster_scoped(row(
        Kind::ValidatingWebhookConfiguration,
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        "validatingwebhookconfiguration",
        &[],
    ))),
    with_generation(cluster_scoped(row(
        Kind::ValidatingAdmissionPolicy,
        "ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        "validatingadmissionpolicy",
        &[],
    ))),
    with_generation(cluster_scoped(row(
        Kind::ValidatingAdmissionPolicyBinding,
        "ValidatingAdmissionPolicyBinding",
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
        "validatingadmissionpolicybinding",
        &[],
    ))),
    with_generation(cluster_scoped(row(
        Kind::FlowSchema,
        "FlowSchema",
        "flowcontrol.apiserver.k8s.io",
        "flowschemas",
        "flowschema",
        &[],
    ))),
    with_generation(cluster_scoped(row(
        Kind::PriorityLevelConfiguration,
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        "prioritylevelconfiguration",
        &[],
    ))),
    cluster_scoped(row(
        Kind::CertificateSigningRequest,
        "CertificateSigningRequest",
        "certificates.k8s.io",
        "certificatesigningrequests",
        "certificatesigningrequest",
        &["csr"],
    )),
    cluster_scoped(row(Kind::APIService, "APIService", "apiregistration.k8s.io", "apiservices", "apiservice", &[])),
    row(Kind::ConfigMap, "ConfigMap", "", "configmaps", "configmap", &["cm"]),
    row(Kind::Secret, "Secret", "", "secrets", "secret", &[]),
    row(Kind::ServiceAccount, "ServiceAccount", "", "serviceaccounts", "serviceaccount", &["sa"]),
    row(Kind::ResourceQuota, "ResourceQuota", "", "resourcequotas", "resourcequota", &["quota"]),
    row(
        Kind::PersistentVolumeClaim,
        "PersistentVolumeClaim",
        "",
        "persistentvolumeclaims",
        "persistentvolumeclaim",
        &["pvc"],
    ),
    row(Kind::Role, "Role", "rbac.authorization.k8s.io", "roles", "role", &[]),
    row(Kind::RoleBinding, "RoleBinding", "rbac.authorization.k8s.io", "rolebindings", "rolebinding", &[]),
    row(Kind::LimitRange, "LimitRange", "", "limitranges", "limitrange", &["limits"]),
    with_generation(row(
        Kind::PodDisruptionBudget,
        "PodDisruptionBudget",
        "policy",
        "poddisruptionbudgets",
        "poddisruptionbudget",
        &["pdb"],
    )),
    with_generation(row(
        Kind::NetworkPolicy,
        "NetworkPolicy",
        "networking.k8s.io",
        "networkpolicies",
        "networkpolicy",
        &["netpol"],
    )),
    with_generation(row(Kind::Ingress, "Ingress", "networking.k8s.io", "ingresses", "ingress", &["ing"])),
    row(Kind::Lease, "Lease", "coordination.k8s.io", "leases", "lease", &[]),
    row(Kind::PodTemplate, "PodTemplate", "", "podtemplates", "podtemplate", &[]),
    row(Kind::ControllerRevision, "ControllerRevision", "apps", "controllerrevisions", "controllerrevision", &[]),
    row(Kind::ResourceClaim, "ResourceClaim", "resource.k8s.io", "resourceclaims", "resourceclaim", &[]),
    row(
        Kind::ResourceClaimTemplate,
        "ResourceClaimTemplate",
        "resource.k8s.io",
        "resourceclaimtemplates",
        "resourceclaimtemplate",
        &[],
    ),
    with_generation(in_all(row(Kind::Pod, "Pod", "", "pods", "pod", &["po"]))),
    with_generation(in_all(row(
        Kind::ReplicationController,
        "ReplicationController",
        "",
        "replicationcontrollers",
        "replicationcontroller",
        &["rc"],
    ))),
    in_all(row(Kind::Service, "Service", "", "services", "service", &["svc"])),
    row(Kind::Endpoints, "Endpoints", "", "endpoints", "endpoints", &["ep"]),
    with_generation(row(
        Kind::EndpointSlice,
        "EndpointSlice",
        "discovery.k8s.io",
        "endpointslices",
        "endpointslice",
        &[],
    )),
    with_generation(in_all(row(Kind::DaemonSet, "DaemonSet", "apps", "daemonsets", "daemonset", &["ds"]))),
    with_generation(in_all(row(Kind::Deployment, "Deployment", "apps", "deployments", "deployment", &["deploy"]))),
    with_generation(in_all(row(Kind::ReplicaSet, "ReplicaSet", "apps", "replicasets", "replicaset", &["rs"]))),
    with_generation(in_all(row(Kind::StatefulSet, "StatefulSet", "apps", "statefulsets", "statefulset", &["sts"]))),
    in_all(of_version(
        "v2",
        row(
            Kind::HorizontalPodAutoscaler,
            "HorizontalPodAutoscaler",
            "autoscaling",
            "horizontalpodautoscalers",
            "horizontalpodautoscaler",
            &["hpa"],
        ),
    )),
    with_generation(in_all(row(Kind::CronJob, "CronJob", "batch", "cronjobs", "cronjob", &["cj"]))),
    with_generation(in_all(row(Kind::Job, "Job", "batch", "jobs", "job", &[]))),
    row(Kind::Event, "Event", "", "events", "event", &["ev"]),
];

impl Kind {
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }

    /// `Job`
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The kind with this `apiVersion` and `kind`.
    pub fn find(api_version: &str, name: &str) -> Option<Kind> {
        KINDS.iter().find(|k| k.name == name && k.api_version() == api_version).map(|k| k.kind)
    }

    /// Whether it is only kept, listed and printed: nothing in the cluster acts on it.
    pub fn is_only_kept(self) -> bool {
        use Kind::*;
        matches!(
            self,
            CSIDriver
                | VolumeAttributesClass
                | IngressClass
                | RuntimeClass
                | DeviceClass
                | CustomResourceDefinition
                | MutatingWebhookConfiguration
                | ValidatingWebhookConfiguration
                | ValidatingAdmissionPolicy
                | ValidatingAdmissionPolicyBinding
                | FlowSchema
                | PriorityLevelConfiguration
                | CertificateSigningRequest
                | APIService
                | NetworkPolicy
                | Ingress
                | Lease
                | PodTemplate
                | ControllerRevision
                | ResourceClaim
                | ResourceClaimTemplate
                | HorizontalPodAutoscaler
                | ReplicationController
        )
    }

    /// The kind with this name, whatever its group.
    pub fn named(name: &str) -> Option<Kind> {
        KINDS.iter().find(|k| k.name == name).map(|k| k.kind)
    }
}

impl KindInfo {
    /// `batch/v1`, or `v1` in the core group.
    pub fn api_version(&self) -> Text {
        if self.group.is_empty() {
            return Text::Known(self.version);
        }
        format!("{}/{}", self.group, self.version).into()
    }

    /// `jobs.batch`, or `pods` in the core group: how errors name a resource.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `job.batch`, or `pod` in the core group: how `kubectl` names an object's type.
    pub fn singular_resource(&self) -> String {
        if self.group.is_empty() { self.singular.to_owned() } else { format!("{}.{}", self.singular, self.group) }
    }

    /// `Job.batch`, or `Pod` in the core group: how validation errors name a kind.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.name, self.group) }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (i, info) in KINDS.iter().enumerate() {
            assert_eq!(info.kind as usize, i, "{}", info.name);
        }
        assert_eq!(Kind::Job.info().resource(), "jobs.batch");
        assert_eq!(Kind::find("v1", "Pod"), Some(Kind::Pod));
        assert_eq!(Kind::find("v1", "Job"), None);
    }
}
