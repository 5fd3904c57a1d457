//! `kubectl diff`: what `apply` would change, as `diff -u` shows it.
//!
//! Source: `kubectl/pkg/cmd/diff/diff.go`. Exit code 1: there are differences; 2: something failed.

use crate::kubectl::common;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::{Call, Outcome, Verb, apply, errors};
use api::decode::{FieldValidation, decode_for_apply};
use api::kind::Kind;
use values::value::Value;
use yaml;

pub const VERB: Verb = Verb {
    name: "diff",
    summary: "Show what apply would change",
    usage: "kubectl diff -f FILENAME",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("concurrency", Takes::Text, "How many objects at once").default("1"),
    common::FIELD_MANAGER,
    common::FILENAME,
    flag("force-conflicts", Takes::Nothing, "Take fields over from their owners").default("false"),
    common::KUSTOMIZE,
    flag("prune", Takes::Nothing, "Also objects that are no longer in the files; not simulated").default("false"),
    common::RECURSIVE,
    common::SELECTOR,
    flag("server-side", Takes::Nothing, "As apply --server-side").default("false"),
    common::MANAGED_FIELDS,
];

/// Lines of agreement around each difference.
const CONTEXT: usize = 3;

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let sources = match read_files(call) {
        Ok(sources) if sources.is_empty() => {
            call.fail("must specify one of -f and -k");
            return Outcome::Exit(2);
        }
        Ok(sources) => sources,
        Err(failures) => {
            call.end(&failures);
            return Outcome::Exit(2);
        }
    };
    let namespace = call.namespace().to_owned();
    let mut exit = 0;
    for source in &sources {
        for document in &source.documents {
            let decoded = match decode_for_apply(document, FieldValidation::Ignore) {
                Ok(decoded) => decoded,
                Err(refusal) => {
                    call.fail_line(&refusal.kubectl(&source.source, "creating"));
                    return Outcome::Exit(2);
                }
            };
            let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else { continue };
            let mut copy = call.desk.cluster.clone();
            let namespace = decoded.object.str_at("metadata.namespace").unwrap_or(&namespace).to_owned();
            let name = decoded.object.str_at("metadata.name").unwrap_or_default().to_owned();
            let live = copy.store().find(kind, &namespace, &name).map(|o| o.value().clone());
            if let Err(error) = apply::apply_quietly(&mut copy, kind, document, decoded, &namespace) {
                let line = errors::render(&error, None);
                call.fail_line(&line);
                return Outcome::Exit(2);
            }
            let mut merged = copy.store().find(kind, &namespace, &name).map(|o| o.value().clone());
            if let Some(merged) = &mut merged {
                keep_annotation(live.as_ref(), merged);
            }
            let (live, merged) = (text_of(live), text_of(merged));
            if live != merged {
                let version = kind.info().api_version().replace('/', ".");
                let file = format!("{version}.{}.{namespace}.{name}", kind.name());
                let time = call.desk.cluster.now().format("%Y-%m-%d %H:%M:%S.000000000 +0000");
                call.io.out(&format!(
                    "diff -u -N /tmp/LIVE/{file} /tmp/MERGED/{file}\n--- /tmp/LIVE/{file}\t{time}\n+++ /tmp/MERGED/{file}\t{time}\n{}",
                    unified(&live, &merged)
                ));
                exit = 1;
            }
        }
        if !source.failures.is_empty() {
            call.end(&source.failures);
            return Outcome::Exit(2);
        }
    }
    Outcome::Exit(exit)
}

/// The note of the last apply is the one that stands: it is no difference.
fn keep_annotation(live: Option<&Value>, merged: &mut Value) {
    let old = live.map(|live| live.at_keys(["metadata", "annotations", apply::LAST_APPLIED]).clone());
    let mut annotations = merged.at("metadata.annotations").clone();
    match old.filter(|old| !old.is_null()) {
        Some(old) => drop(annotations.map_mut().insert(apply::LAST_APPLIED, old)),
        None => drop(annotations.map_mut().remove(apply::LAST_APPLIED)),
    }
    match annotations.is_empty() && live.is_none_or(|live| !live.has("metadata.annotations")) {
        true => drop(merged.remove("metadata.annotations")),
        false => merged.set("metadata.annotations", annotations),
    }
}

fn text_of(object: Option<Value>) -> String {
    object
        .map(|mut object| {
            object.remove("metadata.resourceVersion");
            yaml::emit(&object)
        })
        .unwrap_or_default()
}

/// The hunks of `diff -u`.
fn unified(old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(CONTEXT).missing_newline_hint(false).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn hunks_are_those_of_diff() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let new = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\n";
        let want = "@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -8,3 +8,4 @@\n h\n i\n j\n+k\n";
        assert_eq!(super::unified(old, new), want);
        assert_eq!(super::unified("", "x\n"), "@@ -0,0 +1 @@\n+x\n");
        // Large objects are compared like small ones: one line of many that changes is one line.
        let many: String = (0..8000).map(|n| format!("line {n}\n")).collect();
        let changed = many.replace("line 4000\n", "changed\n");
        let hunk = super::unified(&many, &changed);
        assert!(hunk.starts_with("@@ -3998,7 +3998,7 @@\n line 3997\n"), "{hunk:.60}");
        assert_eq!(hunk.lines().count(), 9);
    }
}
