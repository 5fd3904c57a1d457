//! Affinity to nodes and to other Pods.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`validateAffinity`, `ValidateNodeSelector`,
//! `validatePodAffinityTerm`).

use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::read::{get, int, items, set, text};
use super::super::{names, selector};
use super::scheduling::match_label_keys;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Checks `spec.affinity`.
pub fn affinity(errors: &mut Errors, path: &Path<'_>, affinity: &Value) {
    if let Some(node) = set(affinity, "nodeAffinity") {
        node_affinity(errors, &path.child("nodeAffinity"), node);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        if let Some(pods) = set(affinity, kind) {
            pod_affinity(errors, &path.child(kind), pods);
        }
    }
}

fn node_affinity(errors: &mut Errors, path: &Path<'_>, affinity: &Value) {
    if let Some(required) = set(affinity, REQUIRED) {
        let path = path.child(REQUIRED);
        let terms_path = path.child("nodeSelectorTerms");
        let terms = items(required, "nodeSelectorTerms");
        if terms.is_empty() {
            errors.required(&terms_path, "must have at least one node selector term");
        }
        for (i, term) in terms.iter().enumerate() {
            node_term(errors, &terms_path.index(i), term);
        }
    }
    let path = path.child(PREFERRED);
    for (i, term) in items(affinity, PREFERRED).iter().enumerate() {
        let path = path.index(i);
        weight(errors, &path, term);
        node_term(errors, &path.child("preference"), get(term, "preference"));
    }
}

fn weight(errors: &mut Errors, path: &Path<'_>, term: &Value) {
    let weight = int(term, "weight").unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

fn node_term(errors: &mut Errors, path: &Path<'_>, term: &Value) {
    let expressions = path.child("matchExpressions");
    for (i, expression) in items(term, "matchExpressions").iter().enumerate() {
        node_requirement(errors, &expressions.index(i), expression);
    }
    let fields = path.child("matchFields");
    for (i, field) in items(term, "matchFields").iter().enumerate() {
        field_requirement(errors, &fields.index(i), field);
    }
}

fn node_requirement(errors: &mut Errors, path: &Path<'_>, requirement: &Value) {
    let values = items(requirement, "values");
    let values_path = path.child("values");
    match text(requirement, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            errors.required(&values_path, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.forbidden(&values_path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "Gt" | "Lt" if values.len() != 1 => {
            errors.required(&values_path, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
    }
    selector::label_key(errors, &path.child("key"), text(requirement, "key"));
}

fn field_requirement(errors: &mut Errors, path: &Path<'_>, requirement: &Value) {
    let values = items(requirement, "values");
    let values_path = path.child("values");
    match text(requirement, "operator") {
        "In" | "NotIn" if values.len() != 1 => {
            let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&values_path, detail);
        }
        "In" | "NotIn" => {}
        other => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
    }
    match text(requirement, "key") {
        "metadata.name" => {
            for (i, value) in values.iter().filter_map(Value::as_str).enumerate() {
                errors.invalid_each(&values_path.index(i), value, names::dns_subdomain(value));
            }
        }
        other => errors.invalid(&path.child("key"), other, "not a valid field selector key"),
    }
}

fn pod_affinity(errors: &mut Errors, path: &Path<'_>, affinity: &Value) {
    let required = path.child(REQUIRED);
    for (i, term) in items(affinity, REQUIRED).iter().enumerate() {
        pod_term(errors, &required.index(i), term);
    }
    let preferred = path.child(PREFERRED);
    for (i, term) in items(affinity, PREFERRED).iter().enumerate() {
        let path = preferred.index(i);
        weight(errors, &path, term);
        pod_term(errors, &path.child("podAffinityTerm"), get(term, "podAffinityTerm"));
    }
}

fn pod_term(errors: &mut Errors, path: &Path<'_>, term: &Value) {
    selector::selector(errors, &path.child("labelSelector"), get(term, "labelSelector"));
    selector::selector(errors, &path.child("namespaceSelector"), get(term, "namespaceSelector"));
    for namespace in items(term, "namespaces").iter().filter_map(Value::as_str) {
        errors.invalid_each(&path.child("namespace"), namespace, names::dns_label(namespace));
    }
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        match_label_keys(errors, &path.child(field), items(term, field), get(term, "labelSelector"), false);
    }
    let key = text(term, "topologyKey");
    let key_path = path.child("topologyKey");
    if key.is_empty() {
        errors.required(&key_path, "can not be empty");
    }
    selector::label_key(errors, &key_path, key);
}
