//! Reading the maps of a scenario: fields by name, nothing unknown, and each complaint with its place.

use values::duration::GoDuration;
use values::quantity::Quantity;
use values::time::Span;
use values::value::{Map, Value};

/// What is wrong with a value, and where below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// A path such as `container`; empty for the value itself.
    pub path: String,
    pub message: String,
    /// It is the key at the end of the path, not what is said under it.
    pub is_key: bool,
}

impl Wrong {
    pub(crate) fn here(message: impl Into<String>) -> Wrong {
        Wrong { path: String::new(), message: message.into(), is_key: false }
    }

    /// The same, seen from one level above.
    pub(crate) fn under(mut self, key: &str) -> Wrong {
        self.path = if self.path.is_empty() { key.to_owned() } else { format!("{key}.{}", self.path) };
        self
    }
}

/// A map whose keys are all known.
pub(crate) struct Fields<'v> {
    map: &'v Map,
}

impl<'v> Fields<'v> {
    pub fn of(value: &'v Value, known: &[&str]) -> Result<Fields<'v>, Wrong> {
        let map =
            value.as_map().ok_or_else(|| Wrong::here(format!("a map is needed here, with {}", known.join(", "))))?;
        match map.keys().find(|key| !known.contains(key)) {
            Some(key) => {
                let message = format!("`{key}` is not known here; there is {}", known.join(", "));
                Err(Wrong { is_key: true, ..Wrong::here(message).under(key) })
            }
            None => Ok(Fields { map }),
        }
    }

    pub fn get(&self, key: &str) -> &'v Value {
        self.map.get(key).unwrap_or(&Value::Null)
    }

    /// A text that is there; numbers count as the texts they were written as.
    pub fn word(value: &Value, message: &str) -> Result<String, Wrong> {
        match value {
            Value::Str(text) => Ok(text.to_string()),
            Value::Int(number) => Ok(number.to_string()),
            _ => Err(Wrong::here(message)),
        }
    }

    pub fn text(&self, key: &str) -> Result<String, Wrong> {
        Fields::word(self.get(key), &format!("`{key}` is needed here, a text")).map_err(|wrong| wrong.under(key))
    }

    /// A text that is not empty.
    pub fn name(&self, key: &str) -> Result<String, Wrong> {
        let text = self.text(key)?;
        if text.is_empty() { Err(Wrong::here(format!("`{key}` is empty")).under(key)) } else { Ok(text) }
    }

    pub fn text_if(&self, key: &str) -> Result<Option<String>, Wrong> {
        if self.get(key).is_null() { Ok(None) } else { self.text(key).map(Some) }
    }

    /// A quantity such as `2`, `500m` or `24Gi`.
    pub fn size_if(&self, key: &str) -> Result<Option<String>, Wrong> {
        let wrong = || Wrong::here(format!("`{key}` is a quantity such as 2, 500m or 24Gi")).under(key);
        let text = match self.get(key) {
            Value::Null => return Ok(None),
            Value::Float(number) => number.to_string(),
            value => Fields::word(value, "").map_err(|_| wrong())?,
        };
        if Quantity::parse(&text).is_ok() { Ok(Some(text)) } else { Err(wrong()) }
    }

    /// A whole number within bounds; `usual` if it is left out.
    pub fn number(&self, key: &str, usual: i64, least: i64, most: i64) -> Result<i64, Wrong> {
        match self.get(key) {
            Value::Null => Ok(usual),
            value => value.as_i64().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
                let bounds =
                    if most == i64::MAX { format!("from {least} up") } else { format!("from {least} to {most}") };
                Wrong::here(format!("`{key}` is a whole number {bounds}")).under(key)
            }),
        }
    }

    pub fn flag(&self, key: &str) -> Result<bool, Wrong> {
        match self.get(key) {
            Value::Null => Ok(false),
            value => value.as_bool().ok_or_else(|| Wrong::here(format!("`{key}` is true or false")).under(key)),
        }
    }

    pub fn span_if(&self, key: &str) -> Result<Option<Span>, Wrong> {
        match self.get(key) {
            Value::Null => Ok(None),
            value => read_span(value)
                .map(Some)
                .ok_or_else(|| Wrong::here(format!("`{key}` is a length of time such as 30s")).under(key)),
        }
    }
}

/// `12s`, `1.5s`, `250ms`, `2m`, `1h30m`, or a bare number of seconds; never less than nothing.
pub(crate) fn read_span(value: &Value) -> Option<Span> {
    let span = match value {
        Value::Int(seconds) => Span::ms(seconds.checked_mul(1000)?),
        Value::Float(seconds) if seconds.is_finite() => Span::ms((seconds * 1000.0).round() as i64),
        Value::Str(text) => text.parse::<GoDuration>().ok()?.to_span(),
        _ => return None,
    };
    (span >= Span::ZERO).then_some(span)
}

/// As [`read_span`] reads it, exact to the millisecond.
pub(crate) fn write_span(span: Span) -> String {
    GoDuration::from(span).to_string()
}
