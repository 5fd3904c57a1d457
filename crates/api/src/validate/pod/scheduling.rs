//! Tolerations, scheduling gates, topology spread.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateTolerations`, `validateSchedulingGates`,
//! `validateTopologySpreadConstraints`).

use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::read::{entries, get, int, items, set, text};
use super::super::{go_form, names, selector};

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Checks `spec.tolerations`.
pub fn tolerations(errors: &mut Errors, path: &Path<'_>, tolerations: &[Value]) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let path = path.index(i);
        let (key, operator) = (text(toleration, "key"), text(toleration, "operator"));
        let (value, effect) = (text(toleration, "value"), text(toleration, "effect"));
        let operator_path = path.child("operator");
        if !key.is_empty() {
            selector::label_key(errors, &path.child("key"), key);
        }
        if key.is_empty() && operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&operator_path, operator, detail);
        }
        if int(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&path.child("effect"), effect, detail);
        }
        match operator {
            "" | "Equal" => {
                let messages = names::label_value(value);
                if !messages.is_empty() {
                    errors.invalid(&operator_path, value, &messages.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let shown = go_form::shown("Toleration", toleration);
                    errors.invalid(&operator_path, shown, "value must be empty when `operator` is 'Exists'");
                }
            }
            other => errors.unsupported(&operator_path, other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            taint_effect(errors, &path.child("effect"), effect);
        }
    }
}

/// Checks the effect of a taint or toleration.
pub fn taint_effect(errors: &mut Errors, path: &Path<'_>, effect: &str) {
    if effect.is_empty() {
        errors.required(path, "");
    } else if !EFFECTS.contains(&effect) {
        errors.unsupported(path, effect, EFFECTS);
    }
}

/// Checks `spec.schedulingGates`.
pub fn gates(errors: &mut Errors, path: &Path<'_>, gates: &[Value]) {
    for (i, gate) in gates.iter().enumerate() {
        let path = path.index(i);
        let name = text(gate, "name");
        errors.invalid_each(&path, name, names::qualified_name(name));
        if gates[..i].iter().any(|other| text(other, "name") == name) {
            errors.duplicate(&path, name);
        }
    }
}

/// Checks `spec.topologySpreadConstraints`.
pub fn spread(errors: &mut Errors, path: &Path<'_>, constraints: &[Value]) {
    for (i, constraint) in constraints.iter().enumerate() {
        let path = path.index(i);
        let (key, action) = (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"));
        let skew = int(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            errors.invalid(&path.child("maxSkew"), skew, "must be greater than zero");
        }
        match key {
            "" => errors.required(&path.child("topologyKey"), "can not be empty"),
            key => selector::label_key(errors, &path.child("topologyKey"), key),
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&action) {
            errors.unsupported(&path.child("whenUnsatisfiable"), action, &actions);
        }
        let same = |other: &&Value| text(other, "topologyKey") == key && text(other, "whenUnsatisfiable") == action;
        if constraints[i + 1..].iter().any(|other| same(&other)) {
            let pair = format!("{{{key}, {action}}}");
            errors.duplicate(&path.child("{topologyKey, whenUnsatisfiable}"), pair.as_str());
        }
        if let Some(domains) = int(constraint, "minDomains") {
            let path = path.child("minDomains");
            if domains <= 0 {
                errors.invalid(&path, domains, "must be greater than zero");
            }
            if action != "DoNotSchedule" {
                let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                errors.invalid(&path, domains, &detail);
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let policy = set(constraint, field).and_then(Value::as_str);
            if let Some(policy) = policy.filter(|policy| !["Honor", "Ignore"].contains(policy)) {
                errors.unsupported(&path.child(field), policy, &["Honor", "Ignore"]);
            }
        }
        let label_selector = get(constraint, "labelSelector");
        let keys = items(constraint, "matchLabelKeys");
        match_label_keys(errors, &path.child("matchLabelKeys"), keys, label_selector, true);
        selector::selector(errors, &path.child("labelSelector"), label_selector);
    }
}

/// Keys whose values are taken from the Pod's own labels. `distinct` from those of the selector.
pub fn match_label_keys(errors: &mut Errors, path: &Path<'_>, keys: &[Value], label_selector: &Value, distinct: bool) {
    if keys.is_empty() {
        return;
    }
    if label_selector.is_null() {
        errors.forbidden(path, "must not be specified when labelSelector is not set");
        if !distinct {
            return;
        }
    }
    for (i, key) in keys.iter().filter_map(Value::as_str).enumerate() {
        let path = path.index(i);
        selector::label_key(errors, &path, key);
        let in_labels = entries(label_selector, "matchLabels").any(|(label, _)| label == key);
        let in_expressions = items(label_selector, "matchExpressions").iter().any(|e| text(e, "key") == key);
        if distinct && (in_labels || in_expressions) {
            errors.invalid(&path, key, "exists in both matchLabelKeys and labelSelector");
        }
    }
}
