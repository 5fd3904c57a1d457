//! Functions on lists, maps and whole values.

use super::{ANY, Row, text_of};
use values::template::format;
use values::value::{Map, Value};
use yaml;

pub const ROWS: &[Row] = &[
    Row("default", 2, 2, |args| Ok(if args[1].is_empty() { args[0].clone() } else { args[1].clone() })),
    Row("empty", 1, 1, |args| Ok(args[0].is_empty().into())),
    Row("coalesce", 0, ANY, |args| Ok(args.iter().find(|v| !v.is_empty()).cloned().unwrap_or_default())),
    Row("all", 0, ANY, |args| Ok(args.iter().all(|v| !v.is_empty()).into())),
    Row("any", 0, ANY, |args| Ok(args.iter().any(|v| !v.is_empty()).into())),
    Row("ternary", 3, 3, |args| Ok(if args[2] == Value::Bool(true) { args[0].clone() } else { args[1].clone() })),
    Row("list", 0, ANY, |args| Ok(Value::list(args.iter().cloned()))),
    Row("tuple", 0, ANY, |args| Ok(Value::list(args.iter().cloned()))),
    Row("first", 1, 1, |args| Ok(items("first", &args[0])?.first().cloned().unwrap_or_default())),
    Row("last", 1, 1, |args| Ok(items("last", &args[0])?.last().cloned().unwrap_or_default())),
    Row("rest", 1, 1, |args| Ok(Value::list(items("rest", &args[0])?.iter().skip(1).cloned()))),
    Row("initial", 1, 1, |args| {
        let items = items("initial", &args[0])?;
        Ok(Value::list(items[..items.len().saturating_sub(1)].iter().cloned()))
    }),
    Row("append", 2, 2, |args| Ok(Value::list(items("push", &args[0])?.iter().chain(&args[1..]).cloned()))),
    Row("prepend", 2, 2, |args| Ok(Value::list(args[1..].iter().chain(items("prepend", &args[0])?).cloned()))),
    Row("concat", 0, ANY, |args| {
        let mut all = Vec::new();
        for arg in args {
            all.extend_from_slice(items("concat", arg)?);
        }
        Ok(all.into())
    }),
    Row("reverse", 1, 1, |args| Ok(Value::list(items("reverse", &args[0])?.iter().rev().cloned()))),
    Row("uniq", 1, 1, |args| {
        let mut kept: Vec<Value> = Vec::new();
        for item in items("uniq", &args[0])? {
            if !kept.contains(item) {
                kept.push(item.clone());
            }
        }
        Ok(kept.into())
    }),
    Row("compact", 1, 1, |args| Ok(Value::list(items("compact", &args[0])?.iter().filter(|v| !v.is_empty()).cloned()))),
    Row("without", 1, ANY, |args| {
        Ok(Value::list(items("without", &args[0])?.iter().filter(|v| !args[1..].contains(v)).cloned()))
    }),
    Row("has", 2, 2, |args| match &args[1] {
        Value::Null => Ok(false.into()),
        list => Ok(items("find", list)?.contains(&args[0]).into()),
    }),
    Row("sortAlpha", 1, 1, |args| {
        let mut texts: Vec<String> = args[0].as_list().unwrap_or(&[]).iter().map(text_of).collect();
        texts.sort();
        Ok(Value::list(texts.into_iter().map(Value::from)))
    }),
    Row("dict", 0, ANY, |args| {
        let pairs = args.chunks(2).map(|pair| (text_of(&pair[0]), pair.get(1).cloned().unwrap_or_else(|| "".into())));
        Ok(pairs.collect::<Map>().into())
    }),
    Row("get", 2, 2, |args| Ok(map("get", &args[0])?.get(&text_of(&args[1])).cloned().unwrap_or_else(|| "".into()))),
    Row("set", 3, 3, |args| {
        let mut changed = map("set", &args[0])?.clone();
        changed.insert(text_of(&args[1]), args[2].clone());
        Ok(changed.into())
    }),
    Row("unset", 2, 2, |args| {
        let mut changed = map("unset", &args[0])?.clone();
        changed.remove(&text_of(&args[1]));
        Ok(changed.into())
    }),
    Row("hasKey", 2, 2, |args| Ok(map("hasKey", &args[0])?.contains_key(&text_of(&args[1])).into())),
    Row("keys", 1, ANY, |args| {
        let mut keys = Vec::new();
        for arg in args {
            keys.extend(map("keys", arg)?.keys().map(Value::from));
        }
        Ok(keys.into())
    }),
    Row("values", 1, 1, |args| Ok(Value::list(map("values", &args[0])?.iter().map(|(_, v)| v.clone())))),
    Row("pick", 1, ANY, |args| {
        let mut kept = map("pick", &args[0])?.clone();
        kept.retain(|key, _| args[1..].iter().any(|name| name.as_str() == Some(key)));
        Ok(kept.into())
    }),
    Row("omit", 1, ANY, |args| {
        let mut kept = map("omit", &args[0])?.clone();
        kept.retain(|key, _| args[1..].iter().all(|name| name.as_str() != Some(key)));
        Ok(kept.into())
    }),
    Row("merge", 1, ANY, |args| merged(args.iter())),
    Row("mergeOverwrite", 1, ANY, |args| merged(args.iter().rev())),
    Row("dig", 3, ANY, |args| {
        let (path, default) = (&args[..args.len() - 2], &args[args.len() - 2]);
        let mut here = &args[args.len() - 1];
        for key in path {
            match here.as_map().and_then(|map| map.get(&text_of(key))) {
                Some(next) => here = next,
                None => return Ok(default.clone()),
            }
        }
        Ok(here.clone())
    }),
    Row("deepCopy", 1, 1, |args| Ok(args[0].clone())),
    Row("deepEqual", 2, 2, |args| Ok((args[0] == args[1]).into())),
    Row("toYaml", 1, 1, |args| Ok(yaml::emit(&whole_numbers(&args[0])).trim_end_matches('\n').into())),
    Row("fromYaml", 1, 1, |args| Ok(from_yaml(&text_of(&args[0])))),
    Row("fromYamlArray", 1, 1, |args| Ok(from_yaml(&text_of(&args[0])))),
    Row("toJson", 1, 1, |args| Ok(whole_numbers(&args[0]).to_go_json().into())),
    Row("toRawJson", 1, 1, |args| Ok(whole_numbers(&args[0]).to_json().into())),
    Row("toPrettyJson", 1, 1, |args| {
        Ok(serde_json::to_string_pretty(&whole_numbers(&args[0])).unwrap_or_default().into())
    }),
    Row("fromJson", 1, 1, |args| {
        Ok(Value::from_json(&text_of(&args[0]))
            .unwrap_or_else(|error| values::object! { "Error" => error.to_string() }))
    }),
    Row("typeOf", 1, 1, |args| Ok(format::type_name(&args[0]).into())),
    Row("kindOf", 1, 1, |args| Ok(kind(&args[0]).into())),
    Row("kindIs", 2, 2, |args| Ok((kind(&args[1]) == text_of(&args[0])).into())),
    Row("typeIs", 2, 2, |args| Ok((format::type_name(&args[1]) == text_of(&args[0])).into())),
];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        other => format::type_name(other),
    }
}

fn items<'a>(what: &str, value: &'a Value) -> Result<&'a [Value], String> {
    match value {
        Value::Null if what == "first" || what == "last" || what == "rest" => Ok(&[]),
        value => value.as_list().ok_or_else(|| format!("Cannot {what} on type {}", kind(value))),
    }
}

fn map<'a>(function: &str, value: &'a Value) -> Result<&'a Map, String> {
    let wrong = || {
        format!(
            "wrong type for value; expected map[string]interface {{}}; got {} in {function}",
            format::type_name(value)
        )
    };
    value.as_map().ok_or_else(wrong)
}

/// Earlier maps win over later ones, deeply.
fn merged<'a>(maps: impl Iterator<Item = &'a Value>) -> Result<Value, String> {
    let mut whole = Value::map();
    for next in maps {
        map("merge", next)?;
        fill(&mut whole, next);
    }
    Ok(whole)
}

/// Adds to `target` what it does not have.
pub fn fill(target: &mut Value, from: &Value) {
    let Some(entries) = from.as_map() else { return };
    let map = target.map_mut();
    for (key, value) in entries.iter() {
        match map.get_mut(key) {
            Some(inner) if inner.as_map().is_some() && value.as_map().is_some() => fill(inner, value),
            Some(_) => {}
            None => {
                map.insert(key, value.clone());
            }
        }
    }
}

fn from_yaml(text: &str) -> Value {
    let parsed = yaml::parse(text, "fromYaml");
    match parsed.kubectl_error() {
        Some(error) => values::object! { "Error" => error },
        None => super::super::chart_values::as_go(&parsed.documents.first().map(yaml::Node::value).unwrap_or_default()),
    }
}

/// JSON's view of numbers: a `float64` without a fraction is written as an integer.
pub fn whole_numbers(value: &Value) -> Value {
    match value {
        Value::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => Value::Int(*x as i64),
        Value::List(items) => Value::list(items.iter().map(whole_numbers)),
        Value::Map(map) => map.iter().map(|(k, v)| (k, whole_numbers(v))).collect::<Map>().into(),
        other => other.clone(),
    }
}
