//! Laws of counting: each Pod that ends is counted once, and nothing is ever taken back.
//!
//! Rules: `docs/semantics/job.md` §3. The ledger here is kept by the Pods' finalizers: a Pod counts at the moment the
//! Job controller lets go of it, by what it is then.

use std::collections::{BTreeMap, BTreeSet};

use batchyard::api::batch::{JOB_COMPLETION_INDEX, JOB_TRACKING_FINALIZER, Job, PodFailurePolicyRule};
use batchyard::api::kind::Kind;
use batchyard::api::pod::Pod;
use batchyard::cluster::store::{Change, ChangeType};
use batchyard::values::value::Text;

use super::Law;
use super::world::World;

/// As what a Pod is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    Succeeded,
    Failed,
    Not,
}

/// The numbers in `0-2,5`.
pub fn indexes(text: &str) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>()) else { continue };
        all.extend(low..=high);
    }
    all
}

/// The Pod's index, if the Job has it.
pub fn index_of(pod: &Pod, job: &Job) -> Option<i64> {
    let index = pod.metadata.annotations.get(JOB_COMPLETION_INDEX)?.parse::<i64>().ok()?;
    Some(index).filter(|index| *index < i64::from(job.spec.completions.unwrap_or(0)))
}

/// True if only Pods in phase Failed are replaced.
pub fn replaces_failed_only(job: &Job) -> bool {
    job.spec.pod_failure_policy.is_some() || job.spec.pod_replacement_policy.as_deref() == Some("Failed")
}

/// The action of the first rule that matches.
fn failure_action<'j>(pod: &Pod, job: &'j Job) -> Option<&'j str> {
    let matches = |rule: &&PodFailurePolicyRule| match &rule.on_exit_codes {
        Some(codes) => {
            let of_name = |name: &str| codes.container_name.as_deref().is_none_or(|wanted| wanted == name);
            let all = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
            let ends = all.filter(|status| of_name(&status.name)).filter_map(|status| status.state.terminated.as_ref());
            let mut bad = ends.filter(|ended| ended.exit_code != 0);
            bad.any(|ended| codes.values.contains(&ended.exit_code) == (codes.operator == "In"))
        }
        None => rule
            .on_pod_conditions
            .iter()
            .any(|pattern| pod.condition(&pattern.kind).is_some_and(|condition| condition.status == pattern.status)),
    };
    let rules = &job.spec.pod_failure_policy.as_ref()?.rules;
    rules.iter().find(matches).map(|rule| rule.action.as_str())
}

/// As what a Pod of a Job is counted that the controller lets go of now; `deleter` asked for its deletion.
pub fn counted(pod: &Pod, job: &Job, deleter: Option<&str>) -> Counted {
    if job.is_indexed() && index_of(pod, job).is_none() {
        return Counted::Not;
    }
    let deleted_by_others = pod.metadata.is_being_deleted() && deleter != Some("job-controller");
    let failed = match pod.status.phase.as_str() {
        "Succeeded" => return Counted::Succeeded,
        "Failed" => true,
        // Who is on the way out counts as failed at once, unless only what has failed is replaced; and all that is left
        // when the Job has failed.
        _ => {
            (deleted_by_others && !replaces_failed_only(job))
                || (pod.metadata.is_being_deleted() && job.status.has("FailureTarget"))
        }
    };
    if failed && failure_action(pod, job) != Some("Ignore") { Counted::Failed } else { Counted::Not }
}

/// A change by which the Job controller lets go of a Pod of an unfinished Job, and what the Pod is counted as.
pub fn released(change: &Change, world: &World) -> Option<(String, Counted)> {
    if change.kind() != Kind::Pod || change.actor != "job-controller" {
        return None;
    }
    let before = change.previous.as_ref()?;
    let tracked = |finalizers: &[Text]| finalizers.iter().any(|name| name == JOB_TRACKING_FINALIZER);
    // What goes with its last finalizer is shown as it was before.
    let goes = change.change == ChangeType::Deleted;
    if !tracked(&before.meta().finalizers) || (tracked(&change.object.meta().finalizers) && !goes) {
        return None;
    }
    let job = world.job_of(&change.object).filter(|job| job.job().finished().is_none())?;
    let deleter = world.deleters.get(change.object.uid()).copied();
    Some((job.uid().to_owned(), counted(before.pod(), job.job(), deleter)))
}

#[derive(Default, Debug)]
struct Ledger {
    succeeded: i64,
    failed: i64,
    indexes: BTreeSet<i64>,
}

/// Holds every status of every Job against its ledger.
#[derive(Default)]
pub struct Counts {
    ledgers: BTreeMap<String, Ledger>,
    /// Jobs whose `completions` changed: they forget indexes.
    elastic: BTreeSet<String>,
}

impl Law for Counts {
    fn see(&mut self, change: &Change, world: &World, broken: &mut Vec<String>) {
        if let Some((job, counted)) = released(change, world) {
            let ledger = self.ledgers.entry(job).or_default();
            match counted {
                Counted::Succeeded => {
                    ledger.succeeded += 1;
                    let index = change.object.pod().metadata.annotations.get(JOB_COMPLETION_INDEX);
                    ledger.indexes.extend(index.and_then(|index| index.parse::<i64>().ok()));
                }
                Counted::Failed => ledger.failed += 1,
                Counted::Not => {}
            }
        }
        if change.kind() != Kind::Job || change.change != ChangeType::Modified {
            return;
        }
        let Some(before) = &change.previous else { return };
        let (old, job) = (before.job(), change.object.job());
        if old.spec.completions != job.spec.completions {
            self.elastic.insert(job.metadata.uid.to_string());
        }
        let elastic = self.elastic.contains(job.metadata.uid.as_str());
        let mut fail = |text: String| broken.push(format!("Job {} at {}: {text}", job.metadata.name, change.at));
        let (was, is) = (&old.status, &job.status);
        if old.finished().is_some() && before.value().at("status") != change.object.value().at("status") {
            fail("its status changed after its end".to_owned());
        }
        if is.failed < was.failed || (is.succeeded < was.succeeded && !elastic) {
            fail(format!("counters went back: {was:?} {is:?}"));
        }
        if is.active < 0 || is.ready.unwrap_or(0) > is.active || is.terminating.unwrap_or(0) < 0 {
            fail(format!("more are ready than active, or fewer than none: {is:?}"));
        }
        let uncounted = is.uncounted_terminated_pods.clone().unwrap_or_default();
        let uids: BTreeSet<&String> = uncounted.succeeded.iter().chain(&uncounted.failed).collect();
        if uids.len() != uncounted.succeeded.len() + uncounted.failed.len() {
            fail(format!("a Pod stands twice in {uncounted:?}"));
        }
        if job.finished().is_some() && (!uids.is_empty() || is.active != 0 || is.terminating.unwrap_or(0) != 0) {
            fail(format!("it ended with Pods left: {is:?}"));
        }
        if was == is || !uids.is_empty() {
            return;
        }
        let none = Ledger::default();
        let ledger = self.ledgers.get(job.metadata.uid.as_str()).unwrap_or(&none);
        if i64::from(is.failed) != ledger.failed {
            fail(format!("{} Pods failed, and the status says {}", ledger.failed, is.failed));
        }
        if !job.is_indexed() {
            if i64::from(is.succeeded) != ledger.succeeded {
                fail(format!("{} Pods succeeded, and the status says {}", ledger.succeeded, is.succeeded));
            }
            return;
        }
        let done = indexes(&is.completed_indexes);
        if is.succeeded as usize != done.len() {
            fail(format!("completedIndexes {} are not {}", is.completed_indexes, is.succeeded));
        }
        if done.iter().any(|index| *index >= i64::from(job.spec.completions.unwrap_or(0)))
            && was.completed_indexes != is.completed_indexes
        {
            fail(format!("completedIndexes {} of {:?}", is.completed_indexes, job.spec.completions));
        }
        if elastic {
            return;
        }
        let waiting = world.controlled_by(Kind::Pod, &job.metadata.uid).map(|pod| pod.pod());
        let waiting =
            waiting.filter(|pod| pod.status.phase == "Succeeded" && pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER));
        let waiting: BTreeSet<i64> = waiting.filter_map(|pod| index_of(pod, job)).collect();
        let due = |index: &i64| ledger.indexes.contains(index) || waiting.contains(index);
        if !ledger.indexes.is_subset(&done) || !done.iter().all(due) {
            fail(format!("completedIndexes {} are not {:?}", is.completed_indexes, ledger.indexes));
        }
        let failed = indexes(is.failed_indexes.as_deref().unwrap_or_default());
        if failed.intersection(&done).next().is_some() {
            fail(format!("an index both succeeded and failed: {} {:?}", is.completed_indexes, is.failed_indexes));
        }
    }
}
