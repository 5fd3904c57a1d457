//! Which objects a verb is about: by name, by label, all of a type, or those that files name.
//!
//! Source: `cli-runtime/pkg/resource/builder.go` (`visitorResult`, `visitBySelector`, `visitByPaths`).

use std::rc::Rc;

use crate::kubectl::errors::Failure;
use crate::kubectl::manifests::read_files;
use crate::kubectl::resource::{self, Named};
use crate::kubectl::{Call, Outcome};
use api::decode::{FieldValidation, decode};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::selector::{Fields, Labels};
use api::status::ApiError;
use values::value::Value;

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
    /// `--all` may stand beside a selector (`wait`).
    pub all_with_selector: bool,
}

const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.\nExample resource \
                             specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> \
                             <name>'\n   '<resource>'";
/// Said where `--local` stands beside arguments.
pub const ONLY_FILES: &str = "you must specify resources by --filename when --local is set.\nExample resource \
                              specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

/// What the files, or else the arguments with `-l`, `--all` and `--field-selector`, choose. What a file's part is wrong with
/// is noted.
///
/// # Errors
/// Nothing can be chosen at all.
pub fn wanted(call: &mut Call<'_, '_>, args: &[String], reading: Reading) -> Result<Vec<Wanted>, Vec<Failure>> {
    if call.parsed.is_set("filename") || call.parsed.is_set("kustomize") {
        let text = match resource::named(args) {
            Ok(Named::Nothing) => None,
            Ok(Named::Types(_)) => {
                Some("when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well")
            }
            Ok(Named::Names(..)) => {
                Some("when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well")
            }
            Ok(Named::Pairs(_)) => Some("resource/name arguments cannot be provided when a path is specified"),
            Err(text) => return Err(vec![Failure::Client(text)]),
        };
        return match text {
            Some(text) => Err(vec![Failure::client(text)]),
            None => from_files(call),
        };
    }
    from_arguments(call, args, reading).map_err(|text| vec![Failure::Client(text)])
}

/// The documents of the files as objects, with where each lies.
///
/// # Errors
/// A file cannot be read.
pub fn documents(call: &mut Call<'_, '_>) -> Result<Vec<(Value, Kind, String)>, Vec<Failure>> {
    let sources = read_files(call)?;
    let labels =
        call.parsed.text("selector").map(Labels::parse).transpose().map_err(|text| vec![Failure::Client(text)])?;
    let mut all = Vec::new();
    for source in sources {
        for document in source.documents {
            let decoded = match decode(&document, FieldValidation::Ignore) {
                Ok(decoded) => decoded,
                Err(refusal) => {
                    call.note(Failure::Plain(refusal.kubectl(&source.source, "reading")));
                    continue;
                }
            };
            let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else {
                let (version, kind) = (&decoded.api_version, &decoded.kind);
                call.note(Failure::client(format!("{version} {kind} is known here, but not simulated")));
                continue;
            };
            let own = decoded.object.at("metadata.labels").decode().unwrap_or_default();
            if labels.as_ref().is_some_and(|labels| !labels.matches(&own)) {
                continue;
            }
            let mut object = decoded.object;
            if kind.info().namespaced {
                if let Some(failure) = contradicts(call, &object) {
                    call.note(failure);
                    continue;
                }
                object.set_default("metadata.namespace", call.namespace());
            }
            all.push((object, kind, source.source.clone()));
        }
        source.failures.into_iter().for_each(|failure| call.note(failure));
    }
    Ok(all)
}

/// `-n` names another namespace than the object.
pub fn contradicts(call: &Call<'_, '_>, object: &Value) -> Option<Failure> {
    let own = object.str_at("metadata.namespace").filter(|own| !own.is_empty())?;
    let given = call.parsed.text("namespace").filter(|given| !given.is_empty() && *given != own)?;
    Some(Failure::client(format!(
        "the namespace from the provided object \"{own}\" does not match the namespace \"{given}\". You must pass \
         '--namespace={own}' to perform this operation."
    )))
}

fn from_files(call: &mut Call<'_, '_>) -> Result<Vec<Wanted>, Vec<Failure>> {
    let mut all = Vec::new();
    for (object, kind, source) in documents(call)? {
        let name = object.str_at("metadata.name").unwrap_or_default();
        if name.is_empty() {
            call.note(Failure::client("resource name may not be empty"));
            continue;
        }
        let key = Key::new(kind, object.str_at("metadata.namespace").unwrap_or_default(), name);
        all.push(Wanted { key, source: Some(source) });
    }
    Ok(all)
}

fn from_arguments(call: &Call<'_, '_>, args: &[String], reading: Reading) -> Result<Vec<Wanted>, String> {
    let named = resource::named(args)?;
    let selector = call.parsed.text("selector").filter(|text| !text.is_empty());
    let fields = call.parsed.text("field-selector").filter(|text| !text.is_empty());
    let everything = call.parsed.on("all");
    if everything && (selector.is_some() || fields.is_some()) && !reading.all_with_selector {
        return Err("setting 'all' parameter but found a non empty selector. ".to_owned());
    }
    let chosen = selector.is_some() || everything || fields.is_some();
    let namespace = if call.parsed.on("all-namespaces") { None } else { Some(call.namespace()) };
    let of_names = |kind: Kind, name: &str| match namespace {
        None if kind.info().namespaced => {
            Err("a resource cannot be retrieved by name across all namespaces".to_owned())
        }
        _ => Ok(Wanted { key: Key::new(kind, namespace.unwrap_or_default(), name), source: None }),
    };
    match named {
        Named::Names(..) if chosen => Err("name cannot be provided when a selector is specified".to_owned()),
        Named::Pairs(_) if chosen => {
            Err("selectors and the all flag cannot be used when passing resource/name arguments".to_owned())
        }
        Named::Nothing if chosen => Err("at least one resource must be specified to use a selector".to_owned()),
        Named::Nothing => Err(NOTHING_NAMED.to_owned()),
        Named::Names(kind, names) => names.iter().map(|name| of_names(kind, name)).collect(),
        Named::Pairs(pairs) => pairs.iter().map(|(kind, name)| of_names(*kind, name)).collect(),
        Named::Types(_) if !chosen && !reading.bare_type_is_all => {
            Err("resource(s) were provided, but no name was specified".to_owned())
        }
        Named::Types(kinds) => {
            let labels = selector.map(Labels::parse).transpose()?;
            let mut all = Vec::new();
            for kind in kinds {
                let fields = fields.map(|text| Fields::parse(text, kind)).transpose()?;
                let listed = call.desk.cluster.store().list(kind);
                let here = |o: &&Rc<Object>| {
                    namespace.is_none_or(|n| !kind.info().namespaced || n == o.namespace())
                        && labels.as_ref().is_none_or(|l| l.matches(&o.meta().labels))
                        && fields.as_ref().is_none_or(|f| f.matches(o))
                };
                all.extend(listed.filter(here).map(|o| Wanted { key: o.key(), source: None }));
            }
            Ok(all)
        }
    }
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

/// All wanted objects that are there; what is missing is noted.
///
/// # Errors
/// The verb is over: what is wrong was printed.
pub fn existing(call: &mut Call<'_, '_>, args: &[String], reading: Reading) -> Result<Vec<Rc<Object>>, Outcome> {
    let wanted = wanted(call, args, reading).map_err(|failures| call.end(&failures))?;
    let mut found = Vec::new();
    for one in wanted {
        match one.find(call) {
            Ok(object) => found.push(object),
            Err(error) => call.note(error.into()),
        }
    }
    Ok(found)
}

/// As [`existing`], or, with `--local`, the objects of the files as they are written.
///
/// # Errors
/// The verb is over: what is wrong was printed.
pub fn existing_or_local(call: &mut Call<'_, '_>, args: &[String]) -> Result<Vec<Rc<Object>>, Outcome> {
    if !call.parsed.on("local") {
        return existing(call, args, Reading::default());
    }
    if !args.is_empty() {
        return Err(call.fail(ONLY_FILES));
    }
    let documents = documents(call).map_err(|failures| call.end(&failures))?;
    Ok(documents.into_iter().map(|(object, kind, _)| Rc::new(Object::new(kind, object, 0))).collect())
}
