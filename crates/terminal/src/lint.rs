//! What Kubernetes would say of a text, without a cluster of one's own.
//!
//! Rule: nothing is checked here. The text is applied to a fresh cluster, and what that says is told with its places; so
//! `lint`, the editor and Apply cannot disagree.

use crate::Terminals;
use api::decode::hints;
use api::gaps;
use api::kind::Kind;
use cluster::{Cluster, Setup};
use values::rng::Rng;
use values::sort::sort_by_key;
use values::time::SimTime;
use values::zone::ZoneTable;
use yaml::{self, Diagnostic, Node, Severity};

/// Everything there is to say of `bytes`, in the order of the text.
pub fn lint(bytes: &[u8], file: &str, zones: &ZoneTable) -> Vec<Diagnostic> {
    let parsed = yaml::parse_bytes(bytes, file);
    let Ok(text) = std::str::from_utf8(bytes) else { return parsed.diagnostics };
    let empty = Setup { nodes: Vec::new(), ..Setup::default() };
    let mut cluster = Cluster::new(&empty, SimTime::EPOCH, Rng::new(0), zones.clone());
    let reply = Terminals::new().apply(&mut cluster, file, text);
    let mut diagnostics = reply.diagnostics;
    if parsed.documents.is_empty() && diagnostics.is_empty() {
        let start = yaml::TextRange { line: 1, column: 1, end_line: 1, end_column: 1, ..yaml::TextRange::default() };
        diagnostics.push(Diagnostic::new(Severity::Error, "empty", start, "there is no object in this text"));
    }
    sort_by_key(&mut diagnostics, |d| (d.span.start, d.severity));
    diagnostics.dedup();
    diagnostics
}

/// Our own remarks on a document: surprising scalars, and fields that are kept but not acted on.
pub fn remarks(node: &Node) -> Vec<Diagnostic> {
    let value = node.value();
    let mut remarks = hints(node);
    let kind = value.str_at("apiVersion").zip(value.str_at("kind")).and_then(|(v, k)| Kind::find(v, k));
    for (path, gap) in kind.into_iter().flat_map(|kind| gaps::touched(kind, &value)) {
        let message = format!("{path} is accepted but not simulated. {}", gap.says);
        remarks.push(Diagnostic::new(Severity::Hint, "gap", node.locate(&path).span(), message));
    }
    remarks
}
