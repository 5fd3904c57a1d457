//! Carrying out a program: every expression gives any number of values for one input.
//!
//! Work is bounded: [`STEPS`] expressions and [`VALUES`] values of one result; more ends the program with an error.

use values::sorted::SortedMap;

use super::builtins;
use super::json::Json;
use super::operate;
use super::parse::{Expr, Part};
use values::time::SimTime;

const STEPS: u32 = 2_000_000;
const VALUES: usize = 200_000;
/// Bytes of one text.
const TEXT_MAX: usize = 4 << 20;
/// Largest index that may be set.
const INDEX_MAX: usize = 100_000;

/// What a program's variables hold.
pub type Variables = SortedMap<String, Json>;
pub type Outputs = Result<Vec<Json>, Failure>;

/// Why an expression has no (further) value.
#[derive(Clone, PartialEq, Debug)]
pub enum Failure {
    /// `error(x)`, or jq's own complaint.
    Error(Json),
    /// Too much work; `try` does not catch it.
    Exhausted,
}

pub fn error<T>(text: String) -> Result<T, Failure> {
    Err(Failure::Error(Json::text(&text)))
}

/// A program that runs.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    steps: u32,
    depth: u32,
    /// What `input` and `inputs` read.
    pub inputs: Vec<Json>,
    /// The clock, for `now`.
    pub now_ms: i64,
}

/// Recursion of expressions; those of a program are bounded, `recurse(f)` and `..` are not.
const DEPTH: u32 = 200;

type Path = Vec<Json>;

impl Machine {
    /// A program that runs at this moment.
    pub fn at(now: SimTime) -> Machine {
        Machine { now_ms: now.millis(), ..Machine::default() }
    }

    pub fn tick(&mut self, count: usize) -> Result<(), Failure> {
        self.steps = self.steps.saturating_add(1 + count as u32);
        if self.steps > STEPS { Err(Failure::Exhausted) } else { Ok(()) }
    }

    /// All values of `expr` for `input`.
    pub fn eval(&mut self, expr: &Expr, input: &Json, vars: &Variables) -> Outputs {
        self.depth += 1;
        let ended = if self.depth > DEPTH { Err(Failure::Exhausted) } else { self.eval_inner(expr, input, vars) };
        self.depth -= 1;
        let values = ended?;
        self.tick(values.len())?;
        if values.len() > VALUES { Err(Failure::Exhausted) } else { Ok(values) }
    }

    fn eval_inner(&mut self, expr: &Expr, input: &Json, vars: &Variables) -> Outputs {
        match expr {
            Expr::Identity => Ok(vec![input.clone()]),
            Expr::Literal(value) => Ok(vec![value.clone()]),
            Expr::Variable(name) if name == "ENV" => Ok(vec![vars.get("ENV").cloned().unwrap_or_default()]),
            Expr::Variable(name) => match vars.get(name) {
                Some(value) => Ok(vec![value.clone()]),
                None => error(format!("${name} is not defined")),
            },
            Expr::Recurse => {
                let mut all = Vec::new();
                self.recurse(input, &mut all, 0)?;
                Ok(all)
            }
            Expr::Index(of, key) => self.each2(of, key, input, vars, |_, of, key| index(of, key)),
            Expr::Slice(of, from, to) => self.slice(of, from.as_deref(), to.as_deref(), input, vars),
            Expr::Iterate(of) => {
                let mut all = Vec::new();
                for value in self.eval(of, input, vars)? {
                    all.extend(items(&value)?);
                }
                Ok(all)
            }
            Expr::Text(format, parts) => self.text(format.as_deref(), parts, input, vars),
            Expr::Array(None) => Ok(vec![Json::array(Vec::new())]),
            Expr::Array(Some(inside)) => Ok(vec![Json::array(self.eval(inside, input, vars)?)]),
            Expr::Object(entries) => self.object(entries, input, vars),
            Expr::Negate(inside) => {
                let negate = |value: Json| match value {
                    Json::Number(n) => Ok(Json::Number(-n)),
                    other => error(format!("{} cannot be negated", described(&other))),
                };
                self.eval(inside, input, vars)?.into_iter().map(negate).collect()
            }
            Expr::Pipe(left, right) => {
                let mut all = Vec::new();
                for value in self.eval(left, input, vars)? {
                    all.extend(self.eval(right, &value, vars)?);
                }
                Ok(all)
            }
            Expr::Comma(left, right) => {
                let mut all = self.eval(left, input, vars)?;
                all.extend(self.eval(right, input, vars)?);
                Ok(all)
            }
            Expr::Binary(operator, left, right) => self.binary(operator, left, right, input, vars),
            Expr::If(condition, then, otherwise) => {
                let mut all = Vec::new();
                for value in self.eval(condition, input, vars)? {
                    match (value.is_true(), otherwise) {
                        (true, _) => all.extend(self.eval(then, input, vars)?),
                        (false, Some(otherwise)) => all.extend(self.eval(otherwise, input, vars)?),
                        (false, None) => all.push(input.clone()),
                    }
                }
                Ok(all)
            }
            Expr::Try(body, otherwise) => match (self.eval(body, input, vars), otherwise) {
                (Err(Failure::Error(why)), Some(otherwise)) => self.eval(otherwise, &why, vars),
                (Err(Failure::Error(_)), None) => self.until_error(body, input, vars),
                (ended, _) => ended,
            },
            Expr::As(source, name, body) => {
                let mut all = Vec::new();
                for value in self.eval(source, input, vars)? {
                    let mut inner = vars.clone();
                    inner.insert(name.clone(), value);
                    all.extend(self.eval(body, input, &inner)?);
                }
                Ok(all)
            }
            Expr::Reduce(source, name, start, update) => {
                let mut so_far = self.eval(start, input, vars)?.pop().unwrap_or_default();
                for value in self.eval(source, input, vars)? {
                    let mut inner = vars.clone();
                    inner.insert(name.clone(), value);
                    so_far = self.eval(update, &so_far, &inner)?.pop().unwrap_or_default();
                }
                Ok(vec![so_far])
            }
            Expr::Format(name) => operate::format(name, input).map(|text| vec![Json::text(&text)]),
            Expr::Assign(operator, target, value) => self.assign(operator, target, value, input, vars),
            Expr::Call(name, args) => builtins::call(self, name, args, input, vars),
        }
    }

    /// What comes before the error of `.a[]?` and the like: the parts of a comma or an iteration one by one.
    fn until_error(&mut self, body: &Expr, input: &Json, vars: &Variables) -> Outputs {
        match body {
            Expr::Comma(left, right) => {
                let mut all = self.until_error(left, input, vars)?;
                all.extend(self.until_error(right, input, vars)?);
                Ok(all)
            }
            Expr::Pipe(left, right) => {
                let mut all = Vec::new();
                for value in self.until_error(left, input, vars)? {
                    all.extend(self.until_error(right, &value, vars)?);
                }
                Ok(all)
            }
            body => match self.eval(body, input, vars) {
                Err(Failure::Error(_)) => Ok(Vec::new()),
                ended => ended,
            },
        }
    }

    fn recurse(&mut self, value: &Json, all: &mut Vec<Json>, depth: u32) -> Result<(), Failure> {
        self.tick(0)?;
        if all.len() > VALUES || depth > DEPTH {
            return Err(Failure::Exhausted);
        }
        all.push(value.clone());
        for item in items(value).unwrap_or_default() {
            self.recurse(&item, all, depth + 1)?;
        }
        Ok(())
    }

    /// `act` for every pair of values of two expressions.
    pub fn each2(
        &mut self,
        first: &Expr,
        second: &Expr,
        input: &Json,
        vars: &Variables,
        mut act: impl FnMut(&mut Machine, &Json, &Json) -> Result<Json, Failure>,
    ) -> Outputs {
        let seconds = self.eval(second, input, vars)?;
        let firsts = self.eval(first, input, vars)?;
        let mut all = Vec::new();
        for second in &seconds {
            for first in &firsts {
                self.tick(0)?;
                all.push(act(self, first, second)?);
            }
        }
        Ok(all)
    }

    fn slice(&mut self, of: &Expr, from: Option<&Expr>, to: Option<&Expr>, input: &Json, vars: &Variables) -> Outputs {
        let mut one = |expr: Option<&Expr>| match expr {
            Some(expr) => self.eval(expr, input, vars).map(|mut values| values.pop().unwrap_or_default()),
            None => Ok(Json::Null),
        };
        let (from, to) = (one(from)?, one(to)?);
        let values = self.eval(of, input, vars)?;
        values.iter().map(|value| operate::slice(value, &from, &to)).collect()
    }

    fn text(&mut self, format: Option<&str>, parts: &[Part], input: &Json, vars: &Variables) -> Outputs {
        let mut texts = vec![String::new()];
        for part in parts {
            let ends: Vec<String> = match part {
                Part::Literal(text) => vec![text.clone()],
                Part::Value(expr) => {
                    let values = self.eval(expr, input, vars)?;
                    values
                        .iter()
                        .map(|value| operate::format(format.unwrap_or("text"), value))
                        .collect::<Result<_, _>>()?
                }
            };
            let mut next = Vec::new();
            for end in &ends {
                for start in &texts {
                    self.tick(0)?;
                    if start.len() + end.len() > TEXT_MAX {
                        return Err(Failure::Exhausted);
                    }
                    next.push(format!("{start}{end}"));
                }
            }
            texts = next;
        }
        Ok(texts.iter().map(|text| Json::text(text)).collect())
    }

    fn object(&mut self, entries: &[(Expr, Expr)], input: &Json, vars: &Variables) -> Outputs {
        let mut objects = vec![Json::Object(Default::default())];
        for (key, value) in entries {
            let (keys, values) = (self.eval(key, input, vars)?, self.eval(value, input, vars)?);
            let mut next = Vec::new();
            for object in &objects {
                for key in &keys {
                    let Json::Text(key) = key else {
                        return error("Object keys must be strings".to_owned());
                    };
                    for value in &values {
                        self.tick(0)?;
                        let mut object = object.clone();
                        object.set(key, value.clone());
                        next.push(object);
                    }
                }
            }
            if next.len() > VALUES {
                return Err(Failure::Exhausted);
            }
            objects = next;
        }
        Ok(objects)
    }

    fn binary(&mut self, operator: &str, left: &Expr, right: &Expr, input: &Json, vars: &Variables) -> Outputs {
        match operator {
            "and" | "or" => {
                let mut all = Vec::new();
                for first in self.eval(left, input, vars)? {
                    if first.is_true() == (operator == "or") {
                        all.push(Json::Bool(operator == "or"));
                        continue;
                    }
                    all.extend(self.eval(right, input, vars)?.iter().map(|value| Json::Bool(value.is_true())));
                }
                Ok(all)
            }
            "//" => {
                let found = match self.eval(left, input, vars) {
                    Err(Failure::Error(_)) => self.until_error(left, input, vars)?,
                    ended => ended?,
                };
                let found: Vec<Json> = found.into_iter().filter(Json::is_true).collect();
                if found.is_empty() { self.eval(right, input, vars) } else { Ok(found) }
            }
            operator => self.each2(left, right, input, vars, |_, a, b| operate::operate(operator, a, b)),
        }
    }

    fn assign(&mut self, operator: &str, target: &Expr, value: &Expr, input: &Json, vars: &Variables) -> Outputs {
        let paths = self.paths(target, input, vars)?;
        if operator == "|" {
            let mut whole = input.clone();
            for path in paths {
                let old = get_path(&whole, &path)?;
                match self.eval(value, &old, vars)?.into_iter().next() {
                    Some(new) => set_path(&mut whole, &path, new)?,
                    None => delete_path(&mut whole, &path)?,
                }
            }
            return Ok(vec![whole]);
        }
        let mut all = Vec::new();
        for value in self.eval(value, input, vars)? {
            let mut whole = input.clone();
            for path in &paths {
                let old = get_path(&whole, path)?;
                let new = match operator {
                    "=" => value.clone(),
                    "//" if old.is_true() => old,
                    "//" => value.clone(),
                    operator => operate::operate(operator, &old, &value)?,
                };
                set_path(&mut whole, path, new)?;
            }
            all.push(whole);
        }
        Ok(all)
    }

    /// Where the values of a path expression lie in `input`.
    pub fn paths(&mut self, expr: &Expr, input: &Json, vars: &Variables) -> Result<Vec<Path>, Failure> {
        self.tick(0)?;
        match expr {
            Expr::Identity => Ok(vec![Vec::new()]),
            Expr::Index(of, key) => {
                let mut all = Vec::new();
                let keys = self.eval(key, input, vars)?;
                for path in self.paths(of, input, vars)? {
                    all.extend(keys.iter().map(|key| path.iter().cloned().chain([key.clone()]).collect::<Path>()));
                }
                Ok(all)
            }
            Expr::Iterate(of) => {
                let mut all = Vec::new();
                for path in self.paths(of, input, vars)? {
                    let value = get_path(input, &path)?;
                    let keys: Vec<Json> = match &value {
                        Json::Object(entries) => entries.iter().map(|(key, _)| Json::Text(key.clone())).collect(),
                        value => (0..items(value)?.len()).map(|i| Json::Number(i as f64)).collect(),
                    };
                    all.extend(keys.into_iter().map(|key| path.iter().cloned().chain([key]).collect::<Path>()));
                }
                self.tick(all.len())?;
                Ok(all)
            }
            Expr::Pipe(left, right) => {
                let mut all = Vec::new();
                for path in self.paths(left, input, vars)? {
                    let value = get_path(input, &path)?;
                    for rest in self.paths(right, &value, vars)? {
                        all.push(path.iter().cloned().chain(rest).collect());
                    }
                }
                Ok(all)
            }
            Expr::Comma(left, right) => {
                let mut all = self.paths(left, input, vars)?;
                all.extend(self.paths(right, input, vars)?);
                Ok(all)
            }
            Expr::Try(body, None) => match self.paths(body, input, vars) {
                Err(Failure::Error(_)) => Ok(Vec::new()),
                ended => ended,
            },
            Expr::If(condition, then, otherwise) => {
                let holds = self.eval(condition, input, vars)?.first().is_some_and(Json::is_true);
                match (holds, otherwise) {
                    (true, _) => self.paths(then, input, vars),
                    (false, Some(otherwise)) => self.paths(otherwise, input, vars),
                    (false, None) => Ok(vec![Vec::new()]),
                }
            }
            Expr::Call(name, args) if name == "select" && args.len() == 1 => {
                let holds = self.eval(&args[0], input, vars)?.iter().any(Json::is_true);
                Ok(if holds { vec![Vec::new()] } else { Vec::new() })
            }
            Expr::Call(name, args) if name == "empty" && args.is_empty() => Ok(Vec::new()),
            _ => error("Invalid path expression".to_owned()),
        }
    }
}

/// A value as errors show it: `number (3)`.
pub fn described(value: &Json) -> String {
    let text = value.write(None, false);
    let shown =
        if text.chars().count() > 11 { format!("{}...", text.chars().take(10).collect::<String>()) } else { text };
    format!("{} ({shown})", value.kind())
}

/// The values of an array or an object.
pub fn items(value: &Json) -> Outputs {
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
        (Json::Array(items), Json::Number(n)) => {
            Ok(place(items.len(), *n).and_then(|i| items.get(i)).cloned().unwrap_or_default())
        }
        (Json::Null, Json::Text(_) | Json::Number(_)) => Ok(Json::Null),
        (of, Json::Text(key)) => error(format!("Cannot index {} with \"{key}\"", of.kind())),
        (of, key) => error(format!("Cannot index {} with {}", of.kind(), key.kind())),
    }
}

fn place(length: usize, n: f64) -> Option<usize> {
    let at = n.floor() as i64;
    usize::try_from(if at < 0 { at + length as i64 } else { at }).ok()
}

pub fn get_path(value: &Json, path: &[Json]) -> Result<Json, Failure> {
    path.iter().try_fold(value.clone(), |here, key| index(&here, key))
}

pub fn set_path(value: &mut Json, path: &[Json], new: Json) -> Result<(), Failure> {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return Ok(());
    };
    let mut inner = index(value, key)?;
    set_path(&mut inner, rest, new)?;
    match (key, &mut *value) {
        (Json::Text(key), _) => value.set(key, inner),
        (Json::Number(n), Json::Null | Json::Array(_)) => {
            let mut items = if let Json::Array(items) = value { items.to_vec() } else { Vec::new() };
            let Some(at) = place(items.len(), *n) else {
                return error("Out of bounds negative array index".to_owned());
            };
            if at > INDEX_MAX {
                return error("Array index too large".to_owned());
            }
            if items.len() <= at {
                items.resize(at + 1, Json::Null);
            }
            items[at] = inner;
            *value = Json::array(items);
        }
        _ => return error("Invalid path component".to_owned()),
    }
    Ok(())
}

pub fn delete_path(value: &mut Json, path: &[Json]) -> Result<(), Failure> {
    let Some((key, rest)) = path.split_first() else {
        *value = Json::Null;
        return Ok(());
    };
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
        (Json::Number(n), Json::Array(items)) => {
            let gone = place(items.len(), *n);
            let kept = items.iter().enumerate().filter(|(i, _)| Some(*i) != gone).map(|(_, item)| item.clone());
            *value = Json::array(kept.collect());
        }
        _ => {}
    }
    Ok(())
}
