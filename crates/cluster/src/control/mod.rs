//! The controllers. Adding one is a file and a line in [`all`].
//!
//! Rule: a controller hears of changes, and when it acts it reads, decides and writes; it never reaches past the API.
//! Where the decision is long (`job`, `cronjob`) it is a pure plan, apart from the writes.

pub mod ref_manager;
pub mod job;
pub mod cronjob;
pub mod ttl;
pub mod gc;
pub mod deployment;
pub mod replicaset;
pub mod sets;
pub mod disruption;
pub mod endpoints;
pub mod namespace;
pub mod service_account;
pub mod volume_binder;
pub mod volume_protection;
pub mod resource_quota;
pub mod pod_gc;
pub mod node_lifecycle;
pub mod taint_eviction;

use crate::actor::Actor;
use values::rng::Rng;
use values::zone::ZoneTable;

/// An actor that can be copied with the rest of the cluster.
pub trait Controller: Actor {
    fn clone_box(&self) -> Box<dyn Controller>;
}

impl<T: Actor + Clone + 'static> Controller for T {
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Controller> {
    fn clone(&self) -> Box<dyn Controller> {
        (**self).clone_box()
    }
}

/// All controllers of kube-controller-manager that are simulated, in the order in which they act at equal times.
pub fn all(rng: Rng, zones: ZoneTable) -> Vec<Box<dyn Controller>> {
    vec![
        Box::new(job::JobController::new(rng)),
        Box::new(cronjob::CronJobController::new(rng, zones)),
        Box::new(service_account::ServiceAccountController::new()),
        Box::new(ttl::TtlAfterFinished::new()),
        Box::new(gc::GarbageCollector::new(rng)),
        Box::new(deployment::DeploymentController::new(rng)),
        Box::new(replicaset::ReplicaSetController::new(rng)),
        Box::new(sets::SetController::stateful(rng)),
        Box::new(sets::SetController::daemon(rng)),
        Box::new(disruption::DisruptionController::new()),
        Box::new(endpoints::EndpointsController::new(rng)),
        Box::new(namespace::NamespaceController::new()),
        Box::new(volume_binder::VolumeBinder::new()),
        Box::new(volume_protection::VolumeProtection::new()),
        Box::new(resource_quota::ResourceQuotaController::new()),
        Box::new(pod_gc::PodGc::new()),
        Box::new(node_lifecycle::NodeLifecycle::new(rng)),
        Box::new(taint_eviction::TaintEviction::new()),
    ]
}
