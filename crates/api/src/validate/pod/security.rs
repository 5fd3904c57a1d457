//! Security contexts and the operating system.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateSecurityContext`, `validatePodSpecSecurityContext`,
//! `validateSeccompProfileField`, `ValidateAppArmorProfileField`, `validateOS`).

use values::value::Value;

use super::super::field::{self, Errors, Path};
use super::super::go_form;
use super::super::read::{flag, get, int, items, set, text};
use super::volumes;

/// Checks the Pod's security context, which the API server reads together with the host's namespaces.
pub fn of_pod(errors: &mut Errors, spec_path: &Path<'_>, spec: &Value) {
    let Some(context) = set(spec, "securityContext") else { return };
    let path = spec_path.child("securityContext");
    user_id(errors, &path.child("fsGroup"), int(context, "fsGroup"));
    user_id(errors, &path.child("runAsUser"), int(context, "runAsUser"));
    user_id(errors, &path.child("runAsGroup"), int(context, "runAsGroup"));
    let groups = path.child("supplementalGroups");
    for (i, group) in items(context, "supplementalGroups").iter().enumerate() {
        user_id(errors, &groups.index(i), group.as_i64());
    }
    if flag(spec, "shareProcessNamespace") && flag(spec, "hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&path.child("shareProcessNamespace"), get(spec, "shareProcessNamespace"), detail);
    }
    sysctls(errors, &path.child("sysctls"), items(context, "sysctls"), spec);
    optional(errors, &path, context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"]);
    seccomp(errors, &path.child("seccompProfile"), get(context, "seccompProfile"));
    app_armor(errors, &path.child("appArmorProfile"), get(context, "appArmorProfile"));
    optional(errors, &path, context, "supplementalGroupsPolicy", &["Merge", "Strict"]);
}

/// Checks a container's security context.
pub fn of_container(errors: &mut Errors, path: &Path<'_>, context: &Value, host_users: bool) {
    user_id(errors, &path.child("runAsUser"), int(context, "runAsUser"));
    user_id(errors, &path.child("runAsGroup"), int(context, "runAsGroup"));
    optional(errors, path, context, "procMount", &["Default", "Unmasked"]);
    if host_users && text(context, "procMount") == "Unmasked" {
        errors.invalid(&path.child("procMount"), "Unmasked", "`hostUsers` must be false to use `Unmasked`");
    }
    seccomp(errors, &path.child("seccompProfile"), get(context, "seccompProfile"));
    if get(context, "allowPrivilegeEscalation").as_bool() == Some(false) {
        let shown = || go_form::shown("SecurityContext", context);
        if flag(context, "privileged") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(path, shown(), detail);
        }
        if items(get(context, "capabilities"), "add").iter().any(|cap| cap.as_str() == Some("CAP_SYS_ADMIN")) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid(path, shown(), detail);
        }
    }
    app_armor(errors, &path.child("appArmorProfile"), get(context, "appArmorProfile"));
}

/// A value that may be missing, but must be one of these.
fn optional(errors: &mut Errors, path: &Path<'_>, context: &Value, name: &str, supported: &[&str]) {
    let value = set(context, name).and_then(Value::as_str);
    if let Some(value) = value.filter(|value| !supported.contains(value)) {
        errors.unsupported(&path.child(name), value, supported);
    }
}

fn user_id(errors: &mut Errors, path: &Path<'_>, id: Option<i64>) {
    let max = i64::from(i32::MAX);
    if let Some(id) = id.filter(|id| !(0..=max).contains(id)) {
        errors.invalid(path, id, &field::range(0, max));
    }
}

fn sysctls(errors: &mut Errors, path: &Path<'_>, sysctls: &[Value], spec: &Value) {
    const REGEX: &str = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    for (i, sysctl) in sysctls.iter().enumerate() {
        let item = path.index(i);
        let path = item.child("name");
        let name = text(sysctl, "name");
        if name.is_empty() {
            errors.required(&path, "");
        } else if !is_sysctl(name) {
            let detail = format!("must have at most 253 characters and match regex {REGEX}");
            errors.invalid(&path, name, &detail);
        } else if sysctls[..i].iter().any(|other| text(other, "name") == name) {
            errors.duplicate(&path, name);
        }
        let dotted = name.replace('/', ".");
        if flag(spec, "hostNetwork") && dotted.starts_with("net.") {
            errors.invalid(&path, name, "may not be specified when 'hostNetwork' is true");
        }
        let ipc = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."].iter().any(|p| dotted.starts_with(p));
        if flag(spec, "hostIPC") && ipc {
            errors.invalid(&path, name, "may not be specified when 'hostIPC' is true");
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let segment = |part: &str| {
        let bytes = part.as_bytes();
        let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
    };
    name.len() <= 253 && name.split(['.', '/']).all(segment)
}

fn seccomp(errors: &mut Errors, path: &Path<'_>, profile: &Value) {
    if profile.is_null() {
        return;
    }
    let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
    let kind = text(profile, "type");
    match kind {
        "" => errors.required(&path.child("type"), "type is required when seccompProfile is set"),
        kind if !kinds.contains(&kind) => errors.unsupported(&path.child("type"), kind, &kinds),
        _ => {}
    }
    let file_path = path.child("localhostProfile");
    match (kind, set(profile, "localhostProfile").and_then(Value::as_str)) {
        ("Localhost", None) => errors.required(&file_path, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(file)) => volumes::descending_path(errors, &file_path, file),
        (_, Some(_)) => {
            let shown = go_form::shown("SeccompProfile", profile);
            errors.invalid(&file_path, shown, "can only be set when seccomp type is Localhost");
        }
        (_, None) => {}
    }
}

fn app_armor(errors: &mut Errors, path: &Path<'_>, profile: &Value) {
    if profile.is_null() {
        return;
    }
    let file_path = path.child("localhostProfile");
    let file = set(profile, "localhostProfile").and_then(Value::as_str);
    match text(profile, "type") {
        "Localhost" => match file {
            Some(file) if file.trim() != file => {
                errors.invalid(&file_path, file, "must not be padded with whitespace");
            }
            None | Some("") => errors.required(&file_path, "must be set when AppArmor type is Localhost"),
            Some(file) if file.len() > 4095 => errors.too_long(&file_path, 4095),
            Some(_) => {}
        },
        "RuntimeDefault" | "Unconfined" => {
            if let Some(file) = file {
                errors.invalid(&file_path, file, "can only be set when AppArmor type is Localhost");
            }
        }
        "" => errors.required(&path.child("type"), "type is required when appArmorProfile is set"),
        other => {
            errors.unsupported(&path.child("type"), other, &["Localhost", "RuntimeDefault", "Unconfined"]);
        }
    }
}

/// What a Pod for Windows cannot have, by the field as errors name it.
const NOT_ON_WINDOWS: &[&str] = &[
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
];

/// Checks `spec.os`, and that nothing of the other system is asked for.
pub fn operating_system(errors: &mut Errors, path: &Path<'_>, os: &Value, spec: &Value) {
    let name_path = path.child("os.name");
    let context_path = path.child("securityContext");
    let context = get(spec, "securityContext");
    match text(os, "name") {
        "linux" => {
            if set(context, "windowsOptions").is_some() {
                errors
                    .forbidden(&context_path.child("windowsOptions"), "windows options cannot be set for a linux pod");
            }
        }
        "windows" => {
            for field in ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] {
                if !get(spec, field).is_empty() {
                    errors.forbidden(&path.child(field), "cannot be set for a windows pod");
                }
            }
            for field in NOT_ON_WINDOWS {
                if set(context, field).is_some() {
                    errors.forbidden(&context_path.child(field), "cannot be set for a windows pod");
                }
            }
        }
        "" => errors.required(&name_path, "cannot be empty"),
        other => errors.unsupported(&name_path, other, &["linux", "windows"]),
    }
}
