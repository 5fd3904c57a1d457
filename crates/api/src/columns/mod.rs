//! What the API server's tables say of an object: the columns `kubectl get` prints.
//!
//! Rules: `docs/semantics/kubectl.md` §3. Source: `pkg/printers/internalversion/printers.go`. Adding a kind is a file
//! with its columns and its row, and a line in [`columns`] and [`row`].

mod access;
mod cells;
mod config;
mod cron_job;
mod deployment;
mod endpoints;
mod event;
mod job;
mod namespace;
mod node;
mod pod;
mod priority_class;
mod quota;
mod replica_set;
mod service;
mod storage;
#[cfg(test)]
mod tests;

use crate::kind::Kind;
use crate::object::Object;
use values::time::SimTime;

pub use access::DEFAULT_CLASS;
pub use cells::{label_selector, map as label_map};
pub use job::{completions, job_status};
pub use node::{node_roles, node_status};
pub use pod::{PodColumns, pod_columns};
pub use storage::access_modes;

/// A column of a kind's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// `Last Schedule`; printed in capitals.
    pub name: &'static str,
    /// Only in `-o wide` (priority 1).
    pub wide: bool,
}

const fn column(name: &'static str) -> Column {
    Column { name, wide: false }
}

const fn wide(name: &'static str) -> Column {
    Column { name, wide: true }
}

/// The table's head for a kind.
pub fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Namespace => namespace::COLUMNS,
        Kind::Node => node::COLUMNS,
        Kind::PriorityClass => priority_class::COLUMNS,
        Kind::PersistentVolume => storage::VOLUME_COLUMNS,
        Kind::PersistentVolumeClaim => storage::CLAIM_COLUMNS,
        Kind::ConfigMap => config::CONFIG_MAP_COLUMNS,
        Kind::Secret => config::SECRET_COLUMNS,
        Kind::ServiceAccount => config::SERVICE_ACCOUNT_COLUMNS,
        Kind::ResourceQuota => quota::COLUMNS,
        Kind::Pod => pod::COLUMNS,
        Kind::Service => service::COLUMNS,
        Kind::Endpoints => endpoints::COLUMNS,
        Kind::EndpointSlice => endpoints::SLICE_COLUMNS,
        Kind::Deployment => deployment::COLUMNS,
        Kind::ReplicaSet => replica_set::COLUMNS,
        Kind::CronJob => cron_job::COLUMNS,
        Kind::Job => job::COLUMNS,
        Kind::Event => event::COLUMNS,
        other => access::columns(other),
    }
}

/// The object's row: a text for each of [`columns`].
pub fn row(object: &Object, now: SimTime) -> Vec<String> {
    let value = object.value();
    match object.kind() {
        Kind::Namespace => namespace::row(value, now),
        Kind::Node => node::row(value, now),
        Kind::PriorityClass => priority_class::row(value, now),
        Kind::PersistentVolume => storage::volume_row(value, now),
        Kind::PersistentVolumeClaim => storage::claim_row(value, now),
        Kind::ConfigMap => config::config_map_row(value, now),
        Kind::Secret => config::secret_row(value, now),
        Kind::ServiceAccount => config::service_account_row(value, now),
        Kind::ResourceQuota => quota::row(value, now),
        Kind::Pod => pod::row(object.pod(), now),
        Kind::Service => service::row(value, now),
        Kind::Endpoints => endpoints::row(value, now),
        Kind::EndpointSlice => endpoints::slice_row(value, now),
        Kind::Deployment => deployment::row(value, now),
        Kind::ReplicaSet => replica_set::row(value, now),
        Kind::CronJob => cron_job::row(value, now),
        Kind::Job => job::row(object, now),
        Kind::Event => event::row(value, now),
        other => access::row(other, value, now),
    }
}
