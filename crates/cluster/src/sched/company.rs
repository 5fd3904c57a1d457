//! Inter-Pod affinity: which Pods want to be near each other, or not.
//!
//! Rule: `docs/semantics/scheduler.md` §2 (InterPodAffinity) and §4. A term without namespaces means the Pod's own.
//! Source: `pkg/scheduler/framework/plugins/interpodaffinity/{filtering,scoring}.go`. `namespaceSelector`,
//! `matchLabelKeys` and `mismatchLabelKeys` are not read.

use crate::sched::cache::{Cache, NodeInfo, PodInfo};
use crate::sched::fit_error::{Plugin, Rejection};
use api::meta::Key;
use api::pod::PodAffinityTerm;
use values::sorted::SortedMap;

/// How many Pods count for each topology (label and value).
type Counts = SortedMap<(String, String), i64>;

/// What was gathered once for one Pod.
#[derive(Clone, Debug, Default)]
pub struct Company {
    /// Pods that match all of the Pod's required affinity terms.
    wanted: Counts,
    /// Pods that match one of its required anti-affinity terms.
    unwanted: Counts,
    /// Pods that refuse this one.
    refusing: Counts,
}

fn term_selects(term: &PodAffinityTerm, owner: &PodInfo, other: &PodInfo) -> bool {
    let in_namespace = if term.namespaces.is_empty() {
        owner.namespace() == other.namespace()
    } else {
        term.namespaces.iter().any(|n| n == other.namespace())
    };
    in_namespace && term.label_selector.as_ref().is_some_and(|selector| selector.matches(other.labels()))
}

fn required(pod: &PodInfo) -> &[PodAffinityTerm] {
    &pod.pod().spec.affinity.pod_affinity.required_during_scheduling_ignored_during_execution
}

fn required_apart(pod: &PodInfo) -> &[PodAffinityTerm] {
    &pod.pod().spec.affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution
}

fn count(counts: &mut Counts, node: &NodeInfo, topology_key: &str, by: i64) {
    if let Some(value) = node.labels().get(topology_key) {
        *counts.entry((topology_key.to_owned(), value.to_string())).or_default() += by;
    }
}

fn counted(counts: &Counts, node: &NodeInfo, topology_key: &str) -> i64 {
    let Some(value) = node.labels().get(topology_key) else { return 0 };
    counts.get(&(topology_key.to_owned(), value.to_string())).copied().unwrap_or(0)
}

impl Company {
    /// Looks at the Pods there are, as if those in `without` were gone.
    pub fn gather(pod: &PodInfo, cache: &Cache, without: &[Key]) -> Company {
        let mut company = Company::default();
        for (node, other) in cache.pods_with_affinity().filter(|(_, other)| !without.contains(&other.key)) {
            for term in required_apart(other).iter().filter(|term| term_selects(term, other, pod)) {
                count(&mut company.refusing, node, &term.topology_key, 1);
            }
        }
        let (near, apart) = (required(pod), required_apart(pod));
        if near.is_empty() && apart.is_empty() {
            return company;
        }
        for (node, other) in cache.pods().filter(|(_, other)| !without.contains(&other.key)) {
            if !near.is_empty() && near.iter().all(|term| term_selects(term, pod, other)) {
                for term in near {
                    count(&mut company.wanted, node, &term.topology_key, 1);
                }
            }
            for term in apart.iter().filter(|term| term_selects(term, pod, other)) {
                count(&mut company.unwanted, node, &term.topology_key, 1);
            }
        }
        company
    }

    /// The filter.
    pub fn check(&self, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        if !self.finds_company(pod, node) {
            let reason = "node(s) didn't match pod affinity rules";
            return Err(Rejection::unresolvable(Plugin::InterPodAffinity, reason));
        }
        if required_apart(pod).iter().any(|term| counted(&self.unwanted, node, &term.topology_key) > 0) {
            return Err(Rejection::new(Plugin::InterPodAffinity, "node(s) didn't match pod anti-affinity rules"));
        }
        let refused = self
            .refusing
            .iter()
            .any(|((key, value), n)| *n > 0 && node.labels().get(key.as_str()).is_some_and(|v| v == value));
        if refused {
            let reason = "node(s) didn't satisfy existing pods anti-affinity rules";
            return Err(Rejection::new(Plugin::InterPodAffinity, reason));
        }
        Ok(())
    }

    /// The first Pod of a group that wants its own company may go anywhere that has the topology.
    fn finds_company(&self, pod: &PodInfo, node: &NodeInfo) -> bool {
        let terms = required(pod);
        if terms.iter().any(|term| !node.labels().contains_key(&term.topology_key)) {
            return false;
        }
        terms.iter().all(|term| counted(&self.wanted, node, &term.topology_key) > 0)
            || (self.wanted.is_empty() && terms.iter().all(|term| term_selects(term, pod, pod)))
    }
}

/// The weight that each topology has for the Pod; none if no Pod prefers anything.
pub fn preferences(pod: &PodInfo, cache: &Cache) -> Counts {
    let mut weights = Counts::new();
    for (node, other) in cache.pods_with_affinity() {
        let affinity = &other.pod().spec.affinity;
        // Required company counts one (`hardPodAffinityWeight`).
        for term in required(other).iter().filter(|term| term_selects(term, other, pod)) {
            count(&mut weights, node, &term.topology_key, 1);
        }
        let both = [(&affinity.pod_affinity, 1), (&affinity.pod_anti_affinity, -1)];
        for (side, sign) in both {
            for weighted in &side.preferred_during_scheduling_ignored_during_execution {
                if term_selects(&weighted.pod_affinity_term, other, pod) {
                    count(&mut weights, node, &weighted.pod_affinity_term.topology_key, sign * weighted.weight);
                }
            }
        }
    }
    let affinity = &pod.pod().spec.affinity;
    for (side, sign) in [(&affinity.pod_affinity, 1), (&affinity.pod_anti_affinity, -1)] {
        for weighted in &side.preferred_during_scheduling_ignored_during_execution {
            for (node, other) in cache.pods() {
                if term_selects(&weighted.pod_affinity_term, pod, other) {
                    count(&mut weights, node, &weighted.pod_affinity_term.topology_key, sign * weighted.weight);
                }
            }
        }
    }
    weights
}

/// The sum of the weights of the topologies the node belongs to.
pub fn preference(weights: &Counts, node: &NodeInfo) -> i64 {
    let belongs = |key: &String, value: &String| node.labels().get(key.as_str()).is_some_and(|v| v == value);
    weights.iter().filter(|((key, value), _)| belongs(key, value)).map(|(_, weight)| weight).sum()
}
