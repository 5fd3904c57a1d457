//! `kubectl apply`: creates what is not there, changes what differs from the last apply, leaves the rest alone.
//!
//! Source: `kubectl/pkg/cmd/apply/{apply,patcher}.go`, `kubectl/pkg/util/apply.go`.

use crate::api::decode::{Decoded, FieldValidation, decode_for_apply, diagnose};
use crate::api::kind::Kind;
use crate::api::meta::Key;
use crate::api::patch::{Shape, strategic, three_way};
use crate::api::status::{ApiError, Reason};
use crate::base::value::Value;
use crate::cluster::Cluster;
use crate::terminal::Reply;
use crate::terminal::kubectl::flags::{Flag, Takes, flag};
use crate::terminal::kubectl::manifests::{Manifests, read_files, read_text};
use crate::terminal::kubectl::{Call, Outcome, Verb, errors};
use crate::yaml::{self, Diagnostic, Severity};

pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub const VERB: Verb = Verb {
    name: "apply",
    summary: "Apply a configuration to objects by file name or standard input",
    usage: "kubectl apply (-f FILENAME | -k DIRECTORY)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("filename", Takes::List, "Files, folders, or - for standard input").short('f'),
    flag("validate", Takes::Optional("strict"), "What to do about unknown fields: strict, warn or ignore")
        .default("strict"),
];

/// What was printed, and where the text is wrong.
#[derive(Default)]
struct Printed {
    stdout: String,
    errors: Vec<String>,
    warnings: Vec<String>,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let sources = match read_files(call) {
        Ok(sources) if sources.is_empty() => return call.fail("must specify one of -f and -k"),
        Ok(sources) => sources,
        Err(message) => {
            call.io.err(&format!("{message}\n"));
            return Outcome::Exit(1);
        }
    };
    let validation = match call.parsed.text("validate") {
        Some("warn") => FieldValidation::Warn,
        Some("ignore" | "false") => FieldValidation::Ignore,
        _ => FieldValidation::Strict,
    };
    let namespace = call.namespace().to_owned();
    let mut printed = Printed::default();
    for source in &sources {
        apply_all(call.desk.cluster, source, &namespace, validation, &mut printed);
    }
    call.io.out(&printed.stdout);
    for text in printed.warnings.iter().map(|w| format!("Warning: {w}\n")) {
        call.io.err(&text);
    }
    for text in &printed.errors {
        call.io.err(&format!("{text}\n"));
    }
    Outcome::Exit(i32::from(!printed.errors.is_empty()))
}

/// Applies the text of an editor's tab.
pub fn apply_text(cluster: &mut Cluster, file: &str, text: &str, namespace: &str) -> Reply {
    let manifests = read_text(text, file);
    let mut printed = Printed::default();
    let refused = apply_all(cluster, &manifests, namespace, FieldValidation::Strict, &mut printed);
    let parsed = yaml::parse(text, file);
    let mut diagnostics = parsed.diagnostics;
    for node in &parsed.documents {
        diagnostics.extend(diagnose(node, file));
        diagnostics.extend(crate::terminal::remarks(node));
        for (kind, name, error) in &refused {
            let value = node.value();
            if value.str_at("kind") == Some(kind.name()) && value.str_at("metadata.name") == Some(name) {
                diagnostics.extend(places(node, error));
            }
        }
    }
    let warnings = printed.warnings.iter().map(|w| format!("Warning: {w}\n"));
    let errors = printed.errors.iter().map(|e| format!("{e}\n"));
    let exit = i32::from(!printed.errors.is_empty());
    Reply { stdout: printed.stdout, stderr: warnings.chain(errors).collect(), exit, diagnostics }
}

/// Where in the document the API server's objections lie.
pub fn places(node: &yaml::Node, error: &ApiError) -> Vec<Diagnostic> {
    if error.causes.is_empty() {
        let span = node.locate("metadata.name").span();
        return vec![Diagnostic::new(Severity::Error, "api", span, error.message.clone())];
    }
    let place = |cause: &crate::api::status::FieldCause| {
        let message = format!("{}: {}", cause.field, cause.message);
        Diagnostic::new(Severity::Error, "api", node.locate(&cause.field).span(), message)
    };
    error.causes.iter().map(place).collect()
}

type Refused = Vec<(Kind, String, ApiError)>;

fn apply_all(
    cluster: &mut Cluster,
    manifests: &Manifests,
    namespace: &str,
    validation: FieldValidation,
    printed: &mut Printed,
) -> Refused {
    let mut refused = Vec::new();
    // kubectl reads everything first, then applies what could be read, and ends with what could not.
    let mut unread = Vec::new();
    let mut read = Vec::new();
    for document in &manifests.documents {
        match decode_for_apply(document, validation) {
            Ok(decoded) => read.push((document, decoded)),
            Err(refusal) => unread.push(refusal.kubectl(&manifests.source, "creating")),
        }
    }
    unread.extend(manifests.error.clone());
    if manifests.documents.is_empty() && unread.is_empty() {
        unread.push("error: no objects passed to apply".to_owned());
    }
    for (document, decoded) in read {
        printed.warnings.extend(decoded.warnings.iter().cloned());
        let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
            printed
                .errors
                .push(format!("error: {} {} is known here, but not simulated", decoded.api_version, decoded.kind));
            continue;
        };
        match apply_one(cluster, kind, document, decoded, namespace, printed) {
            Ok((name, how)) => {
                printed.stdout.push_str(&format!("{}/{name} {how}\n", kind.info().singular_resource()));
            }
            Err((name, doing, error)) => {
                let doing = format!("error when {doing} \"{}\"", manifests.source);
                printed.errors.push(errors::render(&error, Some(&doing)));
                refused.push((kind, name, error));
            }
        }
    }
    printed.errors.extend(unread);
    refused
}

type Refusal = (String, &'static str, ApiError);

fn apply_one(
    cluster: &mut Cluster,
    kind: Kind,
    document: &Value,
    decoded: Decoded,
    namespace: &str,
    printed: &mut Printed,
) -> Result<(String, &'static str), Refusal> {
    let name = decoded.object.str_at("metadata.name").unwrap_or_default().to_owned();
    let namespace = decoded.object.str_at("metadata.namespace").unwrap_or(namespace).to_owned();
    let key = Key::new(kind, &namespace, &name);
    let modified = with_last_applied(document, kind, &namespace);
    let Some(current) = cluster.store().get(&key).cloned() else {
        let mut object = decoded.object;
        if kind.info().namespaced {
            object.set("metadata.namespace", namespace.as_str());
        }
        annotate(&mut object, &modified);
        let (created, warnings) = cluster.api("user", |api| (api.create(object), api.take_warnings()));
        printed.warnings.extend(warnings);
        return created.map(|_| (name.clone(), "created")).map_err(|e| (name, "creating", e));
    };
    let annotation = current.value().at_keys(["metadata", "annotations", LAST_APPLIED]);
    let original = annotation.as_str().and_then(|text| Value::from_json(text).ok());
    if original.is_none() {
        printed.warnings.push(missing_annotation(kind, &name));
    }
    let shape = Shape::of_kind(&decoded.api_version, &decoded.kind);
    let original = original.unwrap_or_else(Value::map);
    let patch = three_way(&original, &modified, current.value(), shape);
    if patch.is_empty() {
        return Ok((name, "unchanged"));
    }
    let mut changed = current.value().clone();
    strategic(&mut changed, &patch, shape);
    let changed = match crate::api::decode::decode(&changed, FieldValidation::Strict) {
        Ok(decoded) => decoded.object,
        Err(refusal) => {
            let error = ApiError { reason: Reason::BadRequest, ..ApiError::bad_request(refusal.text) };
            return Err((name, "applying patch", error));
        }
    };
    let (written, warnings) =
        cluster.api("user", |api| (api.update(&key, |value| *value = changed), api.take_warnings()));
    printed.warnings.extend(warnings);
    written.map(|_| (name.clone(), "configured")).map_err(|e| (name, "applying patch", e))
}

/// The document with the annotation that holds the document itself.
fn with_last_applied(document: &Value, kind: Kind, namespace: &str) -> Value {
    let mut bare = document.clone();
    if kind.info().namespaced {
        bare.set_default("metadata.namespace", namespace);
    }
    let mut annotations = bare.at("metadata.annotations").clone();
    annotations.map_mut().remove(LAST_APPLIED);
    bare.set("metadata.annotations", annotations.clone());
    annotations.map_mut().insert(LAST_APPLIED, format!("{}\n", bare.to_go_json()));
    bare.set("metadata.annotations", annotations);
    bare
}

fn annotate(object: &mut Value, modified: &Value) {
    let text = modified.at_keys(["metadata", "annotations", LAST_APPLIED]).clone();
    let mut annotations = object.at("metadata.annotations").clone();
    annotations.map_mut().insert(LAST_APPLIED, text);
    object.set("metadata.annotations", annotations);
}

fn missing_annotation(kind: Kind, name: &str) -> String {
    format!(
        "resource {}/{name} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply \
         should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. \
         The missing annotation will be patched automatically.",
        kind.info().plural
    )
}
