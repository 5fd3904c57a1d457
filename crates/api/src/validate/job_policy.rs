//! A Job's podFailurePolicy and successPolicy.
//!
//! Rules and texts: `docs/semantics/validation.md` §2. Source: `pkg/apis/batch/validation/validation.go`.

use values::value::Value;

use super::field::{Errors, Path};
use super::read::{get, int, items, set, text};
use super::{indexes, names};

const MAX_RULES: usize = 20;
const MAX_POD_CONDITIONS: usize = 20;
const MAX_EXIT_CODES: usize = 255;
const MAX_SUCCEEDED_INDEXES: usize = 64 * 1024;
const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: &[&str] = &["In", "NotIn"];
const STATUSES: &[&str] = &["False", "True", "Unknown"];

/// Checks a podFailurePolicy.
pub fn failure(errors: &mut Errors, path: &Path<'_>, policy: &Value, spec: &Value) {
    let rules = items(policy, "rules");
    let path = path.child("rules");
    if rules.len() > MAX_RULES {
        errors.too_many(&path, rules.len(), MAX_RULES);
    }
    for (i, rule) in rules.iter().enumerate() {
        failure_rule(errors, &path.index(i), rule, spec);
    }
}

fn failure_rule(errors: &mut Errors, path: &Path<'_>, rule: &Value, spec: &Value) {
    let action_path = path.child("action");
    match text(rule, "action") {
        "FailIndex" if int(spec, "backoffLimitPerIndex").is_none() => {
            errors.invalid(&action_path, "FailIndex", "requires the backoffLimitPerIndex to be set");
        }
        action => one_of(errors, &action_path, action, ACTIONS),
    }
    let exit_codes = set(rule, "onExitCodes");
    let conditions = items(rule, "onPodConditions");
    if let Some(codes) = exit_codes {
        on_exit_codes(errors, &path.child("onExitCodes"), codes, spec);
    }
    on_pod_conditions(errors, &path.child("onPodConditions"), conditions);
    match (exit_codes.is_some(), !conditions.is_empty()) {
        (true, true) => {
            errors.invalid_omitted(path, "specifying both OnExitCodes and OnPodConditions is not supported");
        }
        (false, false) => {
            errors.invalid_omitted(path, "specifying one of OnExitCodes and OnPodConditions is required");
        }
        _ => {}
    }
}

/// An empty value is required, another one unsupported.
fn one_of(errors: &mut Errors, path: &Path<'_>, value: &str, supported: &[&str]) {
    if value.is_empty() {
        let list: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        errors.required(path, &format!("valid values: [{}]", list.join(" ")));
    } else if !supported.contains(&value) {
        errors.unsupported(path, value, supported);
    }
}

fn on_exit_codes(errors: &mut Errors, path: &Path<'_>, codes: &Value, spec: &Value) {
    let operator = text(codes, "operator");
    one_of(errors, &path.child("operator"), operator, OPERATORS);
    if let Some(name) = set(codes, "containerName").and_then(Value::as_str) {
        let pod = spec.at("template.spec");
        let mut containers = items(pod, "containers").iter().chain(items(pod, "initContainers"));
        if !containers.any(|container| text(container, "name") == name) {
            let detail = "must be one of the container or initContainer names in the pod template";
            errors.invalid(&path.child("containerName"), name, detail);
        }
    }
    let values_path = path.child("values");
    let values: Vec<i64> = items(codes, "values").iter().filter_map(Value::as_i64).collect();
    if values.is_empty() {
        errors.invalid(&values_path, get(codes, "values"), "at least one value is required");
    } else if values.len() > MAX_EXIT_CODES {
        errors.too_many(&values_path, values.len(), MAX_EXIT_CODES);
    }
    for (i, value) in values.iter().enumerate() {
        let path = values_path.index(i);
        if operator == "In" && *value == 0 {
            errors.invalid(&path, *value, "must not be 0 for the In operator");
        }
        if values[..i].contains(value) {
            errors.duplicate(&path, *value);
        }
    }
    if !values.is_sorted() {
        errors.invalid(&values_path, get(codes, "values"), "must be ordered");
    }
}

fn on_pod_conditions(errors: &mut Errors, path: &Path<'_>, conditions: &[Value]) {
    if conditions.len() > MAX_POD_CONDITIONS {
        errors.too_many(path, conditions.len(), MAX_POD_CONDITIONS);
    }
    for (i, condition) in conditions.iter().enumerate() {
        let path = path.index(i);
        let kind = text(condition, "type");
        errors.invalid_each(&path.child("type"), kind, names::qualified_name(kind));
        one_of(errors, &path.child("status"), text(condition, "status"), STATUSES);
    }
}

/// Checks the successPolicy of an Indexed Job.
pub fn success(errors: &mut Errors, path: &Path<'_>, policy: &Value, completions: i64) {
    let rules = items(policy, "rules");
    let path = path.child("rules");
    if rules.is_empty() {
        errors.required(&path, "at least one rules must be specified when the successPolicy is specified");
    }
    if rules.len() > MAX_RULES {
        errors.too_many(&path, rules.len(), MAX_RULES);
    }
    for (i, rule) in rules.iter().enumerate() {
        success_rule(errors, &path.index(i), rule, completions);
    }
}

fn success_rule(errors: &mut Errors, path: &Path<'_>, rule: &Value, completions: i64) {
    let list = set(rule, "succeededIndexes").and_then(Value::as_str);
    let count = int(rule, "succeededCount");
    if list.is_none() && count.is_none() {
        errors.required(path, "at least one of succeededCount or succeededIndexes must be specified");
    }
    let mut total = 0;
    if let Some(list) = list {
        let path = path.child("succeededIndexes");
        if list.len() > MAX_SUCCEEDED_INDEXES {
            errors.too_long(&path, MAX_SUCCEEDED_INDEXES);
        }
        match indexes::count(list, completions) {
            Ok(count) => total = count,
            Err(why) => errors.invalid(&path, list, &format!("error parsing succeededIndexes: {why}")),
        }
    }
    let Some(count) = count else { return };
    let path = path.child("succeededCount");
    errors.non_negative(&path, Some(count));
    if count > completions {
        let detail = format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.invalid(&path, count, &detail);
    }
    if list.is_some() && count > total {
        let detail = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.invalid(&path, count, &detail);
    }
}
