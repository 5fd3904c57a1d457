//! Namespaces (`printNamespace`).

use super::cells::{age, name, text};
use super::{Column, column};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[column("Name"), column("Status"), column("Age")];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    vec![name(value), text(value, "status.phase"), age(value, now)]
}
