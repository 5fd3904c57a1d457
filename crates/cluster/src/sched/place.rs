//! One search: filter the nodes, score those that will do, take the best; else see whether room can be made.
//!
//! Rules: `docs/semantics/scheduler.md` §2 to §5. Nodes with equal scores are drawn among.
//! Source: `pkg/scheduler/schedule_one.go` (`schedulePod`, `numFeasibleNodesToFind`, `selectHost`).

use std::rc::Rc;

use crate::sched::cache::{NodeInfo, PodInfo};
use crate::sched::filter::Cycle;
use crate::sched::fit_error::{FitError, Plugin, Rejection};
use crate::sched::preempt::{self, RoomSearch};
use crate::sched::queue::Queue;
use crate::sched::volumes::Volumes;
use crate::sched::{Scheduler, score};
use crate::store::Store;
use values::sort::sort_by;
use values::sorted::SortedSet;
use values::value::Text;

/// Below this many nodes all are looked at (`minFeasibleNodesToFind`).
const ENOUGH_NODES: usize = 100;

/// Why a Pod has no node, and what follows.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    pub message: String,
    /// The nodes there are, and how many of them each reason rules out.
    pub nodes: usize,
    pub reasons: Vec<(usize, Text)>,
    pub plugins: SortedSet<Plugin>,
    /// `Some(node)` sets the nomination, `Some(None)` drops it.
    pub nominate: Option<Option<String>>,
    pub(super) victims: Vec<Rc<PodInfo>>,
}

impl Scheduler {
    /// The node for a Pod.
    ///
    /// # Errors
    /// What its event says, and whom to push out for it.
    pub(super) fn find_node(&mut self, pod: &PodInfo, store: &Store) -> Result<String, Failure> {
        if self.cache.is_empty() {
            let message = "no nodes available to schedule pods".to_owned();
            let plugins = SortedSet::from([Plugin::NodeAffinity, Plugin::NodeResourcesFit, Plugin::NodeUnschedulable]);
            return Err(Failure { message, plugins, ..Failure::default() });
        }
        let volumes = Volumes::gather(pod, store).map_err(|message| {
            // `DynamicResources` did not get to see the Pod, and finds nothing of its own when asked to make room.
            let fit = FitError {
                all_nodes: self.cache.len(),
                pre_filter: message,
                post_filter: "not found".to_owned(),
                ..FitError::default()
            };
            Failure { message: fit.message(), nodes: fit.all_nodes, plugins: fit.plugins(), ..Failure::default() }
        })?;
        let cycle = Cycle::new(pod, volumes, &self.cache);
        let mut fit = FitError { all_nodes: self.cache.len(), ..FitError::default() };
        let (feasible, looked_at) = self.feasible_nodes(&cycle, &mut fit);
        match self.best(pod, &feasible, store) {
            Some(node) => {
                self.next_start = (self.next_start + looked_at) % self.cache.len();
                Ok(node)
            }
            None => Err(self.make_room(&cycle, fit)),
        }
    }

    /// The nodes that pass all filters, and how many were looked at. A nominated node that passes is the only one.
    fn feasible_nodes(&self, cycle: &Cycle<'_>, fit: &mut FitError) -> (Vec<&NodeInfo>, usize) {
        let nominated = self.queue.nomination(&cycle.pod.key).and_then(|name| self.cache.node(name));
        if let Some(node) = nominated.filter(|node| check(&self.queue, cycle, node).is_ok()) {
            return (vec![node], 0);
        }
        let nodes: Vec<&NodeInfo> = self.cache.nodes().collect();
        let wanted = nodes_to_find(nodes.len());
        let mut feasible = Vec::new();
        let mut looked_at = 0;
        for i in 0..nodes.len() {
            if feasible.len() == wanted {
                break;
            }
            let node = nodes[(self.next_start + i) % nodes.len()];
            looked_at += 1;
            match check(&self.queue, cycle, node) {
                Ok(()) => feasible.push(node),
                Err(rejection) => {
                    fit.rejections.insert(node.name.clone(), rejection);
                }
            }
        }
        // Scores and draws go by name, wherever the search began.
        sort_by(&mut feasible, |a, b| a.name.cmp(&b.name));
        (feasible, looked_at)
    }

    fn best(&self, pod: &PodInfo, feasible: &[&NodeInfo], store: &Store) -> Option<String> {
        if let [only] = feasible {
            return Some(only.name.clone());
        }
        let scores = score::total_scores(pod, feasible, &self.cache, store);
        let most = scores.iter().max()?;
        let ties: Vec<&NodeInfo> =
            feasible.iter().zip(&scores).filter(|(_, score)| *score == most).map(|(node, _)| *node).collect();
        let drawn = self.rng.between("equal-nodes", pod.object.uid(), 0, ties.len() as i64 - 1);
        ties.get(drawn as usize).map(|node| node.name.clone())
    }

    fn make_room(&self, cycle: &Cycle<'_>, mut fit: FitError) -> Failure {
        let (plugins, nodes, reasons) = (fit.plugins(), fit.all_nodes, fit.counts());
        match preempt::find_room(cycle, &self.cache, &self.queue, &fit) {
            RoomSearch::Room { node, victims } => {
                Failure { message: fit.message(), nodes, reasons, plugins, nominate: Some(Some(node)), victims }
            }
            RoomSearch::None { message, forget_nomination } => {
                fit.post_filter = message;
                let nominate = forget_nomination.then_some(None);
                Failure { message: fit.message(), nodes, reasons, plugins, nominate, victims: Vec::new() }
            }
        }
    }
}

/// All filters; Pods for which room was made on the node count as if they were there already.
pub(super) fn check(queue: &Queue, cycle: &Cycle<'_>, node: &NodeInfo) -> Result<(), Rejection> {
    if queue.has_nominations() {
        let mut crowded: Option<NodeInfo> = None;
        for other in queue.nominated_to(&node.name) {
            if other.key != cycle.pod.key && other.priority() >= cycle.pod.priority() {
                crowded.get_or_insert_with(|| node.clone()).add(Rc::clone(other));
            }
        }
        if let Some(crowded) = crowded {
            cycle.check(&crowded)?;
        }
    }
    cycle.check(node)
}

/// How many nodes that will do are enough: in large clusters a share that shrinks with size.
fn nodes_to_find(all: usize) -> usize {
    if all < ENOUGH_NODES {
        return all;
    }
    let percent = 50_usize.saturating_sub(all / 125).max(5);
    (all * percent / 100).max(ENOUGH_NODES)
}
