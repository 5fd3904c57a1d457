//! Node selectors and affinity: which nodes a Pod may or would rather go to.
//!
//! Source: `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`, `plugins/nodeaffinity/node_affinity.go`.

use crate::sched::cache::NodeInfo;
use api::meta::StringMap;
use api::pod::{NodeSelectorTerm, Pod};

/// True if the node has the labels of `nodeSelector` and meets one of the required terms.
pub fn node_matches(pod: &Pod, node: &NodeInfo) -> bool {
    let labels = node.labels();
    if !pod.spec.node_selector.iter().all(|(key, value)| labels.get(key) == Some(value)) {
        return false;
    }
    match &pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution {
        None => true,
        Some(required) => required.node_selector_terms.iter().any(|term| term_matches(term, &node.name, labels)),
    }
}

/// One term: all its lines. A term without lines matches nothing.
pub fn term_matches(term: &NodeSelectorTerm, name: &str, labels: &StringMap) -> bool {
    if term.match_expressions.is_empty() && term.match_fields.is_empty() {
        return false;
    }
    let fields: StringMap = StringMap::from([("metadata.name".into(), name.into())]);
    term.match_expressions.iter().all(|e| e.matches(labels)) && term.match_fields.iter().all(|e| e.matches(&fields))
}

/// The sum of the weights of the preferred terms that the node meets.
pub fn preference(pod: &Pod, node: &NodeInfo) -> i64 {
    pod.spec
        .affinity
        .node_affinity
        .preferred_during_scheduling_ignored_during_execution
        .iter()
        .filter(|preferred| term_matches(&preferred.preference, &node.name, node.labels()))
        .map(|preferred| preferred.weight)
        .sum()
}
