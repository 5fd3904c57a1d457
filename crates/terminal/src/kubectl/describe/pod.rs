//! A Pod (`describePod`).

use super::sheet::{text, time};
use super::{Sheet, containers, template, volumes};
use values::human;
use values::time::SimTime;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, value: &Value, now: SimTime) {
    sheet.names(value);
    sheet.row_if("Priority", value.i64_at("spec.priority"));
    sheet.text_if("Priority Class Name", value, "spec.priorityClassName");
    sheet.text_if("Runtime Class Name", value, "spec.runtimeClassName");
    sheet.text_if("Service Account", value, "spec.serviceAccountName");
    match text(value, "spec.nodeName") {
        "" => sheet.row("Node", "<none>"),
        node => sheet.row("Node", format!("{node}/{}", text(value, "status.hostIP"))),
    }
    sheet.row_if("Start Time", time(value, "status.startTime"));
    sheet.labels_and_annotations(value);
    status(sheet, value, now);
    sheet.row("IP", text(value, "status.podIP"));
    let ips = value.list_at("status.podIPs");
    if ips.is_empty() {
        sheet.row("IPs", "<none>");
    } else {
        sheet.line("IPs:");
        ips.iter().for_each(|ip| sheet.row("  IP", text(ip, "ip")));
    }
    sheet.controlled_by(value);
    sheet.text_if("NominatedNodeName", value, "status.nominatedNodeName");
    if !value.list_at("spec.initContainers").is_empty() {
        containers::describe(sheet, "Init Containers", value.list_at("spec.initContainers"), Some(value), "");
    }
    containers::describe(sheet, "Containers", value.list_at("spec.containers"), Some(value), "");
    conditions(sheet, value);
    volumes::describe(sheet, value.list_at("spec.volumes"), "");
    sheet.row("QoS Class", text(value, "status.qosClass"));
    sheet.map("Node-Selectors", value.at("spec.nodeSelector"));
    template::tolerations(sheet, "Tolerations", value.at("spec"));
    template::spread(sheet, value.at("spec"), "");
}

fn status(sheet: &mut Sheet, value: &Value, now: SimTime) {
    let deletion = value.str_at("metadata.deletionTimestamp").and_then(SimTime::parse_rfc3339);
    match deletion.filter(|_| text(value, "status.reason") != "NodeLost") {
        Some(deletion) => {
            sheet.row("Status", format!("Terminating (lasts {})", human::human_duration(now.since(deletion))));
            let grace = value.i64_at("metadata.deletionGracePeriodSeconds").unwrap_or(0);
            sheet.row("Termination Grace Period", format!("{grace}s"));
        }
        None => sheet.row("Status", text(value, "status.phase")),
    }
    sheet.text_if("Reason", value, "status.reason");
    sheet.text_if("Message", value, "status.message");
    sheet.text_if("SeccompProfile", value, "spec.securityContext.seccompProfile.type");
}

fn conditions(sheet: &mut Sheet, value: &Value) {
    let conditions = value.list_at("status.conditions");
    let gates = value.list_at("spec.readinessGates");
    if !gates.is_empty() {
        sheet.line("Readiness Gates:\n  Type\tStatus");
        for gate in gates {
            let kind = text(gate, "conditionType");
            let condition = conditions.iter().find(|c| text(c, "type") == kind);
            sheet.line(&format!("  {kind} \t{} ", condition.map_or("<none>", |c| text(c, "status"))));
        }
    }
    if !conditions.is_empty() {
        sheet.line("Conditions:\n  Type\tStatus");
    }
    for condition in conditions {
        sheet.line(&format!("  {} \t{} ", text(condition, "type"), text(condition, "status")));
    }
}
