//! A Deployment (`describeDeployment`).

use super::replica_set::conditions;
use super::sheet::{number, text, time_or_zero};
use super::{Context, Sheet, template};
use api::columns::label_selector;
use api::kind::Kind;
use api::object::Object;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, object: &Object, context: &Context<'_>) {
    let value = object.value();
    sheet.names(value);
    sheet.row("CreationTimestamp", time_or_zero(value, "metadata.creationTimestamp"));
    sheet.labels_and_annotations(value);
    sheet.row("Selector", label_selector(value.at("spec.selector")));
    sheet.row(
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            number(value, "spec.replicas"),
            number(value, "status.updatedReplicas"),
            number(value, "status.replicas"),
            number(value, "status.availableReplicas"),
            number(value, "status.unavailableReplicas")
        ),
    );
    sheet.row("StrategyType", text(value, "spec.strategy.type"));
    sheet.row("MinReadySeconds", number(value, "spec.minReadySeconds"));
    if let rolling @ Value::Map(_) = value.at("spec.strategy.rollingUpdate") {
        let amount =
            |field: &str| rolling.at(field).as_str().map_or_else(|| rolling.at(field).to_json(), str::to_owned);
        let (unavailable, surge) = (amount("maxUnavailable"), amount("maxSurge"));
        sheet.row("RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    template::describe(sheet, value.at("spec.template"));
    conditions(sheet, value);
    let sets = context.store.owned_by(object.uid()).filter(|o| o.kind() == Kind::ReplicaSet);
    let (new, old): (Vec<&Value>, Vec<&Value>) = sets.map(|set| set.value()).partition(|set| is_new(set, value));
    sheet.row("OldReplicaSets", replica_sets(&old));
    sheet.row("NewReplicaSet", replica_sets(&new));
}

/// True if the set's template is the Deployment's, but for the hash the controller put into it.
fn is_new(set: &Value, deployment: &Value) -> bool {
    let mut template = set.at("spec.template").clone();
    if let Some(labels) = template.at_mut("metadata.labels") {
        labels.map_mut().remove("pod-template-hash");
    }
    template == *deployment.at("spec.template")
}

fn replica_sets(sets: &[&Value]) -> String {
    let line = |set: &&Value| {
        let (created, wanted) = (number(set, "status.replicas"), number(set, "spec.replicas"));
        format!("{} ({created}/{wanted} replicas created)", text(set, "metadata.name"))
    };
    if sets.is_empty() { "<none>".to_owned() } else { sets.iter().map(line).collect::<Vec<_>>().join(", ") }
}
