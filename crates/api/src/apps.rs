//! `apps/v1`: ReplicaSet and Deployment as the controllers read and write them.
//!
//! Source: `k8s.io/api/apps/v1/types.go`. Pod templates stay trees.

use crate::meta::{LabelSelector, ObjectMeta};
use values::record;
use values::time::SimTime;
use values::value::Value;

record! {
    pub struct ReplicaSet {
        pub metadata: ObjectMeta,
        pub spec: ReplicaSetSpec,
        pub status: ReplicaSetStatus,
    }

    pub struct ReplicaSetSpec {
        pub replicas: Option<i32>,
        pub min_ready_seconds: i32,
        pub selector: LabelSelector,
        pub template: Value,
    }

    pub struct ReplicaSetStatus {
        /// Always written.
        pub replicas: i32 = always,
        pub fully_labeled_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub terminating_replicas: Option<i32>,
        pub observed_generation: i64,
        pub conditions: Vec<Condition>,
    }

    pub struct Deployment {
        pub metadata: ObjectMeta,
        pub spec: DeploymentSpec,
        pub status: DeploymentStatus,
    }

    pub struct DeploymentSpec {
        pub replicas: Option<i32>,
        pub selector: LabelSelector,
        pub template: Value,
        pub strategy: DeploymentStrategy,
        pub min_ready_seconds: i32,
        pub revision_history_limit: Option<i32>,
        pub paused: bool,
        pub progress_deadline_seconds: Option<i32>,
    }

    pub struct DeploymentStrategy {
        /// `RollingUpdate` or `Recreate`.
        pub kind: String as "type",
        pub rolling_update: RollingUpdate,
    }

    /// Each is a number or a percentage.
    pub struct RollingUpdate {
        pub max_unavailable: Value,
        pub max_surge: Value,
    }

    pub struct DeploymentStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub updated_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub unavailable_replicas: i32,
        pub terminating_replicas: Option<i32>,
        pub conditions: Vec<Condition>,
    }

    /// A condition of a ReplicaSet or Deployment.
    pub struct Condition {
        pub kind: String as "type" = always,
        pub status: String = always,
        pub last_update_time: Option<SimTime>,
        pub last_transition_time: Option<SimTime> = always,
        pub reason: String,
        pub message: String,
    }
}
