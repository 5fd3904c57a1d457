//! jq's operators, slices and formats.

use super::json::Json;
use super::machine::{Failure, TEXT_MAX, error};
use super::paths::described;
use crate::commands::encode::{decode, encode, encode32};

/// `a[from:to]`
pub fn slice(value: &Json, from: &Json, to: &Json) -> Result<Json, Failure> {
    let bounds = |length: usize| {
        let bound = |bound: &Json, default: usize, up: bool| match bound.as_number() {
            Some(n) => {
                let at = if n < 0.0 { n + length as f64 } else { n };
                let at = if up { at.ceil() } else { at.floor() };
                at.clamp(0.0, length as f64) as usize
            }
            None => default,
        };
        let (from, to) = (bound(from, 0, false), bound(to, length, true));
        (from, to.max(from))
    };
    match value {
        Json::Null => Ok(Json::Null),
        Json::Array(items) => {
            let (from, to) = bounds(items.len());
            Ok(Json::array(items[from..to].to_vec()))
        }
        Json::Text(text) => {
            let (from, to) = bounds(text.chars().count());
            Ok(Json::text(&text.chars().skip(from).take(to - from).collect::<String>()))
        }
        other => error(format!("Cannot index {} with object", other.kind())),
    }
}

/// `-a`
pub fn negate(value: &Json) -> Result<Json, Failure> {
    match value {
        // What floating point cannot hold becomes the largest number.
        Json::Exact(n, _) if n.is_infinite() => Ok(Json::Number(-f64::MAX)),
        other => match other.as_number() {
            Some(n) => Ok(Json::Number(-n)),
            None => error(format!("{} cannot be negated", described(other))),
        },
    }
}

/// Arithmetic and comparison.
pub fn operate(operator: &str, a: &Json, b: &Json) -> Result<Json, Failure> {
    let inexact = |value: &Json| if let Json::Exact(n, _) = value { Json::Number(*n) } else { value.clone() };
    let keeps = operator == "+" && (matches!(a, Json::Null) || matches!(b, Json::Null));
    if matches!((a, b), (Json::Exact(..), _) | (_, Json::Exact(..))) && !keeps {
        return operate(operator, &inexact(a), &inexact(b));
    }
    let order = a.order(b);
    let compared = match operator {
        "==" => Some(order.is_eq()),
        "!=" => Some(order.is_ne()),
        "<" => Some(order.is_lt()),
        "<=" => Some(order.is_le()),
        ">" => Some(order.is_gt()),
        ">=" => Some(order.is_ge()),
        _ => None,
    };
    if let Some(holds) = compared {
        return Ok(Json::Bool(holds));
    }
    match (operator, a, b) {
        ("+", Json::Null, other) | ("+", other, Json::Null) => Ok(other.clone()),
        ("+", Json::Number(a), Json::Number(b)) => Ok(Json::Number(a + b)),
        ("+", Json::Text(a), Json::Text(b)) if a.len() + b.len() <= TEXT_MAX => Ok(Json::text(&format!("{a}{b}"))),
        ("+", Json::Text(_), Json::Text(_)) => Err(Failure::Exhausted),
        ("+", Json::Array(a), Json::Array(b)) => Ok(Json::array(a.iter().chain(b.iter()).cloned().collect())),
        ("+", Json::Object(_), Json::Object(more)) => {
            let mut whole = a.clone();
            more.iter().for_each(|(key, value)| whole.set(key, value.clone()));
            Ok(whole)
        }
        ("-", Json::Number(a), Json::Number(b)) => Ok(Json::Number(a - b)),
        ("-", Json::Array(a), Json::Array(b)) => {
            Ok(Json::array(a.iter().filter(|item| !b.contains(item)).cloned().collect()))
        }
        ("*", Json::Number(a), Json::Number(b)) => Ok(Json::Number(a * b)),
        ("*", Json::Text(text), Json::Number(n)) | ("*", Json::Number(n), Json::Text(text)) => {
            if *n <= 0.0 || n.is_nan() {
                return Ok(Json::Null);
            }
            let times = if *n < 1.0 { 1 } else { *n as usize };
            if text.len().saturating_mul(times) > TEXT_MAX {
                Err(Failure::Exhausted)
            } else {
                Ok(Json::text(&text.repeat(times)))
            }
        }
        ("*", Json::Object(_), Json::Object(more)) => {
            let mut whole = a.clone();
            for (key, value) in more.iter() {
                let merged = match (whole.get(key), value) {
                    (Some(old @ Json::Object(_)), Json::Object(_)) => operate("*", old, value)?,
                    _ => value.clone(),
                };
                whole.set(key, merged);
            }
            Ok(whole)
        }
        ("/" | "%", Json::Number(_), Json::Number(zero))
            if *zero == 0.0 || (operator == "%" && zero.trunc() == 0.0) =>
        {
            let text = format!("{} and {} cannot be divided because the divisor is zero", described(a), described(b));
            error(text)
        }
        ("/", Json::Number(a), Json::Number(b)) => Ok(Json::Number(a / b)),
        ("%", Json::Number(a), Json::Number(b)) if a.is_nan() || b.is_nan() => Ok(Json::Number(f64::NAN)),
        ("%", Json::Number(a), Json::Number(b)) => {
            let whole = |n: f64| n.clamp(i64::MIN as f64, i64::MAX as f64) as i64;
            Ok(Json::Number((whole(*a) % whole(*b).unsigned_abs().min(i64::MAX as u64) as i64) as f64))
        }
        ("/", Json::Text(a), Json::Text(b)) => {
            let parts: Vec<Json> = match (a.is_empty(), b.is_empty()) {
                (true, _) => Vec::new(),
                (_, true) => a.chars().map(|c| Json::text(&c.to_string())).collect(),
                _ => a.split(&**b).map(Json::text).collect(),
            };
            Ok(Json::array(parts))
        }
        _ => {
            let doing = match operator {
                "+" => "added",
                "-" => "subtracted",
                "*" => "multiplied",
                _ => "divided",
            };
            error(format!("{} and {} cannot be {doing}", described(a), described(b)))
        }
    }
}

/// `@format` of a value; `text` is what `\(…)` alone does.
pub fn format(name: &str, value: &Json) -> Result<String, Failure> {
    let text = || match value {
        Json::Text(text) => text.to_string(),
        other => other.write(None, false),
    };
    let row = |separator: &str, quote: &dyn Fn(&str) -> String| -> Result<String, Failure> {
        let Json::Array(items) = value else {
            return error(format!("{} cannot be {name}-formatted, only an array can be", described(value)));
        };
        let cell = |item: &Json| match item {
            Json::Text(text) => Ok(quote(text)),
            Json::Null => Ok(String::new()),
            Json::Array(_) | Json::Object(_) => error(format!("{} is not valid in a {name} row", described(item))),
            other => Ok(other.write(None, false)),
        };
        Ok(items.iter().map(cell).collect::<Result<Vec<_>, _>>()?.join(separator))
    };
    Ok(match name {
        "text" => text(),
        "json" => value.write(None, false),
        "csv" => row(",", &|text| format!("\"{}\"", text.replace('"', "\"\"")))?,
        "tsv" => row("\t", &|text| {
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
        })?,
        "sh" => match value {
            Json::Array(items) => {
                let inner = |item: &Json| match item {
                    Json::Array(_) => error(format!("{} can not be escaped for shell", described(item))),
                    item => format("sh", item),
                };
                items.iter().map(inner).collect::<Result<Vec<_>, _>>()?.join(" ")
            }
            Json::Text(text) => format!("'{}'", text.replace('\'', "'\\''")),
            Json::Object(_) => return error(format!("{} can not be escaped for shell", described(value))),
            _ => text(),
        },
        "html" => text()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;")
            .replace('"', "&quot;"),
        "uri" => {
            let escape = |byte: u8| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            };
            text().bytes().map(escape).collect()
        }
        "base64" => encode(text().as_bytes()),
        "base64d" => match decode(text().as_bytes()) {
            (bytes, _) if bytes.is_empty() && !text().trim_end_matches('=').is_empty() => {
                return error(format!("{} is not valid base64 data", described(value)));
            }
            (bytes, _) => String::from_utf8_lossy(&bytes).into_owned(),
        },
        "base32" => encode32(text().as_bytes()),
        "urid" => {
            let text = text();
            let mut bytes = Vec::new();
            let mut rest = text.bytes();
            while let Some(byte) = rest.next() {
                match byte {
                    b'%' => {
                        let code: Vec<u8> = rest.by_ref().take(2).collect();
                        bytes.extend(u8::from_str_radix(&String::from_utf8_lossy(&code), 16).ok());
                    }
                    byte => bytes.push(byte),
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => return error(format!("{other} is not a valid format")),
    })
}
