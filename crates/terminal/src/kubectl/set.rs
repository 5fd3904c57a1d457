//! `kubectl set image|env|resources`: changes containers in Pod templates.
//!
//! Source: `kubectl/pkg/cmd/set/set_{image,env,resources}.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, help};
use api::kind::Kind;
use api::object::Object;
use values::object;
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
        common::RECURSIVE,
        flag("requests", Takes::Text, "cpu=200m,memory=512Mi"),
        common::SELECTOR,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: resources,
};

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

/// What is done with the containers of one Pod spec. True if one was found.
type Edit<'e> = &'e dyn Fn(&mut Value) -> bool;

/// How a verb of `set` speaks.
struct Words {
    /// `image updated`
    done: &'static str,
    /// `image update`
    doing: &'static str,
    /// Said if no container was found.
    none_found: String,
}

fn change(call: &mut Call<'_, '_>, names: &[String], words: &Words, edit: Edit<'_>) -> Outcome {
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (objects, mut failed) = match targets::existing(call, names, Reading { bare_type_is_all: false }) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    for object in objects {
        failed |= !change_one(call, &object, words, edit, dry_run);
    }
    Outcome::Exit(i32::from(failed))
}

fn change_one(call: &mut Call<'_, '_>, object: &Object, words: &Words, edit: Edit<'_>, dry_run: DryRun) -> bool {
    let Some(path) = pod_spec(object.kind()) else {
        let name = common::name_of(object.value());
        call.fail(&format!("{name} the object is not a pod or does not have a pod template: {}", object.kind()));
        return false;
    };
    let mut changed = object.value().clone();
    let mut found = false;
    for list in ["initContainers", "containers"] {
        if let Some(containers) = changed.at_mut(&format!("{path}.{list}")) {
            for container in containers.list_mut() {
                found |= edit(container);
            }
        }
    }
    if !found {
        call.fail(&words.none_found);
        return false;
    }
    if changed == *object.value() {
        return true;
    }
    if dry_run != DryRun::Client {
        let wanted = changed.clone();
        match call.write(dry_run, |api| api.update(&object.key(), |value| *value = wanted)) {
            Ok(written) => changed = written.value().clone(),
            Err(error) => {
                call.fail(&format!("failed to patch {} to pod template: {error}", words.doing));
                return false;
            }
        }
    }
    match call.tell(&changed, words.done, dry_run) {
        Ok(()) => true,
        Err(text) => {
            call.fail(&text);
            false
        }
    }
}

/// Splits `TYPE NAME a=b c-` into objects and pairs.
fn split(args: &[String], removals: bool) -> (Vec<String>, Vec<String>) {
    let is_pair = |(i, arg): &(usize, &String)| arg.contains('=') || (removals && *i > 0 && arg.ends_with('-'));
    let (pairs, names): (Vec<_>, Vec<_>) = args.iter().enumerate().partition(is_pair);
    let texts = |list: Vec<(usize, &String)>| list.into_iter().map(|(_, arg)| arg.clone()).collect();
    (texts(names), texts(pairs))
}

fn image(call: &mut Call<'_, '_>) -> Outcome {
    let (names, pairs) = split(&call.parsed.args, false);
    if pairs.is_empty() {
        return call.fail("at least one image update is required");
    }
    let images: Vec<(String, String)> =
        pairs.iter().filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    if images.iter().any(|(name, _)| name == "*") && images.len() > 1 {
        return call.fail(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        );
    }
    let words = Words {
        done: "image updated",
        doing: "image update",
        none_found: format!("unable to find container named \"{}\"", images.first().map_or("", |(name, _)| name)),
    };
    change(call, &names, &words, &|container| {
        let own = container.str_at("name").unwrap_or_default().to_owned();
        let Some((_, image)) = images.iter().find(|(name, _)| *name == own || name == "*") else { return false };
        container.set("image", image.as_str());
        true
    })
}

fn chosen(pattern: &str, container: &Value) -> bool {
    let name = container.str_at("name").unwrap_or_default();
    match pattern.split_once('*') {
        None => name == pattern,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    }
}

fn env(call: &mut Call<'_, '_>) -> Outcome {
    let (names, mut pairs) = split(&call.parsed.args, true);
    pairs.extend(call.parsed.list("env").iter().cloned());
    let pattern = call.parsed.text("containers").unwrap_or("*").to_owned();
    if call.parsed.on("list") {
        return list_env(call, &names);
    }
    let mut set: Vec<Value> = match from(call) {
        Ok(set) => set,
        Err(outcome) => return outcome,
    };
    let mut removed = Vec::new();
    for pair in &pairs {
        match pair.split_once('=') {
            Some((name, value)) => set.push(object! { "name" => name, "value" => value }),
            None => removed.push(pair.trim_end_matches('-').to_owned()),
        }
    }
    if set.is_empty() && removed.is_empty() {
        return call.fail("at least one environment variable must be provided");
    }
    let words = Words {
        done: "env updated",
        doing: "env update",
        none_found: format!("does not have any containers matching \"{pattern}\""),
    };
    change(call, &names, &words, &|container| {
        if !chosen(&pattern, container) {
            return false;
        }
        let mut env: Vec<Value> = container.list_at("env").to_vec();
        env.retain(|e| !removed.iter().any(|name| e.str_at("name") == Some(name)));
        for fresh in &set {
            match env.iter_mut().find(|e| e.at("name") == fresh.at("name")) {
                Some(old) => *old = fresh.clone(),
                None => env.push(fresh.clone()),
            }
        }
        if env.is_empty() {
            container.remove("env");
        } else {
            container.set("env", env);
        }
        true
    })
}

fn list_env(call: &mut Call<'_, '_>, names: &[String]) -> Outcome {
    let (objects, failed) = match targets::existing(call, names, Reading { bare_type_is_all: false }) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    for object in objects {
        let path = pod_spec(object.kind()).unwrap_or("spec");
        for container in object.value().list_at(&format!("{path}.containers")) {
            let resource = object.kind().info().plural;
            let name = container.str_at("name").unwrap_or_default();
            call.io.out(&format!("# {resource} {}, container {name}\n", object.name()));
            for variable in container.list_at("env") {
                let name = variable.str_at("name").unwrap_or_default();
                let line = match variable.at("valueFrom") {
                    Value::Null => format!("{name}={}\n", variable.str_at("value").unwrap_or_default()),
                    _ => format!("# {name} from a reference\n"),
                };
                call.io.out(&line);
            }
        }
    }
    Outcome::Exit(i32::from(failed))
}

/// References to all keys of `--from`.
fn from(call: &mut Call<'_, '_>) -> Result<Vec<Value>, Outcome> {
    let Some(text) = call.parsed.text("from").map(str::to_owned) else { return Ok(Vec::new()) };
    let (objects, failed) =
        targets::existing(call, &[text], Reading { bare_type_is_all: false }).map_err(|line| call.fail_line(&line))?;
    if failed {
        return Err(Outcome::Exit(1));
    }
    let (keys, prefix) = (call.parsed.list("keys"), call.parsed.text("prefix").unwrap_or_default());
    let mut set = Vec::new();
    for object in objects {
        let reference = match object.kind() {
            Kind::ConfigMap => "configMapKeyRef",
            Kind::Secret => "secretKeyRef",
            kind => return Err(call.fail(&format!("unsupported resource specified in --from: {kind}"))),
        };
        for key in object.value().map_at("data").into_iter().flat_map(Map::keys) {
            if keys.is_empty() || keys.iter().any(|k| k == key) {
                let variable = format!("{prefix}{}", key.to_uppercase().replace(['-', '.'], "_"));
                let from = object! { reference => object! { "key" => key, "name" => object.name() } };
                set.push(object! { "name" => variable, "valueFrom" => from });
            }
        }
    }
    Ok(set)
}

fn resources(call: &mut Call<'_, '_>) -> Outcome {
    let pattern = call.parsed.text("containers").unwrap_or("*").to_owned();
    let mut lists: Vec<(&'static str, Map)> = Vec::new();
    for (name, path) in [("limits", "resources.limits"), ("requests", "resources.requests")] {
        let mut map = Map::new();
        for pair in call.parsed.text(name).unwrap_or_default().split(',').filter(|p| !p.is_empty()) {
            match pair.split_once('=') {
                Some((key, value)) => map.insert(key, value),
                None => return call.fail(&format!("Invalid argument syntax {pair}, expected <resource>=<value>")),
            };
        }
        lists.push((path, map));
    }
    if lists.iter().all(|(_, map)| map.is_empty()) {
        return call.fail("you must specify an update to requests or limits (in the form of --requests/--limits)");
    }
    let words = Words {
        done: "resource requirements updated",
        doing: "resources update",
        none_found: format!("unable to find container named {pattern}"),
    };
    let names = call.parsed.args.clone();
    change(call, &names, &words, &|container| {
        if !chosen(&pattern, container) {
            return false;
        }
        for (path, map) in &lists {
            map.iter().for_each(|(key, value)| {
                let mut list = container.at(path).clone();
                list.map_mut().insert(key, value.clone());
                container.set(path, list);
            });
        }
        true
    })
}
