//! ConfigMaps, Secrets and ServiceAccounts (`printConfigMap`, `printSecret`, `printServiceAccount`).

use super::cells::{age, name, text};
use super::{Column, column};
use values::time::SimTime;
use values::value::Value;

pub const CONFIG_MAP_COLUMNS: &[Column] = &[column("Name"), column("Data"), column("Age")];
pub const SECRET_COLUMNS: &[Column] = &[column("Name"), column("Type"), column("Data"), column("Age")];
pub const SERVICE_ACCOUNT_COLUMNS: &[Column] = &[column("Name"), column("Age")];

pub fn config_map_row(value: &Value, now: SimTime) -> Vec<String> {
    let entries = entries(value, "data") + entries(value, "binaryData");
    vec![name(value), entries.to_string(), age(value, now)]
}

pub fn secret_row(value: &Value, now: SimTime) -> Vec<String> {
    vec![name(value), text(value, "type"), entries(value, "data").to_string(), age(value, now)]
}

pub fn service_account_row(value: &Value, now: SimTime) -> Vec<String> {
    vec![name(value), age(value, now)]
}

fn entries(value: &Value, field: &str) -> usize {
    value.map_at(field).map_or(0, |map| map.len())
}
