//! Indexed Jobs: which indexes are done, which come next, and how often each has failed.
//!
//! Rules: `docs/semantics/job.md` §4 step 6, §5, §7; recorded in `indexed-basic` and `indexed-backofflimitperindex`.
//! Source: `pkg/controller/job/indexed_job_utils.go`.

use std::fmt;

use crate::control::job::backoff::{Backoff, finish_time};
use crate::control::job::pods::JobPod;
use crate::control::job::policy::{self, Verdict};
use api::batch::{JOB_COMPLETION_INDEX, JOB_INDEX_FAILURE_COUNT, JOB_INDEX_IGNORED_FAILURE_COUNT, Job};
use api::meta::StringMap;
use api::pod::Pod;
use values::sort::sort;
use values::sorted::{SortedMap, SortedSet};
use values::time::{SimTime, Span};

/// Generated names hold 63 letters, five of which are drawn (`names.MaxGeneratedNameLength`).
const MAX_GENERATE_NAME: usize = 58;

/// A set of indexes, as ordered intervals with both ends in them and no two that touch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Intervals(Vec<(i64, i64)>);

impl Intervals {
    /// Takes single ordered intervals.
    pub fn new(intervals: impl IntoIterator<Item = (i64, i64)>) -> Intervals {
        let mut result = Intervals::default();
        for interval in intervals {
            result.push(interval);
        }
        result
    }

    /// Reads `0-3,5`; what lies at or beyond `completions` is cut off, what is no number is passed over.
    pub fn parse(text: &str, completions: i64) -> Intervals {
        let read = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
            (first < completions).then_some((first, last.min(completions - 1)))
        };
        Intervals::new(text.split(',').filter_map(read))
    }

    /// These and those of `other`.
    pub fn union(&self, other: &Intervals) -> Intervals {
        let mut all = [self.0.as_slice(), other.0.as_slice()].concat();
        sort(&mut all);
        Intervals::new(all)
    }

    /// These and single indexes.
    pub fn with(&self, indexes: impl IntoIterator<Item = i64>) -> Intervals {
        let mut indexes: Vec<i64> = indexes.into_iter().collect();
        sort(&mut indexes);
        self.union(&Intervals::new(indexes.into_iter().map(|index| (index, index))))
    }

    /// How many indexes there are.
    pub fn total(&self) -> i64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub fn has(&self, index: i64) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(at).is_some_and(|(first, _)| *first <= index)
    }

    /// How many indexes are in both.
    pub fn common(&self, other: &Intervals) -> i64 {
        let (mut count, mut mine, mut theirs) = (0, self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            count += (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
            if a.1 < b.1 {
                mine.next()
            } else {
                theirs.next()
            };
        }
        count
    }

    /// The first `count` indexes below `completions` that are not in here.
    pub fn first_missing(&self, count: usize, completions: i64) -> Vec<i64> {
        let ends = self.0.iter().copied().chain([(completions, completions)]);
        let mut next = 0;
        let gaps = ends.flat_map(|(first, last)| {
            let gap = next..first.min(completions);
            next = next.max(last + 1);
            gap
        });
        gaps.take(count).collect()
    }

    /// Adds an interval that does not begin before the last one.
    fn push(&mut self, (first, last): (i64, i64)) {
        match self.0.last_mut() {
            Some(end) if first <= end.1 + 1 => end.1 = end.1.max(last),
            _ => self.0.push((first, last)),
        }
    }
}

impl fmt::Display for Intervals {
    /// `0-3,5,7,8`: two neighbours are written one by one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (first, last)) in self.0.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The index a Pod was made for; none if the annotation is missing or no index.
pub fn completion_index(annotations: &StringMap) -> Option<i64> {
    annotations.get(JOB_COMPLETION_INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// How often an index has failed, as carried from Pod to Pod by annotations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FailureCounts {
    /// Failures that count towards `backoffLimitPerIndex`.
    pub counted: i32,
    /// Failures that the podFailurePolicy ignored.
    pub ignored: i32,
}

impl FailureCounts {
    /// The failures before `pod`.
    pub fn of(pod: &Pod) -> FailureCounts {
        let read = |annotation| {
            let text = pod.metadata.annotations.get(annotation);
            text.and_then(|text| text.parse().ok()).filter(|count| *count >= 0).unwrap_or(0)
        };
        FailureCounts { counted: read(JOB_INDEX_FAILURE_COUNT), ignored: read(JOB_INDEX_IGNORED_FAILURE_COUNT) }
    }

    /// The failures before the Pod that replaces `failed`; none before an index's first Pod.
    pub fn for_replacement(job: &Job, failed: Option<&Pod>) -> FailureCounts {
        let Some(failed) = failed else { return FailureCounts::default() };
        let mut counts = FailureCounts::of(failed);
        if policy::judge(job.spec.pod_failure_policy.as_ref(), failed).counts() {
            counts.counted = counts.counted.saturating_add(1);
        } else {
            counts.ignored = counts.ignored.saturating_add(1);
        }
        counts
    }

    fn all(self) -> i32 {
        self.counted.saturating_add(self.ignored)
    }
}

/// Where an Indexed Job stands.
#[derive(Clone, Debug, Default)]
pub struct Indexes<'a> {
    /// `spec.completions`.
    pub completions: i64,
    /// From `status.completedIndexes`.
    pub counted: Intervals,
    /// Those, and the indexes of Pods that succeeded since.
    pub succeeded: Intervals,
    /// With `backoffLimitPerIndex` only.
    pub failed: Option<Intervals>,
    /// With `backoffLimitPerIndex` only: the last failed Pod of each index that has yet to be tried again. It keeps
    /// its finalizer until then, since its annotations hold the index's number of failures.
    pub awaiting_replacement: SortedMap<i64, &'a JobPod>,
}

impl<'a> Indexes<'a> {
    pub fn new(job: &Job, pods: &'a [JobPod]) -> Indexes<'a> {
        let completions = i64::from(job.spec.completions.unwrap_or(0));
        let tracked =
            || pods.iter().filter(|pod| pod.is_tracked()).filter(|pod| pod.valid_index(completions).is_some());
        let counted = Intervals::parse(&job.status.completed_indexes, completions);
        let succeeded = counted.with(tracked().filter(|pod| pod.succeeded()).filter_map(JobPod::index));
        let mut indexes = Indexes { completions, counted, succeeded, ..Indexes::default() };
        if let Some(limit) = job.spec.backoff_limit_per_index {
            let before = Intervals::parse(job.status.failed_indexes.as_deref().unwrap_or_default(), completions);
            let failed = tracked().filter(|pod| fails_index(job, limit, pod)).filter_map(JobPod::index);
            indexes.failed = Some(before.with(failed));
            indexes.awaiting_replacement = indexes.find_awaiting_replacement(job, pods);
        }
        indexes
    }

    fn find_awaiting_replacement(&self, job: &Job, pods: &'a [JobPod]) -> SortedMap<i64, &'a JobPod> {
        let active: SortedSet<i64> = pods.iter().filter(|pod| pod.is_active()).filter_map(JobPod::index).collect();
        let mut last: SortedMap<i64, &JobPod> = SortedMap::new();
        for pod in pods.iter().filter(|pod| pod.is_tracked() && pod.is_failed(job)) {
            let Some(index) = pod.valid_index(self.completions) else { continue };
            let settled = self.succeeded.has(index) || self.failed.as_ref().is_some_and(|failed| failed.has(index));
            if settled || active.contains(&index) {
                continue;
            }
            let is_later = |other: &JobPod| {
                FailureCounts::of(other.pod()).all() <= FailureCounts::of(pod.pod()).all()
                    && finish_time(other.pod()) <= finish_time(pod.pod())
            };
            if last.get(&index).is_none_or(|other| is_later(other)) {
                last.insert(index, pod);
            }
        }
        last
    }

    /// The first `count` indexes for which there is neither a Pod nor a result. Where only failed Pods are replaced,
    /// a Pod that is still ending holds its index too.
    pub fn first_pending(&self, job: &Job, pods: &[JobPod], count: usize) -> Vec<i64> {
        let holds = |pod: &&JobPod| pod.is_active() || (replaces_only_failed(job) && pod.is_terminating());
        let mut taken = self.succeeded.with(pods.iter().filter(holds).filter_map(JobPod::index));
        if let Some(failed) = &self.failed {
            taken = taken.union(failed);
        }
        taken.first_missing(count, self.completions)
    }

    /// Of these indexes, those whose own back-off is over.
    ///
    /// # Errors
    /// If there is none: how long it is until the first.
    pub fn past_backoff(&self, indexes: Vec<i64>, now: SimTime) -> Result<Vec<i64>, Span> {
        let wait = |index: &i64| {
            self.awaiting_replacement
                .get(index)
                .map_or(Span::ZERO, |pod| index_backoff(Backoff::POD_FAILURE, pod.pod(), now))
        };
        let ready: Vec<i64> = indexes.iter().copied().filter(|index| wait(index) == Span::ZERO).collect();
        match indexes.iter().map(wait).min() {
            Some(shortest) if ready.is_empty() => Err(shortest),
            _ => Ok(ready),
        }
    }
}

/// What is left of an index's back-off after its last failed Pod.
pub fn index_backoff(backoff: Backoff, failed: &Pod, now: SimTime) -> Span {
    let failures = FailureCounts::of(failed).all().saturating_add(1).unsigned_abs();
    backoff.remaining(failures, finish_time(failed), now)
}

/// True if the Pod's failure ends its index: by a `FailIndex` rule, or as one failure too many.
pub fn fails_index(job: &Job, limit: i32, pod: &JobPod) -> bool {
    if !pod.is_failed(job) {
        return false;
    }
    match policy::judge(job.spec.pod_failure_policy.as_ref(), pod.pod()) {
        Verdict::FailIndex => true,
        verdict => verdict.counts() && FailureCounts::of(pod.pod()).counted >= limit,
    }
}

/// True if a Pod that is being deleted is replaced only once it has failed.
pub fn replaces_only_failed(job: &Job) -> bool {
    job.spec.pod_replacement_policy.as_deref() == Some("Failed") || job.spec.pod_failure_policy.is_some()
}

/// `generateName` of an index's Pod; a long Job name is cut so that the index stays.
pub fn generate_name(job_name: &str, index: i64) -> String {
    let end = format!("-{index}-");
    let room = MAX_GENERATE_NAME.saturating_sub(end.len());
    let cut: String = job_name.chars().take(room).collect();
    cut + &end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn intervals_are_sets(a in prop::collection::btree_set(0_i64..60, 0..30), b in prop::collection::btree_set(0_i64..60, 0..30)) {
            let (left, right) = (Intervals::default().with(a.iter().copied()), Intervals::default().with(b.iter().copied()));
            let union: SortedSet<i64> = a.union(&b).copied().collect();
            prop_assert_eq!(left.total(), a.len() as i64);
            prop_assert_eq!(left.common(&right), a.intersection(&b).count() as i64);
            prop_assert_eq!(&left.union(&right), &Intervals::default().with(union.iter().copied()));
            prop_assert_eq!(&Intervals::parse(&left.to_string(), 60), &left);
            let missing: Vec<i64> = (0..60).filter(|index| !a.contains(index)).take(7).collect();
            prop_assert_eq!(left.first_missing(7, 60), missing);
            for index in 0..60 {
                prop_assert_eq!(left.has(index), a.contains(&index));
            }
        }
    }

    #[test]
    fn intervals_are_written_as_kubernetes_does() {
        let written = |indexes: &[i64]| Intervals::default().with(indexes.iter().copied()).to_string();
        assert_eq!(written(&[0, 1, 2, 3, 5, 7, 8, 10, 11, 12]), "0-3,5,7,8,10-12");
        assert_eq!(written(&[]), "");
    }
}
