//! `kubectl wait`: until a condition holds, a field has a value, or an object is there or gone.
//!
//! Rule: all conditions of one object after the other, then the next object; `create` comes before everything. One time-out
//! is shared: once it is over, nothing more is looked at. An object that goes away meanwhile may come back.
//! Source: `kubectl/pkg/cmd/wait/{wait,condition,delete,json,create}.go`.

use std::rc::Rc;

use crate::command::Args;
use crate::host::Desk;
use crate::kubectl::errors::{Failure, told};
use crate::kubectl::flags::{Flag, Parsed, Takes, flag};
use crate::kubectl::resource::missing;
use crate::kubectl::targets::{self, Reading, Wanted};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common};
use crate::printing::format::Format;
use api::meta::Key;
use api::object::Object;
use shell::{Io, Poll};
use values::jsonpath::JsonPath;
use values::time::{SimTime, Span};
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "wait",
    summary: "Wait for a condition of one or many objects",
    usage: "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) \
            [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::ALL,
    common::ALL_NAMESPACES,
    common::MISSING_KEYS,
    common::FIELD_SELECTOR,
    common::FILENAME,
    flag("for", Takes::Array, "create, delete, condition=NAME[=VALUE] or jsonpath='{.field}'[=VALUE]"),
    common::LOCAL,
    common::OUTPUT,
    common::RECURSIVE,
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("timeout", Takes::Duration, "How long to wait; 0 looks once, negative waits a week").default("30s"),
];

#[derive(Clone, Debug)]
enum For {
    Create,
    Delete,
    /// The condition's type and status, without regard to case.
    Condition(String, String),
    /// The path, and the text the field must have; none: any.
    Field(JsonPath, Option<String>),
}

/// Objects that are waited for, one after the other.
#[derive(Clone, Debug)]
pub struct Waits {
    conditions: Vec<For>,
    /// The object whose turn it is, and how many of its conditions are met.
    current: Option<Current>,
    left: Vec<Wanted>,
    visited: usize,
    /// None: everything is looked at once.
    give_up_at: Option<SimTime>,
    /// What was asked for, as long as it must first be created.
    creating: Option<Box<(Parsed, String)>>,
    format: Format,
    failures: Vec<Failure>,
}

#[derive(Clone, Debug)]
struct Current {
    key: Key,
    object: Rc<Object>,
    met: usize,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    match begin(call) {
        Ok(waits) => Outcome::Waits(Waiting::Wait(Box::new(waits))),
        Err(outcome) => outcome,
    }
}

fn begin(call: &mut Call<'_, '_>) -> Result<Waits, Outcome> {
    let format = common::format(call).map_err(|text| call.fail(&text))?;
    let mut conditions = Vec::new();
    for text in call.parsed.list("for").to_vec() {
        conditions.push(read_for(&text).map_err(|text| call.fail(&text))?);
    }
    if conditions.is_empty() {
        return Err(call.fail("unrecognized condition: []"));
    }
    let timeout = match call.duration("timeout").map_err(|text| call.fail(&text))? {
        None => Span::secs(30),
        Some(span) if span < Span::ZERO => Span::secs(7 * 24 * 3600),
        Some(span) => span,
    };
    let local_only = call.parsed.on("local") && !call.parsed.is_set("filename");
    if local_only {
        return Err(call.fail(targets::ONLY_FILES));
    }
    let creates = conditions.iter().any(|condition| matches!(condition, For::Create));
    let left = match creates {
        true => Vec::new(),
        false => chosen(call).map_err(|failures| call.end(&failures))?,
    };
    let now = call.desk.cluster.now();
    Ok(Waits {
        conditions,
        current: None,
        left,
        visited: 0,
        give_up_at: timeout.is_positive().then(|| now + timeout),
        creating: creates.then(|| Box::new((call.parsed.clone(), call.namespace().to_owned()))),
        format,
        failures: std::mem::take(&mut call.failures),
    })
}

fn chosen(call: &mut Call<'_, '_>) -> Result<Vec<Wanted>, Vec<Failure>> {
    let args = call.parsed.args.clone();
    targets::wanted(call, &args, Reading { all_with_selector: true, ..Reading::default() })
}

const FORMAT: &str = "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'";

fn read_for(text: &str) -> Result<For, String> {
    let lower = text.to_lowercase();
    if lower == "delete" {
        return Ok(For::Delete);
    }
    if lower == "create" {
        return Ok(For::Create);
    }
    if let Some(condition) = text.strip_prefix("condition=") {
        let (name, value) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(For::Condition(name.to_owned(), value.to_owned()));
    }
    let Some(input) = text.strip_prefix("jsonpath=") else {
        return Err(format!("unrecognized condition: \"{text}\""));
    };
    let parts = split_at_equals(input);
    let (path, value) = match parts.as_slice() {
        [path] => (path, None),
        [path, value] => (path, Some(value.trim_matches(['\'', '"']))),
        _ => return Err(FORMAT.to_owned()),
    };
    let path = match path.as_str() {
        "" => None,
        path => Some(JsonPath::relaxed(path)?),
    };
    if value == Some("") {
        return Err(
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3"
                .to_owned(),
        );
    }
    let path = path.ok_or("jsonpath expression cannot be empty")?;
    Ok(For::Field(path, value.map(str::to_owned)))
}

/// Cuts at each single `=`; two of them belong to a filter.
fn split_at_equals(text: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        part.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('=') {
            part.push_str("==");
            rest = after;
        } else {
            parts.push(std::mem::take(&mut part));
        }
    }
    part.push_str(rest);
    parts.push(part);
    parts
}

/// How often it is looked whether something was created.
const LOOK_EVERY: Span = Span::ms(500);

impl Waits {
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        if let Some(poll) = self.poll_creation(args, desk, io) {
            return poll;
        }
        loop {
            let Some(current) = self.current.take() else {
                if self.left.is_empty() {
                    return self.end(io);
                }
                let one = self.left.remove(0);
                self.visit(one, desk);
                continue;
            };
            match self.advance(current, desk, io) {
                Some(poll) => return poll,
                None => continue,
            }
        }
    }

    /// With `--for=create`: looks whether what was asked for is there.
    fn poll_creation(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Option<Poll> {
        let (parsed, namespace) = *self.creating.take()?;
        let now = desk.cluster.now();
        let found = {
            let mut call = Call::again(desk, io, parsed.clone(), args, "wait", namespace.clone());
            match chosen(&mut call) {
                Ok(found) => found,
                Err(failures) => {
                    return Some(Poll::Exit(if let Outcome::Exit(code) = call.end(&failures) { code } else { 1 }));
                }
            }
        };
        let there = |one: &Wanted| desk.cluster.store().get(&one.key).is_some();
        if !found.is_empty() && found.iter().all(there) {
            self.left = found;
            return None;
        }
        match self.give_up_at {
            Some(at) if now < at => {
                self.creating = Some(Box::new((parsed, namespace)));
                Some(Poll::SleepUntil((now + LOOK_EVERY).min(at)))
            }
            _ => {
                io.err("error: timed out waiting for the condition\n");
                Some(Poll::Exit(1))
            }
        }
    }

    /// Begins with an object.
    fn visit(&mut self, one: Wanted, desk: &Desk<'_>) {
        let store = desk.cluster.store();
        match store.get(&one.key).cloned() {
            Some(object) => {
                self.visited += 1;
                self.current = Some(Current { key: one.key, object, met: 0 });
            }
            None if self.conditions.iter().any(|condition| matches!(condition, For::Delete)) => {}
            None => self.failures.push(missing(store, one.key.kind, &one.key.namespace, &one.key.name).into()),
        }
    }

    /// Looks at the condition whose turn it is. None: there is something else to look at.
    fn advance(&mut self, mut current: Current, desk: &Desk<'_>, io: &mut Io) -> Option<Poll> {
        let Some(condition) = self.conditions.get(current.met) else { return None };
        let now = desk.cluster.now();
        let resource = format!("{}/{}", current.key.kind.info().plural, current.key.name);
        let live = desk.cluster.store().get(&current.key).cloned();
        let over = self.give_up_at.is_some_and(|at| now >= at);
        let timed_out = || Failure::client(format!("timed out waiting for the condition on {resource}"));
        let met = if over { Err(timed_out()) } else { condition.met(&current, live.as_deref()) };
        match met {
            Ok(true) => {
                let object = if matches!(condition, For::Delete) {
                    Rc::clone(&current.object)
                } else {
                    live.unwrap_or(Rc::clone(&current.object))
                };
                match common::said(&object, "condition met", &self.format) {
                    Ok(text) => io.out(&text),
                    Err(text) => self.failures.push(Failure::Client(text)),
                }
                current.met += 1;
                self.current = Some(current);
                None
            }
            Ok(false) => match self.give_up_at {
                Some(at) => {
                    self.current = Some(current);
                    Some(Poll::SleepUntil(at))
                }
                None => {
                    self.failures.push(Failure::client(format!("condition not met for {resource}")));
                    None
                }
            },
            Err(failure) => {
                self.failures.push(failure);
                None
            }
        }
    }

    fn end(&mut self, io: &mut Io) -> Poll {
        let deletes = self.conditions.iter().any(|condition| matches!(condition, For::Delete));
        if self.visited == 0 && self.failures.is_empty() && !deletes {
            self.failures.push(Failure::client("no matching resources found"));
        }
        io.err(&told(&self.failures));
        Poll::Exit(i32::from(!self.failures.is_empty()))
    }
}

impl For {
    /// Whether an object, as it is now, is as wanted.
    fn met(&self, current: &Current, live: Option<&Object>) -> Result<bool, Failure> {
        match (self, live) {
            (For::Create, _) => Ok(true),
            (For::Delete, live) => Ok(live.is_none_or(|object| object.uid() != current.object.uid())),
            (_, None) => Ok(false),
            (For::Condition(name, value), Some(object)) => Ok(has_condition(object.value(), name, value)),
            (For::Field(path, value), Some(object)) => {
                has_field(object.value(), path, value.as_deref()).map_err(Failure::Client)
            }
        }
    }
}

fn has_condition(object: &Value, name: &str, value: &str) -> bool {
    let conditions = object.list_at("status.conditions");
    let same = |c: &&Value| c.str_at("type").is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    let Some(condition) = conditions.iter().find(same) else { return false };
    let observed = condition.i64_at("observedGeneration").or(object.i64_at("status.observedGeneration"));
    let generation = object.i64_at("metadata.generation");
    if generation.zip(observed).is_some_and(|(generation, observed)| observed < generation) {
        return false;
    }
    condition.str_at("status").is_some_and(|status| status.eq_ignore_ascii_case(value))
}

fn has_field(object: &Value, path: &JsonPath, wanted: Option<&str>) -> Result<bool, String> {
    let groups = path.groups(object)?;
    let first = match groups.as_slice() {
        [] => return Ok(false),
        [first, ..] if first.is_empty() => return Ok(false),
        [first] => first,
        _ => return Err("given jsonpath expression matches more than one list".to_owned()),
    };
    let [value] = first.as_slice() else {
        return Err("given jsonpath expression matches more than one value".to_owned());
    };
    let Some(wanted) = wanted else { return Ok(true) };
    let have = match value {
        Value::Map(_) | Value::List(_) => {
            return Err("jsonpath leads to a nested object or list which is not supported".to_owned());
        }
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    };
    Ok(have.trim() == wanted.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_equals_sign_cuts() {
        assert_eq!(split_at_equals("a==b=c"), ["a==b", "c"]);
        assert_eq!(split_at_equals("a.b.c====d.e.f===g.h.i==="), ["a.b.c====d.e.f==", "g.h.i==", ""]);
        assert_eq!(split_at_equals(""), [""]);
    }

    #[test]
    fn expressions_are_read_as_kubectl_reads_them() {
        let path = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                    '{.name1.name2}'";
        for (text, error) in [
            ("{.status.succeeded}=1=2", FORMAT),
            ("{.status.conditions[?(@.type!=\"Failed\")].status}=True", FORMAT),
            ("{.status.conditions[?(@.n>=1)].status}", path),
            ("{.a}{.b}=1", path),
            ("{.a=1", path),
            ("", "jsonpath expression cannot be empty"),
        ] {
            assert_eq!(read_for(&format!("jsonpath={text}")).unwrap_err(), error, "{text}");
        }
        for text in [".status.succeeded=1", "status.succeeded", "{.a[?(@.b==\"c\")].d}=True", "{.a}='b'"] {
            assert!(read_for(&format!("jsonpath={text}")).is_ok(), "{text}");
        }
    }
}
