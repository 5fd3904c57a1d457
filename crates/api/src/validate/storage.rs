//! PersistentVolumeClaims and PersistentVolumes.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidatePersistentVolumeClaim`, `ValidatePersistentVolume` and
//! their updates).

use values::quantity::Quantity;
use values::value::Value;

use super::field::{Errors, IMMUTABLE, Path};
use super::pod::resources::{amount_of, quantity};
use super::read::{entries, get, items, same, set, text};
use super::{meta, names, selector};

const SPEC: Path<'static> = Path::root("spec");
const ACCESS_MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];
const NOT_POSITIVE: &str = "must be greater than zero";

/// Checks a new claim.
pub fn claim(errors: &mut Errors, claim: &Value) {
    meta::create(errors, claim, true, names::dns_subdomain);
    claim_spec(errors, &SPEC, get(claim, "spec"));
}

/// Checks the spec of a claim, which may stand in a Pod's volume, too.
pub fn claim_spec(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let modes_path = path.child("accessModes");
    let modes: Vec<&str> = items(spec, "accessModes").iter().filter_map(Value::as_str).collect();
    if modes.is_empty() {
        errors.required(&modes_path, "at least 1 access mode is required");
    }
    selector::selector(errors, &path.child("selector"), get(spec, "selector"));
    access_modes(errors, &modes_path, &modes);
    let requests = spec.at("resources.requests");
    let resources = path.child("resources");
    let storage_path = resources.key("storage");
    match quantity(get(requests, "storage")) {
        None => errors.required(&storage_path, ""),
        Some(amount) if amount <= Quantity::from_units(0) => {
            errors.invalid(&storage_path, amount.to_string().as_str(), NOT_POSITIVE);
        }
        Some(amount) => amount_of(errors, &storage_path, "storage", amount),
    }
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        errors.invalid_each(&path.child("storageClassName"), class, names::dns_subdomain(class));
    }
    volume_mode(errors, &path.child("volumeMode"), spec);
}

fn access_modes(errors: &mut Errors, path: &Path<'_>, modes: &[&str]) {
    for mode in modes.iter().filter(|mode| !ACCESS_MODES.contains(mode)) {
        errors.unsupported(path, *mode, ACCESS_MODES);
    }
    let alone = "ReadWriteOncePod";
    if modes.contains(&alone) && modes.iter().any(|mode| *mode != alone && ACCESS_MODES.contains(mode)) {
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}

fn volume_mode(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let mode = set(spec, "volumeMode").and_then(Value::as_str);
    if let Some(mode) = mode.filter(|mode| !VOLUME_MODES.contains(mode)) {
        errors.unsupported(path, mode, VOLUME_MODES);
    }
}

/// Checks a changed claim: the volume may be named once, and a bound claim may grow.
pub fn claim_update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    claim(errors, new);
    let (spec, old_spec) = (get(new, "spec"), get(old, "spec"));
    let mut expected = old_spec.clone();
    let mut allow = |field: &str| match set(spec, field) {
        Some(value) => _ = expected.map_mut().insert(field, value.clone()),
        None => _ = expected.map_mut().remove(field),
    };
    if text(old_spec, "volumeName").is_empty() {
        allow("volumeName");
    }
    if set(old_spec, "storageClassName").is_none() {
        allow("storageClassName");
    }
    allow("volumeAttributesClassName");
    let (size, old_size) = (spec.at("resources.requests.storage"), old_spec.at("resources.requests.storage"));
    if new.str_at("status.phase") == Some("Bound") {
        expected.set("resources.requests.storage", size.clone());
    }
    if !same(spec, &expected) {
        // The server adds a diff, which is left out.
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
                      claims";
        errors.forbidden(&SPEC, detail);
    }
    if let (Some(size), Some(old_size)) = (quantity(size), quantity(old_size)) {
        let capacity = quantity(old.at("status.capacity.storage")).unwrap_or(Quantity::from_units(0));
        if size < old_size && size <= capacity {
            let path = SPEC.child("resources.requests.storage");
            errors.forbidden(&path, "field can not be less than status.capacity");
        }
    }
    meta::immutable(errors, &Path::root("volumeMode"), get(spec, "volumeMode"), get(old_spec, "volumeMode"));
}

/// Checks a new volume.
pub fn volume(errors: &mut Errors, volume: &Value) {
    meta::create(errors, volume, false, names::dns_subdomain);
    let spec = get(volume, "spec");
    let modes: Vec<&str> = items(spec, "accessModes").iter().filter_map(Value::as_str).collect();
    let modes_path = SPEC.child("accessModes");
    if modes.is_empty() {
        errors.required(&modes_path, "");
    }
    access_modes(errors, &modes_path, &modes);
    let capacity_path = SPEC.child("capacity");
    let capacity = get(spec, "capacity");
    if capacity.is_empty() {
        errors.required(&capacity_path, "");
    }
    if set(capacity, "storage").is_none() || entries(spec, "capacity").count() > 1 {
        errors.unsupported(&capacity_path, capacity, &["storage"]);
    }
    for (name, amount) in entries(spec, "capacity") {
        if let Some(amount) = quantity(amount).filter(|amount| *amount <= Quantity::from_units(0)) {
            errors.invalid(&capacity_path.key(name), amount.to_string().as_str(), NOT_POSITIVE);
        }
    }
    let policy = text(spec, "persistentVolumeReclaimPolicy");
    let policies = ["Delete", "Recycle", "Retain"];
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.unsupported(&SPEC.child("persistentVolumeReclaimPolicy"), policy, &policies);
    }
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        errors.invalid_each(&SPEC.child("storageClassName"), class, names::dns_subdomain(class));
    }
    volume_mode(errors, &SPEC.child("volumeMode"), spec);
}

/// Checks a changed volume.
pub fn volume_update(errors: &mut Errors, new: &Value, old: &Value) {
    volume(errors, new);
    let (spec, old_spec) = (get(new, "spec"), get(old, "spec"));
    for source in ["hostPath", "local", "nfs", "csi"] {
        if !same(get(spec, source), get(old_spec, source)) {
            let detail = "spec.persistentvolumesource is immutable after creation";
            errors.forbidden(&SPEC.child("persistentvolumesource"), detail);
        }
    }
    if !same(get(spec, "volumeMode"), get(old_spec, "volumeMode")) {
        errors.invalid(&Path::root("volumeMode"), get(spec, "volumeMode"), IMMUTABLE);
    }
}
