//! Defaults of Pods and Pod templates. Source: `pkg/apis/core/v1/defaults.go`; QoS: `pkg/apis/core/v1/helper/qos/qos.go`.

use values::object;
use values::quantity::Quantity;
use values::value::{Map, Text, Value};

use super::edit::{default_in, each, update};
use super::image;

/// All lists of containers in a Pod's spec.
const CONTAINER_LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
/// Octal 0644, the mode of files from ConfigMaps, Secrets and the downward API.
const FILE_MODE: i32 = 0o644;

/// A template of Pods, with `metadata` and `spec`.
pub(super) fn template(template: &mut Value) {
    update(template, "spec", spec);
}

/// The spec of a real Pod: also what templates do not get.
pub(super) fn pod(pod_spec: &mut Value) {
    spec(pod_spec);
    default_in(pod_spec, "enableServiceLinks", || true.into());
    for list in ["initContainers", "containers"] {
        each(pod_spec, list, |container| update(container, "resources", requests_from_limits));
    }
}

fn spec(spec: &mut Value) {
    default_text(spec, "dnsPolicy", "ClusterFirst");
    default_text(spec, "restartPolicy", "Always");
    default_text(spec, "schedulerName", "default-scheduler");
    default_in(spec, "securityContext", Value::map);
    default_in(spec, "terminationGracePeriodSeconds", || 30.into());
    // The old name of the field is kept in step with the new one.
    match (spec.str_at("serviceAccountName").map(String::from), spec.str_at("serviceAccount").map(String::from)) {
        (Some(name), old) if old.as_deref() != Some(&*name) => spec.set("serviceAccount", name),
        (None, Some(old)) => spec.set("serviceAccountName", old),
        _ => {}
    }
    let host_network = spec.bool_at("hostNetwork") == Some(true);
    for list in CONTAINER_LISTS {
        each(spec, list, |c| container(c, host_network));
    }
    each(spec, "volumes", volume);
    update(spec, "overhead", round_up);
}

fn container(container: &mut Value, host_network: bool) {
    if container.str_at("imagePullPolicy").is_none_or(str::is_empty) {
        let policy = image::default_pull_policy(container.str_at("image").unwrap_or(""));
        container.set("imagePullPolicy", policy);
    }
    default_text(container, "terminationMessagePath", "/dev/termination-log");
    default_text(container, "terminationMessagePolicy", "File");
    each(container, "ports", |port| {
        default_text(port, "protocol", "TCP");
        if host_network {
            let number = port.at("containerPort").clone();
            default_in(port, "hostPort", || number);
        }
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        update(container, name, probe);
    }
    update(container, "lifecycle", |lifecycle| {
        for name in ["postStart", "preStop"] {
            update(lifecycle, name, |handler| update(handler, "httpGet", http_get));
        }
    });
    each(container, "env", |variable| update(variable, "valueFrom", |source| update(source, "fieldRef", field_ref)));
    update(container, "resources", |resources| {
        update(resources, "limits", round_up);
        update(resources, "requests", round_up);
    });
}

fn probe(probe: &mut Value) {
    for (name, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        if probe.at(name).is_empty() {
            probe.set(name, value);
        }
    }
    update(probe, "httpGet", http_get);
    update(probe, "grpc", |grpc| default_in(grpc, "service", || "".into()));
}

fn http_get(action: &mut Value) {
    default_text(action, "path", "/");
    default_text(action, "scheme", "HTTP");
}

fn field_ref(reference: &mut Value) {
    default_text(reference, "apiVersion", "v1");
}

fn volume(volume: &mut Value) {
    if volume.as_map().is_some_and(|v| v.keys().all(|k| k == "name")) {
        volume.set("emptyDir", Value::map());
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        update(volume, name, |source| default_in(source, "defaultMode", || FILE_MODE.into()));
    }
    let with_field_ref = |item: &mut Value| update(item, "fieldRef", field_ref);
    update(volume, "downwardAPI", |source| each(source, "items", with_field_ref));
    update(volume, "projected", |source| {
        each(source, "sources", |part| {
            update(part, "downwardAPI", |api| each(api, "items", with_field_ref));
            update(part, "serviceAccountToken", |token| default_in(token, "expirationSeconds", || 3600.into()));
        });
    });
    update(volume, "hostPath", |source| default_in(source, "type", || "".into()));
    update(volume, "ephemeral", |source| {
        update(source, "volumeClaimTemplate", |claim| {
            update(claim, "spec", |spec| default_in(spec, "volumeMode", || "Filesystem".into()));
        });
    });
    update(volume, "image", |source| {
        if source.str_at("pullPolicy").is_none_or(str::is_empty) {
            let policy = image::default_pull_policy(source.str_at("reference").unwrap_or(""));
            source.set("pullPolicy", policy);
        }
    });
    update(volume, "iscsi", |source| default_text(source, "iscsiInterface", "default"));
}

/// Empty texts count as missing.
fn default_text(parent: &mut Value, key: &'static str, text: &'static str) {
    if parent.at_keys([key]).as_str().is_none_or(str::is_empty) {
        parent.map_mut().insert(Text::Known(key), Text::Known(text));
    }
}

/// Amounts have no more than three digits behind the point.
fn round_up(list: &mut Value) {
    let Some(map) = list.as_map() else { return };
    let rounded: Vec<(String, String)> = map
        .iter()
        .filter_map(|(name, amount)| {
            let text = amount.as_str()?;
            let rounded = Quantity::parse(text).ok()?.rounded_up_to_milli().to_string();
            (rounded != text).then(|| (name.to_string(), rounded))
        })
        .collect();
    for (name, amount) in rounded {
        list.map_mut().insert(name, amount);
    }
}

/// A resource with a limit and no request is requested up to its limit.
fn requests_from_limits(resources: &mut Value) {
    let missing: Vec<(String, Value)> = match resources.map_at("limits") {
        Some(limits) => limits
            .iter()
            .filter(|(name, _)| resources.at_keys(["requests", name]).is_null())
            .map(|(name, amount)| (name.to_string(), amount.clone()))
            .collect(),
        None => return,
    };
    if missing.is_empty() {
        return;
    }
    let mut requests: Map = resources.map_at("requests").cloned().unwrap_or_default();
    for (name, amount) in missing {
        requests.insert(name, amount);
    }
    resources.set("requests", requests);
}

/// The quality-of-service class of a Pod by its containers' requests and limits of CPU and memory.
pub fn qos_class(pod_spec: &Value) -> &'static str {
    let mut any = false;
    let mut guaranteed = true;
    let mut sums = object! {};
    let containers = pod_spec.list_at("initContainers").iter().chain(pod_spec.list_at("containers"));
    for container in containers {
        for (side, resource) in [("requests", "cpu"), ("requests", "memory"), ("limits", "cpu"), ("limits", "memory")] {
            let amount = container.at_keys(["resources", side, resource]).as_str();
            match amount.and_then(|a| Quantity::parse(a).ok()).filter(|q| !q.is_zero()) {
                Some(amount) => {
                    any = true;
                    let key = format!("{side} {resource}");
                    let sum = sums.at_keys([&*key]).as_str().and_then(|s| Quantity::parse(s).ok());
                    sums.map_mut().insert(key, sum.map_or(amount, |s| s.plus(amount)).to_string());
                }
                None if side == "limits" => guaranteed = false,
                None => {}
            }
        }
    }
    let balanced = |resource: &str| {
        let sum =
            |side: &str| sums.at_keys([&*format!("{side} {resource}")]).as_str().and_then(|s| Quantity::parse(s).ok());
        sum("requests").is_some() && sum("requests") == sum("limits")
    };
    match (any, guaranteed && balanced("cpu") && balanced("memory")) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
