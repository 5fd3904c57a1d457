//! Topology spread: keeping a group of Pods even over nodes or zones.
//!
//! Rule: `docs/semantics/scheduler.md` §2 and §4 (PodTopologySpread). Terminating Pods do not count; nodes the Pod's
//! own selector excludes do not either. Logarithms are taken in whole millionths, so that every machine agrees. Source:
//! `pkg/scheduler/framework/plugins/podtopologyspread/{common,filtering,scoring,plugin}.go`. `matchLabelKeys` and the
//! two node policies other than their defaults (Honor affinity, Ignore taints) are not read.

use crate::sched::affinity;
use crate::sched::cache::{Cache, NodeInfo, PodInfo};
use crate::sched::fit_error::{Plugin, Rejection};
use crate::store::Store;
use api::kind::Kind;
use api::meta::{Key, LabelSelector, StringMap};
use values::sorted::{SortedMap, SortedSet};
use values::value::Text;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
/// One, in the fixed point of this file.
const MILLION: i64 = 1_000_000;

/// A constraint with its selector at hand.
#[derive(Clone, Debug)]
struct Constraint {
    max_skew: i64,
    topology_key: Text,
    selectors: Vec<LabelSelector>,
    min_domains: i64,
}

impl Constraint {
    fn selects(&self, labels: &StringMap) -> bool {
        !self.selectors.is_empty() && self.selectors.iter().all(|s| s.matches(labels))
    }

    fn count_on(&self, node: &NodeInfo, namespace: &str, without: &[Key]) -> i64 {
        let counts = |pod: &&std::rc::Rc<PodInfo>| {
            pod.namespace() == namespace
                && !pod.pod().metadata.is_being_deleted()
                && self.selects(pod.labels())
                && !without.contains(&pod.key)
        };
        node.pods.values().filter(counts).count() as i64
    }
}

fn constraints(pod: &PodInfo, action: &str) -> Vec<Constraint> {
    let of = pod.pod().spec.topology_spread_constraints.iter().filter(|c| c.when_unsatisfiable == action);
    of.map(|c| Constraint {
        max_skew: c.max_skew,
        topology_key: c.topology_key.clone(),
        selectors: c.label_selector.clone().into_iter().collect(),
        min_domains: c.min_domains.unwrap_or(1),
    })
    .collect()
}

/// For each hard constraint, how many Pods each topology has.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    hard: Vec<(Constraint, SortedMap<Text, i64>)>,
}

impl Spread {
    /// Counts the Pods there are, as if those in `without` were gone.
    pub fn gather(pod: &PodInfo, cache: &Cache, without: &[Key]) -> Spread {
        let hard = constraints(pod, "DoNotSchedule");
        let keys: Vec<Text> = hard.iter().map(|c| c.topology_key.clone()).collect();
        let eligible = |node: &&NodeInfo| {
            affinity::node_matches(pod.pod(), node) && keys.iter().all(|key| node.labels().contains_key(key))
        };
        let counted = hard.into_iter().map(|constraint| {
            let mut counts = SortedMap::new();
            for node in cache.nodes().filter(eligible) {
                let value = node.labels()[&constraint.topology_key].clone();
                *counts.entry(value).or_insert(0) += constraint.count_on(node, pod.namespace(), without);
            }
            (constraint, counts)
        });
        Spread { hard: counted.collect() }
    }

    /// The filter.
    pub fn check(&self, pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        for (constraint, counts) in &self.hard {
            let Some(value) = node.labels().get(&constraint.topology_key) else {
                let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
                return Err(Rejection::unresolvable(Plugin::PodTopologySpread, reason));
            };
            let itself = i64::from(constraint.selects(pod.labels()));
            let too_few = (counts.len() as i64) < constraint.min_domains;
            let least = if too_few { 0 } else { counts.values().min().copied().unwrap_or(0) };
            let here = counts.get(value).copied().unwrap_or(0);
            if here + itself - least > constraint.max_skew {
                let reason = "node(s) didn't match pod topology spread constraints";
                return Err(Rejection::new(Plugin::PodTopologySpread, reason));
            }
        }
        Ok(())
    }
}

/// The constraints a Pod of a Service or ReplicaSet has without asking: 3 over hosts, 5 over zones, if possible.
fn default_constraints(pod: &PodInfo, store: &Store) -> Vec<Constraint> {
    let mut selectors = Vec::new();
    for service in store.list_in(Kind::Service, pod.namespace()) {
        let selector = LabelSelector { match_labels: service.service().spec.selector.clone(), ..Default::default() };
        if !selector.is_empty() && selector.matches(pod.labels()) {
            selectors.push(selector);
        }
    }
    if let Some(owner) = pod.pod().metadata.controller().filter(|owner| owner.kind == "ReplicaSet")
        && let Some(set) = store.find(Kind::ReplicaSet, pod.namespace(), &owner.name)
    {
        selectors.push(set.replica_set().spec.selector.clone());
    }
    if selectors.is_empty() {
        return Vec::new();
    }
    let constraint = |max_skew, key: &'static str| Constraint {
        max_skew,
        topology_key: Text::Known(key),
        selectors: selectors.clone(),
        min_domains: 1,
    };
    vec![constraint(3, HOSTNAME), constraint(5, ZONE)]
}

/// The scores of `nodes` (0 to 100, in their order); none if the Pod has nothing to spread by.
pub fn scores(pod: &PodInfo, nodes: &[&NodeInfo], cache: &Cache, store: &Store) -> Option<Vec<i64>> {
    let own = !pod.pod().spec.topology_spread_constraints.is_empty();
    let soft = if own { constraints(pod, "ScheduleAnyway") } else { default_constraints(pod, store) };
    if soft.is_empty() {
        return None;
    }
    // With constraints of its own, a node that lacks one of the labels is out of the count; the defaults are lenient.
    let ignored = |node: &NodeInfo| own && soft.iter().any(|c| !node.labels().contains_key(&c.topology_key));
    let mut sums: Vec<Option<i64>> = nodes.iter().map(|node| (!ignored(node)).then_some(0)).collect();
    for constraint in &soft {
        add_constraint(constraint, pod, nodes, cache, &ignored, &mut sums);
    }
    let rounded: Vec<Option<i64>> = sums.iter().map(|s| s.map(|s| (s + MILLION / 2) / MILLION)).collect();
    let max = rounded.iter().flatten().max().copied().unwrap_or(0);
    let min = rounded.iter().flatten().min().copied().unwrap_or(0);
    let normal = |score: &Option<i64>| match score {
        None => 0,
        Some(_) if max == 0 => 100,
        Some(score) => 100 * (max + min - score) / max,
    };
    Some(rounded.iter().map(normal).collect())
}

/// Adds, for each node, `count · ln(topologies + 2) + maxSkew - 1`, in millionths.
fn add_constraint(
    constraint: &Constraint,
    pod: &PodInfo,
    nodes: &[&NodeInfo],
    cache: &Cache,
    ignored: &impl Fn(&NodeInfo) -> bool,
    sums: &mut [Option<i64>],
) {
    let key = &constraint.topology_key;
    let scored = || nodes.iter().filter(|node| !ignored(node));
    let by_host = key == HOSTNAME;
    let values: SortedSet<&Text> = scored().filter_map(|node| node.labels().get(key)).collect();
    let topologies = if by_host { scored().count() } else { values.len() };
    let weight = ln_millionths(topologies as u64 + 2);
    let mut counts: SortedMap<&Text, i64> = values.iter().map(|value| (*value, 0)).collect();
    if !by_host {
        for node in cache.nodes().filter(|node| affinity::node_matches(pod.pod(), node) && !ignored(node)) {
            if let Some(count) = node.labels().get(key).and_then(|value| counts.get_mut(value)) {
                *count += constraint.count_on(node, pod.namespace(), &[]);
            }
        }
    }
    for (node, sum) in nodes.iter().zip(sums) {
        let (Some(sum), Some(value)) = (sum.as_mut(), node.labels().get(key)) else { continue };
        let count = if by_host {
            constraint.count_on(node, pod.namespace(), &[])
        } else {
            counts.get(value).copied().unwrap_or(0)
        };
        *sum += count * weight + (constraint.max_skew - 1) * MILLION;
    }
}

/// The natural logarithm of `n` in millionths, by squaring in fixed point.
fn ln_millionths(n: u64) -> i64 {
    const BITS: u32 = 30;
    let whole = n.max(1).ilog2();
    // The rest is in [1, 2), with 30 bits after the point.
    let mut rest = (u128::from(n.max(1)) << BITS) >> whole;
    let mut log2: u128 = u128::from(whole) << BITS;
    for bit in (0..BITS).rev() {
        rest = (rest * rest) >> BITS;
        if rest >= 2 << BITS {
            rest >>= 1;
            log2 |= 1 << bit;
        }
    }
    // ln 2 = 0.693147 in millionths.
    ((log2 * 693_147) >> BITS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_a_few_millionths() {
        for (n, expected) in [(1, 0), (2, 693_147), (3, 1_098_612), (4, 1_386_294), (100, 4_605_170)] {
            assert!((ln_millionths(n) - expected).abs() <= 5, "{n}: {}", ln_millionths(n));
        }
    }
}
