//! A ReplicaSet's status, from its Pods.
//!
//! Source: `pkg/controller/replicaset/replica_set_utils.go` (`calculateStatus`, `GetCondition` …).

use api::apps::{Condition, ReplicaSet, ReplicaSetStatus};
use api::pod::Pod;
use values::time::{SimTime, Span};

/// What went wrong while Pods were created or deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// `FailedCreate` or `FailedDelete`.
    pub reason: &'static str,
    pub message: String,
}

/// Ready, and for as long as `minReadySeconds` asks.
pub fn is_available(pod: &Pod, min_ready_seconds: i32, now: SimTime) -> bool {
    if !pod.is_ready() {
        return false;
    }
    let since = pod.condition("Ready").and_then(|c| c.last_transition_time);
    let long_enough = |since: SimTime| since + Span::secs(i64::from(min_ready_seconds)) <= now;
    min_ready_seconds == 0 || since.is_some_and(long_enough)
}

/// The status that follows from `active` and the number of Pods that are going.
pub fn calculate(
    set: &ReplicaSet,
    active: &[&Pod],
    terminating: usize,
    trouble: Option<&Trouble>,
    now: SimTime,
) -> ReplicaSetStatus {
    let labels = set.spec.template.map_at("metadata.labels");
    let fully_labeled = |pod: &&&Pod| {
        let has = |key: &str, value: Option<&str>| pod.metadata.labels.get(key).map(|value| value.as_str()) == value;
        labels.is_none_or(|labels| labels.iter().all(|(key, value)| has(key, value.as_str())))
    };
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    ReplicaSetStatus {
        replicas: count(active.len()),
        fully_labeled_replicas: count(active.iter().filter(fully_labeled).count()),
        ready_replicas: count(active.iter().filter(|pod| pod.is_ready()).count()),
        available_replicas: count(active.iter().filter(|p| is_available(p, set.spec.min_ready_seconds, now)).count()),
        terminating_replicas: Some(count(terminating)),
        observed_generation: set.metadata.generation,
        conditions: conditions(set, trouble, now),
    }
}

/// `ReplicaFailure` stands while there is trouble, with the words of the first.
fn conditions(set: &ReplicaSet, trouble: Option<&Trouble>, now: SimTime) -> Vec<Condition> {
    let failure = set.status.conditions.iter().find(|c| c.kind == "ReplicaFailure");
    let mut conditions: Vec<Condition> =
        set.status.conditions.iter().filter(|c| c.kind != "ReplicaFailure").cloned().collect();
    match (trouble, failure) {
        (None, _) => {}
        (Some(_), Some(failure)) => conditions.push(failure.clone()),
        (Some(trouble), None) => conditions.push(Condition {
            kind: "ReplicaFailure".into(),
            status: "True".into(),
            last_update_time: None,
            last_transition_time: Some(now),
            reason: trouble.reason.into(),
            message: trouble.message.clone(),
        }),
    }
    conditions
}
