//! jq's functions that are not written in jq.

use std::cmp::Ordering;
use std::rc::Rc;

use super::dates;
use super::json::Json;
use super::machine::{Failure, TEXT_MAX, World, error};
use super::operate::operate;
use super::paths::{delete_paths, described, index, indices, items, set_path};
use super::regexes;
use values::sort::sort_by;

/// Names with the number of arguments they take: those of this file, and those the machine does itself.
const NATIVE: &[&str] = &[
    "empty/0",
    "error/0",
    "error/1",
    "path/1",
    "getpath/1",
    "range/1",
    "range/2",
    "range/3",
    "limit/2",
    "first/1",
    "inputs/0",
    "input/0",
    "halt/0",
    "halt_error/0",
    "not/0",
    "length/0",
    "utf8bytelength/0",
    "keys/0",
    "keys_unsorted/0",
    "reverse/0",
    "sort/0",
    "unique/0",
    "min/0",
    "max/0",
    "flatten/0",
    "flatten/1",
    "tostring/0",
    "tojson/0",
    "tonumber/0",
    "fromjson/0",
    "type/0",
    "ascii_downcase/0",
    "ascii_upcase/0",
    "trim/0",
    "ltrim/0",
    "rtrim/0",
    "floor/0",
    "ceil/0",
    "round/0",
    "sqrt/0",
    "fabs/0",
    "trunc/0",
    "rint/0",
    "nearbyint/0",
    "significand/0",
    "logb/0",
    "frexp/0",
    "modf/0",
    "exp/0",
    "exp2/0",
    "exp10/0",
    "log/0",
    "log2/0",
    "log10/0",
    "sin/0",
    "cos/0",
    "tan/0",
    "asin/0",
    "acos/0",
    "atan/0",
    "sinh/0",
    "cosh/0",
    "tanh/0",
    "cbrt/0",
    "pow/2",
    "atan2/2",
    "fmin/2",
    "fmax/2",
    "fmod/2",
    "ldexp/2",
    "scalb/2",
    "nan/0",
    "infinite/0",
    "isnan/0",
    "isinfinite/0",
    "isnormal/0",
    "now/0",
    "transpose/0",
    "implode/0",
    "explode/0",
    "has/1",
    "contains/1",
    "startswith/1",
    "endswith/1",
    "ltrimstr/1",
    "rtrimstr/1",
    "split/1",
    "split/2",
    "join/1",
    "indices/1",
    "setpath/2",
    "delpaths/1",
    "_match/2",
    "_sort_by/1",
    "_group_by/1",
    "_min_by/1",
    "_max_by/1",
    "_halt_error/1",
    "input_line_number/0",
    "debug/0",
    "stderr/0",
    "strftime/1",
    "strflocaltime/1",
    "strptime/1",
    "mktime/0",
    "gmtime/0",
    "localtime/0",
    "builtins/0",
    "bsearch/1",
    "get_search_list/0",
    "drem/2",
    "copysign/2",
];

/// Whether a function of this name is built in, the prelude aside.
pub fn known(name: &str) -> bool {
    NATIVE.contains(&name)
}

/// Calls a function of the input and values.
pub fn native(name: &str, input: &Json, args: &[Json], world: &mut World) -> Result<Json, Failure> {
    let short = name.rsplit_once('/').map_or(name, |(short, _)| short);
    match args {
        [] => plain(short, input, world),
        [arg] => with_one(short, input, arg),
        [first, second] => with_two(short, input, first, second),
        _ => error(format!("{name} is not defined")),
    }
}

fn own_keys(items: &[Json]) -> Vec<(Json, Json)> {
    items.iter().map(|item| (item.clone(), item.clone())).collect()
}

fn array<'j>(value: &'j Json, doing: &str) -> Result<&'j [Json], Failure> {
    match value {
        Json::Array(items) => Ok(items),
        other => error(format!("{} cannot be {doing}, as it is not an array", described(other))),
    }
}

/// Keys beside their items, for `sort_by` and its like.
fn keyed(input: &Json, keys: &Json, doing: &str) -> Result<Vec<(Json, Json)>, Failure> {
    let rows = array(input, doing)?;
    Ok(items(keys)?.into_iter().zip(rows.iter().cloned()).collect())
}

fn sorted(mut keyed: Vec<(Json, Json)>) -> Vec<(Json, Json)> {
    sort_by(&mut keyed, |a, b| a.0.order(&b.0));
    keyed
}

fn groups(keyed: Vec<(Json, Json)>) -> Vec<Vec<Json>> {
    let mut groups: Vec<(Json, Vec<Json>)> = Vec::new();
    for (key, item) in sorted(keyed) {
        match groups.last_mut() {
            Some((known, group)) if known.order(&key) == Ordering::Equal => group.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The first of the least, or the last of the greatest.
fn extreme(keyed: Vec<(Json, Json)>, greatest: bool) -> Json {
    let mut best: Option<(Json, Json)> = None;
    for (key, item) in keyed {
        let better = best.as_ref().is_none_or(|(known, _)| match greatest {
            true => key.order(known).is_ge(),
            false => key.order(known).is_lt(),
        });
        if better {
            best = Some((key, item));
        }
    }
    best.map(|(_, item)| item).unwrap_or_default()
}

/// Functions of the input alone.
fn plain(name: &str, input: &Json, world: &mut World) -> Result<Json, Failure> {
    let wrong = |what: &str| error(format!("{} {what}", described(input)));
    if let Some(value) = number_function(name, input)? {
        return Ok(value);
    }
    Ok(match (name, input) {
        ("length", Json::Null) => Json::Number(0.0),
        ("length", Json::Number(n) | Json::Exact(n, _)) => Json::Number(n.abs()),
        ("length", Json::Text(text)) => Json::Number(text.chars().count() as f64),
        ("length", Json::Array(items)) => Json::Number(items.len() as f64),
        ("length", Json::Object(entries)) => Json::Number(entries.len() as f64),
        ("length", _) => return wrong("has no length"),
        ("utf8bytelength", Json::Text(text)) => Json::Number(text.len() as f64),
        ("utf8bytelength", _) => return wrong("only strings have UTF-8 byte length"),
        ("keys" | "keys_unsorted", Json::Object(entries)) => {
            let keys =
                if name == "keys" { input.keys() } else { entries.iter().map(|(key, _)| Rc::clone(key)).collect() };
            Json::array(keys.into_iter().map(Json::Text).collect())
        }
        ("keys" | "keys_unsorted", Json::Array(items)) => {
            Json::array((0..items.len()).map(|i| Json::Number(i as f64)).collect())
        }
        ("keys" | "keys_unsorted", _) => return wrong("has no keys"),
        ("reverse", Json::Text(text)) => Json::text(&text.chars().rev().collect::<String>()),
        ("reverse", Json::Null) => Json::array(Vec::new()),
        ("reverse", Json::Array(items)) => Json::array(items.iter().rev().cloned().collect()),
        ("reverse", _) => return wrong("cannot be reversed, as it is not an array"),
        ("sort", _) => {
            let rows = sorted(own_keys(array(input, "sorted")?));
            Json::array(rows.into_iter().map(|(_, item)| item).collect())
        }
        ("unique", _) => {
            let rows = groups(own_keys(array(input, "grouped")?));
            Json::array(rows.into_iter().filter_map(|group| group.into_iter().next()).collect())
        }
        ("min", _) => extreme(own_keys(array(input, "iterated over")?), false),
        ("max", _) => extreme(own_keys(array(input, "iterated over")?), true),
        ("flatten", _) => flatten(input, 1000)?,
        ("tostring", Json::Text(_)) => input.clone(),
        ("tostring" | "tojson", _) => Json::text(&input.write(None, false)),
        ("tonumber", Json::Number(_) | Json::Exact(..)) => input.clone(),
        ("tonumber", Json::Text(text)) => match Json::number(text) {
            Some(number) => number,
            None => {
                let at = text.chars().count();
                return error(format!(
                    "Invalid numeric literal at EOF at line 1, column {at} (while parsing '{text}')"
                ));
            }
        },
        ("tonumber", _) => return wrong("cannot be parsed as a number"),
        ("fromjson", Json::Text(text)) => match super::reading::values(text) {
            (mut values, None) => values.pop().unwrap_or_default(),
            (_, Some(why)) => return error(format!("{why} (while parsing '{text}')")),
        },
        ("fromjson", _) => return wrong("cannot be parsed as JSON"),
        ("type", _) => Json::text(input.kind()),
        ("ascii_downcase", Json::Text(text)) => Json::text(&text.to_ascii_lowercase()),
        ("ascii_upcase", Json::Text(text)) => Json::text(&text.to_ascii_uppercase()),
        ("ascii_downcase" | "ascii_upcase", _) => return error(format!("{name} input must be a string")),
        ("trim", Json::Text(text)) => Json::text(text.trim()),
        ("ltrim", Json::Text(text)) => Json::text(text.trim_start()),
        ("rtrim", Json::Text(text)) => Json::text(text.trim_end()),
        ("trim" | "ltrim" | "rtrim", _) => return wrong("cannot be trimmed"),
        ("nan", _) => Json::Number(f64::NAN),
        ("infinite", _) => Json::Number(f64::INFINITY),
        ("now", _) => Json::Number(world.now_ms as f64 / 1000.0),
        ("mktime", _) => dates::mktime(input)?,
        ("gmtime" | "localtime", _) => dates::gmtime(input)?,
        ("transpose", _) => {
            let rows: Vec<Vec<Json>> = items(input)?.iter().map(items).collect::<Result<_, _>>()?;
            let width = rows.iter().map(Vec::len).max().unwrap_or(0);
            let column =
                |i: usize| Json::array(rows.iter().map(|row| row.get(i).cloned().unwrap_or_default()).collect());
            Json::array((0..width).map(column).collect())
        }
        ("explode", Json::Text(text)) => {
            Json::array(text.chars().map(|c| Json::Number(f64::from(u32::from(c)))).collect())
        }
        ("explode", _) => return wrong("cannot be exploded"),
        ("implode", Json::Array(codes)) => {
            let mut text = String::new();
            for code in codes.iter() {
                match code.as_number() {
                    Some(n) => text.push(char::from_u32(n as u32).unwrap_or('\u{fffd}')),
                    None => return error("Unicode codepoint must be numeric".to_owned()),
                }
            }
            Json::text(&text)
        }
        ("implode", _) => return error("implode input must be an array".to_owned()),
        ("input_line_number", _) => Json::Number(world.line as f64),
        ("debug" | "stderr", _) => input.clone(),
        ("builtins", _) => Json::array(NATIVE.iter().map(|name| Json::text(name)).collect()),
        ("get_search_list", _) => Json::array(Vec::new()),
        _ => return error(format!("{name}/0 is not defined")),
    })
}

/// Functions of one number; `None` if it is none of them.
fn number_function(name: &str, input: &Json) -> Result<Option<Json>, Failure> {
    type Function = fn(f64) -> f64;
    let function: Function = match name {
        "floor" => f64::floor,
        "ceil" => f64::ceil,
        "round" => f64::round,
        "sqrt" => f64::sqrt,
        "fabs" => f64::abs,
        "trunc" => f64::trunc,
        "rint" | "nearbyint" => f64::round_ties_even,
        "exp" => f64::exp,
        "exp2" => f64::exp2,
        "exp10" => |n| 10f64.powf(n),
        "log" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "cbrt" => f64::cbrt,
        "significand" => |n| if n == 0.0 || !n.is_finite() { n } else { n / 2f64.powi(exponent(n)) },
        "logb" => |n| if n == 0.0 { f64::NEG_INFINITY } else { f64::from(exponent(n)) },
        "isnan" | "isinfinite" | "isnormal" | "frexp" | "modf" => |n| n,
        _ => return Ok(None),
    };
    let Some(n) = input.as_number() else {
        return error(format!("{} number required", described(input)));
    };
    Ok(Some(match name {
        "isnan" => Json::Bool(n.is_nan()),
        "isinfinite" => Json::Bool(n.is_infinite()),
        "isnormal" => Json::Bool(n.is_normal()),
        "frexp" if n == 0.0 || !n.is_finite() => Json::array(vec![Json::Number(n), Json::Number(0.0)]),
        "frexp" => {
            let e = exponent(n) + 1;
            Json::array(vec![Json::Number(n / 2f64.powi(e)), Json::Number(f64::from(e))])
        }
        "modf" => Json::array(vec![Json::Number(n.fract()), Json::Number(n.trunc())]),
        _ => Json::Number(function(n)),
    }))
}

/// The power of two that a number lies at or above.
fn exponent(n: f64) -> i32 {
    n.abs().log2().floor() as i32
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
fn with_one(name: &str, input: &Json, value: &Json) -> Result<Json, Failure> {
    Ok(match (name, input, value) {
        ("has", Json::Object(_), Json::Text(key)) => Json::Bool(input.get(key).is_some()),
        ("has", Json::Array(items), key) if key.as_number().is_some() => {
            Json::Bool(key.as_number().is_some_and(|n| n >= 0.0 && (n as usize) < items.len()))
        }
        ("has", _, _) => return error(format!("Cannot check whether {} has a {} key", input.kind(), value.kind())),
        ("contains", _, _) => Json::Bool(contains(input, value)?),
        ("startswith", Json::Text(a), Json::Text(b)) => Json::Bool(a.starts_with(&**b)),
        ("endswith", Json::Text(a), Json::Text(b)) => Json::Bool(a.ends_with(&**b)),
        ("startswith" | "endswith", _, _) => return error(format!("{name}() requires string inputs")),
        ("ltrimstr", Json::Text(a), Json::Text(b)) => Json::text(a.strip_prefix(&**b).unwrap_or(a)),
        ("rtrimstr", Json::Text(a), Json::Text(b)) => Json::text(a.strip_suffix(&**b).unwrap_or(a)),
        ("ltrimstr" | "rtrimstr", _, _) => input.clone(),
        ("split", Json::Text(_), Json::Text(_)) => operate("/", input, value)?,
        ("split", _, _) => return error("split input and separator must be strings".to_owned()),
        ("join", _, _) => join(input, value)?,
        ("indices", Json::Null, _) => Json::Null,
        ("indices", Json::Text(a), Json::Text(b)) => {
            let mut all = Vec::new();
            let mut from = 0;
            while let Some(at) = a.get(from..).and_then(|rest| rest.find(&**b)).filter(|_| !b.is_empty()) {
                all.push(Json::Number((from + at) as f64));
                from += at + a[from + at..].chars().next().map_or(1, char::len_utf8);
            }
            Json::array(all)
        }
        ("indices", Json::Array(all), Json::Array(part)) => {
            Json::array(indices(all, part).into_iter().map(|i| Json::Number(i as f64)).collect())
        }
        ("indices", Json::Array(all), _) => {
            let found = all.iter().enumerate().filter(|(_, item)| *item == value);
            Json::array(found.map(|(i, _)| Json::Number(i as f64)).collect())
        }
        ("indices", _, _) => return index(input, value),
        ("flatten", _, depth) => match depth.as_number() {
            Some(n) if n >= 0.0 => flatten(input, n.min(1000.0) as usize)?,
            Some(_) => return error("flatten depth must not be negative".to_owned()),
            None => return error("flatten depth must not be negative".to_owned()),
        },
        ("delpaths", _, Json::Array(paths)) => delete_paths(input, paths)?,
        ("delpaths", _, _) => return error("Paths must be specified as an array".to_owned()),
        ("_sort_by", _, _) => {
            Json::array(sorted(keyed(input, value, "sorted")?).into_iter().map(|(_, item)| item).collect())
        }
        ("_group_by", _, _) => {
            Json::array(groups(keyed(input, value, "grouped")?).into_iter().map(Json::array).collect())
        }
        ("_min_by", _, _) => extreme(keyed(input, value, "iterated over")?, false),
        ("_max_by", _, _) => extreme(keyed(input, value, "iterated over")?, true),
        ("_halt_error", _, code) => match code.as_number() {
            Some(code) => return Err(Failure::Halt(Some(input.clone()), code as i32)),
            None => return error("halt_error/1: number required".to_owned()),
        },
        ("strftime" | "strflocaltime", _, Json::Text(format)) => dates::strftime(input, format, name)?,
        ("strftime" | "strflocaltime", _, _) => return error(format!("{name}/1 requires a string format")),
        ("strptime", Json::Text(text), Json::Text(format)) => dates::strptime(text, format)?,
        ("strptime", _, _) => return error("strptime/1 requires string inputs and arguments".to_owned()),
        ("bsearch", Json::Array(all), _) => {
            let found = all.binary_search_by(|item| item.order(value));
            Json::Number(found.map_or_else(|at| -1.0 - at as f64, |at| at as f64))
        }
        _ => return error(format!("{name}: {} and {} do not go together", described(input), described(value))),
    })
}

fn with_two(name: &str, input: &Json, first: &Json, second: &Json) -> Result<Json, Failure> {
    match name {
        "setpath" => {
            let Json::Array(path) = first else { return error("Path must be specified as an array".to_owned()) };
            let mut whole = input.clone();
            set_path(&mut whole, path, second.clone())?;
            return Ok(whole);
        }
        "_match" => return regexes::matches(input, first, second),
        "split" => return regexes::split(input, first, second),
        _ => {}
    }
    let (Some(a), Some(b)) = (first.as_number(), second.as_number()) else {
        return error(format!(
            "{} number required",
            described(if first.as_number().is_some() { second } else { first })
        ));
    };
    Ok(Json::Number(match name {
        "pow" => a.powf(b),
        "atan2" => a.atan2(b),
        "fmin" => a.min(b),
        "fmax" => a.max(b),
        "fmod" => a % b,
        "ldexp" | "scalb" => a * 2f64.powf(b),
        "copysign" => a.copysign(b),
        "drem" => a - b * (a / b).round_ties_even(),
        _ => return error(format!("{name}/2 is not defined")),
    }))
}

fn join(input: &Json, separator: &Json) -> Result<Json, Failure> {
    let all = items(input)?;
    if all.is_empty() {
        return Ok(Json::text(""));
    }
    let Json::Text(separator) = separator else {
        return error(format!("{} and {} cannot be added", described(&Json::text("")), described(separator)));
    };
    let mut text = String::new();
    for (i, item) in all.iter().enumerate() {
        if i > 0 {
            text.push_str(separator);
        }
        match item {
            Json::Null => {}
            Json::Text(part) => text.push_str(part),
            Json::Array(_) | Json::Object(_) => {
                return error(format!("{} and {} cannot be added", described(&Json::text(&text)), described(item)));
            }
            other => text.push_str(&other.write(None, false)),
        }
        if text.len() > TEXT_MAX {
            return Err(Failure::Exhausted);
        }
    }
    Ok(Json::text(&text))
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
