//! What a command names: `job x`, `job/x`, `jobs,pods`, `rs,svc,job -l a=b`.
//!
//! Source: `cli-runtime/pkg/resource/builder.go`.

use std::rc::Rc;

use api::kind::{KINDS, Kind};
use api::object::Object;
use api::status::ApiError;
use cluster::store::Store;

/// What of the cluster a command is about.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    Named(Kind, String),
    /// Every object of the kind (that the selector, if any, chooses).
    All(Kind),
}

/// The kind that `word` names: `job`, `jobs`, `jobs.batch`, `Job`, `po` …
pub fn find_kind(word: &str) -> Option<Kind> {
    let lower = word.to_lowercase();
    let info = KINDS.iter().find(|k| {
        let long = |name: &str| name == lower || lower == format!("{name}.{}", k.group);
        let versioned = format!("{}.{}.{}", k.plural, k.version, k.group);
        long(k.plural) || long(k.singular) || k.short_names.contains(&lower.as_str()) || versioned == lower
    })?;
    Some(info.kind)
}

/// Reads the arguments of `get`, `delete` and their like. `many` says that a kind alone means all of it.
///
/// # Errors
/// kubectl's words, without `error: `.
pub fn targets(args: &[String]) -> Result<Vec<Target>, String> {
    let unknown = |word: &str| format!("the server doesn't have a resource type \"{word}\"");
    let Some(first) = args.first() else { return Ok(Vec::new()) };
    if first.contains('/') {
        return args
            .iter()
            .map(|arg| {
                let (kind, name) = arg.split_once('/').ok_or(
                    "there is no need to specify a resource type as a separate argument when passing arguments in \
                     resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                     resource/<resource_name>'",
                )?;
                Ok(Target::Named(find_kind(kind).ok_or_else(|| unknown(kind))?, name.to_owned()))
            })
            .collect();
    }
    let mut kinds = Vec::new();
    for word in first.split(',') {
        if word == "all" {
            kinds.extend(KINDS.iter().filter(|k| k.in_all).map(|k| k.kind));
        } else {
            kinds.push(find_kind(word).ok_or_else(|| unknown(word))?);
        }
    }
    if args.len() == 1 {
        return Ok(kinds.into_iter().map(Target::All).collect());
    }
    Ok(args[1..].iter().flat_map(|name| kinds.iter().map(|k| Target::Named(*k, name.clone()))).collect())
}

/// The object, or what the API server says if there is none.
pub fn get(store: &Store, kind: Kind, namespace: &str, name: &str) -> Result<Rc<Object>, ApiError> {
    store.find(kind, namespace, name).cloned().ok_or_else(|| ApiError::not_found(kind, name))
}
