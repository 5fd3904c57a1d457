//! `kubectl expose`: a Service for the Pods of an object.
//!
//! Source: `kubectl/pkg/cmd/expose/expose.go`.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_as};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
use api::kind::Kind;
use api::object::Object;
use values::object;
use values::value::{Map, Value};

pub const VERB: Verb = Verb {
    name: "expose",
    summary: "Make a Service for the Pods of an object",
    usage: "kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] \
            [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    flag("cluster-ip", Takes::Text, "The address, or None for a headless Service"),
    common::DRY_RUN,
    flag("external-ip", Takes::Text, "An address outside that leads to the Service"),
    common::FIELD_MANAGER,
    common::FILENAME,
    common::KUSTOMIZE,
    flag("labels", Takes::Text, "Labels of the Service: a=b,c=d").short('l'),
    flag("load-balancer-ip", Takes::Text, "The load balancer's address"),
    flag("name", Takes::Text, "The name of the Service"),
    common::OUTPUT,
    flag("override-type", Takes::Text, "How --overrides is merged: json, merge or strategic").default("merge"),
    flag("overrides", Takes::Text, "JSON to lay over the made object"),
    flag("port", Takes::Text, "The port of the Service"),
    flag("protocol", Takes::Text, "TCP, UDP or SCTP"),
    common::RECURSIVE,
    common::SAVE_CONFIG,
    flag("selector", Takes::Text, "The Pods' labels: a=b,c=d"),
    flag("session-affinity", Takes::Text, "None or ClientIP"),
    common::MANAGED_FIELDS,
    flag("target-port", Takes::Text, "The Pods' port, or its name"),
    common::TEMPLATE,
    flag("type", Takes::Text, "ClusterIP, NodePort, LoadBalancer or ExternalName"),
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    let objects = match targets::existing(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let mut exit = i32::from(call.has_failed());
    call.finish();
    for object in objects {
        let service = match service(call, &object) {
            Ok(service) => service,
            Err(outcome) => return outcome,
        };
        if let Outcome::Exit(code) = create_as(call, service, None, "exposed") {
            exit = exit.max(code);
        }
    }
    Outcome::Exit(exit)
}

fn pairs(text: &str) -> Map {
    text.split(',').filter_map(|pair| pair.split_once('=')).collect()
}

fn service(call: &mut Call<'_, '_>, object: &Object) -> Result<Value, Outcome> {
    let value = object.value();
    let info = object.kind().info();
    let exposed = match object.kind() {
        Kind::Pod => (value.at("metadata.labels"), "spec"),
        Kind::Service => (value.at("spec.selector"), ""),
        Kind::Deployment | Kind::ReplicaSet => (value.at("spec.selector.matchLabels"), "spec.template.spec"),
        _ => return Err(call.fail(&format!("cannot expose a {}", info.group_kind()))),
    };
    let selector = match call.parsed.text("selector") {
        Some(text) => Value::from(pairs(text)),
        None => exposed.0.clone(),
    };
    if selector.is_empty() {
        let text = "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed";
        return Err(call.fail(text));
    }
    let ports = ports(call, value, exposed.1)?;
    let name = call.parsed.text("name").unwrap_or(object.name()).chars().take(63).collect::<String>();
    let mut service = bare("v1", "Service", &name);
    let labels = match call.parsed.text("labels") {
        Some(text) => Value::from(pairs(text)),
        None => value.at("metadata.labels").clone(),
    };
    if !labels.is_empty() {
        service.set("metadata.labels", labels);
    }
    service.set("spec", object! { "ports" => ports, "selector" => selector });
    let fields =
        [("type", "spec.type"), ("cluster-ip", "spec.clusterIP"), ("session-affinity", "spec.sessionAffinity")];
    for (flag, field) in fields {
        if let Some(text) = call.parsed.text(flag) {
            service.set(field, text);
        }
    }
    if let Some(address) = call.parsed.text("external-ip") {
        service.set("spec.externalIPs", vec![Value::from(address)]);
    }
    service.set("status.loadBalancer", Value::map());
    if let Some(text) = call.parsed.text("overrides") {
        match Value::from_json(text) {
            Ok(over) => api::patch::merge(&mut service, &over),
            Err(error) => return Err(call.fail(&error.to_string())),
        }
    }
    Ok(service)
}

/// The ports of `--port`, or those that the object's containers (or the Service) name.
fn ports(call: &mut Call<'_, '_>, value: &Value, pod_spec: &str) -> Result<Vec<Value>, Outcome> {
    let mut numbers: Vec<(i64, String)> = Vec::new();
    match call.parsed.text("port") {
        Some(text) => {
            for part in text.split(',') {
                match part.parse() {
                    Ok(number) => numbers.push((number, "TCP".to_owned())),
                    Err(_) => return Err(call.fail(&format!("strconv.Atoi: parsing \"{part}\": invalid syntax"))),
                }
            }
        }
        None => {
            let containers = value.list_at(&format!("{pod_spec}.containers")).iter();
            let of_pods = containers.flat_map(|c| c.list_at("ports")).map(|p| (p, "containerPort"));
            let of_service = value.list_at("spec.ports").iter().filter(|_| pod_spec.is_empty()).map(|p| (p, "port"));
            for (port, field) in of_pods.chain(of_service) {
                let protocol = port.str_at("protocol").unwrap_or("TCP").to_owned();
                numbers.extend(port.i64_at(field).map(|number| (number, protocol)));
            }
        }
    }
    if numbers.is_empty() {
        return Err(call.fail("couldn't find port via --port flag or introspection"));
    }
    let target = call.parsed.text("target-port");
    let several = numbers.len() > 1;
    let made = numbers.into_iter().enumerate().map(|(i, (number, protocol))| {
        let protocol = call.parsed.text("protocol").map_or(protocol, str::to_owned);
        let target = match target {
            Some(text) => text.parse::<i64>().map_or(Value::from(text), Value::from),
            None => Value::from(number),
        };
        let mut port = object! { "port" => number, "protocol" => protocol, "targetPort" => target };
        if several {
            port.set("name", format!("port-{}", i + 1));
        }
        port
    });
    Ok(made.collect())
}
