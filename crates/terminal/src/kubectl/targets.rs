//! Which objects a verb is about: by name, by label, all of a type, or those that files name.
//!
//! Source: `cli-runtime/pkg/resource/builder.go`.

use std::rc::Rc;

use crate::kubectl::manifests::read_files;
use crate::kubectl::resource::{self, Target};
use crate::kubectl::{Call, errors};
use api::decode::{FieldValidation, decode};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::selector::{Fields, Labels};
use api::status::ApiError;

/// An object that the command line names. It need not exist.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub key: Key,
    /// The file that names it: `STDIN` or its name.
    pub source: Option<String>,
}

/// How the arguments are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// A type alone means all its objects (as `get` has it); otherwise a name is wanted.
    pub bare_type_is_all: bool,
}

/// What the files, or else the arguments with `-l`, `--all` and `--field-selector`, choose.
///
/// # Errors
/// What kubectl prints, `error: ` included.
pub fn wanted(call: &mut Call<'_, '_>, args: &[String], reading: Reading) -> Result<Vec<Wanted>, String> {
    if !call.parsed.list("filename").is_empty() {
        return from_files(call);
    }
    from_arguments(call, args, reading).map_err(|text| format!("error: {text}"))
}

fn from_files(call: &mut Call<'_, '_>) -> Result<Vec<Wanted>, String> {
    let sources = read_files(call)?;
    let namespace = call.namespace().to_owned();
    let mut all = Vec::new();
    for source in sources {
        for document in source.documents {
            let decoded =
                decode(&document, FieldValidation::Ignore).map_err(|e| e.kubectl(&source.source, "reading"))?;
            let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
                return Err(format!(
                    "error: {} {} is known here, but not simulated",
                    decoded.api_version, decoded.kind
                ));
            };
            let name = decoded.object.str_at("metadata.name").unwrap_or_default();
            if name.is_empty() {
                return Err("error: resource name may not be empty".to_owned());
            }
            let namespace = decoded.object.str_at("metadata.namespace").unwrap_or(&namespace);
            let key = Key::new(kind, namespace, name);
            all.push(Wanted { key, source: Some(source.source.clone()) });
        }
        if let Some(error) = source.error {
            return Err(error);
        }
    }
    Ok(all)
}

fn from_arguments(call: &Call<'_, '_>, args: &[String], reading: Reading) -> Result<Vec<Wanted>, String> {
    let targets = resource::targets(args)?;
    if targets.is_empty() {
        return Err(
            "You must provide one or more resources by argument or filename.\nExample resource specifications \
                    include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'"
                .to_owned(),
        );
    }
    let labels = call.parsed.text("selector").map(Labels::parse).transpose()?;
    let everything = call.parsed.on("all");
    let chosen = labels.is_some() || everything || call.parsed.is_set("field-selector");
    if chosen && targets.iter().any(|t| matches!(t, Target::Named(..))) {
        return Err(match everything {
            true => "setting 'all' parameter but found a non empty selector. ".to_owned(),
            false => "name cannot be provided when a selector is specified".to_owned(),
        });
    }
    if labels.is_some() && everything {
        return Err("setting 'all' parameter but found a non empty selector. ".to_owned());
    }
    let namespace = if call.parsed.on("all-namespaces") { None } else { Some(call.namespace()) };
    let mut all = Vec::new();
    for target in targets {
        match target {
            Target::Named(kind, name) => {
                let key = Key::new(kind, namespace.unwrap_or("default"), &name);
                all.push(Wanted { key, source: None });
            }
            Target::All(_) if !chosen && !reading.bare_type_is_all => {
                return Err("resource(s) were provided, but no name was specified".to_owned());
            }
            Target::All(kind) => {
                let fields = call.parsed.text("field-selector").map(|text| Fields::parse(text, kind)).transpose()?;
                let listed = call.desk.cluster.store().list(kind);
                let here = |o: &&Rc<Object>| {
                    namespace.is_none_or(|n| !kind.info().namespaced || n == o.namespace())
                        && labels.as_ref().is_none_or(|l| l.matches(&o.meta().labels))
                        && fields.as_ref().is_none_or(|f| f.matches(o))
                };
                all.extend(listed.filter(here).map(|o| Wanted { key: o.key(), source: None }));
            }
        }
    }
    Ok(all)
}

impl Wanted {
    /// The object, if it is there.
    ///
    /// # Errors
    /// NotFound.
    pub fn find(&self, call: &Call<'_, '_>) -> Result<Rc<Object>, ApiError> {
        resource::get(call.desk.cluster.store(), self.key.kind, &self.key.namespace, &self.key.name)
    }
}

/// All wanted objects that are there; what is missing is told at once. Second: whether something was missing.
///
/// # Errors
/// What kubectl prints, `error: ` included.
pub fn existing(call: &mut Call<'_, '_>, args: &[String], reading: Reading) -> Result<(Vec<Rc<Object>>, bool), String> {
    let wanted = wanted(call, args, reading)?;
    let (mut found, mut missing) = (Vec::new(), false);
    for one in wanted {
        match one.find(call) {
            Ok(object) => found.push(object),
            Err(error) => {
                let text = errors::render(&error, None);
                call.io.err(&format!("{text}\n"));
                missing = true;
            }
        }
    }
    Ok((found, missing))
}
