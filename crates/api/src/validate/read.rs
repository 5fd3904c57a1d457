//! Reading the fields of a tree as Go's zero values: what is missing is empty.
//!
//! Rule: an object that was decoded has each field in its Go type, so a missing text is `""`, a missing list is empty,
//! and only numbers and flags behind pointers can be told from nothing. One key at a time, without splitting of paths:
//! this is done for every Pod.

use std::rc::Rc;

use values::value::{Map, Value};

/// The value under a key; null if there is none.
pub fn get<'v>(value: &'v Value, key: &str) -> &'v Value {
    const NOTHING: &Value = &Value::Null;
    value.as_map().and_then(|map| map.get(key)).unwrap_or(NOTHING)
}

/// A Go pointer to a struct, list or value: none if it is nil.
pub fn set<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.as_map().and_then(|map| map.get(key)).filter(|found| !found.is_null())
}

pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    get(value, key).as_str().unwrap_or("")
}

pub fn int(value: &Value, key: &str) -> Option<i64> {
    get(value, key).as_i64()
}

/// A flag that is false when missing.
pub fn flag(value: &Value, key: &str) -> bool {
    get(value, key).as_bool().unwrap_or(false)
}

pub fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    get(value, key).as_list().unwrap_or(&[])
}

/// The entries of a map, by key; none if it is missing.
pub fn entries<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    get(value, key).as_map().into_iter().flat_map(Map::iter)
}

/// Whether two values are the same to `apiequality.Semantic.DeepEqual`: nil and empty lists and maps are equal.
pub fn same(a: &Value, b: &Value) -> bool {
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    };
    match (a, b) {
        // Branches that are shared need no second look.
        (Value::List(a), Value::List(b)) if Rc::ptr_eq(a, b) => true,
        (Value::Map(a), Value::Map(b)) if Rc::ptr_eq(a, b) => true,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.iter().all(|(key, value)| same(value, b.get(key).unwrap_or(&Value::Null)))
                && b.iter().all(|(key, value)| a.contains_key(key) || nothing(value))
        }
        (a, b) => a == b || (nothing(a) && nothing(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_empty_are_the_same() {
        for (a, b, expected) in [
            (r#"{"a":[],"b":1}"#, r#"{"b":1,"c":{}}"#, true),
            (r#"{"a":[{"x":null}]}"#, r#"{"a":[{}]}"#, true),
            (r#"{"a":0}"#, r#"{}"#, false),
            (r#"{"a":""}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, false),
        ] {
            let (a, b) = (Value::from_json(a).unwrap(), Value::from_json(b).unwrap());
            assert_eq!((same(&a, &b), same(&b, &a)), (expected, expected), "{a} {b}");
        }
    }
}
