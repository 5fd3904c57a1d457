//! The tree every API object is: JSON's values, with shared branches.
//!
//! Rule: an object is kept exactly as the API server keeps it — a tree of JSON values with sorted keys — so that
//! fields which are not simulated are still stored, patched and printed. Branches sit behind `Rc`: a copy of an object
//! is a pointer, and a change copies only the path to it. Rooms that need types decode them (`Value::decode`).

mod json;
mod path;
mod record;
mod text;

use std::fmt;
use std::rc::Rc;

pub use record::{CamelCase, DecodeError, Reader, Record, write_field};
pub use text::{Text, beginning};

/// A JSON value with shared branches.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    /// Numbers that are no `i64`. Nothing decides by them.
    Float(f64),
    Str(Text),
    List(Rc<Vec<Value>>),
    Map(Rc<Map>),
}

/// Keys in byte order, as Go's JSON encoder and `kubectl -o yaml` write them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Map {
    entries: Vec<(Text, Value)>,
}

impl PartialEq for Value {
    /// Branches that are shared need no second look: most of two versions of an object is.
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Map(a), Value::Map(b)) => Rc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

/// Entries of a map that is looked through one by one.
const SHORT: usize = 16;

impl Map {
    pub fn new() -> Map {
        Map::default()
    }

    /// An empty map with room for so many entries.
    pub fn with_capacity(entries: usize) -> Map {
        Map { entries: Vec::with_capacity(entries) }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        // Names differ in length more often than not, so that a short map is looked through faster than it is searched.
        if self.entries.len() <= SHORT {
            return self.entries.iter().find(|(k, _)| **k == *key).map(|(_, value)| value);
        }
        self.position(key).ok().map(|i| &self.entries[i].1)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.position(key).ok().map(|i| &mut self.entries[i].1)
    }

    /// Sets `key`; the old value, if there was one, is returned.
    pub fn insert(&mut self, key: impl Into<Text>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        // Most maps are made in the order of their keys.
        if self.entries.last().is_none_or(|(last, _)| **last < *key) {
            self.make_room();
            self.entries.push((key, value));
            return None;
        }
        match self.position(&key) {
            Ok(i) => Some(std::mem::replace(&mut self.entries[i].1, value)),
            Err(i) => {
                self.make_room();
                self.entries.insert(i, (key, value));
                None
            }
        }
    }

    /// Makes room for one more entry and a few others: the maps of a copied object are full, and mostly gain one field
    /// or two.
    fn make_room(&mut self) {
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact((self.entries.len() / 2).max(2));
        }
    }

    /// The value of `key`, null if there was none, to write into.
    pub fn get_or_insert(&mut self, key: Text) -> &mut Value {
        let at = self.position(&key).unwrap_or_else(|at| {
            self.make_room();
            self.entries.insert(at, (key, Value::Null));
            at
        });
        &mut self.entries[at].1
    }

    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.position(key).ok().map(|i| self.entries.remove(i).1)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_ok()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(k, v)| (&**k, v))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.entries.iter_mut().map(|(k, v)| (&**k, v))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.entries.iter().map(|(k, _)| &**k)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.entries.retain(|(k, v)| keep(k, v));
    }

    /// True if `other` has the same entries, but for that of `key`.
    pub fn same_but(&self, other: &Map, key: &str) -> bool {
        let matters = |entry: &&(Text, Value)| *entry.0 != *key;
        self.entries.iter().filter(matters).eq(other.entries.iter().filter(matters))
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(k, _)| (**k).cmp(key))
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Map {
    /// Later entries win over earlier ones with the same key.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Map {
        let mut map = Map::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl Value {
    pub fn map() -> Value {
        Value::Map(Rc::default())
    }

    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(Rc::new(items.into_iter().collect()))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(s) = self { Some(s) } else { None }
    }

    /// The text, to be shared.
    pub fn as_text(&self) -> Option<&Text> {
        if let Value::Str(s) = self { Some(s) } else { None }
    }

    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Int(n) = self { Some(*n) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self { Some(*b) } else { None }
    }

    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(m) = self { Some(m) } else { None }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(l) = self { Some(l) } else { None }
    }

    /// The map to write into. Anything that is no map becomes an empty one first.
    pub fn map_mut(&mut self) -> &mut Map {
        if !matches!(self, Value::Map(_)) {
            *self = Value::map();
        }
        match self {
            Value::Map(m) => Rc::make_mut(m),
            _ => unreachable!("just made a map"),
        }
    }

    /// The list to write into. Anything that is no list becomes an empty one first.
    pub fn list_mut(&mut self) -> &mut Vec<Value> {
        if !matches!(self, Value::List(_)) {
            *self = Value::List(Rc::default());
        }
        match self {
            Value::List(l) => Rc::make_mut(l),
            _ => unreachable!("just made a list"),
        }
    }

    /// Null, `""`, `0`, `false`, `[]` or `{}`: what Go's `omitempty` leaves out.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(b) => !b,
            Value::Int(n) => *n == 0,
            Value::Float(x) => *x == 0.0,
            Value::Str(s) => s.is_empty(),
            Value::List(l) => l.is_empty(),
            Value::Map(m) => m.is_empty(),
        }
    }

    /// Reads a typed value out of the tree. Unknown fields are passed over; strictness is the schema's business.
    ///
    /// # Errors
    /// If a part is of another kind than the type's field. Trees that passed the schema have none.
    pub fn decode<T: Record>(&self) -> Result<T, DecodeError> {
        Reader::decode(self)
    }

    /// Makes a tree of a typed value.
    pub fn encode<T: Record>(value: &T) -> Value {
        value.write()
    }

    /// One line of JSON, keys sorted.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a tree of values is JSON")
    }

    /// One line of JSON as Go's encoder writes it: `<`, `>` and `&` are escaped.
    pub fn to_go_json(&self) -> String {
        let mut text = String::new();
        // These characters can only stand inside strings.
        for c in self.to_json().chars() {
            match c {
                '<' => text.push_str("\\u003c"),
                '>' => text.push_str("\\u003e"),
                '&' => text.push_str("\\u0026"),
                '\u{2028}' => text.push_str("\\u2028"),
                '\u{2029}' => text.push_str("\\u2029"),
                _ => text.push(c),
            }
        }
        text
    }

    /// Reads JSON.
    pub fn from_json(text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl fmt::Display for Value {
    /// JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

macro_rules! into_value {
    ($($from:ty => |$v:ident| $make:expr),* $(,)?) => {
        $(impl From<$from> for Value { fn from($v: $from) -> Value { $make } })*
    };
}
into_value! {
    bool => |v| Value::Bool(v),
    i32 => |v| Value::Int(i64::from(v)),
    u32 => |v| Value::Int(i64::from(v)),
    i64 => |v| Value::Int(v),
    usize => |v| Value::Int(v as i64),
    f64 => |v| Value::Float(v),
    &str => |v| Value::Str(v.into()),
    String => |v| Value::Str(v.into()),
    &String => |v| Value::Str(v.as_str().into()),
    Rc<str> => |v| Value::Str(v.into()),
    Text => |v| Value::Str(v),
    &Text => |v| Value::Str(v.clone()),
    Map => |v| Value::Map(Rc::new(v)),
    Vec<Value> => |v| Value::List(Rc::new(v)),
    crate::time::SimTime => |v| Value::Str(v.with_rfc3339(|text| text.into())),
}

/// A map value: `object! { "phase" => "Pending", "conditions" => list }`. The names are part of the program.
#[macro_export]
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut map = $crate::value::Map::with_capacity(<[&str]>::len(&[$($key),*]));
        $(map.insert($crate::value::Text::Known($key), $crate::value::Value::from($value));)*
        $crate::value::Value::from(map)
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_goes_in_and_out_with_sorted_keys() {
        let value = Value::from_json(r#"{"b":[1,2.5,null],"a":{"x":"é\n","t":true}}"#).unwrap();
        assert_eq!(value.to_json(), r#"{"a":{"t":true,"x":"é\n"},"b":[1,2.5,null]}"#);
    }

    #[test]
    fn a_copy_shares_until_it_is_written() {
        let a = Value::from_json(r#"{"spec":{"n":1},"status":{}}"#).unwrap();
        let mut b = a.clone();
        b.set("spec.n", 2);
        assert_eq!(a.at("spec.n"), &Value::Int(1));
        assert_eq!(b.at("spec.n"), &Value::Int(2));
    }
}
