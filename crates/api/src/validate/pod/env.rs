//! Environment variables and where they come from.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateEnv`, `ValidateEnvFrom`, `validateObjectFieldSelector`,
//! `validateContainerResourceFieldSelector`).

use values::quantity::Quantity;
use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::names;
use super::super::read::{items, set, text};

const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that the downward API knows at all; those not in a list of its own are "not supported" there.
const KNOWN_FIELDS: &[&str] = &["spec.restartPolicy", "spec.schedulerName", "spec.hostname", "status.phase"];
const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const BYTE_DIVISORS: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// Checks `env`.
pub fn env(errors: &mut Errors, path: &Path<'_>, vars: &[Value]) {
    for (i, var) in vars.iter().enumerate() {
        let path = path.index(i);
        match text(var, "name") {
            "" => errors.required(&path.child("name"), ""),
            name => errors.invalid_each(&path.child("name"), name, names::env_name(name)),
        }
        if let Some(source) = set(var, "valueFrom") {
            value_from(errors, &path.child("valueFrom"), source, !text(var, "value").is_empty());
        }
    }
}

fn value_from(errors: &mut Errors, path: &Path<'_>, source: &Value, has_value: bool) {
    let mut sources = 0;
    if let Some(field) = set(source, "fieldRef") {
        sources += 1;
        field_ref(errors, &path.child("fieldRef"), field, ENV_FIELDS);
    }
    if let Some(resource) = set(source, "resourceFieldRef") {
        sources += 1;
        resource_ref(errors, &path.child("resourceFieldRef"), resource, false);
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(reference) = set(source, kind) {
            sources += 1;
            key_ref(errors, &path.child(kind), reference);
        }
    }
    if let Some(file) = set(source, "fileKeyRef") {
        sources += 1;
        file_ref(errors, &path.child("fileKeyRef"), file);
    }
    let detail = match sources {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        _ if has_value => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    errors.invalid(path, "", detail);
}

fn key_ref(errors: &mut Errors, path: &Path<'_>, reference: &Value) {
    let name = text(reference, "name");
    errors.invalid_each(&path.child("name"), name, names::dns_subdomain(name));
    match text(reference, "key") {
        "" => errors.required(&path.child("key"), ""),
        key => errors.invalid_each(&path.child("key"), key, names::config_key(key)),
    }
}

fn file_ref(errors: &mut Errors, path: &Path<'_>, file: &Value) {
    match text(file, "key") {
        "" => errors.required(&path.child("key"), ""),
        key => errors.invalid_each(&path.child("key"), key, names::env_name(key)),
    }
    for field in ["volumeName", "path"] {
        if text(file, field).is_empty() {
            errors.required(&path.child(field), "");
        }
    }
}

/// A field of the Pod itself. `supported` are the fields without subscript.
pub fn field_ref(errors: &mut Errors, path: &Path<'_>, reference: &Value, supported: &[&str]) {
    let (version, field) = (text(reference, "apiVersion"), text(reference, "fieldPath"));
    if version.is_empty() {
        return errors.required(&path.child("apiVersion"), "");
    }
    if field.is_empty() {
        return errors.required(&path.child("fieldPath"), "");
    }
    let field_path = path.child("fieldPath");
    if version != "v1" {
        let detail = format!("error converting fieldPath: unsupported pod version: {version}");
        return errors.invalid(&field_path, field, &detail);
    }
    if let Some((name, key)) = subscript(field) {
        match name {
            "metadata.annotations" => {
                let key = key.to_ascii_lowercase();
                errors.invalid_each(path, key.as_str(), names::qualified_name(&key));
            }
            "metadata.labels" => errors.invalid_each(path, key, names::qualified_name(key)),
            _ => {
                let detail = format!("error converting fieldPath: field label does not support subscript: {name}");
                errors.invalid(&field_path, field, &detail);
            }
        }
        return;
    }
    let known = ENV_FIELDS.contains(&field)
        || KNOWN_FIELDS.contains(&field)
        || matches!(field, "metadata.labels" | "metadata.annotations");
    if !known {
        let detail = format!("error converting fieldPath: field label not supported: {field}");
        errors.invalid(&field_path, field, &detail);
    } else if !supported.contains(&field) {
        errors.unsupported(&field_path, field, supported);
    }
}

/// `metadata.labels['app']` is `metadata.labels` and `app`.
fn subscript(field: &str) -> Option<(&str, &str)> {
    let (name, key) = field.strip_suffix("']")?.split_once("['")?;
    (!name.is_empty()).then_some((name, key))
}

/// A resource of a container; in a volume the container must be named.
pub fn resource_ref(errors: &mut Errors, path: &Path<'_>, reference: &Value, in_volume: bool) {
    let resource = text(reference, "resource");
    let huge = resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if in_volume && text(reference, "containerName").is_empty() {
        errors.required(&path.child("containerName"), "");
    } else if resource.is_empty() {
        errors.required(&path.child("resource"), "");
    } else if !RESOURCES.contains(&resource) && !huge {
        errors.unsupported(&path.child("resource"), resource, RESOURCES);
    }
    let Some(divisor) = set(reference, "divisor").and_then(Value::as_str) else { return };
    let Ok(divisor) = Quantity::parse(divisor) else { return };
    if divisor.is_zero() {
        return;
    }
    let divisor = divisor.to_string();
    let (fits, kind) = match resource {
        "limits.cpu" | "requests.cpu" => {
            if divisor != "1m" && divisor != "1" {
                let detail = "only divisor's values 1m and 1 are supported with the cpu resource";
                errors.invalid(&path.child("divisor"), resource, detail);
            }
            return;
        }
        "limits.memory" | "requests.memory" => (BYTE_DIVISORS.contains(&&*divisor), "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => {
            (BYTE_DIVISORS.contains(&&*divisor), "local ephemeral storage")
        }
        _ if huge => (BYTE_DIVISORS.contains(&&*divisor), "hugepages"),
        _ => return,
    };
    if !fits {
        let list = BYTE_DIVISORS.join(", ");
        let detail = format!("only divisor's values {list} are supported with the {kind} resource");
        errors.invalid(&path.child("divisor"), resource, &detail);
    }
}

/// Checks `envFrom`.
pub fn env_from(errors: &mut Errors, path: &Path<'_>, sources: &[Value]) {
    for (i, source) in sources.iter().enumerate() {
        let own_path = path.index(i);
        let prefix = text(source, "prefix");
        if !prefix.is_empty() {
            errors.invalid_each(&own_path.child("prefix"), prefix, names::env_name(prefix));
        }
        let mut count = 0;
        for kind in ["configMapRef", "secretRef"] {
            let Some(reference) = set(source, kind) else { continue };
            count += 1;
            let reference_path = own_path.child(kind);
            match text(reference, "name") {
                "" => errors.required(&reference_path.child("name"), ""),
                name => errors.invalid_each(&reference_path.child("name"), name, names::dns_subdomain(name)),
            }
        }
        // These two stand at the list, not at the item.
        if count == 0 {
            errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
        } else if count > 1 {
            errors.invalid(path, "", "may not have more than one field specified at a time");
        }
    }
}

/// The files of a downward API volume know other fields than variables.
pub const VOLUME_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// Checks one file of a downward API volume.
pub fn downward_file(errors: &mut Errors, path: &Path<'_>, file: &Value) {
    let written = text(file, "path");
    if written.is_empty() {
        errors.required(&path.child("path"), "");
    }
    super::volumes::local_path(errors, &path.child("path"), written);
    match (set(file, "fieldRef"), set(file, "resourceFieldRef")) {
        (Some(field), resource) => {
            field_ref(errors, &path.child("fieldRef"), field, VOLUME_FIELDS);
            if resource.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid(path, "resource", detail);
            }
        }
        (None, Some(resource)) => resource_ref(errors, &path.child("resourceFieldRef"), resource, true),
        (None, None) => errors.required(path, "one of fieldRef and resourceFieldRef is required"),
    }
    super::volumes::file_mode(errors, &path.child("mode"), file, "mode");
}

/// Checks the files of a downward API volume; upstream gives no indexes here.
pub fn downward_files(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    for file in items(source, "items") {
        downward_file(errors, path, file);
    }
}
