//! Defaults of volumes and claims. Source: `pkg/apis/core/v1/defaults.go`.

use values::value::Value;

use super::edit::{default_in, update};

pub(super) fn claim(object: &mut Value) {
    update(object, "spec", |spec| default_in(spec, "volumeMode", || "Filesystem".into()));
    update(object, "status", |status| default_in(status, "phase", || "Pending".into()));
}

pub(super) fn volume(object: &mut Value) {
    update(object, "spec", |spec| {
        default_in(spec, "persistentVolumeReclaimPolicy", || "Retain".into());
        default_in(spec, "volumeMode", || "Filesystem".into());
        update(spec, "hostPath", |source| default_in(source, "type", || "".into()));
    });
    update(object, "status", |status| default_in(status, "phase", || "Pending".into()));
}
