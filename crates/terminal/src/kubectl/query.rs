//! Which objects a reading verb is about: kinds, names, selectors, namespaces; and finding them.
//!
//! Source: `cli-runtime/pkg/resource/{builder,selector}.go`.

use std::rc::Rc;

use crate::kubectl::errors::Failure;
use crate::kubectl::resource::{self, Named, Target};
use crate::kubectl::{Call, targets};
use api::kind::Kind;
use api::object::Object;
use api::selector::{Fields, Labels};
use api::status::ApiError;
use cluster::store::Store;
use cluster::store::rbac::Asked;

/// A question to the API server.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub targets: Vec<Target>,
    /// None asks in all namespaces.
    pub namespace: Option<String>,
    labels: String,
    fields: String,
    /// Files, and no arguments, name the objects.
    pub named_by_files: bool,
    /// `TYPE/NAME` names them.
    pub named_by_pairs: bool,
}

/// The objects of one target.
#[derive(Clone, Debug)]
pub struct Found {
    pub kind: Kind,
    /// True if one object was asked for by its name.
    pub named: bool,
    pub objects: Vec<Rc<Object>>,
}

impl Query {
    /// Reads the arguments and the flags `-f`, `-k`, `-l`, `--field-selector`, `-n` and `-A` of a call.
    ///
    /// # Errors
    /// What kubectl complains of.
    pub fn read(call: &mut Call<'_, '_>) -> Result<Query, Vec<Failure>> {
        let one = |text: &str| vec![Failure::client(text)];
        let parsed = &call.parsed;
        let mut query = Query {
            targets: Vec::new(),
            namespace: (!parsed.on("all-namespaces")).then(|| call.namespace().to_owned()),
            labels: parsed.text("selector").unwrap_or_default().trim().to_owned(),
            fields: parsed.text("field-selector").unwrap_or_default().trim().to_owned(),
            named_by_files: false,
            named_by_pairs: false,
        };
        let named = resource::named(&parsed.args).map_err(|text| one(&text))?;
        query.named_by_pairs = matches!(named, Named::Pairs(_));
        if parsed.is_set("filename") || parsed.is_set("kustomize") {
            return match named {
                Named::Nothing => {
                    let documents = targets::documents(call)?;
                    query.named_by_files = true;
                    query.targets = documents
                        .into_iter()
                        .map(|(object, kind, _)| {
                            let text = |path: &str| object.str_at(path).unwrap_or_default().to_owned();
                            Target::InFile(kind, text("metadata.namespace"), text("metadata.name"))
                        })
                        .collect();
                    Ok(query)
                }
                Named::Pairs(_) => Err(one("resource/name arguments cannot be provided when a path is specified")),
                _ => Err(one(
                    "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
                )),
            };
        }
        let selects = !(query.labels.is_empty() && query.fields.is_empty());
        let everywhere = query.namespace.is_none();
        let by_name = |kinds: &[Kind]| everywhere && kinds.iter().any(|kind| kind.info().namespaced);
        query.targets = match named {
            Named::Pairs(_) if selects => {
                return Err(one("selectors and the all flag cannot be used when passing resource/name arguments"));
            }
            Named::Names(..) if selects => {
                return Err(one("name cannot be provided when a selector is specified"));
            }
            Named::Pairs(pairs) if by_name(&pairs.iter().map(|(kind, _)| *kind).collect::<Vec<_>>()) => {
                return Err(one("a resource cannot be retrieved by name across all namespaces"));
            }
            Named::Names(kind, _) if by_name(&[kind]) => {
                return Err(one("a resource cannot be retrieved by name across all namespaces"));
            }
            Named::Nothing => Vec::new(),
            Named::Pairs(pairs) => pairs.into_iter().map(|(kind, name)| Target::Named(kind, name)).collect(),
            Named::Names(kind, names) => names.into_iter().map(|name| Target::Named(kind, name)).collect(),
            Named::Types(kinds) => kinds.into_iter().map(Target::All).collect(),
        };
        Ok(query)
    }

    /// The same question about one target alone.
    pub fn only(&self, target: &Target) -> Query {
        Query { targets: vec![target.clone()], ..self.clone() }
    }

    /// Asks. What is found comes in the order of the targets, with what the server refused.
    pub fn run(&self, store: &Store) -> (Vec<Found>, Vec<ApiError>) {
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        for target in &self.targets {
            match self.ask(store, target) {
                Ok(one) => found.push(one),
                Err(error) => errors.push(error),
            }
        }
        (found, errors)
    }

    fn ask(&self, store: &Store, target: &Target) -> Result<Found, ApiError> {
        match target {
            Target::Named(kind, name) => {
                let object = resource::get(store, *kind, self.namespace.as_deref().unwrap_or_default(), name)?;
                Ok(Found { kind: *kind, named: true, objects: vec![object] })
            }
            Target::InFile(kind, namespace, name) => {
                let object = resource::get(store, *kind, namespace, name)?;
                Ok(Found { kind: *kind, named: true, objects: vec![object] })
            }
            Target::All(kind) => {
                let namespace = self.namespace.as_deref().unwrap_or_default();
                store.may(Asked { verb: "list", kind: *kind, subresource: "", namespace, name: "" })?;
                let filter = self.filter(*kind)?;
                let objects = store.list(*kind).filter(|object| filter.matches(object)).cloned().collect();
                Ok(Found { kind: *kind, named: false, objects })
            }
        }
    }

    /// What objects of `kind` must be like to be meant.
    ///
    /// # Errors
    /// The selectors do not fit the kind.
    pub fn filter(&self, kind: Kind) -> Result<Filter, ApiError> {
        let about = |why: String| {
            let (info, labels, fields) = (kind.info(), &self.labels, &self.fields);
            let group = info.group;
            // A kind with selectors of its own is named without its version.
            let why = why.replace(&format!("for batchv1.{}", info.name), &format!("for {}", info.name));
            ApiError::bad_request(format!(
                "Unable to find \"{group}/{}, Resource={}\" that match label selector \"{labels}\", field selector \
                 \"{fields}\": {why}",
                info.version, info.plural
            ))
        };
        Ok(Filter {
            namespace: self.namespace.clone().filter(|_| kind.info().namespaced),
            name: None,
            labels: Labels::parse(&self.labels).map_err(about)?,
            fields: Fields::parse(&self.fields, kind).map_err(about)?,
        })
    }
}

/// What an object must be like.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub labels: Labels,
    pub fields: Fields,
}

impl Filter {
    pub fn matches(&self, object: &Object) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| object.namespace() == namespace)
            && self.name.as_ref().is_none_or(|name| object.name() == name)
            && (self.labels.is_empty() || self.labels.matches(&object.meta().labels))
            && (self.fields.is_empty() || self.fields.matches(object))
            && !(self.namespace.is_some() && self.fields.is_empty() && is_about_node(object))
    }
}

/// An event about a Node. These lie in the cluster's own `default`; the recorder's scenarios had a namespace of their own,
/// so a list of that namespace does not have them. Who asks for them by a field, or in all namespaces, sees them.
pub fn is_about_node(object: &Object) -> bool {
    object.kind() == Kind::Event && object.value().str_at("involvedObject.kind") == Some("Node")
}
