//! How long a Job waits before it replaces failed Pods: 10 s, doubled with each failure since the last success.
//!
//! Rules: `docs/semantics/job.md` §6; recorded in `never-backofflimit-2` and `never-replacements`.
//! Source: `pkg/controller/job/backoff_utils.go`.

use crate::actor::Hold;
use api::pod::{ContainerStatus, Pod};
use values::time::{SimTime, Span};

/// A wait that starts at `base`, doubles with each failure, and never exceeds `max`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    pub base: Span,
    pub max: Span,
}

impl Backoff {
    /// `DefaultJobPodFailureBackOff` and `MaxJobPodFailureBackOff`.
    pub const POD_FAILURE: Backoff = Backoff { base: Span::secs(10), max: Span::mins(10) };

    /// The whole wait after `failures` in a row.
    pub fn after(self, failures: u32) -> Span {
        if failures == 0 {
            return Span::ZERO;
        }
        // Doubling 32 times already exceeds any sensible maximum; more would leave the integers.
        let doubled = self.base.as_ms().saturating_mul(1 << (failures - 1).min(32));
        Span::ms(doubled).min(self.max)
    }

    /// What is left of the wait at `now`.
    pub fn remaining(self, failures: u32, last_failure: SimTime, now: SimTime) -> Span {
        (self.after(failures) - now.since(last_failure)).max(Span::ZERO)
    }
}

/// What the controller remembers of a Job's failures. It lives in memory only: a restarted controller starts afresh.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BackoffRecord {
    /// Failed Pods since one succeeded. Pods count, not rounds: three that fail together are three.
    pub failures_after_last_success: u32,
    /// When the latest of them finished.
    pub last_failure: Option<SimTime>,
}

impl BackoffRecord {
    /// The record after Pods newly finished at these moments (in any order).
    pub fn with(self, succeeded: &[SimTime], failed: &[SimTime]) -> BackoffRecord {
        let Some(last_success) = succeeded.iter().max() else {
            return BackoffRecord {
                failures_after_last_success: self.failures_after_last_success + failed.len() as u32,
                last_failure: failed.iter().max().copied().or(self.last_failure),
            };
        };
        let since = || failed.iter().filter(|at| *at > last_success);
        BackoffRecord { failures_after_last_success: since().count() as u32, last_failure: since().max().copied() }
    }

    /// The whole wait, whether it is over or not.
    pub fn hold(self, backoff: Backoff) -> Option<Hold> {
        let from = self.last_failure.filter(|_| self.failures_after_last_success > 0)?;
        Some(Hold { from, until: from + backoff.after(self.failures_after_last_success) })
    }

    /// What is left of the wait at `now`.
    pub fn remaining(self, backoff: Backoff, now: SimTime) -> Span {
        self.last_failure
            .map_or(Span::ZERO, |last_failure| backoff.remaining(self.failures_after_last_success, last_failure, now))
    }
}

/// When a Pod finished, as well as its object tells.
///
/// In this order: its containers' ends, its loss of readiness, the request to delete it, its creation.
pub fn finish_time(pod: &Pod) -> SimTime {
    let lost_readiness =
        || pod.condition("Ready").filter(|ready| ready.status == "False").and_then(|ready| ready.last_transition_time);
    let deletion_asked = || {
        let grace = Span::secs(pod.metadata.deletion_grace_period_seconds.unwrap_or(0));
        pod.metadata.deletion_timestamp.map(|due| due - grace)
    };
    containers_end(pod)
        .or_else(lost_readiness)
        .or_else(deletion_asked)
        .or(pod.metadata.creation_timestamp)
        .unwrap_or_default()
}

/// The latest end of the Pod's containers and sidecars, once all have ended.
fn containers_end(pod: &Pod) -> Option<SimTime> {
    let is_sidecar =
        |status: &&ContainerStatus| pod.spec.init_containers.iter().any(|c| c.name == status.name && c.is_sidecar());
    let sidecars = pod.status.init_container_statuses.iter().filter(is_sidecar);
    let mut latest = None;
    for status in pod.status.container_statuses.iter().chain(sidecars) {
        let end = status.state.terminated.as_ref().and_then(|ended| ended.finished_at)?;
        latest = latest.max(Some(end));
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let waits: Vec<i64> = (0..10).map(|n| Backoff::POD_FAILURE.after(n).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
        assert_eq!(Backoff::POD_FAILURE.after(u32::MAX), Span::mins(10));
    }

    #[test]
    fn pods_of_a_job_that_always_fails_are_made_at_these_seconds() {
        // `docs/semantics/job.md` §7: each Pod fails in the moment it starts.
        let (mut record, mut now, mut starts) = (BackoffRecord::default(), SimTime::EPOCH, vec![]);
        for _ in 0..7 {
            starts.push(now.secs());
            record = record.with(&[], &[now]);
            now += record.remaining(Backoff::POD_FAILURE, now);
        }
        assert_eq!(starts, [0, 10, 30, 70, 150, 310, 630]);
    }
}
