//! `kubectl create poddisruptionbudget|ingress`.
//!
//! Source: `kubectl/pkg/cmd/create/create_{pdb,ingress}.go`.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_made, one_name};
use crate::kubectl::flags::{Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};
use api::selector::Labels;
use values::object;
use values::value::{Map, Value};

pub const DISRUPTION_BUDGET: Verb = Verb {
    name: "create poddisruptionbudget",
    summary: "Create a PodDisruptionBudget",
    usage: "kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]",
    flags: &[
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("max-unavailable", Takes::Text, "How many Pods may be missing, in number or percent"),
        flag("min-available", Takes::Text, "How many Pods must be there, in number or percent"),
        common::OUTPUT,
        common::SAVE_CONFIG,
        flag("selector", Takes::Text, "The Pods' labels: a=b,c=d"),
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: disruption_budget,
};

pub const INGRESS: Verb = Verb {
    name: "create ingress",
    summary: "Create an Ingress",
    usage: "kubectl create ingress NAME --rule=host/path=service:port[,tls[=secret]]",
    flags: &[
        common::MISSING_KEYS,
        flag("annotation", Takes::Array, "key=value"),
        flag("class", Takes::Text, "The Ingress class"),
        flag("default-backend", Takes::Text, "service:port for what no rule is about"),
        common::DRY_RUN,
        common::FIELD_MANAGER,
        common::OUTPUT,
        flag("rule", Takes::Array, "host/path=service:port[,tls[=secret]]"),
        common::SAVE_CONFIG,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: ingress,
};

fn disruption_budget(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let text = |flag: &str| call.parsed.text(flag).unwrap_or_default().to_owned();
    let (selector, least, most) = (text("selector"), text("min-available"), text("max-unavailable"));
    if selector.is_empty() {
        return call.fail("a selector must be specified");
    }
    let (field, number) = match (least.is_empty(), most.is_empty()) {
        (true, true) => return call.fail("one of min-available or max-unavailable must be specified"),
        (false, false) => return call.fail("min-available and max-unavailable cannot be both specified"),
        (false, true) => ("minAvailable", least),
        (true, false) => ("maxUnavailable", most),
    };
    if Labels::parse(&selector).is_err() {
        return call.fail(&format!("couldn't parse the selector string \"{selector}\""));
    }
    let digits = number.trim_end_matches('%');
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let flag = if field == "minAvailable" { "min-available" } else { "max-unavailable" };
        return call.fail(&format!("invalid format specified for {flag}"));
    }
    let number = number.parse::<i64>().map_or(Value::from(number.as_str()), Value::from);
    let labels: Map = selector
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k, v.trim_start_matches('=')))
        .collect();
    let mut made = bare("policy/v1", "PodDisruptionBudget", &name);
    let mut spec = object! { "selector" => object! { "matchLabels" => labels } };
    spec.map_mut().insert(field, number);
    made.set("spec", spec);
    made.set(
        "status",
        object! { "currentHealthy" => 0, "desiredHealthy" => 0, "disruptionsAllowed" => 0, "expectedPods" => 0 },
    );
    create_made(call, made, Some("failed to create poddisruptionbudgets:"))
}

fn backend(text: &str) -> Value {
    let (service, port) = text.split_once(':').unwrap_or((text, ""));
    let port = match port.parse::<i64>() {
        Ok(number) => object! { "number" => number },
        Err(_) => object! { "name" => port },
    };
    object! { "service" => object! { "name" => service, "port" => port } }
}

/// A rule of `--rule`: host, path, backend, and the TLS secret (empty: none named).
fn rule(text: &str) -> Option<(String, String, String, Option<String>)> {
    let (rule, tls) = text.split_once(',').map_or((text, None), |(rule, tls)| (rule, Some(tls)));
    let (host, rest) = rule.split_once('/')?;
    let (path, service) = rest.split_once('=')?;
    let (name, port) = service.split_once(':')?;
    let secret = match tls {
        None => None,
        Some(tls) => Some(tls.strip_prefix("tls")?.trim_start_matches('=').to_owned()),
    };
    (!name.is_empty() && !port.is_empty()).then(|| (host.to_owned(), format!("/{path}"), service.to_owned(), secret))
}

fn ingress(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let default = call.parsed.text("default-backend").map(str::to_owned);
    let given = call.parsed.list("rule").to_vec();
    if default.is_none() && given.is_empty() {
        return call.fail(
            "not enough information provided: every ingress has to either specify a default-backend (which \
                          catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    let (mut hosts, mut secrets): (Vec<(String, Vec<Value>)>, Vec<(String, Vec<Value>)>) = (Vec::new(), Vec::new());
    for text in &given {
        let Some((host, path, service, secret)) = rule(text) else {
            return call.fail(&format!(
                "rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ));
        };
        let (path, kind) = match path.strip_suffix('*') {
            Some(path) => (path.to_owned(), "Prefix"),
            None => (path, "Exact"),
        };
        let path = object! { "backend" => backend(&service), "path" => path, "pathType" => kind };
        match hosts.iter_mut().find(|(known, _)| *known == host) {
            Some((_, paths)) => paths.push(path),
            None => hosts.push((host.clone(), vec![path])),
        }
        if let Some(secret) = secret {
            match secrets.iter_mut().find(|(known, _)| *known == secret) {
                Some((_, hosts)) => hosts.push(host.as_str().into()),
                None => secrets.push((secret, vec![host.as_str().into()])),
            }
        }
    }
    let mut made = bare("networking.k8s.io/v1", "Ingress", &name);
    let mut annotations = Map::new();
    for pair in call.parsed.list("annotation").to_vec() {
        let Some((key, value)) = pair.split_once('=') else {
            return call.fail(&format!("annotation {pair} is invalid and should be in format key=[value]"));
        };
        annotations.insert(key, value);
    }
    if !annotations.is_empty() {
        made.set("metadata.annotations", annotations);
    }
    let mut spec = Value::map();
    if let Some(text) = default {
        if text.split(':').count() != 2 {
            return call.fail("default-backend should be in format servicename:serviceport");
        }
        spec.set("defaultBackend", backend(&text));
    }
    if let Some(class) = call.parsed.text("class") {
        spec.set("ingressClassName", class);
    }
    let rules: Vec<Value> = hosts
        .into_iter()
        .map(|(host, paths)| {
            let mut rule = object! { "http" => object! { "paths" => paths } };
            if !host.is_empty() {
                rule.set("host", host);
            }
            rule
        })
        .collect();
    if !rules.is_empty() {
        spec.set("rules", rules);
    }
    let tls: Vec<Value> = secrets
        .into_iter()
        .map(|(secret, hosts)| {
            let hosts: Vec<Value> = hosts.into_iter().filter(|host| !host.is_empty()).collect();
            let mut tls = object! { "hosts" => hosts };
            if !secret.is_empty() {
                tls.set("secretName", secret);
            }
            tls
        })
        .collect();
    if !tls.is_empty() {
        spec.set("tls", tls);
    }
    made.set("spec", spec);
    made.set("status.loadBalancer", Value::map());
    create_made(call, made, Some("failed to create ingress:"))
}
