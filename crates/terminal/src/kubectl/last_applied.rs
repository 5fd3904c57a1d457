//! `kubectl apply view-last-applied|set-last-applied|edit-last-applied`: the annotation that holds the last apply.
//!
//! Source: `kubectl/pkg/cmd/apply/apply_{view,set,edit}_last_applied.go`.

use crate::kubectl::apply::{LAST_APPLIED, with_last_applied};
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
use crate::printing::json;
use api::decode::{FieldValidation, decode_for_apply};
use api::kind::Kind;
use api::meta::Key;
use values::value::Value;

pub const VIEW: Verb = Verb {
    name: "apply view-last-applied",
    summary: "Show what was last applied to an object",
    usage: "kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    flags: &[
        common::ALL,
        common::FILENAME,
        common::KUSTOMIZE,
        flag("output", Takes::Text, "yaml or json").short('o').default("yaml"),
        common::RECURSIVE,
        common::SELECTOR,
    ],
    run: view,
};

pub const SET: Verb = Verb {
    name: "apply set-last-applied",
    summary: "Note a file as what was last applied",
    usage: "kubectl apply set-last-applied -f FILENAME",
    flags: &[
        common::MISSING_KEYS,
        flag("create-annotation", Takes::Nothing, "Make the annotation if there is none").default("false"),
        common::DRY_RUN,
        common::FILENAME,
        common::KUSTOMIZE,
        common::OUTPUT,
        common::RECURSIVE,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: set,
};

pub const EDIT: Verb = Verb {
    name: "apply edit-last-applied",
    summary: "Not simulated: use view-last-applied and set-last-applied",
    usage: "kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME)",
    flags: &[common::FILENAME, common::KUSTOMIZE, common::RECURSIVE],
    run: |call| {
        let args = call.parsed.args.clone();
        match targets::existing(call, &args, Reading::default()) {
            Ok(_) if call.has_failed() => call.finish(),
            Ok(_) => call.fail("edit-last-applied is not simulated: use view-last-applied and set-last-applied"),
            Err(outcome) => outcome,
        }
    },
};

fn view(call: &mut Call<'_, '_>) -> Outcome {
    let output = call.parsed.text("output").unwrap_or("yaml").to_owned();
    if !matches!(output.as_str(), "yaml" | "json" | "") {
        return call
            .misused(&format!("Unexpected -o output mode: {output}, the flag 'output' must be one of yaml|json"));
    }
    let args = call.parsed.args.clone();
    let objects = match targets::existing(call, &args, Reading { bare_type_is_all: true, ..Reading::default() }) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    for object in objects {
        let noted = object.value().at_keys(["metadata", "annotations", LAST_APPLIED]);
        let Some(value) = noted.as_str().and_then(|text| Value::from_json(text).ok()) else { continue };
        call.io.out(&match output.as_str() {
            "json" => json::indented(&value).replace("    ", "  "),
            _ => yaml::emit(&value),
        });
    }
    call.finish()
}

fn set(call: &mut Call<'_, '_>) -> Outcome {
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    if !call.parsed.is_set("filename") && !call.parsed.is_set("kustomize") {
        return call.fail("must specify one of -f and -k");
    }
    let sources = match read_files(call) {
        Ok(sources) => sources,
        Err(failures) => return call.end(&failures),
    };
    // All is looked at before anything is written.
    let mut all = Vec::new();
    for source in sources {
        for document in source.documents {
            match look(call, &document, &source.source) {
                Ok(found) => all.push(found),
                Err(failure) => return call.end(&[failure]),
            }
        }
        source.failures.into_iter().for_each(|failure| call.note(failure));
    }
    for (key, text, old) in all {
        if old.as_deref() == Some(&text) {
            call.io.out(&format!("set-last-applied {}: no changes required.\n", key.name));
            continue;
        }
        let edit = |value: &mut Value| {
            let mut annotations = value.at("metadata.annotations").clone();
            annotations.map_mut().insert(LAST_APPLIED, text);
            value.set("metadata.annotations", annotations);
        };
        let written = match dry_run {
            DryRun::Client => call.desk.cluster.store().get(&key).map(|o| o.value().clone()).ok_or(None),
            _ => call.update(dry_run, &key, edit).map_err(Some),
        };
        let told = match written {
            Ok(object) => call.tell(&object, "configured", dry_run).map_err(Failure::Client),
            Err(error) => error.map_or(Ok(()), |error| Err(error.into())),
        };
        if let Err(failure) = told {
            call.note(failure);
        }
    }
    call.finish()
}

/// The object of a document, the annotation it is to have, and the one it has.
fn look(call: &Call<'_, '_>, document: &Value, source: &str) -> Result<(Key, String, Option<String>), Failure> {
    let decoded = decode_for_apply(document, FieldValidation::Ignore)
        .map_err(|refusal| Failure::Plain(refusal.kubectl(source, "creating")))?;
    let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
        return Err(Failure::client(format!("{} is known here, but not simulated", decoded.kind)));
    };
    let namespace = document.str_at("metadata.namespace").unwrap_or(call.namespace());
    let name = document.str_at("metadata.name").unwrap_or_default();
    let object = crate::kubectl::resource::get(call.desk.cluster.store(), kind, namespace, name)?;
    let old = object.value().at_keys(["metadata", "annotations", LAST_APPLIED]).as_str().map(str::to_owned);
    if old.is_none() && !call.parsed.on("create-annotation") {
        return Err(Failure::client(format!(
            "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run the command \
             with --create-annotation"
        )));
    }
    let modified = with_last_applied(document, kind, namespace);
    let text = modified.at_keys(["metadata", "annotations", LAST_APPLIED]).as_str().unwrap_or_default().to_owned();
    Ok((object.key(), text, old))
}
