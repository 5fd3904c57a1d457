//! What the API server refuses: validation of new and changed objects, and the warnings it gives with good ones.
//!
//! Rules and texts: `docs/semantics/validation.md`. Each check says which function of Kubernetes it follows; errors
//! come in the order in which upstream finds them. Objects are trees that were decoded and defaulted before. A pass
//! over a good Pod allocates nothing. Sources: `pkg/apis/{batch,core,apps}/validation`, `pkg/registry/*/strategy.go`,
//! `pkg/api/{pod,job}/warnings.go`.

mod access;
mod config;
mod cronjob;
mod field;
mod go_form;
mod indexes;
mod job;
mod job_policy;
mod job_status;
mod meta;
mod misc;
pub mod names;
mod pod;
mod read;
mod selector;
mod service;
mod storage;
mod warnings;
mod workload;

use crate::kind::Kind;
use crate::status::FieldCause;
use values::value::Value;
use values::zone::ZoneTable;

use field::Errors;

pub use warnings::warnings;

/// What is wrong with a new object; empty if it is good. `zones` is the table that schedules are read with.
///
/// Events and endpoints are written by the cluster alone, and are not checked.
pub fn create(kind: Kind, object: &Value, zones: &ZoneTable) -> Vec<FieldCause> {
    let mut errors = Errors::new();
    let found = &mut errors;
    match kind {
        Kind::Job => job::create(found, object),
        Kind::CronJob => cronjob::create(found, object, zones),
        Kind::Pod => pod::create(found, object),
        Kind::ReplicaSet => workload::replica_set(found, object),
        Kind::Deployment => workload::deployment(found, object),
        Kind::Service => service::create(found, object),
        Kind::ConfigMap => config::config_map(found, object),
        Kind::Secret => config::secret(found, object),
        Kind::PersistentVolumeClaim => storage::claim(found, object),
        Kind::PersistentVolume => storage::volume(found, object),
        Kind::Namespace => misc::namespace(found, object),
        Kind::Node => misc::node(found, object),
        Kind::PriorityClass => misc::priority_class(found, object),
        Kind::ServiceAccount => misc::plain(found, object, true),
        Kind::ResourceQuota => misc::quota(found, object),
        Kind::Event | Kind::Endpoints | Kind::EndpointSlice => {}
        other => access::create(found, other, object),
    }
    errors.into_causes()
}

/// What is wrong with a change from `old` to `new`; empty if it is allowed.
pub fn update(kind: Kind, new: &Value, old: &Value, zones: &ZoneTable) -> Vec<FieldCause> {
    let mut errors = Errors::new();
    let found = &mut errors;
    match kind {
        Kind::Job => job::update(found, new, old),
        Kind::CronJob => cronjob::update(found, new, old, zones),
        Kind::Pod => pod::update(found, new, old),
        Kind::ReplicaSet => workload::replica_set_update(found, new, old),
        Kind::Deployment => workload::deployment_update(found, new, old),
        Kind::Service => service::update(found, new, old),
        Kind::ConfigMap => config::config_map_update(found, new, old),
        Kind::Secret => config::secret_update(found, new, old),
        Kind::PersistentVolumeClaim => storage::claim_update(found, new, old),
        Kind::PersistentVolume => storage::volume_update(found, new, old),
        Kind::PriorityClass => misc::priority_class_update(found, new, old),
        Kind::ResourceQuota => misc::quota_update(found, new, old),
        Kind::Namespace | Kind::Node | Kind::ServiceAccount => meta::update(found, new, old),
        Kind::Event | Kind::Endpoints | Kind::EndpointSlice => {}
        other => access::update(found, other, new, old),
    }
    errors.into_causes()
}

/// What is wrong with a change of a Job's status; empty if it is allowed.
pub fn job_status(new: &Value, old: &Value) -> Vec<FieldCause> {
    let mut errors = Errors::new();
    job_status::update(&mut errors, new, old);
    errors.into_causes()
}

#[cfg(test)]
mod tests;
