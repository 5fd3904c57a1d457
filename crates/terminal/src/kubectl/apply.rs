//! `kubectl apply`: creates what is not there, changes what differs from the last apply, leaves the rest alone.
//!
//! Source: `kubectl/pkg/cmd/apply/{apply,patcher,prune}.go`, `kubectl/pkg/util/apply.go`.

mod one;

use crate::Reply;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::{Failure, told};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::{Manifests, read_files, read_text};
use crate::kubectl::{Call, Outcome, Verb, Waiting, delete, managers, prune, replace};
use api::decode::{Decoded, FieldValidation, Refuser, decode_for_apply, diagnose};
use api::kind::Kind;
use api::meta::Key;
use api::meta::StringMap;
use api::selector::Labels;
use api::status::ApiError;
use cluster::Cluster;
use cluster::store::DeleteOptions;
use one::{Done, One, Refusal};
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
    flag("force", Takes::Nothing, "Delete and create anew what cannot be changed").default("false"),
    flag("force-conflicts", Takes::Nothing, "Take fields over from their owners").default("false"),
    delete::GRACE_PERIOD,
    common::KUSTOMIZE,
    flag("openapi-patch", Takes::Nothing, "Merge by the API's schema").default("true"),
    common::OUTPUT,
    flag("overwrite", Takes::Nothing, "Changes made elsewhere are overwritten").default("true"),
    flag("prune", Takes::Nothing, "Delete what was applied before and is no longer in the files").default("false"),
    flag("prune-allowlist", Takes::Array, "Only kinds of this list: group/version/Kind"),
    common::RECURSIVE,
    common::SELECTOR,
    flag("server-side", Takes::Nothing, "Let the server merge").default("false"),
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("timeout", Takes::Duration, "How long to wait for deletions").default("0s"),
    common::VALIDATE,
    flag("wait", Takes::Nothing, "Wait for deletions").default("false"),
];

const CONFLICT_HELP: &str = "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// What was done, and what was not.
#[derive(Default)]
struct Printed {
    /// The objects, and what became of each.
    objects: Vec<(Value, &'static str)>,
    failures: Vec<Failure>,
    warnings: Vec<String>,
    /// Objects that were deleted and are to be created anew, with their deletions.
    recreated: Vec<(Value, String, Key, String)>,
    /// The uids of what was applied, and the namespaces it lies in.
    visited: Vec<(Key, String)>,
}

/// How to apply.
struct Way {
    validation: FieldValidation,
    server_side: bool,
    /// Conflicts are settled in the manifest's favour.
    takes_over: bool,
    /// What cannot be changed is deleted and created anew.
    force: Option<DeleteOptions>,
    /// Changes made elsewhere are overwritten.
    manager: String,
    /// Only documents with these labels.
    labels: Labels,
    dry_run: DryRun,
    /// Of `-n`: another namespace in a document is refused.
    given_namespace: Option<String>,
}

impl Way {
    /// As the editor applies.
    fn plain() -> Way {
        Way {
            validation: FieldValidation::default(),
            server_side: false,
            takes_over: false,
            force: None,
            manager: managers::CLIENT_SIDE.to_owned(),
            labels: Labels::default(),
            dry_run: DryRun::default(),
            given_namespace: None,
        }
    }

    fn read(call: &mut Call<'_, '_>) -> Result<Way, String> {
        let dry_run = call.dry_run()?;
        let on = |flag: &str| call.parsed.on(flag);
        let server_side = on("server-side");
        if on("force-conflicts") && !server_side {
            return Err("--force-conflicts only works with --server-side".to_owned());
        }
        if dry_run == DryRun::Client && server_side {
            return Err(
                "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)".to_owned()
            );
        }
        if on("force") && server_side {
            return Err("--force cannot be used with --server-side".to_owned());
        }
        if dry_run == DryRun::Server && on("force") {
            return Err("--dry-run=server cannot be used with --force".to_owned());
        }
        if on("all") && call.parsed.text("selector").is_some_and(|text| !text.is_empty()) {
            return Err("cannot set --all and --selector at the same time".to_owned());
        }
        let selects = call.parsed.text("selector").is_some_and(|text| !text.is_empty());
        if on("prune") && !on("all") && !selects {
            return Err(
                "all resources selected for prune without explicitly passing --all. To prune all resources, pass the \
                        --all flag. If you did not mean to prune all resources, specify a label selector"
                    .to_owned(),
            );
        }
        let force = if call.parsed.on("force") { Some(delete::delete_options(call)?) } else { None };
        let default = if server_side { "kubectl" } else { managers::CLIENT_SIDE };
        Ok(Way {
            validation: call.validation()?,
            server_side,
            takes_over: call.parsed.on("force-conflicts"),
            force: force.map(|options| DeleteOptions {
                grace_period_seconds: options.grace_period_seconds.filter(|_| call.parsed.is_set("grace-period")),
                ..options
            }),
            manager: call.parsed.text("field-manager").unwrap_or(default).to_owned(),
            labels: call.parsed.text("selector").map(Labels::parse).transpose()?.unwrap_or_default(),
            dry_run,
            given_namespace: call.parsed.text("namespace").filter(|text| !text.is_empty()).map(str::to_owned),
        })
    }
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let format = match common::format(call) {
        Ok(format) => format,
        Err(text) => return call.fail(&text),
    };
    if !call.parsed.args.is_empty() {
        let args = call.parsed.args.join(" ");
        return call.misused(&format!("Unexpected args: [{args}]"));
    }
    let way = match Way::read(call) {
        Ok(way) => way,
        Err(text) => return call.fail(&text),
    };
    let kinds = match prune::kinds(call) {
        Ok(kinds) => kinds,
        Err(text) => return call.fail(&text),
    };
    let sources = match read_files(call) {
        Ok(sources) if sources.is_empty() => return call.fail("must specify one of -f and -k"),
        Ok(sources) => sources,
        Err(failures) => return call.end(&failures),
    };
    let namespace = call.namespace().to_owned();
    let mut printed = Printed::default();
    let mut copy = (way.dry_run == DryRun::Server).then(|| call.desk.cluster.clone());
    // kubectl reads everything first, then applies what could be read, and ends with what could not.
    let mut unread = Vec::new();
    for source in sources {
        let cluster = copy.as_mut().unwrap_or(call.desk.cluster);
        apply_all(cluster, source, &namespace, &way, &mut printed, &mut unread);
    }
    unread.append(&mut printed.failures);
    printed.failures = unread;
    if printed.visited.is_empty() && printed.failures.is_empty() {
        printed.failures.push(Failure::client("no objects passed to apply"));
    }
    for text in &printed.warnings {
        call.io.err(&format!("Warning: {text}\n"));
    }
    if let Err(text) = tell(call, &format, &printed.objects, way.dry_run) {
        printed.failures.push(Failure::Client(text));
    }
    if call.parsed.on("prune") && printed.failures.is_empty() {
        prune::run(call, &kinds, &printed.visited, &way.labels, way.dry_run);
    }
    call.io.err(&told(&printed.failures));
    let exit = i32::from(!printed.failures.is_empty());
    if printed.recreated.is_empty() {
        return Outcome::Exit(exit);
    }
    let (mut gone, mut objects) = (Vec::new(), Vec::new());
    for (object, source, key, uid) in printed.recreated {
        gone.push((key, uid));
        objects.push((object, source));
    }
    Outcome::Waits(Waiting::Replace(replace::Replacing::new(gone, objects, "configured", exit)))
}

/// A line for each object, or the objects in a format: several as a list.
fn tell(
    call: &mut Call<'_, '_>,
    format: &crate::printing::format::Format,
    objects: &[(Value, &'static str)],
    dry_run: DryRun,
) -> Result<(), String> {
    use crate::printing::format::{Format, list_of};
    let text = match (format, objects) {
        (_, []) => String::new(),
        (Format::Table { .. }, _) => {
            objects.iter().map(|(object, how)| common::line(object, &format!("{how}{}", dry_run.suffix()))).collect()
        }
        (Format::Name, _) => objects.iter().map(|(object, _)| format!("{}\n", common::name_of(object))).collect(),
        (format, [(object, _)]) => format.print(object)?,
        (format, many) => format.print(&list_of(many.iter().map(|(object, _)| object.clone()).collect()))?,
    };
    call.io.out(&text);
    Ok(())
}

/// Applies the text of an editor's tab.
pub fn apply_text(cluster: &mut Cluster, file: &str, text: &str, namespace: &str) -> Reply {
    let (mut printed, mut unread) = (Printed::default(), Vec::new());
    let refused = apply_all(cluster, read_text(text, file), namespace, &Way::plain(), &mut printed, &mut unread);
    printed.failures.extend(unread);
    let parsed = yaml::parse(text, file);
    if parsed.documents.is_empty() && printed.failures.is_empty() {
        printed.failures.push(Failure::client("no objects passed to apply"));
    }
    let mut diagnostics = parsed.diagnostics;
    for node in &parsed.documents {
        diagnostics.extend(diagnose(node, file));
        diagnostics.extend(crate::remarks(node, cluster.images()));
        for (kind, name, error) in &refused {
            let value = node.value();
            if value.str_at("kind") == Some(kind.name()) && value.str_at("metadata.name") == Some(name) {
                diagnostics.extend(places(node, error));
            }
        }
    }
    let stdout: String = printed.objects.iter().map(|(object, how)| common::line(object, how)).collect();
    let warnings: String = printed.warnings.iter().map(|w| format!("Warning: {w}\n")).collect();
    let exit = i32::from(!printed.failures.is_empty());
    Reply { stdout, stderr: warnings + &told(&printed.failures), exit, diagnostics }
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
    manifests: Manifests,
    namespace: &str,
    way: &Way,
    printed: &mut Printed,
    unread: &mut Vec<Failure>,
) -> Refused {
    let (mut refused, mut read) = (Vec::new(), Vec::new());
    for document in &manifests.documents {
        // On the client nothing is sent, so nobody looks at the fields.
        let is_sent = way.dry_run != DryRun::Client;
        match decode_for_apply(document, if is_sent { way.validation } else { FieldValidation::Ignore }) {
            Ok(mut decoded) => {
                drop_nulls(document, &mut decoded.object);
                read.push((document, decoded));
            }
            Err(refusal) if !is_sent && refusal.refuser == Refuser::Server => {
                let text = |field: &str| document.str_at(field).unwrap_or_default().to_owned();
                let (api_version, kind, object) = (text("apiVersion"), text("kind"), document.clone());
                read.push((document, Decoded { api_version, kind, object, warnings: Vec::new() }));
            }
            Err(refusal) => unread.push(Failure::Plain(refusal.kubectl(&manifests.source, "creating"))),
        }
    }
    cluster.send_from(manifests.origin());
    for (document, decoded) in read {
        let own: StringMap = decoded.object.at("metadata.labels").decode().unwrap_or_default();
        if !way.labels.matches(&own) {
            continue;
        }
        let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
            let text = format!("{} {} is known here, but not simulated", decoded.api_version, decoded.kind);
            printed.failures.push(Failure::Client(text));
            continue;
        };
        let other = decoded.object.str_at("metadata.namespace").filter(|own| !own.is_empty() && kind.info().namespaced);
        if let (Some(own), Some(given)) = (other, way.given_namespace.as_deref().filter(|given| Some(*given) != other))
        {
            printed.failures.push(Failure::client(format!(
                "the namespace from the provided object \"{own}\" does not match the namespace \"{given}\". You must pass \
                 '--namespace={own}' to perform this operation."
            )));
            continue;
        }
        printed.warnings.extend(decoded.warnings.iter().cloned());
        let namespace = other.unwrap_or(namespace).to_owned();
        let one = One { cluster, kind, document, namespace: &namespace, way };
        let applied = if way.server_side { one.at_server(decoded) } else { one.at_client(decoded, printed) };
        match applied {
            Ok(Done { object, how }) => {
                let name = object.str_at("metadata.name").unwrap_or_default();
                let uid = object.str_at("metadata.uid").unwrap_or_default().to_owned();
                printed.visited.push((Key::new(kind, &namespace, name), uid));
                printed.objects.push((object, how));
            }
            Err(Refusal { name, error, told }) => {
                printed.failures.push(told(&error, &manifests.source));
                refused.push((kind, name, error));
            }
        }
    }
    cluster.send_from(None);
    unread.extend(manifests.failures);
    refused
}

/// An entry of a map of texts that is null is none.
fn drop_nulls(document: &Value, object: &mut Value) {
    for path in ["data", "metadata.labels", "metadata.annotations"] {
        let nulls = document.map_at(path).into_iter().flat_map(|map| map.iter()).filter(|(_, value)| value.is_null());
        for (key, _) in nulls {
            if let Some(map) = object.at_mut(path) {
                map.map_mut().remove(key);
            }
        }
    }
}

/// Applies one document and says nothing.
///
/// # Errors
/// What the server refused.
pub fn apply_quietly(
    cluster: &mut Cluster,
    kind: Kind,
    document: &Value,
    decoded: Decoded,
    namespace: &str,
) -> Result<(), ApiError> {
    let way = Way::plain();
    let one = One { cluster, kind, document, namespace, way: &way };
    one.at_client(decoded, &mut Printed::default()).map(|_| ()).map_err(|refusal| refusal.error)
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

pub fn annotate(object: &mut Value, modified: &Value) {
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
