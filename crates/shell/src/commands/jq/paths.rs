//! Values at paths: reading, setting and deleting them.

use super::json::Json;
use super::machine::{Failure, error};
use super::operate::slice;
use values::sort::sort_by;

/// Largest index that may be set.
const INDEX_MAX: usize = 4_000_000;

/// A value as errors show it: `number (3)`.
pub fn described(value: &Json) -> String {
    let text = value.write(None, false);
    let shown = if text.len() > 11 {
        let mut end = 10;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}...", &text[..end])
    } else {
        text
    };
    format!("{} ({shown})", value.kind())
}

/// The values of an array or an object.
pub fn items(value: &Json) -> Result<Vec<Json>, Failure> {
    match value {
        Json::Array(items) => Ok(items.to_vec()),
        Json::Object(entries) => Ok(entries.iter().map(|(_, value)| value.clone()).collect()),
        Json::Null => error("Cannot iterate over null".to_owned()),
        other => error(format!("Cannot iterate over {}", described(other))),
    }
}

/// `of[key]`
pub fn index(of: &Json, key: &Json) -> Result<Json, Failure> {
    match (of, key) {
        (Json::Object(_), Json::Text(key)) => Ok(of.get(key).cloned().unwrap_or_default()),
        (Json::Array(items), key) if key.as_number().is_some() => {
            let n = key.as_number().unwrap_or(f64::NAN);
            Ok(place(items.len(), n).and_then(|i| items.get(i)).cloned().unwrap_or_default())
        }
        (Json::Null, Json::Text(_) | Json::Number(_) | Json::Exact(..) | Json::Null) => Ok(Json::Null),
        (_, Json::Object(_)) => {
            let bound = |name: &str| key.get(name).cloned().unwrap_or_default();
            slice(of, &bound("start"), &bound("end"))
        }
        (Json::Array(all), Json::Array(part)) => {
            Ok(Json::array(indices(all, part).into_iter().map(|i| Json::Number(i as f64)).collect()))
        }
        (of, Json::Text(key)) => error(format!("Cannot index {} with \"{key}\"", of.kind())),
        (of, key) => error(format!("Cannot index {} with {}", of.kind(), key.kind())),
    }
}

/// Where a list is part of another.
pub fn indices(all: &[Json], part: &[Json]) -> Vec<usize> {
    if part.is_empty() {
        return Vec::new();
    }
    all.windows(part.len()).enumerate().filter(|(_, window)| *window == part).map(|(i, _)| i).collect()
}

fn place(length: usize, n: f64) -> Option<usize> {
    if n.is_nan() {
        return None;
    }
    let at = n.floor() as i64;
    usize::try_from(if at < 0 { at + length as i64 } else { at }).ok()
}

pub fn get_path(value: &Json, path: &[Json]) -> Result<Json, Failure> {
    path.iter().try_fold(value.clone(), |here, key| if here == Json::Null { Ok(Json::Null) } else { index(&here, key) })
}

/// The bounds that a slice as a key stands for.
fn bounds(key: &Json, length: usize) -> (usize, usize) {
    let bound = |name: &str, otherwise: f64| {
        let n = key.get(name).and_then(Json::as_number).unwrap_or(otherwise);
        (if n < 0.0 { n + length as f64 } else { n }).clamp(0.0, length as f64)
    };
    let (from, to) = (bound("start", 0.0).floor() as usize, bound("end", length as f64).ceil() as usize);
    (from, to.max(from))
}

pub fn set_path(value: &mut Json, path: &[Json], new: Json) -> Result<(), Failure> {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return Ok(());
    };
    if let (Json::Object(_), Json::Array(_) | Json::Null) = (key, &*value) {
        let all = if let Json::Array(items) = value { items.to_vec() } else { Vec::new() };
        let (from, to) = bounds(key, all.len());
        let mut part = if *value == Json::Null { Json::Null } else { Json::array(all[from..to].to_vec()) };
        set_path(&mut part, rest, new)?;
        let Json::Array(part) = part else {
            return error("A slice of an array can only be assigned another array".to_owned());
        };
        *value = Json::array(all[..from].iter().chain(part.iter()).chain(&all[to..]).cloned().collect());
        return Ok(());
    }
    let mut inner = index(value, key)?;
    set_path(&mut inner, rest, new)?;
    match (key, &mut *value) {
        (Json::Text(key), _) => value.set(key, inner),
        (key, Json::Null | Json::Array(_)) if key.as_number().is_some() => {
            let n = key.as_number().unwrap_or(0.0);
            if *value == Json::Null {
                *value = Json::array(Vec::new());
            }
            let Json::Array(items) = value else { return Ok(()) };
            let Some(at) = place(items.len(), n) else {
                return error("Out of bounds negative array index".to_owned());
            };
            if at > INDEX_MAX {
                return error("Array index too large".to_owned());
            }
            let items = std::rc::Rc::make_mut(items);
            if items.len() <= at {
                items.resize(at + 1, Json::Null);
            }
            items[at] = inner;
        }
        _ => return error("Invalid path component".to_owned()),
    }
    Ok(())
}

/// Deletes what lies at these paths, the last ones first.
pub fn delete_paths(value: &Json, paths: &[Json]) -> Result<Json, Failure> {
    let mut paths = paths.to_vec();
    sort_by(&mut paths, |a, b| b.order(a));
    let mut whole = value.clone();
    for path in paths {
        let Json::Array(path) = &path else { return error("Path must be specified as an array".to_owned()) };
        delete_path(&mut whole, path)?;
    }
    Ok(whole)
}

fn delete_path(value: &mut Json, path: &[Json]) -> Result<(), Failure> {
    let Some((key, rest)) = path.split_first() else {
        *value = Json::Null;
        return Ok(());
    };
    if *value == Json::Null {
        return Ok(());
    }
    if !rest.is_empty() {
        let mut inner = index(value, key)?;
        if inner == Json::Null {
            return Ok(());
        }
        delete_path(&mut inner, rest)?;
        return set_path(value, &path[..1], inner);
    }
    match (key, &*value) {
        (Json::Text(key), Json::Object(entries)) => {
            let kept: Vec<_> = entries.iter().filter(|(known, _)| known != key).cloned().collect();
            *value = Json::Object(kept.into());
        }
        (Json::Object(_), Json::Array(items)) => {
            let (from, to) = bounds(key, items.len());
            *value = Json::array(items[..from].iter().chain(&items[to..]).cloned().collect());
        }
        (key, Json::Array(items)) if key.as_number().is_some() => {
            let gone = place(items.len(), key.as_number().unwrap_or(0.0));
            let kept = items.iter().enumerate().filter(|(i, _)| Some(*i) != gone).map(|(_, item)| item.clone());
            *value = Json::array(kept.collect());
        }
        (Json::Text(_), other) => return error(format!("Cannot delete field at object index of {}", other.kind())),
        (_, Json::Object(_)) => return error(format!("Cannot delete field at array index of {}", "object")),
        (_, other) => return error(format!("Cannot delete fields from {}", other.kind())),
    }
    Ok(())
}
