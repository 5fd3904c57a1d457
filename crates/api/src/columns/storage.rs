//! PersistentVolumes and their claims (`printPersistentVolume`, `printPersistentVolumeClaim`).

use super::cells::{age, name, text, text_or};
use super::{Column, column, wide};
use values::time::SimTime;
use values::value::Value;

pub const VOLUME_COLUMNS: &[Column] = &[
    column("Name"),
    column("Capacity"),
    column("Access Modes"),
    column("Reclaim Policy"),
    column("Status"),
    column("Claim"),
    column("StorageClass"),
    column("VolumeAttributesClass"),
    column("Reason"),
    column("Age"),
    wide("VolumeMode"),
];

pub const CLAIM_COLUMNS: &[Column] = &[
    column("Name"),
    column("Status"),
    column("Volume"),
    column("Capacity"),
    column("Access Modes"),
    column("StorageClass"),
    column("VolumeAttributesClass"),
    column("Age"),
    wide("VolumeMode"),
];

pub fn volume_row(value: &Value, now: SimTime) -> Vec<String> {
    let claim = match value.at("spec.claimRef").as_map() {
        Some(_) => format!("{}/{}", text(value, "spec.claimRef.namespace"), text(value, "spec.claimRef.name")),
        None => String::new(),
    };
    vec![
        name(value),
        text(value, "spec.capacity.storage"),
        access_modes(value.list_at("spec.accessModes")),
        text(value, "spec.persistentVolumeReclaimPolicy"),
        phase(value),
        claim,
        class(value),
        text_or(value, "spec.volumeAttributesClassName", "<unset>"),
        text(value, "status.reason"),
        age(value, now),
        text_or(value, "spec.volumeMode", "<unset>"),
    ]
}

pub fn claim_row(value: &Value, now: SimTime) -> Vec<String> {
    let volume = text(value, "spec.volumeName");
    let (capacity, modes) = if volume.is_empty() {
        (String::new(), String::new())
    } else {
        (text(value, "status.capacity.storage"), access_modes(value.list_at("status.accessModes")))
    };
    vec![
        name(value),
        phase(value),
        volume,
        capacity,
        modes,
        class(value),
        text_or(value, "spec.volumeAttributesClassName", "<unset>"),
        age(value, now),
        text_or(value, "spec.volumeMode", "<unset>"),
    ]
}

fn phase(value: &Value) -> String {
    if value.at("metadata.deletionTimestamp").is_null() { text(value, "status.phase") } else { "Terminating".into() }
}

/// The annotation of old times wins over the field.
fn class(value: &Value) -> String {
    let annotation = value.at_keys(["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]).as_str();
    annotation.map_or_else(|| text(value, "spec.storageClassName"), str::to_owned)
}

/// `RWO,ROX`, each once.
pub fn access_modes(modes: &[Value]) -> String {
    let short = |mode: &Value| match mode.as_str().unwrap_or_default() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    let order = ["RWO", "ROX", "RWX", "RWOP"];
    order.into_iter().filter(|word| modes.iter().any(|mode| short(mode) == *word)).collect::<Vec<_>>().join(",")
}
