//! The events at the end of a description.
//!
//! Source: `describe.go` (`DescribeEvents`), `kubectl/pkg/util/event/sorted_event_list.go`.

use std::rc::Rc;

use super::sheet::text;
use super::{Context, Sheet};
use crate::printing::sort::go_sort;
use api::kind::Kind;
use api::object::Object;
use values::human;
use values::time::SimTime;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, object: &Object, context: &Context<'_>) {
    // Events of a node name it by its name where others have a uid.
    let about = |event: &&Rc<Object>| {
        let involved = event.value().at("involvedObject");
        let uid = text(involved, "uid");
        text(involved, "name") == object.name()
            && text(involved, "kind") == object.kind().name()
            && (uid.is_empty() || uid == object.uid() || object.kind() == Kind::Node)
    };
    let namespace = if object.kind().info().namespaced { Some(object.namespace()) } else { None };
    let all = context.store.list(Kind::Event).filter(|e| namespace.is_none_or(|n| e.namespace() == n));
    let mut events: Vec<&Rc<Object>> = all.filter(about).collect();
    let last = |event: &Object| event.value().str_at("lastTimestamp").and_then(SimTime::parse_rfc3339);
    go_sort(&mut events, |a, b| last(a) < last(b));
    if events.is_empty() {
        return sheet.row("Events", "<none>");
    }
    sheet.line("Events:\n  Type\tReason\tAge\tFrom\tMessage");
    sheet.line("  ----\t------\t----\t----\t-------");
    for event in events {
        let value = event.value();
        let source = Some(text(value, "source.component")).filter(|s| !s.is_empty());
        let source = source.unwrap_or_else(|| text(value, "reportingComponent"));
        let field = text(value, "involvedObject.fieldPath");
        let place = if field.is_empty() { String::new() } else { format!("{field}: ") };
        sheet.line(&format!(
            "  {}\t{}\t{}\t{source}\t{place}{}",
            text(value, "type"),
            text(value, "reason"),
            interval(value, context.now),
            text(value, "message").trim()
        ));
    }
}

/// `5s`, or `7s (x10 over 3m20s)`.
pub fn interval(event: &Value, now: SimTime) -> String {
    let time = |path: &str| event.str_at(path).and_then(SimTime::parse_rfc3339);
    let since = |at: Option<SimTime>| human::since(at, now);
    let first = since(time("eventTime").or_else(|| time("firstTimestamp")));
    let count = event.i64_at("count").unwrap_or(0);
    if event.at("series").as_map().is_some() {
        let count = event.i64_at("series.count").unwrap_or(0);
        format!("{} (x{count} over {first})", since(time("series.lastObservedTime")))
    } else if count > 1 {
        format!("{} (x{count} over {first})", since(time("lastTimestamp")))
    } else {
        first
    }
}
