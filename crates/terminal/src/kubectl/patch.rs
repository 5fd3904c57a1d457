//! `kubectl patch`: strategic, merge and JSON patches.
//!
//! Rules: recordings `apply-unchanged-and-immutable`, `scale-parallelism`. Source: `kubectl/pkg/cmd/patch/patch.go`,
//! `apiserver/pkg/endpoints/handlers/patch.go`, RFC 6902.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets;
use crate::kubectl::{Call, Outcome, Verb};
use api::decode::{FieldValidation, Refusal, decode};
use api::kind::Kind;
use api::object::Object;
use api::patch::{Shape, merge, strategic};
use api::status::ApiError;
use api::validate::job_status;
use shell::host::resolve;
use values::value::{Map, Value};
use yaml;

pub const VERB: Verb = Verb {
    name: "patch",
    summary: "Change fields of an object",
    usage: "kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::FILENAME,
    common::KUSTOMIZE,
    common::LOCAL,
    common::OUTPUT,
    common::RECORD,
    flag("patch", Takes::Text, "The patch, as JSON or YAML").short('p'),
    flag("patch-file", Takes::Text, "A file with the patch"),
    common::RECURSIVE,
    common::MANAGED_FIELDS,
    flag("subresource", Takes::Text, "status or scale"),
    common::TEMPLATE,
    flag("type", Takes::Text, "json, merge or strategic").default("strategic"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Strategic,
    Merge,
    Json,
}

/// What the API server says of a JSON patch that it cannot carry out.
const REJECTED: &str = "The request is invalid: the server rejected our request due to an error in our request";

fn run(call: &mut Call<'_, '_>) -> Outcome {
    common::warn_of_record(call);
    let (way, patch, dry_run) = match read(call) {
        Ok(read) => read,
        Err(text) => return call.fail(&text),
    };
    let args = call.parsed.args.clone();
    let objects = match targets::existing_or_local(call, &args) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if objects.is_empty() && !call.has_failed() {
        return call.fail("no objects passed to patch");
    }
    let malformed = match &patch {
        // kubectl sends what begins as JSON unread, so it is the server that complains.
        Patch::Malformed(why) if way == Way::Strategic => Some(why.clone()),
        Patch::Malformed(why) => Some(format!("error decoding patch: {why}")),
        Patch::Read(_) => None,
    };
    let patch = if let Patch::Read(patch) = patch { patch } else { Value::Null };
    for object in objects {
        let done = match &malformed {
            Some(why) => Err(ApiError::bad_request(why).into()),
            None => patch_one(call, &object, way, &patch, dry_run),
        };
        if let Err(failure) = done {
            call.note(failure);
        }
    }
    call.finish()
}

/// What `--patch` gave.
enum Patch {
    Read(Value),
    /// It begins as JSON and is none, or no patch: why.
    Malformed(String),
}

fn read(call: &mut Call<'_, '_>) -> Result<(Way, Patch, DryRun), String> {
    let dry_run = call.dry_run()?;
    let given = |flag: &str| call.parsed.text(flag).filter(|text| !text.is_empty());
    let text = match (given("patch"), given("patch-file")) {
        (Some(_), Some(_)) => return Err("cannot specify --patch and --patch-file together".to_owned()),
        (None, None) => {
            return Err("must specify --patch or --patch-file containing the contents of the patch".to_owned());
        }
        (Some(text), None) => Ok(text.to_owned()),
        (None, Some(file)) => Err(file.to_owned()),
    };
    if call.parsed.on("local") && !call.parsed.args.is_empty() {
        return Err("cannot specify --local and server resources".to_owned());
    }
    if call.parsed.on("local") && dry_run == DryRun::Server {
        return Err("cannot specify --local and --dry-run=server - did you mean --dry-run=client?".to_owned());
    }
    let way = match call.parsed.text("type").unwrap_or("strategic").to_lowercase().as_str() {
        "strategic" | "" => Way::Strategic,
        "merge" => Way::Merge,
        "json" => Way::Json,
        _ => {
            let given = call.parsed.text("type").unwrap_or_default();
            return Err(format!("--type must be one of [json merge strategic], not \"{given}\""));
        }
    };
    let text = match text {
        Ok(text) => text,
        Err(file) => {
            let bytes = call.desk.files.read(&resolve(&call.args.cwd, &file));
            let bytes =
                bytes.map_err(|_| format!("unable to read patch file: open {file}: no such file or directory"))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    if let Some(why) = yaml::json_error(&text) {
        return Ok((way, Patch::Malformed(why), dry_run));
    }
    let parsed = yaml::parse(&text, "patch");
    let unread = |why: &str| format!("unable to parse {}: {why}", Value::from(text.as_str()).to_json());
    if let Some(error) = parsed.kubectl_error() {
        let why = error.split("yaml: ").nth(1).map_or(error.to_owned(), |why| format!("yaml: {why}"));
        return Err(unread(&why));
    }
    let patch = parsed.documents.first().map(|node| node.value()).unwrap_or_default();
    let expected = if way == Way::Json { "[]handlers.jsonPatchOp" } else { "map[string]interface {}" };
    let fits = if way == Way::Json { patch.as_list().is_some() } else { patch.as_map().is_some() };
    if !fits {
        let what = match &patch {
            Value::Map(_) => "object",
            Value::List(_) => "array",
            Value::Str(_) => "string",
            Value::Bool(_) => "bool",
            Value::Null | Value::Int(_) | Value::Float(_) => "number",
        };
        return Ok((
            way,
            Patch::Malformed(format!("json: cannot unmarshal {what} into Go value of type {expected}")),
            dry_run,
        ));
    }
    Ok((way, Patch::Read(patch), dry_run))
}

fn patch_one(
    call: &mut Call<'_, '_>,
    object: &Object,
    way: Way,
    patch: &Value,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let subresource = call.parsed.text("subresource").unwrap_or_default().to_owned();
    if !common::has_subresource(object.kind(), &subresource) {
        return Err(common::no_such_resource().into());
    }
    let (changed, warnings) = patched(object, way, patch)?;
    let server = dry_run != DryRun::Client && !call.parsed.on("local");
    if server {
        warnings.iter().for_each(|text| call.io.err(&format!("Warning: {text}\n")));
    }
    let key = object.key();
    let written = match (server, subresource.as_str()) {
        (false, _) => changed,
        (true, "status") => {
            let causes = if object.kind() == Kind::Job { job_status(&changed, object.value()) } else { Vec::new() };
            if !causes.is_empty() {
                return Err(ApiError::invalid(object.kind(), object.name(), causes).into());
            }
            call.write(dry_run, |api| api.update_status(&key, changed.at("status").clone()))?.value().clone()
        }
        (true, _) => call.update(dry_run, &key, |value| *value = changed)?,
    };
    let how = if written == *object.value() { "patched (no change)" } else { "patched" };
    // What is done only for show is told as if it was done.
    call.tell(&written, how, DryRun::No).map_err(Failure::Client)
}

/// The object after the patch, and the server's warnings.
///
/// # Errors
/// The server refuses the patch.
fn patched(object: &Object, way: Way, patch: &Value) -> Result<(Value, Vec<String>), Failure> {
    let mut changed = object.value().clone();
    let info = object.kind().info();
    match way {
        Way::Strategic => strategic(&mut changed, patch, Shape::of_kind(&info.api_version(), info.name)),
        Way::Merge => merge(&mut changed, patch),
        Way::Json => json_patch(&mut changed, patch).map_err(|_| Failure::Plain(REJECTED.to_owned()))?,
    }
    // The type is that of the address, whatever the patch says.
    changed.set("apiVersion", info.api_version());
    changed.set("kind", info.name);
    match decode(&changed, FieldValidation::Warn) {
        Ok(decoded) => Ok((decoded.object, decoded.warnings)),
        Err(refusal) if way == Way::Strategic => Err(Failure::Plain(unconvertible(patch, &refusal))),
        Err(refusal) => Err(ApiError::bad_request(refusal.text).into()),
    }
}

/// A strategic patch is laid over Go's tree of the object, which is then read into the type; the words are those of
/// `runtime.DefaultUnstructuredConverter`.
fn unconvertible(patch: &Value, refusal: &Refusal) -> String {
    let words: Vec<&str> = refusal.text.split_whitespace().collect();
    let after = |word: &str| words.iter().position(|w| *w == word).and_then(|i| words.get(i + 1)).copied();
    let (from, to) = (after("unmarshal").unwrap_or_default(), after("type").unwrap_or_default());
    let from = match from {
        "number" => "int64",
        "object" => "map[string]interface {}",
        "array" => "[]interface {}",
        other => other,
    };
    let why = if to.starts_with("[]") {
        format!("cannot restore slice from {from}")
    } else if to.starts_with("map[") {
        format!("cannot restore map from {from}")
    } else if to.contains('.') {
        format!("cannot restore struct from: {from}")
    } else if from == "int64" && to == "string" {
        "cannot convert int64 to string".to_owned()
    } else if to.is_empty() {
        // Types that read themselves, such as quantities, speak for themselves.
        refusal.text.split_once(": ").map_or(refusal.text.as_str(), |(_, why)| why).to_owned()
    } else {
        format!("unrecognized type: {to}")
    };
    format!("The request is invalid: patch: Invalid value: \"{}\": {why}", go_text(patch))
}

/// Go's `%+v` of a tree: `map[spec:map[parallelism:x]]`.
fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => {
            let pairs = map.iter().map(|(key, item)| format!("{key}:{}", go_text(item)));
            format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
        }
        other => other.to_json(),
    }
}

/// Carries out the operations of a JSON patch.
///
/// # Errors
/// What the server's library says.
pub fn json_patch(target: &mut Value, patch: &Value) -> Result<(), String> {
    let operations = patch.as_list().ok_or("the server rejected our request due to an error in our request")?;
    for operation in operations {
        let text = |name: &str| operation.str_at(name).unwrap_or_default();
        let value = operation.as_map().and_then(|map| map.get("value")).cloned().unwrap_or_default();
        match text("op") {
            "add" => put(target, text("path"), value, true)?,
            // A key that is not there is no obstacle; a place in a list is.
            "replace" => put(target, text("path"), value, false)?,
            "remove" => {
                take(target, text("path")).ok_or_else(|| missing("remove", text("path")))?;
            }
            "move" => {
                let moved = take(target, text("from")).ok_or_else(|| missing("move", text("from")))?;
                put(target, text("path"), moved, true)?;
            }
            "copy" => {
                let copied = get(target, text("from")).cloned().ok_or_else(|| missing("copy", text("from")))?;
                put(target, text("path"), copied, true)?;
            }
            "test" => {
                if get(target, text("path")) != Some(&value) {
                    return Err(format!("testing value {} failed: test failed", text("path")));
                }
            }
            other => return Err(format!("Unexpected kind: {other}")),
        }
    }
    Ok(())
}

fn missing(operation: &str, path: &str) -> String {
    format!("{operation} operation does not apply: doc is missing path: {path}: missing value")
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    parts(path).iter().try_fold(value, |here, part| match here {
        Value::Map(map) => map.get(part),
        Value::List(items) => part.parse::<usize>().ok().and_then(|i| items.get(i)),
        _ => None,
    })
}

/// The map or list that holds the last part of a path, and that part.
fn holder<'v>(value: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let mut parts = parts(path);
    let last = parts.pop()?;
    let mut here = value;
    for part in parts {
        here = match here {
            Value::Map(_) => here.map_mut().get_mut(&part)?,
            Value::List(_) => {
                let index: usize = part.parse().ok()?;
                here.list_mut().get_mut(index)?
            }
            _ => return None,
        };
    }
    Some((here, last))
}

fn put(target: &mut Value, path: &str, value: Value, insert: bool) -> Result<(), String> {
    let (here, last) = holder(target, path).ok_or_else(|| missing("add", path))?;
    match here {
        Value::List(_) => {
            let items = here.list_mut();
            let at = if last == "-" { Some(items.len()) } else { last.parse().ok() };
            let most = if insert { items.len() } else { items.len().saturating_sub(1) };
            let at =
                at.filter(|at| *at <= most && !(items.is_empty() && !insert)).ok_or_else(|| missing("add", path))?;
            if insert {
                items.insert(at, value);
            } else {
                items[at] = value;
            }
        }
        Value::Map(_) => {
            here.map_mut().insert(last, value);
        }
        _ => return Err(missing("add", path)),
    }
    Ok(())
}

fn take(target: &mut Value, path: &str) -> Option<Value> {
    let (here, last) = holder(target, path)?;
    match here {
        Value::Map(_) => Map::remove(here.map_mut(), &last),
        Value::List(_) => {
            let items = here.list_mut();
            last.parse::<usize>().ok().filter(|i| *i < items.len()).map(|i| items.remove(i))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_patches_change_lists_and_maps() {
        let json = |text: &str| Value::from_json(text).unwrap();
        let mut value = json(r#"{"a":{"b":[1,2]},"x~/y":1}"#);
        let patch = r#"[{"op":"add","path":"/a/b/-","value":3},{"op":"replace","path":"/a/b/0","value":0},
            {"op":"remove","path":"/x~0~1y"},{"op":"copy","from":"/a/b","path":"/c"},{"op":"test","path":"/c/2","value":3}]"#;
        json_patch(&mut value, &json(patch)).unwrap();
        assert_eq!(value.to_json(), r#"{"a":{"b":[0,2,3]},"c":[0,2,3]}"#);
        for bad in [r#"[{"op":"remove","path":"/no"}]"#, r#"[{"op":"add","path":"/a/b/9","value":1}]"#, "{}", "[{}]"] {
            assert!(json_patch(&mut value, &json(bad)).is_err(), "{bad}");
        }
        assert_eq!(go_text(&json(r#"{"spec":{"l":["a",1,null]}}"#)), "map[spec:map[l:[a 1 <nil>]]]");
    }
}
