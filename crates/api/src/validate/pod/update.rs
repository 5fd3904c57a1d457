//! What may change in a Pod: images, a shorter deadline, more tolerations, fewer gates.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidatePodUpdate`).

use crate::defaults::qos_class;
use values::value::Value;

use super::super::field::{self, Errors, Path, Shown};
use super::super::meta;
use super::super::read::{get, int, items, same, set, text};
use super::{METADATA, SPEC, deletion_cost, metadata_and_spec, scheduling};

const UPDATABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
                         `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                         existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                         previously negative)";

/// Checks a changed Pod.
pub fn update(errors: &mut Errors, pod: &Value, old: &Value) {
    meta::update(errors, pod, old);
    let (spec, old_spec) = (get(pod, "spec"), get(old, "spec"));
    if same(spec, old_spec) {
        // What was stored is good; most updates only take a finalizer off.
        return deletion_cost(errors, &METADATA.child("annotations"), pod.at("metadata.annotations"));
    }
    metadata_and_spec(errors, pod);
    for list in ["containers", "initContainers"] {
        if !same_containers(errors, &SPEC.child(list), items(spec, list), items(old_spec, list)) {
            return;
        }
    }
    if !deadline(errors, int(spec, "activeDeadlineSeconds"), int(old_spec, "activeDeadlineSeconds")) {
        return;
    }
    tolerations(errors, items(spec, "tolerations"), items(old_spec, "tolerations"));
    gates(errors, items(spec, "schedulingGates"), items(old_spec, "schedulingGates"));
    if qos_class(spec) != qos_class(old_spec) {
        let class = pod.str_at("status.qosClass").unwrap_or("");
        errors.invalid(&METADATA, class, "Pod QoS is immutable");
    }
    rest(errors, spec, old_spec);
}

/// False if the lists cannot be compared any further.
fn same_containers(errors: &mut Errors, path: &Path<'_>, new: &[Value], old: &[Value]) -> bool {
    if new.len() != old.len() {
        errors.forbidden(path, "pod updates may not add or remove containers");
        return false;
    }
    for (i, container) in new.iter().enumerate() {
        let path = path.index(i);
        if text(container, "image").is_empty() {
            errors.required(&path.child("image"), "");
        }
        super::containers::image_without_blanks(errors, &path, container);
    }
    true
}

/// A deadline may be set, and shortened. False if nothing else is to be said.
fn deadline(errors: &mut Errors, new: Option<i64>, old: Option<i64>) -> bool {
    let path = SPEC.child("activeDeadlineSeconds");
    let max = i64::from(i32::MAX);
    match (new, old) {
        (Some(new), _) if !(0..=max).contains(&new) => {
            errors.invalid(&path, new, &field::range(0, max));
            false
        }
        (Some(new), Some(old)) if old < new => {
            errors.invalid(&path, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            errors.invalid(&path, Shown::NIL, "must not update from a positive integer to nil value");
            true
        }
        _ => true,
    }
}

fn tolerations(errors: &mut Errors, new: &[Value], old: &[Value]) {
    let path = SPEC.child("tolerations");
    let without_time = |toleration: &Value| {
        let mut toleration = toleration.clone();
        toleration.remove("tolerationSeconds");
        toleration
    };
    let kept = |old: &Value| new.iter().any(|new| without_time(new) == without_time(old));
    if old.iter().all(kept) {
        scheduling::tolerations(errors, &path, new);
    } else {
        errors.forbidden(&path, "existing toleration can not be modified except its tolerationSeconds");
    }
}

fn gates(errors: &mut Errors, new: &[Value], old: &[Value]) {
    let path = SPEC.child("schedulingGates");
    for (i, gate) in new.iter().enumerate() {
        let name = text(gate, "name");
        if !old.iter().any(|old| text(old, "name") == name) {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.forbidden(&path.index(i).child("name"), &detail);
        }
    }
}

/// Everything else must be as it was. The server adds a diff here in words that depend on its library; it is left out.
fn rest(errors: &mut Errors, spec: &Value, old: &Value) {
    let mut munged = spec.clone();
    for list in ["containers", "initContainers"] {
        let mut containers = items(spec, list).to_vec();
        for (container, old) in containers.iter_mut().zip(items(old, list)) {
            container.set("image", text(old, "image"));
        }
        if !containers.is_empty() {
            munged.map_mut().insert(list, containers);
        }
    }
    let put_back = |munged: &mut Value, field: &str| match set(old, field) {
        Some(value) => _ = munged.map_mut().insert(field, value.clone()),
        None => _ = munged.map_mut().remove(field),
    };
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        put_back(&mut munged, field);
    }
    let grace = "terminationGracePeriodSeconds";
    if int(old, grace).is_some_and(|seconds| seconds < 0) && int(spec, grace) == Some(1) {
        put_back(&mut munged, grace);
    }
    if !items(old, "schedulingGates").is_empty() {
        while_gated(errors, &mut munged, old);
        put_back(&mut munged, "nodeSelector");
    }
    if !same(&munged, old) {
        errors.forbidden(&SPEC, UPDATABLE);
    }
}

/// A Pod behind a gate may still be told more narrowly where to go.
fn while_gated(errors: &mut Errors, munged: &mut Value, old: &Value) {
    let path = SPEC.child("nodeSelector");
    let (new_labels, old_labels) = (get(munged, "nodeSelector"), get(old, "nodeSelector"));
    let kept = |(key, value): (&str, &Value)| get(new_labels, key) == value;
    if !old_labels.as_map().is_none_or(|map| map.iter().all(kept)) {
        errors.invalid(
            &path,
            new_labels,
            "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
        );
    }
    let mut affinity = get(munged, "affinity").clone();
    let node_path = SPEC.child("affinity.nodeAffinity");
    let (new_node, old_node) = (get(&affinity, "nodeAffinity"), old.at("affinity.nodeAffinity"));
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = |affinity: &Value| affinity.at_keys([required, "nodeSelectorTerms"]).clone();
    let (new_terms, old_terms) = (terms(new_node), terms(old_node));
    let (new_terms, old_terms) = (new_terms.as_list().unwrap_or(&[]), old_terms.as_list().unwrap_or(&[]));
    if !old_terms.is_empty() {
        let terms_path = node_path.child(required);
        let terms_path = terms_path.child("nodeSelectorTerms");
        if new_terms.len() != old_terms.len() {
            let shown = Value::list(new_terms.iter().cloned());
            errors.invalid(
                &terms_path,
                &shown,
                "no additions/deletions to non-empty NodeSelectorTerms list are allowed",
            );
        } else {
            for (i, (new, old)) in new_terms.iter().zip(old_terms).enumerate() {
                let extends = |list: &str| items(new, list).starts_with(items(old, list));
                if !extends("matchExpressions") || !extends("matchFields") {
                    let detail = "only additions are allowed (no mutations or deletions)";
                    errors.invalid(&terms_path.index(i), new, detail);
                }
            }
        }
    }
    if affinity.is_null() && old_node.is_null() {
        return;
    }
    if old_node.is_null() {
        affinity.map_mut().remove("nodeAffinity");
    } else {
        affinity.map_mut().insert("nodeAffinity", old_node.clone());
    }
    munged.map_mut().insert("affinity", affinity);
}
