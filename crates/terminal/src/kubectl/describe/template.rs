//! A Pod template, and what templates and Pods share: selectors of nodes, tolerations, spread constraints.
//!
//! Source: `describe.go` (`DescribePodTemplate`, `printPodTolerationsMultiline`, `describeTopologySpreadConstraints`).

use super::sheet::text;
use super::{Sheet, containers, volumes};
use api::columns::label_selector;
use values::sort::sort_by_key;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, template: &Value) {
    sheet.line("Pod Template:");
    sheet.map("  Labels", template.at("metadata.labels"));
    if template.map_at("metadata.annotations").is_some_and(|a| !a.is_empty()) {
        sheet.annotations("  Annotations", template.at("metadata.annotations"));
    }
    let spec = template.at("spec");
    sheet.text_if("  Service Account", spec, "serviceAccountName");
    if !spec.list_at("initContainers").is_empty() {
        containers::describe(sheet, "Init Containers", spec.list_at("initContainers"), None, "  ");
    }
    containers::describe(sheet, "Containers", spec.list_at("containers"), None, "  ");
    volumes::describe(sheet, spec.list_at("volumes"), "  ");
    spread(sheet, spec, "  ");
    sheet.text_if("  Priority Class Name", spec, "priorityClassName");
    sheet.map("  Node-Selectors", spec.at("nodeSelector"));
    tolerations(sheet, "  Tolerations", spec);
}

pub fn tolerations(sheet: &mut Sheet, title: &str, spec: &Value) {
    let mut tolerations: Vec<&Value> = spec.list_at("tolerations").iter().collect();
    sort_by_key(&mut tolerations, |t| text(t, "key"));
    sheet.column(title, tolerations.into_iter().map(toleration).collect());
}

/// `node.kubernetes.io/not-ready:NoExecute op=Exists for 300s`
fn toleration(toleration: &Value) -> String {
    let (key, value, effect) = (text(toleration, "key"), text(toleration, "value"), text(toleration, "effect"));
    let mut line = key.to_owned();
    if !value.is_empty() {
        line += &format!("={value}");
    }
    if !effect.is_empty() {
        line += &format!(":{effect}");
    }
    if text(toleration, "operator") == "Exists" && value.is_empty() {
        line += if line.is_empty() { "op=Exists" } else { " op=Exists" };
    }
    if let Some(seconds) = toleration.i64_at("tolerationSeconds") {
        line += &format!(" for {seconds}s");
    }
    line
}

pub fn spread(sheet: &mut Sheet, spec: &Value, space: &str) {
    let mut constraints: Vec<&Value> = spec.list_at("topologySpreadConstraints").iter().collect();
    if constraints.is_empty() {
        return;
    }
    sort_by_key(&mut constraints, |c| text(c, "topologyKey"));
    let line = |constraint: &Value| {
        let selector = constraint.at("labelSelector");
        let chosen =
            if selector.is_null() { String::new() } else { format!(" for selector {}", label_selector(selector)) };
        format!(
            "{}:{} when max skew {} is exceeded{chosen}",
            text(constraint, "topologyKey"),
            text(constraint, "whenUnsatisfiable"),
            constraint.i64_at("maxSkew").unwrap_or(0)
        )
    };
    sheet.column(&format!("{space}Topology Spread Constraints"), constraints.into_iter().map(line).collect());
}
