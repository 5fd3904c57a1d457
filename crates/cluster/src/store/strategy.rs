//! What the API server itself changes in an object that is written.
//!
//! Source: `pkg/registry/*/strategy.go` (`PrepareForUpdate`), `pkg/registry/core/pod/storage` (binding, eviction). What
//! creation adds is in `api::defaults::create`.

use api::kind::Kind;
use values::object;
use values::time::SimTime;
use values::value::{Text, Value};

/// Raises the generation when the spec changed.
pub(super) fn prepare_for_update(kind: Kind, value: &mut Value, current: &Value) {
    if kind.info().has_generation && value.at("spec") != current.at("spec") {
        value.set("metadata.generation", current.i64_at("metadata.generation").unwrap_or(0) + 1);
    }
}

/// Sets one of a Pod's conditions; the transition time moves only with the status.
pub(super) fn set_pod_condition(
    value: &mut Value,
    kind: &'static str,
    status: &'static str,
    now: SimTime,
    reason: &str,
    message: &str,
) {
    let mut conditions = value.list_at("status.conditions").to_vec();
    let old = conditions.iter().position(|c| c.str_at("type") == Some(kind));
    let since = old
        .map(|i| &conditions[i])
        .filter(|c| c.str_at("status") == Some(status))
        .map(|c| c.at("lastTransitionTime").clone());
    let mut condition = object! {
        "type" => Text::Known(kind), "status" => Text::Known(status), "lastProbeTime" => Value::Null,
        "lastTransitionTime" => since.unwrap_or_else(|| now.into()),
    };
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition.set(field, text);
        }
    }
    match old {
        Some(i) => conditions[i] = condition,
        None => conditions.push(condition),
    }
    value.set("status.conditions", conditions);
}
