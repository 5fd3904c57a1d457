//! Namespace, prefix and suffix, labels, annotations, replicas and images.
//!
//! Source: `kustomize/api/internal/builtins/{Namespace,Prefix,Suffix,Label,Annotations,Replica,ImageTag}Transformer.go` and
//! `builtinpluginconsts`.

use values::value::{Map, Value};

use super::Resource;

/// Kinds whose names no prefix changes.
const UNTOUCHED: [&str; 3] = ["CustomResourceDefinition", "APIService", "Namespace"];
/// Kinds that live in no namespace.
const CLUSTER_SCOPED: [&str; 16] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "CSIDriver",
    "CSINode",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "VolumeAttributesClass",
];

/// Where a kind keeps its Pod spec.
pub(super) fn pod_spec(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("spec"),
        "CronJob" => Some("spec.jobTemplate.spec.template.spec"),
        "PodTemplate" => Some("template.spec"),
        _ => template(kind).map(|_| "spec.template.spec"),
    }
}

/// Where a kind keeps its Pod template.
fn template(kind: &str) -> Option<&'static str> {
    let has = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"].contains(&kind);
    has.then_some("spec.template")
}

/// Namespace, names, labels and annotations.
pub(super) fn all(tree: &Value, resources: &mut [Resource]) {
    if let Some(namespace) = tree.str_at("namespace").filter(|text| !text.is_empty()) {
        resources.iter_mut().for_each(|resource| set_namespace(resource, namespace));
    }
    let (prefix, suffix) =
        (tree.str_at("namePrefix").unwrap_or_default(), tree.str_at("nameSuffix").unwrap_or_default());
    for resource in resources.iter_mut().filter(|resource| !UNTOUCHED.contains(&resource.kind())) {
        let name = format!("{prefix}{}{suffix}", resource.name());
        resource.rename(name);
    }
    for rule in tree.list_at("labels") {
        let Some(pairs) = rule.map_at("pairs") else { continue };
        let selectors = rule.bool_at("includeSelectors") == Some(true);
        let templates = selectors || rule.bool_at("includeTemplates") == Some(true);
        resources.iter_mut().for_each(|resource| label(resource, pairs, templates, selectors));
    }
    if let Some(pairs) = tree.map_at("commonLabels") {
        resources.iter_mut().for_each(|resource| label(resource, pairs, true, true));
    }
    if let Some(pairs) = tree.map_at("commonAnnotations") {
        resources.iter_mut().for_each(|resource| annotate(resource, pairs));
    }
}

fn set_namespace(resource: &mut Resource, namespace: &str) {
    match resource.kind() {
        "Namespace" => resource.rename(namespace.to_owned()),
        kind if CLUSTER_SCOPED.contains(&kind) => {}
        _ => resource.value.set("metadata.namespace", namespace),
    }
    if matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding") && resource.value.has("subjects") {
        let mut subjects = resource.value.list_at("subjects").to_vec();
        for subject in &mut subjects {
            if subject.str_at("kind") == Some("ServiceAccount") && subject.str_at("name") == Some("default") {
                subject.set("namespace", namespace);
            }
        }
        resource.value.set("subjects", subjects);
    }
}

/// Lays pairs over the map at a place, which is made if it is not there.
fn lay(value: &mut Value, place: &str, pairs: &Map) {
    let keys: Vec<&str> = place.split('.').collect();
    lay_at(value, &keys, pairs);
}

fn lay_at(value: &mut Value, keys: &[&str], pairs: &Map) {
    let Some((first, rest)) = keys.split_first() else {
        for (key, text) in pairs.iter() {
            value.map_mut().insert(key, text.clone());
        }
        return;
    };
    let map = value.map_mut();
    if !map.contains_key(first) {
        map.insert(*first, Value::map());
    }
    if let Some(inner) = map.get_mut(first) {
        lay_at(inner, rest, pairs);
    }
}

fn label(resource: &mut Resource, pairs: &Map, templates: bool, selectors: bool) {
    let kind = resource.kind().to_owned();
    let value = &mut resource.value;
    lay(value, "metadata.labels", pairs);
    if templates {
        if template(&kind).is_some() {
            lay(value, "spec.template.metadata.labels", pairs);
        }
        if kind == "CronJob" {
            lay(value, "spec.jobTemplate.metadata.labels", pairs);
            lay(value, "spec.jobTemplate.spec.template.metadata.labels", pairs);
        }
    }
    if !selectors {
        return;
    }
    match kind.as_str() {
        "Service" | "ReplicationController" => lay(value, "spec.selector", pairs),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => lay(value, "spec.selector.matchLabels", pairs),
        "Job" | "PodDisruptionBudget" if value.has("spec.selector.matchLabels") => {
            lay(value, "spec.selector.matchLabels", pairs);
        }
        "CronJob" if value.has("spec.jobTemplate.spec.selector.matchLabels") => {
            lay(value, "spec.jobTemplate.spec.selector.matchLabels", pairs);
        }
        "NetworkPolicy" if value.has("spec.podSelector.matchLabels") => {
            lay(value, "spec.podSelector.matchLabels", pairs);
        }
        _ => {}
    }
}

fn annotate(resource: &mut Resource, pairs: &Map) {
    let kind = resource.kind().to_owned();
    let value = &mut resource.value;
    lay(value, "metadata.annotations", pairs);
    if template(&kind).is_some() {
        lay(value, "spec.template.metadata.annotations", pairs);
    }
    if kind == "CronJob" {
        lay(value, "spec.jobTemplate.metadata.annotations", pairs);
        lay(value, "spec.jobTemplate.spec.template.metadata.annotations", pairs);
    }
}

/// Replicas and images.
///
/// # Errors
/// `replicas` names an object that is not there.
pub(super) fn last(tree: &Value, resources: &mut [Resource]) -> Result<(), String> {
    for rule in tree.list_at("replicas") {
        let name = rule.str_at("name").unwrap_or_default();
        let mut found = false;
        for resource in resources.iter_mut() {
            let scales =
                matches!(resource.kind(), "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController");
            if scales && resource.is_called(name) {
                resource.value.set("spec.replicas", rule.at("count").clone());
                found = true;
            }
        }
        if !found {
            return Err(format!(
                "resource with name {name} does not match a config with the following GVK [Deployment.[noVer].[noGrp] \
                 ReplicationController.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] StatefulSet.[noVer].[noGrp]]"
            ));
        }
    }
    for rule in tree.list_at("images") {
        for resource in resources.iter_mut() {
            let Some(spec) = pod_spec(resource.kind()) else { continue };
            for list in ["containers", "initContainers"] {
                let Some(containers) = resource.value.at_mut(&format!("{spec}.{list}")) else { continue };
                for container in containers.list_mut() {
                    let Some(image) = container.str_at("image").and_then(|image| changed_image(image, rule)) else {
                        continue;
                    };
                    container.set("image", image);
                }
            }
        }
    }
    Ok(())
}

/// The image as a rule of `images` has it; none if the rule is about another one.
fn changed_image(image: &str, rule: &Value) -> Option<String> {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[slash..].split_once(':') {
        Some((last, tag)) => (format!("{}{last}", &rest[..slash]), Some(tag)),
        None => (rest.to_owned(), None),
    };
    if rule.str_at("name") != Some(&name) {
        return None;
    }
    let text = |field: &str| match rule.at(field) {
        Value::Str(text) if !text.is_empty() => Some(text.to_string()),
        Value::Null | Value::Str(_) => None,
        other => Some(other.to_json()),
    };
    let name = text("newName").unwrap_or(name);
    let suffix = text("tagSuffix").unwrap_or_default();
    Some(match (text("digest"), text("newTag")) {
        (Some(digest), Some(tag)) => format!("{name}:{tag}@{digest}"),
        (Some(digest), None) => format!("{name}@{digest}"),
        (None, Some(tag)) => format!("{name}:{tag}"),
        (None, None) => match (tag, digest) {
            (Some(tag), Some(digest)) => format!("{name}:{tag}{suffix}@{digest}"),
            (Some(tag), None) => format!("{name}:{tag}{suffix}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (None, None) => name,
        },
    })
}
