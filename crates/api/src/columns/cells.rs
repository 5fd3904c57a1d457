//! Cells that several tables share: names, ages, the containers of a template, selectors.
//!
//! Source: `printers.go` (`translateTimestampSince`, `layoutContainerCells`), `meta/v1/helpers.go`
//! (`FormatLabelSelector`).

use values::human;
use values::sort::sort_by;
use values::time::SimTime;
use values::value::Value;

pub const NONE: &str = "<none>";

/// `metadata.name`
pub fn name(value: &Value) -> String {
    text(value, "metadata.name")
}

/// The text at a path; empty if there is none.
pub fn text(value: &Value, path: &str) -> String {
    value.str_at(path).unwrap_or_default().to_owned()
}

/// The text at a path, or `otherwise` if there is none or it is empty.
pub fn text_or(value: &Value, path: &str, otherwise: &str) -> String {
    value.str_at(path).filter(|t| !t.is_empty()).unwrap_or(otherwise).to_owned()
}

/// The whole number at a path, 0 if there is none.
pub fn count(value: &Value, path: &str) -> String {
    value.i64_at(path).unwrap_or(0).to_string()
}

/// The moment at a path.
pub fn time(value: &Value, path: &str) -> Option<SimTime> {
    value.str_at(path).and_then(SimTime::parse_rfc3339)
}

/// How long ago the moment at a path was.
pub fn since(value: &Value, path: &str, now: SimTime) -> String {
    human::since(time(value, path), now)
}

/// AGE
pub fn age(value: &Value, now: SimTime) -> String {
    since(value, "metadata.creationTimestamp", now)
}

/// CONTAINERS and IMAGES of a Pod template.
pub fn containers(template: &Value) -> [String; 2] {
    let list = |field: &str| -> String {
        let texts = template.list_at("spec.containers").iter().map(|c| c.str_at(field).unwrap_or_default());
        texts.collect::<Vec<_>>().join(",")
    };
    [list("name"), list("image")]
}

/// A `LabelSelector` in one line: `app=a,tier in (b,c),!old`; `<none>` without one or if it is empty.
pub fn label_selector(selector: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (key, value) in selector.map_at("matchLabels").into_iter().flat_map(|m| m.iter()) {
        parts.push(format!("{key}={}", value.as_str().unwrap_or_default()));
    }
    for expression in selector.list_at("matchExpressions") {
        let key = expression.str_at("key").unwrap_or_default();
        let mut values: Vec<&str> = expression.list_at("values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push(match expression.str_at("operator").unwrap_or_default() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    // Requirements are kept by key.
    sort_by(&mut parts, |a, b| a.trim_start_matches('!').cmp(b.trim_start_matches('!')));
    if parts.is_empty() { NONE.to_owned() } else { parts.join(",") }
}

/// A map in one line, `a=1,b=2`; `<none>` if it is empty.
pub fn map(value: &Value) -> String {
    let pairs = value.as_map().into_iter().flat_map(|m| m.iter());
    let text: Vec<String> = pairs.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    if text.is_empty() { NONE.to_owned() } else { text.join(",") }
}
