//! What Kubernetes would say of a text, without the text being applied.
//!
//! Rule: nothing is checked here. The text is applied to a copy of the cluster it is meant for, and what that says is
//! told with its places; so the editor says what Apply would say at this moment. Files that are checked without a cluster
//! are applied to an empty one, all to the same.

use crate::kubectl;
use api::decode::hints;
use api::gaps;
use api::kind::Kind;
use cluster::program;
use cluster::program::image::Images;
use cluster::program::reference::Reference;
use cluster::{Cluster, Setup};
use values::rng::Rng;
use values::sort::sort_by_key;
use values::time::SimTime;
use values::value::Value;
use values::zone::ZoneTable;
use yaml::{self, Diagnostic, Node, Severity};

/// Everything there is to say of `bytes` if they were applied to `cluster` now, in the order of the text.
pub fn lint(bytes: &[u8], file: &str, cluster: &Cluster) -> Vec<Diagnostic> {
    apply_to(&mut cluster.clone(), bytes, file)
}

/// What there is to say of each of several files if all of them were applied, as by `kubectl apply -f` in their order.
/// What was refused is tried again at the end, for what it needs may stand in a later file.
pub fn lint_together(files: &[(String, Vec<u8>)], zones: &ZoneTable) -> Vec<Vec<Diagnostic>> {
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    let mut cluster = empty_cluster(zones);
    cluster.complete_images();
    let mut all: Vec<_> = files.iter().map(|(file, bytes)| apply_to(&mut cluster, bytes, file)).collect();
    for ((file, bytes), diagnostics) in files.iter().zip(&mut all) {
        if diagnostics.iter().any(is_error) {
            let again = apply_to(&mut cluster, bytes, file);
            diagnostics.retain(|diagnostic| !is_error(diagnostic));
            diagnostics.extend(again.into_iter().filter(is_error));
            put_in_order(diagnostics);
        }
    }
    all
}

/// A cluster without nodes, in which nobody has done anything.
pub fn empty_cluster(zones: &ZoneTable) -> Cluster {
    Cluster::new(&Setup { nodes: Vec::new(), ..Setup::default() }, SimTime::EPOCH, Rng::new(0), zones.clone())
}

fn apply_to(cluster: &mut Cluster, bytes: &[u8], file: &str) -> Vec<Diagnostic> {
    let parsed = yaml::parse_bytes(bytes, file);
    let Ok(text) = std::str::from_utf8(bytes) else { return parsed.diagnostics };
    let mut diagnostics = kubectl::apply_text(cluster, file, text).diagnostics;
    if parsed.documents.is_empty() && diagnostics.is_empty() {
        let start = yaml::TextRange { line: 1, column: 1, end_line: 1, end_column: 1, ..yaml::TextRange::default() };
        diagnostics.push(Diagnostic::new(Severity::Error, "empty", start, "there is no object in this text"));
    }
    put_in_order(&mut diagnostics);
    diagnostics
}

fn put_in_order(diagnostics: &mut Vec<Diagnostic>) {
    sort_by_key(diagnostics, |d| (d.span.start, d.severity));
    diagnostics.dedup();
}

/// Our own remarks on a document: surprising scalars, and fields that are kept but not acted on.
pub fn remarks(node: &Node, images: &Images) -> Vec<Diagnostic> {
    let value = node.value();
    let mut remarks = hints(node);
    let kind = value.str_at("apiVersion").zip(value.str_at("kind")).and_then(|(v, k)| Kind::find(v, k));
    for (path, gap) in kind.into_iter().flat_map(|kind| gaps::touched(kind, &value)) {
        let message = format!("{path} is accepted but not simulated. {}", gap.says);
        remarks.push(Diagnostic::new(Severity::Hint, "gap", node.locate(&path).span(), message));
    }
    if let Some(kind) = kind {
        remarks.extend(unknown_images(node, &value, kind, images));
        if kind.is_only_kept() {
            let message = format!("{kind} is kept, listed and printed; nothing in Batchyard acts on it.");
            remarks.push(Diagnostic::new(Severity::Hint, "kept", node.locate("kind").span(), message));
        }
    }
    remarks
}

/// A hint at each image that nobody here knows, once for each, unless the Pod says itself what it does.
fn unknown_images(node: &Node, value: &Value, kind: Kind, images: &Images) -> Vec<Diagnostic> {
    let Some(spec) = gaps::pod_spec_path(kind) else { return Vec::new() };
    let template =
        spec.strip_suffix(".spec").map_or_else(|| "metadata".to_owned(), |above| format!("{above}.metadata"));
    let own = value.at_keys(template.split('.').chain(["annotations"]));
    if own.as_map().is_some_and(|map| map.iter().any(|(name, _)| name.starts_with(program::ANNOTATION))) {
        return Vec::new();
    }
    let (mut hints, mut said) = (Vec::new(), Vec::new());
    for list in ["initContainers", "containers"] {
        let list = format!("{spec}.{list}");
        for (i, container) in value.at_keys(list.split('.')).as_list().unwrap_or(&[]).iter().enumerate() {
            let Some(name) = container.str_at("image").filter(|name| !said.contains(name)) else { continue };
            let Ok(reference) = Reference::parse(name) else { continue };
            if images.is_unmodelled(&reference) {
                said.push(name);
                let place = node.locate(&format!("{list}[{i}].image")).span();
                let message = format!(
                    "Batchyard does not know what is in {name}: what it starts is not run, but taken to succeed. The \
                     annotation {} says what it does instead.",
                    program::ANNOTATION
                );
                hints.push(Diagnostic::new(Severity::Hint, "image", place, message));
            }
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n";
    const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, namespace: other}\nspec: {template: {spec: \
                       {restartPolicy: Never, containers: [{name: a, image: busybox}]}}}\n";

    fn errors(diagnostics: &[Diagnostic]) -> Vec<&str> {
        let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
        diagnostics.iter().filter(is_error).map(|d| d.message.as_str()).collect()
    }

    #[test]
    fn a_text_is_held_against_the_cluster_it_is_meant_for() {
        let mut cluster = empty_cluster(&ZoneTable::bundled());
        let before = lint(JOB.as_bytes(), "job.yaml", &cluster);
        assert_eq!(errors(&before), ["namespaces \"other\" not found"]);
        assert!(errors(&apply_to(&mut cluster, NAMESPACE.as_bytes(), "namespace.yaml")).is_empty());
        let after = lint(JOB.as_bytes(), "job.yaml", &cluster);
        assert!(errors(&after).is_empty(), "{after:?}");
        // Nothing was applied by asking.
        assert!(cluster.store().list(Kind::Job).next().is_none());
        // Apply refuses to change what is immutable, so the editor says it beforehand.
        assert!(errors(&apply_to(&mut cluster, JOB.as_bytes(), "job.yaml")).is_empty());
        let changed = JOB.replace("image: busybox", "image: bash");
        let refused = lint(changed.as_bytes(), "job.yaml", &cluster);
        assert!(errors(&refused).iter().any(|e| e.contains("field is immutable")), "{refused:?}");
    }

    #[test]
    fn files_are_held_against_each_other_in_any_order() {
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        let wrong = JOB.replace("name: a, namespace", "name: A, namespace");
        let zones = ZoneTable::bundled();
        for files in [
            [file("n", NAMESPACE), file("j", JOB), file("w", &wrong)],
            [file("w", &wrong), file("j", JOB), file("n", NAMESPACE)],
        ] {
            for ((name, _), diagnostics) in files.iter().zip(lint_together(&files, &zones)) {
                let errors = errors(&diagnostics);
                assert_eq!(errors.is_empty(), name != "w", "{name}: {errors:?}");
                assert!(!errors.iter().any(|e| e.contains("not found")), "{name}: {errors:?}");
            }
        }
        let alone = lint_together(&[file("j", JOB)], &zones);
        assert_eq!(errors(&alone[0]), ["namespaces \"other\" not found"]);
    }
}
