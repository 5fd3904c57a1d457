//! A Service (`describeService`), with the addresses of its ready endpoints.

use super::sheet::{number, text};
use super::{Context, Sheet};
use api::columns::label_map;
use api::kind::Kind;
use values::value::Value;

/// Addresses that are listed before the rest is only counted.
const LISTED_MAX: usize = 3;

pub fn describe(sheet: &mut Sheet, value: &Value, context: &Context<'_>) {
    let spec = value.at("spec");
    let list = |field: &str| -> Vec<&str> { spec.list_at(field).iter().filter_map(Value::as_str).collect() };
    sheet.names(value);
    sheet.labels_and_annotations(value);
    sheet.row("Selector", label_map(spec.at("selector")));
    sheet.row("Type", text(spec, "type"));
    sheet.text_if("IP Family Policy", spec, "ipFamilyPolicy");
    if !list("ipFamilies").is_empty() {
        sheet.row("IP Families", list("ipFamilies").join(","));
    }
    sheet.row("IP", text(spec, "clusterIP"));
    let ips = list("clusterIPs");
    sheet.row("IPs", if ips.is_empty() { "<none>".to_owned() } else { ips.join(",") });
    if !list("externalIPs").is_empty() {
        sheet.row("External IPs", list("externalIPs").join(","));
    }
    sheet.text_if("External Name", spec, "externalName");
    for port in spec.list_at("ports") {
        let name = Some(text(port, "name")).filter(|n| !n.is_empty()).unwrap_or("<unset>");
        let (protocol, target) = (text(port, "protocol"), port.at("targetPort"));
        sheet.row("Port", format!("{name}\t{}/{protocol}", number(port, "port")));
        let target = target.as_str().map_or_else(|| target.to_json(), str::to_owned);
        sheet.row("TargetPort", format!("{target}/{protocol}"));
        if number(port, "nodePort") != 0 {
            sheet.row("NodePort", format!("{name}\t{}/{protocol}", number(port, "nodePort")));
        }
        sheet.row("Endpoints", endpoints(value, text(port, "name"), context));
    }
    sheet.row("Session Affinity", text(spec, "sessionAffinity"));
    sheet.text_if("External Traffic Policy", spec, "externalTrafficPolicy");
    sheet.text_if("Internal Traffic Policy", spec, "internalTrafficPolicy");
}

/// The addresses behind a port: from the Service's slices, or from its Endpoints where there are no slices.
fn endpoints(service: &Value, port: &str, context: &Context<'_>) -> String {
    let (namespace, name) = (text(service, "metadata.namespace"), text(service, "metadata.name"));
    let slices = context.store.list_in(Kind::EndpointSlice, namespace);
    let of_service =
        |slice: &Value| slice.at("metadata.labels").at_keys(["kubernetes.io/service-name"]).as_str() == Some(name);
    let slices: Vec<&Value> = slices.map(|slice| slice.value()).filter(|slice| of_service(slice)).collect();
    let mut addresses = Vec::new();
    for slice in &slices {
        let number = number_of(slice.list_at("ports"), port);
        let ready = slice.list_at("endpoints").iter().filter(|e| e.bool_at("conditions.ready") != Some(false));
        let ips = ready.filter_map(|e| e.list_at("addresses").first().and_then(Value::as_str));
        addresses.extend(ips.map(|ip| with_port(ip, number)));
    }
    if slices.is_empty() {
        let Some(old) = context.store.find(Kind::Endpoints, namespace, name) else { return "<none>".to_owned() };
        for subset in old.value().list_at("subsets") {
            let number = number_of(subset.list_at("ports"), port);
            let ips = subset.list_at("addresses").iter().map(|a| text(a, "ip"));
            addresses.extend(ips.map(|ip| with_port(ip, number)));
        }
    }
    let listed = addresses[..addresses.len().min(LISTED_MAX)].join(",");
    match addresses.len().checked_sub(LISTED_MAX) {
        Some(more) if more > 0 => format!("{listed} + {more} more..."),
        _ => listed,
    }
}

fn number_of(ports: &[Value], name: &str) -> Option<i64> {
    ports.iter().find(|p| text(p, "name") == name).and_then(|p| p.i64_at("port"))
}

fn with_port(ip: &str, port: Option<i64>) -> String {
    port.map_or_else(|| ip.to_owned(), |port| format!("{ip}:{port}"))
}

/// Endpoints (`EndpointsDescriber`).
pub fn of_endpoints(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    sheet.labels_and_annotations(value);
    sheet.line("Subsets:");
    for subset in value.list_at("subsets") {
        let addresses = |field: &str| {
            let ips: Vec<&str> = subset.list_at(field).iter().filter_map(|address| address.str_at("ip")).collect();
            if ips.is_empty() { "<none>".to_owned() } else { ips.join(",") }
        };
        sheet.row("  Addresses", addresses("addresses"));
        sheet.row("  NotReadyAddresses", addresses("notReadyAddresses"));
        if !subset.list_at("ports").is_empty() {
            sheet.line("  Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------");
            for port in subset.list_at("ports") {
                let name = port.str_at("name").filter(|name| !name.is_empty()).unwrap_or("<unset>");
                let number = port.i64_at("port").unwrap_or_default();
                sheet.line(&format!("    {name}\t{number}\t{}", port.str_at("protocol").unwrap_or_default()));
            }
        }
        sheet.line("");
    }
}
