//! `metadata`: names, labels, annotations, owners, finalizers.
//!
//! Source: `apimachinery/pkg/api/validation/objectmeta.go`, and the finalizers' names of
//! `pkg/apis/core/validation/validation.go`.

use values::sort::sort;
use values::value::Value;

use super::field::{Errors, IMMUTABLE, Path, Shown};
use super::names::{self, NameCheck};
use super::read::{flag, get, int, items, same, set, text};
use super::selector;

const METADATA: Path<'static> = Path::root("metadata");
/// All annotations of an object together, in bytes.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// Checks the metadata of a new object.
pub fn create(errors: &mut Errors, object: &Value, namespaced: bool, name_check: NameCheck) {
    let meta = get(object, "metadata");
    let generate_name = text(meta, "generateName");
    if !generate_name.is_empty() {
        errors.invalid_each(&METADATA.child("generateName"), generate_name, name_check(&as_prefix(generate_name)));
    }
    match text(meta, "name") {
        "" => errors.required(&METADATA.child("name"), "name or generateName is required"),
        name => errors.invalid_each(&METADATA.child("name"), name, name_check(name)),
    }
    let namespace = text(meta, "namespace");
    let namespace_path = METADATA.child("namespace");
    match (namespaced, namespace) {
        (true, "") => errors.required(&namespace_path, ""),
        (true, _) => errors.invalid_each(&namespace_path, namespace, names::dns_label(namespace)),
        (false, "") => {}
        (false, _) => errors.forbidden(&namespace_path, "not allowed on this type"),
    }
    errors.non_negative(&METADATA.child("generation"), int(meta, "generation"));
    common(errors, meta);
    let finalizers = items(meta, "finalizers");
    finalizer_names(errors, finalizers);
    standard_finalizers(errors, finalizers);
}

/// Checks what an update does to the metadata.
pub fn update(errors: &mut Errors, object: &Value, old: &Value) {
    let (meta, old) = (get(object, "metadata"), get(old, "metadata"));
    let finalizers = items(meta, "finalizers");
    if set(old, "deletionTimestamp").is_some() {
        no_new_finalizers(errors, finalizers, items(old, "finalizers"));
    }
    if text(meta, "resourceVersion").is_empty() {
        errors.invalid(&METADATA.child("resourceVersion"), "", "must be specified for an update");
    }
    let generation = int(meta, "generation").unwrap_or(0);
    if generation < int(old, "generation").unwrap_or(0) {
        errors.invalid(&METADATA.child("generation"), generation, "must not be decremented");
    }
    for field in ["name", "namespace", "uid"] {
        if text(meta, field) != text(old, field) {
            errors.invalid(&METADATA.child(field), text(meta, field), IMMUTABLE);
        }
    }
    for field in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        immutable(errors, &METADATA.child(field), get(meta, field), get(old, field));
    }
    common(errors, meta);
    standard_finalizers(errors, finalizers);
}

/// A field that must stay as it is.
pub fn immutable(errors: &mut Errors, path: &Path<'_>, new: &Value, old: &Value) {
    if !same(new, old) {
        errors.invalid(path, Shown::pointer(new), IMMUTABLE);
    }
}

fn common(errors: &mut Errors, meta: &Value) {
    selector::labels(errors, &METADATA.child("labels"), get(meta, "labels"));
    annotations(errors, &METADATA.child("annotations"), get(meta, "annotations"));
    owners(errors, items(meta, "ownerReferences"));
}

/// Checks a map of annotations.
pub fn annotations(errors: &mut Errors, path: &Path<'_>, map: &Value) {
    let mut size = 0;
    for (key, value) in map.as_map().into_iter().flat_map(|map| map.iter()) {
        // Here, and only here, letter case is free in the prefix.
        let messages = if key.bytes().any(|b| b.is_ascii_uppercase()) {
            names::qualified_name(&key.to_ascii_lowercase())
        } else {
            names::qualified_name(key)
        };
        errors.invalid_each(path, key, messages);
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > MAX_ANNOTATIONS {
        errors.too_long(path, MAX_ANNOTATIONS);
    }
}

fn owners(errors: &mut Errors, owners: &[Value]) {
    let path = METADATA.child("ownerReferences");
    let mut controller = "";
    for owner in owners {
        let api_version = text(owner, "apiVersion");
        if api_version.rsplit('/').next().is_none_or(str::is_empty) {
            errors.invalid(&path.child("apiVersion"), api_version, "version must not be empty");
        }
        for field in ["kind", "name", "uid"] {
            if text(owner, field).is_empty() {
                errors.invalid(&path.child(field), text(owner, field), "must not be empty");
            }
        }
        if api_version == "v1" && text(owner, "kind") == "Event" {
            errors.invalid(&path, owner, "/v1, Kind=Event is disallowed from being an owner");
        }
        if flag(owner, "controller") {
            if !controller.is_empty() {
                let all = Value::list(owners.iter().cloned());
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {controller} \
                     and {}",
                    text(owner, "name")
                );
                errors.invalid(&path, &all, &detail);
            }
            controller = text(owner, "name");
        }
    }
}

fn finalizer_names(errors: &mut Errors, finalizers: &[Value]) {
    let path = METADATA.child("finalizers");
    for finalizer in finalizers.iter().filter_map(Value::as_str) {
        errors.invalid_each(&path, finalizer, names::qualified_name(finalizer));
    }
    let has = |name: &str| finalizers.iter().any(|f| f.as_str() == Some(name));
    if has("orphan") && has("foregroundDeletion") {
        let all = Value::list(finalizers.iter().cloned());
        errors.invalid(&path, &all, "finalizer orphan and foregroundDeletion cannot be both set");
    }
}

/// A finalizer without a domain must be one that Kubernetes knows.
fn standard_finalizers(errors: &mut Errors, finalizers: &[Value]) {
    let path = METADATA.child("finalizers");
    for (i, finalizer) in finalizers.iter().filter_map(Value::as_str).enumerate() {
        if !finalizer.contains('/') && !matches!(finalizer, "kubernetes" | "orphan" | "foregroundDeletion") {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&path.index(i), finalizer, detail);
        }
    }
}

fn no_new_finalizers(errors: &mut Errors, new: &[Value], old: &[Value]) {
    let mut extra: Vec<&str> = new.iter().filter(|f| !old.contains(f)).filter_map(Value::as_str).collect();
    if extra.is_empty() {
        return;
    }
    sort(&mut extra);
    let list: Vec<String> = extra.iter().map(|name| super::field::go_quote(name)).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        list.join(", ")
    );
    errors.forbidden(&METADATA.child("finalizers"), &detail);
}

/// A prefix may end with a dash, since letters follow.
fn as_prefix(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let shorter: String = rest.chars().take(rest.chars().count() - 1).collect();
            shorter + "a"
        }
        _ => prefix.to_owned(),
    }
}
