//! A Deployment's status and its conditions `Available` and `Progressing`.
//!
//! Source: `pkg/controller/deployment/{sync,progress}.go`, `util/deployment_util.go` (`SetDeploymentCondition`,
//! `DeploymentComplete`, `DeploymentProgressing`, `DeploymentTimedOut`).

use crate::control::deployment::numbers::{self, replicas};
use crate::control::deployment::revision::Set;
use api::apps::{Condition, Deployment, DeploymentStatus};
use values::time::{SimTime, Span};

pub const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
pub const TIMED_OUT: &str = "ProgressDeadlineExceeded";

/// A condition to be set.
pub struct NewCondition<'a> {
    pub kind: &'a str,
    pub status: &'a str,
    pub reason: &'a str,
    pub message: String,
}

pub fn condition<'c>(conditions: &'c [Condition], kind: &str) -> Option<&'c Condition> {
    conditions.iter().find(|c| c.kind == kind)
}

/// Sets a condition; one with the same status and reason stays as it is, words and times included.
pub fn set_condition(conditions: &mut Vec<Condition>, new: NewCondition<'_>, now: SimTime) {
    let old = condition(conditions, new.kind).cloned();
    if old.as_ref().is_some_and(|old| old.status == new.status && old.reason == new.reason) {
        return;
    }
    let since = old.filter(|old| old.status == new.status).and_then(|old| old.last_transition_time);
    conditions.retain(|c| c.kind != new.kind);
    conditions.push(Condition {
        kind: new.kind.to_owned(),
        status: new.status.to_owned(),
        last_update_time: Some(now.whole_second()),
        last_transition_time: Some(since.unwrap_or(now.whole_second())),
        reason: new.reason.to_owned(),
        message: new.message,
    });
}

/// The numbers, and `Available`. The other conditions are the old ones.
pub fn calculate(deployment: &Deployment, new: Option<&Set>, old: &[Set], now: SimTime) -> DeploymentStatus {
    let all = || old.iter().chain(new);
    let sum = |of: fn(&api::apps::ReplicaSetStatus) -> i32| {
        all().map(|set| of(&set.object.replica_set().status)).sum::<i32>()
    };
    let available = sum(|status| status.available_replicas);
    let total: i32 = all().map(|set| set.replicas).sum();
    let terminating: Vec<i32> = all().filter_map(|s| s.object.replica_set().status.terminating_replicas).collect();
    let known = all().count() == terminating.len();
    let mut conditions = deployment.status.conditions.clone();
    let enough = available >= replicas(deployment) - numbers::limits(deployment).max_unavailable;
    let (status, reason, message) = if enough {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    set_condition(&mut conditions, NewCondition { kind: "Available", status, reason, message: message.into() }, now);
    DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: sum(|status| status.replicas),
        updated_replicas: new.map_or(0, |set| set.object.replica_set().status.replicas),
        ready_replicas: sum(|status| status.ready_replicas),
        available_replicas: available,
        unavailable_replicas: (total - available).max(0),
        terminating_replicas: known.then(|| terminating.iter().sum()),
        conditions,
    }
}

/// All Pods are new and available, and no old ones are left.
pub fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let wanted = replicas(deployment);
    status.updated_replicas == wanted
        && status.replicas == wanted
        && status.available_replicas == wanted
        && status.observed_generation >= deployment.metadata.generation
}

/// Something moved since the last status.
fn is_progressing(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let before = &deployment.status;
    status.updated_replicas > before.updated_replicas
        || status.replicas - status.updated_replicas < before.replicas - before.updated_replicas
        || status.ready_replicas > before.ready_replicas
        || status.available_replicas > before.available_replicas
}

/// When the deployment will count as stuck, if nothing moves until then.
pub fn deadline(deployment: &Deployment) -> Option<SimTime> {
    let seconds = deployment.spec.progress_deadline_seconds.filter(|seconds| *seconds < i32::MAX)?;
    let progressing = condition(&deployment.status.conditions, "Progressing")?;
    if progressing.reason == NEW_SET_AVAILABLE || progressing.reason == TIMED_OUT {
        return None;
    }
    Some(progressing.last_update_time? + Span::secs(i64::from(seconds)))
}

/// Works out `Progressing` for `status`.
pub fn set_progress(deployment: &Deployment, new: Option<&Set>, status: &mut DeploymentStatus, now: SimTime) {
    let current = condition(&deployment.status.conditions, "Progressing").cloned();
    if deployment.spec.progress_deadline_seconds.is_none_or(|seconds| seconds == i32::MAX) {
        status.conditions.retain(|c| c.kind != "Progressing");
        return;
    }
    let was_complete =
        status.replicas == status.updated_replicas && current.as_ref().is_some_and(|c| c.reason == NEW_SET_AVAILABLE);
    if was_complete {
        return;
    }
    let who = match new {
        Some(set) => format!("ReplicaSet \"{}\"", set.object.name()),
        None => format!("Deployment \"{}\"", deployment.metadata.name),
    };
    let progress = |status, reason, what: &str| NewCondition {
        kind: "Progressing",
        status,
        reason,
        message: format!("{who} {what}"),
    };
    if is_complete(deployment, status) {
        let done = progress("True", NEW_SET_AVAILABLE, "has successfully progressed.");
        set_condition(&mut status.conditions, done, now);
    } else if is_progressing(deployment, status) {
        // Its update time starts the deadline anew, so it is written even if nothing else changed.
        status.conditions.retain(|c| c.kind != "Progressing");
        set_condition(&mut status.conditions, progress("True", "ReplicaSetUpdated", "is progressing."), now);
        if let (Some(old), Some(last)) = (current.filter(|c| c.status == "True"), status.conditions.last_mut()) {
            last.last_transition_time = old.last_transition_time;
        }
    } else if deadline(deployment).is_some_and(|deadline| deadline < now)
        || current.as_ref().is_some_and(|c| c.reason == TIMED_OUT)
    {
        let late = progress("False", TIMED_OUT, "has timed out progressing.");
        set_condition(&mut status.conditions, late, now);
    }
}

/// Takes over the failures of the sets.
pub fn set_failures(new: Option<&Set>, old: &[Set], status: &mut DeploymentStatus) {
    let failure = |set: &Set| condition(&set.object.replica_set().status.conditions, "ReplicaFailure").cloned();
    let found = new.and_then(failure).or_else(|| old.iter().find_map(failure));
    match found {
        None => status.conditions.retain(|c| c.kind != "ReplicaFailure"),
        Some(found) => {
            let same = condition(&status.conditions, "ReplicaFailure")
                .is_some_and(|c| c.status == found.status && c.reason == found.reason);
            if !same {
                status.conditions.retain(|c| c.kind != "ReplicaFailure");
                let updated = found.last_update_time.or(found.last_transition_time);
                status.conditions.push(Condition { last_update_time: updated, ..found });
            }
        }
    }
}
