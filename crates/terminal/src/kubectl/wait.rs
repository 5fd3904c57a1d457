//! `kubectl wait`: until a condition holds, a field has a value, or an object is there or gone.
//!
//! Source: `kubectl/pkg/cmd/wait/{wait,condition,delete,json,create}.go`.

use std::rc::Rc;

use crate::host::Desk;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, errors};
use api::meta::Key;
use api::object::Object;
use api::status::ApiError;
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
    flag("for", Takes::Text, "create, delete, condition=NAME[=VALUE] or jsonpath='{.field}'[=VALUE]"),
    common::LOCAL,
    common::OUTPUT,
    common::RECURSIVE,
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("timeout", Takes::Text, "How long to wait; 0 looks once, negative waits a week").default("30s"),
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
    wanted: For,
    /// With the uid that was seen first, for deletion.
    left: Vec<(Key, Option<String>)>,
    timeout: Span,
    give_up_at: Option<SimTime>,
    format: Option<String>,
    exit: i32,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    match begin(call) {
        Ok(waits) => Outcome::Waits(Waiting::Wait(waits)),
        Err(outcome) => outcome,
    }
}

fn begin(call: &mut Call<'_, '_>) -> Result<Waits, Outcome> {
    let wanted = read_for(call.parsed.text("for").unwrap_or_default()).map_err(|text| call.fail(&text))?;
    let timeout = match call.duration("timeout").map_err(|text| call.fail(&text))? {
        None => Span::secs(30),
        Some(span) if span < Span::ZERO => Span::secs(7 * 24 * 3600),
        Some(span) => span,
    };
    let args = call.parsed.args.clone();
    let found = targets::wanted(call, &args, Reading::default()).map_err(|text| call.fail_line(&text))?;
    if found.is_empty() && !matches!(wanted, For::Delete) {
        return Err(call.fail("no matching resources found"));
    }
    let (mut left, mut exit) = (Vec::new(), 0);
    for one in found {
        match (one.find(call), &wanted) {
            (Ok(object), _) => left.push((one.key, Some(object.uid().to_owned()))),
            (Err(_), For::Create) => left.push((one.key, None)),
            (Err(_), For::Delete) => {}
            (Err(error), _) => {
                call.complain(&error, None);
                exit = 1;
            }
        }
    }
    if exit != 0 {
        return Err(Outcome::Exit(1));
    }
    let format = call.parsed.text("output").map(str::to_owned);
    Ok(Waits { wanted, left, timeout, give_up_at: None, format, exit })
}

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
    if let Some(path) = text.strip_prefix("jsonpath=") {
        let help = "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or \
                    --for=jsonpath='{.status.readyReplicas}'";
        let path = path.trim_matches('\'');
        let end = path.find('}').ok_or(help)?;
        let (inner, rest) = path.split_at(end + 1);
        let inner = JsonPath::relaxed(inner)?;
        let rest = rest.trim_start_matches('\'');
        return match rest.strip_prefix('=') {
            Some("") => Err("jsonpath wait value cannot be empty".to_owned()),
            Some(value) => Ok(For::Field(inner, Some(value.to_owned()))),
            None if rest.is_empty() => Ok(For::Field(inner, None)),
            None => Err(help.to_owned()),
        };
    }
    Err(format!("unrecognized condition: \"{text}\""))
}

impl Waits {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let now = desk.cluster.now();
        while let Some((key, uid)) = self.left.first().cloned() {
            let give_up_at = *self.give_up_at.get_or_insert(now + self.timeout);
            let object = desk.cluster.store().get(&key).cloned();
            match self.met(object.as_deref(), uid.as_deref()) {
                Some(true) => self.say(&key, object, io),
                Some(false) if now < give_up_at => return Poll::SleepUntil(give_up_at),
                Some(false) => {
                    let (resource, name) = (key.kind.info().plural, &key.name);
                    io.err(&format!("error: timed out waiting for the condition on {resource}/{name}\n"));
                    self.exit = 1;
                }
                None => {
                    let error = ApiError::not_found(key.kind, &key.name);
                    io.err(&format!("{}\n", errors::render(&error, None)));
                    self.exit = 1;
                }
            }
            self.left.remove(0);
            self.give_up_at = None;
        }
        Poll::Exit(self.exit)
    }

    fn say(&self, key: &Key, object: Option<Rc<Object>>, io: &mut Io) {
        let name = format!("{}/{}", key.kind.info().singular_resource(), key.name);
        match (self.format.as_deref(), object) {
            (Some("name"), _) => io.out(&format!("{name}\n")),
            (Some("yaml"), Some(object)) => io.out(&yaml::emit(object.value())),
            (Some("json"), Some(object)) => io.out(&format!("{}\n", object.value().to_json())),
            _ => io.out(&format!("{name} condition met\n")),
        }
    }

    /// Whether the wait is over; none if the object is gone and never will be as wanted.
    fn met(&self, object: Option<&Object>, uid: Option<&str>) -> Option<bool> {
        match (&self.wanted, object) {
            (For::Create, object) => Some(object.is_some()),
            (For::Delete, object) => Some(object.is_none_or(|o| Some(o.uid()) != uid)),
            (_, None) => None,
            (For::Condition(name, value), Some(object)) => Some(has_condition(object.value(), name, value)),
            (For::Field(path, value), Some(object)) => Some(match (field(object.value(), path), value) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(have), Some(value)) => have == *value,
            }),
        }
    }
}

fn has_condition(object: &Value, name: &str, value: &str) -> bool {
    let conditions = object.list_at("status.conditions");
    let same = |c: &&Value| c.str_at("type").is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    let Some(condition) = conditions.iter().find(same) else { return false };
    let (generation, observed) = (object.i64_at("metadata.generation"), condition.i64_at("observedGeneration"));
    if generation.zip(observed).is_some_and(|(generation, observed)| observed < generation) {
        return false;
    }
    condition.str_at("status").is_some_and(|status| status.eq_ignore_ascii_case(value))
}

/// The text of the first field that a JSONPath finds.
fn field(object: &Value, path: &JsonPath) -> Option<String> {
    match path.values(object).ok()?.into_iter().next()? {
        Value::Null => None,
        Value::Str(text) => Some(text.to_string()),
        other => Some(other.to_json()),
    }
}
