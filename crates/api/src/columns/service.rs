//! Services (`printService`).

use super::cells::{NONE, age, map, name, text};
use super::{Column, column, wide};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Type"),
    column("Cluster-IP"),
    column("External-IP"),
    column("Port(s)"),
    column("Age"),
    wide("Selector"),
];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let first_ip = value.list_at("spec.clusterIPs").first().and_then(Value::as_str);
    let cluster_ip = first_ip.or_else(|| value.str_at("spec.clusterIP")).filter(|ip| !ip.is_empty());
    vec![
        name(value),
        text(value, "spec.type"),
        cluster_ip.unwrap_or(NONE).to_owned(),
        external_ip(value),
        ports(value.list_at("spec.ports")),
        age(value, now),
        map(value.at("spec.selector")),
    ]
}

fn external_ip(value: &Value) -> String {
    let mut external: Vec<&str> = value.list_at("spec.externalIPs").iter().filter_map(Value::as_str).collect();
    match value.str_at("spec.type").unwrap_or_default() {
        "ExternalName" => text(value, "spec.externalName"),
        "LoadBalancer" => {
            let ingress = value.list_at("status.loadBalancer.ingress").iter();
            let mut balanced: Vec<&str> =
                ingress.filter_map(|i| i.str_at("ip").or_else(|| i.str_at("hostname"))).collect();
            balanced.append(&mut external);
            if balanced.is_empty() { "<pending>".to_owned() } else { balanced.join(",") }
        }
        "ClusterIP" | "NodePort" if external.is_empty() => NONE.to_owned(),
        "ClusterIP" | "NodePort" => external.join(","),
        _ => "<unknown>".to_owned(),
    }
}

/// `80/TCP,443:30443/TCP`
fn ports(ports: &[Value]) -> String {
    let one = |port: &Value| {
        let (number, protocol) = (port.i64_at("port").unwrap_or(0), port.str_at("protocol").unwrap_or_default());
        match port.i64_at("nodePort").unwrap_or(0) {
            0 => format!("{number}/{protocol}"),
            node => format!("{number}:{node}/{protocol}"),
        }
    };
    if ports.is_empty() { NONE.to_owned() } else { ports.iter().map(one).collect::<Vec<_>>().join(",") }
}
