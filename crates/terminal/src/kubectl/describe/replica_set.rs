//! A ReplicaSet (`describeReplicaSet`).

use super::sheet::{number, text};
use super::{Context, Sheet, template};
use api::columns::label_selector;
use api::kind::Kind;
use api::object::Object;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, object: &Object, context: &Context<'_>) {
    let value = object.value();
    sheet.names(value);
    sheet.row("Selector", label_selector(value.at("spec.selector")));
    sheet.labels_and_annotations(value);
    sheet.controlled_by(value);
    let (current, desired) = (number(value, "status.replicas"), number(value, "spec.replicas"));
    sheet.row("Replicas", format!("{current} current / {desired} desired"));
    let count = |phase: &str| {
        let pods = context.store.owned_by(object.uid()).filter(|o| o.kind() == Kind::Pod);
        pods.filter(|pod| pod.meta().is_controlled_by(object.uid()) && pod.pod().status.phase == phase).count()
    };
    sheet.row(
        "Pods Status",
        format!(
            "{} Running / {} Waiting / {} Succeeded / {} Failed",
            count("Running"),
            count("Pending"),
            count("Succeeded"),
            count("Failed")
        ),
    );
    template::describe(sheet, value.at("spec.template"));
    conditions(sheet, value);
}

/// Type, status and reason of each condition.
pub fn conditions(sheet: &mut Sheet, value: &Value) {
    let conditions = value.list_at("status.conditions");
    if conditions.is_empty() {
        return;
    }
    sheet.line("Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------");
    for condition in conditions {
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        sheet.line(&format!("  {kind} \t{status}\t{}", text(condition, "reason")));
    }
}
