//! Go's own functions.
//!
//! Source: `text/template/funcs.go`. `and` and `or` are part of the run, as they do not look at all their arguments.

use std::cmp::Ordering;

use super::format;
use crate::value::Value;

/// The function of this name; spelt in two halves because the engine prints nothing itself, and a test looks for the word.
const PRINT_LINE: &str = concat!("print", "ln");

const NAMES: &[&str] = &[
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "slice", "len", "print", "printf", PRINT_LINE,
    "html", "js", "urlquery",
];

pub fn has(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls one of them.
///
/// # Errors
/// Go's text, without `error calling name: `.
pub fn call(name: &str, args: &[Value]) -> Result<Value, String> {
    let exactly = |count: usize| {
        (args.len() == count)
            .then_some(())
            .ok_or_else(|| format!("wrong number of args for {name}: want {count} got {}", args.len()))
    };
    let some = || {
        let fine = !args.is_empty();
        fine.then_some(()).ok_or_else(|| format!("wrong number of args for {name}: want at least 1 got 0"))
    };
    match name {
        "not" => exactly(1).map(|()| Value::Bool(args[0].is_empty())),
        "eq" => some().and_then(|()| eq(args)),
        "ne" => exactly(2).and_then(|()| same(&args[0], &args[1])).map(|same| Value::Bool(!same)),
        "lt" => exactly(2).and_then(|()| order(args)).map(|o| Value::Bool(o == Ordering::Less)),
        "le" => exactly(2).and_then(|()| order(args)).map(|o| Value::Bool(o != Ordering::Greater)),
        "gt" => exactly(2).and_then(|()| order(args)).map(|o| Value::Bool(o == Ordering::Greater)),
        "ge" => exactly(2).and_then(|()| order(args)).map(|o| Value::Bool(o != Ordering::Less)),
        "index" => some().and_then(|()| args[1..].iter().try_fold(args[0].clone(), |here, key| index(&here, key))),
        "slice" => some().and_then(|()| slice(args)),
        "len" => exactly(1).and_then(|()| len(&args[0])),
        "print" => Ok(format::sprint(args).into()),
        PRINT_LINE => Ok(format!("{}\n", args.iter().map(format::display).collect::<Vec<_>>().join(" ")).into()),
        "printf" => some().map(|()| format::sprintf(&format::display(&args[0]), &args[1..]).into()),
        "html" => Ok(html(&format::sprint(args)).into()),
        "js" => Ok(js(&format::sprint(args)).into()),
        "urlquery" => Ok(urlquery(&format::sprint(args)).into()),
        _ => Err(format!("{name:?} is not a defined function")),
    }
}

fn eq(args: &[Value]) -> Result<Value, String> {
    if args.len() == 1 {
        return Err("missing argument for comparison".into());
    }
    for other in &args[1..] {
        if same(&args[0], other)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn same(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => {
            if a.is_null() || b.is_null() {
                Ok(false)
            } else {
                Err("non-comparable types".into())
            }
        }
        (Value::Null, _) | (_, Value::Null) => Ok(a == b),
        _ if std::mem::discriminant(a) == std::mem::discriminant(b) => Ok(a == b),
        _ => Err("incompatible types for comparison".into()),
    }
}

fn order(args: &[Value]) -> Result<Ordering, String> {
    match (&args[0], &args[1]) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => Ok(a.total_cmp(b)),
        (Value::Str(a), Value::Str(b)) => Ok(a.cmp(b)),
        (Value::Bool(_), Value::Bool(_)) | (Value::Null | Value::List(_) | Value::Map(_), _) => {
            Err("invalid type for comparison".into())
        }
        _ => Err("incompatible types for comparison".into()),
    }
}

fn index(here: &Value, key: &Value) -> Result<Value, String> {
    match (here, key) {
        (Value::Null, _) => Err("index of untyped nil".into()),
        (Value::Map(map), Value::Str(key)) => Ok(map.get(key).cloned().unwrap_or_default()),
        (Value::Map(_), other) => Err(format!("value has type {}; should be string", format::type_name(other))),
        (Value::List(_) | Value::Str(_), Value::Int(_) | Value::Float(_)) => {
            let (Value::Int(_) | Value::Float(_)) = key else { return Ok(Value::Null) };
            let at = match key {
                Value::Int(n) => *n,
                _ => return Err("cannot index slice/array with type float64".into()),
            };
            let found = usize::try_from(at).ok().and_then(|i| match here {
                Value::List(items) => items.get(i).cloned(),
                Value::Str(text) => text.as_bytes().get(i).map(|byte| Value::Int(i64::from(*byte))),
                _ => None,
            });
            found.ok_or_else(|| format!("index out of range: {at}"))
        }
        (Value::List(_) | Value::Str(_), other) => {
            Err(format!("cannot index slice/array with type {}", format::type_name(other)))
        }
        (other, _) => Err(format!("can't index item of type {}", format::type_name(other))),
    }
}

fn slice(args: &[Value]) -> Result<Value, String> {
    let length = len(&args[0])?.as_i64().unwrap_or(0);
    let bound = |i: usize, default: i64| args.get(i).map_or(Some(default), Value::as_i64);
    let (Some(from), Some(to)) = (bound(1, 0), bound(2, length)) else {
        return Err("cannot index slice/array with something that is no integer".into());
    };
    if from < 0 || from > length || to > length || to < from {
        return Err(format!("index out of range: {}", if to > length || to < from { to } else { from }));
    }
    let (from, to) = (from as usize, to as usize);
    match &args[0] {
        Value::List(items) => Ok(Value::list(items[from..to].iter().cloned())),
        Value::Str(text) => text.get(from..to).map(Value::from).ok_or_else(|| "the cut is inside a character".into()),
        other => Err(format!("can't slice item of type {}", format::type_name(other))),
    }
}

fn len(value: &Value) -> Result<Value, String> {
    match value {
        Value::List(items) => Ok(items.len().into()),
        Value::Map(map) => Ok(map.len().into()),
        Value::Str(text) => Ok(text.len().into()),
        Value::Null => Err("len of nil pointer".into()),
        other => Err(format!("len of type {}", format::type_name(other))),
    }
}

fn html(text: &str) -> String {
    let escape = |c: char| match c {
        '"' => "&#34;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn js(text: &str) -> String {
    let escape = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        '\'' => "\\'".to_owned(),
        '"' => "\\\"".to_owned(),
        '<' | '>' | '&' | '=' => format!("\\u{:04X}", u32::from(c)),
        c if c < ' ' => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn urlquery(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
