//! What Tab offers behind `kubectl`: verbs, flags, kinds, names, files. All from the tables and the cluster.
//!
//! Source: `kubectl/pkg/util/completion`.

use crate::kubectl::flags::{self, Takes};
use crate::kubectl::resource::find_kind;
use crate::kubectl::{GLOBAL_FLAGS, Outcome, VERBS, Verb, find, help};
use api::kind::{KINDS, Kind};
use cluster::store::Store;

pub const VERB: Verb = Verb {
    name: "completion",
    summary: "Completion is built into this terminal",
    usage: "kubectl completion SHELL",
    flags: &[],
    run: |call| {
        let shell = call.parsed.args.first().cloned();
        match shell.as_deref() {
            None => call.misused("Shell not specified."),
            Some("bash" | "zsh" | "fish" | "powershell") => {
                call.io.out("# Completion is built into this terminal: press Tab.\n");
                Outcome::Exit(0)
            }
            Some(other) => call.misused(&format!("Unsupported shell type \"{other}\".")),
        }
    },
};

/// What the last word may be completed to. `words` are those behind `kubectl`, the last one being typed; an empty answer
/// means that files are wanted, or nothing.
pub fn complete(words: &[String], store: &Store) -> Vec<String> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let namespace = namespace(before);
    let mut offers: Vec<String> = match find(before) {
        None if last.starts_with('-') => flag_names(GLOBAL_FLAGS),
        None if flags::first_argument(before, 0, GLOBAL_FLAGS).is_none() => {
            VERBS.iter().map(|verb| verb.name).filter(|name| !name.contains(' ')).map(str::to_owned).collect()
        }
        None => Vec::new(),
        Some((verb, _)) if last.starts_with('-') => [flag_names(verb.flags), flag_names(GLOBAL_FLAGS)].concat(),
        Some((verb, rest)) => {
            let children: Vec<String> =
                help::children(verb.name).filter_map(|v| v.name.rsplit(' ').next()).map(str::to_owned).collect();
            match children.is_empty() {
                false => children,
                true => arguments(verb, &rest, last, store, namespace),
            }
        }
    };
    offers.retain(|offer| offer.starts_with(last.as_str()));
    offers.sort_unstable();
    offers.dedup();
    offers
}

fn namespace(words: &[String]) -> &str {
    let at = words.iter().position(|word| word == "-n" || word == "--namespace");
    at.and_then(|at| words.get(at + 1)).map_or("default", String::as_str)
}

fn flag_names(flags: &[flags::Flag]) -> Vec<String> {
    flags.iter().map(|flag| format!("--{}{}", flag.name, if flag.takes == Takes::Nothing { "" } else { "=" })).collect()
}

fn names(kind: Kind, store: &Store, namespace: &str) -> Vec<String> {
    let here = |o: &&std::rc::Rc<api::object::Object>| !kind.info().namespaced || o.namespace() == namespace;
    store.list(kind).filter(here).map(|o| o.name().to_owned()).collect()
}

fn arguments(verb: &Verb, rest: &[String], last: &str, store: &Store, namespace: &str) -> Vec<String> {
    if rest.last().is_some_and(|word| word == "-f" || word == "--filename") {
        return Vec::new();
    }
    if rest.last().is_some_and(|word| word == "-n" || word == "--namespace") {
        return names(Kind::Namespace, store, namespace);
    }
    let given: Vec<&String> = rest.iter().filter(|word| !word.starts_with('-')).collect();
    if let Some((kind, _)) = last.split_once('/') {
        let Some(found) = find_kind(kind) else { return Vec::new() };
        return names(found, store, namespace).into_iter().map(|name| format!("{kind}/{name}")).collect();
    }
    match (verb.name, given.first()) {
        ("cordon" | "uncordon" | "drain", _) => names(Kind::Node, store, namespace),
        ("logs" | "exec" | "attach" | "port-forward", None) => {
            let mut all = names(Kind::Pod, store, namespace);
            all.extend(["deployment/", "job/", "replicaset/"].map(str::to_owned));
            all
        }
        ("apply" | "create" | "replace" | "diff" | "run", _) => Vec::new(),
        (_, None) => KINDS.iter().map(|kind| kind.plural.to_owned()).collect(),
        (_, Some(kind)) => find_kind(kind).map(|kind| names(kind, store, namespace)).unwrap_or_default(),
    }
}
