//! A Node (`describeNode`), with its Pods and what they ask for.

use super::sheet::{text, time, time_or_zero};
use super::{Context, Sheet};
use api::columns::node_roles;
use api::kind::Kind;
use values::human;
use values::quantity::Quantity;
use values::time::SimTime;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, value: &Value, context: &Context<'_>) {
    let name = text(value, "metadata.name");
    sheet.row("Name", name);
    let roles = node_roles(value);
    sheet.row("Roles", if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") });
    sheet.labels_and_annotations(value);
    sheet.row("CreationTimestamp", time_or_zero(value, "metadata.creationTimestamp"));
    let mut taints: Vec<String> = value.list_at("spec.taints").iter().map(taint).collect();
    taints.sort();
    sheet.column("Taints", taints);
    sheet.row("Unschedulable", value.bool_at("spec.unschedulable").unwrap_or(false));
    lease(sheet, value);
    conditions(sheet, value);
    sheet.line("Addresses:");
    for address in value.list_at("status.addresses") {
        sheet.row(&format!("  {}", text(address, "type")), text(address, "address"));
    }
    for (title, path) in [("Capacity", "status.capacity"), ("Allocatable", "status.allocatable")] {
        sheet.line(&format!("{title}:"));
        for (resource, amount) in value.map_at(path).into_iter().flat_map(|m| m.iter()) {
            sheet.row(&format!("  {resource}"), amount.as_str().unwrap_or_default());
        }
    }
    system_info(sheet, value);
    sheet.text_if("PodCIDR", value, "spec.podCIDR");
    let ranges: Vec<&str> = value.list_at("spec.podCIDRs").iter().filter_map(Value::as_str).collect();
    sheet.row_if("PodCIDRs", Some(ranges.join(",")).filter(|ranges| !ranges.is_empty()));
    sheet.text_if("ProviderID", value, "spec.providerID");
    pods(sheet, value, context);
}

fn taint(taint: &Value) -> String {
    let value = Some(text(taint, "value")).filter(|v| !v.is_empty()).map(|v| format!("={v}")).unwrap_or_default();
    format!("{}{value}:{}", text(taint, "key"), text(taint, "effect"))
}

/// The kubelet renews its lease as often as it says that it is well; leases are no objects here.
fn lease(sheet: &mut Sheet, value: &Value) {
    sheet.line("Lease:");
    sheet.row("  HolderIdentity", text(value, "metadata.name"));
    sheet.row("  AcquireTime", "<unset>");
    let heartbeats = value.list_at("status.conditions").iter().filter_map(|c| c.str_at("lastHeartbeatTime"));
    let last = heartbeats.filter_map(SimTime::parse_rfc3339).max();
    sheet.row("  RenewTime", last.map_or_else(|| "<unset>".to_owned(), super::sheet::long_time));
}

fn conditions(sheet: &mut Sheet, value: &Value) {
    let conditions = value.list_at("status.conditions");
    if conditions.is_empty() {
        return;
    }
    sheet.line("Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    sheet.line("  ----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions {
        let at = |field: &str| time(condition, field).unwrap_or_default();
        sheet.line(&format!(
            "  {} \t{} \t{} \t{} \t{} \t{} ",
            text(condition, "type"),
            text(condition, "status"),
            at("lastHeartbeatTime"),
            at("lastTransitionTime"),
            text(condition, "reason"),
            text(condition, "message")
        ));
    }
}

fn system_info(sheet: &mut Sheet, value: &Value) {
    sheet.line("System Info:");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        sheet.row(&format!("  {title}"), text(value.at("status.nodeInfo"), field));
    }
}

/// A share of what the node has: `500m (25%)`.
fn share(amount: Quantity, of: &Value, resource: &str) -> String {
    let all = of.at_keys([resource]).as_str().and_then(|text| Quantity::parse(text).ok()).map_or(0, Quantity::millis);
    let percent = if all == 0 { 0 } else { i128::from(amount.millis()) * 100 / i128::from(all) };
    format!("{amount} ({percent}%)")
}

fn pods(sheet: &mut Sheet, node: &Value, context: &Context<'_>) {
    let name = text(node, "metadata.name");
    let allocatable = node.at("status.allocatable");
    let on_node = |pod: &Value| text(pod, "spec.nodeName") == name;
    let ended = |pod: &Value| matches!(text(pod, "status.phase"), "Succeeded" | "Failed");
    let all = context.store.list(Kind::Pod).map(|pod| pod.value());
    let pods: Vec<&Value> = all.filter(|pod| on_node(pod) && !ended(pod)).collect();
    sheet.row("Non-terminated Pods", format!("({} in total)", pods.len()));
    sheet.line("  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    sheet.line("  ---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    for pod in &pods {
        let cell = |side: &str, resource: &str| share(asked(pod, side, resource), allocatable, resource);
        let created = pod.str_at("metadata.creationTimestamp").and_then(SimTime::parse_rfc3339);
        sheet.line(&format!(
            "  {}\t{}\t\t{}\t{}\t{}\t{}\t{}",
            text(pod, "metadata.namespace"),
            text(pod, "metadata.name"),
            cell("requests", "cpu"),
            cell("limits", "cpu"),
            cell("requests", "memory"),
            cell("limits", "memory"),
            human::since(created, context.now)
        ));
    }
    sheet.line("Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)");
    sheet.line("  Resource\tRequests\tLimits\n  --------\t--------\t------");
    let huge = allocatable.as_map().into_iter().flat_map(|m| m.keys()).filter(|r| r.starts_with("hugepages-"));
    for resource in ["cpu", "memory", "ephemeral-storage"].into_iter().chain(huge) {
        let sum =
            |side: &str| pods.iter().fold(Quantity::from_units(0), |sum, pod| sum.plus(asked(pod, side, resource)));
        let [requests, limits] = ["requests", "limits"].map(|side| share(sum(side), allocatable, resource));
        sheet.line(&format!("  {resource}\t{requests}\t{limits}"));
    }
}

/// What a Pod asks for: its containers and sidecars together, or its largest init container if that is more.
fn asked(pod: &Value, side: &str, resource: &str) -> Quantity {
    let amount = |container: &Value| {
        let text = container.at_keys(["resources", side, resource]).as_str().unwrap_or("0");
        Quantity::parse(text).unwrap_or_else(|_| Quantity::from_units(0))
    };
    let sidecar = |c: &&Value| text(c, "restartPolicy") == "Always";
    let inits = pod.list_at("spec.initContainers");
    let together = pod.list_at("spec.containers").iter().chain(inits.iter().filter(sidecar));
    let sum = together.fold(Quantity::from_units(0), |sum, container| sum.plus(amount(container)));
    let before = inits.iter().filter(|c| !sidecar(c)).map(amount);
    before.fold(sum, |most, one| if one.millis() > most.millis() { one } else { most })
}
