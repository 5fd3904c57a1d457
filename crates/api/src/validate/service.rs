//! Services.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateService`, `ValidateServiceUpdate`,
//! `ValidateServiceClusterIPsRelatedFields`). Load balancers' own fields are not checked: nothing here serves them.

use values::value::Value;

use super::field::{Errors, Path};
use super::pod::{ip, is_ip, one_of, service_port};
use super::read::{get, int, items, set, text};
use super::{go_form, meta, names, selector};

const SPEC: Path<'static> = Path::root("spec");
const MAX_AFFINITY_SECONDS: i64 = 86_400;

/// Checks a new Service.
pub fn create(errors: &mut Errors, service: &Value) {
    meta::create(errors, service, true, names::dns_1035_label);
    let spec = get(service, "spec");
    let ports = items(spec, "ports");
    let kind = text(spec, "type");
    let headless = is_headless(spec);
    if ports.is_empty() && !headless && kind != "ExternalName" {
        errors.required(&SPEC.child("ports"), "");
    }
    by_type(errors, spec, kind, headless);
    each_port(errors, ports);
    selector::labels(errors, &SPEC.child("selector"), get(spec, "selector"));
    session_affinity(errors, spec);
    cluster_ips(errors, spec, kind);
    let external = SPEC.child("externalIPs");
    for (i, address) in items(spec, "externalIPs").iter().enumerate() {
        ip(errors, &external.index(i), address.as_str().unwrap_or(""));
    }
    one_of(errors, &SPEC.child("type"), kind, &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    repeated_ports(errors, ports, kind);
    policies(errors, spec, kind);
}

/// Checks a changed Service: the address of the cluster stays.
pub fn update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    let (spec, old_spec) = (get(new, "spec"), get(old, "spec"));
    let external = [spec, old_spec].iter().any(|spec| text(spec, "type") == "ExternalName");
    if !external {
        let headless = (is_headless(old_spec), is_headless(spec));
        if headless != (true, true) {
            stays(errors, spec, old_spec, "clusterIPs", "primary clusterIP can not be unset");
        }
        if headless == (false, false) {
            stays(errors, spec, old_spec, "ipFamilies", "primary ipFamily can not be unset");
        }
    }
    create(errors, new);
}

/// The first item of a list of addresses or families, once set, stays; a second may come and go.
fn stays(errors: &mut Errors, spec: &Value, old: &Value, field: &str, unset: &str) {
    let (now, before) = (items(spec, field), items(old, field));
    let list = SPEC.child(field);
    let all = get(spec, field);
    if now.is_empty() && !before.is_empty() {
        return errors.invalid(&list.index(0), all, unset);
    }
    for (i, (now, before)) in now.iter().zip(before).enumerate() {
        if now != before && (i == 0 || items(spec, field).len() == items(old, field).len()) {
            errors.invalid(&list.index(i), all, "may not change once set");
        }
    }
    if before.len() > 1 && now.len() == 1 && text(spec, "ipFamilyPolicy") != "SingleStack" {
        let what = if field == "clusterIPs" { "clusterIP" } else { "ipFamily" };
        let detail = format!("must be set to 'SingleStack' when releasing the secondary {what}");
        errors.invalid(&SPEC.child("ipFamilyPolicy"), get(spec, "ipFamilyPolicy"), &detail);
    }
}

fn is_headless(spec: &Value) -> bool {
    matches!(items(spec, "clusterIPs"), [one] if one.as_str() == Some("None"))
}

fn by_type(errors: &mut Errors, spec: &Value, kind: &str, headless: bool) {
    match kind {
        "LoadBalancer" | "NodePort" if headless => {
            let detail = format!("may not be set to 'None' for {kind} services");
            let path = SPEC.child("clusterIPs");
            errors.invalid(&path.index(0), "None", &detail);
        }
        "ExternalName" => {
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if !get(spec, field).is_empty() {
                    errors.forbidden(&SPEC.child(field), "may not be set for ExternalName services");
                }
            }
            let path = SPEC.child("externalName");
            let written = text(spec, "externalName");
            match written.strip_suffix('.').unwrap_or(written) {
                "" => errors.required(&path, ""),
                host => errors.invalid_each(&path, host, names::dns_subdomain(host)),
            }
        }
        _ => {}
    }
}

fn each_port(errors: &mut Errors, ports: &[Value]) {
    let list = SPEC.child("ports");
    for (i, port) in ports.iter().enumerate() {
        let path = list.index(i);
        let name = text(port, "name");
        if !name.is_empty() {
            errors.invalid_each(&path.child("name"), name, names::dns_label(name));
            if ports[..i].iter().any(|other| text(other, "name") == name) {
                errors.duplicate(&path.child("name"), name);
            }
        } else if ports.len() > 1 {
            errors.required(&path.child("name"), "");
        }
        let number = int(port, "port").unwrap_or(0);
        errors.invalid_each(&path.child("port"), number, names::port_number(number));
        one_of(errors, &path.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
        service_port(errors, &path.child("targetPort"), get(port, "targetPort"));
        if let Some(protocol) = set(port, "appProtocol").and_then(Value::as_str) {
            errors.invalid_each(&path.child("appProtocol"), protocol, names::qualified_name(protocol));
        }
    }
}

fn session_affinity(errors: &mut Errors, spec: &Value) {
    let affinity = text(spec, "sessionAffinity");
    one_of(errors, &SPEC.child("sessionAffinity"), affinity, &["ClientIP", "None"]);
    let path = SPEC.child("sessionAffinityConfig");
    let config = set(spec, "sessionAffinityConfig");
    match (affinity, config) {
        ("ClientIP", None) => errors.required(&path, "when session affinity type is ClientIP"),
        ("ClientIP", Some(config)) => {
            let seconds = int(get(config, "clientIP"), "timeoutSeconds");
            let path = path.child("clientIP.timeoutSeconds");
            match seconds {
                None => errors.required(&path, "when session affinity type is ClientIP"),
                Some(seconds) if !(1..=MAX_AFFINITY_SECONDS).contains(&seconds) => {
                    let detail = format!("must be greater than 0 and less than {MAX_AFFINITY_SECONDS}");
                    errors.invalid(&path, seconds, &detail);
                }
                Some(_) => {}
            }
        }
        ("None", Some(_)) => errors.forbidden(&path, "must not be set when session affinity is None"),
        _ => {}
    }
}

fn cluster_ips(errors: &mut Errors, spec: &Value, kind: &str) {
    if kind == "ExternalName" {
        return;
    }
    let path = SPEC.child("clusterIPs");
    let all = get(spec, "clusterIPs");
    let addresses: Vec<&str> = items(spec, "clusterIPs").iter().filter_map(Value::as_str).collect();
    match (text(spec, "clusterIP"), addresses.first()) {
        ("", Some(_)) => errors.invalid(&path, all, "must be empty when `clusterIP` is not specified"),
        ("", None) => {}
        (_, None) => errors.required(&path, ""),
        (one, Some(first)) if one != *first => errors.invalid(&path, all, "first value must match `clusterIP`"),
        _ => {}
    }
    let families = SPEC.child("ipFamilies");
    let listed = items(spec, "ipFamilies");
    for (i, family) in listed.iter().enumerate() {
        let name = family.as_str().unwrap_or("");
        if !["IPv4", "IPv6"].contains(&name) {
            errors.unsupported(&families.index(i), name, &["IPv4", "IPv6"]);
        }
        if listed[..i].contains(family) {
            errors.duplicate(&families.index(i), name);
        }
    }
    if let Some(policy) = set(spec, "ipFamilyPolicy").and_then(Value::as_str) {
        let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        if !policies.contains(&policy) {
            errors.unsupported(&SPEC.child("ipFamilyPolicy"), policy, &policies);
        }
    }
    for (i, address) in addresses.iter().enumerate() {
        if i == 0 && *address == "None" {
            if addresses.len() > 1 {
                errors.invalid(&path, all, "'None' must be the first and only value");
            }
        } else if !is_ip(address) {
            ip(errors, &path.index(i), address);
        }
    }
    if addresses.len() > 2 {
        errors.invalid(&path, all, "may only hold up to 2 values");
    }
}

fn repeated_ports(errors: &mut Errors, ports: &[Value], kind: &str) {
    let list = SPEC.child("ports");
    let node_port = |port: &Value| int(port, "nodePort").filter(|number| *number != 0);
    if kind == "ClusterIP" {
        for (i, _) in ports.iter().enumerate().filter(|(_, port)| node_port(port).is_some()) {
            let detail = "may not be used when `type` is 'ClusterIP'";
            errors.forbidden(&list.index(i).child("nodePort"), detail);
        }
    }
    for (i, port) in ports.iter().enumerate() {
        let Some(number) = node_port(port) else { continue };
        let same =
            |other: &Value| node_port(other) == Some(number) && text(other, "protocol") == text(port, "protocol");
        if ports[..i].iter().any(same) {
            errors.duplicate(&list.index(i).child("nodePort"), number);
        }
    }
    for (i, port) in ports.iter().enumerate() {
        let key = |port: &Value| (text(port, "protocol").to_owned(), int(port, "port"));
        if ports[..i].iter().any(|other| key(other) == key(port)) {
            let only = values::object! {
                "protocol" => get(port, "protocol").clone(), "port" => get(port, "port").clone(),
            };
            errors.duplicate(&list.index(i), go_form::shown("ServicePort", &only));
        }
    }
}

fn policies(errors: &mut Errors, spec: &Value, kind: &str) {
    let external = text(spec, "externalTrafficPolicy");
    let path = SPEC.child("externalTrafficPolicy");
    let reachable =
        matches!(kind, "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && !items(spec, "externalIPs").is_empty());
    if reachable {
        one_of(errors, &path, external, &["Cluster", "Local"]);
    } else if !external.is_empty() {
        errors.invalid(&path, external, "may only be set for externally-accessible services");
    }
    let internal = text(spec, "internalTrafficPolicy");
    let path = SPEC.child("internalTrafficPolicy");
    let known = matches!(kind, "ClusterIP" | "NodePort" | "LoadBalancer");
    if known || !internal.is_empty() {
        one_of(errors, &path, internal, &["Cluster", "Local"]);
    }
    if let Some(spread) = set(spec, "trafficDistribution").and_then(Value::as_str) {
        let known = ["PreferClose", "PreferSameNode", "PreferSameZone"];
        if !known.contains(&spread) {
            errors.unsupported(&SPEC.child("trafficDistribution"), spread, &known);
        }
    }
}
