//! The functions of Helm's templates: sprig's usual ones and Helm's own.
//!
//! Sources: `github.com/Masterminds/sprig/v3`, `helm/pkg/engine/{engine,funcs}.go`. What is missing here is missing when
//! the template is read: `function "x" not defined`.

mod data;
mod numbers;
mod text;

use values::template::{Execution, Functions, Templates, format, limits};
use values::time::SimTime;
use values::value::{Map, Value};
use yaml;

pub use data::{fill, whole_numbers};
pub use text::sha256;

/// Between these stand the texts of `required` and `fail`, so that the error is told without Go's words around it.
pub const WARN_START: &str = "HELM_ERR_START";
pub const WARN_END: &str = "HELM_ERR_END";

type Function = fn(&[Value]) -> Result<Value, String>;

/// A function: its name, the fewest and the most arguments, what it does.
struct Row(&'static str, usize, usize, Function);

const ANY: usize = usize::MAX;

/// Functions that need the run or the clock.
const OWN: &[&str] = &["include", "tpl", "required", "fail", "lookup", "now", "date", "randAlphaNum", "uuidv4"];

/// What Helm's templates can call.
#[derive(Clone, Copy, Debug)]
pub struct Helm {
    /// The virtual clock.
    pub now: SimTime,
    /// For the few functions that draw.
    pub rng: values::rng::Rng,
}

fn find(name: &str) -> Option<&'static Row> {
    [text::ROWS, data::ROWS, numbers::ROWS].into_iter().flatten().find(|row| row.0 == name)
}

impl Functions for Helm {
    fn has(&self, name: &str) -> bool {
        OWN.contains(&name) || find(name).is_some()
    }

    fn call(&self, name: &str, args: &[Value], run: &mut Execution<'_>) -> Result<Value, String> {
        if let Some(Row(_, least, most, function)) = find(name) {
            count(name, args, *least, *most)?;
            return function(args);
        }
        match name {
            "include" => {
                count(name, args, 2, 2)?;
                include(&text_of(&args[0]), &args[1], run)
            }
            "tpl" => {
                count(name, args, 2, 2)?;
                self.tpl(&text_of(&args[0]), &args[1], run)
            }
            "required" => {
                count(name, args, 2, 2)?;
                let missing = args[1].is_null() || args[1].as_str() == Some("");
                if missing { Err(format!("{WARN_START}{}{WARN_END}", text_of(&args[0]))) } else { Ok(args[1].clone()) }
            }
            "fail" => {
                count(name, args, 1, 1)?;
                Err(format!("{WARN_START}{}{WARN_END}", text_of(&args[0])))
            }
            // Nothing is looked up: every answer is the empty one that `helm template` gives.
            "lookup" => Ok(Value::map()),
            "now" => Ok(self.now.rfc3339().into()),
            "date" => {
                count(name, args, 2, 2)?;
                let at = args[1].as_str().and_then(SimTime::parse_rfc3339).unwrap_or(self.now);
                Ok(numbers::go_date(&text_of(&args[0]), at).into())
            }
            "randAlphaNum" => {
                count(name, args, 1, 1)?;
                let length = numbers::int(&args[0]).clamp(0, 1000) as usize;
                Ok(self.rng.stream("helm-random", &run.depth().to_string()).hex(length).into())
            }
            _ => Ok(self.rng.uuid(format_args!("helm-uuid")).into()),
        }
    }

    fn method(&self, on: &Value, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let files = || on.as_map().into_iter().flat_map(|map| map.iter());
        let path = args.first().map(text_of).unwrap_or_default();
        match (name, on) {
            ("Has", Value::List(items)) => Some(Ok(items.iter().any(|item| text_of(item) == path).into())),
            ("Get" | "GetBytes", Value::Map(map)) if args.len() == 1 => {
                Some(Ok(map.get(&path).cloned().unwrap_or_else(|| "".into())))
            }
            ("Lines", Value::Map(map)) if args.len() == 1 => {
                let text = map.get(&path).map(text_of).unwrap_or_default();
                Some(Ok(Value::list(text.lines().map(Value::from))))
            }
            ("Glob", Value::Map(_)) if args.len() == 1 => {
                Some(Ok(files().filter(|(file, _)| glob(&path, file)).collect_map().into()))
            }
            ("AsConfig" | "AsSecrets", Value::Map(_)) if args.is_empty() => {
                let base = |file: &str| file.rsplit('/').next().unwrap_or_default().to_owned();
                let kept = |value: &Value| match name {
                    "AsSecrets" => shell::base64_encode(text_of(value).as_bytes()).into(),
                    _ => value.clone(),
                };
                let map: Map = files().map(|(file, value)| (base(file), kept(value))).collect();
                Some(Ok(yaml::emit(&map.into()).trim_end().into()))
            }
            _ => None,
        }
    }
}

impl Helm {
    /// `tpl`: a text that is a template itself, with all templates of the chart at hand.
    fn tpl(&self, text: &str, data: &Value, run: &mut Execution<'_>) -> Result<Value, String> {
        let name = data.str_at("Template.Name").unwrap_or("tpl").to_owned();
        if run.depth() >= limits::DEPTH {
            return Err(format!("error during tpl function execution for {}: too deep", format::quote(text)));
        }
        let mut templates: Templates = run.templates().clone();
        let done = templates.add(&name, text, self).and_then(|()| run.nested(&templates, &name, data));
        done.map(|text| text.replace("<no value>", "").into())
            .map_err(|error| format!("error during tpl function execution for {}: {error}", format::quote(text)))
    }
}

fn include(name: &str, data: &Value, run: &mut Execution<'_>) -> Result<Value, String> {
    if run.depth() >= limits::DEPTH {
        return Err(format!("rendering template has a nested reference name: {name}: unable to execute template"));
    }
    run.template(name, data).map(Value::from).map_err(|error| match run.has(name) {
        true => error.to_string(),
        false => format!("template: {}", error.message),
    })
}

fn count(name: &str, args: &[Value], least: usize, most: usize) -> Result<(), String> {
    let got = args.len();
    if got >= least && got <= most {
        return Ok(());
    }
    let want =
        if most == ANY { format!("at least {least}") } else { if got < least { least } else { most }.to_string() };
    Err(format!("wrong number of args for {name}: want {want} got {got}"))
}

/// sprig's `strval`.
pub fn text_of(value: &Value) -> String {
    if value.is_null() { String::new() } else { format::display(value) }
}

/// A path pattern with `*`, `**` and `?`.
fn glob(pattern: &str, path: &str) -> bool {
    let (Some(p), rest) = (pattern.chars().next(), path) else { return path.is_empty() };
    let tail = &pattern[p.len_utf8()..];
    match p {
        '*' => {
            let deep = tail.starts_with('*');
            let tail = if deep { tail[1..].strip_prefix('/').unwrap_or(&tail[1..]) } else { tail };
            let ends = rest.char_indices().chain([(rest.len(), '\0')]);
            for (i, c) in ends {
                if glob(tail, &rest[i..]) {
                    return true;
                }
                if c == '/' && !deep {
                    return false;
                }
            }
            false
        }
        '?' => rest.chars().next().is_some_and(|c| c != '/' && glob(tail, &rest[c.len_utf8()..])),
        p => rest.strip_prefix(p).is_some_and(|rest| glob(tail, rest)),
    }
}

/// Collects borrowed entries into a map.
trait CollectMap {
    fn collect_map(self) -> Map;
}

impl<'a, I: Iterator<Item = (&'a str, &'a Value)>> CollectMap for I {
    fn collect_map(self) -> Map {
        self.map(|(key, value)| (key, value.clone())).collect()
    }
}
