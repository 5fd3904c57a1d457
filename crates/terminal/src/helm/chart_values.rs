//! A chart's values: files, `--set`, and how they lie over each other.
//!
//! Sources: `helm/pkg/strvals/parser.go`, `helm/pkg/chartutil/coalesce.go`.

use values::value::{Map, Value};

/// Longest list index that `--set a[N]=x` may name.
const INDEX_MAX: usize = 65_536;

/// Numbers as Go reads them from YAML into an interface: each is a `float64`.
pub fn as_go(value: &Value) -> Value {
    match value {
        Value::Int(n) => Value::Float(*n as f64),
        Value::List(items) => Value::list(items.iter().map(as_go)),
        Value::Map(map) => map.iter().map(|(k, v)| (k, as_go(v))).collect::<Map>().into(),
        other => other.clone(),
    }
}

/// Lays `over` on `base`: maps are merged, everything else replaced.
pub fn lay_over(base: &mut Value, over: &Value) {
    let Some(entries) = over.as_map() else {
        *base = over.clone();
        return;
    };
    let map = base.map_mut();
    for (key, value) in entries.iter() {
        match map.get_mut(key) {
            Some(inner) if inner.as_map().is_some() && value.as_map().is_some() => lay_over(inner, value),
            _ => {
                map.insert(key, value.clone());
            }
        }
    }
}

/// The chart's defaults under the user's values; null takes a default out.
pub fn coalesce(defaults: &Value, user: &Value) -> Value {
    let mut whole = user.clone();
    super::functions::fill(&mut whole, defaults);
    without_nulls(&mut whole);
    whole
}

fn without_nulls(value: &mut Value) {
    if value.as_map().is_none() {
        return;
    }
    let map = value.map_mut();
    map.retain(|_, value| !value.is_null());
    map.iter_mut().for_each(|(_, value)| without_nulls(value));
}

/// Reads one `--set` (`a.b=1,c[0].d=x,e={1,2}`) into `values`. `strings`: values stay texts (`--set-string`).
///
/// # Errors
/// Helm's text.
pub fn set(values: &mut Value, line: &str, strings: bool) -> Result<(), String> {
    let mut rest = Reader { rest: line };
    while !rest.rest.is_empty() {
        let mut path = Vec::new();
        let mut key = String::new();
        loop {
            match rest.next() {
                None if path.is_empty() && key.is_empty() => return Ok(()),
                None | Some((',', false)) => return Err(format!("key {} has no value", quoted(&key))),
                Some(('=', false)) => {
                    step(&mut path, &mut key);
                    break;
                }
                Some(('.', false)) => step(&mut path, &mut key),
                Some(('[', false)) => {
                    step(&mut path, &mut key);
                    let text: String =
                        std::iter::from_fn(|| rest.next().map(|(c, _)| c).filter(|c| *c != ']')).collect();
                    let index = text.parse::<usize>().ok().filter(|i| *i <= INDEX_MAX);
                    path.push(PathPart::Index(index.ok_or_else(|| format!("error parsing index: {text}"))?));
                }
                Some((c, _)) => key.push(c),
            }
        }
        let value = rest.value(strings);
        put(values, &path, value);
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    values::template::format::quote(text)
}

enum PathPart {
    Key(String),
    Index(usize),
}

fn step(path: &mut Vec<PathPart>, key: &mut String) {
    if !key.is_empty() {
        path.push(PathPart::Key(std::mem::take(key)));
    }
}

fn put(here: &mut Value, path: &[PathPart], value: Value) {
    match path.split_first() {
        None => *here = value,
        Some((PathPart::Key(key), rest)) => {
            let map = here.map_mut();
            if !map.contains_key(key) {
                map.insert(key.as_str(), Value::Null);
            }
            if let Some(inner) = map.get_mut(key) {
                put(inner, rest, value);
            }
        }
        Some((PathPart::Index(i), rest)) => {
            let list = here.list_mut();
            if list.len() <= *i {
                list.resize(i + 1, Value::Null);
            }
            put(&mut list[*i], rest, value);
        }
    }
}

/// Characters with whether a backslash stood before them.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<(char, bool)> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        if c != '\\' {
            return Some((c, false));
        }
        let escaped = chars.next();
        self.rest = chars.as_str();
        escaped.map(|c| (c, true))
    }

    fn value(&mut self, strings: bool) -> Value {
        if let Some(rest) = self.rest.strip_prefix('{') {
            self.rest = rest;
            let mut items = Vec::new();
            loop {
                let (text, end) = self.until(&[',', '}']);
                if !(text.is_empty() && items.is_empty() && end == Some('}')) {
                    items.push(typed(&text, strings));
                }
                if end != Some(',') {
                    break;
                }
            }
            self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
            return items.into();
        }
        let (text, _) = self.until(&[',']);
        typed(&text, strings)
    }

    fn until(&mut self, ends: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some((c, escaped)) = self.next() {
            if !escaped && ends.contains(&c) {
                return (text, Some(c));
            }
            text.push(c);
        }
        (text, None)
    }
}

/// `strvals.typedVal`
fn typed(text: &str, strings: bool) -> Value {
    if strings {
        return text.into();
    }
    match text {
        "true" => return true.into(),
        "false" => return false.into(),
        "null" => return Value::Null,
        "0" => return Value::Int(0),
        _ => {}
    }
    // A number that begins with 0 stays a text.
    match text.parse::<i64>() {
        Ok(n) if !text.starts_with('0') => Value::Int(n),
        _ => text.into(),
    }
}
