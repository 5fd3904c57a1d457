//! ReplicaSets and Deployments.
//!
//! Source: `pkg/apis/apps/validation/validation.go`, `pkg/registry/apps/{replicaset,deployment}/strategy.go`.

use values::value::Value;

use super::field::{Errors, Path};
use super::meta::{self, immutable};
use super::read::{get, int, set, text};
use super::{go_form, names, pod, selector};

const SPEC: Path<'static> = Path::root("spec");

/// Checks a new ReplicaSet.
pub fn replica_set(errors: &mut Errors, object: &Value) {
    meta::create(errors, object, true, names::dns_subdomain);
    replica_set_spec(errors, get(object, "spec"));
}

/// Checks a changed ReplicaSet.
pub fn replica_set_update(errors: &mut Errors, new: &Value, old: &Value) {
    replica_set(errors, new);
    meta::update(errors, new, old);
    replica_set_spec(errors, get(new, "spec"));
    immutable(errors, &SPEC.child("selector"), new.at("spec.selector"), old.at("spec.selector"));
}

fn replica_set_spec(errors: &mut Errors, spec: &Value) {
    errors.non_negative(&SPEC.child("replicas"), int(spec, "replicas"));
    errors.non_negative(&SPEC.child("minReadySeconds"), int(spec, "minReadySeconds"));
    selector_and_template(errors, spec);
}

/// Checks a new Deployment.
pub fn deployment(errors: &mut Errors, object: &Value) {
    meta::create(errors, object, true, names::dns_subdomain);
    deployment_spec(errors, get(object, "spec"));
}

/// Checks a changed Deployment.
pub fn deployment_update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    deployment_spec(errors, get(new, "spec"));
    immutable(errors, &SPEC.child("selector"), new.at("spec.selector"), old.at("spec.selector"));
}

fn deployment_spec(errors: &mut Errors, spec: &Value) {
    errors.non_negative(&SPEC.child("replicas"), int(spec, "replicas"));
    selector_and_template(errors, spec);
    strategy(errors, get(spec, "strategy"));
    for field in ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        errors.non_negative(&SPEC.child(field), int(spec, field));
    }
    let ready = int(spec, "minReadySeconds").unwrap_or(0);
    if let Some(deadline) = int(spec, "progressDeadlineSeconds").filter(|deadline| *deadline <= ready) {
        errors.invalid(&SPEC.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds");
    }
}

/// Checks what all workloads have: a selector that matches the template, and a template that restarts.
pub(super) fn selector_and_template(errors: &mut Errors, spec: &Value) {
    let own = get(spec, "selector");
    let path = SPEC.child("selector");
    if own.is_null() {
        errors.required(&path, "");
    } else {
        selector::selector(errors, &path, own);
        if selector::is_empty(own) {
            errors.invalid(&path, own, "empty selector is invalid for deployment");
        }
    }
    if !own.is_null() && !selector::is_usable(own) {
        return errors.invalid(&path, own, "invalid label selector");
    }
    let template_path = SPEC.child("template");
    let labels = spec.at("template.metadata.labels");
    if !selector::matches(own, labels) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&template_path.child("metadata.labels"), labels, detail);
    }
    let template = get(spec, "template");
    pod::template(errors, &template_path, template);
    let pod_spec = get(template, "spec");
    let policy = text(pod_spec, "restartPolicy");
    if policy != "Always" {
        errors.unsupported(&template_path.child("spec.restartPolicy"), policy, &["Always"]);
    }
    if set(pod_spec, "activeDeadlineSeconds").is_some() {
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        errors.forbidden(&template_path.child("spec.activeDeadlineSeconds"), detail);
    }
}

fn strategy(errors: &mut Errors, strategy: &Value) {
    let path = SPEC.child("strategy");
    let rolling_path = path.child("rollingUpdate");
    let rolling = set(strategy, "rollingUpdate");
    match (text(strategy, "type"), rolling) {
        ("Recreate", Some(_)) => {
            errors.forbidden(&rolling_path, "may not be specified when strategy `type` is 'Recreate'");
        }
        ("RollingUpdate", None) => errors.required(&rolling_path, "this should be defaulted and never be nil"),
        ("RollingUpdate", Some(rolling)) => rolling_update(errors, &rolling_path, rolling),
        ("Recreate", None) => {}
        _ => {
            let shown = go_form::shown("DeploymentStrategy", strategy);
            errors.unsupported(&path, shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

fn rolling_update(errors: &mut Errors, path: &Path<'_>, rolling: &Value) {
    let (unavailable, surge) = (get(rolling, "maxUnavailable"), get(rolling, "maxSurge"));
    let unavailable_path = path.child("maxUnavailable");
    number_or_percent(errors, &unavailable_path, unavailable);
    number_or_percent(errors, &path.child("maxSurge"), surge);
    if amount(unavailable) == 0 && amount(surge) == 0 {
        errors.invalid(&unavailable_path, unavailable, "may not be 0 when `maxSurge` is 0");
    }
    if unavailable.as_str().is_some() && amount(unavailable) > 100 {
        errors.invalid(&unavailable_path, unavailable, "must not be greater than 100%");
    }
}

fn number_or_percent(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    match value.as_str() {
        Some(text) => errors.invalid_each(path, text, names::percent(text)),
        None => errors.non_negative(path, value.as_i64()),
    }
}

fn amount(value: &Value) -> i64 {
    let percent = |text: &str| text.trim_end_matches('%').parse().ok();
    value.as_i64().or_else(|| value.as_str().and_then(percent)).unwrap_or(0)
}
