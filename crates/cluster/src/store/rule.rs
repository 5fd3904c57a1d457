//! The rules by which things happen: one table of names, sentences, deciding fields and sources.
//!
//! A rule's sentence is what may follow "because". `{0}` and `{1}` are the counts of the [`Cause`](crate::store::Cause)
//! that names the rule; `{0t}` and `{1t}` are counts that are lengths of time in milliseconds; `{0 Pod}` counts Pods: `1 Pod`,
//! `2 Pods`.
//! The engine needs only the names; sentences are read by whoever explains.

/// The object whose spec has the field that decides: the one the entry is about, or one that owns it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// The kind as manifests have it.
    pub kind: &'static str,
    /// From the object's root: `spec.backoffLimit`. For a Pod that a Job made, the Job's template is meant.
    pub path: &'static str,
}

/// What is to be said of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuleFacts {
    /// `job/backoffLimit`: who follows it, and what it is about.
    pub id: &'static str,
    /// What may follow "because".
    pub sentence: &'static str,
    pub field: Option<Field>,
    /// Where it is written down upstream.
    pub source: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $id:literal, $(($kind:literal $path:literal),)? $sentence:literal, $source:literal;)*) => {
        /// A rule that someone followed.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// All there are, in the order of the table.
            pub const ALL: &[Rule] = &[$(Rule::$name),*];
        }

        static FACTS: &[RuleFacts] = &[$(RuleFacts {
            id: $id,
            sentence: $sentence,
            field: rules!(@field $($kind $path)?),
            source: $source,
        }),*];
    };
    (@field) => { None };
    (@field $kind:literal $path:literal) => { Some(Field { kind: $kind, path: $path }) };
}

impl Rule {
    /// Its name, sentence, field and source.
    pub fn facts(self) -> &'static RuleFacts {
        &FACTS[self as usize]
    }

    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// The rule of that name.
    pub fn named(id: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

rules! {
    // outside and the API
    #[default]
    Start: "start",
        "the cluster was set up so",
        "docs/scenario.md";
    Follows: "follows",
        "it follows from what happened before",
        "the controllers' habit of acting on each change they hear of";
    Asked: "outside/asked",
        "someone asked for it",
        "docs/scenario.md";
    Broken: "outside/broken",
        "it was broken from outside",
        "docs/scenario.md, Faults";
    Mended: "outside/mended",
        "what was broken from outside is over",
        "docs/scenario.md, Faults";
    ApiEventTtl: "api/event-ttl",
        "events are forgotten an hour after they were last written",
        "cmd/kube-apiserver/app/options/options.go (EventTTL)";
    NamespaceEmpty: "namespace/empty",
        "its namespace is on its way out, and everything in it goes first",
        "pkg/controller/namespace/deletion/namespaced_resources_deleter.go";
    NamespaceDefaults: "namespace/defaults",
        "every namespace has a ServiceAccount `default` and the cluster's root certificates",
        "pkg/controller/serviceaccount/serviceaccounts_controller.go";

    // Job
    JobParallelism: "job/parallelism",
        ("Job" "spec.parallelism"),
        "it wants {0 Pod} to run at a time and had {1}",
        "pkg/controller/job/job_controller.go (manageJob)";
    JobReplacement: "job/replacement",
        ("Job" "spec.backoffLimit"),
        "a Pod has failed and its work is still to be done; that was failure {0} of at most {1}",
        "pkg/controller/job/job_controller.go (manageJob)";
    JobSurplus: "job/surplus",
        ("Job" "spec.parallelism"),
        "it wants {0 Pod} to run at a time and had {1}",
        "pkg/controller/job/job_controller.go (manageJob)";
    JobCompletions: "job/completions",
        ("Job" "spec.completions"),
        "{0} of {1} completions have succeeded and no Pod is left running",
        "pkg/controller/job/job_controller.go (syncJob)";
    JobBackoffLimit: "job/backoffLimit",
        ("Job" "spec.backoffLimit"),
        "{0} failures are more than its limit of {1} allows",
        "pkg/controller/job/job_controller.go (syncJob)";
    JobRestarts: "job/restarts",
        ("Job" "spec.backoffLimit"),
        "with restartPolicy OnFailure restarts count as failures, and its containers were restarted as often as its limit of {0} allows",
        "pkg/controller/job/job_controller.go (pastBackoffLimitOnFailure)";
    JobBackoffLimitPerIndex: "job/backoffLimitPerIndex",
        ("Job" "spec.backoffLimitPerIndex"),
        "an index has failed more often than it may, and no index is left to be done",
        "pkg/controller/job/indexed_job_utils.go";
    JobMaxFailedIndexes: "job/maxFailedIndexes",
        ("Job" "spec.maxFailedIndexes"),
        "{0} indexes have failed, more than the {1} that may",
        "pkg/controller/job/job_controller.go (syncJob)";
    JobActiveDeadline: "job/activeDeadlineSeconds",
        ("Job" "spec.activeDeadlineSeconds"),
        "it may run for {0t} altogether, restarts and waits included",
        "pkg/controller/job/job_controller.go (pastActiveDeadline)";
    JobPodFailurePolicy: "job/podFailurePolicy",
        ("Job" "spec.podFailurePolicy"),
        "a rule of its podFailurePolicy matches the failed Pod",
        "pkg/controller/job/pod_failure_policy.go";
    JobSuccessPolicy: "job/successPolicy",
        ("Job" "spec.successPolicy"),
        "the indexes that its successPolicy asks for have succeeded",
        "pkg/controller/job/success_policy.go";
    JobSuspend: "job/suspend",
        ("Job" "spec.suspend"),
        "it is suspended, and a suspended Job keeps no Pods",
        "pkg/controller/job/job_controller.go (manageJob)";
    JobResume: "job/resume",
        ("Job" "spec.suspend"),
        "it is no longer suspended",
        "pkg/controller/job/job_controller.go (syncJob)";
    JobBackoff: "job/backoff",
        ("Job" "spec.backoffLimit"),
        "after {0} failures in a row the next Pod waits {1t}",
        "pkg/controller/job/backoff_utils.go";
    JobIndexBackoff: "job/index-backoff",
        ("Job" "spec.backoffLimitPerIndex"),
        "an index that failed waits before its next Pod: {1t} from now",
        "pkg/controller/job/backoff_utils.go";
    JobReplaceWhenFailed: "job/podReplacementPolicy",
        ("Job" "spec.podReplacementPolicy"),
        "Pods on their way out still count: a replacement is made only when they have failed",
        "pkg/controller/job/job_controller.go (onlyReplaceFailedPods)";
    JobRefused: "job/refused",
        "the API refused what it wanted to write, so it tries again after {0t}",
        "pkg/controller/job/job_controller.go (processNextWorkItem)";
    JobTtl: "job/ttl",
        ("Job" "spec.ttlSecondsAfterFinished"),
        "it was to be kept for {0t} after its end",
        "pkg/controller/ttlafterfinished/ttlafterfinished_controller.go";
    JobCounted: "job/counted",
        "its end has been counted, so nothing needs to hold it any more",
        "pkg/controller/job/job_controller.go (trackJobStatusAndRemoveFinalizers)";
    JobStatus: "job/status",
        "its status follows its Pods",
        "pkg/controller/job/job_controller.go (syncJob)";
    JobSelector: "job/selector",
        ("Job" "spec.selector"),
        "a Job takes in Pods its selector matches and lets go those it does not",
        "pkg/controller/controller_ref_manager.go";
    JobOrphan: "job/orphan",
        "no Job is left that would count it",
        "pkg/controller/job/job_controller.go (syncOrphanPod)";

    // CronJob
    CronJobStart: "cronjob/start",
        ("CronJob" "spec.schedule"),
        "its schedule names this moment",
        "pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob)";
    CronJobForbid: "cronjob/forbid",
        ("CronJob" "spec.concurrencyPolicy"),
        "the Job before it still runs, and concurrencyPolicy is Forbid",
        "pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob)";
    CronJobReplace: "cronjob/replace",
        ("CronJob" "spec.concurrencyPolicy"),
        "the next run is due, and concurrencyPolicy is Replace",
        "pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob)";
    CronJobSuspend: "cronjob/suspend",
        ("CronJob" "spec.suspend"),
        "it is suspended",
        "pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob)";
    CronJobDeadline: "cronjob/startingDeadlineSeconds",
        ("CronJob" "spec.startingDeadlineSeconds"),
        "it was late by more than the {0t} that it may be",
        "pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob)";
    CronJobOneForMany: "cronjob/latest-only",
        ("CronJob" "spec.schedule"),
        "only the latest of the moments that were missed is made up for",
        "pkg/controller/cronjob/utils.go (mostRecentScheduleTime)";
    CronJobHistory: "cronjob/history-limit",
        ("CronJob" "spec.successfulJobsHistoryLimit"),
        "it keeps {0} of its ended Jobs and had {1}",
        "pkg/controller/cronjob/cronjob_controllerv2.go (removeOldestJobs)";
    CronJobStatus: "cronjob/status",
        "its status follows its Jobs",
        "pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob)";

    // ReplicaSet and Deployment
    ReplicaSetTooFew: "replicaset/too-few",
        ("ReplicaSet" "spec.replicas"),
        "it wants {0 Pod} and had {1}",
        "pkg/controller/replicaset/replica_set.go (manageReplicas)";
    ReplicaSetTooMany: "replicaset/too-many",
        ("ReplicaSet" "spec.replicas"),
        "it wants {0 Pod} and had {1}",
        "pkg/controller/replicaset/replica_set.go (manageReplicas)";
    ReplicaSetSelector: "replicaset/selector",
        ("ReplicaSet" "spec.selector"),
        "a ReplicaSet takes in Pods its selector matches and lets go those it does not",
        "pkg/controller/controller_ref_manager.go";
    ReplicaSetStatus: "replicaset/status",
        "its status follows its Pods",
        "pkg/controller/replicaset/replica_set_utils.go";
    DeploymentNewRevision: "deployment/new-revision",
        ("Deployment" "spec.template"),
        "its template is new, and each template has a ReplicaSet of its own",
        "pkg/controller/deployment/sync.go (getNewReplicaSet)";
    DeploymentRevision: "deployment/revision",
        "revisions are numbered in the order in which they came",
        "pkg/controller/deployment/sync.go";
    DeploymentScale: "deployment/scale",
        ("Deployment" "spec.replicas"),
        "its ReplicaSets are brought to the size that its replicas and its strategy ask for",
        "pkg/controller/deployment/rolling.go";
    DeploymentHistory: "deployment/history-limit",
        ("Deployment" "spec.revisionHistoryLimit"),
        "it keeps so many old ReplicaSets and no more",
        "pkg/controller/deployment/sync.go (cleanupDeployment)";
    DeploymentStatus: "deployment/status",
        "its status follows its ReplicaSets",
        "pkg/controller/deployment/sync.go (syncDeploymentStatus)";

    // Garbage
    GcOwnersGone: "gc/owners-gone",
        "its owner is gone, and what it owned goes with it",
        "pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem)";
    GcDropAbsentOwners: "gc/drop-absent-owners",
        "one of its owners is gone and another is still there",
        "pkg/controller/garbagecollector/garbagecollector.go";
    GcDependentsGone: "gc/dependents-gone",
        "it was to go after everything that it owns, and that has gone",
        "pkg/controller/garbagecollector/garbagecollector.go (processDeletingDependentsItem)";
    GcOrphan: "gc/orphan",
        "its owner was deleted with the wish to leave what it owns",
        "pkg/controller/garbagecollector/garbagecollector.go (orphanDependents)";
    GcOrphaned: "gc/orphaned",
        "all that it owned has been let go",
        "pkg/controller/garbagecollector/garbagecollector.go (orphanDependents)";
    PodGcTerminated: "pod-gc/terminated",
        "more ended Pods are kept than a cluster allows",
        "pkg/controller/podgc/gc_controller.go (gcTerminated)";
    PodGcNodeGone: "pod-gc/node-gone",
        "its node no longer exists",
        "pkg/controller/podgc/gc_controller.go (gcOrphaned)";
    PodGcNeverScheduled: "pod-gc/never-scheduled",
        "it was told to go before it had a node",
        "pkg/controller/podgc/gc_controller.go (gcUnscheduledTerminating)";
    PodGcOutOfService: "pod-gc/out-of-service",
        "its node was declared out of service",
        "pkg/controller/podgc/gc_controller.go (gcTerminating)";

    // Nodes
    NodeRegistered: "node/registered",
        "a machine joins the cluster by making its Node",
        "pkg/kubelet/kubelet_node_status.go";
    NodeHeartbeat: "node/heartbeat",
        "the kubelet reports its node's state",
        "pkg/kubelet/kubelet_node_status.go";
    NodeHeartbeatMissed: "node/heartbeat-missed",
        "its kubelet has not been heard of for {0t}",
        "pkg/controller/nodelifecycle/node_lifecycle_controller.go (monitorNodeHealth)";
    NodeNotReady: "node/not-ready",
        "its node is not ready, so neither are its Pods",
        "pkg/controller/util/node/controller_utils.go (MarkPodsNotReady)";
    NodeTaints: "node/taints-follow-conditions",
        "a node's taints follow its conditions",
        "pkg/controller/nodelifecycle/node_lifecycle_controller.go";
    NodeEvict: "node/evict-pods",
        "the node is unreachable or not ready, and Pods that do not tolerate that have to go",
        "pkg/controller/nodelifecycle/node_lifecycle_controller.go";
    NodeTaintEviction: "node/taint-eviction",
        ("Pod" "spec.tolerations"),
        "it tolerates the node's taint for {0t} and no longer",
        "pkg/controller/tainteviction/taint_eviction.go";

    // Scheduler
    SchedulerBind: "scheduler/bind",
        "a node has room for it and nothing against it",
        "pkg/scheduler/schedule_one.go";
    SchedulerNoNode: "scheduler/no-node-fits",
        ("Pod" "spec.containers[0].resources.requests"),
        "none of the {0} nodes will do",
        "pkg/scheduler/schedule_one.go (handleSchedulingFailure)";
    SchedulerPreempt: "scheduler/preempt",
        ("Pod" "spec.priorityClassName"),
        "a Pod of a higher priority needs its place",
        "pkg/scheduler/framework/preemption/preemption.go";

    // Kubelet
    KubeletStart: "kubelet/start",
        "a Pod was placed on its node and its containers are to run",
        "pkg/kubelet/kubelet.go (SyncPod)";
    KubeletNext: "kubelet/next",
        ("Pod" "spec.initContainers"),
        "init containers run one after the other, before the others",
        "pkg/kubelet/kuberuntime/kuberuntime_container.go (computeInitContainerActions)";
    KubeletRestart: "kubelet/restart",
        ("Pod" "spec.restartPolicy"),
        "its container has ended and is to be run again",
        "pkg/kubelet/container/helpers.go (ShouldContainerBeRestarted)";
    KubeletBackoff: "kubelet/backoff",
        ("Pod" "spec.restartPolicy"),
        "it has ended {0 time}, so its next start waits {1t}",
        "pkg/kubelet/kuberuntime/kuberuntime_manager.go (doBackOff)";
    KubeletPull: "kubelet/pull",
        ("Pod" "spec.containers[0].imagePullPolicy"),
        "its image is not on the node, or is to be asked for each time",
        "pkg/kubelet/images/image_manager.go";
    KubeletPullBackoff: "kubelet/pull-backoff",
        ("Pod" "spec.containers[0].image"),
        "its image could not be pulled {0 time}, so the next try waits {1t}",
        "pkg/kubelet/images/image_manager.go";
    KubeletCannotCreate: "kubelet/cannot-create",
        "its container cannot be made from what the Pod asks for",
        "pkg/kubelet/kuberuntime/kuberuntime_container.go";
    KubeletProgram: "kubelet/program",
        "its program came to an end",
        "pkg/kubelet/pleg/generic.go";
    KubeletMemory: "kubelet/memory",
        ("Pod" "spec.containers[0].resources.limits.memory"),
        "it needed more memory than its limit allows",
        "pkg/kubelet/oom/oom_watcher_linux.go";
    KubeletTerm: "kubelet/terminate",
        ("Pod" "spec.terminationGracePeriodSeconds"),
        "the Pod is to end: SIGTERM first, SIGKILL after {0t}",
        "pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer)";
    KubeletKill: "kubelet/kill",
        ("Pod" "spec.terminationGracePeriodSeconds"),
        "it had not ended by itself when its {0t} of grace were over",
        "pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer)";
    KubeletProbe: "kubelet/probe",
        "its probe says so, {0 time} in a row of the {1} that count",
        "pkg/kubelet/prober/worker.go";
    KubeletProbeKill: "kubelet/probe-failed",
        ("Pod" "spec.containers[0].livenessProbe"),
        "its probe failed {0 time} in a row, and {1} end a container",
        "pkg/kubelet/prober/prober_manager.go";
    KubeletDeadline: "kubelet/activeDeadlineSeconds",
        ("Pod" "spec.activeDeadlineSeconds"),
        "the Pod may run for {0t} altogether",
        "pkg/kubelet/active_deadline.go";
    KubeletRejects: "kubelet/admission",
        "the node has no room for it, or does not match what it asks for",
        "pkg/kubelet/lifecycle/predicate.go";
    KubeletStatus: "kubelet/status",
        "its status follows what its containers do",
        "pkg/kubelet/status/status_manager.go";
    KubeletGone: "kubelet/gone",
        "everything of it on the node has ended and been cleaned up",
        "pkg/kubelet/status/status_manager.go (syncPod)";

    // Network, volumes, quota
    EndpointsFollow: "endpoints/follow-pods",
        ("Service" "spec.selector"),
        "a Service's endpoints follow the ready Pods that it selects",
        "pkg/controller/endpointslice/endpointslice_controller.go";
    SetTooFew: "set/too-few",
        "it wants a Pod that was not there, and nothing before it was missing",
        "pkg/controller/statefulset/stateful_set_control.go, pkg/controller/daemon/daemon_controller.go";
    SetReplaced: "set/replaced",
        "the Pod had failed, was one too many, or was made of an older template",
        "pkg/controller/statefulset/stateful_set_control.go, pkg/controller/daemon/update.go";
    SetStatus: "set/status",
        "its Pods changed, and its status counts them",
        "pkg/controller/statefulset/stateful_set_control.go, pkg/controller/daemon/daemon_controller.go";
    BudgetStatus: "budget/status",
        "its Pods changed, and with them how many may be evicted",
        "pkg/controller/disruption/disruption.go";
    VolumeProvisioned: "volume/provisioned",
        ("PersistentVolumeClaim" "spec.storageClassName"),
        "the class of its claim has volumes made",
        "pkg/controller/volume/persistentvolume/pv_controller.go";
    VolumeBind: "volume/bind",
        ("PersistentVolumeClaim" "spec"),
        "a claim and a volume fit each other",
        "pkg/controller/volume/persistentvolume/pv_controller.go";
    VolumePhase: "volume/phase",
        "its phase follows what is bound",
        "pkg/controller/volume/persistentvolume/pv_controller.go";
    VolumeUnused: "volume/no-longer-used",
        "no Pod uses it any more",
        "pkg/controller/volume/pvcprotection/pvc_protection_controller.go";
    QuotaStatus: "quota/status",
        "what is used of a quota follows the objects in its namespace",
        "pkg/controller/resourcequota/resource_quota_controller.go";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_sentence() {
        for (position, rule) in Rule::ALL.iter().enumerate() {
            let facts = rule.facts();
            assert_eq!(Rule::named(facts.id), Some(*rule), "{} stands twice", facts.id);
            assert_eq!(*rule as usize, position);
            assert!(!facts.sentence.is_empty() && !facts.sentence.ends_with('.'), "{}: a clause", facts.id);
            assert!(!facts.source.is_empty(), "{}", facts.id);
        }
        assert_eq!(Rule::default(), Rule::Start);
    }
}
