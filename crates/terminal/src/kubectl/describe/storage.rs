//! PersistentVolumes and their claims (`describePVC`, `describePV`).

use super::sheet::text;
use super::{Context, Sheet};
use api::columns::access_modes;
use api::kind::Kind;
use values::value::Value;

pub fn claim(sheet: &mut Sheet, value: &Value, context: &Context<'_>) {
    sheet.names(value);
    sheet.row("StorageClass", text(value, "spec.storageClassName"));
    sheet.row("Status", phase(value));
    sheet.row("Volume", text(value, "spec.volumeName"));
    sheet.labels_and_annotations(value);
    sheet.row("Finalizers", finalizers(value));
    let bound = !text(value, "spec.volumeName").is_empty();
    let of_volume = |text: String| if bound { text } else { String::new() };
    sheet.row("Capacity", of_volume(text(value, "status.capacity.storage").to_owned()));
    sheet.row("Access Modes", of_volume(access_modes(value.list_at("status.accessModes"))));
    sheet.text_if("VolumeMode", value, "spec.volumeMode");
    let name = text(value, "metadata.name");
    let uses = |volume: &Value| volume.str_at("persistentVolumeClaim.claimName") == Some(name);
    let pods = context.store.list_in(Kind::Pod, text(value, "metadata.namespace"));
    let users = pods.filter(|pod| pod.value().list_at("spec.volumes").iter().any(uses));
    sheet.column("Used By", users.map(|pod| pod.name().to_owned()).collect());
}

pub fn volume(sheet: &mut Sheet, value: &Value) {
    sheet.row("Name", text(value, "metadata.name"));
    sheet.labels_and_annotations(value);
    sheet.row("Finalizers", finalizers(value));
    sheet.row("StorageClass", text(value, "spec.storageClassName"));
    sheet.row("Status", phase(value));
    let claim = value.at("spec.claimRef");
    let claim =
        if claim.is_null() { String::new() } else { format!("{}/{}", text(claim, "namespace"), text(claim, "name")) };
    sheet.row("Claim", claim);
    sheet.row("Reclaim Policy", text(value, "spec.persistentVolumeReclaimPolicy"));
    sheet.row("Access Modes", access_modes(value.list_at("spec.accessModes")));
    sheet.text_if("VolumeMode", value, "spec.volumeMode");
    sheet.row("Capacity", text(value, "spec.capacity.storage"));
    sheet.row("Node Affinity", "<none>");
    sheet.row("Message", text(value, "status.message"));
    sheet.line("Source:");
    if let path @ Value::Map(_) = value.at("spec.hostPath") {
        sheet.row("    Type", "HostPath (bare host directory volume)");
        sheet.row("    Path", text(path, "path"));
        sheet.row("    HostPathType", text(path, "type"));
    } else {
        sheet.row("    Type", "<unknown>");
    }
}

fn phase(value: &Value) -> &str {
    if value.at("metadata.deletionTimestamp").is_null() { text(value, "status.phase") } else { "Terminating" }
}

fn finalizers(value: &Value) -> String {
    let names: Vec<&str> = value.list_at("metadata.finalizers").iter().filter_map(Value::as_str).collect();
    format!("[{}]", names.join(" "))
}
