//! What the user's policies say of failed Pods and of succeeded indexes.
//!
//! Rules: `docs/semantics/job.md` §8 (podFailurePolicy), §10 (successPolicy); recorded in `podfailurepolicy-*` and
//! `successpolicy`. Source: `pkg/controller/job/{pod_failure_policy,success_policy}.go`.

use crate::control::job::indexed::Intervals;
use api::batch::{OnExitCodes, OnPodCondition, PodFailurePolicy, SuccessPolicy};
use api::pod::{ContainerStatus, Pod, PodCondition};

/// What becomes of a failed Pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// No rule matched, or one with action `Count`: the failure counts towards `backoffLimit`.
    Count,
    /// It does not count; the Pod is replaced after the usual back-off.
    Ignore,
    /// It counts, and its index is not tried again.
    FailIndex,
    /// It counts, and the whole Job fails with this message.
    FailJob(String),
}

impl Verdict {
    pub fn counts(&self) -> bool {
        *self != Verdict::Ignore
    }
}

/// The first rule that matches `pod` decides; rules with an unknown action are passed over.
pub fn judge(policy: Option<&PodFailurePolicy>, pod: &Pod) -> Verdict {
    let rules = policy.map(|policy| policy.rules.as_slice()).unwrap_or_default();
    for (position, rule) in rules.iter().enumerate() {
        let matched = match &rule.on_exit_codes {
            Some(codes) => failed_container(pod, codes).map(|(name, code)| {
                let (namespace, pod) = (&pod.metadata.namespace, &pod.metadata.name);
                format!("Container {name} for pod {namespace}/{pod} failed with exit code {code}")
            }),
            None => matching_condition(pod, &rule.on_pod_conditions).map(|condition| {
                let (namespace, pod) = (&pod.metadata.namespace, &pod.metadata.name);
                format!("Pod {namespace}/{pod} has condition {}", condition.kind)
            }),
        };
        let Some(what) = matched else { continue };
        match rule.action.as_str() {
            "Ignore" => return Verdict::Ignore,
            "Count" => return Verdict::Count,
            "FailIndex" => return Verdict::FailIndex,
            "FailJob" => return Verdict::FailJob(format!("{what} matching FailJob rule at index {position}")),
            _ => {}
        }
    }
    Verdict::Count
}

/// The first container, ordinary ones before init containers, that ended with a matching code; 0 never matches.
fn failed_container<'p>(pod: &'p Pod, codes: &OnExitCodes) -> Option<(&'p str, i32)> {
    let matches = |status: &'p ContainerStatus| {
        let code = status.state.terminated.as_ref()?.exit_code;
        let named = codes.container_name.as_ref().is_none_or(|name| *name == status.name);
        let listed = match codes.operator.as_str() {
            "In" => codes.values.contains(&code),
            "NotIn" => !codes.values.contains(&code),
            _ => false,
        };
        (code != 0 && named && listed).then_some((status.name.as_str(), code))
    };
    pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses).find_map(matches)
}

fn matching_condition<'p>(pod: &'p Pod, patterns: &[OnPodCondition]) -> Option<&'p PodCondition> {
    let fits = |condition: &&PodCondition| {
        patterns.iter().any(|pattern| pattern.kind == condition.kind && pattern.status == condition.status)
    };
    pod.status.conditions.iter().find(fits)
}

/// The message of the first rule that the succeeded indexes meet, if there is one. Without any succeeded index no rule is
/// met, not even one that wants none.
pub fn success(policy: Option<&SuccessPolicy>, completions: i64, succeeded: &Intervals) -> Option<String> {
    let rules = policy.filter(|_| succeeded.total() > 0).map(|policy| policy.rules.as_slice()).unwrap_or_default();
    let met = rules.iter().position(|rule| {
        let wanted_count = rule.succeeded_count.map(i64::from);
        match &rule.succeeded_indexes {
            Some(text) => {
                let wanted = Intervals::parse(text, completions);
                wanted.total() > 0 && wanted.common(succeeded) >= wanted_count.unwrap_or(wanted.total())
            }
            None => wanted_count.is_some_and(|count| succeeded.total() >= count),
        }
    })?;
    Some(format!("Matched rules at index {met}"))
}
