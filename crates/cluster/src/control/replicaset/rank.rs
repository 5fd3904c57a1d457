//! Which Pods go first when there are too many.
//!
//! Rule: `docs/semantics/replicaset.md` §1 (eight criteria). Ages count in powers of two, so that they rarely decide
//! alone. Source: `pkg/controller/controller_utils.go` (`ActivePodsWithRanks`).

use std::cmp::Ordering;

use api::pod::{ContainerStatus, Pod};
use values::sorted::SortedMap;
use values::time::SimTime;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// A Pod, and how many related Pods are on its node.
#[derive(Clone, Copy, Debug)]
pub struct Ranked<'p> {
    pub pod: &'p Pod,
    pub related_on_node: usize,
}

/// `Less` if `a` goes before `b`.
///
/// The criteria are not transitive in every corner (equal times are skipped, near ones are settled by uid), so this is
/// for [`pods_to_delete`], not for the standard sort.
pub fn compare(a: Ranked<'_>, b: Ranked<'_>, now: SimTime) -> Ordering {
    let assigned = |r: Ranked<'_>| !r.pod.spec.node_name.is_empty();
    let (x, y) = (a.pod, b.pod);
    assigned(a)
        .cmp(&assigned(b))
        .then_with(|| phase_order(x).cmp(&phase_order(y)))
        .then_with(|| x.is_ready().cmp(&y.is_ready()))
        .then_with(|| deletion_cost(x).cmp(&deletion_cost(y)))
        .then_with(|| b.related_on_node.cmp(&a.related_on_node))
        .then_with(|| if x.is_ready() { by_age(x, y, ready_since(x), ready_since(y), now) } else { Ordering::Equal })
        .then_with(|| restarts(y).cmp(&restarts(x)))
        .then_with(|| by_age(x, y, x.metadata.creation_timestamp, y.metadata.creation_timestamp, now))
}

/// The `count` of `pods` that go first. `related` are the Pods of all sets of the same owner; the more of them a node has,
/// the sooner it gives one up.
pub fn pods_to_delete<'p>(pods: &[&'p Pod], related: &[&Pod], count: usize, now: SimTime) -> Vec<&'p Pod> {
    let mut on_node: SortedMap<&str, usize> = SortedMap::new();
    for pod in related.iter().filter(|pod| pod.is_active()) {
        *on_node.entry(&pod.spec.node_name).or_default() += 1;
    }
    let rank =
        |pod: &&'p Pod| Ranked { pod, related_on_node: on_node.get(pod.spec.node_name.as_str()).copied().unwrap_or(0) };
    deletion_order(pods.iter().map(rank).collect(), now).into_iter().take(count).map(|ranked| ranked.pod).collect()
}

/// A merge sort by [`compare`].
fn deletion_order(pods: Vec<Ranked<'_>>, now: SimTime) -> Vec<Ranked<'_>> {
    if pods.len() < 2 {
        return pods;
    }
    let mut left = pods;
    let right = left.split_off(left.len() / 2);
    let mut right = deletion_order(right, now).into_iter().peekable();
    let mut sorted = Vec::new();
    for pod in deletion_order(left, now) {
        while let Some(other) = right.next_if(|other| compare(*other, pod, now) == Ordering::Less) {
            sorted.push(other);
        }
        sorted.push(pod);
    }
    sorted.extend(right);
    sorted
}

fn phase_order(pod: &Pod) -> u8 {
    match pod.status.phase.as_str() {
        "Pending" => 0,
        "Unknown" => 1,
        "Running" => 2,
        _ => 0,
    }
}

fn deletion_cost(pod: &Pod) -> i32 {
    pod.metadata.annotations.get(DELETION_COST).and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

fn ready_since(pod: &Pod) -> Option<SimTime> {
    pod.condition("Ready").and_then(|condition| condition.last_transition_time)
}

/// The most restarts of any container, then of any sidecar.
fn restarts(pod: &Pod) -> (i32, i32) {
    let most = |statuses: &mut dyn Iterator<Item = &ContainerStatus>| statuses.map(|s| s.restart_count).max();
    let sidecar = |name: &str| pod.spec.init_containers.iter().any(|c| c.is_sidecar() && c.name == name);
    let sidecars = &mut pod.status.init_container_statuses.iter().filter(|s| sidecar(&s.name));
    (most(&mut pod.status.container_statuses.iter()).unwrap_or(0), most(sidecars).unwrap_or(0))
}

/// The younger first; no time at all is youngest. Equal times leave the question open.
fn by_age(a: &Pod, b: &Pod, since_a: Option<SimTime>, since_b: Option<SimTime>, now: SimTime) -> Ordering {
    match (since_a, since_b) {
        (x, y) if x == y => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(x), Some(y)) => bucket(x, now).cmp(&bucket(y, now)).then_with(|| a.metadata.uid.cmp(&b.metadata.uid)),
    }
}

/// The whole power of two of an age in nanoseconds; -1 for no age.
fn bucket(since: SimTime, now: SimTime) -> i64 {
    let ms = now.since(since).as_ms();
    if ms <= 0 { -1 } else { i64::from((ms as u128 * 1_000_000).ilog2()) }
}
