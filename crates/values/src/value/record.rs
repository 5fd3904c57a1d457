//! Between trees and types: `record!` declares a struct and how it is read out of a tree and written into one.
//!
//! Rule: `encoding/json` as Go's API types use it. A field's name is the Rust name in camelCase unless one is given with
//! `as`; a missing or null field is the type's empty value; an empty value is left out (`omitempty`) unless the field is
//! marked `= always`; fields that are not declared are passed over.
//!
//! Own lines instead of `serde`'s derive, because that compiles the whole reader again for each of the API's seventy
//! structs, and the page would have to carry them all. Here each field is one call.

use std::fmt;
use std::rc::Rc;

use super::{Map, Text, Value};
use crate::sorted::SortedMap;
use crate::time::SimTime;

/// Why a tree is not the type it was read as. Trees that passed the schema do not fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError(pub String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

/// What goes into a tree and comes out of one again.
pub trait Record: Sized + Default {
    /// Reads `value`, which is not null; a part of the wrong kind becomes empty and is noted in `reader`.
    fn read(value: &Value, reader: &mut Reader) -> Self;

    /// The tree of this value.
    fn write(&self) -> Value;

    /// Whether Go's `omitempty` leaves it out. A struct is never left out; a pointer is when it points to nothing.
    fn is_empty(&self) -> bool {
        false
    }
}

/// Notes the first thing that did not fit.
#[derive(Default)]
pub struct Reader {
    misfit: Option<DecodeError>,
}

impl Reader {
    /// Reads the whole of `value`.
    pub(super) fn decode<T: Record>(value: &Value) -> Result<T, DecodeError> {
        let mut reader = Reader::default();
        let read = reader.value(value);
        reader.misfit.map_or(Ok(read), Err)
    }

    /// Notes that `value` is not `expected`.
    #[cold]
    fn note(&mut self, value: &Value, expected: &str) {
        self.misfit.get_or_insert_with(|| DecodeError(format!("expected {expected}, found {}", value.to_json())));
    }

    /// The fields of `value`, if it is a map.
    pub fn fields<'a>(&mut self, value: &'a Value) -> Option<&'a Map> {
        if value.as_map().is_none() {
            self.note(value, "a map");
        }
        value.as_map()
    }

    /// One field; empty when it is missing.
    pub fn field<T: Record>(&mut self, fields: Option<&Map>, name: &str) -> T {
        fields.and_then(|fields| fields.get(name)).map_or_else(T::default, |value| self.value(value))
    }

    /// A value; null is the type's empty value.
    fn value<T: Record>(&mut self, value: &Value) -> T {
        if value.is_null() { T::default() } else { T::read(value, self) }
    }
}

/// Writes one field, unless it is empty and may be left out.
pub fn write_field<T: Record>(map: &mut Map, name: &'static str, value: &T, always: bool) {
    if always || !value.is_empty() {
        map.insert(Text::Known(name), value.write());
    }
}

/// Declares structs that are records; see the head of this file.
#[macro_export]
macro_rules! record {
    ($($(#[$attribute:meta])* pub struct $name:ident {
        $($(#[$field_attribute:meta])* pub $field:ident: $type:ty $(as $key:literal)? $(= $always:ident)?),* $(,)?
    })*) => {$(
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Debug, Default)]
        pub struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }

        impl $crate::value::Record for $name {
            fn read(value: &$crate::value::Value, reader: &mut $crate::value::Reader) -> $name {
                let fields = reader.fields(value);
                $name { $($field: reader.field(fields, $crate::record!(@key $field $($key)?)),)* }
            }

            fn write(&self) -> $crate::value::Value {
                let mut map = $crate::value::Map::with_capacity([$(stringify!($field)),*].len());
                $($crate::value::write_field(
                    &mut map,
                    $crate::record!(@key $field $($key)?),
                    &self.$field,
                    $crate::record!(@always $($always)?),
                );)*
                map.into()
            }
        }
    )*};
    (@key $field:ident $key:literal) => { $key };
    (@key $field:ident) => {{
        const CAMEL_CASE: &$crate::value::CamelCase = &$crate::value::CamelCase::of(stringify!($field));
        const NAME: &str = CAMEL_CASE.as_str();
        NAME
    }};
    (@always always) => { true };
    (@always) => { false };
}

/// A field's name as the API writes it, made while compiling.
#[derive(Clone, Copy)]
pub struct CamelCase {
    bytes: [u8; 64],
    length: usize,
}

impl CamelCase {
    /// `parallelism` stays, `backoff_limit` becomes `backoffLimit`.
    pub const fn of(snake_case: &str) -> CamelCase {
        let from = snake_case.as_bytes();
        let mut name = CamelCase { bytes: [0; 64], length: 0 };
        let (mut i, mut upper) = (0, false);
        while i < from.len() {
            if from[i] == b'_' {
                upper = true;
            } else {
                name.bytes[name.length] = if upper { from[i].to_ascii_uppercase() } else { from[i] };
                name.length += 1;
                upper = false;
            }
            i += 1;
        }
        name
    }

    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(name) => name,
            Err(_) => unreachable!(),
        }
    }
}

/// Scalars: how each is told from the others, and its name in errors.
macro_rules! scalar {
    ($($type:ty: $expected:literal, |$value:ident| $read:expr;)*) => {$(
        impl Record for $type {
            fn read($value: &Value, reader: &mut Reader) -> $type {
                $read.unwrap_or_else(|| {
                    reader.note($value, $expected);
                    <$type>::default()
                })
            }
            fn write(&self) -> Value {
                self.clone().into()
            }
            fn is_empty(&self) -> bool {
                *self == <$type>::default()
            }
        }
    )*};
}

scalar! {
    bool: "true or false", |value| value.as_bool();
    i64: "a whole number", |value| value.as_i64();
    i32: "a whole number of 32 bits", |value| value.as_i64().and_then(|n| i32::try_from(n).ok());
    SimTime: "an RFC 3339 time", |value| value.as_str().and_then(SimTime::parse_rfc3339);
    String: "text", |value| value.as_str().map(str::to_owned);
    Text: "text", |value| value.as_text().cloned();
}

impl Record for Value {
    fn read(value: &Value, _: &mut Reader) -> Value {
        value.clone()
    }
    fn write(&self) -> Value {
        self.clone()
    }
    fn is_empty(&self) -> bool {
        self.is_null()
    }
}

impl<T: Record> Record for Option<T> {
    fn read(value: &Value, reader: &mut Reader) -> Option<T> {
        Some(T::read(value, reader))
    }
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }
    fn is_empty(&self) -> bool {
        self.is_none()
    }
}

impl<T: Record> Record for Rc<T> {
    fn read(value: &Value, reader: &mut Reader) -> Rc<T> {
        Rc::new(T::read(value, reader))
    }
    fn write(&self) -> Value {
        T::write(self)
    }
    fn is_empty(&self) -> bool {
        T::is_empty(self)
    }
}

impl<T: Record> Record for Vec<T> {
    fn read(value: &Value, reader: &mut Reader) -> Vec<T> {
        if value.as_list().is_none() {
            reader.note(value, "a list");
        }
        value.as_list().unwrap_or_default().iter().map(|item| reader.value(item)).collect()
    }
    fn write(&self) -> Value {
        Value::List(Rc::new(self.iter().map(T::write).collect()))
    }
    fn is_empty(&self) -> bool {
        Vec::is_empty(self)
    }
}

impl Record for SortedMap<Text, Text> {
    fn read(value: &Value, reader: &mut Reader) -> SortedMap<Text, Text> {
        let fields = reader.fields(value).into_iter().flat_map(|fields| &fields.entries);
        fields.map(|(key, value)| (key.clone(), reader.value(value))).collect()
    }
    fn write(&self) -> Value {
        self.iter().map(|(key, value)| (key.clone(), value)).collect::<Map>().into()
    }
    fn is_empty(&self) -> bool {
        SortedMap::is_empty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::record! {
        pub struct Probe {
            pub period_seconds: i32,
            pub exec: Option<Vec<String>>,
            pub labels: SortedMap<Text, Text>,
            pub kind: Text as "type" = always,
            pub terminating: Option<i32>,
            pub state: State,
        }

        pub struct State {
            pub reason: String,
        }
    }

    #[test]
    fn records_are_read_and_written_as_go_does() {
        let json = r#"{"exec":["cat"],"labels":{"a":"b"},"other":1,"periodSeconds":10,"terminating":0,"type":null}"#;
        let probe: Probe = Value::from_json(json).unwrap().decode().unwrap();
        assert_eq!((probe.period_seconds, probe.terminating), (10, Some(0)));
        let written = r#"{"exec":["cat"],"labels":{"a":"b"},"periodSeconds":10,"state":{},"terminating":0,"type":""}"#;
        assert_eq!(Value::encode(&probe).to_json(), written);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(Value::from("x").decode::<i32>().is_err());
        let error = Value::from_json(r#"{"exec":[1]}"#).unwrap().decode::<Probe>().unwrap_err();
        assert_eq!(error.to_string(), "expected text, found 1");
    }
}
