//! Preemption: whom a Pod of higher priority may push out, and from which node.
//!
//! Rule: `docs/semantics/scheduler.md` §3 and §5. There are no PodDisruptionBudgets, so none is ever violated.
//! Source: `pkg/scheduler/framework/preemption/preemption.go`,
//! `plugins/defaultpreemption/default_preemption.go`, `pkg/scheduler/util/utils.go` (`MoreImportantPod`).

use std::cmp::Reverse;
use std::rc::Rc;

use crate::sched::cache::{Cache, NodeInfo, PodInfo};
use crate::sched::filter::Cycle;
use crate::sched::fit_error::{FitError, Plugin, Rejection};
use crate::sched::place::check;
use crate::sched::queue::Queue;
use api::meta::Key;
use values::sort::sort_by_key;
use values::time::SimTime;

/// What `DynamicResources` says first in every search that failed.
const NO_CLAIMS: &str = "no new claims to deallocate, preemption: ";
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// The outcome of looking for room.
#[derive(Clone, Debug)]
pub enum RoomSearch {
    /// These Pods go, and the Pod is meant for this node.
    Room { node: String, victims: Vec<Rc<PodInfo>> },
    /// Nothing can be done; the text ends the event. The Pod's nomination is dropped if `forget_nomination`.
    None { message: String, forget_nomination: bool },
}

/// A node that would do if its victims were gone.
struct Candidate<'a> {
    node: &'a NodeInfo,
    /// The most important first.
    victims: Vec<Rc<PodInfo>>,
}

/// Looks for a node where the Pod fits once less important ones are gone.
pub fn find_room(cycle: &Cycle<'_>, cache: &Cache, queue: &Queue, fit: &FitError) -> RoomSearch {
    let pod = cycle.pod;
    if pod.pod().spec.preemption_policy.as_deref() == Some("Never") {
        return refused("not eligible due to preemptionPolicy=Never.");
    }
    if let Some(node) = queue.nomination(&pod.key)
        && waits_for_victims(pod, cache, fit, node)
    {
        return refused("not eligible due to a terminating pod on the nominated node.");
    }
    let mut error =
        FitError { all_nodes: fit.all_nodes, absent_reason: Some(NOT_HELPFUL.into()), ..FitError::default() };
    let mut candidates = Vec::new();
    for node in cache.nodes().filter(|node| fit.rejections.get(&node.name).is_some_and(|r| !r.unresolvable)) {
        match dry_run(cycle, cache, queue, node) {
            Ok(candidate) => candidates.push(candidate),
            Err(rejection) => {
                error.rejections.insert(node.name.clone(), rejection);
            }
        }
    }
    match best(candidates) {
        Some(best) => RoomSearch::Room { node: best.node.name.clone(), victims: best.victims },
        None => RoomSearch::None { message: format!("{NO_CLAIMS}{}", error.message()), forget_nomination: true },
    }
}

fn refused(why: &str) -> RoomSearch {
    RoomSearch::None { message: format!("{NO_CLAIMS}{why}"), forget_nomination: false }
}

/// True if Pods that were pushed out for this one are still on their way.
fn waits_for_victims(pod: &PodInfo, cache: &Cache, fit: &FitError, nominated: &str) -> bool {
    if fit.rejections.get(nominated).is_some_and(|rejection| rejection.unresolvable) {
        return false;
    }
    let Some(node) = cache.node(nominated) else { return false };
    node.pods.values().any(|other| {
        let preempted = other.pod().condition("DisruptionTarget");
        other.priority() < pod.priority()
            && other.pod().metadata.is_being_deleted()
            && preempted.is_some_and(|c| c.status == "True" && c.reason == "PreemptionByScheduler")
    })
}

/// Takes all less important Pods away, then gives back as many as fit, the most important first.
fn dry_run<'a>(
    cycle: &Cycle<'_>,
    cache: &Cache,
    queue: &Queue,
    node: &'a NodeInfo,
) -> Result<Candidate<'a>, Rejection> {
    let priority = cycle.pod.priority();
    let mut potential: Vec<Rc<PodInfo>> =
        node.pods.values().filter(|other| other.priority() < priority).cloned().collect();
    if potential.is_empty() {
        return Err(Rejection::unresolvable(Plugin::NodeResourcesFit, NO_VICTIMS));
    }
    let mut gone: Vec<Key> = potential.iter().map(|victim| victim.key.clone()).collect();
    let mut imagined = node.clone();
    for key in &gone {
        imagined.remove(key);
    }
    check(queue, &cycle.imagine(cache, &gone), &imagined)?;
    sort_by_key(&mut potential, |victim| importance(victim));
    let mut victims = Vec::new();
    for candidate in potential {
        imagined.add(Rc::clone(&candidate));
        gone.retain(|key| *key != candidate.key);
        if check(queue, &cycle.imagine(cache, &gone), &imagined).is_err() {
            imagined.remove(&candidate.key);
            gone.push(candidate.key.clone());
            victims.push(candidate);
        }
    }
    Ok(Candidate { node, victims })
}

/// Higher priority first, then the one that runs longer.
fn importance(pod: &PodInfo) -> (Reverse<i32>, SimTime, Key) {
    (Reverse(pod.priority()), started_at(pod), pod.key.clone())
}

/// Pods that have not started count as starting later than all others.
fn started_at(pod: &PodInfo) -> SimTime {
    pod.pod().status.start_time.unwrap_or(SimTime::from_millis(i64::MAX))
}

/// Lowest most important victim, then lowest sum of priorities, then fewest victims, then latest start of the most
/// important ones, then the first.
fn best(candidates: Vec<Candidate<'_>>) -> Option<Candidate<'_>> {
    let rank = |candidate: &Candidate<'_>| {
        let highest = candidate.victims.first().map_or(i32::MIN, |victim| victim.priority());
        // Shifted, so that a few Pods of negative priority do not beat one.
        let sum: i64 = candidate.victims.iter().map(|v| i64::from(v.priority()) + i64::from(i32::MAX) + 1).sum();
        let of_highest = candidate.victims.iter().filter(|v| v.priority() == highest).map(|v| started_at(v));
        (highest, sum, candidate.victims.len(), Reverse(of_highest.min()))
    };
    candidates.into_iter().min_by_key(rank)
}
