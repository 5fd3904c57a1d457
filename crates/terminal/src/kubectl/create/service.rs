//! `kubectl create service clusterip|externalname|loadbalancer|nodeport`.
//!
//! Source: `kubectl/pkg/cmd/create/create_service.go`.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_made, one_name};
use crate::kubectl::flags::{Flag, Takes, flag};
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

const TCP: Flag = flag("tcp", Takes::List, "Ports: 80 or 80:8080");

macro_rules! flags {
    ($($more:expr),* $(,)?) => {
        &[
            common::MISSING_KEYS,
            common::DRY_RUN,
            common::FIELD_MANAGER,
            common::OUTPUT,
            common::SAVE_CONFIG,
            common::MANAGED_FIELDS,
            TCP,
            common::TEMPLATE,
            common::VALIDATE,
            $($more),*
        ]
    };
}

pub const CLUSTER_IP: Verb = Verb {
    name: "create service clusterip",
    summary: "Create a ClusterIP Service",
    usage: "kubectl create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]",
    flags: flags!(flag("clusterip", Takes::Text, "The address, or None for a headless Service")),
    run: |call| service(call, "ClusterIP"),
};

pub const EXTERNAL_NAME: Verb = Verb {
    name: "create service externalname",
    summary: "Create an ExternalName Service",
    usage: "kubectl create service externalname NAME --external-name external.name [--dry-run=server|client|none]",
    flags: flags!(flag("external-name", Takes::Text, "The name outside that the Service stands for")),
    run: |call| service(call, "ExternalName"),
};

pub const LOAD_BALANCER: Verb = Verb {
    name: "create service loadbalancer",
    summary: "Create a LoadBalancer Service",
    usage: "kubectl create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
    flags: flags!(),
    run: |call| service(call, "LoadBalancer"),
};

pub const NODE_PORT: Verb = Verb {
    name: "create service nodeport",
    summary: "Create a NodePort Service",
    usage: "kubectl create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
    flags: flags!(flag("node-port", Takes::Number, "The port of every node").default("0")),
    run: |call| service(call, "NodePort"),
};

fn service(call: &mut Call<'_, '_>, kind: &str) -> Outcome {
    let outside = call.parsed.text("external-name").map(str::to_owned);
    if kind == "ExternalName" && outside.is_none() {
        return call.fail("required flag(s) \"external-name\" not set");
    }
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let address = call.parsed.text("clusterip").map(str::to_owned);
    let tcp = call.parsed.list("tcp").to_vec();
    if tcp.is_empty() && address.as_deref() != Some("None") && kind != "ExternalName" {
        return call.fail("at least one tcp port specifier must be provided");
    }
    let node_port = call.number("node-port").ok().flatten().filter(|port| *port != 0);
    let mut ports = Vec::new();
    for text in &tcp {
        match port(text, node_port) {
            Ok(port) => ports.push(port),
            Err(text) => return call.fail(&text),
        }
    }
    let labels = object! { "app" => name.as_str() };
    let mut made = bare("v1", "Service", &name);
    made.set("metadata.labels", labels.clone());
    made.set("spec.selector", labels);
    if !ports.is_empty() {
        made.set("spec.ports", ports);
    }
    made.set("spec.type", kind);
    if let Some(address) = address {
        made.set("spec.clusterIP", address);
    }
    if let Some(outside) = outside {
        made.set("spec.externalName", outside);
    }
    made.set("status.loadBalancer", Value::map());
    create_made(call, made, Some(&format!("failed to create {kind} service:")))
}

/// `80`, `80:8080` or `80:http`.
fn port(text: &str, node_port: Option<i64>) -> Result<Value, String> {
    let (port, target) = text.split_once(':').unwrap_or((text, text));
    let number: i64 = port.parse().map_err(|_| format!("strconv.ParseInt: parsing \"{port}\": invalid syntax"))?;
    if number > 65_535 || number < 0 {
        return Err(format!("must be between 0 and 65535, inclusive: {number}").replace("inclusive", "inclusive"));
    }
    let target = target.parse::<i64>().map_or(Value::from(target), Value::from);
    let name = text.replace(':', "-");
    let mut made = object! { "name" => name, "port" => number, "protocol" => "TCP", "targetPort" => target };
    if let Some(node_port) = node_port {
        made.set("nodePort", node_port);
    }
    Ok(made)
}
