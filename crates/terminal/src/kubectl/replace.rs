//! `kubectl replace`: puts whole objects in the place of others; with `--force`, deletes and creates them.
//!
//! Source: `kubectl/pkg/cmd/replace/replace.go`.

use crate::host::Desk;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::{Call, Outcome, Verb, Waiting, delete, errors};
use api::decode::decode;
use api::kind::Kind;
use api::meta::Key;
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
    flag("timeout", Takes::Text, "How long to wait for the deletion").default("0s"),
    common::VALIDATE,
    flag("wait", Takes::Nothing, "Wait until the objects are gone").default("false"),
];

/// Objects that were deleted and are created as soon as they are gone.
#[derive(Clone, Debug)]
pub struct Replacing {
    deletion: delete::Deletion,
    objects: Vec<(Value, String)>,
}

impl Replacing {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        match self.deletion.poll(desk, io) {
            Poll::Exit(0) => {}
            other => return other,
        }
        let mut exit = 0;
        for (object, source) in std::mem::take(&mut self.objects) {
            let name = common::name_of(&object);
            match desk.cluster.api("user", |api| api.create(object)) {
                Ok(_) => io.out(&format!("{name} replaced\n")),
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
    if call.parsed.list("filename").is_empty() {
        return call.misused("Must specify --filename to replace");
    }
    if call.parsed.is_set("grace-period") && !call.parsed.on("force") {
        return call.fail("--grace-period must have --force specified");
    }
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let sources = match read_files(call) {
        Ok(sources) => sources,
        Err(line) => return call.fail_line(&line),
    };
    let (validation, mut objects, mut failures) = (call.validation(), Vec::new(), Vec::new());
    for source in &sources {
        for document in &source.documents {
            match decode(document, validation) {
                Ok(mut decoded) => {
                    let kind = Kind::find(&decoded.api_version, &decoded.kind);
                    let Some(kind) = kind else {
                        failures.push(format!("error: {} is known here, but not simulated", decoded.kind));
                        continue;
                    };
                    if kind.info().namespaced {
                        decoded.object.set_default("metadata.namespace", call.namespace());
                    }
                    objects.push((decoded.object, source.source.clone()));
                }
                Err(refusal) => failures.push(refusal.kubectl(&source.source, "replacing")),
            }
        }
        failures.extend(source.error.clone());
    }
    if objects.is_empty() && failures.is_empty() {
        failures.push("error: no objects passed to replace".to_owned());
    }
    if call.parsed.on("force") && failures.is_empty() && dry_run == DryRun::No {
        return force(call, objects);
    }
    for (object, source) in objects {
        if let Err(line) = replace_one(call, object, &source, dry_run) {
            failures.push(line);
        }
    }
    failures.iter().for_each(|line| call.io.err(&format!("{line}\n")));
    Outcome::Exit(i32::from(!failures.is_empty()))
}

fn key_of(object: &Value) -> Key {
    let text = |path: &str| object.str_at(path).unwrap_or_default();
    let kind = Kind::find(text("apiVersion"), text("kind")).unwrap_or(Kind::Pod);
    Key::new(kind, text("metadata.namespace"), text("metadata.name"))
}

fn replace_one(call: &mut Call<'_, '_>, object: Value, source: &str, dry_run: DryRun) -> Result<(), String> {
    let key = key_of(&object);
    let written = match dry_run {
        DryRun::Client => object,
        _ => {
            let replaced = call.write(dry_run, |api| {
                api.update(&key, |value| {
                    let status = value.at("status").clone();
                    *value = object;
                    value.set("status", status);
                })
            });
            let doing = format!("error when replacing \"{source}\"");
            replaced.map_err(|error| errors::render(&error, Some(&doing)))?.value().clone()
        }
    };
    call.tell(&written, "replaced", dry_run).map_err(|text| format!("error: {text}"))
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
    for (object, _) in &objects {
        let key = key_of(object);
        let Some(uid) = call.desk.cluster.store().get(&key).map(|o| o.uid().to_owned()) else { continue };
        match call.desk.cluster.api("user", |api| api.delete(&key, &options)) {
            Ok(()) => {
                call.io.out(&delete::said(&key, &options));
                gone.push((key, uid));
            }
            Err(error) => return call.refuse(&error),
        }
    }
    Outcome::Waits(Waiting::Replace(Replacing { deletion: delete::Deletion::new(gone), objects }))
}
