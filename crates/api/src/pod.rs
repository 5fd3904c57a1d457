//! Pods as the scheduler, the kubelet and the controllers read them.
//!
//! Source: `k8s.io/api/core/v1/types.go`. Only fields that something acts on are here; the rest stays in the tree.

use std::rc::Rc;

use crate::meta::{LabelExpression, LabelSelector, ObjectMeta, StringMap};
use values::record;
use values::time::SimTime;
use values::value::{Text, Value};

record! {
    pub struct Pod {
        /// Each part is shared by all versions of the Pod in which it is the same.
        pub metadata: Rc<ObjectMeta>,
        pub spec: Rc<PodSpec>,
        pub status: Rc<PodStatus>,
    }

    pub struct PodSpec {
        pub containers: Vec<Container>,
        pub init_containers: Vec<Container>,
        pub volumes: Vec<Value>,
        /// `Always`, `OnFailure` or `Never`.
        pub restart_policy: Text,
        pub termination_grace_period_seconds: Option<i64>,
        pub active_deadline_seconds: Option<i64>,
        pub node_name: Text,
        pub node_selector: StringMap,
        pub affinity: Affinity,
        pub tolerations: Vec<Toleration>,
        pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
        pub scheduling_gates: Vec<Value>,
        pub readiness_gates: Vec<Value>,
        pub scheduler_name: Text,
        pub priority: i32,
        pub priority_class_name: Text,
        pub preemption_policy: Option<Text>,
        pub service_account_name: Text,
        pub hostname: Text,
        pub subdomain: Text,
        pub host_network: bool,
        pub enable_service_links: Option<bool>,
        pub overhead: StringMap,
    }

    pub struct Container {
        pub name: Text,
        pub image: Text,
        pub command: Vec<String>,
        pub args: Vec<String>,
        pub working_dir: Text,
        pub ports: Vec<ContainerPort>,
        pub env: Vec<EnvVar>,
        pub env_from: Vec<Value>,
        pub resources: Resources,
        pub volume_mounts: Vec<VolumeMount>,
        pub liveness_probe: Option<Rc<Probe>>,
        pub readiness_probe: Option<Rc<Probe>>,
        pub startup_probe: Option<Rc<Probe>>,
        pub lifecycle: Value,
        /// `Always`, `IfNotPresent` or `Never`.
        pub image_pull_policy: Text,
        pub termination_message_path: Text,
        /// `File` or `FallbackToLogsOnError`.
        pub termination_message_policy: Text,
        /// Of the container itself: `Always` makes an init container a sidecar.
        pub restart_policy: Option<Text>,
        pub restart_policy_rules: Vec<RestartRule>,
        pub stdin: bool,
        pub tty: bool,
        pub security_context: Value,
    }
}

impl Container {
    /// True for an init container that runs beside the others.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy.as_deref() == Some("Always")
    }
}

record! {
    pub struct ContainerPort {
        pub name: Text,
        pub container_port: i32,
        pub host_port: i32,
        pub protocol: Text,
    }

    pub struct EnvVar {
        pub name: Text,
        pub value: Text,
        /// `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`.
        pub value_from: Value,
    }

    /// Quantities by resource name.
    pub struct Resources {
        pub requests: StringMap,
        pub limits: StringMap,
    }

    pub struct VolumeMount {
        pub name: Text,
        pub mount_path: Text,
        pub sub_path: Text,
        pub sub_path_expr: Text,
        pub read_only: bool,
    }

    pub struct Probe {
        pub exec: Option<ExecAction>,
        pub http_get: Option<HttpGetAction>,
        pub tcp_socket: Option<TcpSocketAction>,
        pub grpc: Option<Value>,
        pub initial_delay_seconds: i64,
        pub timeout_seconds: i64,
        pub period_seconds: i64,
        pub success_threshold: i64,
        pub failure_threshold: i64,
        pub termination_grace_period_seconds: Option<i64>,
    }

    pub struct ExecAction {
        pub command: Vec<String>,
    }

    pub struct HttpGetAction {
        pub path: Text,
        /// A number or the name of a port.
        pub port: Value,
        pub host: Text,
        pub scheme: Text,
    }

    pub struct TcpSocketAction {
        pub port: Value,
        pub host: Text,
    }

    pub struct RestartRule {
        /// `Restart` or `RestartAllContainers`.
        pub action: Text,
        pub exit_codes: Option<RestartExitCodes>,
    }

    pub struct RestartExitCodes {
        /// `In` or `NotIn`.
        pub operator: Text,
        pub values: Vec<i32>,
    }

    pub struct Toleration {
        pub key: Text,
        /// `Equal` (also when empty) or `Exists`.
        pub operator: Text,
        pub value: Text,
        pub effect: Text,
        pub toleration_seconds: Option<i64>,
    }

    pub struct Affinity {
        pub node_affinity: NodeAffinity,
        pub pod_affinity: PodAffinity,
        pub pod_anti_affinity: PodAffinity,
    }

    pub struct NodeAffinity {
        pub required_during_scheduling_ignored_during_execution: Option<NodeSelector>,
        pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredSchedulingTerm>,
    }

    pub struct NodeSelector {
        pub node_selector_terms: Vec<NodeSelectorTerm>,
    }

    pub struct NodeSelectorTerm {
        pub match_expressions: Vec<LabelExpression>,
        pub match_fields: Vec<LabelExpression>,
    }

    pub struct PreferredSchedulingTerm {
        pub weight: i64,
        pub preference: NodeSelectorTerm,
    }

    pub struct PodAffinity {
        pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm>,
        pub preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm>,
    }

    pub struct WeightedPodAffinityTerm {
        pub weight: i64,
        pub pod_affinity_term: PodAffinityTerm,
    }

    pub struct PodAffinityTerm {
        pub label_selector: Option<LabelSelector>,
        pub namespaces: Vec<Text>,
        pub topology_key: Text,
    }

    pub struct TopologySpreadConstraint {
        pub max_skew: i64,
        pub topology_key: Text,
        /// `DoNotSchedule` or `ScheduleAnyway`.
        pub when_unsatisfiable: Text,
        pub label_selector: Option<LabelSelector>,
        pub min_domains: Option<i64>,
    }

    /// `status` of a Pod, without what nobody acts on: resources, users and mounts, which the kubelet writes into the
    /// tree. Fields of this and its parts stand in the order in which the tree has them, so that writing, which happens
    /// often, only ever adds at the end.
    pub struct PodStatus {
        pub conditions: Vec<PodCondition>,
        pub container_statuses: Vec<ContainerStatus>,
        pub host_ip: Text as "hostIP",
        pub host_ips: Vec<PodIp> as "hostIPs",
        pub init_container_statuses: Vec<ContainerStatus>,
        pub message: Text,
        pub nominated_node_name: Text,
        pub observed_generation: i64,
        /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
        pub phase: Text,
        pub pod_ip: Text as "podIP",
        pub pod_ips: Vec<PodIp> as "podIPs",
        pub qos_class: Text,
        pub reason: Text,
        pub start_time: Option<SimTime>,
    }

    #[derive(Eq)]
    pub struct PodIp {
        pub ip: Text = always,
    }

    pub struct PodCondition {
        /// Always written, always null.
        pub last_probe_time: Option<SimTime> = always,
        pub last_transition_time: Option<SimTime> = always,
        pub message: Text,
        pub observed_generation: i64,
        pub reason: Text,
        pub status: Text = always,
        pub kind: Text as "type" = always,
    }

    pub struct ContainerStatus {
        pub container_id: Text as "containerID",
        pub image: Text = always,
        pub image_id: Text as "imageID" = always,
        pub last_state: ContainerState = always,
        pub name: Text = always,
        pub ready: bool = always,
        pub restart_count: i32 = always,
        pub started: Option<bool>,
        pub state: ContainerState = always,
    }

    /// At most one of the three is set; none means waiting.
    pub struct ContainerState {
        pub running: Option<StateRunning>,
        pub terminated: Option<StateTerminated>,
        pub waiting: Option<StateWaiting>,
    }

    pub struct StateWaiting {
        pub message: Text,
        pub reason: Text,
    }

    pub struct StateRunning {
        pub started_at: Option<SimTime> = always,
    }

    pub struct StateTerminated {
        pub container_id: Text as "containerID",
        pub exit_code: i32 = always,
        pub finished_at: Option<SimTime> = always,
        pub message: Text,
        pub reason: Text,
        pub signal: i32,
        pub started_at: Option<SimTime> = always,
    }
}

impl Pod {
    /// Phase Succeeded or Failed.
    pub fn is_terminal(&self) -> bool {
        self.status.phase == "Succeeded" || self.status.phase == "Failed"
    }

    /// Neither ended nor being deleted (`controller.IsPodActive`).
    pub fn is_active(&self) -> bool {
        !self.is_terminal() && !self.metadata.is_being_deleted()
    }

    pub fn condition(&self, kind: &str) -> Option<&PodCondition> {
        self.status.conditions.iter().find(|c| c.kind == kind)
    }

    pub fn is_ready(&self) -> bool {
        self.condition("Ready").is_some_and(|c| c.status == "True")
    }
}
