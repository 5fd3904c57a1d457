//! Probes and lifecycle hooks.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`validateProbe` and its like, `validateHandler`,
//! `validateLifecycle`).

use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::names;
use super::super::read::{get, int, items, set, text};
use super::Context;

/// Checks the three probes of a container.
pub fn all(errors: &mut Errors, path: &Path<'_>, container: &Value, pod: &Context<'_>) {
    if let Some(probe) = set(container, "livenessProbe") {
        let path = path.child("livenessProbe");
        self::probe(errors, &path, probe, pod);
        one_success(errors, &path, probe);
    }
    if let Some(probe) = set(container, "readinessProbe") {
        let path = path.child("readinessProbe");
        self::probe(errors, &path, probe, pod);
        if let Some(seconds) = int(probe, "terminationGracePeriodSeconds") {
            let detail = "must not be set for readinessProbes";
            errors.invalid(&path.child("terminationGracePeriodSeconds"), seconds, detail);
        }
    }
    if let Some(probe) = set(container, "startupProbe") {
        let path = path.child("startupProbe");
        self::probe(errors, &path, probe, pod);
        one_success(errors, &path, probe);
    }
}

fn one_success(errors: &mut Errors, path: &Path<'_>, probe: &Value) {
    let threshold = int(probe, "successThreshold").unwrap_or(0);
    if threshold != 1 {
        errors.invalid(&path.child("successThreshold"), threshold, "must be 1");
    }
}

fn probe(errors: &mut Errors, path: &Path<'_>, probe: &Value, pod: &Context<'_>) {
    handler(errors, path, probe, &["exec", "httpGet", "tcpSocket", "grpc"], pod);
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        errors.non_negative(&path.child(field), int(probe, field));
    }
    if let Some(seconds) = int(probe, "terminationGracePeriodSeconds").filter(|s| *s <= 0) {
        errors.invalid(&path.child("terminationGracePeriodSeconds"), seconds, "must be greater than 0");
    }
}

/// Checks `lifecycle`.
pub fn lifecycle(errors: &mut Errors, path: &Path<'_>, lifecycle: &Value, pod: &Context<'_>) {
    for hook in ["postStart", "preStop"] {
        if let Some(action) = set(lifecycle, hook) {
            handler(errors, &path.child(hook), action, &["exec", "httpGet", "tcpSocket", "sleep"], pod);
        }
    }
    if set(lifecycle, "stopSignal").is_some() && set(pod.spec, "os").is_none() {
        errors.forbidden(&path.child("stopSignal"), "may not be set for containers with empty `spec.os.name`");
    }
}

fn handler(errors: &mut Errors, path: &Path<'_>, handler: &Value, kinds: &[&str], pod: &Context<'_>) {
    let mut found = false;
    for kind in kinds {
        let Some(action) = set(handler, kind) else { continue };
        let path = path.child(kind);
        if found {
            errors.forbidden(&path, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *kind {
            "exec" if items(action, "command").is_empty() => errors.required(&path.child("command"), ""),
            "httpGet" => http_get(errors, &path, action),
            "tcpSocket" => port(errors, &path.child("port"), get(action, "port")),
            "grpc" => port(errors, &path.child("port"), get(action, "port")),
            "sleep" => sleep(errors, &path, int(action, "seconds").unwrap_or(0), pod),
            _ => {}
        }
    }
    if !found {
        errors.required(path, "must specify a handler type");
    }
}

fn sleep(errors: &mut Errors, path: &Path<'_>, seconds: i64, pod: &Context<'_>) {
    let grace = pod.grace_period_seconds().unwrap_or(0);
    if seconds < 0 || seconds > grace {
        let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid(path, seconds, &detail);
    }
}

fn http_get(errors: &mut Errors, path: &Path<'_>, action: &Value) {
    if text(action, "path").is_empty() {
        errors.required(&path.child("path"), "");
    }
    port(errors, &path.child("port"), get(action, "port"));
    let scheme = text(action, "scheme");
    if !["HTTP", "HTTPS"].contains(&scheme) {
        errors.unsupported(&path.child("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    for header in items(action, "httpHeaders") {
        let name = text(header, "name");
        errors.invalid_each(&path.child("httpHeaders"), name, names::http_header_name(name));
    }
}

/// A port by number or by name.
pub fn port(errors: &mut Errors, path: &Path<'_>, port: &Value) {
    match port.as_str() {
        Some(name) => errors.invalid_each(path, name, names::port_name(name)),
        None => {
            let number = port.as_i64().unwrap_or(0);
            errors.invalid_each(path, number, names::port_number(number));
        }
    }
}
