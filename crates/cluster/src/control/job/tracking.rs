//! Counting ended Pods exactly once: a Pod stays until its end is noted in the status, then loses its finalizer, and
//! only then is it added to the counters.
//!
//! Rules: `docs/semantics/job.md` §3; recorded in all scenarios with Jobs.
//! Source: `pkg/controller/job/job_controller.go` (`trackJobStatusAndRemoveFinalizers`, `enactJobFinished`).

use crate::control::job::indexed::Indexes;
use crate::control::job::plan::{End, Suspension, ensure_condition};
use crate::control::job::pods::JobPod;
use crate::control::job::policy;
use crate::store::Rule;
use api::batch::{Job, JobStatus, UncountedTerminatedPods};
use values::sort::sort_by_key;
use values::sorted::SortedSet;
use values::time::SimTime;

/// How many ended Pods one sync notes at most.
const MAX_UNCOUNTED_PODS: usize = 500;

/// What a sync writes first: the status with the newly ended Pods in it, and the Pods to let go after that.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    /// The first status to write.
    pub status: JobStatus,
    /// Pods to take the tracking finalizer off, once the status is written.
    pub released: Vec<&'a JobPod>,
    /// Set if the suspension is newly noted; there is an event for it.
    pub suspension: Option<Suspension>,
    /// Uids of Pods that keep their finalizer.
    held: SortedSet<&'a str>,
    end: Option<End>,
    /// Some ended Pods were left for the next sync.
    more: bool,
}

/// What a sync writes last.
#[derive(Clone, PartialEq, Debug)]
pub struct Settled {
    /// The second status to write; the same as the first if there was nothing to count.
    pub status: JobStatus,
    /// Set if the Job is now finished; there is an event for it.
    pub finished: Option<End>,
}

/// Notes newly ended Pods in `status`, and the end of the Job if it has come.
pub fn tally<'a>(
    job: &Job,
    pods: &'a [JobPod],
    indexes: Option<&Indexes<'a>>,
    end: Option<End>,
    mut status: JobStatus,
    now: SimTime,
) -> Tally<'a> {
    let mut tracked: Vec<&JobPod> = pods.iter().filter(|pod| pod.is_tracked()).collect();
    if indexes.is_some() {
        sort_by_key(&mut tracked, |pod| pod.index());
    }
    let mut held: SortedSet<&str> = tracked.iter().map(|pod| pod.uid()).collect();
    let mut uncounted = status.uncounted_terminated_pods.take().unwrap_or_default();
    let known = Known::new(&uncounted);
    count(&mut status, &mut uncounted, &held);

    let (mut released, mut new_indexes, mut more) = (Vec::new(), Vec::new(), false);
    for pod in tracked {
        if !may_be_released(job, pod, indexes, end.as_ref()) {
            continue;
        }
        released.push(pod);
        held.remove(pod.uid());
        match what_counts(job, pod, indexes, end.as_ref(), &known) {
            Counts::Index(index) => new_indexes.push(index),
            Counts::Succeeded => uncounted.succeeded.push(pod.uid().to_owned()),
            Counts::Failed => uncounted.failed.push(pod.uid().to_owned()),
            Counts::Nothing => {}
        }
        if new_indexes.len() + uncounted.succeeded.len() + uncounted.failed.len() >= MAX_UNCOUNTED_PODS {
            more = true;
            break;
        }
    }
    if let Some(indexes) = indexes {
        let succeeded = indexes.succeeded.with(new_indexes);
        status.succeeded = succeeded.total() as i32;
        status.completed_indexes = succeeded.to_string();
        status.failed_indexes = indexes.failed.as_ref().map(ToString::to_string);
    }
    if let Some(end) = end.as_ref().filter(|end| !end.announced) {
        let kind = if end.success { "SuccessCriteriaMet" } else { "FailureTarget" };
        ensure_condition(&mut status, kind, true, &end.reason, &end.message, now);
    }
    status.uncounted_terminated_pods = Some(uncounted);
    Tally { status, released, suspension: None, held, end, more }
}

impl<'a> Tally<'a> {
    /// The rule that the status follows, and its counts: that of the Job's end, or that of counting.
    pub fn rule(&self) -> (Rule, [i64; 2]) {
        match (&self.end, self.suspension) {
            (Some(end), _) => (end.rule(), end.counts),
            (None, Some(Suspension::Suspended)) => (Rule::JobSuspend, [0; 2]),
            (None, Some(Suspension::Resumed)) => (Rule::JobResume, [0; 2]),
            (None, None) => (Rule::JobStatus, [0; 2]),
        }
    }

    /// Adds to the counters the Pods that have lost their finalizer, and finishes the Job if all of them have ended.
    /// `kept` are those whose finalizer could not be taken off.
    pub fn settle(mut self, kept: &[&'a JobPod], now: SimTime) -> Settled {
        let mut status = self.status;
        let mut uncounted = status.uncounted_terminated_pods.take().unwrap_or_default();
        self.held.extend(kept.iter().map(|pod| pod.uid()));
        count(&mut status, &mut uncounted, &self.held);
        let counted = !self.more && uncounted.succeeded.is_empty() && uncounted.failed.is_empty();
        let ended = counted && kept.is_empty() && status.terminating.unwrap_or(0) == 0;
        status.uncounted_terminated_pods = Some(uncounted);
        let finished = self.end.filter(|_| ended);
        if let Some(end) = &finished {
            let kind = if end.success { "Complete" } else { "Failed" };
            ensure_condition(&mut status, kind, true, &end.reason, &end.message, now);
            if end.success {
                status.completion_time = Some(now);
            }
        }
        Settled { status, finished }
    }
}

/// What a released Pod adds to.
enum Counts {
    Index(i64),
    Succeeded,
    Failed,
    Nothing,
}

/// The uids the status noted before this sync.
struct Known {
    succeeded: SortedSet<String>,
    failed: SortedSet<String>,
}

impl Known {
    fn new(uncounted: &UncountedTerminatedPods) -> Known {
        let set = |uids: &[String]| uids.iter().cloned().collect();
        Known { succeeded: set(&uncounted.succeeded), failed: set(&uncounted.failed) }
    }
}

/// True if the Pod may lose its finalizer: it has ended, or the whole Job has.
fn may_be_released(job: &Job, pod: &JobPod, indexes: Option<&Indexes<'_>>, end: Option<&End>) -> bool {
    if job.metadata.is_being_deleted() || end.is_some() || pod.succeeded() {
        return true;
    }
    let awaits_replacement = || {
        let last = indexes.zip(pod.index()).and_then(|(indexes, index)| indexes.awaiting_replacement.get(&index));
        last.is_some_and(|last| last.uid() == pod.uid())
    };
    pod.is_failed(job) && !awaits_replacement()
}

fn what_counts(job: &Job, pod: &JobPod, indexes: Option<&Indexes<'_>>, end: Option<&End>, known: &Known) -> Counts {
    let known_failed = known.failed.contains(pod.uid());
    if pod.succeeded() && !known_failed {
        return match indexes {
            Some(indexes) => match pod.valid_index(indexes.completions) {
                Some(index) if !indexes.counted.has(index) => Counts::Index(index),
                _ => Counts::Nothing,
            },
            None if known.succeeded.contains(pod.uid()) => Counts::Nothing,
            None => Counts::Succeeded,
        };
    }
    // When a Job fails, all of its Pods fail with it; when it has succeeded, those it no longer needs do not count.
    let fails = pod.is_failed(job) || end.is_some_and(|end| !end.success);
    let valid = indexes.is_none_or(|indexes| pod.valid_index(indexes.completions).is_some());
    let counts = || policy::judge(job.spec.pod_failure_policy.as_ref(), pod.pod()).counts();
    if fails && !known_failed && valid && counts() { Counts::Failed } else { Counts::Nothing }
}

/// Moves uids whose Pods are no longer held from the lists into the counters.
fn count(status: &mut JobStatus, uncounted: &mut UncountedTerminatedPods, held: &SortedSet<&str>) {
    for (uids, counter) in
        [(&mut uncounted.succeeded, &mut status.succeeded), (&mut uncounted.failed, &mut status.failed)]
    {
        let before = uids.len();
        uids.retain(|uid| held.contains(uid.as_str()));
        *counter += (before - uids.len()) as i32;
    }
}
