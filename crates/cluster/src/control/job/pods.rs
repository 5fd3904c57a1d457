//! A Job's Pods: what the controller reads off them, which it deletes first, and how it makes new ones.
//!
//! Rules: `docs/semantics/job.md` §2 step 7, §3 ("considered failed"), §4 (deletion order), §5.
//! Source: `pkg/controller/job/job_controller.go`, `pkg/controller/controller_utils.go` (`ActivePods`,
//! `GetPodFromTemplate`).

use std::cmp::Reverse;
use std::rc::Rc;

use crate::control::job::indexed::{self, FailureCounts, completion_index, replaces_only_failed};
use crate::control::ref_manager;
use api::batch::{
    JOB_COMPLETION_INDEX, JOB_INDEX_FAILURE_COUNT, JOB_INDEX_IGNORED_FAILURE_COUNT, JOB_TRACKING_FINALIZER, Job,
};
use api::object::Object;
use api::pod::{ContainerStatus, Pod};
use values::object;
use values::sort::sort_by_key;
use values::time::SimTime;
use values::value::{Text, Value};

/// One Pod of a Job at the moment of a sync.
#[derive(Clone, Debug)]
pub struct JobPod {
    object: Rc<Object>,
    index: Option<i64>,
    tracked: bool,
}

impl JobPod {
    /// # Panics
    /// If the object is no Pod.
    pub fn new(object: Rc<Object>) -> JobPod {
        let metadata = &object.pod().metadata;
        let index = completion_index(&metadata.annotations);
        let tracked = metadata.has_finalizer(JOB_TRACKING_FINALIZER);
        JobPod { object, index, tracked }
    }

    pub fn object(&self) -> &Rc<Object> {
        &self.object
    }

    pub fn pod(&self) -> &Pod {
        self.object.pod()
    }

    pub fn uid(&self) -> &str {
        &self.pod().metadata.uid
    }

    /// The completion index it was made for.
    pub fn index(&self) -> Option<i64> {
        self.index
    }

    /// The index, if it is one of the Job's.
    pub fn valid_index(&self, completions: i64) -> Option<i64> {
        self.index.filter(|index| *index < completions)
    }

    /// True while the Pod has the tracking finalizer, that is, its end is not counted yet.
    pub fn is_tracked(&self) -> bool {
        self.tracked
    }

    /// Neither ended nor being deleted.
    pub fn is_active(&self) -> bool {
        self.pod().is_active()
    }

    /// Being deleted, and not ended yet.
    pub fn is_terminating(&self) -> bool {
        self.pod().metadata.is_being_deleted() && !self.pod().is_terminal()
    }

    pub fn succeeded(&self) -> bool {
        self.pod().status.phase == "Succeeded"
    }

    /// Failed, or as good as failed: where Pods are replaced as soon as they are being deleted, that is enough.
    pub fn is_failed(&self, job: &Job) -> bool {
        let pod = self.pod();
        let deleted = || pod.metadata.is_being_deleted() && !self.succeeded();
        pod.status.phase == "Failed" || (!replaces_only_failed(job) && deleted())
    }

    /// Sorts first what is deleted first: what has come least far and has the least to lose.
    pub fn deletion_rank(&self) -> impl Ord + use<> {
        let pod = self.pod();
        let phase = match pod.status.phase.as_str() {
            "Running" => 2,
            "Unknown" => 1,
            _ => 0,
        };
        let ready_since = pod.condition("Ready").filter(|c| c.status == "True").map(|c| c.last_transition_time);
        let most_restarts = |statuses: &[ContainerStatus], sidecars: bool| {
            let is_sidecar = |name: &str| pod.spec.init_containers.iter().any(|c| c.name == name && c.is_sidecar());
            let counted = statuses.iter().filter(|status| !sidecars || is_sidecar(&status.name));
            counted.map(|status| status.restart_count).max().unwrap_or(0)
        };
        (
            !pod.spec.node_name.is_empty(),
            phase,
            ready_since.is_some(),
            // A time that is missing counts as the newest.
            Reverse(newest_if_missing(ready_since.flatten())),
            Reverse(most_restarts(&pod.status.container_statuses, false)),
            Reverse(most_restarts(&pod.status.init_container_statuses, true)),
            Reverse(newest_if_missing(pod.metadata.creation_timestamp)),
        )
    }
}

fn newest_if_missing(at: Option<SimTime>) -> i64 {
    at.map_or(i64::MAX, SimTime::millis)
}

/// Of `active` Pods, at least `at_least` that are to go. An Indexed Job also loses Pods whose index is missing, out of
/// range, or held by another Pod that comes later in the order of deletion.
pub fn for_removal<'a>(job: &Job, mut active: Vec<&'a JobPod>, at_least: usize) -> Vec<&'a JobPod> {
    let mut removed = Vec::new();
    if job.is_indexed() {
        (removed, active) = split_duplicates(active, i64::from(job.spec.completions.unwrap_or(0)));
    }
    if removed.len() < at_least {
        sort_by_key(&mut active, |pod| pod.deletion_rank());
        let more = at_least - removed.len();
        removed.extend(active.into_iter().take(more));
    }
    removed
}

/// Splits Pods into those that hold no index for themselves, and the one that keeps each index.
pub fn split_duplicates(mut pods: Vec<&JobPod>, completions: i64) -> (Vec<&JobPod>, Vec<&JobPod>) {
    sort_by_key(&mut pods, |pod| (pod.index(), pod.deletion_rank()));
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    for (position, pod) in pods.iter().enumerate() {
        let next = pods.get(position + 1).and_then(|next| next.index());
        let keeps = pod.valid_index(completions).is_some_and(|index| next != Some(index));
        if keeps { &mut kept } else { &mut removed }.push(*pod);
    }
    (removed, kept)
}

/// A Pod to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NewPod {
    /// The completion index, for an Indexed Job.
    pub index: Option<i64>,
    /// The index's failures so far, with `backoffLimitPerIndex`.
    pub failures: Option<FailureCounts>,
}

/// What all new Pods of a Job have in common, prepared once. The Pods share these branches.
#[derive(Clone, Debug)]
pub struct PodTemplate<'a> {
    job: &'a Object,
    labels: Value,
    annotations: Value,
    finalizers: Value,
    owners: Value,
    spec: Value,
}

impl<'a> PodTemplate<'a> {
    pub fn new(job: &'a Object) -> PodTemplate<'a> {
        let template = job.value().at("spec.template");
        let mut finalizers = template.list_at("metadata.finalizers").to_vec();
        if !finalizers.iter().any(|f| f.as_str() == Some(JOB_TRACKING_FINALIZER)) {
            finalizers.push(JOB_TRACKING_FINALIZER.into());
        }
        let mut spec = template.at("spec").clone();
        if job.job().is_indexed() {
            for list in ["initContainers", "containers"] {
                let Some(containers) = spec.at_mut(list) else { continue };
                containers.list_mut().iter_mut().for_each(add_index_variable);
            }
        }
        PodTemplate {
            job,
            labels: template.at("metadata.labels").clone(),
            annotations: template.at("metadata.annotations").clone(),
            finalizers: finalizers.into(),
            owners: Value::list([ref_manager::controller_reference(job)]),
            spec,
        }
    }

    /// The tree of a new Pod, to be created.
    pub fn make(&self, new: NewPod) -> Value {
        let (mut labels, mut annotations, mut spec) =
            (self.labels.clone(), self.annotations.clone(), self.spec.clone());
        let mut generate_name = format!("{}-", self.job.name());
        if let Some(index) = new.index {
            let text = index.to_string();
            labels.map_mut().insert(JOB_COMPLETION_INDEX, text.as_str());
            annotations.map_mut().insert(JOB_COMPLETION_INDEX, text);
            spec.map_mut().insert("hostname", format!("{}-{index}", self.job.name()));
            generate_name = indexed::generate_name(self.job.name(), index);
        }
        if let Some(failures) = new.failures {
            annotations.map_mut().insert(JOB_INDEX_FAILURE_COUNT, failures.counted.to_string());
            if failures.ignored > 0 {
                annotations.map_mut().insert(JOB_INDEX_IGNORED_FAILURE_COUNT, failures.ignored.to_string());
            }
        }
        let mut metadata = object! {
            "generateName" => generate_name, "namespace" => self.job.key().namespace,
            "finalizers" => self.finalizers.clone(), "ownerReferences" => self.owners.clone(),
        };
        for (field, map) in [("labels", labels), ("annotations", annotations)] {
            if !map.is_empty() {
                metadata.set(field, map);
            }
        }
        object! { "apiVersion" => Text::Known("v1"), "kind" => Text::Known("Pod"), "metadata" => metadata, "spec" => spec }
    }
}

/// Tells a container its index, unless it has a variable of that name.
fn add_index_variable(container: &mut Value) {
    const NAME: &str = "JOB_COMPLETION_INDEX";
    if container.list_at("env").iter().any(|variable| variable.str_at("name") == Some(NAME)) {
        return;
    }
    let mut env = container.list_at("env").to_vec();
    let path = format!("metadata.labels['{JOB_COMPLETION_INDEX}']");
    let source = object! { "fieldRef" => object! { "apiVersion" => "v1", "fieldPath" => path } };
    env.push(object! { "name" => NAME, "valueFrom" => source });
    container.set("env", env);
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::kind::Kind;
    use expect_test::expect;

    /// A running Pod of a node, ready since second 100, made in second 50, with some fields changed.
    fn pod(name: &str, changes: &[(&str, Value)]) -> JobPod {
        let at = |seconds: i64| Value::from(SimTime::from_secs(seconds));
        let ready = |status: &str, since: i64| {
            object! { "type" => "Ready", "status" => status, "lastTransitionTime" => at(since) }
        };
        let mut value = object! {
            "metadata" => object! { "name" => name, "creationTimestamp" => at(50) },
            "spec" => object! {
                "nodeName" => "node-1",
                "initContainers" => vec![object! { "name" => "sidecar", "restartPolicy" => "Always" }],
            },
            "status" => object! { "phase" => "Running", "conditions" => vec![ready("True", 100)] },
        };
        for (path, change) in changes {
            value.put(path, change.clone());
        }
        JobPod::new(Rc::new(Object::new(Kind::Pod, value, 1)))
    }

    #[test]
    fn what_has_come_least_far_is_deleted_first() {
        let ready = |since: i64| {
            let since = SimTime::from_secs(since);
            vec![object! { "type" => "Ready", "status" => "True", "lastTransitionTime" => since }]
        };
        let restarts = |name: &str, count: i32| vec![object! { "name" => name, "restartCount" => count }];
        let pods = [
            pod("old", &[("metadata.creationTimestamp", SimTime::from_secs(40).into())]),
            pod("usual", &[]),
            pod("sidecar-restarted", &[("status.initContainerStatuses", restarts("sidecar", 9).into())]),
            pod("restarted", &[("status.containerStatuses", restarts("main", 1).into())]),
            pod("ready-for-less", &[("status.conditions", ready(101).into())]),
            pod("not-ready", &[("status.conditions", Vec::new().into())]),
            pod("unknown", &[("status.phase", "Unknown".into())]),
            pod("pending", &[("status.phase", "Pending".into())]),
            pod("nowhere", &[("spec.nodeName", "".into())]),
        ];
        let removed = for_removal(&Job::default(), pods.iter().collect(), pods.len());
        let names: Vec<&str> = removed.iter().map(|pod| pod.object().name()).collect();
        let expected: Vec<&str> = pods.iter().rev().map(|pod| pod.object().name()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_pod_of_an_indexed_job_is_told_its_index_in_every_way() {
        let containers = vec![
            object! { "name" => "main" },
            object! { "name" => "own", "env" => vec![object! { "name" => "JOB_COMPLETION_INDEX", "value" => "7" }] },
        ];
        let template = object! {
            "metadata" => object! { "labels" => object! { "app" => "a" }, "finalizers" => vec![Value::from("own/one")] },
            "spec" => object! { "containers" => containers },
        };
        let job = object! {
            "metadata" => object! { "name" => "j", "namespace" => "default", "uid" => "u" },
            "spec" => object! { "completionMode" => "Indexed", "template" => template },
        };
        let job = Object::new(Kind::Job, job, 1);
        let failures = Some(FailureCounts { counted: 2, ignored: 1 });
        let made = PodTemplate::new(&job).make(NewPod { index: Some(3), failures });
        expect![[r#"
            {
              "apiVersion": "v1",
              "kind": "Pod",
              "metadata": {
                "annotations": {
                  "batch.kubernetes.io/job-completion-index": "3",
                  "batch.kubernetes.io/job-index-failure-count": "2",
                  "batch.kubernetes.io/job-index-ignored-failure-count": "1"
                },
                "finalizers": [
                  "own/one",
                  "batch.kubernetes.io/job-tracking"
                ],
                "generateName": "j-3-",
                "labels": {
                  "app": "a",
                  "batch.kubernetes.io/job-completion-index": "3"
                },
                "namespace": "default",
                "ownerReferences": [
                  {
                    "apiVersion": "batch/v1",
                    "blockOwnerDeletion": true,
                    "controller": true,
                    "kind": "Job",
                    "name": "j",
                    "uid": "u"
                  }
                ]
              },
              "spec": {
                "containers": [
                  {
                    "env": [
                      {
                        "name": "JOB_COMPLETION_INDEX",
                        "valueFrom": {
                          "fieldRef": {
                            "apiVersion": "v1",
                            "fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"
                          }
                        }
                      }
                    ],
                    "name": "main"
                  },
                  {
                    "env": [
                      {
                        "name": "JOB_COMPLETION_INDEX",
                        "value": "7"
                      }
                    ],
                    "name": "own"
                  }
                ],
                "hostname": "j-3"
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&made).expect("it is JSON"));
    }
}
