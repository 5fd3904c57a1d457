//! jq's functions and operators.

use std::cmp::Ordering;
use std::rc::Rc;

use super::eval::{Failure, Machine, Outputs, Variables, delete_path, described, error, get_path, items, set_path};
use super::json::Json;
use super::operate::operate;
use super::parse::Expr;
use crate::regex::Regex;
use values::sort::sort_by;
use values::time::SimTime;

/// Names with the number of arguments they take.
const KNOWN: &[(&str, &[usize])] = &[
    ("abs", &[0]),
    ("add", &[0, 1]),
    ("all", &[0, 1]),
    ("any", &[0, 1]),
    ("arrays", &[0]),
    ("ascii_downcase", &[0]),
    ("ascii_upcase", &[0]),
    ("booleans", &[0]),
    ("ceil", &[0]),
    ("contains", &[1]),
    ("del", &[1]),
    ("empty", &[0]),
    ("endswith", &[1]),
    ("error", &[0, 1]),
    ("first", &[0, 1]),
    ("flatten", &[0, 1]),
    ("floor", &[0]),
    ("from_entries", &[0]),
    ("fromdate", &[0]),
    ("fromdateiso8601", &[0]),
    ("fromjson", &[0]),
    ("getpath", &[1]),
    ("group_by", &[1]),
    ("has", &[1]),
    ("implode", &[0]),
    ("in", &[1]),
    ("index", &[1]),
    ("input", &[0]),
    ("inputs", &[0]),
    ("inside", &[1]),
    ("isvalid", &[1]),
    ("iterables", &[0]),
    ("join", &[1]),
    ("keys", &[0]),
    ("keys_unsorted", &[0]),
    ("last", &[0, 1]),
    ("length", &[0]),
    ("limit", &[2]),
    ("ltrimstr", &[1]),
    ("map", &[1]),
    ("map_values", &[1]),
    ("max", &[0]),
    ("max_by", &[1]),
    ("min", &[0]),
    ("min_by", &[1]),
    ("not", &[0]),
    ("now", &[0]),
    ("nth", &[1]),
    ("nulls", &[0]),
    ("numbers", &[0]),
    ("objects", &[0]),
    ("paths", &[0]),
    ("range", &[1, 2, 3]),
    ("recurse", &[0]),
    ("reverse", &[0]),
    ("round", &[0]),
    ("rtrimstr", &[1]),
    ("scalars", &[0]),
    ("select", &[1]),
    ("setpath", &[2]),
    ("sort", &[0]),
    ("sort_by", &[1]),
    ("split", &[1]),
    ("sqrt", &[0]),
    ("startswith", &[1]),
    ("strings", &[0]),
    ("sub", &[2]),
    ("gsub", &[2]),
    ("test", &[1]),
    ("to_entries", &[0]),
    ("todate", &[0]),
    ("tojson", &[0]),
    ("tonumber", &[0]),
    ("tostring", &[0]),
    ("transpose", &[0]),
    ("trim", &[0]),
    ("type", &[0]),
    ("unique", &[0]),
    ("unique_by", &[1]),
    ("values", &[0]),
    ("with_entries", &[1]),
];

pub fn known(name: &str, args: usize) -> bool {
    KNOWN.iter().any(|(known, counts)| *known == name && counts.contains(&args))
}

/// Values that one `range` may give.
const RANGE_MAX: f64 = 100_000.0;

/// Calls a function.
pub fn call(machine: &mut Machine, name: &str, args: &[Expr], input: &Json, vars: &Variables) -> Outputs {
    if let Some(outputs) = with_programs(machine, name, args, input, vars)? {
        return Ok(outputs);
    }
    match args {
        [] => plain(machine, name, input).map(|value| vec![value]),
        [arg] => {
            let values = machine.eval(arg, input, vars)?;
            values.iter().map(|value| with_value(name, input, value)).collect()
        }
        [first, second] => machine.each2(first, second, input, vars, |_, a, b| match name {
            "setpath" => {
                let mut whole = input.clone();
                set_path(&mut whole, &items(a)?, b.clone())?;
                Ok(whole)
            }
            _ => replace(input, a, b, name == "gsub"),
        }),
        _ => error(format!("{name}/{} is not defined", args.len())),
    }
}

/// Functions whose arguments are programs, or that give no value or many.
fn with_programs(
    machine: &mut Machine,
    name: &str,
    args: &[Expr],
    input: &Json,
    vars: &Variables,
) -> Result<Option<Vec<Json>>, Failure> {
    let kind = |fits: bool| Ok(Some(if fits { vec![input.clone()] } else { Vec::new() }));
    let one = |value: Json| Ok(Some(vec![value]));
    match (name, args) {
        ("empty", []) => Ok(Some(Vec::new())),
        ("error", []) => Err(Failure::Error(input.clone())),
        ("error", [message]) => {
            let message = machine.eval(message, input, vars)?.into_iter().next().unwrap_or_default();
            Err(Failure::Error(message))
        }
        ("select", [condition]) => {
            let holds = machine.eval(condition, input, vars)?;
            Ok(Some(holds.iter().filter(|value| value.is_true()).map(|_| input.clone()).collect()))
        }
        ("map", [each]) => {
            let mut all = Vec::new();
            for item in items(input)? {
                all.extend(machine.eval(each, &item, vars)?);
            }
            one(Json::array(all))
        }
        ("map_values", [each]) => {
            let mut whole = input.clone();
            let paths = machine.paths(&Expr::Iterate(Expr::Identity.into()), input, vars)?;
            for path in paths.iter().rev() {
                match machine.eval(each, &get_path(input, path)?, vars)?.into_iter().next() {
                    Some(new) => set_path(&mut whole, path, new)?,
                    None => delete_path(&mut whole, path)?,
                }
            }
            one(whole)
        }
        ("with_entries", [each]) => {
            let entries = plain(machine, "to_entries", input)?;
            let mut changed = Vec::new();
            for entry in items(&entries)? {
                changed.extend(machine.eval(each, &entry, vars)?);
            }
            plain(machine, "from_entries", &Json::array(changed)).and_then(one)
        }
        ("recurse", []) => machine.eval(&Expr::Recurse, input, vars).map(Some),
        ("any" | "all" | "add", [each]) => {
            let made = if name == "add" {
                machine.eval(each, input, vars)?
            } else {
                let mut made = Vec::new();
                for item in items(input)? {
                    made.extend(machine.eval(each, &item, vars)?);
                }
                made
            };
            plain(machine, name, &Json::array(made)).and_then(one)
        }
        ("sort_by" | "group_by" | "unique_by" | "min_by" | "max_by", [key]) => {
            let mut keyed = Vec::new();
            for item in array(input, name)? {
                keyed.push((Json::array(machine.eval(key, &item, vars)?), item));
            }
            one(by_key(name, keyed))
        }
        ("first" | "last", [of]) => {
            let values = machine.eval(of, input, vars)?;
            let value = if name == "first" { values.first() } else { values.last() };
            Ok(Some(value.cloned().into_iter().collect()))
        }
        ("limit", [count, of]) => {
            let count = machine.eval(count, input, vars)?.into_iter().next().unwrap_or_default();
            let Json::Number(count) = count else { return error("Invalid arguments to limit".to_owned()) };
            let mut values = machine.eval(of, input, vars)?;
            values.truncate(count.max(0.0) as usize);
            Ok(Some(values))
        }
        ("range", args) => range(machine, args, input, vars).map(Some),
        ("del", [paths]) => {
            let mut paths = machine.paths(paths, input, vars)?;
            sort_by(&mut paths, |a, b| Json::array(b.clone()).order(&Json::array(a.clone())));
            let mut whole = input.clone();
            for path in paths {
                delete_path(&mut whole, &path)?;
            }
            one(whole)
        }
        ("isvalid", [of]) => {
            let fine = machine.eval(of, input, vars).is_ok();
            one(Json::Bool(fine))
        }
        ("paths", []) => {
            let mut all = Vec::new();
            collect_paths(machine, input, &mut Vec::new(), &mut all)?;
            Ok(Some(all))
        }
        ("input", []) => match machine.inputs.is_empty() {
            true => error("No more inputs".to_owned()),
            false => one(machine.inputs.remove(0)),
        },
        ("inputs", []) => Ok(Some(std::mem::take(&mut machine.inputs))),
        ("values", []) => kind(*input != Json::Null),
        ("nulls", []) => kind(*input == Json::Null),
        ("strings", []) => kind(input.kind() == "string"),
        ("numbers", []) => kind(input.kind() == "number"),
        ("booleans", []) => kind(input.kind() == "boolean"),
        ("arrays", []) => kind(input.kind() == "array"),
        ("objects", []) => kind(input.kind() == "object"),
        ("iterables", []) => kind(matches!(input, Json::Array(_) | Json::Object(_))),
        ("scalars", []) => kind(!matches!(input, Json::Array(_) | Json::Object(_))),
        _ => Ok(None),
    }
}

fn collect_paths(
    machine: &mut Machine,
    value: &Json,
    path: &mut Vec<Json>,
    all: &mut Vec<Json>,
) -> Result<(), Failure> {
    machine.tick(path.len())?;
    let keys: Vec<Json> = match value {
        Json::Object(entries) => entries.iter().map(|(key, _)| Json::Text(Rc::clone(key))).collect(),
        Json::Array(items) => (0..items.len()).map(|i| Json::Number(i as f64)).collect(),
        _ => return Ok(()),
    };
    for (key, item) in keys.into_iter().zip(items(value)?) {
        path.push(key);
        all.push(Json::array(path.clone()));
        collect_paths(machine, &item, path, all)?;
        path.pop();
    }
    Ok(())
}

fn range(machine: &mut Machine, args: &[Expr], input: &Json, vars: &Variables) -> Outputs {
    let mut bounds = Vec::new();
    for arg in args {
        match machine.eval(arg, input, vars)?.into_iter().next() {
            Some(Json::Number(n)) => bounds.push(n),
            _ => return error("Range bounds must be numeric".to_owned()),
        }
    }
    let (from, to, by) = match bounds.as_slice() {
        [to] => (0.0, *to, 1.0),
        [from, to] => (*from, *to, 1.0),
        [from, to, by] => (*from, *to, *by),
        _ => return Ok(Vec::new()),
    };
    let count = ((to - from) / by).ceil();
    if by == 0.0 || count.is_nan() || count > RANGE_MAX {
        return Err(Failure::Exhausted);
    }
    Ok((0..count.max(0.0) as u32).map(|i| Json::Number(from + f64::from(i) * by)).collect())
}

fn array(value: &Json, name: &str) -> Outputs {
    match value {
        Json::Array(items) => Ok(items.to_vec()),
        other => {
            let doing = match name {
                "group_by" => "grouped",
                "unique_by" | "unique" => "grouped",
                _ => "sorted",
            };
            error(format!("{} cannot be {doing}, as it is not an array", described(other)))
        }
    }
}

fn by_key(name: &str, mut keyed: Vec<(Json, Json)>) -> Json {
    sort_by(&mut keyed, |a, b| a.0.order(&b.0));
    match name {
        "min_by" => keyed.into_iter().next().map(|(_, item)| item).unwrap_or_default(),
        "max_by" => keyed.into_iter().next_back().map(|(_, item)| item).unwrap_or_default(),
        "sort_by" => Json::array(keyed.into_iter().map(|(_, item)| item).collect()),
        _ => {
            let mut groups: Vec<(Json, Vec<Json>)> = Vec::new();
            for (key, item) in keyed {
                match groups.last_mut() {
                    Some((known, group)) if known.order(&key) == Ordering::Equal => group.push(item),
                    _ => groups.push((key, vec![item])),
                }
            }
            let unique = name == "unique_by";
            let shown =
                |(_, mut group): (Json, Vec<Json>)| if unique { group.swap_remove(0) } else { Json::array(group) };
            Json::array(groups.into_iter().map(shown).collect())
        }
    }
}

/// Functions of the input alone.
fn plain(machine: &mut Machine, name: &str, input: &Json) -> Result<Json, Failure> {
    let own_keys = |items: Vec<Json>| items.into_iter().map(|item| (item.clone(), item)).collect::<Vec<_>>();
    let wrong = |what: &str| error(format!("{} {what}", described(input)));
    Ok(match (name, input) {
        ("not", _) => Json::Bool(!input.is_true()),
        ("length", Json::Null) => Json::Number(0.0),
        ("length", Json::Number(n)) => Json::Number(n.abs()),
        ("length", Json::Text(text)) => Json::Number(text.chars().count() as f64),
        ("length", Json::Array(_) | Json::Object(_)) => Json::Number(items(input)?.len() as f64),
        ("length", _) => return wrong("has no length"),
        ("keys" | "keys_unsorted", Json::Object(entries)) => {
            let keys =
                if name == "keys" { input.keys() } else { entries.iter().map(|(key, _)| Rc::clone(key)).collect() };
            Json::array(keys.into_iter().map(Json::Text).collect())
        }
        ("keys" | "keys_unsorted", Json::Array(items)) => {
            Json::array((0..items.len()).map(|i| Json::Number(i as f64)).collect())
        }
        ("keys" | "keys_unsorted", _) => return wrong("has no keys"),
        ("add", _) => {
            let mut sum = Json::Null;
            for item in items(input)? {
                machine.tick(0)?;
                sum = operate("+", &sum, &item)?;
            }
            sum
        }
        ("any", _) => Json::Bool(items(input)?.iter().any(Json::is_true)),
        ("all", _) => Json::Bool(items(input)?.iter().all(Json::is_true)),
        ("first" | "last", _) => super::eval::index(input, &Json::Number(if name == "first" { 0.0 } else { -1.0 }))?,
        ("reverse", Json::Text(text)) => Json::text(&text.chars().rev().collect::<String>()),
        ("reverse", Json::Null) => Json::array(Vec::new()),
        ("reverse", _) => Json::array(items(input)?.into_iter().rev().collect()),
        ("sort", _) => by_key("sort_by", own_keys(array(input, name)?)),
        ("unique", _) => by_key("unique_by", own_keys(array(input, name)?)),
        ("min", _) => by_key("min_by", own_keys(array(input, name)?)),
        ("max", _) => by_key("max_by", own_keys(array(input, name)?)),
        ("flatten", _) => flatten(input, 1000)?,
        ("to_entries", Json::Object(entries)) => {
            let entry = |(key, value): &(Rc<str>, Json)| {
                Json::Object(Rc::new(vec![("key".into(), Json::Text(Rc::clone(key))), ("value".into(), value.clone())]))
            };
            Json::array(entries.iter().map(entry).collect())
        }
        ("to_entries", _) => return wrong("has no keys"),
        ("from_entries", _) => {
            let mut object = Json::Object(Rc::default());
            for entry in items(input)? {
                let field =
                    |names: [&str; 4]| names.iter().find_map(|name| entry.get(name)).cloned().unwrap_or_default();
                let key = match field(["key", "k", "name", "Name"]) {
                    Json::Text(text) => text,
                    other => other.write(None, false).as_str().into(),
                };
                object.set(&key, field(["value", "v", "Value", "V"]));
            }
            object
        }
        ("tostring", Json::Text(_)) => input.clone(),
        ("tostring" | "tojson", _) => Json::text(&input.write(None, false)),
        ("tonumber", Json::Number(_)) => input.clone(),
        ("tonumber", Json::Text(text)) => match text.trim().parse::<f64>() {
            Ok(n) if n.is_finite() => Json::Number(n),
            _ => return wrong("cannot be parsed as a number"),
        },
        ("tonumber", _) => return wrong("cannot be parsed as a number"),
        ("fromjson", Json::Text(text)) => match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) => return error(format!("{text} (while parsing '{text}')")),
        },
        ("fromjson", _) => return wrong("cannot be parsed as JSON"),
        ("type", _) => Json::text(input.kind()),
        ("ascii_downcase", Json::Text(text)) => Json::text(&text.to_ascii_lowercase()),
        ("ascii_upcase", Json::Text(text)) => Json::text(&text.to_ascii_uppercase()),
        ("trim", Json::Text(text)) => Json::text(text.trim()),
        ("ascii_downcase" | "ascii_upcase" | "trim", _) => return wrong("cannot be changed, as it is not a string"),
        ("floor" | "ceil" | "round" | "sqrt" | "abs", Json::Number(n)) => Json::Number(match name {
            "floor" => n.floor(),
            "ceil" => n.ceil(),
            "round" => n.round(),
            "abs" => n.abs(),
            _ => n.sqrt(),
        }),
        ("floor" | "ceil" | "round" | "sqrt" | "abs", _) => return wrong("number required"),
        ("now", _) => Json::Number(machine.now_ms as f64 / 1000.0),
        ("todate", Json::Number(n)) => Json::text(&SimTime::from_secs(n.floor() as i64).rfc3339()),
        ("fromdate" | "fromdateiso8601", Json::Text(text)) => match SimTime::parse_rfc3339(text) {
            Some(at) => Json::Number(at.secs() as f64),
            None => return error(format!("date \"{text}\" does not match format \"%Y-%m-%dT%H:%M:%SZ\"")),
        },
        ("transpose", _) => {
            let rows: Vec<Vec<Json>> = items(input)?.iter().map(items).collect::<Result<_, _>>()?;
            let width = rows.iter().map(Vec::len).max().unwrap_or(0);
            machine.tick(width.saturating_mul(rows.len()))?;
            let column =
                |i: usize| Json::array(rows.iter().map(|row| row.get(i).cloned().unwrap_or_default()).collect());
            Json::array((0..width).map(column).collect())
        }
        ("implode", _) => {
            let letter = |item: &Json| match item {
                Json::Number(n) => char::from_u32(*n as u32).unwrap_or('\u{fffd}'),
                _ => '\u{fffd}',
            };
            Json::text(&items(input)?.iter().map(letter).collect::<String>())
        }
        _ => return wrong(&format!("cannot be used by {name}")),
    })
}

fn flatten(value: &Json, depth: usize) -> Result<Json, Failure> {
    let mut all = Vec::new();
    for item in items(value)? {
        match item {
            Json::Array(_) if depth > 0 => all.extend(items(&flatten(&item, depth - 1)?)?),
            item => all.push(item),
        }
    }
    Ok(Json::array(all))
}

/// Functions of the input and one value.
fn with_value(name: &str, input: &Json, value: &Json) -> Result<Json, Failure> {
    Ok(match (name, input, value) {
        ("has", Json::Object(_), Json::Text(key)) => Json::Bool(input.get(key).is_some()),
        ("has", Json::Array(items), Json::Number(n)) => Json::Bool(*n >= 0.0 && (*n as usize) < items.len()),
        ("has", _, _) => return error(format!("Cannot check whether {} has a {} key", input.kind(), value.kind())),
        ("in", _, _) => return with_value("has", value, input),
        ("contains", _, _) => Json::Bool(contains(input, value)?),
        ("inside", _, _) => Json::Bool(contains(value, input)?),
        ("startswith", Json::Text(a), Json::Text(b)) => Json::Bool(a.starts_with(&**b)),
        ("endswith", Json::Text(a), Json::Text(b)) => Json::Bool(a.ends_with(&**b)),
        ("startswith" | "endswith", _, _) => return error(format!("{name}() requires string inputs")),
        ("ltrimstr", Json::Text(a), Json::Text(b)) => Json::text(a.strip_prefix(&**b).unwrap_or(a)),
        ("rtrimstr", Json::Text(a), Json::Text(b)) => Json::text(a.strip_suffix(&**b).unwrap_or(a)),
        ("ltrimstr" | "rtrimstr", _, _) => input.clone(),
        ("split", Json::Text(a), Json::Text(b)) => operate("/", &Json::Text(Rc::clone(a)), &Json::Text(Rc::clone(b)))?,
        ("split", _, _) => return error("split input and separator must be strings".to_owned()),
        ("join", _, Json::Text(separator)) => {
            let mut texts = Vec::new();
            for item in items(input)? {
                texts.push(match item {
                    Json::Null => String::new(),
                    Json::Text(text) => text.to_string(),
                    Json::Array(_) | Json::Object(_) => {
                        return error(format!("Cannot join with {}", described(&item)));
                    }
                    other => other.write(None, false),
                });
            }
            Json::text(&texts.join(separator))
        }
        ("test", Json::Text(text), Json::Text(pattern)) => {
            Json::Bool(regex(pattern)?.find(text.as_bytes(), 0).is_some())
        }
        ("test", _, _) => return error(format!("{} cannot be matched, as it is not a string", described(input))),
        ("index", Json::Text(a), Json::Text(b)) => a.find(&**b).map_or(Json::Null, |at| Json::Number(at as f64)),
        ("index", Json::Array(items), _) => {
            items.iter().position(|item| item == value).map_or(Json::Null, |at| Json::Number(at as f64))
        }
        ("nth", _, Json::Number(_)) => super::eval::index(input, value)?,
        ("getpath", _, _) => get_path(input, &items(value)?)?,
        ("flatten", _, Json::Number(n)) => flatten(input, n.clamp(0.0, 1000.0) as usize)?,
        _ => return error(format!("{name}: {} and {} do not go together", described(input), described(value))),
    })
}

fn regex(pattern: &str) -> Result<Regex, Failure> {
    Regex::extended(pattern, false).or_else(|why| error(format!("{pattern} (at offset 0) is not a valid regex: {why}")))
}

fn replace(input: &Json, pattern: &Json, with: &Json, all: bool) -> Result<Json, Failure> {
    let (Json::Text(text), Json::Text(pattern), Json::Text(with)) = (input, pattern, with) else {
        return error(format!("{} cannot be matched, as it is not a string", described(input)));
    };
    let regex = regex(pattern)?;
    let (mut made, mut at) = (String::new(), 0);
    while let Some((start, end)) = regex.find(text.as_bytes(), at).and_then(|found| found.first().copied().flatten()) {
        made.push_str(text.get(at..start).unwrap_or_default());
        made.push_str(with);
        let step =
            if end > start { 0 } else { text.get(end..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8) };
        made.push_str(text.get(end..end + step).unwrap_or_default());
        at = end + step;
        if !all || at > text.len() {
            break;
        }
        if made.len() > 4 << 20 {
            return Err(Failure::Exhausted);
        }
    }
    made.push_str(text.get(at..).unwrap_or_default());
    Ok(Json::text(&made))
}

fn contains(a: &Json, b: &Json) -> Result<bool, Failure> {
    Ok(match (a, b) {
        (Json::Text(a), Json::Text(b)) => a.contains(&**b),
        (Json::Array(a), Json::Array(b)) => {
            b.iter().all(|wanted| a.iter().any(|item| contains(item, wanted).unwrap_or(false)))
        }
        (Json::Object(_), Json::Object(wanted)) => {
            wanted.iter().all(|(key, value)| a.get(key).is_some_and(|found| contains(found, value).unwrap_or(false)))
        }
        (a, b) if a.kind() == b.kind() => a == b,
        (a, b) => return error(format!("{} and {} cannot have their containment checked", described(a), described(b))),
    })
}
