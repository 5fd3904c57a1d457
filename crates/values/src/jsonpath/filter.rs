//! `[?(@.type=="Complete")]`
//!
//! Source: `evalFilter` in `client-go/util/jsonpath/jsonpath.go`, comparisons of `third_party/forked/golang/template/funcs.go`.

use std::cmp::Ordering;

use super::Filter;
use super::eval::{Search, go_type};
use crate::value::Value;

/// The items that pass.
pub(super) fn apply(search: &mut Search, filter: &Filter, input: &[Value]) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for value in input {
        let items = value
            .as_list()
            .ok_or_else(|| format!("{} is not array or slice and cannot be filtered", go_type(value)))?;
        for item in items {
            if passes(search, filter, item)? {
                found.push(item.clone());
            }
        }
    }
    Ok(found)
}

fn passes(search: &mut Search, filter: &Filter, item: &Value) -> Result<bool, String> {
    let left = search.steps(&filter.left, vec![item.clone()]);
    let Some(operator) = &filter.operator else { return Ok(left.is_ok_and(|found| !found.is_empty())) };
    let mut sides = Vec::new();
    for side in [left?, search.steps(&filter.right, vec![item.clone()])?] {
        match side.as_slice() {
            [] => return Ok(false),
            [one] => sides.push(one.clone()),
            _ => return Err("can only compare one element at a time".to_owned()),
        }
    }
    compare(&sides[0], operator, &sides[1])
}

fn compare(a: &Value, operator: &str, b: &Value) -> Result<bool, String> {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) if matches!(operator, "==" | "!=") => a.cmp(b),
        (Value::List(_) | Value::Map(_) | Value::Null, _) | (_, Value::List(_) | Value::Map(_) | Value::Null) => {
            return Err("invalid type for comparison".to_owned());
        }
        (Value::Bool(_), Value::Bool(_)) => return Err("invalid type for comparison".to_owned()),
        _ => return Err("incompatible types for comparison".to_owned()),
    };
    match operator {
        "==" => Ok(order == Ordering::Equal),
        "!=" => Ok(order != Ordering::Equal),
        "<" => Ok(order == Ordering::Less),
        "<=" => Ok(order != Ordering::Greater),
        ">" => Ok(order == Ordering::Greater),
        ">=" => Ok(order != Ordering::Less),
        other => Err(format!("unrecognized filter operator {other}")),
    }
}
