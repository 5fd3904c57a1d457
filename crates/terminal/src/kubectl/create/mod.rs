//! `kubectl create`: objects from files, or of one kind from flags.
//!
//! Source: `kubectl/pkg/cmd/create`.

pub mod configmap;
pub mod service;
pub mod simple;
pub mod workload;

use crate::kubectl::apply::with_last_applied;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::{Call, Outcome, Verb, errors, help};
use api::decode::{FieldValidation, decode};
use api::kind::Kind;
use values::object;
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "create",
    summary: "Create objects from files, or of a kind from flags",
    usage: "kubectl create -f FILENAME",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    common::DRY_RUN,
    flag("edit", Takes::Nothing, "Edit the object before it is made; not simulated").default("false"),
    common::FIELD_MANAGER,
    common::FILENAME,
    common::KUSTOMIZE,
    common::OUTPUT,
    flag("raw", Takes::Text, "An address of the API to which the document is sent"),
    common::RECURSIVE,
    common::SAVE_CONFIG,
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    common::VALIDATE,
    flag("windows-line-endings", Takes::Nothing, "Line ends of --edit").default("false"),
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if call.parsed.list("filename").is_empty() {
        call.io.err("Error: must specify one of -f and -k\n\n");
        return help::needs_subcommand(call);
    }
    if !call.parsed.args.is_empty() {
        let args = call.parsed.args.join(" ");
        return call.misused(&format!("unknown command \"{args}\""));
    }
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    if let Some(address) = call.parsed.text("raw").map(str::to_owned) {
        return raw(call, &address);
    }
    from_files(call, dry_run)
}

fn from_files(call: &mut Call<'_, '_>, dry_run: DryRun) -> Outcome {
    let sources = match read_files(call) {
        Ok(sources) => sources,
        Err(line) => return call.fail_line(&line),
    };
    let validation = call.validation();
    let (mut failures, mut made) = (Vec::new(), 0);
    for source in &sources {
        call.desk.cluster.send_from(source.origin());
        for document in &source.documents {
            match decode(document, validation) {
                Ok(decoded) => {
                    decoded.warnings.iter().for_each(|w| call.io.err(&format!("Warning: {w}\n")));
                    made += 1;
                    if let Err(text) = create_one(call, document, decoded.object, &source.source, dry_run) {
                        failures.push(text);
                    }
                }
                Err(refusal) => failures.push(refusal.kubectl(&source.source, "creating")),
            }
        }
        failures.extend(source.error.clone());
    }
    call.desk.cluster.send_from(None);
    if made == 0 && failures.is_empty() {
        failures.push("error: no objects passed to create".to_owned());
    }
    failures.iter().for_each(|line| call.io.err(&format!("{line}\n")));
    Outcome::Exit(i32::from(!failures.is_empty()))
}

fn create_one(
    call: &mut Call<'_, '_>,
    document: &Value,
    mut object: Value,
    source: &str,
    dry_run: DryRun,
) -> Result<(), String> {
    let (version, name) = (object.str_at("apiVersion").unwrap_or_default(), object.str_at("kind").unwrap_or_default());
    let Some(kind) = Kind::find(version, name) else {
        return Err(format!("error: {version} {name} is known here, but not simulated"));
    };
    if kind.info().namespaced {
        let own = object.str_at("metadata.namespace").unwrap_or_default();
        if !own.is_empty() && call.parsed.is_set("namespace") && own != call.namespace() {
            return Err(format!(
                "error: the namespace from the provided object \"{own}\" does not match the namespace \"{}\". You must \
                 pass '--namespace={own}' to perform this operation.",
                call.namespace()
            ));
        }
        object.set_default("metadata.namespace", call.namespace());
    }
    if call.parsed.on("save-config") {
        let namespace = object.str_at("metadata.namespace").unwrap_or("default").to_owned();
        object.set(
            "metadata.annotations",
            with_last_applied(document, kind, &namespace).at("metadata.annotations").clone(),
        );
    }
    let made = match dry_run {
        DryRun::Client => object,
        _ => match call.write(dry_run, |api| api.create(object)) {
            Ok(object) => object.value().clone(),
            Err(error) => return Err(errors::render(&error, Some(&format!("error when creating \"{source}\"")))),
        },
    };
    call.tell(&made, "created", dry_run).map_err(|text| format!("error: {text}"))
}

/// `--raw`: the one address that the recordings use is a Pod's eviction.
fn raw(call: &mut Call<'_, '_>, address: &str) -> Outcome {
    let parts: Vec<&str> = address.trim_matches('/').split('/').collect();
    let ["api", "v1", "namespaces", namespace, "pods", pod, "eviction"] = parts.as_slice() else {
        return call.fail_line("Error from server (NotFound): the server could not find the requested resource");
    };
    let key = api::meta::Key::new(Kind::Pod, namespace, pod);
    if let Err(line) = read_files(call) {
        return call.fail_line(&line);
    }
    match call.desk.cluster.api("user", |api| api.evict(&key)) {
        Ok(()) => {
            call.io.out(
                "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n",
            );
            Outcome::Exit(0)
        }
        Err(error) => call.refuse(&error),
    }
}

/// How an object that was made of flags is created. `failing` is such as `failed to create job:`; without it the server's
/// answer is printed as it is.
pub fn create_made(call: &mut Call<'_, '_>, object: Value, failing: Option<&str>) -> Outcome {
    create_as(call, object, failing, "created")
}

/// As [`create_made`], with another word for what was done.
pub fn create_as(call: &mut Call<'_, '_>, mut object: Value, failing: Option<&str>, how: &str) -> Outcome {
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (version, name) = (object.str_at("apiVersion").unwrap_or_default(), object.str_at("kind").unwrap_or_default());
    let kind = Kind::find(version, name);
    let namespaced = kind.is_some_and(|kind| kind.info().namespaced);
    if namespaced && (call.parsed.is_set("namespace") || dry_run != DryRun::Client) {
        object.set("metadata.namespace", call.namespace());
    }
    if call.parsed.on("save-config")
        && let Some(kind) = kind
    {
        let document = object.clone();
        let namespace = call.namespace().to_owned();
        object.set(
            "metadata.annotations",
            with_last_applied(&document, kind, &namespace).at("metadata.annotations").clone(),
        );
    }
    let made = match dry_run {
        DryRun::Client => object,
        _ => {
            let object = decode(&object, FieldValidation::Ignore).map_or(object, |decoded| decoded.object);
            match call.write(dry_run, |api| api.create(object)) {
                Ok(object) => object.value().clone(),
                Err(error) => {
                    return match failing {
                        Some(failing) => call.fail(&format!("{failing} {error}")),
                        None => call.refuse(&error),
                    };
                }
            }
        }
    };
    match call.tell(&made, how, dry_run) {
        Ok(()) => Outcome::Exit(0),
        Err(text) => call.fail(&text),
    }
}

/// The one name that `create KIND NAME` takes.
///
/// # Errors
/// The complaint was printed.
pub fn one_name(call: &mut Call<'_, '_>) -> Result<String, Outcome> {
    match call.parsed.args.as_slice() {
        [name] => Ok(name.clone()),
        args => {
            let count = args.len();
            Err(call.misused(&format!("exactly one NAME is required, got {count}")))
        }
    }
}

/// The texts of required flags.
///
/// # Errors
/// The complaint was printed.
pub fn required(call: &mut Call<'_, '_>, names: &[&str]) -> Result<(), Outcome> {
    let missing: Vec<String> =
        names.iter().filter(|name| !call.parsed.is_set(name)).map(|name| format!("\"{name}\"")).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(call.fail(&format!("required flag(s) {} not set", missing.join(", ")))),
    }
}

/// An object with its name, and nothing else yet.
pub fn bare(version: &str, kind: &str, name: &str) -> Value {
    object! { "apiVersion" => version, "kind" => kind, "metadata" => object! { "name" => name } }
}
