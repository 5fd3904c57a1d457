//! `kubectl create`: objects from files, or of one kind from flags.
//!
//! Source: `kubectl/pkg/cmd/create`.

mod access;
pub mod configmap;
mod policy;
mod secret;
pub mod service;
pub mod simple;
pub mod workload;

use crate::kubectl::apply::{LAST_APPLIED, with_last_applied};
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::{Call, Outcome, Verb, targets};
use crate::printing::json;
use api::decode::{FieldValidation, decode};
use api::kind::Kind;
use api::selector::Labels;
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
    if !call.parsed.is_set("filename") && !call.parsed.is_set("kustomize") {
        let args = call.parsed.args.join(" ");
        return match args.is_empty() {
            true => call.fail("must specify one of -f and -k"),
            false => call.misused(&format!("Unexpected args: [{args}]")),
        };
    }
    if !call.parsed.args.is_empty() {
        let args = call.parsed.args.join(" ");
        return call.misused(&format!("Unexpected args: [{args}]"));
    }
    let (dry_run, validation) = match (call.dry_run(), call.validation()) {
        (Ok(dry_run), Ok(validation)) => (dry_run, validation),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    if let Some(address) = call.parsed.text("raw").map(str::to_owned) {
        return raw(call, &address);
    }
    let labels = match call.parsed.text("selector").map(Labels::parse).transpose() {
        Ok(labels) => labels,
        Err(text) => return call.fail(&text),
    };
    let sources = match read_files(call) {
        Ok(sources) => sources,
        Err(failures) => return call.end(&failures),
    };
    // On the client nothing is sent, so nobody looks at the fields.
    let validation = if dry_run == DryRun::Client { FieldValidation::Ignore } else { validation };
    let mut count = 0;
    for source in sources {
        call.desk.cluster.send_from(source.origin());
        for document in &source.documents {
            match decode(document, validation) {
                Ok(decoded) => {
                    let own = decoded.object.at("metadata.labels").decode().unwrap_or_default();
                    if labels.as_ref().is_some_and(|labels| !labels.matches(&own)) {
                        continue;
                    }
                    count += 1;
                    decoded.warnings.iter().for_each(|w| call.io.err(&format!("Warning: {w}\n")));
                    if let Err(failure) = create_one(call, document, decoded.object, &source.source, dry_run) {
                        call.note(failure);
                    }
                }
                Err(refusal) => call.note(Failure::Plain(refusal.kubectl(&source.source, "creating"))),
            }
        }
        source.failures.into_iter().for_each(|failure| call.note(failure));
    }
    call.desk.cluster.send_from(None);
    if count == 0 && !call.has_failed() {
        return call.fail("no objects passed to create");
    }
    call.finish()
}

fn create_one(
    call: &mut Call<'_, '_>,
    document: &Value,
    mut object: Value,
    source: &str,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let (version, name) = (object.str_at("apiVersion").unwrap_or_default(), object.str_at("kind").unwrap_or_default());
    let Some(kind) = Kind::find(version, name) else {
        return Err(Failure::client(format!("{version} {name} is known here, but not simulated")));
    };
    if kind.info().namespaced {
        if let Some(failure) = targets::contradicts(call, &object) {
            return Err(failure);
        }
        object.set_default("metadata.namespace", call.namespace());
    }
    if call.parsed.on("save-config") {
        let namespace = object.str_at("metadata.namespace").unwrap_or("default").to_owned();
        let annotations = with_last_applied(document, kind, &namespace).at("metadata.annotations").clone();
        object.set("metadata.annotations", annotations);
    }
    let made = match dry_run {
        DryRun::Client => sent(document, call.namespace(), kind),
        _ => {
            let doing = format!("error when creating \"{source}\"");
            call.create(dry_run, object).map_err(|error| Failure::Server(error, Some(doing)))?
        }
    };
    call.tell(&made, "created", dry_run).map_err(Failure::Client)
}

/// A document as it would be sent: what is wrong in it stays.
pub fn sent(document: &Value, namespace: &str, kind: Kind) -> Value {
    let mut sent = document.clone();
    if kind.info().namespaced {
        sent.set_default("metadata.namespace", namespace);
    }
    sent
}

/// `--raw`: the one address that the recordings use is a Pod's eviction.
fn raw(call: &mut Call<'_, '_>, address: &str) -> Outcome {
    let parts: Vec<&str> = address.trim_matches('/').split('/').collect();
    let ["api", "v1", "namespaces", namespace, "pods", pod, "eviction"] = parts.as_slice() else {
        return call.fail_line("Error from server (NotFound): the server could not find the requested resource");
    };
    let key = api::meta::Key::new(Kind::Pod, namespace, pod);
    if let Err(failures) = read_files(call) {
        return call.end(&failures);
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
    if let Err(text) = common::format(call) {
        return call.fail(&text);
    }
    let text = |path: &str| object.str_at(path).unwrap_or_default().to_owned();
    let (version, name) = (text("apiVersion"), text("kind"));
    let kind = Kind::find(&version, &name);
    if call.parsed.on("save-config") {
        save_config(&mut object);
    }
    let namespaced =
        kind.is_none_or(|kind| kind.info().namespaced) && name != "ClusterRole" && name != "ClusterRoleBinding";
    let given = call.parsed.text("namespace").is_some_and(|text| !text.is_empty());
    if namespaced && (given || dry_run != DryRun::Client) {
        object.set("metadata.namespace", call.namespace());
    }
    let made = match (dry_run, kind) {
        (DryRun::Client, _) => object,
        (_, None) => {
            let text = format!("{version} {name} is known here, but not simulated");
            return call.fail(&text);
        }
        (_, Some(_)) => {
            let object = decode(&object, FieldValidation::Ignore).map_or(object, |decoded| decoded.object);
            match call.create(dry_run, object) {
                Ok(object) => object,
                Err(error) => {
                    return match failing {
                        Some(failing) => call.fail(&format!("{failing} {error}")),
                        None => call.refuse(&error),
                    };
                }
            }
        }
    };
    match call.tell_struct(&made, how, dry_run) {
        Ok(()) => Outcome::Exit(0),
        Err(text) => call.fail(&text),
    }
}

/// `--save-config`: notes the object, as Go's struct is written, in the annotation that `apply` reads.
pub fn save_config(object: &mut Value) {
    let text = format!("{}\n", json::line_of_struct(object));
    let mut annotations = object.at("metadata.annotations").clone();
    annotations.map_mut().insert(LAST_APPLIED, text);
    object.set("metadata.annotations", annotations);
}

/// The one name that `create KIND NAME` takes.
///
/// # Errors
/// The complaint was printed.
pub fn one_name(call: &mut Call<'_, '_>) -> Result<String, Outcome> {
    match call.parsed.args.as_slice() {
        [name] if call.parsed.dash_at.is_none_or(|at| at == 1) => Ok(name.clone()),
        args => {
            let count = call.parsed.dash_at.unwrap_or(args.len());
            Err(call.misused(&format!("exactly one NAME is required, got {count}")))
        }
    }
}

pub use access::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING, TOKEN};
pub use policy::{DISRUPTION_BUDGET, INGRESS};
pub use secret::{DOCKER_REGISTRY, TLS};

/// Flags of every verb that creates one object.
pub const PLAIN: [Flag; 8] = [
    common::MISSING_KEYS,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::OUTPUT,
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    common::VALIDATE,
];

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
