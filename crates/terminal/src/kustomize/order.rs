//! The order in which kubectl's kustomize writes objects: by kind, then by namespace and name.
//!
//! Source: `kustomize/api/internal/builtins/SortOrderTransformer.go` (the legacy order, which kubectl chooses).

use super::Resource;
use values::sort::sort_by_key;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

pub(super) fn sort(resources: &mut [Resource]) {
    let rank = |kind: &str| match (FIRST.iter().position(|k| *k == kind), LAST.iter().position(|k| *k == kind)) {
        (Some(place), _) => place,
        (None, Some(place)) => FIRST.len() + 1 + place,
        (None, None) => FIRST.len(),
    };
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    sort_by_key(resources, |resource| {
        (
            rank(resource.kind()),
            format!("{}_{}_{}", or(resource.group(), "~G"), or(resource.version(), "~V"), resource.kind()),
            format!("{}|{}", or(resource.namespace(), "~X"), or(resource.name(), "~N")),
        )
    });
}
