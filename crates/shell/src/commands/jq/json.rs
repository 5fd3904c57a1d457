//! JSON values that keep the order of their keys, as jq does.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;
use values::sort::sort_by;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug, Default)]
pub enum Json {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    /// A number as it was written, which floating point would write otherwise.
    Exact(f64, Rc<str>),
    Text(Rc<str>),
    Array(Rc<Vec<Json>>),
    Object(Rc<Vec<(Rc<str>, Json)>>),
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.order(other) == Ordering::Equal && self.as_number().is_none_or(|n| !n.is_nan())
    }
}

/// A number as decimal arithmetic writes it: digits and exponent kept.
fn canonical(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let exponent = exponent - fraction.len() as i64;
    let adjusted = exponent + digits.len() as i64 - 1;
    if exponent <= 0 && adjusted >= -6 {
        let places = exponent.unsigned_abs() as usize;
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        let point = if places > 0 { format!(".{fraction}") } else { String::new() };
        return Some(format!("{sign}{whole}{point}"));
    }
    let (first, more) = digits.split_at(1);
    let point = if more.is_empty() { String::new() } else { format!(".{more}") };
    Some(format!("{sign}{first}{point}E{adjusted:+}"))
}

impl Json {
    /// A number as it is written in JSON or in a program.
    pub fn number(text: &str) -> Option<Json> {
        if text == "nan" {
            return Some(Json::Number(f64::NAN));
        }
        let canonical = canonical(text)?;
        let value = text.parse::<f64>().ok()?;
        if number(value) == canonical { Some(Json::Number(value)) } else { Some(Json::Exact(value, canonical.into())) }
    }

    /// How many values it is made of; what others share counts as one.
    pub fn size(&self) -> usize {
        match self {
            Json::Array(items) if Rc::strong_count(items) == 1 => 1 + items.iter().map(Json::size).sum::<usize>(),
            Json::Object(entries) if Rc::strong_count(entries) == 1 => {
                1 + entries.iter().map(|(_, value)| 1 + value.size()).sum::<usize>()
            }
            Json::Text(text) if Rc::strong_count(text) == 1 => 1 + text.len() / size_of::<Json>(),
            _ => 1,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Json::Number(n) | Json::Exact(n, _) => Some(*n),
            _ => None,
        }
    }

    pub fn text(text: &str) -> Json {
        Json::Text(text.into())
    }

    pub fn array(items: Vec<Json>) -> Json {
        Json::Array(Rc::new(items))
    }

    pub fn is_true(&self) -> bool {
        !matches!(self, Json::Null | Json::Bool(false))
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) | Json::Exact(..) => "number",
            Json::Text(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(entries) = self else { return None };
        entries.iter().find(|(known, _)| &**known == key).map(|(_, value)| value)
    }

    /// Sets a key; the value becomes an object if it was null.
    pub fn set(&mut self, key: &str, value: Json) {
        if matches!(self, Json::Null) {
            *self = Json::Object(Rc::default());
        }
        let Json::Object(entries) = self else { return };
        let entries = Rc::make_mut(entries);
        match entries.iter_mut().find(|(known, _)| &**known == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.into(), value)),
        }
    }

    /// Keys in byte order.
    pub fn keys(&self) -> Vec<Rc<str>> {
        let Json::Object(entries) = self else { return Vec::new() };
        let mut keys: Vec<Rc<str>> = entries.iter().map(|(key, _)| Rc::clone(key)).collect();
        keys.sort();
        keys
    }

    fn rank(&self) -> u8 {
        match self {
            Json::Null => 0,
            Json::Bool(false) => 1,
            Json::Bool(true) => 2,
            Json::Number(_) | Json::Exact(..) => 3,
            Json::Text(_) => 4,
            Json::Array(_) => 5,
            Json::Object(_) => 6,
        }
    }

    /// jq's order of all values.
    pub fn order(&self, other: &Json) -> Ordering {
        match (self, other) {
            (Json::Number(a) | Json::Exact(a, _), Json::Number(b) | Json::Exact(b, _)) => {
                match (a.is_nan(), b.is_nan()) {
                    // NaN is less than every number, itself too.
                    (true, _) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                    _ => a.partial_cmp(b).unwrap_or(Ordering::Equal),
                }
            }
            (Json::Text(a), Json::Text(b)) => a.cmp(b),
            (Json::Array(a), Json::Array(b)) => {
                let first = a.iter().zip(b.iter()).map(|(a, b)| a.order(b)).find(|order| order.is_ne());
                first.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Json::Object(_), Json::Object(_)) => {
                let (a, b) = (self.keys(), other.keys());
                a.cmp(&b).then_with(|| {
                    let value = |of: &Json, key: &str| of.get(key).cloned().unwrap_or_default();
                    let differs = a.iter().map(|key| value(self, key).order(&value(other, key)));
                    differs.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
                })
            }
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// Writes the value with tabs or colours.
    pub fn write_with(&self, indent: Option<usize>, tabs: bool, sorted: bool, colors: bool) -> String {
        if colors {
            return self.colored(indent, sorted);
        }
        if !tabs {
            return self.write(indent, sorted);
        }
        let text = self.write(Some(1), sorted);
        let line = |line: &str| {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            format!("{}{}", "\t".repeat(blanks), &line[blanks..])
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// Scalars in jq's colours of 1.7.1.
    fn colored(&self, indent: Option<usize>, sorted: bool) -> String {
        let color = match self {
            Json::Null => "1;30",
            Json::Bool(false) => "0;39",
            Json::Bool(true) => "0;39",
            Json::Number(_) | Json::Exact(..) => "0;39",
            Json::Text(_) => "0;32",
            Json::Array(_) | Json::Object(_) => "1;39",
        };
        format!("\x1b[{color}m{}\x1b[0m", self.write(indent, sorted))
    }

    /// Writes the value; `indent`: blanks of a level, none for one line.
    pub fn write(&self, indent: Option<usize>, sorted: bool) -> String {
        let mut text = String::new();
        self.put(&mut text, indent, 0, sorted);
        text
    }

    fn put(&self, text: &mut String, indent: Option<usize>, level: usize, sorted: bool) {
        let line = |text: &mut String, level: usize| {
            if let Some(indent) = indent {
                text.push('\n');
                text.push_str(&" ".repeat(indent * level));
            }
        };
        match self {
            Json::Null => text.push_str("null"),
            Json::Bool(b) => text.push_str(if *b { "true" } else { "false" }),
            Json::Number(n) => text.push_str(&number(*n)),
            Json::Exact(_, written) => text.push_str(written),
            Json::Text(s) => text.push_str(&quoted(s)),
            Json::Array(items) if items.is_empty() => text.push_str("[]"),
            Json::Object(entries) if entries.is_empty() => text.push_str("{}"),
            Json::Array(items) => {
                text.push('[');
                for (i, item) in items.iter().enumerate() {
                    text.push_str(if i > 0 { "," } else { "" });
                    line(text, level + 1);
                    item.put(text, indent, level + 1, sorted);
                }
                line(text, level);
                text.push(']');
            }
            Json::Object(entries) => {
                text.push('{');
                let mut entries: Vec<&(Rc<str>, Json)> = entries.iter().collect();
                if sorted {
                    sort_by(&mut entries, |a, b| a.0.cmp(&b.0));
                }
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    text.push_str(if i > 0 { "," } else { "" });
                    line(text, level + 1);
                    text.push_str(&quoted(key));
                    text.push_str(if indent.is_some() { ": " } else { ":" });
                    value.put(text, indent, level + 1, sorted);
                }
                line(text, level);
                text.push('}');
            }
        }
    }
}

/// A number with up to 17 digits.
pub fn number(n: f64) -> String {
    if n.is_nan() {
        return "null".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "1.7976931348623157e+308" } else { "-1.7976931348623157e+308" }.to_owned();
    }
    if n == n.trunc() && n.abs() < 1e17 {
        return format!("{}", n as i64);
    }
    if n.abs() >= 1e17 || n.abs() < 1e-5 {
        let text = format!("{n:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        return format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    format!("{n}")
}

fn quoted(text: &str) -> String {
    // Texts are always JSON.
    serde_json::to_string(text).unwrap_or_default().replace('\u{7f}', "\\u007f")
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        struct Make;
        impl<'de> Visitor<'de> for Make {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Json, E> {
                Ok(Json::Bool(b))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Json, E> {
                Ok(Json::Number(n as f64))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Json, E> {
                Ok(Json::Number(n as f64))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Json, E> {
                Ok(Json::Number(n))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Json::array(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
                let mut object = Json::Object(Rc::default());
                while let Some((key, value)) = entries.next_entry::<String, Json>()? {
                    object.set(&key, value);
                }
                Ok(object)
            }
        }
        from.deserialize_any(Make)
    }
}
