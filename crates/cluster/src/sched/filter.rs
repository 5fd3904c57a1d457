//! The filters: may this Pod go to this node? The first that refuses speaks for the node.
//!
//! Rule: `docs/semantics/scheduler.md` §2, in the order of the default plugins.
//! Source: `pkg/scheduler/apis/config/v1/default_plugins.go`, `plugins/noderesources/fit.go`,
//! `plugins/nodeports/node_ports.go`, `plugins/{nodeunschedulable,tainttoleration,nodeaffinity}`.

use std::borrow::Cow;

use crate::sched::affinity;
use crate::sched::cache::{Cache, NodeInfo, PodInfo};
use crate::sched::company::Company;
use crate::sched::fit_error::{Plugin, Rejection};
use crate::sched::resources::Resources;
use crate::sched::spread::Spread;
use crate::sched::volumes::Volumes;
use api::core::Taint;
use api::meta::Key;
use api::taint::{self, is_tolerated};

/// What was worked out once for a Pod before looking at nodes.
#[derive(Clone, Debug)]
pub struct Cycle<'a> {
    pub pod: &'a PodInfo,
    pub volumes: Volumes,
    company: Company,
    spread: Spread,
}

impl<'a> Cycle<'a> {
    pub fn new(pod: &'a PodInfo, volumes: Volumes, cache: &Cache) -> Cycle<'a> {
        Cycle { pod, volumes, company: Company::gather(pod, cache, &[]), spread: Spread::gather(pod, cache, &[]) }
    }

    /// The same search, as if the Pods in `without` were gone.
    pub fn imagine(&self, cache: &Cache, without: &[Key]) -> Cycle<'a> {
        Cycle {
            pod: self.pod,
            volumes: self.volumes.clone(),
            company: Company::gather(self.pod, cache, without),
            spread: Spread::gather(self.pod, cache, without),
        }
    }

    /// All filters on one node.
    pub fn check(&self, node: &NodeInfo) -> Result<(), Rejection> {
        let pod = self.pod.pod();
        let tolerations = &pod.spec.tolerations;
        if is_closed(self.pod, node) {
            return Err(Rejection::unresolvable(Plugin::NodeUnschedulable, "node(s) were unschedulable"));
        }
        if node.node.spec.taints.iter().any(|t| t.keeps_pods_away() && !is_tolerated(t, tolerations)) {
            return Err(Rejection::unresolvable(Plugin::TaintToleration, "node(s) had untolerated taint(s)"));
        }
        if !affinity::node_matches(pod, node) {
            let reason = "node(s) didn't match Pod's node affinity/selector";
            return Err(Rejection::unresolvable(Plugin::NodeAffinity, reason));
        }
        check_ports(self.pod, node)?;
        check_resources(self.pod, node)?;
        self.volumes.check(node)?;
        self.spread.check(self.pod, node)?;
        self.company.check(self.pod, node)
    }
}

/// A cordoned node takes only Pods that put up with that.
pub fn is_closed(pod: &PodInfo, node: &NodeInfo) -> bool {
    let cordoned = || Taint { key: taint::UNSCHEDULABLE.into(), effect: "NoSchedule".into(), ..Taint::default() };
    node.node.spec.unschedulable && !is_tolerated(&cordoned(), &pod.pod().spec.tolerations)
}

fn check_ports(pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
    let wanted = &pod.needs.host_ports;
    let taken = || node.pods.values().flat_map(|other| &other.needs.host_ports).any(|port| wanted.contains(port));
    if !wanted.is_empty() && taken() {
        let reason = "node(s) didn't have free ports for the requested pod ports";
        return Err(Rejection::new(Plugin::NodePorts, reason));
    }
    Ok(())
}

fn check_resources(pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
    let mut reasons: Vec<Cow<'static, str>> = Vec::new();
    if node.pods.len() as i64 + 1 > node.allocatable.pods {
        reasons.push("Too many pods".into());
    }
    let requests = &pod.needs.requests;
    let unresolvable = !requests.is_nothing() && {
        missing(requests, &node.allocatable, &node.requested, &mut reasons);
        !fits_empty(requests, &node.allocatable)
    };
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Rejection { plugin: Plugin::NodeResourcesFit, reasons, unresolvable })
}

fn missing(requests: &Resources, allocatable: &Resources, used: &Resources, reasons: &mut Vec<Cow<'static, str>>) {
    let lacks = |request: i64, allocatable: i64, used: i64| request > 0 && request > allocatable - used;
    if lacks(requests.milli_cpu, allocatable.milli_cpu, used.milli_cpu) {
        reasons.push("Insufficient cpu".into());
    }
    if lacks(requests.memory, allocatable.memory, used.memory) {
        reasons.push("Insufficient memory".into());
    }
    if lacks(requests.ephemeral_storage, allocatable.ephemeral_storage, used.ephemeral_storage) {
        reasons.push("Insufficient ephemeral-storage".into());
    }
    for (name, request) in &requests.others {
        let of = |resources: &Resources| resources.others.get(name).copied().unwrap_or(0);
        if lacks(*request, of(allocatable), of(used)) {
            reasons.push(format!("Insufficient {name}").into());
        }
    }
}

/// True if the request would fit if nobody else were there.
pub fn fits_empty(requests: &Resources, allocatable: &Resources) -> bool {
    let mut reasons = Vec::new();
    missing(requests, allocatable, &Resources::default(), &mut reasons);
    reasons.is_empty()
}
