//! Containers and init containers.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`validateContainerCommon`, `validateContainers`,
//! `validateInitContainers`, `validateContainerRestartPolicy`).

use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::names;
use super::super::read::{get, int, items, set, text};
use super::{Context, env, mounts, one_of, probes, resources, security};

const MAX_RESTART_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;

/// Checks `spec.containers`.
pub fn regular(errors: &mut Errors, path: &Path<'_>, pod: &Context<'_>) {
    let containers = items(pod.spec, "containers");
    if containers.is_empty() {
        return errors.required(path, "");
    }
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        common(errors, &path, container, pod);
        let name = text(container, "name");
        if containers[..i].iter().any(|other| text(other, "name") == name) {
            errors.duplicate(&path.child("name"), name);
        }
        probes::lifecycle(errors, &path.child("lifecycle"), get(container, "lifecycle"), pod);
        probes::all(errors, &path, container, pod);
        restart_policy(errors, &path, container);
    }
    host_ports(errors, path, containers, 0);
}

/// Checks `spec.initContainers`.
pub fn init(errors: &mut Errors, path: &Path<'_>, pod: &Context<'_>) {
    let all = items(pod.spec, "initContainers");
    for (i, container) in all.iter().enumerate() {
        let own_path = path.index(i);
        common(errors, &own_path, container, pod);
        let always = text(container, "restartPolicy") == "Always";
        restart_policy(errors, &own_path, container);
        if always && !items(container, "restartPolicyRules").is_empty() {
            let detail = "restartPolicyRules are not allowed for init containers with restart policy Always";
            errors.forbidden(&own_path.child("restartPolicyRules"), detail);
        }
        let name = text(container, "name");
        let mut others = items(pod.spec, "containers").iter().chain(&all[..i]);
        if !name.is_empty() && others.any(|other| text(other, "name") == name) {
            errors.duplicate(&own_path.child("name"), name);
        }
        // They run one by one, so that only ports of the same one can collide.
        host_ports(errors, path, std::slice::from_ref(container), i);
        if always {
            probes::lifecycle(errors, &own_path.child("lifecycle"), get(container, "lifecycle"), pod);
            probes::all(errors, &own_path, container, pod);
        } else {
            for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if set(container, field).is_some() {
                    let detail = "may not be set for init containers without restartPolicy=Always";
                    errors.forbidden(&own_path.child(field), detail);
                }
            }
        }
        if !always && !items(container, "resizePolicy").is_empty() {
            let value = get(container, "resizePolicy");
            errors.invalid(&own_path.child("resizePolicy"), value, "must not be set for init containers");
        }
    }
}

fn common(errors: &mut Errors, path: &Path<'_>, container: &Value, pod: &Context<'_>) {
    match text(container, "name") {
        "" => errors.required(&path.child("name"), ""),
        name => errors.invalid_each(&path.child("name"), name, names::dns_label(name)),
    }
    if text(container, "image").is_empty() {
        errors.required(&path.child("image"), "");
    }
    let message_policy = text(container, "terminationMessagePolicy");
    one_of(errors, &path.child("terminationMessagePolicy"), message_policy, &["File", "FallbackToLogsOnError"]);
    ports(errors, &path.child("ports"), items(container, "ports"));
    env::env(errors, &path.child("env"), items(container, "env"));
    env::env_from(errors, &path.child("envFrom"), items(container, "envFrom"));
    mounts::mounts(errors, &path.child("volumeMounts"), container, pod);
    mounts::devices(errors, &path.child("volumeDevices"), container, pod);
    let pull_policy = text(container, "imagePullPolicy");
    one_of(errors, &path.child("imagePullPolicy"), pull_policy, &["Always", "IfNotPresent", "Never"]);
    let claims = items(pod.spec, "resourceClaims");
    resources::requirements(errors, &path.child("resources"), get(container, "resources"), claims);
    resize_policy(errors, &path.child("resizePolicy"), items(container, "resizePolicy"), pod);
    if let Some(context) = set(container, "securityContext") {
        security::of_container(errors, &path.child("securityContext"), context, pod.host_users());
    }
}

/// Only on Pods: templates may have blanks around an image's name.
pub fn image_without_blanks(errors: &mut Errors, path: &Path<'_>, container: &Value) {
    let image = text(container, "image");
    if image.trim() != image {
        errors.invalid(&path.child("image"), image, "must not have leading or trailing whitespace");
    }
}

fn ports(errors: &mut Errors, path: &Path<'_>, ports: &[Value]) {
    for (i, port) in ports.iter().enumerate() {
        let path = path.index(i);
        let name = text(port, "name");
        if !name.is_empty() {
            let messages = names::port_name(name);
            let known = ports[..i].iter().any(|other| text(other, "name") == name);
            if messages.is_empty() && known {
                errors.duplicate(&path.child("name"), name);
            }
            errors.invalid_each(&path.child("name"), name, messages);
        }
        match int(port, "containerPort").unwrap_or(0) {
            0 => errors.required(&path.child("containerPort"), ""),
            number => errors.invalid_each(&path.child("containerPort"), number, names::port_number(number)),
        }
        if let Some(number) = int(port, "hostPort").filter(|n| *n != 0) {
            errors.invalid_each(&path.child("hostPort"), number, names::port_number(number));
        }
        one_of(errors, &path.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
    }
}

/// No two ports of these containers may claim the same port of the host. `first` is the index of the first.
fn host_ports(errors: &mut Errors, path: &Path<'_>, containers: &[Value], first: usize) {
    let mut taken: Vec<String> = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let container_path = path.index(first + i);
        let ports_path = container_path.child("ports");
        for (j, port) in items(container, "ports").iter().enumerate() {
            let Some(number) = int(port, "hostPort").filter(|n| *n != 0) else { continue };
            let claim = format!("{}/{}/{number}", text(port, "protocol"), text(port, "hostIP"));
            if taken.contains(&claim) {
                errors.duplicate(&ports_path.index(j).child("hostPort"), claim.as_str());
            } else {
                taken.push(claim);
            }
        }
    }
}

fn resize_policy(errors: &mut Errors, path: &Path<'_>, policies: &[Value], pod: &Context<'_>) {
    for (i, policy) in policies.iter().enumerate() {
        let name = text(policy, "resourceName");
        if policies[..i].iter().any(|other| text(other, "resourceName") == name) {
            errors.duplicate(&path.index(i), name);
        }
        one_of(errors, path, name, &["cpu", "memory"]);
        let restart = text(policy, "restartPolicy");
        one_of(errors, path, restart, &["NotRequired", "RestartContainer"]);
        if pod.restart_policy() == "Never" && restart != "NotRequired" {
            errors.invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
        }
    }
}

fn restart_policy(errors: &mut Errors, path: &Path<'_>, container: &Value) {
    let rules = items(container, "restartPolicyRules");
    let policy_path = path.child("restartPolicy");
    match set(container, "restartPolicy").and_then(Value::as_str) {
        None if !rules.is_empty() => {
            errors.required(&policy_path, "must specify restartPolicy when restart rules are used");
        }
        Some(policy) if !["Always", "Never", "OnFailure"].contains(&policy) => {
            errors.unsupported(&policy_path, policy, &["Always", "Never", "OnFailure"]);
        }
        _ => {}
    }
    let rules_path = path.child("restartPolicyRules");
    if rules.len() > MAX_RESTART_RULES {
        errors.too_many(&rules_path, rules.len(), MAX_RESTART_RULES);
    }
    for (i, rule) in rules.iter().enumerate() {
        restart_rule(errors, &rules_path.index(i), rule);
    }
}

fn restart_rule(errors: &mut Errors, path: &Path<'_>, rule: &Value) {
    let action = text(rule, "action");
    let actions = ["Restart", "RestartAllContainers"];
    if !actions.contains(&action) {
        errors.unsupported(&path.child("action"), action, &actions);
    }
    let codes_path = path.child("exitCodes");
    let Some(codes) = set(rule, "exitCodes") else {
        return errors.required(&codes_path, "must be specified");
    };
    let operator = text(codes, "operator");
    if !["In", "NotIn"].contains(&operator) {
        errors.unsupported(&codes_path.child("operator"), operator, &["In", "NotIn"]);
    }
    let values = items(codes, "values");
    if values.len() > MAX_EXIT_CODES {
        errors.too_many(&codes_path.child("values"), values.len(), MAX_EXIT_CODES);
    }
}
