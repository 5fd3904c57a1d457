//! Namespaces (`printNamespace`).

use super::cells::{age, name, text};
use super::{Column, column};
use crate::base::time::SimTime;
use crate::base::value::Value;

pub const COLUMNS: &[Column] = &[column("Name"), column("Status"), column("Age")];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    vec![name(value), text(value, "status.phase"), age(value, now)]
}
