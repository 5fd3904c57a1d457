//! `kubectl label` and `kubectl annotate`: put labels and annotations on objects and take them off.
//!
//! Source: `kubectl/pkg/cmd/{label/label,annotate/annotate}.go`, `kubectl/pkg/cmd/util/helpers.go` (`GetResourcesAndPairs`,
//! `ParsePairs`).

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets;
use crate::kubectl::{Call, Outcome, Verb};
use api::object::Object;
use api::validate::names::label_value;
use values::value::{Map, Value};

pub const VERB: Verb = Verb {
    name: "label",
    summary: "Change the labels of objects",
    usage: "kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    flags: FLAGS,
    run: |call| run(call, What::Labels),
};

pub const ANNOTATE: Verb = Verb {
    name: "annotate",
    summary: "Change the annotations of objects",
    usage: "kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    flags: FLAGS,
    run: |call| run(call, What::Annotations),
};

const FLAGS: &[Flag] = &[
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
    common::RECORD,
    common::RECURSIVE,
    flag("resource-version", Takes::Text, "Only if the object has this resourceVersion"),
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
];

/// The annotation that may always be overwritten.
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Labels,
    Annotations,
}

impl What {
    fn field(self) -> &'static str {
        if self == What::Labels { "metadata.labels" } else { "metadata.annotations" }
    }

    fn word(self) -> &'static str {
        if self == What::Labels { "label" } else { "annotation" }
    }
}

/// What is to be set and what removed.
struct Changes {
    set: Vec<(String, String)>,
    remove: Vec<String>,
}

fn run(call: &mut Call<'_, '_>, what: What) -> Outcome {
    common::warn_of_record(call);
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (names, changes) = match read(&call.parsed.args, what) {
        Ok(read) => read,
        Err(text) => return call.fail(&text),
    };
    if let Err(text) = check(call, what, &names, &changes, dry_run) {
        return call.fail(&text);
    }
    let objects = match targets::existing_or_local(call, &names) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let one = objects.len() == 1 && !call.parsed.is_set("selector") && !call.parsed.on("all");
    if !one && call.parsed.is_set("resource-version") {
        return call.fail("--resource-version may only be used with a single resource");
    }
    for object in objects {
        if call.parsed.on("list") {
            list(call, &object, what, one);
        } else if let Err(failure) = change(call, &object, what, &changes, dry_run) {
            call.note(failure);
        }
    }
    call.finish()
}

fn check(call: &Call<'_, '_>, what: What, names: &[String], changes: &Changes, dry_run: DryRun) -> Result<(), String> {
    let (word, on) = (what.word(), |flag: &str| call.parsed.on(flag));
    let files = call.parsed.is_set("filename") || call.parsed.is_set("kustomize");
    let (yaml, json) = if what == What::Labels { ("pod.yaml", "pod.json") } else { ("rsrc.yaml", "rsrc.json") };
    let text = match () {
        () if on("list") && call.parsed.is_set("output") => "--list and --output may not be specified together".into(),
        () if on("all") && call.parsed.is_set("selector") => "cannot set --all and --selector at the same time".into(),
        () if on("all") && call.parsed.is_set("field-selector") => {
            "cannot set --all and --field-selector at the same time".into()
        }
        () if on("local") && dry_run == DryRun::Server => {
            "cannot specify --local and --dry-run=server - did you mean --dry-run=client?".into()
        }
        () if on("local") && !names.is_empty() => {
            format!("can only use local files by -f {yaml} or --filename={json} when --local=true is set")
        }
        () if on("local") && !files => format!("one or more files must be specified as -f {yaml} or --filename={json}"),
        () if names.is_empty() && !files => {
            "one or more resources must be specified as <resource> <name> or <resource>/<name>".into()
        }
        () if changes.set.is_empty() && changes.remove.is_empty() && !on("list") => {
            format!("at least one {word} update is required")
        }
        () => {
            let both = changes.remove.iter().filter(|key| changes.set.iter().any(|(k, _)| k == *key));
            let both: Vec<&str> = both.map(String::as_str).collect();
            if both.is_empty() {
                return Ok(());
            }
            let list = both.join(", ");
            format!("can not both modify and remove the following annotation(s) in the same command: {list}")
        }
    };
    Err(text)
}

/// Splits the arguments into objects and changes: what has `=`, or ends in `-`, is a change.
fn read(args: &[String], what: What) -> Result<(Vec<String>, Changes), String> {
    let word = what.word();
    let (mut names, mut changes) = (Vec::new(), Changes { set: Vec::new(), remove: Vec::new() });
    let mut pairs = Vec::new();
    for arg in args {
        let is_pair = (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg != "-");
        match (is_pair, pairs.is_empty()) {
            (true, _) => pairs.push(arg),
            (false, true) => names.push(arg.clone()),
            (false, false) => return Err(format!("all resources must be specified before {word} changes: {arg}")),
        }
    }
    for pair in pairs {
        match (pair.split_once('='), what) {
            (Some((_, value)), What::Labels) if value.contains('=') => {
                return Err(format!("invalid label spec: {pair}"));
            }
            (Some((key, value)), _) => {
                let wrong = if what == What::Labels { label_value(value) } else { Vec::new() };
                if !wrong.is_empty() {
                    return Err(format!("invalid label value: \"{pair}\": {}", wrong.join(";")));
                }
                changes.set.retain(|(known, _)| known != key);
                changes.set.push((key.to_owned(), value.to_owned()));
            }
            (None, _) => changes.remove.push(pair[..pair.len() - 1].to_owned()),
        }
    }
    if what == What::Labels && changes.remove.iter().any(|key| changes.set.iter().any(|(known, _)| known == key)) {
        return Err("can not both modify and remove a label in the same command".to_owned());
    }
    Ok((names, changes))
}

fn list(call: &mut Call<'_, '_>, object: &Object, what: What, one: bool) {
    let mut indent = "";
    if !one {
        indent = " ";
        let info = object.kind().info();
        call.io.out(&format!("Listing {}s for {}.{}/{}:\n", what.word(), info.name, info.group, object.name()));
    }
    for (key, value) in object.value().map_at(what.field()).into_iter().flat_map(Map::iter) {
        call.io.out(&format!("{indent}{key}={}\n", value.as_str().unwrap_or_default()));
    }
}

fn change(
    call: &mut Call<'_, '_>,
    object: &Object,
    what: What,
    changes: &Changes,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let (overwrite, local) = (call.parsed.on("overwrite"), call.parsed.on("local"));
    let before = object.value().at(what.field()).clone();
    let have = |key: &str| before.as_map().and_then(|map| map.get(key)).and_then(Value::as_str);
    let mut conflicts = Vec::new();
    for (key, value) in
        changes.set.iter().filter(|(key, _)| !overwrite && !(what == What::Annotations && key == CHANGE_CAUSE))
    {
        match (have(key), what) {
            (Some(old), What::Labels) if old != value => {
                conflicts.push(format!("'{key}' already has a value ({old}), and --overwrite is false"));
            }
            (Some(old), What::Annotations) if old != value => {
                conflicts.push(format!("'{key}' already has a value ({old})"))
            }
            _ => {}
        }
    }
    let list = conflicts.join("; ");
    match (conflicts.as_slice(), what) {
        ([], _) => {}
        ([one], What::Labels) => return Err(Failure::client(one)),
        (_, What::Labels) => return Err(Failure::Client(format!("[{}]", conflicts.join(", ")))),
        (_, What::Annotations) => {
            let text = format!("--overwrite is false but found the following declared annotation(s): {list}");
            return Err(Failure::Client(text));
        }
    }
    let mut after = before.clone();
    let (mut added, mut removed) = (false, false);
    for (key, value) in &changes.set {
        added |= have(key) != Some(value);
        after.map_mut().insert(key.as_str(), value.as_str());
    }
    for key in &changes.remove {
        match have(key) {
            Some(_) => {
                removed = true;
                after.map_mut().remove(key);
            }
            None if what == What::Labels && dry_run != DryRun::Client && !local => {
                call.io.out(&format!("label \"{key}\" not found.\n"));
            }
            None => {}
        }
    }
    let said = match (what, added, removed) {
        (What::Annotations, ..) => "annotated",
        (_, true, true) => "modified",
        (_, true, false) => "labeled",
        (_, false, true) => "unlabeled",
        (_, false, false) => "not labeled",
    };
    let version = call.parsed.text("resource-version").map(str::to_owned);
    let edit = |value: &mut Value| {
        if after.is_empty() {
            value.remove(what.field());
        } else {
            value.set(what.field(), after.clone());
        }
        if let Some(version) = version {
            value.set("metadata.resourceVersion", version);
        }
    };
    let changed = if dry_run == DryRun::Client || local || !(added || removed) {
        let mut changed = object.value().clone();
        edit(&mut changed);
        changed
    } else {
        call.update(dry_run, &object.key(), edit)?
    };
    call.tell(&changed, said, dry_run).map_err(Failure::Client)
}
