//! `kubectl label`: puts labels on objects and takes them off.
//!
//! Source: `kubectl/pkg/cmd/label/label.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
use api::object::Object;
use values::value::{Map, Value};

pub const VERB: Verb = Verb {
    name: "label",
    summary: "Change the labels of objects",
    usage: "kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    flags: FLAGS,
    run,
};

/// Flags of `label` and `annotate`.
pub const FLAGS: &[Flag] = &[
    common::ALL,
    common::ALL_NAMESPACES,
    common::MISSING_KEYS,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::FIELD_SELECTOR,
    common::FILENAME,
    common::KUSTOMIZE,
    flag("list", Takes::Nothing, "Print what is there").default("false"),
    common::LOCAL,
    common::OUTPUT,
    flag("overwrite", Takes::Nothing, "What has another value may be changed").default("false"),
    common::RECURSIVE,
    flag("resource-version", Takes::Text, "Only if the object has this resourceVersion"),
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
];

/// What is to be set and what removed.
pub struct Changes {
    pub set: Vec<(String, String)>,
    pub remove: Vec<String>,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    run_on(call, "labels")
}

/// Shared with `annotate`: `field` is `labels` or `annotations`.
pub fn run_on(call: &mut Call<'_, '_>, field: &'static str) -> Outcome {
    let (names, changes) = match read(&call.parsed.args) {
        Ok(read) => read,
        Err(text) => return call.fail(&text),
    };
    let what = field.trim_end_matches('s');
    let lists = call.parsed.on("list");
    if changes.set.is_empty() && changes.remove.is_empty() && !lists {
        return call.fail(&format!("at least one {what} update is required"));
    }
    let both = changes.remove.iter().find(|key| changes.set.iter().any(|(k, _)| k == *key));
    if let Some(key) = both {
        let text = match field {
            "labels" => format!("can not both modify and remove label \"{key}\" in the same command"),
            _ => format!("cannot modify and remove the annotation(s) in the same command: [{key}]"),
        };
        return call.fail(&text);
    }
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (objects, mut failed) = match targets::existing(call, &names, Reading::default()) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    for object in objects {
        let before = object.value().at("metadata").at(field).clone();
        if lists {
            let pairs = before.as_map().into_iter().flat_map(Map::iter);
            pairs.for_each(|(k, v)| call.io.out(&format!("{k}={}\n", v.as_str().unwrap_or_default())));
            continue;
        }
        failed |= !change(call, &object, field, &before, &changes, dry_run);
    }
    Outcome::Exit(i32::from(failed))
}

/// Splits the arguments into objects and changes: what has `=`, or ends in `-` behind the first object, is a change.
pub fn read(args: &[String]) -> Result<(Vec<String>, Changes), String> {
    let mut names = Vec::new();
    let mut changes = Changes { set: Vec::new(), remove: Vec::new() };
    for (i, arg) in args.iter().enumerate() {
        let removed = arg.strip_suffix('-').filter(|key| !key.is_empty() && !key.contains('=') && i > 0);
        if let Some((key, value)) = arg.split_once('=').filter(|(key, _)| !key.is_empty()) {
            changes.set.push((key.to_owned(), value.to_owned()));
        } else if let Some(key) = removed {
            changes.remove.push(key.to_owned());
        } else if !changes.set.is_empty() || !changes.remove.is_empty() {
            return Err(format!("all resources must be specified before label changes: {arg}"));
        } else {
            names.push(arg.clone());
        }
    }
    Ok((names, changes))
}

fn change(
    call: &mut Call<'_, '_>,
    object: &Object,
    field: &str,
    before: &Value,
    changes: &Changes,
    dry_run: DryRun,
) -> bool {
    let overwrite = call.parsed.on("overwrite");
    let mut conflicts = Vec::new();
    let mut after = before.clone();
    for (key, value) in &changes.set {
        match before.as_map().and_then(|map| map.get(key)).and_then(Value::as_str) {
            Some(old) if old != value && !overwrite => conflicts.push(format!("'{key}' already has a value ({old})")),
            _ => {
                after.map_mut().insert(key.as_str(), value.as_str());
            }
        }
    }
    if !conflicts.is_empty() {
        let list = conflicts.join("; ");
        call.fail(&match field {
            "labels" => format!("{list}, and --overwrite is false"),
            _ => format!("--overwrite is false but found the following declared annotation(s): {list}"),
        });
        return false;
    }
    for key in &changes.remove {
        if !after.as_map().is_some_and(|map| map.contains_key(key)) {
            let what = field.trim_end_matches('s');
            call.io.out(&format!("{what} \"{key}\" not found.\n"));
            continue;
        }
        after.map_mut().remove(key);
    }
    let said = match (field, after == *before) {
        ("labels", true) => "not labeled",
        ("labels", false) if !overwrite && after.to_json().len() < before.to_json().len() => "unlabeled",
        ("labels", false) => "labeled",
        _ => "annotated",
    };
    let path = if field == "labels" { "metadata.labels" } else { "metadata.annotations" };
    let edit = |value: &mut Value| {
        if after.is_empty() {
            value.remove(path);
        } else {
            value.set(path, after.clone());
        }
    };
    let mut changed = object.value().clone();
    edit(&mut changed);
    if dry_run != DryRun::Client {
        match call.write(dry_run, |api| api.update(&object.key(), edit)) {
            Ok(written) => changed = written.value().clone(),
            Err(error) => {
                call.complain(&error, None);
                return false;
            }
        }
    }
    match call.tell(&changed, said, dry_run) {
        Ok(()) => true,
        Err(text) => {
            call.fail(&text);
            false
        }
    }
}
