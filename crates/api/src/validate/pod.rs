//! Pods and Pod templates.
//!
//! Rules and texts: `docs/semantics/validation.md` §6. Source: `pkg/apis/core/validation/validation.go`
//! (`ValidatePodSpec`, `ValidatePodTemplateSpec`, `ValidatePodCreate`).

mod affinity;
mod containers;
mod env;
mod mounts;
mod probes;
pub mod resources;
mod scheduling;
mod security;
mod update;
mod volumes;

use values::value::Value;

use super::field::{self, Errors, Path};
use super::read::{flag, get, int, items, set, text};
use super::{meta, names, selector};

pub use probes::port as service_port;
pub use scheduling::taint_effect;
pub use update::update;
#[cfg(test)]
pub use volumes::volume_sources;

const SPEC: Path<'static> = Path::root("spec");
const METADATA: Path<'static> = Path::root("metadata");

/// What the checks of the parts of a Pod need to know of the whole.
#[derive(Clone, Copy, Debug)]
pub struct Context<'p> {
    spec: &'p Value,
    /// The object is a Pod, not a template.
    is_pod: bool,
}

impl<'p> Context<'p> {
    /// The volume of this name, unless it is itself wrong in a way that hides its name.
    fn volume(&self, name: &str) -> Option<&'p Value> {
        items(self.spec, "volumes").iter().find(|volume| text(volume, "name") == name)
    }

    fn grace_period_seconds(&self) -> Option<i64> {
        int(self.spec, "terminationGracePeriodSeconds")
    }

    fn host_users(&self) -> bool {
        get(self.spec, "hostUsers").as_bool().unwrap_or(true)
    }

    fn restart_policy(&self) -> &'p str {
        text(self.spec, "restartPolicy")
    }
}

/// Checks a new Pod.
pub fn create(errors: &mut Errors, pod: &Value) {
    metadata_and_spec(errors, pod);
    let spec = get(pod, "spec");
    if !items(spec, "ephemeralContainers").is_empty() {
        errors.forbidden(&SPEC.child("ephemeralContainers"), "cannot be set on create");
    }
    if !text(spec, "nodeName").is_empty() && !items(spec, "schedulingGates").is_empty() {
        errors.forbidden(&SPEC.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
}

fn metadata_and_spec(errors: &mut Errors, pod: &Value) {
    meta::create(errors, pod, true, names::dns_subdomain);
    deletion_cost(errors, &METADATA.child("annotations"), pod.at("metadata.annotations"));
    let pod_spec = get(pod, "spec");
    spec(errors, &SPEC, pod_spec, true);
    for list in ["containers", "initContainers"] {
        let path = SPEC.child(list);
        for (i, container) in items(pod_spec, list).iter().enumerate() {
            containers::image_without_blanks(errors, &path.index(i), container);
        }
    }
}

/// Checks a Pod template.
pub fn template(errors: &mut Errors, path: &Path<'_>, template: &Value) {
    let meta = get(template, "metadata");
    // The paths leave `metadata` out.
    selector::labels(errors, &path.child("labels"), get(meta, "labels"));
    let annotations = get(meta, "annotations");
    let annotations_path = path.child("annotations");
    meta::annotations(errors, &annotations_path, annotations);
    deletion_cost(errors, &annotations_path, annotations);
    let pod_spec = get(template, "spec");
    let spec_path = path.child("spec");
    spec(errors, &spec_path, pod_spec, false);
    if !items(pod_spec, "ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        errors.forbidden(&spec_path.child("ephemeralContainers"), detail);
    }
}

/// The annotation by which a ReplicaSet picks whom to delete.
fn deletion_cost(errors: &mut Errors, path: &Path<'_>, annotations: &Value) {
    const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    let Some(cost) = set(annotations, COST).and_then(Value::as_str) else { return };
    let leading = cost.starts_with('+') || (cost.starts_with('0') && cost.len() > 1);
    if leading || cost.parse::<i32>().is_err() {
        errors.invalid(&path.key(COST), cost, "must be a 32bit integer");
    }
}

/// `ValidatePodSpec`, in its order.
fn spec(errors: &mut Errors, path: &Path<'_>, spec: &Value, is_pod: bool) {
    let pod = Context { spec, is_pod };
    if pod.grace_period_seconds().is_none() {
        errors.required(&path.child("terminationGracePeriodSeconds"), "");
    }
    volumes::volumes(errors, &path.child("volumes"), items(spec, "volumes"));
    resources::pod_claims(errors, &path.child("resourceClaims"), items(spec, "resourceClaims"));
    containers::regular(errors, &path.child("containers"), &pod);
    containers::init(errors, &path.child("initContainers"), &pod);
    if let Some(own) = set(spec, "resources") {
        resources::of_pod(errors, &path.child("resources"), own, &pod);
    }
    host_network_ports(errors, &path.child("containers"), &pod);
    restart_policy(errors, &path.child("restartPolicy"), pod.restart_policy());
    dns_policy(errors, path, spec);
    selector::labels(errors, &path.child("nodeSelector"), get(spec, "nodeSelector"));
    security::of_pod(errors, path, spec);
    if let Some(affinity) = set(spec, "affinity") {
        affinity::affinity(errors, &path.child("affinity"), affinity);
    }
    dns_config(errors, &path.child("dnsConfig"), spec);
    for (i, gate) in items(spec, "readinessGates").iter().enumerate() {
        let condition = text(gate, "conditionType");
        let gates = path.child("readinessGates");
        errors.invalid_each(&gates.index(i).child("conditionType"), condition, names::qualified_name(condition));
    }
    scheduling::gates(errors, &path.child("schedulingGates"), items(spec, "schedulingGates"));
    scheduling::spread(errors, &path.child("topologySpreadConstraints"), items(spec, "topologySpreadConstraints"));
    host_users(errors, path, &pod);
    named_things(errors, path, spec);
    if let Some(resources) = set(spec, "overhead") {
        let wrapped = values::object! { "limits" => resources.clone() };
        resources::requirements(errors, &path.child("overhead"), &wrapped, &[]);
    }
    if let Some(os) = set(spec, "os") {
        security::operating_system(errors, path, os, spec);
    }
}

/// The fields that name something: accounts, nodes, hosts, classes; and those between them.
fn named_things(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let subdomain = |errors: &mut Errors, field: &str| {
        let name = text(spec, field);
        if !name.is_empty() {
            errors.invalid_each(&path.child(field), name, names::dns_subdomain(name));
        }
    };
    subdomain(errors, "serviceAccountName");
    subdomain(errors, "nodeName");
    if let Some(seconds) = int(spec, "activeDeadlineSeconds") {
        let max = i64::from(i32::MAX);
        if !(1..=max).contains(&seconds) {
            errors.invalid(&path.child("activeDeadlineSeconds"), seconds, &field::range(1, max));
        }
    }
    for field in ["hostname", "subdomain"] {
        let name = text(spec, field);
        if !name.is_empty() {
            errors.invalid_each(&path.child(field), name, names::dns_label(name));
        }
    }
    scheduling::tolerations(errors, &path.child("tolerations"), items(spec, "tolerations"));
    host_aliases(errors, &path.child("hostAliases"), items(spec, "hostAliases"));
    subdomain(errors, "priorityClassName");
    if let Some(class) = set(spec, "runtimeClassName").and_then(Value::as_str) {
        errors.invalid_each(&path.child("runtimeClassName"), class, names::dns_subdomain(class));
    }
    if let Some(policy) = set(spec, "preemptionPolicy").and_then(Value::as_str) {
        preemption_policy(errors, &path.child("preemptionPolicy"), policy);
    }
}

/// Checks a preemptionPolicy.
pub fn preemption_policy(errors: &mut Errors, path: &Path<'_>, policy: &str) {
    one_of(errors, path, policy, &["PreemptLowerPriority", "Never"]);
}

/// An empty value is required, another one unsupported.
pub fn one_of(errors: &mut Errors, path: &Path<'_>, value: &str, supported: &[&str]) {
    if value.is_empty() {
        errors.required(path, "");
    } else if !supported.contains(&value) {
        errors.unsupported(path, value, supported);
    }
}

fn restart_policy(errors: &mut Errors, path: &Path<'_>, policy: &str) {
    one_of(errors, path, policy, &["Always", "OnFailure", "Never"]);
}

fn dns_policy(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    one_of(errors, &path.child("dnsPolicy"), text(spec, "dnsPolicy"), &policies);
}

/// With the host's network, a container's port is the host's.
fn host_network_ports(errors: &mut Errors, path: &Path<'_>, pod: &Context<'_>) {
    if !flag(pod.spec, "hostNetwork") {
        return;
    }
    for (i, container) in items(pod.spec, "containers").iter().enumerate() {
        let container_path = path.index(i);
        let ports = container_path.child("ports");
        for (j, port) in items(container, "ports").iter().enumerate() {
            let host = int(port, "hostPort").unwrap_or(0);
            if (pod.is_pod || host != 0) && host != int(port, "containerPort").unwrap_or(0) {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(&ports.index(j).child("hostPort"), host, detail);
            }
        }
    }
}

fn host_users(errors: &mut Errors, path: &Path<'_>, pod: &Context<'_>) {
    if pod.host_users() {
        return;
    }
    for (field, shown) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if flag(pod.spec, field) {
            errors.forbidden(&path.child(shown), "when `pod.Spec.HostUsers` is false");
        }
    }
}

fn host_aliases(errors: &mut Errors, path: &Path<'_>, aliases: &[Value]) {
    for (i, alias) in aliases.iter().enumerate() {
        let path = path.index(i);
        ip(errors, &path.child("ip"), text(alias, "ip"));
        let hosts = path.child("hostnames");
        for (j, host) in items(alias, "hostnames").iter().filter_map(Value::as_str).enumerate() {
            errors.invalid_each(&hosts.index(j), host, names::dns_subdomain(host));
        }
    }
}

/// Checks an IP address.
pub fn ip(errors: &mut Errors, path: &Path<'_>, address: &str) {
    if !is_ip(address) {
        errors.invalid(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}

/// Whether this is an IPv4 or IPv6 address.
pub fn is_ip(address: &str) -> bool {
    address.parse::<core::net::IpAddr>().is_ok()
}

fn dns_config(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let config = get(spec, "dnsConfig");
    let servers = items(config, "nameservers");
    let servers_path = path.child("nameservers");
    if text(spec, "dnsPolicy") == "None" {
        if config.is_null() {
            return errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return errors.required(&servers_path, detail);
        }
    }
    if servers.len() > 3 {
        errors.invalid(&servers_path, get(config, "nameservers"), "must not have more than 3 nameservers");
    }
    for (i, server) in servers.iter().enumerate() {
        ip(errors, &servers_path.index(i), server.as_str().unwrap_or(""));
    }
    let searches = items(config, "searches");
    let searches_path = path.child("searches");
    if searches.len() > 32 {
        errors.invalid(&searches_path, get(config, "searches"), "must not have more than 32 search paths");
    }
    let letters: usize = searches.iter().filter_map(Value::as_str).map(|search| search.len() + 1).sum();
    if letters > 2048 + 1 {
        let detail = "must not have more than 2048 characters (including spaces) in the search list";
        errors.invalid(&searches_path, get(config, "searches"), detail);
    }
    for (i, search) in searches.iter().filter_map(Value::as_str).enumerate() {
        if search == "." {
            continue;
        }
        // Relaxed in 1.34: a name may begin with an underscore, and may end with a dot.
        let search = search.strip_suffix('.').unwrap_or(search);
        if !names::dns_subdomain(&search.replace('_', "x")).is_empty() {
            errors.invalid_each(&searches_path.index(i), search, names::dns_subdomain(search));
        }
    }
    let options = path.child("options");
    for (i, option) in items(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            errors.required(&options.index(i), "must not be empty");
        }
    }
}
