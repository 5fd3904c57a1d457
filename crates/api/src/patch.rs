//! Patches: JSON merge, strategic merge, and the three-way patch of `kubectl apply`.
//!
//! Rules: RFC 7386; `apimachinery/pkg/util/strategicpatch/patch.go` with the merge keys of the schema.

use crate::schema::{Patch, Schema, StructId};
use values::value::{Map, Value};

/// Applies a JSON merge patch: null takes a key out, lists are replaced.
pub fn merge(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_map() else {
        *target = patch.clone();
        return;
    };
    let map = target.map_mut();
    for (key, change) in changes.iter() {
        if change.is_null() {
            map.remove(key);
        } else if let Some(inner) = map.get_mut(key) {
            merge(inner, change);
        } else {
            map.insert(key, without_nulls(change));
        }
    }
}

/// How a value is merged: what struct it is, and what becomes of lists.
#[derive(Clone, Copy)]
pub struct Shape {
    id: Option<StructId>,
    patch: Patch,
    merge_key: Option<&'static str>,
    /// What a patch adds to a list with keys stands first, as kustomize has it.
    prepends: bool,
}

impl Shape {
    /// The shape of a whole object of this kind.
    pub fn of_kind(api_version: &str, kind: &str) -> Shape {
        Shape { id: Schema::get().kind(api_version, kind), patch: Patch::Default, merge_key: None, prepends: false }
    }

    /// The same, for patches whose new items come first.
    pub fn prepending(self) -> Shape {
        Shape { prepends: true, ..self }
    }

    fn field(self, name: &str) -> Shape {
        let schema = Schema::get();
        match self.id.and_then(|id| schema.field(id, name)) {
            Some(field) => {
                Shape { id: field.ty.struct_within(), patch: field.patch, merge_key: field.merge_key, ..self }
            }
            // Values of a map (`matchLabels`) have no shape of their own.
            None => Shape { id: None, patch: Patch::Default, merge_key: None, ..self },
        }
    }

    fn item(self) -> Shape {
        Shape { patch: Patch::Default, merge_key: None, ..self }
    }

    fn merges_list(self) -> bool {
        matches!(self.patch, Patch::Merge | Patch::MergeRetainKeys)
    }

    fn retains_keys(self) -> bool {
        matches!(self.patch, Patch::RetainKeys | Patch::MergeRetainKeys)
    }
}

/// Applies a strategic merge patch.
pub fn strategic(target: &mut Value, patch: &Value, shape: Shape) {
    match patch {
        Value::Map(changes) => strategic_map(target, changes, shape),
        Value::List(items) if shape.merges_list() => strategic_list(target, items, shape),
        other => *target = without_nulls(other),
    }
}

fn strategic_map(target: &mut Value, changes: &Map, shape: Shape) {
    match changes.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut fresh = changes.clone();
            fresh.remove("$patch");
            *target = without_nulls(&fresh.into());
            return;
        }
        Some("delete") => {
            *target = Value::map();
            return;
        }
        _ => {}
    }
    if let Some(kept) = changes.get("$retainKeys").and_then(Value::as_list) {
        target.map_mut().retain(|key, _| kept.iter().any(|k| k.as_str() == Some(key)));
    }
    for (key, change) in changes.iter() {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = change.as_list().unwrap_or(&[]);
            if let Some(items) = target.at_mut(list) {
                items.list_mut().retain(|item| !gone.contains(item));
            }
        } else if key.starts_with('$') {
            continue;
        } else if change.is_null() {
            target.map_mut().remove(key);
        } else {
            let map = target.map_mut();
            if !map.contains_key(key) {
                map.insert(key, Value::Null);
            }
            let inner = map.get_mut(key).expect("just inserted");
            strategic(inner, change, shape.field(key));
            if inner.is_null() && change.as_map().is_some() {
                *inner = Value::map();
            }
        }
    }
}

fn strategic_list(target: &mut Value, changes: &[Value], shape: Shape) {
    let Some(key) = shape.merge_key else {
        let items = target.list_mut();
        for change in changes {
            if !items.contains(change) {
                items.push(change.clone());
            }
        }
        return;
    };
    if changes.iter().any(|c| c.str_at("$patch") == Some("replace")) {
        *target = Value::list(changes.iter().filter(|c| !c.has("$patch")).cloned());
        return;
    }
    let items = target.list_mut();
    let mut first = 0;
    for change in changes {
        let found = items.iter().position(|item| !item.at(key).is_null() && item.at(key) == change.at(key));
        if change.str_at("$patch") == Some("delete") {
            if let Some(i) = found {
                items.remove(i);
            }
            continue;
        }
        match found {
            Some(i) => strategic(&mut items[i], change, shape.item()),
            None => {
                let mut fresh = Value::map();
                strategic(&mut fresh, change, shape.item());
                let at = if shape.prepends { first } else { items.len() };
                items.insert(at, fresh);
                first += 1;
            }
        }
    }
}

/// The patch `kubectl apply` sends: what `modified` changes in `current`, and what was in `original` and no longer is.
///
/// An empty map means that there is nothing to change.
pub fn three_way(original: &Value, modified: &Value, current: &Value, shape: Shape) -> Value {
    let mut patch = changes(current, modified, shape, false);
    let deletions = changes(original, modified, shape, true);
    fold(&mut patch, &deletions, shape);
    patch
}

/// The difference between two maps as a strategic patch: what was taken out (`deletions`), or what was added and changed.
fn changes(from: &Value, to: &Value, shape: Shape, deletions: bool) -> Value {
    let mut patch = Map::new();
    if deletions {
        for (key, _) in from.as_map().into_iter().flat_map(Map::iter) {
            if !to.as_map().is_some_and(|map| map.contains_key(key)) {
                patch.insert(key, Value::Null);
            }
        }
    }
    for (key, wanted) in to.as_map().into_iter().flat_map(Map::iter) {
        let field = shape.field(key);
        match (from.as_map().and_then(|map| map.get(key)), wanted) {
            (None, _) if deletions => {}
            (None, _) => {
                patch.insert(key, wanted.clone());
            }
            (Some(have), _) if have == wanted => {}
            (Some(have @ Value::Map(_)), Value::Map(_)) => {
                let mut inner = changes(have, wanted, field, deletions);
                if !inner.is_empty() {
                    retain_keys(&mut inner, wanted, field);
                    patch.insert(key, inner);
                }
            }
            (Some(have @ Value::List(_)), Value::List(_)) if field.merges_list() => {
                list_changes(&mut patch, key, (have, wanted), field, deletions);
            }
            (Some(_), _) if !deletions => {
                patch.insert(key, wanted.clone());
            }
            _ => {}
        }
    }
    patch.into()
}

/// A struct of which only one variant may be set says which keys stay (`strategy` of a Deployment).
fn retain_keys(patch: &mut Value, wanted: &Value, shape: Shape) {
    if shape.retains_keys() {
        let keys = wanted.as_map().into_iter().flat_map(Map::keys).map(Value::from);
        patch.set("$retainKeys", Value::list(keys));
    }
}

fn list_changes(patch: &mut Map, key: &str, (have, want): (&Value, &Value), shape: Shape, deletions: bool) {
    let (have, want) = (have.as_list().unwrap_or(&[]), want.as_list().unwrap_or(&[]));
    let Some(merge_key) = shape.merge_key else {
        let of = |from: &[Value], without: &[Value]| -> Vec<Value> {
            from.iter().filter(|item| !without.contains(item)).cloned().collect()
        };
        let (name, items) = if deletions {
            (format!("$deleteFromPrimitiveList/{key}"), of(have, want))
        } else {
            (key.to_owned(), of(want, have))
        };
        if !items.is_empty() {
            patch.insert(name, items);
            patch.insert(format!("$setElementOrder/{key}"), Value::list(want.iter().cloned()));
        }
        return;
    };
    let same = |a: &Value, b: &Value| !a.at(merge_key).is_null() && a.at(merge_key) == b.at(merge_key);
    let mut items = Vec::new();
    for wanted in want {
        match have.iter().find(|item| same(item, wanted)) {
            None if deletions => {}
            None => items.push(wanted.clone()),
            Some(item) => {
                let mut inner = changes(item, wanted, shape.item(), deletions);
                if !inner.is_empty() {
                    inner.set(merge_key, wanted.at(merge_key).clone());
                    retain_keys(&mut inner, wanted, shape);
                    items.push(inner);
                }
            }
        }
    }
    if deletions {
        for item in have.iter().filter(|item| !want.iter().any(|w| same(item, w))) {
            let mut gone = Value::map();
            gone.set("$patch", "delete");
            gone.set(merge_key, item.at(merge_key).clone());
            items.push(gone);
        }
    }
    if !items.is_empty() {
        patch.insert(key, items);
        let named = want.iter().map(|item| {
            let mut name = Value::map();
            name.set(merge_key, item.at(merge_key).clone());
            name
        });
        patch.insert(format!("$setElementOrder/{key}"), Value::list(named));
    }
}

/// Adds the deletions to a patch of additions.
fn fold(patch: &mut Value, deletions: &Value, shape: Shape) {
    let Some(map) = deletions.as_map() else { return };
    for (key, deletion) in map.iter() {
        let field = shape.field(key);
        let target = patch.map_mut();
        // Both sides name the same order.
        if key.starts_with("$setElementOrder/") && target.contains_key(key) {
            continue;
        }
        match (target.get_mut(key), deletion) {
            (None, _) => {
                target.insert(key, deletion.clone());
            }
            (Some(inner @ Value::Map(_)), Value::Map(_)) => fold(inner, deletion, field),
            (Some(Value::List(_)), Value::List(gone)) => {
                let merge_key = field.merge_key.unwrap_or("name");
                let items = target.get_mut(key).expect("just seen").list_mut();
                for item in gone.iter() {
                    match items.iter_mut().find(|i| i.at(merge_key) == item.at(merge_key)) {
                        Some(same) => fold(same, item, field.item()),
                        None => items.push(item.clone()),
                    }
                }
            }
            _ => {}
        }
    }
}

/// A new value as it is stored: keys with null are left out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let kept = map.iter().filter(|(key, v)| !v.is_null() && !key.starts_with('$'));
            kept.map(|(key, v)| (key, without_nulls(v))).collect::<Map>().into()
        }
        Value::List(items) => Value::list(items.iter().map(without_nulls)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    #[test]
    fn a_merge_patch_replaces_lists_and_removes_nulls() {
        let mut value = json(r#"{"a":{"b":1,"c":2},"l":[1,2]}"#);
        merge(&mut value, &json(r#"{"a":{"b":null,"d":{"e":null,"f":1}},"l":[3]}"#));
        assert_eq!(value.to_json(), r#"{"a":{"c":2,"d":{"f":1}},"l":[3]}"#);
    }

    #[test]
    fn a_strategic_patch_merges_containers_by_name() {
        let shape = Shape::of_kind("v1", "Pod");
        let mut pod = json(r#"{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}]}}"#);
        let patch = r#"{"spec":{"containers":[{"name":"b","image":"z"},{"name":"a","$patch":"delete"},{"name":"c"}]}}"#;
        strategic(&mut pod, &json(patch), shape);
        assert_eq!(pod.to_json(), r#"{"spec":{"containers":[{"image":"z","name":"b"},{"name":"c"}]}}"#);
    }

    #[test]
    fn apply_changes_only_what_was_applied() {
        let shape = Shape::of_kind("batch/v1", "Job");
        let original = json(r#"{"metadata":{"labels":{"a":"1","b":"2"}},"spec":{"parallelism":5}}"#);
        let current =
            json(r#"{"metadata":{"labels":{"a":"1","b":"2","own":"x"}},"spec":{"parallelism":5,"backoffLimit":6}}"#);
        let modified = json(r#"{"metadata":{"labels":{"a":"1"}},"spec":{"parallelism":2}}"#);
        let patch = three_way(&original, &modified, &current, shape);
        assert_eq!(patch.to_json(), r#"{"metadata":{"labels":{"b":null}},"spec":{"parallelism":2}}"#);
        let mut after = current.clone();
        strategic(&mut after, &patch, shape);
        assert_eq!(
            after.to_json(),
            r#"{"metadata":{"labels":{"a":"1","own":"x"}},"spec":{"backoffLimit":6,"parallelism":2}}"#
        );
        assert!(three_way(&modified, &modified, &after, shape).is_empty());
    }

    #[test]
    fn apply_takes_a_container_out_that_is_no_longer_there() {
        let shape = Shape::of_kind("v1", "Pod");
        let spec = |names: &[&str]| {
            let items: Vec<String> = names.iter().map(|n| format!(r#"{{"name":"{n}","image":"i"}}"#)).collect();
            json(&format!(r#"{{"spec":{{"containers":[{}]}}}}"#, items.join(",")))
        };
        let patch = three_way(&spec(&["a", "b"]), &spec(&["a"]), &spec(&["a", "b"]), shape);
        let mut after = spec(&["a", "b"]);
        strategic(&mut after, &patch, shape);
        assert_eq!(after, spec(&["a"]));
    }
}
