//! `kubectl replace`: puts whole objects in the place of others; with `--force`, deletes and creates them.
//!
//! Source: `kubectl/pkg/cmd/replace/replace.go`.

use crate::host::Desk;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::create::save_config;
use crate::kubectl::errors::{self, Failure};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::{Call, Outcome, Verb, Waiting, delete, targets};
use api::decode::decode;
use api::kind::Kind;
use api::meta::Key;
use api::status::ApiError;
use cluster::store::DeleteOptions;
use shell::{Io, Poll};
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "replace",
    summary: "Replace objects by file name or standard input",
    usage: "kubectl replace -f FILENAME",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    delete::CASCADE,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::FILENAME,
    flag("force", Takes::Nothing, "Delete the objects and create them anew").default("false"),
    delete::GRACE_PERIOD,
    common::KUSTOMIZE,
    common::OUTPUT,
    flag("raw", Takes::Text, "An address of the API to which the document is sent"),
    common::RECURSIVE,
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    flag("subresource", Takes::Text, "status or scale"),
    common::TEMPLATE,
    flag("timeout", Takes::Duration, "How long to wait for the deletion").default("0s"),
    common::VALIDATE,
    flag("wait", Takes::Nothing, "Wait until the objects are gone").default("false"),
];

/// Objects that were deleted and are created as soon as they are gone.
#[derive(Clone, Debug)]
pub struct Replacing {
    deletion: delete::Deletion,
    objects: Vec<(Value, String)>,
    /// Said of those that were created.
    how: &'static str,
    /// What became of the rest of the work.
    exit: i32,
}

impl Replacing {
    /// `gone` was deleted; `objects`, with the sources they come from, take its place.
    pub fn new(gone: Vec<(Key, String)>, objects: Vec<(Value, String)>, how: &'static str, exit: i32) -> Replacing {
        Replacing { deletion: delete::Deletion::new(gone), objects, how, exit }
    }

    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        match self.deletion.poll(desk, io) {
            Poll::Exit(0) => {}
            other => return other,
        }
        let mut exit = self.exit;
        for (object, source) in std::mem::take(&mut self.objects) {
            let name = common::name_of(&object);
            match desk.cluster.api("user", |api| api.create(object)) {
                Ok(_) => io.out(&format!("{name} {}\n", self.how)),
                Err(error) => {
                    let doing = format!("error when creating \"{source}\"");
                    io.err(&format!("{}\n", errors::render(&error, Some(&doing))));
                    exit = 1;
                }
            }
        }
        Poll::Exit(exit)
    }
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.is_set("filename") && !call.parsed.is_set("kustomize") {
        return call.fail("must specify one of -f and -k");
    }
    if call.parsed.is_set("grace-period") && !call.parsed.on("force") {
        return call.fail("--grace-period must have --force specified");
    }
    let (dry_run, validation) = match (call.dry_run(), call.validation()) {
        (Ok(dry_run), Ok(validation)) => (dry_run, validation),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    let sources = match read_files(call) {
        Ok(sources) => sources,
        Err(failures) => return call.end(&failures),
    };
    let mut objects = Vec::new();
    for source in sources {
        for document in &source.documents {
            match decode(document, validation) {
                Ok(mut decoded) => {
                    decoded.warnings.iter().for_each(|text| call.io.err(&format!("Warning: {text}\n")));
                    let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
                        call.note(Failure::client(format!("{} is known here, but not simulated", decoded.kind)));
                        continue;
                    };
                    if kind.info().namespaced {
                        if let Some(failure) = targets::contradicts(call, &decoded.object) {
                            call.note(failure);
                            continue;
                        }
                        decoded.object.set_default("metadata.namespace", call.namespace());
                    }
                    if decoded.object.str_at("metadata.name").unwrap_or_default().is_empty() {
                        let text =
                            format!("error when replacing \"{}\": resource name may not be empty", source.source);
                        call.note(Failure::Plain(format!("error: {text}")));
                        continue;
                    }
                    objects.push((decoded.object, source.source.clone()));
                }
                Err(refusal) => call.note(Failure::Plain(refusal.kubectl(&source.source, "replacing"))),
            }
        }
        source.failures.into_iter().for_each(|failure| call.note(failure));
    }
    if objects.is_empty() && !call.has_failed() {
        call.note(Failure::client("no objects passed to replace"));
    }
    if call.parsed.on("force") && !call.has_failed() && dry_run == DryRun::No {
        return force(call, objects);
    }
    for (object, source) in objects {
        if let Err(failure) = replace_one(call, object, &source, dry_run) {
            call.note(failure);
        }
    }
    call.finish()
}

fn key_of(object: &Value) -> Key {
    let text = |path: &str| object.str_at(path).unwrap_or_default();
    let kind = Kind::find(text("apiVersion"), text("kind")).unwrap_or(Kind::Pod);
    Key::new(kind, text("metadata.namespace"), text("metadata.name"))
}

/// The document is of an object that was there before this one.
fn other_object(call: &Call<'_, '_>, key: &Key, object: &Value) -> Option<ApiError> {
    let given = object.str_at("metadata.uid").filter(|uid| !uid.is_empty())?;
    let live = call.desk.cluster.store().get(key).filter(|live| live.uid() != given)?;
    let info = key.kind.info();
    let place = if info.namespaced { format!("{}/{}", key.namespace, key.name) } else { key.name.to_string() };
    let message = format!(
        "Operation cannot be fulfilled on {} \"{}\": StorageError: invalid object, Code: 4, Key: /registry/{}/{place}, \
         ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {}",
        info.resource(),
        key.name,
        info.plural,
        live.uid()
    );
    Some(ApiError { message, ..ApiError::conflict(key.kind, &key.name) })
}

fn replace_one(call: &mut Call<'_, '_>, mut object: Value, source: &str, dry_run: DryRun) -> Result<(), Failure> {
    let key = key_of(&object);
    if call.parsed.on("save-config") {
        save_config(&mut object);
    }
    let written = match dry_run {
        DryRun::Client => object,
        _ => {
            if let Some(error) = other_object(call, &key, &object) {
                return Err(Failure::Server(error, Some(format!("error when replacing \"{source}\""))));
            }
            let replaced = call.update(dry_run, &key, |value| {
                let status = value.at("status").clone();
                *value = object;
                value.set("status", status);
            });
            replaced.map_err(|error| Failure::Server(error, Some(format!("error when replacing \"{source}\""))))?
        }
    };
    call.tell(&written, "replaced", dry_run).map_err(Failure::Client)
}

fn force(call: &mut Call<'_, '_>, objects: Vec<(Value, String)>) -> Outcome {
    let options = match delete::delete_options(call) {
        Ok(options) => options,
        Err(text) => return call.fail(&text),
    };
    // Here `--force` means to delete at all; Pods get their own grace period unless one is given.
    let grace = options.grace_period_seconds.filter(|_| call.parsed.is_set("grace-period"));
    let options = DeleteOptions { grace_period_seconds: grace, ..options };
    let mut gone = Vec::new();
    // Nothing is told of the force: it is what was asked for.
    let told = DeleteOptions { grace_period_seconds: None, ..options.clone() };
    for (object, _) in &objects {
        let key = key_of(object);
        let Some(uid) = call.desk.cluster.store().get(&key).map(|o| o.uid().to_owned()) else { continue };
        match call.desk.cluster.api("user", |api| api.delete(&key, &options)) {
            Ok(()) => {
                call.io.out(&delete::said(&key, &told));
                gone.push((key, uid));
            }
            Err(error) => return call.refuse(&error),
        }
    }
    Outcome::Waits(Waiting::Replace(Replacing::new(gone, objects, "replaced", 0)))
}
