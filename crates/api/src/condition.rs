//! Writing the conditions of Pods: one of each type, its transition time moving only with its status.
//!
//! Source: `pkg/api/v1/pod/util.go` (`UpdatePodCondition`), `pkg/apis/core/pods/helpers.go`.

use values::object;
use values::time::SimTime;
use values::value::{Text, Value};

/// A condition to be written into a Pod's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NewCondition<'a> {
    /// `PodScheduled`, `DisruptionTarget` …
    pub kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    pub reason: &'a str,
    pub message: &'a str,
    /// `metadata.generation` of the Pod the writer has seen; 0 where the writer does not say it.
    pub observed_generation: i64,
}

/// Puts `condition` into the list `conditions` of a Pod's status. What is the same stays untouched.
pub fn set_pod_condition(status: &mut Value, condition: NewCondition<'_>, now: SimTime) {
    let mut conditions = status.list_at("conditions").to_vec();
    let old = conditions.iter().position(|c| c.str_at("type") == Some(condition.kind));
    let since = old
        .map(|i| &conditions[i])
        .filter(|c| c.str_at("status") == Some(condition.status))
        .map(|c| c.at("lastTransitionTime").clone());
    let mut new = object! {
        "type" => Text::Known(condition.kind), "status" => Text::Known(condition.status), "lastProbeTime" => Value::Null,
        "lastTransitionTime" => since.unwrap_or_else(|| now.into()),
    };
    for (field, text) in [("reason", condition.reason), ("message", condition.message)] {
        if !text.is_empty() {
            new.set(field, text);
        }
    }
    if condition.observed_generation > 0 {
        new.set("observedGeneration", condition.observed_generation);
    }
    match old {
        Some(i) => conditions[i] = new,
        None => conditions.push(new),
    }
    status.set("conditions", conditions);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_time_moves_with_the_status_only() {
        let mut status = Value::map();
        let mut condition =
            NewCondition { kind: "PodScheduled", status: "False", reason: "A", message: "", observed_generation: 1 };
        set_pod_condition(&mut status, condition, SimTime::from_secs(1));
        condition.reason = "B";
        set_pod_condition(&mut status, condition, SimTime::from_secs(2));
        assert_eq!(status.str_at("conditions.0.lastTransitionTime"), Some("1970-01-01T00:00:01Z"));
        condition.status = "True";
        set_pod_condition(&mut status, condition, SimTime::from_secs(3));
        assert_eq!(status.str_at("conditions.0.lastTransitionTime"), Some("1970-01-01T00:00:03Z"));
        assert_eq!(status.list_at("conditions").len(), 1);
    }
}
