//! Namespaces, nodes, accounts, priority classes, quotas.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `pkg/apis/scheduling/validation/validation.go`.

use values::value::Value;

use super::field::{Errors, Path};
use super::pod::resources::{amount_of, quantity, resource_name};
use super::pod::{preemption_policy, taint_effect};
use super::read::{entries, get, int, items, same, set, text};
use super::{go_form, meta, names, selector};

const SPEC: Path<'static> = Path::root("spec");
/// Classes above this belong to the system.
const HIGHEST_USER_PRIORITY: i64 = 1_000_000_000;
/// Names without a domain that a quota may count.
const NOT_FOR_QUOTA: &[&str] = &["storage"];

/// Checks a new object of which only the metadata matters.
pub fn plain(errors: &mut Errors, object: &Value, namespaced: bool) {
    meta::create(errors, object, namespaced, names::dns_subdomain);
}

/// Checks a new Namespace.
pub fn namespace(errors: &mut Errors, object: &Value) {
    meta::create(errors, object, false, names::dns_label);
    for finalizer in items(get(object, "spec"), "finalizers").iter().filter_map(Value::as_str) {
        let path = SPEC.child("finalizers");
        errors.invalid_each(&path, finalizer, names::qualified_name(finalizer));
    }
}

/// Checks a node.
pub fn node(errors: &mut Errors, object: &Value) {
    plain(errors, object, false);
    // Upstream's path: taints stand below the metadata.
    let list = Path::root("metadata.taints");
    let taints = items(get(object, "spec"), "taints");
    for (i, taint) in taints.iter().enumerate() {
        let path = list.index(i);
        let (key, value, effect) = (text(taint, "key"), text(taint, "value"), text(taint, "effect"));
        selector::label_key(errors, &path.child("key"), key);
        let messages = names::label_value(value);
        if !messages.is_empty() {
            errors.invalid(&path.child("value"), value, &messages.join(";"));
        }
        taint_effect(errors, &path.child("effect"), effect);
        if taints[..i].iter().any(|other| text(other, "key") == key && text(other, "effect") == effect) {
            errors.duplicate(&path, go_form::shown("Taint", taint));
        }
    }
}

/// Checks a new PriorityClass.
pub fn priority_class(errors: &mut Errors, object: &Value) {
    plain(errors, object, false);
    let name = object.str_at("metadata.name").unwrap_or("");
    let value = int(object, "value").unwrap_or(0);
    let known = [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
    if name.starts_with("system-") {
        let why = match known.iter().find(|(known, _)| *known == name) {
            Some((_, wanted)) if *wanted == value => "",
            Some((_, wanted)) => &format!("value of {name} PriorityClass must be {wanted}"),
            None => &format!("{name} is not a known system priority class"),
        };
        if !why.is_empty() {
            let detail =
                format!("priority class names with 'system-' prefix are reserved for system use only. error: {why}");
            errors.forbidden(&Path::root("metadata.name"), &detail);
        }
    } else if value > HIGHEST_USER_PRIORITY {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}");
        errors.forbidden(&Path::root("value"), &detail);
    }
    if let Some(policy) = set(object, "preemptionPolicy").and_then(Value::as_str) {
        preemption_policy(errors, &Path::root("preemptionPolicy"), policy);
    }
}

/// Checks a changed PriorityClass.
pub fn priority_class_update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    if int(new, "value").unwrap_or(0) != int(old, "value").unwrap_or(0) {
        errors.forbidden(&Path::root("value"), "may not be changed in an update.");
    }
    let path = Path::root("preemptionPolicy");
    meta::immutable(errors, &path, get(new, "preemptionPolicy"), get(old, "preemptionPolicy"));
}

/// Checks a new ResourceQuota.
pub fn quota(errors: &mut Errors, object: &Value) {
    plain(errors, object, true);
    let spec = get(object, "spec");
    let hard = SPEC.child("hard");
    for (name, amount) in entries(spec, "hard") {
        let path = hard.key(name);
        if !name.starts_with("count/") {
            resource_name(errors, &path, name);
            if NOT_FOR_QUOTA.contains(&name) {
                errors.invalid(&path, name, "must be a standard resource for quota");
            }
        }
        if let Some(amount) = quantity(amount) {
            amount_of(errors, &path, name, amount);
        }
    }
    let scopes = ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"];
    for scope in items(spec, "scopes").iter().filter_map(Value::as_str) {
        if !scopes.contains(&scope) && scope != "PriorityClass" && scope != "VolumeAttributesClass" {
            errors.invalid(&SPEC.child("scopes"), get(spec, "scopes"), "unsupported scope");
        }
    }
}

/// Checks a changed ResourceQuota.
pub fn quota_update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    quota(errors, new);
    let (scopes, before) = (new.at("spec.scopes"), old.at("spec.scopes"));
    if !same(scopes, before) {
        errors.invalid(&SPEC.child("scopes"), scopes, super::field::IMMUTABLE);
    }
}
