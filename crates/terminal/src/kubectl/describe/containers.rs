//! Containers of a template or of a Pod, with their states.
//!
//! Source: `describe.go` (`describeContainers` and the functions it calls).

use super::Sheet;
use super::sheet::{text, time_or_zero, yes};
use api::pod::Container;
use cluster::node::{Facts, resource};
use values::sort::sort_by_key;
use values::value::Value;

/// Describes containers. `pod` gives the values of fields and the statuses; templates have none and are indented by `space`.
pub fn describe(sheet: &mut Sheet, label: &str, containers: &[Value], pod: Option<&Value>, space: &str) {
    let none = if containers.is_empty() { " <none>" } else { "" };
    sheet.line(&format!("{space}{label}:{none}"));
    let field = if label == "Containers" { "status.containerStatuses" } else { "status.initContainerStatuses" };
    for container in containers {
        let name = text(container, "name");
        let status = pod.and_then(|pod| pod.list_at(field).iter().find(|s| text(s, "name") == name));
        let indent = if space.is_empty() { "" } else { " " };
        sheet.line(&format!("  {indent}{name}:"));
        basics(sheet, container, status);
        lines_of(sheet, "Command", container.list_at("command"));
        lines_of(sheet, "Args", container.list_at("args"));
        if let Some(status) = status {
            states(sheet, status);
        }
        resources(sheet, container);
        probes(sheet, container);
        environment(sheet, container, pod);
        mounts(sheet, container);
    }
}

fn basics(sheet: &mut Sheet, container: &Value, status: Option<&Value>) {
    sheet.row_if("    Container ID", status.map(|s| text(s, "containerID")));
    sheet.row("    Image", text(container, "image"));
    sheet.row_if("    Image ID", status.map(|s| text(s, "imageID")));
    for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let port = |port: &Value| {
            let name = Some(text(port, "name")).filter(|n| !n.is_empty()).map(|n| format!(" ({n})"));
            format!("{}/{}{}", port.i64_at(field).unwrap_or(0), text(port, "protocol"), name.unwrap_or_default())
        };
        let ports: Vec<String> = container.list_at("ports").iter().map(port).collect();
        match ports.as_slice() {
            [] => sheet.row(&format!("    {title}"), "<none>"),
            [one] => sheet.row(&format!("    {title}"), one),
            many => sheet.row(&format!("    {title}s"), many.join(", ")),
        }
    }
}

fn lines_of(sheet: &mut Sheet, title: &str, words: &[Value]) {
    if words.is_empty() {
        return;
    }
    sheet.line(&format!("    {title}:"));
    for line in words.iter().filter_map(Value::as_str).flat_map(|word| word.split('\n')) {
        sheet.line(&format!("      {line}"));
    }
}

fn states(sheet: &mut Sheet, status: &Value) {
    state(sheet, "State", status.at("state"));
    if !status.at("lastState.terminated").is_null() {
        state(sheet, "Last State", status.at("lastState"));
    }
    sheet.row("    Ready", yes(status.bool_at("ready").unwrap_or(false)));
    sheet.row("    Restart Count", status.i64_at("restartCount").unwrap_or(0));
}

fn state(sheet: &mut Sheet, title: &str, state: &Value) {
    let title = format!("    {title}");
    if !state.at("running").is_null() {
        sheet.row(&title, "Running");
        sheet.row("      Started", time_or_zero(state, "running.startedAt"));
    } else if let ended @ Value::Map(_) = state.at("terminated") {
        sheet.row(&title, "Terminated");
        sheet.text_if("      Reason", ended, "reason");
        sheet.text_if("      Message", ended, "message");
        sheet.row("      Exit Code", ended.i64_at("exitCode").unwrap_or(0));
        sheet.row_if("      Signal", ended.i64_at("signal").filter(|signal| *signal > 0));
        sheet.row("      Started", time_or_zero(ended, "startedAt"));
        sheet.row("      Finished", time_or_zero(ended, "finishedAt"));
    } else {
        sheet.row(&title, "Waiting");
        sheet.text_if("      Reason", state, "waiting.reason");
    }
}

fn resources(sheet: &mut Sheet, container: &Value) {
    for (title, path) in [("Limits", "resources.limits"), ("Requests", "resources.requests")] {
        let Some(amounts) = container.map_at(path).filter(|amounts| !amounts.is_empty()) else { continue };
        sheet.line(&format!("    {title}:"));
        for (resource, amount) in amounts.iter() {
            sheet.row(&format!("      {resource}"), amount.as_str().map_or_else(|| amount.to_json(), str::to_owned));
        }
    }
}

fn probes(sheet: &mut Sheet, container: &Value) {
    for (title, field) in [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
    {
        let described = container.at(field);
        if !described.is_null() {
            sheet.row(&format!("    {title}"), probe(described));
        }
    }
}

fn probe(probe: &Value) -> String {
    let number = |field: &str| probe.i64_at(field).unwrap_or(0);
    let times = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let port = |port: &Value| port.as_str().map_or_else(|| port.to_json(), str::to_owned);
    if !probe.at("exec").is_null() {
        let words: Vec<&str> = probe.list_at("exec.command").iter().filter_map(Value::as_str).collect();
        format!("exec [{}] {times}", words.join(" "))
    } else if let http @ Value::Map(_) = probe.at("httpGet") {
        let path = text(http, "path");
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        let scheme = text(http, "scheme").to_lowercase();
        format!("http-get {scheme}://{}:{}{slash}{path} {times}", text(http, "host"), port(http.at("port")))
    } else if let tcp @ Value::Map(_) = probe.at("tcpSocket") {
        format!("tcp-socket {}:{} {times}", text(tcp, "host"), port(tcp.at("port")))
    } else if let grpc @ Value::Map(_) = probe.at("grpc") {
        format!("grpc <pod>:{} {} {times}", port(grpc.at("port")), text(grpc, "service"))
    } else {
        format!("unknown {times}")
    }
}

fn environment(sheet: &mut Sheet, container: &Value, pod: Option<&Value>) {
    let sources = container.list_at("envFrom");
    if !sources.is_empty() {
        sheet.line("    Environment Variables from:");
    }
    for source in sources {
        let (kind, reference) = match source.at("configMapRef") {
            Value::Null => ("Secret", source.at("secretRef")),
            reference => ("ConfigMap", reference),
        };
        let prefix = Some(text(source, "prefix")).filter(|p| !p.is_empty());
        let prefix = prefix.map(|p| format!(" with prefix '{p}'")).unwrap_or_default();
        let optional = reference.bool_at("optional").unwrap_or(false);
        sheet.line(&format!("      {}\t{kind}{prefix}\tOptional: {optional}", text(reference, "name")));
    }
    let variables = container.list_at("env");
    if variables.is_empty() {
        return sheet.row("    Environment", "<none>");
    }
    sheet.line("    Environment:");
    for variable in variables {
        let name = text(variable, "name");
        match variable.at("valueFrom") {
            Value::Null => {
                for (i, line) in text(variable, "value").split('\n').enumerate() {
                    let title = if i == 0 { format!("{name}:") } else { String::new() };
                    sheet.line(&format!("      {title}\t{line}"));
                }
            }
            from => sheet.line(&format!("      {name}:\t{}", value_from(from, container, pod))),
        }
    }
}

fn value_from(from: &Value, container: &Value, pod: Option<&Value>) -> String {
    for (field, of) in [("secretKeyRef", "in secret"), ("configMapKeyRef", "of config map")] {
        if let reference @ Value::Map(_) = from.at(field) {
            let optional = reference.bool_at("optional").unwrap_or(false);
            let (key, name) = (text(reference, "key"), text(reference, "name"));
            return format!("<set to the key '{key}' {of} '{name}'>\tOptional: {optional}");
        }
    }
    if let reference @ Value::Map(_) = from.at("fieldRef") {
        let path = text(reference, "fieldPath");
        let value = pod.map(|pod| field_value(pod, path)).unwrap_or_default();
        return format!("{value} ({}:{path})", text(reference, "apiVersion"));
    }
    let resource = text(from, "resourceFieldRef.resource");
    let amount = container.decode().map(|container| amount_of(&container, from.at("resourceFieldRef")));
    let amount = amount.unwrap_or_default();
    let shown = if amount == "0" && resource.starts_with("limits.") { "node allocatable" } else { &amount };
    format!("{shown} ({resource})")
}

/// The amount in units of the divisor. What is not set counts as nothing: kubectl does not ask for the node.
fn amount_of(container: &Container, reference: &Value) -> String {
    let nowhere = Facts { pod_ip: "", host_ip: "", host_name: "", node_cpu: "0", node_memory: "0" };
    resource(container, reference, nowhere)
}

/// kubectl knows the value of two fields only: what stands behind others it leaves open.
fn field_value(pod: &Value, path: &str) -> String {
    match path {
        "metadata.name" | "metadata.namespace" => pod.str_at(path).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

fn mounts(sheet: &mut Sheet, container: &Value) {
    let mut mounts: Vec<&Value> = container.list_at("volumeMounts").iter().collect();
    if mounts.is_empty() {
        return sheet.row("    Mounts", "<none>");
    }
    sort_by_key(&mut mounts, |mount| text(mount, "mountPath"));
    sheet.line("    Mounts:");
    for mount in mounts {
        let access = if mount.bool_at("readOnly") == Some(true) { "ro" } else { "rw" };
        let sub_path = Some(text(mount, "subPath")).filter(|p| !p.is_empty());
        let sub_path = sub_path.map(|p| format!(",path={}", Value::from(p).to_json())).unwrap_or_default();
        sheet.line(&format!("      {} from {} ({access}{sub_path})", text(mount, "mountPath"), text(mount, "name")));
    }
}
