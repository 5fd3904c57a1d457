//! `kubectl apply`: creates what is not there, changes what differs from the last apply, leaves the rest alone.
//!
//! Source: `kubectl/pkg/cmd/apply/{apply,patcher}.go`, `kubectl/pkg/util/apply.go`.

use crate::Reply;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::{Manifests, read_files, read_text};
use crate::kubectl::{Call, Outcome, Verb, delete, errors};
use api::decode::{Decoded, FieldValidation, decode_for_apply, diagnose};
use api::kind::Kind;
use api::meta::Key;
use api::meta::StringMap;
use api::patch::{Shape, strategic, three_way};
use api::selector::Labels;
use api::status::{ApiError, Reason};
use cluster::Cluster;
use values::value::Value;
use yaml::{self, Diagnostic, Severity};

pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub const VERB: Verb = Verb {
    name: "apply",
    summary: "Apply a configuration to objects by file name or standard input",
    usage: "kubectl apply (-f FILENAME | -k DIRECTORY)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all", Takes::Nothing, "With --prune: every object").default("false"),
    common::MISSING_KEYS,
    delete::CASCADE,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::FILENAME,
    flag("force", Takes::Nothing, "Replace what cannot be changed; not simulated").default("false"),
    flag("force-conflicts", Takes::Nothing, "Take fields over from their owners").default("false"),
    delete::GRACE_PERIOD,
    common::KUSTOMIZE,
    flag("openapi-patch", Takes::Nothing, "Merge by the API's schema").default("true"),
    common::OUTPUT,
    flag("overwrite", Takes::Nothing, "Changes made elsewhere are overwritten").default("true"),
    flag("prune", Takes::Nothing, "Delete what is no longer in the files; not simulated").default("false"),
    common::RECURSIVE,
    common::SELECTOR,
    flag("server-side", Takes::Nothing, "Let the server merge").default("false"),
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("timeout", Takes::Text, "How long to wait for deletions").default("0s"),
    common::VALIDATE,
    flag("wait", Takes::Nothing, "Wait for deletions").default("false"),
];

/// What was printed, and where the text is wrong.
#[derive(Default)]
struct Printed {
    stdout: String,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Printed {
    /// Says what became of an object.
    fn say(&mut self, way: &Way, (object, how): (Value, &str)) {
        match (way.tell)(&object, &format!("{how}{}", way.dry_run.suffix()), way.format.as_deref()) {
            Ok(text) => self.stdout.push_str(&text),
            Err(text) => self.errors.push(format!("error: {text}")),
        }
    }
}

/// How to apply.
struct Way {
    validation: FieldValidation,
    server_side: bool,
    /// Only documents with these labels.
    labels: Labels,
    /// `-o`; none: a line for each object.
    format: Option<String>,
    /// Prints an object: [`common::told`], or less where there is no `-o`.
    tell: fn(&Value, &str, Option<&str>) -> Result<String, String>,
    dry_run: DryRun,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let (dry_run, labels) = match (call.dry_run(), call.parsed.text("selector").map(Labels::parse).transpose()) {
        (Ok(dry_run), Ok(labels)) => (dry_run, labels.unwrap_or_default()),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    let server_side = call.parsed.on("server-side");
    if server_side && dry_run == DryRun::Client {
        return call.fail("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
    }
    if call.parsed.on("force-conflicts") && !server_side {
        return call.fail("--force-conflicts only works with --server-side");
    }
    if !call.parsed.args.is_empty() {
        let args = call.parsed.args.join(" ");
        return call.misused(&format!("Unexpected args: [{args}]"));
    }
    let sources = match read_files(call) {
        Ok(sources) if sources.is_empty() => return call.fail("must specify one of -f and -k"),
        Ok(sources) => sources,
        Err(line) => return call.fail_line(&line),
    };
    let format = call.parsed.text("output").filter(|format| !format.is_empty()).map(str::to_owned);
    let way = Way { validation: call.validation(), server_side, labels, format, tell: common::told, dry_run };
    let namespace = call.namespace().to_owned();
    let mut printed = Printed::default();
    let mut copy = (dry_run == DryRun::Server).then(|| call.desk.cluster.clone());
    for source in &sources {
        let cluster = copy.as_mut().unwrap_or(call.desk.cluster);
        apply_all(cluster, source, &namespace, &way, &mut printed);
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
    let way = Way {
        validation: FieldValidation::default(),
        server_side: false,
        labels: Labels::default(),
        format: None,
        tell: |object, how, _| Ok(common::line(object, how)),
        dry_run: DryRun::default(),
    };
    let refused = apply_all(cluster, &manifests, namespace, &way, &mut printed);
    let parsed = yaml::parse(text, file);
    let mut diagnostics = parsed.diagnostics;
    for node in &parsed.documents {
        diagnostics.extend(diagnose(node, file));
        diagnostics.extend(crate::remarks(node));
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
    let place = |cause: &api::status::FieldCause| {
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
    way: &Way,
    printed: &mut Printed,
) -> Refused {
    let mut refused = Vec::new();
    // kubectl reads everything first, then applies what could be read, and ends with what could not.
    let mut unread = Vec::new();
    let mut read = Vec::new();
    for document in &manifests.documents {
        // On the client nothing is sent, so nobody looks at the fields.
        let is_sent = way.dry_run != DryRun::Client;
        match decode_for_apply(document, if is_sent { way.validation } else { FieldValidation::Ignore }) {
            Ok(decoded) => read.push((document, decoded)),
            Err(refusal) => unread.push(refusal.kubectl(&manifests.source, "creating")),
        }
    }
    unread.extend(manifests.error.clone());
    if manifests.documents.is_empty() && unread.is_empty() {
        unread.push("error: no objects passed to apply".to_owned());
    }
    cluster.send_from(manifests.origin());
    for (document, decoded) in read {
        let own: StringMap = decoded.object.at("metadata.labels").decode().unwrap_or_default();
        if !way.labels.matches(&own) {
            continue;
        }
        printed.warnings.extend(decoded.warnings.iter().cloned());
        let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
            printed
                .errors
                .push(format!("error: {} {} is known here, but not simulated", decoded.api_version, decoded.kind));
            continue;
        };
        if way.dry_run == DryRun::Client {
            printed.say(way, only_said(cluster, kind, document, namespace));
            continue;
        }
        let applied = match way.server_side {
            true => apply_at_server(cluster, kind, document, decoded, namespace),
            false => apply_one(cluster, kind, document, decoded, namespace, &mut printed.warnings),
        };
        match applied {
            Ok((key, how)) => {
                let object = cluster.store().get(&key).map(|o| o.value().clone()).unwrap_or_default();
                printed.say(way, (object, how));
            }
            Err((name, doing, error)) => {
                let doing = format!("error when {doing} \"{}\"", manifests.source);
                printed.errors.push(errors::render(&error, Some(&doing)));
                refused.push((kind, name, error));
            }
        }
    }
    cluster.send_from(None);
    printed.errors.extend(unread);
    refused
}

/// `--dry-run=client`: the object as it would be sent, or as it is; whether anything would change is not looked at.
fn only_said(cluster: &Cluster, kind: Kind, document: &Value, namespace: &str) -> (Value, &'static str) {
    let namespace = document.str_at("metadata.namespace").unwrap_or(namespace);
    let key = Key::new(kind, namespace, document.str_at("metadata.name").unwrap_or_default());
    match cluster.store().get(&key) {
        Some(current) => (current.value().clone(), "configured"),
        None => (with_last_applied(document, kind, namespace), "created"),
    }
}

/// The object's name, what was being done, and the refusal.
pub type Refusal = (String, &'static str, ApiError);

fn apply_one(
    cluster: &mut Cluster,
    kind: Kind,
    document: &Value,
    decoded: Decoded,
    namespace: &str,
    warnings: &mut Vec<String>,
) -> Result<(Key, &'static str), Refusal> {
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
        let (created, said) = cluster.api("user", |api| (api.create(object), api.take_warnings()));
        warnings.extend(said);
        return created.map(|_| (key, "created")).map_err(|e| (name, "creating", e));
    };
    let annotation = current.value().at_keys(["metadata", "annotations", LAST_APPLIED]);
    let original = annotation.as_str().and_then(|text| Value::from_json(text).ok());
    if original.is_none() {
        warnings.push(missing_annotation(kind, &name));
    }
    let shape = Shape::of_kind(&decoded.api_version, &decoded.kind);
    let original = original.unwrap_or_else(Value::map);
    let patch = three_way(&original, &modified, current.value(), shape);
    if patch.is_empty() {
        return Ok((key, "unchanged"));
    }
    let mut changed = current.value().clone();
    strategic(&mut changed, &patch, shape);
    let changed = match api::decode::decode(&changed, FieldValidation::Strict) {
        Ok(decoded) => decoded.object,
        Err(refusal) => {
            let error = ApiError { reason: Reason::BadRequest, ..ApiError::bad_request(refusal.text) };
            return Err((name, "applying patch", error));
        }
    };
    let (written, said) = cluster.api("user", |api| (api.update(&key, |value| *value = changed), api.take_warnings()));
    warnings.extend(said);
    written.map(|_| (key, "configured")).map_err(|e| (name, "applying patch", e))
}

/// `--server-side`: the server lays the document over the object. Who owns which field is not kept, so nothing conflicts
/// and nothing that a former document had is removed.
fn apply_at_server(
    cluster: &mut Cluster,
    kind: Kind,
    document: &Value,
    decoded: Decoded,
    namespace: &str,
) -> Result<(Key, &'static str), Refusal> {
    let name = decoded.object.str_at("metadata.name").unwrap_or_default().to_owned();
    let namespace = decoded.object.str_at("metadata.namespace").unwrap_or(namespace).to_owned();
    let key = Key::new(kind, &namespace, &name);
    let shape = Shape::of_kind(&decoded.api_version, &decoded.kind);
    let mut object = decoded.object;
    if kind.info().namespaced {
        object.set("metadata.namespace", namespace.as_str());
    }
    let written = match cluster.store().get(&key).is_some() {
        true => cluster.api("user", |api| api.update(&key, |value| strategic(value, document, shape))),
        false => cluster.api("user", |api| api.create(object)),
    };
    written.map(|_| (key, "serverside-applied")).map_err(|error| (name, "applying patch", error))
}

/// Applies one document and says nothing.
///
/// # Errors
/// Name, what was being done, and the refusal.
pub fn apply_quietly(
    cluster: &mut Cluster,
    kind: Kind,
    document: &Value,
    decoded: Decoded,
    namespace: &str,
) -> Result<(), Refusal> {
    apply_one(cluster, kind, document, decoded, namespace, &mut Vec::new()).map(|_| ())
}

/// The document with the annotation that holds the document itself.
pub fn with_last_applied(document: &Value, kind: Kind, namespace: &str) -> Value {
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
