//! Reading and writing by dotted path (`spec.template.spec`), for fields whose names hold no dot.
//!
//! Paths of user data (labels, annotations) have dots in their keys: use `at_keys` or the map itself for those.

use super::{Map, Text, Value};

impl Value {
    /// The value at a dotted path; null if there is none. Parts that are numbers index lists.
    pub fn at(&self, path: &str) -> &Value {
        self.at_keys(Parts(Some(path)))
    }

    /// The value under a chain of keys; null if there is none.
    pub fn at_keys<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> &Value {
        let mut here = self;
        for key in keys {
            let next = match here {
                Value::Map(map) => map.get(key),
                Value::List(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
                _ => None,
            };
            match next {
                Some(value) => here = value,
                None => return null(),
            }
        }
        here
    }

    pub fn str_at(&self, path: &str) -> Option<&str> {
        self.at(path).as_str()
    }

    pub fn i64_at(&self, path: &str) -> Option<i64> {
        self.at(path).as_i64()
    }

    pub fn bool_at(&self, path: &str) -> Option<bool> {
        self.at(path).as_bool()
    }

    /// The items of the list at `path`; none if there is no list.
    pub fn list_at(&self, path: &str) -> &[Value] {
        self.at(path).as_list().unwrap_or(&[])
    }

    /// The map at `path`, if there is one.
    pub fn map_at(&self, path: &str) -> Option<&Map> {
        self.at(path).as_map()
    }

    /// Writes `value` at a dotted path of maps, making the maps on the way. The names are part of the program.
    pub fn set(&mut self, path: &'static str, value: impl Into<Value>) {
        let mut here = self;
        for key in Parts(Some(path)) {
            here = here.map_mut().get_or_insert(Text::Known(key));
        }
        *here = value.into();
    }

    /// As [`set`](Value::set), with a path that is put together while running.
    pub fn put(&mut self, path: &str, value: impl Into<Value>) {
        let mut here = self;
        for key in Parts(Some(path)) {
            here = here.map_mut().get_or_insert(key.into());
        }
        *here = value.into();
    }

    /// Writes `value` at `path` only if nothing (or null) stands there. True if it was written.
    pub fn set_default(&mut self, path: &'static str, value: impl Into<Value>) -> bool {
        let missing = self.at(path).is_null();
        if missing {
            self.set(path, value);
        }
        missing
    }

    /// Takes the value at a dotted path of maps out of the tree. Maps on the way are not made.
    pub fn remove(&mut self, path: &str) -> Option<Value> {
        if self.at(path).is_null() && !self.has(path) {
            return None;
        }
        let (parent, key) = path.rsplit_once('.').map_or((None, path), |(p, k)| (Some(p), k));
        let here = match parent {
            Some(parent) => self.at_mut(parent)?,
            None => self,
        };
        here.map_mut().remove(key)
    }

    /// The value at a dotted path, to write into. Numbers index lists.
    pub fn at_mut(&mut self, path: &str) -> Option<&mut Value> {
        let mut here = self;
        for key in Parts(Some(path)) {
            here = match here {
                Value::Map(_) => here.map_mut().get_mut(key)?,
                Value::List(_) => {
                    let index: usize = key.parse().ok()?;
                    here.list_mut().get_mut(index)?
                }
                _ => return None,
            };
        }
        Some(here)
    }

    /// True if a value, even null, stands at `path`.
    pub fn has(&self, path: &str) -> bool {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
        let parent = if parent.is_empty() { self } else { self.at(parent) };
        match parent {
            Value::Map(map) => map.contains_key(key),
            Value::List(items) => key.parse::<usize>().is_ok_and(|i| i < items.len()),
            _ => false,
        }
    }
}

/// The parts of a dotted path. Paths are short: a plain look at each byte finds the dots sooner than `str::split` is set up.
struct Parts<'p>(Option<&'p str>);

impl<'p> Iterator for Parts<'p> {
    type Item = &'p str;

    #[inline]
    fn next(&mut self) -> Option<&'p str> {
        let path = self.0?;
        match path.as_bytes().iter().position(|byte| *byte == b'.') {
            Some(dot) => {
                self.0 = Some(&path[dot + 1..]);
                Some(&path[..dot])
            }
            None => self.0.take(),
        }
    }
}

fn null() -> &'static Value {
    const { &Value::Null }
}
