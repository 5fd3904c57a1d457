//! PriorityClasses (`printPriorityClass`).

use super::cells::{age, count, name, text};
use super::{Column, column};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] =
    &[column("Name"), column("Value"), column("Global-Default"), column("Age"), column("PreemptionPolicy")];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let global = value.bool_at("globalDefault").unwrap_or(false);
    vec![name(value), count(value, "value"), global.to_string(), age(value, now), text(value, "preemptionPolicy")]
}
