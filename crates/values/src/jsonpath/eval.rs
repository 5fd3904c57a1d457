//! Follows a template through an object.
//!
//! Source: `client-go/util/jsonpath/jsonpath.go`.

use super::filter;
use super::{Hop, Piece, Slice};
use crate::value::Value;

/// Values a template may find before it is given up; recursive descent in a range multiplies.
const VALUES_MAX: usize = 200_000;

/// A run: what is found is counted, so that no template runs for ever.
pub(super) struct Search {
    pub(super) strict: bool,
    left: usize,
}

/// What each part of the template finds.
pub(super) fn run(parts: &[Piece], value: &Value, strict: bool) -> Result<Vec<Vec<Value>>, String> {
    let mut groups = Vec::new();
    Search { strict, left: VALUES_MAX }.parts(parts, value, &mut groups)?;
    Ok(groups)
}

impl Search {
    fn parts(&mut self, parts: &[Piece], here: &Value, groups: &mut Vec<Vec<Value>>) -> Result<(), String> {
        for part in parts {
            match part {
                Piece::Steps(steps) => groups.push(self.steps(steps, vec![here.clone()])?),
                Piece::Range(steps, body) => {
                    for item in self.steps(steps, vec![here.clone()])? {
                        self.parts(body, &item, groups)?;
                    }
                }
                Piece::StrayEnd => return Err("not in range, nothing to end".to_owned()),
            }
        }
        Ok(())
    }

    pub(super) fn steps(&mut self, steps: &[Hop], start: Vec<Value>) -> Result<Vec<Value>, String> {
        let mut here = start;
        for step in steps {
            here = self.step(step, &here)?;
            self.left = self.left.checked_sub(here.len() + 1).ok_or("the path finds too many values")?;
        }
        Ok(here)
    }

    fn step(&mut self, step: &Hop, input: &[Value]) -> Result<Vec<Value>, String> {
        match step {
            Hop::Text(text) => Ok(vec![Value::from(text)]),
            Hop::Number(number) => Ok(vec![Value::Int(*number)]),
            Hop::Decimal(number) => Ok(vec![Value::Float(*number)]),
            Hop::Bool(value) => Ok(vec![Value::Bool(*value)]),
            Hop::Word(word) => Err(format!("unrecognized identifier {word}")),
            Hop::Field(name) => self.field(name, input),
            Hop::Slice(range) => {
                let mut found = Vec::new();
                for value in input.iter().filter(|v| !v.is_null()) {
                    let items = value.as_list().ok_or_else(|| format!("{} is not array or slice", go_type(value)))?;
                    found.extend(slice(*range, items)?);
                }
                Ok(found)
            }
            Hop::Wildcard => Ok(input.iter().flat_map(children).collect()),
            Hop::Recursive => {
                let mut found = Vec::new();
                self.descend(input, &mut found)?;
                Ok(found)
            }
            Hop::Union(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    found.extend(self.steps(part, input.to_vec())?);
                }
                Ok(found)
            }
            Hop::Filter(filter) => filter::apply(self, filter, input),
        }
    }

    fn field(&self, name: &str, input: &[Value]) -> Result<Vec<Value>, String> {
        let found: Vec<Value> = input.iter().filter_map(|v| v.as_map()?.get(name).cloned()).collect();
        if found.is_empty() && self.strict { Err(format!("{name} is not found")) } else { Ok(found) }
    }

    fn descend(&mut self, input: &[Value], found: &mut Vec<Value>) -> Result<(), String> {
        for value in input {
            let inside = children(value);
            if !inside.is_empty() {
                self.left = self.left.checked_sub(1).ok_or("the path finds too many values")?;
                found.push(value.clone());
                self.descend(&inside, found)?;
            }
        }
        Ok(())
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::Map(map) => map.iter().map(|(_, v)| v.clone()).collect(),
        _ => Vec::new(),
    }
}

fn slice(range: Slice, items: &[Value]) -> Result<Vec<Value>, String> {
    let length = items.len() as i64;
    let from_end = |n: i64| if n < 0 { n.saturating_add(length) } else { n };
    let start = from_end(range.start.unwrap_or(0));
    let end = match range.end {
        None => length,
        Some(0) if range.end_is_derived => length,
        Some(end) => from_end(end),
    };
    if start == end {
        return Ok(Vec::new());
    }
    let outside = |index: i64| Err(format!("array index out of bounds: index {index}, length {length}"));
    if start >= length || start < 0 {
        return outside(start);
    }
    if end > length || end < 0 {
        return outside(end - 1);
    }
    if start > end {
        return Err(format!("starting index {start} is greater than ending index {end}"));
    }
    let step = range.step.unwrap_or(1);
    if step <= 0 {
        return Err("step must be > 0".to_owned());
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    Ok(items[start as usize..end as usize].iter().step_by(step).cloned().collect())
}

/// How Go names the type of a decoded value.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}
