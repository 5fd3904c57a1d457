//! Labels and label selectors.
//!
//! Source: `apimachinery/pkg/apis/meta/v1/validation/validation.go`, `apimachinery/pkg/apis/meta/v1/helpers.go`
//! (`LabelSelectorAsSelector`).

use crate::meta::{LabelSelector, StringMap};
use values::value::Value;

use super::field::{Errors, Path};
use super::names;
use super::read::{entries, get, items, text};

/// Checks a map of labels; every message stands at the map itself.
pub fn labels(errors: &mut Errors, path: &Path<'_>, map: &Value) {
    for (key, value) in map.as_map().into_iter().flat_map(|map| map.iter()) {
        label_key(errors, path, key);
        let value = value.as_str().unwrap_or("");
        errors.invalid_each(path, value, names::label_value(value));
    }
}

pub fn label_key(errors: &mut Errors, path: &Path<'_>, key: &str) {
    errors.invalid_each(path, key, names::qualified_name(key));
}

/// Checks a `metav1.LabelSelector`; nothing is wrong with a missing one.
pub fn selector(errors: &mut Errors, path: &Path<'_>, selector: &Value) {
    labels(errors, &path.child("matchLabels"), get(selector, "matchLabels"));
    let expressions = path.child("matchExpressions");
    for (i, expression) in items(selector, "matchExpressions").iter().enumerate() {
        requirement(errors, &expressions.index(i), expression);
    }
}

fn requirement(errors: &mut Errors, path: &Path<'_>, expression: &Value) {
    let values = items(expression, "values");
    let values_path = path.child("values");
    match text(expression, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            errors.required(&values_path, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.forbidden(&values_path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
    }
    label_key(errors, &path.child("key"), text(expression, "key"));
    for (i, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or("");
        errors.invalid_each(&values_path.index(i), value, names::label_value(value));
    }
}

/// Whether a selector can be turned into one that matches, as `LabelSelectorAsSelector` does without an error.
pub fn is_usable(selector: &Value) -> bool {
    let mut errors = Errors::new();
    let path = Path::root("");
    items(selector, "matchExpressions").iter().for_each(|e| requirement(&mut errors, &path, e));
    labels(&mut errors, &path, get(selector, "matchLabels"));
    errors.count() == 0
}

/// Whether a selector matches labels. A missing one matches nothing, an empty one everything.
pub fn matches(selector: &Value, labels: &Value) -> bool {
    if selector.is_null() {
        return false;
    }
    let Ok(selector) = selector.decode::<LabelSelector>() else { return false };
    selector.matches(&string_map(labels))
}

/// A map of text as a typed one.
pub fn string_map(map: &Value) -> StringMap {
    let entries = map.as_map().into_iter().flat_map(|map| map.iter());
    entries.map(|(key, value)| (key.into(), value.as_text().cloned().unwrap_or_default())).collect()
}

/// Whether a selector has neither labels nor expressions.
pub fn is_empty(selector: &Value) -> bool {
    entries(selector, "matchLabels").next().is_none() && items(selector, "matchExpressions").is_empty()
}
