//! Laws of making Pods and of ending Jobs.
//!
//! Rules: `docs/semantics/job.md` §2 to §8, §11; `docs/semantics/ttl.md` §1.

use std::collections::{BTreeMap, BTreeSet};

use batchyard::api::batch::{JOB_COMPLETION_INDEX, JOB_TRACKING_FINALIZER, Job};
use batchyard::api::kind::Kind;
use batchyard::api::object::Object;
use batchyard::api::pod::Pod;
use batchyard::cluster::store::{Change, ChangeType};
use batchyard::run::{Fault, Input, Scenario, Sim};
use batchyard::values::time::{SimTime, Span};

use super::Law;
use super::job_counts::{Counted, index_of, indexes, released, replaces_failed_only};
use super::world::World;

/// How a Job may end, and when it is deleted by its TTL.
pub struct Ends;

impl Law for Ends {
    fn see(&mut self, change: &Change, world: &World, broken: &mut Vec<String>) {
        if change.kind() != Kind::Job {
            return;
        }
        let job = change.object.job();
        let mut fail = |text: String| broken.push(format!("Job {} at {}: {text}", job.metadata.name, change.at));
        if change.starts_deletion() && change.actor == "ttl-after-finished-controller" {
            let due = job.finished().and_then(|end| end.last_transition_time).zip(job.spec.ttl_seconds_after_finished);
            if due.is_none_or(|(end, ttl)| change.at < end + Span::secs(i64::from(ttl))) {
                fail(format!(
                    "its TTL of {:?} s is not over since {:?}",
                    job.spec.ttl_seconds_after_finished,
                    job.finished()
                ));
            }
        }
        let Some(before) = change.previous.as_ref().filter(|_| change.change == ChangeType::Modified) else { return };
        for condition in ["FailureTarget", "SuccessCriteriaMet", "Failed", "Complete"] {
            if before.job().status.has(condition) && !job.status.has(condition) {
                fail(format!("{condition} was taken back"));
            }
        }
        let (good, bad) = (job.status.has("SuccessCriteriaMet"), job.status.has("FailureTarget"));
        let (complete, failed) = (job.status.has("Complete"), job.status.has("Failed"));
        if (good && bad) || (complete && !good) || (failed && !bad) {
            fail(format!("conditions that exclude or lack each other: {:?}", job.status.conditions));
        }
        if (job.status.completion_time.is_some()) != complete {
            fail("completionTime and Complete do not go together".to_owned());
        }
        if bad && !before.job().status.has("FailureTarget") {
            check_failure(job, &mut fail);
        }
        if job.finished().is_some() && before.job().finished().is_none() {
            check_end(job, &change.object, world, &mut fail);
        }
    }
}

/// What the reason of a failure says must be so.
fn check_failure(job: &Job, fail: &mut dyn FnMut(String)) {
    let Some(target) = job.status.conditions.iter().find(|c| c.kind == "FailureTarget") else { return };
    let status = &job.status;
    let failed_indexes = indexes(status.failed_indexes.as_deref().unwrap_or_default()).len();
    let holds = match target.reason.as_str() {
        "DeadlineExceeded" => {
            status.start_time.zip(job.spec.active_deadline_seconds).is_some_and(|(start, seconds)| {
                target.last_transition_time.is_some_and(|at| at >= start + Span::secs(seconds))
            })
        }
        "FailedIndexes" => failed_indexes > 0,
        "MaxFailedIndexesExceeded" => job.spec.max_failed_indexes.is_some_and(|max| failed_indexes as i32 > max),
        "PodFailurePolicy" => job.spec.pod_failure_policy.is_some(),
        "BackoffLimitExceeded" => true,
        _ => false,
    };
    if !holds {
        fail(format!("{} does not hold: {status:?}", target.reason));
    }
}

fn check_end(job: &Job, object: &Object, world: &World, fail: &mut dyn FnMut(String)) {
    let status = &job.status;
    let end = job.finished().expect("it was asked for");
    let target = status.conditions.iter().position(|c| c.kind == "FailureTarget" || c.kind == "SuccessCriteriaMet");
    let last = status.conditions.iter().position(|c| c.kind == end.kind);
    let agrees = target.zip(last).is_some_and(|(target, last)| {
        let target = &status.conditions[target.min(last)];
        (&target.reason, &target.message) == (&end.reason, &end.message)
    });
    if !agrees {
        fail(format!("its end does not follow from its target: {:?}", status.conditions));
    }
    let left: Vec<&str> = world
        .controlled_by(Kind::Pod, object.uid())
        .filter(|pod| !pod.pod().is_terminal())
        .map(|pod| pod.name())
        .collect();
    if !left.is_empty() {
        fail(format!("it ended before its Pods {left:?}"));
    }
    let never = job.spec.template.str_at("spec.restartPolicy") == Some("Never");
    let holds = match end.reason.as_str() {
        "CompletionsReached" => status.succeeded >= job.spec.completions.unwrap_or(1),
        "BackoffLimitExceeded" => !never || status.failed > job.spec.backoff_limit.unwrap_or(6),
        _ => true,
    };
    if !holds {
        fail(format!("{} does not hold: {status:?}", end.reason));
    }
}

/// What is remembered of a Job's failures, as the rule of the back-off has it.
#[derive(Default)]
struct Record {
    failures: u32,
    last: Option<SimTime>,
    /// Pods counted as failed so far.
    counted: i32,
}

/// What one sync of a Job did: the Pods it let go of with their ends, and the Pod it made.
struct Sync {
    at: SimTime,
    job: std::rc::Rc<Object>,
    succeeded: Vec<SimTime>,
    failed: Vec<SimTime>,
    counted: i32,
    made: Option<String>,
}

/// When the Job controller may make a Pod, and how many.
pub struct Creations {
    /// A controller that was stopped forgets its back-off.
    forgetful: bool,
    records: BTreeMap<String, Record>,
    sync: Option<Sync>,
}

impl Creations {
    pub fn new(scenario: &Scenario) -> Creations {
        let stops = |action: &Input| matches!(action, Input::Fault(Fault::StopController { name, .. }) if name == "job-controller");
        let forgetful = scenario.steps.iter().any(|step| stops(&step.input));
        Creations { forgetful, records: BTreeMap::new(), sync: None }
    }

    /// The sync that `change` is part of.
    fn sync(&mut self, change: &Change, job: &std::rc::Rc<Object>, broken: &mut Vec<String>) -> &mut Sync {
        if self.sync.as_ref().is_some_and(|sync| sync.at != change.at || sync.job.uid() != job.uid()) {
            self.close(broken);
        }
        self.sync.get_or_insert_with(|| Sync {
            at: change.at,
            job: std::rc::Rc::clone(job),
            succeeded: Vec::new(),
            failed: Vec::new(),
            counted: 0,
            made: None,
        })
    }

    /// Judges a sync that is over: its creations come after what it learned of failures.
    fn close(&mut self, broken: &mut Vec<String>) {
        let Some(sync) = self.sync.take() else { return };
        let record = self.records.entry(sync.job.uid().to_owned()).or_default();
        record.counted += sync.counted;
        if let Some(success) = sync.succeeded.iter().max() {
            let since: Vec<SimTime> = sync.failed.iter().filter(|at| *at > success).copied().collect();
            (record.failures, record.last) = (since.len() as u32, since.iter().max().copied());
        } else if let Some(last) = sync.failed.iter().max() {
            (record.failures, record.last) = (record.failures + sync.failed.len() as u32, Some(*last));
        }
        let Some(pod) = sync.made else { return };
        let spec = &sync.job.job().spec;
        if spec.backoff_limit_per_index.is_some() {
            return;
        }
        if record.counted > spec.backoff_limit.unwrap_or(6) {
            broken.push(format!("{pod} was made after {} failures of {:?}", record.counted, spec.backoff_limit));
        }
        let ignores =
            spec.pod_failure_policy.as_ref().is_some_and(|policy| policy.rules.iter().any(|r| r.action == "Ignore"));
        if let Some(last) = record.last.filter(|_| record.failures > 0 && !self.forgetful && !ignores) {
            let wait = Span::secs((10_i64 << (record.failures - 1).min(10)).min(600));
            if sync.at < last + wait {
                broken.push(format!(
                    "{pod} was made at {}, {} failures in a row after {last}: the back-off of {} s is not over",
                    sync.at.rfc3339_micro(),
                    record.failures,
                    wait.as_secs()
                ));
            }
        }
    }
}

/// When a Pod ended: its last container, or the loss of readiness, or the request to delete it.
fn ended(pod: &Pod) -> SimTime {
    let sidecar = |name: &str| pod.spec.init_containers.iter().any(|c| c.name == name && c.is_sidecar());
    let sidecars = pod.status.init_container_statuses.iter().filter(|status| sidecar(&status.name));
    let ends = pod.status.container_statuses.iter().chain(sidecars);
    let ends: Vec<Option<SimTime>> =
        ends.map(|s| s.state.terminated.as_ref().and_then(|end| end.finished_at)).collect();
    let unready =
        pod.condition("Ready").filter(|ready| ready.status == "False").and_then(|ready| ready.last_transition_time);
    let grace = Span::secs(pod.metadata.deletion_grace_period_seconds.unwrap_or(0));
    let all = ends.iter().copied().collect::<Option<Vec<SimTime>>>().and_then(|ends| ends.into_iter().max());
    let known = all.or(unready).or(pod.metadata.deletion_timestamp.map(|due| due - grace));
    known.or(pod.metadata.creation_timestamp).expect("every object has one")
}

impl Law for Creations {
    fn see(&mut self, change: &Change, world: &World, broken: &mut Vec<String>) {
        if change.actor != "job-controller" || change.kind() != Kind::Pod {
            return;
        }
        let Some(job) = world.job_of(&change.object).cloned() else {
            if change.change == ChangeType::Added {
                broken.push(format!("Pod {} was made for no Job", change.object.name()));
            }
            return;
        };
        if change.change == ChangeType::Added {
            check_creation(change.object.pod(), &job, world, broken);
            self.sync(change, &job, broken).made = Some(change.object.name().to_owned());
        } else if let Some((_, counted)) = released(change, world) {
            let at = ended(change.previous.as_ref().expect("it was released").pod());
            let sync = self.sync(change, &job, broken);
            match counted {
                Counted::Succeeded => sync.succeeded.push(at),
                Counted::Failed => {
                    sync.failed.push(at);
                    sync.counted += 1;
                }
                Counted::Not => {}
            }
        }
    }

    fn end(&mut self, _sim: &Sim, _world: &World, broken: &mut Vec<String>) {
        self.close(broken);
    }
}

/// A Pod may be made only for a Job that wants one more.
fn check_creation(pod: &Pod, object: &Object, world: &World, broken: &mut Vec<String>) {
    let job = object.job();
    let mut fail = |text: String| broken.push(format!("Pod {} was made: {text}", pod.metadata.name));
    let ends = job.status.has("FailureTarget") || job.status.has("SuccessCriteriaMet") || job.finished().is_some();
    if job.is_suspended() || job.metadata.is_being_deleted() || ends {
        fail(format!("its Job is suspended, going or done: {:?}", job.status));
    }
    let pods: Vec<&Pod> = world.controlled_by(Kind::Pod, object.uid()).map(|pod| &**pod.pod()).collect();
    let active = pods.iter().filter(|pod| pod.is_active()).count();
    let leaving = pods.iter().filter(|pod| !pod.is_terminal() && pod.metadata.is_being_deleted()).count();
    let present = if replaces_failed_only(job) { active + leaving } else { active };
    let parallelism = job.spec.parallelism.unwrap_or(1);
    if present > parallelism as usize {
        fail(format!("{present} are there, and parallelism is {parallelism}"));
    }
    if job.is_indexed() {
        let Some(index) = index_of(pod, job) else { return fail("it has no index of the Job".to_owned()) };
        let status = &job.status;
        let failed = status.failed_indexes.as_deref().unwrap_or_default();
        if indexes(&status.completed_indexes).contains(&index) || indexes(failed).contains(&index) {
            fail(format!("its index {index} is done"));
        }
        let same = |other: &&&Pod| {
            other.is_active()
                && other.metadata.annotations.get(JOB_COMPLETION_INDEX).is_some_and(|own| *own == index.to_string())
        };
        if pods.iter().filter(same).count() != 1 {
            fail(format!("another works on index {index}"));
        }
        return;
    }
    let uncounted = job.status.uncounted_terminated_pods.clone().unwrap_or_default();
    let tracked = |pod: &&&Pod| pod.status.phase == "Succeeded" && pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER);
    let seen = pods.iter().filter(tracked).map(|pod| pod.metadata.uid.as_str());
    let uids: BTreeSet<&str> = seen.chain(uncounted.succeeded.iter().map(String::as_str)).collect();
    let succeeded = job.status.succeeded as usize + uids.len();
    match job.spec.completions {
        Some(completions) if active + succeeded > completions as usize => {
            fail(format!("{active} are active and {succeeded} succeeded of {completions}"));
        }
        None if succeeded > 0 => fail("the work queue is done".to_owned()),
        _ => {}
    }
}
