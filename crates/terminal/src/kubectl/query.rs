//! Which objects a reading verb is about: kinds, names, selectors, namespaces; and finding them.
//!
//! Source: `cli-runtime/pkg/resource/{builder,selector}.go`.

use std::rc::Rc;

use crate::kubectl::resource::{self, Target};
use crate::kubectl::{Call, manifests};
use api::kind::Kind;
use api::object::Object;
use api::selector::{Fields, Labels};
use api::status::ApiError;
use cluster::store::Store;

/// A question to the API server.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub targets: Vec<Target>,
    /// None asks in all namespaces.
    pub namespace: Option<String>,
    labels: String,
    fields: String,
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
    /// Reads the arguments and the flags `-f`, `-l`, `--field-selector`, `-n` and `-A` of a call.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn read(call: &mut Call<'_, '_>) -> Result<Query, String> {
        let parsed = &call.parsed;
        let mut query = Query {
            targets: resource::targets(&parsed.args)?,
            namespace: (!parsed.on("all-namespaces")).then(|| call.namespace().to_owned()),
            labels: parsed.text("selector").unwrap_or_default().trim().to_owned(),
            fields: parsed.text("field-selector").unwrap_or_default().trim().to_owned(),
        };
        if parsed.is_set("filename") {
            query.targets.extend(named_in_files(call)?);
        }
        let by_name = query.targets.iter().any(|t| matches!(t, Target::Named(..)));
        if by_name && !(query.labels.is_empty() && query.fields.is_empty()) {
            let in_one = call.parsed.args.first().is_some_and(|arg| arg.contains('/'));
            return Err(if in_one {
                "selectors and the all flag cannot be used when passing resource/name arguments".to_owned()
            } else {
                "name cannot be provided when a selector is specified".to_owned()
            });
        }
        if by_name && query.namespace.is_none() {
            return Err("a resource cannot be retrieved by name across all namespaces".to_owned());
        }
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
            Target::All(kind) => {
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
            let group = if info.group.is_empty() { String::new() } else { info.group.to_owned() };
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

fn named_in_files(call: &mut Call<'_, '_>) -> Result<Vec<Target>, String> {
    let sources = manifests::read_files(call).map_err(|text| text.trim_start_matches("error: ").to_owned())?;
    let mut targets = Vec::new();
    for document in sources.iter().flat_map(|source| &source.documents) {
        let (version, kind) = (document.str_at("apiVersion").unwrap_or(""), document.str_at("kind").unwrap_or(""));
        let name = document.str_at("metadata.name").unwrap_or_default();
        let known = Kind::find(version, kind)
            .ok_or_else(|| format!("no matches for kind \"{kind}\" in version \"{version}\""))?;
        targets.push(Target::Named(known, name.to_owned()));
    }
    Ok(targets)
}
