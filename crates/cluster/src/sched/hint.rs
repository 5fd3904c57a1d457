//! Queueing hints: may what just happened let a Pod in that was refused before?
//!
//! Rule: `docs/semantics/scheduler.md` §1. Each plugin that refused the Pod is asked; one yes is enough.
//! Source: the `isSchedulableAfter…` functions of `pkg/scheduler/framework/plugins/*`.

use crate::sched::affinity;
use crate::sched::cache::{NodeInfo, PodInfo};
use crate::sched::filter::{fits_empty, is_closed};
use crate::sched::fit_error::Plugin;
use api::taint::is_tolerated;

/// Something that happened in the cluster.
#[derive(Clone, Copy, Debug)]
pub enum Relief<'a> {
    NodeAdded(&'a NodeInfo),
    NodeChanged(&'a NodeInfo, NodeChange),
    /// A Pod that had a node is gone or has ended.
    PodLeft(&'a PodInfo),
    /// A Pod was bound.
    PodPlaced,
    /// A claim or a volume came or changed.
    VolumesChanged,
}

/// What is new about a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NodeChange {
    /// More of some resource can be allocated.
    pub grew: bool,
    pub labels: bool,
    pub taints: bool,
    pub schedulable: bool,
}

impl NodeChange {
    pub fn is_nothing(self) -> bool {
        self == NodeChange::default()
    }
}

/// True if the Pod, refused by `plugin`, should be tried again.
pub fn helps(plugin: Plugin, pod: &PodInfo, relief: Relief<'_>) -> bool {
    match relief {
        Relief::NodeAdded(node) => node_helps(plugin, pod, node),
        Relief::NodeChanged(node, change) => {
            let concerned = match plugin {
                Plugin::NodeUnschedulable => change.schedulable || change.taints,
                Plugin::TaintToleration => change.taints,
                Plugin::NodeAffinity | Plugin::InterPodAffinity | Plugin::VolumeBinding => change.labels,
                Plugin::PodTopologySpread => change.labels || change.taints,
                Plugin::NodeResourcesFit => change.grew,
                Plugin::NodePorts => false,
            };
            concerned && node_helps(plugin, pod, node)
        }
        Relief::PodLeft(other) => match plugin {
            Plugin::NodeResourcesFit => true,
            Plugin::NodePorts => other.needs.host_ports.iter().any(|port| pod.needs.host_ports.contains(port)),
            Plugin::PodTopologySpread | Plugin::InterPodAffinity => true,
            _ => false,
        },
        Relief::PodPlaced => matches!(plugin, Plugin::PodTopologySpread | Plugin::InterPodAffinity),
        Relief::VolumesChanged => plugin == Plugin::VolumeBinding,
    }
}

fn node_helps(plugin: Plugin, pod: &PodInfo, node: &NodeInfo) -> bool {
    match plugin {
        Plugin::NodeUnschedulable => !is_closed(pod, node),
        Plugin::TaintToleration => {
            let tolerations = &pod.pod().spec.tolerations;
            node.node.spec.taints.iter().all(|taint| !taint.keeps_pods_away() || is_tolerated(taint, tolerations))
        }
        Plugin::NodeAffinity => affinity::node_matches(pod.pod(), node),
        Plugin::NodeResourcesFit => fits_empty(&pod.needs.requests, &node.allocatable),
        Plugin::NodePorts | Plugin::VolumeBinding | Plugin::PodTopologySpread | Plugin::InterPodAffinity => true,
    }
}
