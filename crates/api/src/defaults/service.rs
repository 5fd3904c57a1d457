//! Defaults of Services, and the addresses they get. Source: `pkg/apis/core/v1/defaults.go` (`SetDefaults_Service`),
//! `pkg/registry/core/service/storage/alloc.go`.

use values::value::Value;

use super::edit::{default_in, each, update};

/// Seconds that a client stays with its Pod when `sessionAffinity` is `ClientIP`: three hours.
const STICKY_SECONDS: i32 = 10_800;

pub(super) fn spec(spec: &mut Value) {
    default_in(spec, "sessionAffinity", || "None".into());
    default_in(spec, "type", || "ClusterIP".into());
    match spec.str_at("sessionAffinity") {
        Some("None") if spec.has("sessionAffinityConfig") => drop(spec.remove("sessionAffinityConfig")),
        Some("ClientIP") if spec.at("sessionAffinityConfig.clientIP.timeoutSeconds").is_null() => {
            spec.set("sessionAffinityConfig.clientIP.timeoutSeconds", STICKY_SECONDS);
        }
        _ => {}
    }
    let kind = spec.str_at("type").unwrap_or("").to_string();
    let outside = matches!(&*kind, "NodePort" | "LoadBalancer");
    if outside || (kind == "ClusterIP" && !spec.at("externalIPs").is_empty()) {
        default_in(spec, "externalTrafficPolicy", || "Cluster".into());
    }
    if outside || kind == "ClusterIP" {
        default_in(spec, "internalTrafficPolicy", || "Cluster".into());
    }
    if kind == "LoadBalancer" {
        default_in(spec, "allocateLoadBalancerNodePorts", || true.into());
    }
    each(spec, "ports", |port| {
        default_in(port, "protocol", || "TCP".into());
        if port.at("targetPort").is_empty() {
            let number = port.at("port").clone();
            port.set("targetPort", number);
        }
    });
}

/// Gives a Service its address: `cluster_ip` if it has none and wants one. Headless Services and those that only name
/// something outside get none.
pub fn allocate_addresses(service: &mut Value, cluster_ip: &str) {
    update(service, "spec", |spec| {
        if spec.str_at("type") == Some("ExternalName") {
            return;
        }
        if spec.str_at("clusterIP").is_none_or(str::is_empty) {
            spec.set("clusterIP", cluster_ip);
        }
        let own = spec.at("clusterIP").clone();
        default_in(spec, "clusterIPs", || Value::list([own]));
        default_in(spec, "ipFamilies", || Value::list(["IPv4".into()]));
        default_in(spec, "ipFamilyPolicy", || "SingleStack".into());
    });
}
