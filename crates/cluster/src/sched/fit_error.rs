//! Why a Pod fits nowhere, node by node, and how that reads in its `FailedScheduling` event.
//!
//! Rule: `docs/semantics/scheduler.md` §3. Source: `pkg/scheduler/framework/types.go` (`FitError.Error`).

use std::borrow::Cow;
use values::sort::sort;
use values::sorted::{SortedMap, SortedSet};
use values::value::Text;

/// Where a reason comes from. What may help later depends on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Plugin {
    NodeUnschedulable,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeBinding,
    PodTopologySpread,
    InterPodAffinity,
}

/// Why one node will not do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    pub plugin: Plugin,
    pub reasons: Vec<Cow<'static, str>>,
    /// No Pod could be removed that would change it (`UnschedulableAndUnresolvable`).
    pub unresolvable: bool,
}

impl Rejection {
    pub fn new(plugin: Plugin, reason: &'static str) -> Rejection {
        Rejection { plugin, reasons: vec![reason.into()], unresolvable: false }
    }

    pub fn unresolvable(plugin: Plugin, reason: &'static str) -> Rejection {
        Rejection { unresolvable: true, ..Rejection::new(plugin, reason) }
    }
}

/// The outcome of a search that found no node.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FitError {
    pub all_nodes: usize,
    /// The nodes that were looked at, by name.
    pub rejections: SortedMap<String, Rejection>,
    /// What holds for the nodes that are not among them.
    pub absent_reason: Option<Cow<'static, str>>,
    /// If the Pod was refused before any node was looked at.
    pub pre_filter: String,
    /// What became of the attempt to make room.
    pub post_filter: String,
}

impl FitError {
    /// The plugins that refused. Before any node was looked at, only the claims can have.
    pub fn plugins(&self) -> SortedSet<Plugin> {
        if !self.pre_filter.is_empty() {
            return SortedSet::from([Plugin::VolumeBinding]);
        }
        self.rejections.values().map(|r| r.plugin).collect()
    }

    /// `0/3 nodes are available: 1 Insufficient cpu, …. …`
    pub fn message(&self) -> String {
        let mut text = format!("0/{} nodes are available", self.all_nodes);
        if self.pre_filter.is_empty() {
            let histogram = self.histogram();
            if !histogram.is_empty() {
                text += &format!(": {}.", histogram.join(", "));
            }
        } else {
            text += &format!(": {}.", self.pre_filter);
        }
        if !self.post_filter.is_empty() {
            text += &format!(" {}", self.post_filter);
        }
        text
    }

    /// How many nodes each reason rules out, by reason.
    pub fn counts(&self) -> Vec<(usize, Text)> {
        self.counted().iter().map(|(reason, count)| (*count, Text::from(*reason))).collect()
    }

    /// `2 Insufficient cpu`, sorted as strings.
    fn histogram(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.counted().iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        sort(&mut lines);
        lines
    }

    fn counted(&self) -> SortedMap<&str, usize> {
        let mut counts: SortedMap<&str, usize> = SortedMap::new();
        for reason in self.rejections.values().flat_map(|r| &r.reasons) {
            *counts.entry(reason).or_default() += 1;
        }
        let absent = self.all_nodes.saturating_sub(self.rejections.len());
        if let Some(reason) = self.absent_reason.as_deref().filter(|_| absent > 0) {
            *counts.entry(reason).or_default() += absent;
        }
        counts
    }
}
