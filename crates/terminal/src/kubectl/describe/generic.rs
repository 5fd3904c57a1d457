//! Kinds without a description of their own: every field, its name in words.
//!
//! Source: `describe.go` (`genericDescriber`, `printUnstructuredContent`, `smartLabelFor`).

use super::Sheet;
use values::value::Value;

/// Fields that are told otherwise, or not at all.
const SKIPPED: [&str; 5] =
    ["metadata.managedFields", "metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations"];

pub fn describe(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    sheet.labels_and_annotations(value);
    fields(sheet, value, 0, "");
}

fn fields(sheet: &mut Sheet, value: &Value, level: usize, path: &str) {
    let indent = "  ".repeat(level);
    for (key, field) in value.as_map().into_iter().flat_map(|m| m.iter()) {
        let here = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        if SKIPPED.contains(&here.as_str()) {
            continue;
        }
        let label = label(key);
        match field {
            Value::Map(_) => {
                sheet.line(&format!("{indent}{label}:"));
                fields(sheet, field, level + 1, &here);
            }
            Value::List(items) => {
                sheet.line(&format!("{indent}{label}:"));
                for item in items.iter() {
                    match item {
                        Value::Map(_) => fields(sheet, item, level + 1, &here),
                        leaf => sheet.line(&format!("{indent}  {}", plain(leaf))),
                    }
                }
            }
            leaf => sheet.row(&format!("{indent}{label}"), plain(leaf)),
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    }
}

/// `apiVersion` as `API Version`, `firstTimestamp` as `First Timestamp`.
fn label(field: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for c in field.chars() {
        match words.last_mut() {
            Some(word) if !c.is_uppercase() => word.push(c),
            _ => words.push(c.to_uppercase().collect()),
        }
    }
    let known = ["API", "URL", "UID", "OSB", "GUID"];
    let word =
        |word: &String| known.iter().find(|k| k.eq_ignore_ascii_case(word)).map_or(word.clone(), |k| (*k).into());
    words.iter().map(word).collect::<Vec<String>>().join(" ")
}
