//! ConfigMaps, Secrets, ServiceAccounts and PriorityClasses (`ConfigMapDescriber` and its like).

use super::Sheet;
use super::sheet::{number, text};
use values::value::Value;

pub fn config_map(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    sheet.labels_and_annotations(value);
    sheet.line("\nData\n====");
    for (key, data) in value.map_at("data").into_iter().flat_map(|d| d.iter()) {
        sheet.line(&format!("{key}:\n----\n{}\n", data.as_str().unwrap_or_default()));
    }
    sheet.line("\nBinaryData\n====");
    for (key, data) in value.map_at("binaryData").into_iter().flat_map(|d| d.iter()) {
        sheet.line(&format!("{key}: {} bytes", decoded_bytes(data)));
    }
    sheet.line("");
}

pub fn secret(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    sheet.labels_and_annotations(value);
    sheet.line(&format!("\nType:\t{}", text(value, "type")));
    sheet.line("\nData\n====");
    for (key, data) in value.map_at("data").into_iter().flat_map(|d| d.iter()) {
        sheet.line(&format!("{key}:\t{} bytes", decoded_bytes(data)));
    }
}

pub fn service_account(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    sheet.labels_and_annotations(value);
    let names = |field: &str| value.list_at(field).iter().map(|o| text(o, "name").to_owned()).collect::<Vec<_>>();
    sheet.column("Image pull secrets", names("imagePullSecrets"));
    if !value.list_at("secrets").is_empty() {
        sheet.column("Mountable secrets", names("secrets"));
    }
}

pub fn priority_class(sheet: &mut Sheet, value: &Value) {
    sheet.row("Name", text(value, "metadata.name"));
    sheet.row("Value", number(value, "value"));
    sheet.row("GlobalDefault", value.bool_at("globalDefault").unwrap_or(false));
    sheet.row("PreemptionPolicy", text(value, "preemptionPolicy"));
    sheet.row("Description", text(value, "description"));
    sheet.annotations("Annotations", value.at("metadata.annotations"));
}

/// How many bytes a base64 text stands for.
fn decoded_bytes(data: &Value) -> usize {
    let text = data.as_str().unwrap_or_default().trim_end_matches('=');
    text.len() * 3 / 4
}
