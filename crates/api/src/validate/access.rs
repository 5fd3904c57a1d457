//! Kinds that stand beside Jobs: access rules, budgets, classes of storage, StatefulSets, DaemonSets, and those that are
//! only kept, of which the metadata are checked.
//!
//! Source: `pkg/apis/{rbac,policy,storage,apps}/validation/validation.go`.

use values::object;
use values::value::Value;

use super::field::{Errors, Path};
use super::meta::{self, immutable};
use super::misc::plain;
use super::names;
use super::read::{get, int, items, text};
use super::workload::selector_and_template;
use crate::kind::Kind;

const SPEC: Path<'static> = Path::root("spec");

/// Checks a new object of one of these kinds.
pub fn create(errors: &mut Errors, kind: Kind, object: &Value) {
    let namespaced = kind.info().namespaced;
    match kind {
        Kind::Role | Kind::ClusterRole => {
            meta::create(errors, object, namespaced, path_segment);
            rules(errors, object);
        }
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            meta::create(errors, object, namespaced, path_segment);
            binding(errors, kind, object);
        }
        Kind::PodDisruptionBudget => {
            plain(errors, object, namespaced);
            budget(errors, get(object, "spec"));
        }
        Kind::StorageClass => {
            plain(errors, object, namespaced);
            if text(object, "provisioner").is_empty() {
                errors.required(&Path::root("provisioner"), "");
            }
        }
        Kind::StatefulSet | Kind::DaemonSet => {
            meta::create(errors, object, namespaced, names::dns_subdomain);
            workload(errors, &with_claims(get(object, "spec")));
        }
        _ => plain(errors, object, namespaced),
    }
}

/// Checks a change of such an object.
pub fn update(errors: &mut Errors, kind: Kind, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    match kind {
        Kind::Role | Kind::ClusterRole => rules(errors, new),
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            binding(errors, kind, new);
            if new.at("roleRef") != old.at("roleRef") {
                errors.invalid(&Path::root("roleRef"), new.at("roleRef"), "cannot change roleRef");
            }
        }
        Kind::PodDisruptionBudget => budget(errors, get(new, "spec")),
        Kind::StorageClass => {
            for field in ["parameters", "provisioner"] {
                if new.at(field) != old.at(field) {
                    errors.forbidden(&Path::root(field), &format!("updates to {field} are forbidden."));
                }
            }
            for field in ["reclaimPolicy", "volumeBindingMode"] {
                immutable(errors, &Path::root(field), new.at(field), old.at(field));
            }
        }
        Kind::StatefulSet => {
            workload(errors, &with_claims(get(new, "spec")));
            let fixed = ["selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"];
            if fixed.iter().any(|field| new.at("spec").at(field) != old.at("spec").at(field)) {
                errors.forbidden(
                    &SPEC,
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                     'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                     'minReadySeconds' are forbidden",
                );
            }
        }
        Kind::DaemonSet => {
            workload(errors, get(new, "spec"));
            immutable(errors, &SPEC.child("selector"), new.at("spec.selector"), old.at("spec.selector"));
        }
        _ => {}
    }
}

/// Names of access rules may hold what stands in an address.
fn path_segment(name: &str) -> Vec<String> {
    match name {
        "." | ".." => vec![format!("may not be '{name}'")],
        _ => ["/", "%"].iter().filter(|c| name.contains(**c)).map(|c| format!("may not contain '{c}'")).collect(),
    }
}

fn rules(errors: &mut Errors, object: &Value) {
    let list = Path::root("rules");
    for (i, rule) in items(object, "rules").iter().enumerate() {
        let path = list.index(i);
        if rule.list_at("verbs").is_empty() {
            errors.required(&path.child("verbs"), "verbs must contain at least one value");
        }
        if !rule.list_at("nonResourceURLs").is_empty() {
            continue;
        }
        if rule.list_at("apiGroups").is_empty() {
            errors.required(&path.child("apiGroups"), "resource rules must supply at least one api group");
        }
        if rule.list_at("resources").is_empty() {
            errors.required(&path.child("resources"), "resource rules must supply at least one resource");
        }
    }
}

fn binding(errors: &mut Errors, kind: Kind, object: &Value) {
    let reference = get(object, "roleRef");
    let path = Path::root("roleRef");
    let group = text(reference, "apiGroup");
    if group != "rbac.authorization.k8s.io" {
        errors.unsupported(&path.child("apiGroup"), group, &["rbac.authorization.k8s.io"]);
    }
    let allowed: &[&str] = if kind == Kind::RoleBinding { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !allowed.contains(&text(reference, "kind")) {
        errors.unsupported(&path.child("kind"), text(reference, "kind"), allowed);
    }
    if text(reference, "name").is_empty() {
        errors.required(&path.child("name"), "");
    }
    let list = Path::root("subjects");
    for (i, subject) in items(object, "subjects").iter().enumerate() {
        let path = list.index(i);
        if text(subject, "name").is_empty() {
            errors.required(&path.child("name"), "");
        }
        match text(subject, "kind") {
            "ServiceAccount" if text(subject, "namespace").is_empty() => {
                errors.required(&path.child("namespace"), "");
            }
            "ServiceAccount" | "User" | "Group" => {}
            other => errors.unsupported(&path.child("kind"), other, &["ServiceAccount", "User", "Group"]),
        }
    }
}

fn budget(errors: &mut Errors, spec: &Value) {
    if !spec.at("minAvailable").is_null() && !spec.at("maxUnavailable").is_null() {
        errors.invalid(&SPEC, spec, "minAvailable and maxUnavailable cannot be both set");
    }
    for field in ["minAvailable", "maxUnavailable"] {
        let path = SPEC.child(field);
        match spec.at(field).as_str() {
            Some(text) => errors.invalid_each(&path, text, names::percent(text)),
            None => errors.non_negative(&path, int(spec, field)),
        }
    }
}

/// The spec with the volumes that its claim templates will be.
fn with_claims(spec: &Value) -> Value {
    let mut spec = spec.clone();
    let names = spec.list_at("volumeClaimTemplates").iter().filter_map(|claim| claim.str_at("metadata.name"));
    let claims: Vec<Value> = names
        .map(|name| object! { "name" => name, "persistentVolumeClaim" => object! { "claimName" => name } })
        .collect();
    if !claims.is_empty() {
        let named = |volume: &&Value| claims.iter().all(|claim| claim.at("name") != volume.at("name"));
        let own: Vec<Value> = spec.list_at("template.spec.volumes").iter().filter(named).cloned().collect();
        spec.set("template.spec.volumes", own.into_iter().chain(claims.iter().cloned()).collect::<Vec<Value>>());
    }
    spec
}

fn workload(errors: &mut Errors, spec: &Value) {
    errors.non_negative(&SPEC.child("replicas"), int(spec, "replicas"));
    errors.non_negative(&SPEC.child("minReadySeconds"), int(spec, "minReadySeconds"));
    selector_and_template(errors, spec);
}
