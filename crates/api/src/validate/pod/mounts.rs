//! Where volumes stand in containers.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateVolumeMounts`, `ValidateVolumeDevices`).

use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::read::{flag, get, items, set, text};
use super::{Context, volumes};

/// Checks `volumeMounts`.
pub fn mounts(errors: &mut Errors, list: &Path<'_>, container: &Value, pod: &Context<'_>) {
    let mounts = items(container, "volumeMounts");
    let devices = items(container, "volumeDevices");
    for (i, mount) in mounts.iter().enumerate() {
        let path = list.index(i);
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            errors.required(&path.child("name"), "");
        }
        if pod.volume(name).is_none() {
            errors.not_found(&path.child("name"), name, "");
        }
        if place.is_empty() {
            errors.required(&path.child("mountPath"), "");
        }
        if mounts[..i].iter().any(|other| text(other, "mountPath") == place) {
            errors.invalid(&path.child("mountPath"), place, "must be unique");
        }
        if devices.iter().any(|device| text(device, "name") == name) {
            errors.invalid(&path.child("name"), name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| text(device, "devicePath") == place) {
            errors.invalid(&path.child("mountPath"), place, "must not already exist as a path in volumeDevices");
        }
        sub_paths(errors, list, &path, mount);
        propagation(errors, list, mount, container);
    }
}

/// Upstream puts most of these at the list.
fn sub_paths(errors: &mut Errors, list: &Path<'_>, path: &Path<'_>, mount: &Value) {
    let (sub, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
    if !sub.is_empty() {
        volumes::descending_path(errors, &list.child("subPath"), sub);
    }
    if !expression.is_empty() {
        if !sub.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&path.child("subPathExpr"), expression, detail);
        }
        volumes::descending_path(errors, &list.child("subPathExpr"), expression);
    }
}

fn propagation(errors: &mut Errors, list: &Path<'_>, mount: &Value, container: &Value) {
    let mode = set(mount, "mountPropagation").and_then(Value::as_str);
    let modes = ["Bidirectional", "HostToContainer", "None"];
    let path = list.child("mountPropagation");
    if let Some(mode) = mode {
        if !modes.contains(&mode) {
            errors.unsupported(&path, mode, &modes);
        }
        let privileged = flag(get(container, "securityContext"), "privileged");
        if mode == "Bidirectional" && !privileged {
            errors.forbidden(&path, "Bidirectional mount propagation is available only to privileged containers");
        }
    }
    let path = list.child("recursiveReadOnly");
    match set(mount, "recursiveReadOnly").and_then(Value::as_str) {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !flag(mount, "readOnly") {
                errors.forbidden(&path, "may only be specified when readOnly is true");
            }
            if mode.is_some_and(|mode| mode != "None") {
                errors.forbidden(&path, "may only be specified when mountPropagation is None or not specified");
            }
        }
        Some(other) => errors.unsupported(&path, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

/// Checks `volumeDevices`.
pub fn devices(errors: &mut Errors, path: &Path<'_>, container: &Value, pod: &Context<'_>) {
    let (devices, mounts) = (items(container, "volumeDevices"), items(container, "volumeMounts"));
    for (i, device) in devices.iter().enumerate() {
        let path = path.index(i);
        let (name, place) = (text(device, "name"), text(device, "devicePath"));
        let (name_path, place_path) = (path.child("name"), path.child("devicePath"));
        if name.is_empty() {
            errors.required(&name_path, "");
        }
        if !name.is_empty() && devices[..i].iter().any(|other| text(other, "name") == name) {
            errors.invalid(&name_path, name, "must be unique");
        }
        match pod.volume(name) {
            None => errors.not_found(&name_path, name, ""),
            Some(volume) if set(volume, "persistentVolumeClaim").or(set(volume, "ephemeral")).is_none() => {
                let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.invalid(&name_path, name, detail);
            }
            Some(_) => {}
        }
        if place.is_empty() {
            errors.required(&place_path, "");
        }
        if devices[..i].iter().any(|other| text(other, "devicePath") == place) {
            errors.invalid(&place_path, place, "must be unique");
        }
        if place.split('/').any(|part| part == "..") {
            errors.invalid(&place_path, place, "can not contain backsteps ('..')");
        }
        if mounts.iter().any(|mount| text(mount, "name") == name) {
            errors.invalid(&name_path, name, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| text(mount, "mountPath") == place) {
            errors.invalid(&place_path, place, "must not already exist as a path in volumeMounts");
        }
    }
}
