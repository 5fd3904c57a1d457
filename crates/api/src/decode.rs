//! From a document to an object: what kubectl checks before it sends, and what the API server's strict decoding says.
//!
//! Rule: kubectl wants `apiVersion` and `kind`, reads `metadata` by its Go type, and asks discovery for the kind; then the
//! server reads every field by its Go type. Errors of type beat unknown fields; all unknown fields are told at once. The
//! result is the object as Go would write it again: canonical quantities, empty fields left out by `omitempty`, structs
//! filled in. Sources: `cli-runtime/pkg/resource/{visitor,mapper,builder}.go`, `kubectl/pkg/validation/schema.go`,
//! `apimachinery/pkg/runtime/serializer/json`, `sigs.k8s.io/json`.

mod hints;
mod walk;

use std::fmt;

use values::value::{Map, Value};
use yaml::{Diagnostic, Node, Severity};

use super::schema::Schema;
use walk::Walk;

pub use hints::hints;

/// What is done about unknown fields: kubectl's `--validate`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FieldValidation {
    /// They are errors.
    #[default]
    Strict,
    /// They are dropped, with warnings.
    Warn,
    /// They are dropped.
    Ignore,
}

/// An object that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Decoded {
    /// `batch/v1`
    pub api_version: String,
    /// `Job`
    pub kind: String,
    /// As Go would write it again.
    pub object: Value,
    /// Texts behind `Warning: `.
    pub warnings: Vec<String>,
}

/// Who refuses a document, and so how kubectl words it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refuser {
    /// kubectl's own validation.
    Validation,
    /// kubectl's reading of the metadata.
    Client,
    /// kubectl finds no such kind.
    Mapping,
    /// `apply` and other verbs that need a name.
    Name,
    /// The server: 400 BadRequest.
    Server,
}

/// Why a document is no object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub refuser: Refuser,
    /// The error in Kubernetes' words; [`Refusal::kubectl`] puts kubectl's words around it.
    pub text: String,
    /// The field it is about, as `spec.template.spec.containers[0].image`; empty for the whole document.
    pub path: String,
}

impl Refusal {
    fn new(refuser: Refuser, path: impl Into<String>, text: impl Into<String>) -> Refusal {
        Refusal { refuser, text: text.into(), path: path.into() }
    }

    /// What kubectl prints, without the line's end. `source` is `STDIN` or a file's name, `doing` is `creating`,
    /// `applying patch` and the like.
    pub fn kubectl(&self, source: &str, doing: &str) -> String {
        let text = &self.text;
        match self.refuser {
            Refuser::Validation => format!(
                "error: error validating {source:?}: error validating data: {text}; if you choose to ignore these errors, \
                 turn validation off with --validate=false"
            ),
            Refuser::Client => format!("error: unable to decode {source:?}: {text}"),
            Refuser::Mapping | Refuser::Name => format!("error: {}", text.replace("{source}", &format!("{source:?}"))),
            Refuser::Server => format!("Error from server (BadRequest): error when {doing} {source:?}: {text}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}

/// Reads a document as `kubectl create` and the server do.
pub fn decode(document: &Value, validation: FieldValidation) -> Result<Decoded, Refusal> {
    let fields = client_checks(document, validation)?;
    decode_at_server(fields, validation)
}

/// Reads a document as `kubectl apply` and the server do: it must have a name.
pub fn decode_for_apply(document: &Value, validation: FieldValidation) -> Result<Decoded, Refusal> {
    let fields = client_checks(document, validation)?;
    check_name(document)?;
    decode_at_server(fields, validation)
}

/// The documents that kubectl makes of one: the items of a `List` or of a `JobList`, or itself. Each with the path to it.
pub fn flatten(document: &Value) -> Vec<(String, Value)> {
    let text = |field: &str| document.str_at(field).unwrap_or_default();
    let Some(kind) = text("kind").strip_suffix("List").filter(|_| document.at("items").as_list().is_some()) else {
        return vec![(String::new(), document.clone())];
    };
    let version = text("apiVersion");
    let is_list = if kind.is_empty() { version == "v1" } else { Schema::get().kind(version, kind).is_some() };
    if !is_list {
        return vec![(String::new(), document.clone())];
    }
    let whole = |item: &Value| {
        let mut item = item.clone();
        // The items of a typed list need not say what they are.
        if !kind.is_empty() && item.as_map().is_some() {
            item.set_default("apiVersion", version);
            item.set_default("kind", kind);
        }
        item
    };
    let items = document.list_at("items").iter().enumerate();
    items.map(|(i, item)| (format!("items[{i}]"), whole(item))).collect()
}

/// All that can be said about a document before it is validated: refusals at their lines, warnings, hints.
pub fn diagnose(document: &Node, source: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (prefix, value) in flatten(&document.value()) {
        let place = |path: &str| {
            let full = if prefix.is_empty() || path.is_empty() {
                format!("{prefix}{path}")
            } else {
                format!("{prefix}.{path}")
            };
            document.locate(&full).span()
        };
        if let Err(refusal) = decode_for_apply(&value, FieldValidation::Strict) {
            found.push(
                Diagnostic::new(
                    Severity::Error,
                    "decode",
                    place(&refusal.path),
                    refusal.text.replace("{source}", source),
                )
                .with_kubectl(refusal.kubectl(source, "creating")),
            );
        }
    }
    found.extend(hints(document));
    found
}

/// What kubectl looks at before it sends anything. Gives the document's fields.
fn client_checks(document: &Value, validation: FieldValidation) -> Result<&Map, Refusal> {
    let Some(fields) = document.as_map() else {
        return Err(Refusal::new(Refuser::Validation, "", "invalid object to validate"));
    };
    if validation != FieldValidation::Ignore {
        let mut missing = Vec::new();
        for name in ["apiVersion", "kind"] {
            match fields.get(name) {
                None | Some(Value::Null) => missing.push(format!("{name} not set")),
                Some(Value::Str(_)) => {}
                Some(_) => missing.push(format!("{name} isn't string type")),
            }
        }
        if let Some(text) = fields.get("apiVersion").and_then(Value::as_str).filter(|v| v.matches('/').count() > 1) {
            missing.push(format!("unexpected GroupVersion string: {text}"));
        }
        match &missing[..] {
            [] => {}
            [one] => return Err(Refusal::new(Refuser::Validation, "", one)),
            many => return Err(Refusal::new(Refuser::Validation, "", format!("[{}]", many.join(", ")))),
        }
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if kind.is_empty() {
        let text = format!("Object 'Kind' is missing in '{}'", document.to_json());
        return Err(Refusal::new(Refuser::Client, "kind", text));
    }
    if let Some(metadata) = fields.get("metadata") {
        Walk::of_metadata(metadata).map_err(|e| Refusal::new(Refuser::Client, e.path, e.text))?;
    }
    let schema = Schema::get();
    // Discovery also knows kinds by their names in lower case.
    let known = schema.kinds().iter().any(|k| {
        k.api_version == api_version && (k.kind == kind || (k.kind != "List" && k.kind.to_ascii_lowercase() == kind))
    });
    if !known {
        let text = format!(
            "resource mapping not found for name: {:?} namespace: {:?} from {{source}}: no matches for kind {kind:?} in \
             version {api_version:?}\nensure CRDs are installed first",
            document.str_at("metadata.name").unwrap_or(""),
            document.str_at("metadata.namespace").unwrap_or(""),
        );
        return Err(Refusal::new(Refuser::Mapping, "kind", text));
    }
    Ok(fields)
}

/// `apply` looks for the object first, and cannot without a name.
fn check_name(document: &Value) -> Result<(), Refusal> {
    if document.str_at("metadata.name").is_some_and(|n| !n.is_empty()) {
        return Ok(());
    }
    if let Some(prefix) = document.str_at("metadata.generateName").filter(|p| !p.is_empty()) {
        let text = format!("from {prefix}: cannot use generate name with apply");
        return Err(Refusal::new(Refuser::Name, "metadata.generateName", text));
    }
    let (api_version, kind) = (document.str_at("apiVersion").unwrap_or(""), document.str_at("kind").unwrap_or(""));
    let namespace = document.str_at("metadata.namespace").unwrap_or("default");
    // The core group has no name.
    let core = if api_version.contains('/') { "" } else { "/" };
    let text = format!(
        "error when retrieving current configuration of:\nResource: \"{core}{api_version}, Resource={}\", \
         GroupVersionKind: \"{core}{api_version}, Kind={kind}\"\nName: \"\", Namespace: {namespace:?}\nfrom server for: {{source}}: resource name may \
         not be empty",
        plural(kind)
    );
    Err(Refusal::new(Refuser::Name, "metadata", text))
}

/// A kind's name in addresses.
fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    if lower.ends_with("endpoints") {
        return lower;
    }
    if lower.ends_with('s') { lower + "es" } else { lower + "s" }
}

fn decode_at_server(fields: &Map, validation: FieldValidation) -> Result<Decoded, Refusal> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("").to_string();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let version = api_version.rsplit('/').next().unwrap_or(&api_version);
    let schema = Schema::get();
    let Some(id) = schema.kind(&api_version, &kind) else {
        let proper =
            schema.kinds().iter().find(|k| k.api_version == api_version && k.kind.to_ascii_lowercase() == kind);
        let text = format!(
            "{kind} in version {version:?} cannot be handled as a {}: no kind {kind:?} is registered for version \
             {api_version:?} in scheme \"pkg/runtime/scheme.go:111\"",
            proper.map_or(&*kind, |k| k.kind)
        );
        return Err(Refusal::new(Refuser::Server, "kind", text));
    };
    let cannot = |text: &str| format!("{kind} in version {version:?} cannot be handled as a {kind}: {text}");
    let (object, unknown) =
        Walk::of_object(id, fields).map_err(|e| Refusal::new(Refuser::Server, e.path, cannot(&e.text)))?;
    let unknown_field = |path: &String| format!("unknown field {path:?}");
    let mut warnings = Vec::new();
    match (validation, unknown.first()) {
        (FieldValidation::Strict, Some(first)) => {
            let all: Vec<String> = unknown.iter().map(unknown_field).collect();
            let text = cannot(&format!("strict decoding error: {}", all.join(", ")));
            return Err(Refusal::new(Refuser::Server, first, text));
        }
        (FieldValidation::Warn, Some(_)) => warnings = unknown.iter().map(unknown_field).collect(),
        _ => {}
    }
    Ok(Decoded { api_version, kind, object, warnings })
}

#[cfg(test)]
mod tests;
