//! Volumes and their sources.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateVolumes`, `validateVolumeSource` and those it calls). Of
//! sources that need storage of a cloud, only the required fields are checked.

use values::quantity::Quantity;
use values::value::Value;

use super::super::field::{Errors, Path};
use super::super::read::{get, int, items, set, text};
use super::super::{names, storage};
use super::env;
use super::resources::quantity;

/// All sources in upstream's order, and as the error for a second one names them.
const SOURCES: &[(&str, &str)] = &[
    ("emptyDir", "emptyDir"),
    ("hostPath", "hostPath"),
    ("gitRepo", "gitRepo"),
    ("gcePersistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("flocker", "flocker"),
    ("persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("quobyte", "quobyte"),
    ("downwardAPI", "downwarAPI"),
    ("fc", "fc"),
    ("flexVolume", "flexVolume"),
    ("configMap", "configMap"),
    ("azureFile", "azureFile"),
    ("vsphereVolume", "vsphereVolume"),
    ("photonPersistentDisk", "photonPersistentDisk"),
    ("portworxVolume", "portworxVolume"),
    ("azureDisk", "azureDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("scaleIO", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
];

/// The names of all sources.
#[cfg(test)]
pub fn volume_sources() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, _)| *name)
}

/// Fields that sources must have, besides those with rules of their own.
const REQUIRED: &[(&str, &[&str])] = &[
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["image"]),
    ("cinder", &["volumeID"]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &["volumeName"]),
    ("csi", &["driver"]),
];

/// Checks `spec.volumes`.
pub fn volumes(errors: &mut Errors, path: &Path<'_>, volumes: &[Value]) {
    for (i, volume) in volumes.iter().enumerate() {
        let path = path.index(i);
        source(errors, &path, volume);
        let name = text(volume, "name");
        let name_path = path.child("name");
        match name {
            "" => errors.required(&name_path, ""),
            name => errors.invalid_each(&name_path, name, names::dns_label(name)),
        }
        if volumes[..i].iter().any(|other| text(other, "name") == name) {
            errors.duplicate(&name_path, name);
        }
    }
}

fn source(errors: &mut Errors, path: &Path<'_>, volume: &Value) {
    let mut found = false;
    for (kind, shown) in SOURCES {
        let Some(source) = set(volume, kind) else { continue };
        if found {
            errors.forbidden(&path.child(shown), "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        one_source(errors, &path.child(kind), kind, source);
    }
    if !found {
        errors.required(path, "must specify a volume type");
    }
}

fn one_source(errors: &mut Errors, path: &Path<'_>, kind: &str, source: &Value) {
    let required = REQUIRED.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, fields)| fields);
    for field in required {
        if text(source, field).is_empty() {
            errors.required(&path.child(field), "");
        }
    }
    match kind {
        "emptyDir" if quantity(get(source, "sizeLimit")).is_some_and(Quantity::is_negative) => {
            errors.forbidden(&path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
        }
        "hostPath" => host_path(errors, path, source),
        "gitRepo" => descending_path(errors, &path.child("directory"), text(source, "directory")),
        "secret" => files(errors, path, source, "secretName"),
        "configMap" => files(errors, path, source, "name"),
        "nfs" => nfs(errors, path, source),
        "downwardAPI" => {
            file_mode(errors, &path.child("defaultMode"), source, "defaultMode");
            env::downward_files(errors, path, source);
        }
        "projected" => projected(errors, path, source),
        "ephemeral" => match set(source, "volumeClaimTemplate") {
            None => errors.required(&path.child("volumeClaimTemplate"), ""),
            Some(template) => {
                storage::claim_spec(errors, &path.child("volumeClaimTemplate.spec"), get(template, "spec"));
            }
        },
        "image" => {
            let policy = text(source, "pullPolicy");
            let policies = ["Always", "IfNotPresent", "Never"];
            if !policy.is_empty() && !policies.contains(&policy) {
                errors.unsupported(&path.child("pullPolicy"), policy, &policies);
            }
        }
        _ => {}
    }
}

fn host_path(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    let written = text(source, "path");
    if written.is_empty() {
        return errors.required(&path.child("path"), "");
    }
    no_backsteps(errors, &path.child("path"), written);
    let kinds = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    if let Some(kind) = set(source, "type").and_then(Value::as_str).filter(|kind| !kinds.contains(kind)) {
        errors.unsupported(&path.child("type"), kind, &kinds);
    }
}

fn nfs(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    for field in ["server", "path"] {
        if text(source, field).is_empty() {
            errors.required(&path.child(field), "");
        }
    }
    if !text(source, "path").starts_with('/') {
        errors.invalid(&path.child("path"), text(source, "path"), "must be an absolute path");
    }
}

/// A ConfigMap or Secret as files.
fn files(errors: &mut Errors, path: &Path<'_>, source: &Value, name: &str) {
    if text(source, name).is_empty() {
        errors.required(&path.child(name), "");
    }
    file_mode(errors, &path.child("defaultMode"), source, "defaultMode");
    keys(errors, &path.child("items"), items(source, "items"));
}

fn keys(errors: &mut Errors, path: &Path<'_>, keys: &[Value]) {
    for (i, key) in keys.iter().enumerate() {
        let path = path.index(i);
        for field in ["key", "path"] {
            if text(key, field).is_empty() {
                errors.required(&path.child(field), "");
            }
        }
        local_path(errors, &path.child("path"), text(key, "path"));
        file_mode(errors, &path.child("mode"), key, "mode");
    }
}

/// Checks the file mode in a field.
pub fn file_mode(errors: &mut Errors, path: &Path<'_>, owner: &Value, field: &str) {
    if let Some(mode) = int(owner, field).filter(|mode| !(0..=0o777).contains(mode)) {
        errors.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

fn projected(errors: &mut Errors, path: &Path<'_>, source: &Value) {
    file_mode(errors, &path.child("defaultMode"), source, "defaultMode");
    let mut taken: Vec<String> = Vec::new();
    let sources = path.child("sources");
    for (i, source) in items(source, "sources").iter().enumerate() {
        let own_path = sources.index(i);
        let mut count = 0;
        for kind in ["secret", "configMap"] {
            let Some(files) = set(source, kind) else { continue };
            count += 1;
            let path_of_kind = own_path.child(kind);
            let name = text(files, "name");
            if name.is_empty() {
                errors.required(&path_of_kind.child("name"), "");
            }
            keys(errors, &path_of_kind.child("items"), items(files, "items"));
            for file in items(files, "items") {
                conflict(errors, path, &mut taken, text(file, "path"), name);
            }
        }
        if let Some(files) = set(source, "downwardAPI") {
            count += 1;
            for file in items(files, "items") {
                env::downward_file(errors, &own_path.child("downwardAPI"), file);
                conflict(errors, path, &mut taken, text(file, "path"), text(file, "path"));
            }
        }
        if let Some(token) = set(source, "serviceAccountToken") {
            count += 1;
            service_account_token(errors, path, &own_path.child("serviceAccountToken"), token);
        }
        if count > 1 {
            errors.forbidden(&own_path, "may not specify more than 1 volume type");
        }
    }
}

fn conflict(errors: &mut Errors, path: &Path<'_>, taken: &mut Vec<String>, file: &str, shown: &str) {
    if file.is_empty() {
        return;
    }
    if taken.iter().any(|other| other == file) {
        errors.invalid(path, shown, "conflicting duplicate paths");
    } else {
        taken.push(file.to_owned());
    }
}

fn service_account_token(errors: &mut Errors, volume: &Path<'_>, path: &Path<'_>, token: &Value) {
    let seconds = int(token, "expirationSeconds").unwrap_or(0);
    let seconds_path = path.child("expirationSeconds");
    if seconds < 600 {
        errors.invalid(&seconds_path, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > 1 << 32 {
        errors.invalid(&seconds_path, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    // Upstream puts these two at the volume.
    match text(token, "path") {
        "" => errors.required(&volume.child("path"), ""),
        file => local_path(errors, &volume.child("path"), file),
    }
}

/// A relative path that stays inside, and whose first part does not begin with two dots.
pub fn local_path(errors: &mut Errors, path: &Path<'_>, written: &str) {
    descending_path(errors, path, written);
    if written.starts_with("..") && !written.starts_with("../") && written != ".." {
        errors.invalid(path, written, "must not start with '..'");
    }
}

/// A relative path that stays inside.
pub fn descending_path(errors: &mut Errors, path: &Path<'_>, written: &str) {
    if written.starts_with('/') {
        errors.invalid(path, written, "must be a relative path");
    }
    no_backsteps(errors, path, written);
}

fn no_backsteps(errors: &mut Errors, path: &Path<'_>, written: &str) {
    if written.split('/').any(|part| part == "..") {
        errors.invalid(path, written, "must not contain '..'");
    }
}
