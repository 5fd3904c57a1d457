//! What a command names: `job x`, `job/x`, `jobs,pods`, `rs,svc,job -l a=b`, `job.v1.batch/x`.
//!
//! Source: `cli-runtime/pkg/resource/builder.go` (`ResourceTypeOrNameArgs`, `mappingFor`).

use std::rc::Rc;

use api::kind::{KINDS, Kind, KindInfo};
use api::object::Object;
use api::status::ApiError;
use cluster::store::Store;
use cluster::store::rbac::Asked;

/// What of the cluster a command is about.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    Named(Kind, String),
    /// What a file names: kind, namespace, name.
    InFile(Kind, String, String),
    /// Every object of the kind (that the selector, if any, chooses).
    All(Kind),
}

/// How the arguments named things.
#[derive(Clone, PartialEq, Debug)]
pub enum Named {
    /// `job/a pod/b`
    Pairs(Vec<(Kind, String)>),
    /// `job a b`
    Names(Kind, Vec<String>),
    /// `jobs,pods`
    Types(Vec<Kind>),
    Nothing,
}

/// The kind that `word` names: `job`, `jobs`, `jobs.batch`, `job.v1.batch`, `Job`, `po` …
pub fn find_kind(word: &str) -> Option<Kind> {
    let lower = word.to_lowercase();
    let (resource, rest) = lower.split_once('.').unwrap_or((&lower, ""));
    let of_group = |kind: &&KindInfo, group: &str| {
        let called = kind.plural == resource || kind.singular == resource || kind.short_names.contains(&resource);
        called && (group.is_empty() || kind.group == group)
    };
    if let Some(("v1", group)) = rest.split_once('.')
        && let Some(kind) = KINDS.iter().find(|kind| of_group(kind, group) && !group.is_empty())
    {
        return Some(kind.kind);
    }
    let exactly = KINDS.iter().find(|kind| of_group(kind, rest));
    // A group may be cut short: `deployments.ap`.
    let roughly = || KINDS.iter().find(|kind| of_group(kind, "") && kind.group.starts_with(rest));
    exactly.or_else(roughly).map(|kind| kind.kind)
}

/// kubectl's words for a type that is not there, without `error: `.
pub fn unknown(word: &str) -> String {
    format!("the server doesn't have a resource type \"{}\"", word.split('.').next().unwrap_or(word))
}

/// Reads the arguments of `get`, `delete` and their like.
///
/// # Errors
/// kubectl's words, without `error: `.
pub fn named(args: &[String]) -> Result<Named, String> {
    let kind_of = |word: &str| find_kind(word).ok_or_else(|| unknown(word));
    let Some(first) = args.first() else { return Ok(Named::Nothing) };
    // `job,pod x y` stands for `job/x job/y pod/x pod/y`.
    let mut pairs: Vec<String> = args.to_vec();
    if args.len() > 1 && first.contains(',') {
        let of_type = |kind: &str| args[1..].iter().map(|name| format!("{kind}/{name}")).collect::<Vec<_>>();
        pairs = first.split(',').flat_map(of_type).collect();
    }
    let slashes = pairs.iter().filter(|arg| arg.contains('/')).count();
    if slashes == pairs.len() {
        return pairs.iter().map(|pair| split_pair(pair)).collect::<Result<Vec<_>, _>>().map(Named::Pairs);
    }
    if slashes > 0 {
        return Err("there is no need to specify a resource type as a separate argument when passing arguments in \
                    resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                    resource/<resource_name>'"
            .to_owned());
    }
    let mut kinds = Vec::new();
    for word in first.split(',') {
        let found = if word == "all" {
            KINDS.iter().filter(|k| k.in_all).map(|k| k.kind).collect()
        } else {
            vec![kind_of(word)?]
        };
        for kind in found {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    match (args.len(), kinds.as_slice()) {
        (1, _) => Ok(Named::Types(kinds)),
        (_, [kind]) => Ok(Named::Names(*kind, args[1..].to_vec())),
        _ => Err("you must specify only one resource".to_owned()),
    }
}

/// `job/x`
pub fn split_pair(pair: &str) -> Result<(Kind, String), String> {
    let parts: Vec<&str> = pair.split('/').collect();
    match parts.as_slice() {
        [kind, name] if !kind.is_empty() && !name.is_empty() && !kind.contains(',') => {
            Ok((find_kind(kind).ok_or_else(|| unknown(kind))?, (*name).to_owned()))
        }
        [_, _] => Err("arguments in resource/name form must have a single resource and name".to_owned()),
        _ => Err("arguments in resource/name form may not have more than one slash".to_owned()),
    }
}

/// The object, or what the API server says if there is none.
pub fn get(store: &Store, kind: Kind, namespace: &str, name: &str) -> Result<Rc<Object>, ApiError> {
    store.may(Asked { verb: "get", kind, subresource: "", namespace, name })?;
    store.find(kind, namespace, name).cloned().ok_or_else(|| missing(store, kind, namespace, name))
}

/// What the API server says of an object that is not there: perhaps even its namespace is not.
pub fn missing(store: &Store, kind: Kind, namespace: &str, name: &str) -> ApiError {
    let nowhere = kind.info().namespaced && store.find(Kind::Namespace, "", namespace).is_none();
    if nowhere { ApiError::not_found(Kind::Namespace, namespace) } else { ApiError::not_found(kind, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_many_names() {
        for word in ["job", "jobs", "Job", "jobs.batch", "job.v1.batch", "jobs.ba"] {
            assert_eq!(find_kind(word), Some(Kind::Job), "{word}");
        }
        for word in ["jobs.v1beta1.batch", "jbos.batch", "jobs.apps", "job.v1", ""] {
            assert_eq!(find_kind(word), None, "{word}");
        }
        assert_eq!(unknown("jobs.v1beta1.batch"), "the server doesn't have a resource type \"jobs\"");
    }
}
