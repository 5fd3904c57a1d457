//! `kubectl create service clusterip`.
//!
//! Source: `kubectl/pkg/cmd/create/create_service.go`. Other types of Service lead nowhere here: nothing is outside.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_made, one_name};
use crate::kubectl::flags::{Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, help};
use values::object;
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "create service",
    summary: "Create a Service of some type",
    usage: "kubectl create service",
    flags: &[],
    run: help::needs_subcommand,
};

pub const CLUSTER_IP: Verb = Verb {
    name: "create service clusterip",
    summary: "Create a ClusterIP Service",
    usage: "kubectl create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]",
    flags: &[
        common::MISSING_KEYS,
        flag("clusterip", Takes::Text, "The address, or None for a headless Service"),
        common::DRY_RUN,
        common::FIELD_MANAGER,
        common::OUTPUT,
        common::SAVE_CONFIG,
        common::MANAGED_FIELDS,
        flag("tcp", Takes::List, "Ports: 80 or 80:8080"),
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: cluster_ip,
};

fn cluster_ip(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let headless = call.parsed.text("clusterip") == Some("None");
    let tcp = call.parsed.list("tcp").to_vec();
    if tcp.is_empty() && !headless {
        return call.fail("at least one tcp port specifier must be provided");
    }
    let mut ports = Vec::new();
    for text in &tcp {
        let (port, target) = text.split_once(':').unwrap_or((text, text));
        let Ok(number) = port.parse::<i64>() else {
            return call.fail(&format!("strconv.ParseInt: parsing \"{port}\": invalid syntax"));
        };
        let target = target.parse::<i64>().map_or(Value::from(target), Value::from);
        let name = text.replace(':', "-");
        ports.push(object! { "name" => name, "port" => number, "protocol" => "TCP", "targetPort" => target });
    }
    let labels = object! { "app" => name.as_str() };
    let mut made = bare("v1", "Service", &name);
    made.set("metadata.labels", labels.clone());
    made.set("spec.selector", labels);
    if !ports.is_empty() {
        made.set("spec.ports", ports);
    }
    made.set("spec.type", "ClusterIP");
    if let Some(address) = call.parsed.text("clusterip") {
        made.set("spec.clusterIP", address);
    }
    made.set("status.loadBalancer", Value::map());
    create_made(call, made, Some("failed to create ClusterIP service:"))
}
