//! Events (`printEvent`).

use super::cells::{name, text, time};
use super::{Column, column, wide};
use values::human;
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[
    column("Last Seen"),
    column("Type"),
    column("Reason"),
    column("Object"),
    wide("Subobject"),
    wide("Source"),
    column("Message"),
    wide("First Seen"),
    wide("Count"),
    wide("Name"),
];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let first = time(value, "firstTimestamp").or_else(|| time(value, "eventTime"));
    let (mut last, mut count) = (time(value, "lastTimestamp").or(first), value.i64_at("count").unwrap_or(0));
    if value.at("series").as_map().is_some() {
        last = time(value, "series.lastObservedTime");
        count = value.i64_at("series.count").unwrap_or(0);
    } else if count == 0 {
        count = 1;
    }
    let kind = text(value, "involvedObject.kind").to_ascii_lowercase();
    let about = text(value, "involvedObject.name");
    vec![
        human::since(last, now),
        text(value, "type"),
        text(value, "reason"),
        if about.is_empty() { kind } else { format!("{kind}/{about}") },
        text(value, "involvedObject.fieldPath"),
        source(value),
        text(value, "message").trim().to_owned(),
        human::since(first, now),
        count.to_string(),
        name(value),
    ]
}

/// `kubelet, node-1`; the reporting component where the old fields are empty.
fn source(value: &Value) -> String {
    let (mut component, mut host) = (text(value, "source.component"), text(value, "source.host"));
    if component.is_empty() {
        component = text(value, "reportingComponent");
    }
    if host.is_empty() {
        host = text(value, "reportingInstance");
    }
    if host.is_empty() { component } else { format!("{component}, {host}") }
}
