//! Scores: which of the nodes that will do is the best.
//!
//! Rule: `docs/semantics/scheduler.md` §4: each score 0 to 100, times its weight; whole numbers throughout.
//! ImageLocality is not simulated. Source: `plugins/noderesources/{least_allocated,balanced_allocation}.go`,
//! `plugins/tainttoleration`, `plugins/nodeaffinity`, `plugins/helper/normalize_score.go`.

use crate::sched::affinity;
use crate::sched::cache::{Cache, NodeInfo, PodInfo};
use crate::sched::{company, spread};
use crate::store::Store;
use api::taint::is_tolerated;

const MAX: i64 = 100;
/// One, as a fraction of a resource.
const MILLION: i64 = 1_000_000;

/// The sums of weighted scores, in the order of `nodes`.
pub fn total_scores(pod: &PodInfo, nodes: &[&NodeInfo], cache: &Cache, store: &Store) -> Vec<i64> {
    let mut totals: Vec<i64> =
        nodes.iter().map(|node| least_allocated(pod, node) + balanced_allocation(pod, node)).collect();
    add(&mut totals, 3, taint_scores(pod, nodes));
    if has_node_preferences(pod) {
        let raw = nodes.iter().map(|node| affinity::preference(pod.pod(), node)).collect();
        add(&mut totals, 2, normalized(raw, false));
    }
    if let Some(scores) = spread::scores(pod, nodes, cache, store) {
        add(&mut totals, 2, scores);
    }
    let weights = company::preferences(pod, cache);
    if !weights.is_empty() {
        let raw: Vec<i64> = nodes.iter().map(|node| company::preference(&weights, node)).collect();
        add(&mut totals, 2, stretched(raw));
    }
    totals
}

fn add(totals: &mut [i64], weight: i64, scores: Vec<i64>) {
    for (total, score) in totals.iter_mut().zip(scores) {
        *total += weight * score;
    }
}

fn has_node_preferences(pod: &PodInfo) -> bool {
    !pod.pod().spec.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution.is_empty()
}

/// The emptier the better, CPU and memory alike.
fn least_allocated(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let resources = [
        (node.allocatable.milli_cpu, node.scoring.milli_cpu + pod.needs.scoring.milli_cpu),
        (node.allocatable.memory, node.scoring.memory + pod.needs.scoring.memory),
    ];
    let mut sum = 0;
    let mut weights = 0;
    for (capacity, requested) in resources.into_iter().filter(|(capacity, _)| *capacity > 0) {
        weights += 1;
        if requested <= capacity {
            sum += (i128::from(capacity - requested) * i128::from(MAX) / i128::from(capacity)) as i64;
        }
    }
    if weights == 0 { 0 } else { sum / weights }
}

/// The more alike the shares of CPU and memory that are taken, the better; 75 if the Pod changes nothing.
fn balanced_allocation(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let requests = &pod.needs.requests;
    if requests.milli_cpu == 0 && requests.memory == 0 {
        return 0;
    }
    let with = balance(node, requests.milli_cpu, requests.memory);
    let without = balance(node, 0, 0);
    MAX / 2 + (MAX / 2 + with - without) / 2
}

fn balance(node: &NodeInfo, milli_cpu: i64, memory: i64) -> i64 {
    let share = |capacity: i64, requested: i64| {
        let share = i128::from(requested) * i128::from(MILLION) / i128::from(capacity);
        i64::try_from(share).unwrap_or(MILLION).min(MILLION)
    };
    let (cpu, mem) = (node.allocatable.milli_cpu, node.allocatable.memory);
    let deviation = if cpu == 0 || mem == 0 {
        0
    } else {
        (share(cpu, node.requested.milli_cpu + milli_cpu) - share(mem, node.requested.memory + memory)).abs() / 2
    };
    (MILLION - deviation) * MAX / MILLION
}

/// Fewer `PreferNoSchedule` taints that the Pod does not put up with are better.
fn taint_scores(pod: &PodInfo, nodes: &[&NodeInfo]) -> Vec<i64> {
    let tolerations = &pod.pod().spec.tolerations;
    let untolerated = |node: &&NodeInfo| {
        let taints = node.node.spec.taints.iter().filter(|t| t.effect == "PreferNoSchedule");
        taints.filter(|taint| !is_tolerated(taint, tolerations)).count() as i64
    };
    normalized(nodes.iter().map(untolerated).collect(), true)
}

/// Scales so that the largest becomes 100; reversed, so that it becomes 0.
fn normalized(scores: Vec<i64>, reversed: bool) -> Vec<i64> {
    let max = scores.iter().max().copied().unwrap_or(0);
    let scaled = |score: i64| if max == 0 { 0 } else { MAX * score / max };
    scores.into_iter().map(|score| if reversed { MAX - scaled(score) } else { scaled(score) }).collect()
}

/// Stretches from the least (0) to the most (100).
fn stretched(scores: Vec<i64>) -> Vec<i64> {
    let max = scores.iter().max().copied().unwrap_or(0);
    let min = scores.iter().min().copied().unwrap_or(0);
    let scaled = |score: i64| if max == min { 0 } else { MAX * (score - min) / (max - min) };
    scores.into_iter().map(scaled).collect()
}
