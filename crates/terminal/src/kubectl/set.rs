//! `kubectl set image|env|resources|serviceaccount|selector`: changes Pod templates, and the selectors of Services.
//!
//! Source: `kubectl/pkg/cmd/set/set_{image,env,resources,serviceaccount,selector}.go`, `kubectl/pkg/cmd/set/env`.

use std::rc::Rc;

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, help};
use api::kind::Kind;
use api::object::Object;
use values::object;
use values::quantity::Quantity;
use values::value::{Map, Value};

pub const VERB: Verb = Verb {
    name: "set",
    summary: "Set specific features on objects",
    usage: "kubectl set SUBCOMMAND",
    flags: &[],
    run: help::needs_subcommand,
};

pub const IMAGE: Verb = Verb {
    name: "set image",
    summary: "Change the image of containers",
    usage: "kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
    flags: &[
        common::ALL,
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        common::FILENAME,
        common::KUSTOMIZE,
        common::LOCAL,
        common::OUTPUT,
        common::RECORD,
        common::RECURSIVE,
        common::SELECTOR,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: image,
};

pub const ENV: Verb = Verb {
    name: "set env",
    summary: "Change environment variables of containers",
    usage: "kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
    flags: &[
        common::ALL,
        common::MISSING_KEYS,
        CONTAINERS,
        common::DRY_RUN,
        flag("env", Takes::Array, "KEY=value").short('e'),
        common::FIELD_MANAGER,
        common::FILENAME,
        flag("from", Takes::Text, "Take all keys of a ConfigMap or Secret: configmap/name"),
        flag("keys", Takes::List, "Which keys of --from"),
        common::KUSTOMIZE,
        flag("list", Takes::Nothing, "Print what is there").default("false"),
        common::LOCAL,
        common::OUTPUT,
        flag("overwrite", Takes::Nothing, "What has another value may be changed").default("true"),
        flag("prefix", Takes::Text, "Put before the keys of --from"),
        common::RECORD,
        common::RECURSIVE,
        flag("resolve", Takes::Nothing, "Show what references stand for").default("false"),
        common::SELECTOR,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: env,
};

pub const RESOURCES: Verb = Verb {
    name: "set resources",
    summary: "Change requests and limits of containers",
    usage: "kubectl set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]",
    flags: &[
        common::ALL,
        common::MISSING_KEYS,
        CONTAINERS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        common::FILENAME,
        common::KUSTOMIZE,
        flag("limits", Takes::Text, "cpu=200m,memory=512Mi"),
        common::LOCAL,
        common::OUTPUT,
        common::RECORD,
        common::RECURSIVE,
        flag("requests", Takes::Text, "cpu=200m,memory=512Mi"),
        common::SELECTOR,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: resources,
};

pub const SERVICE_ACCOUNT: Verb = Verb {
    name: "set serviceaccount",
    summary: "Change the ServiceAccount of Pod templates",
    usage: "kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
    flags: PLAIN,
    run: service_account,
};

pub const SELECTOR: Verb = Verb {
    name: "set selector",
    summary: "Change the selector of Services",
    usage: "kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]",
    flags: &[
        common::ALL,
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        common::FILENAME,
        common::KUSTOMIZE,
        common::LOCAL,
        common::OUTPUT,
        common::RECORD,
        common::RECURSIVE,
        flag("resource-version", Takes::Text, "Only if the object has this resourceVersion"),
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: selector,
};

const PLAIN: &[Flag] = &[
    common::ALL,
    common::MISSING_KEYS,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::FILENAME,
    common::KUSTOMIZE,
    common::LOCAL,
    common::OUTPUT,
    common::RECORD,
    common::RECURSIVE,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
];

const CONTAINERS: Flag =
    flag("containers", Takes::Text, "Which containers; a * stands for any text").short('c').default("*");

/// Where an object keeps its Pod template's spec.
fn pod_spec(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("spec"),
        Kind::Job | Kind::ReplicaSet | Kind::Deployment => Some("spec.template.spec"),
        Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

/// What a verb of `set` does to one object: why it cannot, or what it complains of besides.
type Edit<'e> = &'e dyn Fn(&Object, &mut Value) -> Vec<Failure>;

/// Changes objects, and says so. `doing` stands in `failed to patch image update to pod template:`.
fn change(call: &mut Call<'_, '_>, objects: Vec<Rc<Object>>, done: &str, doing: &str, edit: Edit<'_>) -> Outcome {
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let local = call.parsed.on("local");
    let mut changed_all = Vec::new();
    for object in &objects {
        let mut changed = object.value().clone();
        edit(object, &mut changed).into_iter().for_each(|failure| call.note(failure));
        changed_all.push(changed);
    }
    for (object, mut changed) in objects.iter().zip(changed_all) {
        if changed == *object.value() {
            continue;
        }
        if dry_run != DryRun::Client && !local {
            let wanted = changed.clone();
            match call.update(dry_run, &object.key(), |value| *value = wanted) {
                Ok(written) => changed = written,
                Err(error) => {
                    call.note(Failure::client(format!("failed to patch {doing} {error}")));
                    continue;
                }
            }
        }
        let told = if local { DryRun::No } else { dry_run };
        if let Err(text) = call.tell(&changed, done, told) {
            call.note(Failure::Client(text));
        }
    }
    call.finish()
}

/// The objects have no Pod template.
fn no_template(object: &Object, local: bool, end: &str) -> Failure {
    let info = object.kind().info();
    let resource = if local { info.singular } else { info.plural };
    Failure::Plain(format!(
        "error: {resource}/{} the object is not a pod or does not have a pod template: *{}.{}{end}",
        object.name(),
        info.version,
        info.name
    ))
}

/// Does something with each container, init containers last. True if one was meant.
fn each_container(changed: &mut Value, path: &str, mut edit: impl FnMut(&mut Value) -> bool) -> bool {
    let mut found = false;
    for list in ["containers", "initContainers"] {
        if let Some(containers) = changed.at_mut(&format!("{path}.{list}")) {
            for container in containers.list_mut() {
                found |= edit(container);
            }
        }
    }
    found
}

/// Splits `TYPE NAME a=b c-` into objects and pairs.
fn split(args: &[String]) -> Option<(Vec<String>, Vec<String>)> {
    let (mut names, mut pairs) = (Vec::new(), Vec::new());
    for arg in args {
        match (arg.contains('=') || arg.ends_with('-'), pairs.is_empty()) {
            (true, _) => pairs.push(arg.clone()),
            (false, true) => names.push(arg.clone()),
            (false, false) => return None,
        }
    }
    Some((names, pairs))
}

fn image(call: &mut Call<'_, '_>) -> Outcome {
    common::warn_of_record(call);
    let Some((names, pairs)) = split(&call.parsed.args) else {
        let args = call.parsed.args.join(" ");
        return call.fail(&format!("all resources must be specified before image changes: {args}"));
    };
    let objects = match targets::existing_or_local(call, &names) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let images: Vec<(String, String)> =
        pairs.iter().filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    if images.is_empty() {
        return call.fail("at least one image update is required");
    }
    if images.iter().any(|(name, _)| name == "*") && images.len() > 1 {
        return call.fail(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        );
    }
    let local = call.parsed.on("local");
    change(call, objects, "image updated", "image update to pod template:", &|object, changed| {
        let Some(path) = pod_spec(object.kind()) else { return vec![no_template(object, local, "")] };
        let mut failures = Vec::new();
        for (name, image) in &images {
            let found = each_container(changed, path, |container| {
                let meant = name == "*" || container.str_at("name") == Some(name);
                if meant {
                    container.set("image", image.as_str());
                }
                meant
            });
            if !found {
                failures.push(Failure::Plain(format!("error: unable to find container named \"{name}\"")));
            }
        }
        failures
    })
}

fn chosen(pattern: &str, container: &Value) -> bool {
    let name = container.str_at("name").unwrap_or_default();
    match pattern.split_once('*') {
        None => name == pattern,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    }
}

/// Variables to set and those to remove.
type Variables = (Vec<Value>, Vec<String>);

fn variables(pairs: &[String]) -> Result<Variables, String> {
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    for pair in pairs {
        match pair.split_once('=') {
            Some((name, value)) => {
                if !is_variable(name) {
                    return Err(format!(
                        "\"{name}\" is not a valid key name: a valid environment variable name must consist of \
                         alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. \
                         'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is \
                         '[-._a-zA-Z][-._a-zA-Z0-9]*')"
                    ));
                }
                set.push(object! { "name" => name, "value" => value });
            }
            None if pair.ends_with('-') => removed.push(pair[..pair.len() - 1].to_owned()),
            None => return Err(format!("unknown environment variable: {pair}")),
        }
    }
    if set.iter().any(|v| removed.iter().any(|name| v.str_at("name") == Some(name))) {
        return Err("can not both modify and remove the same environment variable in the same command".to_owned());
    }
    Ok((set, removed))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

fn env(call: &mut Call<'_, '_>) -> Outcome {
    common::warn_of_record(call);
    let Some((names, pairs)) = split(&call.parsed.args) else {
        let args = call.parsed.args.join(" ");
        return call.fail(&format!("all resources must be specified before environment changes: {args}"));
    };
    if names.is_empty() && !call.parsed.is_set("filename") {
        return call.fail("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if call.parsed.on("list") && call.parsed.is_set("output") {
        return call.fail("--list and --output may not be specified together");
    }
    if call.parsed.is_set("keys") && !call.parsed.is_set("from") {
        return call.fail("when specifying --keys, a configmap or secret must be provided with --from");
    }
    let all: Vec<String> = call.parsed.list("env").iter().cloned().chain(pairs).collect();
    let (mut set, removed) = match variables(&all) {
        Ok(read) => read,
        Err(text) => return call.fail(&text),
    };
    match from(call) {
        Ok(more) => set.extend(more),
        Err(outcome) => return outcome,
    }
    let objects = match targets::existing_or_local(call, &names) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let pattern = call.parsed.text("containers").unwrap_or("*").to_owned();
    let local = call.parsed.on("local");
    if call.parsed.on("list") {
        for object in &objects {
            list_env(call, object, &pattern, &(set.clone(), removed.clone()));
        }
        return call.finish();
    }
    let overwrite = call.parsed.text("overwrite") != Some("false");
    for object in &objects {
        let path = pod_spec(object.kind()).unwrap_or_default();
        let mut copy = object.value().clone();
        if !path.is_empty() && !each_container(&mut copy, path, |container| chosen(&pattern, container)) {
            let text =
                format!("{}/{} does not have any containers matching \"{pattern}\"", object.kind(), object.name());
            call.io.err(&format!("Warning: {text}\n"));
        }
    }
    change(call, objects, "env updated", "env update to pod template:", &|object, changed| {
        let Some(path) = pod_spec(object.kind()) else { return vec![no_template(object, local, "\n")] };
        let mut failures = Vec::new();
        each_container(changed, path, |container| {
            if !chosen(&pattern, container) {
                return false;
            }
            let old = container.list_at("env");
            let name = |v: &Value| v.str_at("name").unwrap_or_default().to_owned();
            if let Some(taken) = set.iter().find(|v| !overwrite && old.iter().any(|o| name(o) == name(v))) {
                let resource = object.kind().info().plural;
                failures.push(Failure::Plain(format!(
                    "error: {resource}/{} '{}' already has a value ({}), and --overwrite is false\n",
                    object.name(),
                    name(taken),
                    old.iter().find(|o| name(o) == name(taken)).and_then(|o| o.str_at("value")).unwrap_or_default(),
                )));
                return true;
            }
            let env = merged(old, &set, &removed);
            if env.is_empty() {
                container.remove("env");
            } else {
                container.set("env", env);
            }
            true
        });
        failures
    })
}

/// The variables of a container after the change.
fn merged(old: &[Value], set: &[Value], removed: &[String]) -> Vec<Value> {
    let mut env: Vec<Value> =
        old.iter().filter(|v| !removed.iter().any(|name| v.str_at("name") == Some(name))).cloned().collect();
    for fresh in set {
        match env.iter_mut().find(|v| v.at("name") == fresh.at("name")) {
            Some(old) => *old = fresh.clone(),
            None => env.push(fresh.clone()),
        }
    }
    env
}

fn list_env(call: &mut Call<'_, '_>, object: &Object, pattern: &str, (set, removed): &Variables) {
    let local = call.parsed.on("local");
    let Some(path) = pod_spec(object.kind()) else { return call.note(no_template(object, local, "\n")) };
    for list in ["containers", "initContainers"] {
        for container in object.value().list_at(&format!("{path}.{list}")).iter().filter(|c| chosen(pattern, c)) {
            let name = container.str_at("name").unwrap_or_default();
            call.io.out(&format!("# {} {}, container {name}\n", object.kind(), object.name()));
            for variable in merged(container.list_at("env"), set, removed) {
                let name = variable.str_at("name").unwrap_or_default();
                let source = variable.at("valueFrom");
                let plain = if source.is_null() { variable.str_at("value").map(str::to_owned) } else { None };
                let value = plain.or_else(|| {
                    let resolves = call.parsed.on("resolve");
                    if resolves { resolved(call, object, source) } else { source.is_null().then(String::new) }
                });
                let line = match value {
                    Some(value) => format!("{name}={value}\n"),
                    None => format!("# {name} from {}\n", described(source)),
                };
                call.io.out(&line);
            }
        }
    }
}

/// What a reference is called.
fn described(source: &Value) -> String {
    let text = |path: &str| source.str_at(path).unwrap_or_default();
    match source.as_map().and_then(|map| map.keys().next()).unwrap_or_default() {
        "configMapKeyRef" => format!("configmap {}, key {}", text("configMapKeyRef.name"), text("configMapKeyRef.key")),
        "secretKeyRef" => format!("secret {}, key {}", text("secretKeyRef.name"), text("secretKeyRef.key")),
        "fieldRef" => format!("field path {}", text("fieldRef.fieldPath")),
        "resourceFieldRef" => match text("resourceFieldRef.containerName") {
            "" => format!("resource field {}", text("resourceFieldRef.resource")),
            container => format!("resource field {container}/{}", text("resourceFieldRef.resource")),
        },
        _ => "invalid valueFrom".to_owned(),
    }
}

/// What a reference stands for.
fn resolved(call: &Call<'_, '_>, object: &Object, source: &Value) -> Option<String> {
    let text = |path: &str| source.str_at(path).unwrap_or_default();
    let store = call.desk.cluster.store();
    let data = |kind: Kind, name: &str, key: &str| {
        let found = store.find(kind, call.namespace(), name)?;
        found.value().at("data").as_map()?.get(key)?.as_str().map(str::to_owned)
    };
    match source.as_map().and_then(|map| map.keys().next())? {
        "configMapKeyRef" => data(Kind::ConfigMap, text("configMapKeyRef.name"), text("configMapKeyRef.key")),
        "secretKeyRef" => {
            let encoded = data(Kind::Secret, text("secretKeyRef.name"), text("secretKeyRef.key"))?;
            let (bytes, _) = shell::base64_decode(encoded.as_bytes());
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        "fieldRef" => object.value().str_at(text("fieldRef.fieldPath")).map(str::to_owned),
        _ => None,
    }
}

/// References to all keys of `--from`.
fn from(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Outcome> {
    let Some(text) = call.parsed.text("from").map(str::to_owned) else { return Ok(Vec::new()) };
    let objects = targets::existing(call, &[text], Reading::default())?;
    if call.has_failed() {
        return Err(call.finish());
    }
    let keys = call.parsed.list("keys").to_vec();
    let prefix = call.parsed.text("prefix").unwrap_or_default().to_owned();
    let mut set = Vec::new();
    for object in objects {
        let reference = match object.kind() {
            Kind::ConfigMap => "configMapKeyRef",
            Kind::Secret => "secretKeyRef",
            _ => return Err(call.fail("unsupported resource specified in --from")),
        };
        for key in object.value().map_at("data").into_iter().flat_map(Map::keys) {
            if !keys.is_empty() && !keys.iter().any(|wanted| wanted == key) {
                continue;
            }
            let upper: String = key.to_uppercase();
            let variable: String = upper.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            if variable != key {
                call.io.err(&format!("Warning: key {key} transferred to {variable}\n"));
            }
            let from = object! { reference => object! { "key" => key, "name" => object.name() } };
            set.push(object! { "name" => format!("{prefix}{variable}"), "valueFrom" => from });
        }
    }
    Ok(set)
}

/// `cpu=200m,memory=512Mi`
///
/// # Errors
/// kubectl's words, without `error: `.
pub fn quantities(text: &str) -> Result<Map, String> {
    let mut map = Map::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        match pair.split('=').collect::<Vec<_>>().as_slice() {
            [key, value] => map.insert(*key, Quantity::parse(value).map_err(|why| why.to_string())?.to_string()),
            _ => return Err(format!("Invalid argument syntax {pair}, expected <resource>=<value>")),
        };
    }
    Ok(map)
}

fn resources(call: &mut Call<'_, '_>) -> Outcome {
    common::warn_of_record(call);
    let names = call.parsed.args.clone();
    let objects = match targets::existing_or_local(call, &names) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let text = |flag: &str| call.parsed.text(flag).unwrap_or_default().to_owned();
    let (limits, requests, pattern) = (text("limits"), text("requests"), text("containers"));
    let pattern = if pattern.is_empty() { "*".to_owned() } else { pattern };
    if limits.is_empty() && requests.is_empty() {
        return call.fail("you must specify an update to requests or limits (in the form of --requests/--limits)");
    }
    let lists = match (quantities(&limits), quantities(&requests)) {
        (Ok(limits), Ok(requests)) => [("resources.limits", limits), ("resources.requests", requests)],
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    let local = call.parsed.on("local");
    let done = "resource requirements updated";
    change(call, objects, done, "resources update to pod template", &|object, changed| {
        let Some(path) = pod_spec(object.kind()) else { return vec![no_template(object, local, "\n")] };
        let found = each_container(changed, path, |container| {
            if !chosen(&pattern, container) {
                return false;
            }
            for (path, map) in &lists {
                for (key, value) in map.iter() {
                    let mut list = container.at(path).clone();
                    list.map_mut().insert(key, value.clone());
                    container.set(path, list);
                }
            }
            true
        });
        let missing = || Failure::Plain(format!("error: unable to find container named {pattern}"));
        if found { Vec::new() } else { vec![missing()] }
    })
}

fn service_account(call: &mut Call<'_, '_>) -> Outcome {
    common::warn_of_record(call);
    let mut names = call.parsed.args.clone();
    let Some(account) = names.pop() else { return call.fail("serviceaccount is required") };
    let objects = match targets::existing_or_local(call, &names) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let local = call.parsed.on("local");
    change(call, objects, "serviceaccount updated", "ServiceAccountName", &|object, changed| {
        let Some(path) = pod_spec(object.kind()) else { return vec![no_template(object, local, "\n")] };
        if let Some(spec) = changed.at_mut(path) {
            // The old name of the same field follows.
            spec.map_mut().insert("serviceAccountName", account.as_str());
            spec.map_mut().insert("serviceAccount", account.as_str());
        }
        Vec::new()
    })
}

fn selector(call: &mut Call<'_, '_>) -> Outcome {
    common::warn_of_record(call);
    let Some((names, pairs)) = split(&call.parsed.args) else {
        let args = call.parsed.args.join(" ");
        return call.fail(&format!("all resources must be specified before selector changes: {args}"));
    };
    let objects = match targets::existing_or_local(call, &names) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if pairs.is_empty() {
        return call.fail("one selector is required");
    }
    let labels: Map = pairs.iter().flat_map(|pair| pair.split(',')).filter_map(|pair| pair.split_once('=')).collect();
    change(call, objects, "selector updated", "selector update:", &|object, changed| {
        if object.kind() != Kind::Service {
            return vec![Failure::client("setting a selector is only supported for Services")];
        }
        changed.set("spec.selector", labels.clone());
        Vec::new()
    })
}
