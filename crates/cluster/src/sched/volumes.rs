//! The claims a Pod mounts: are they there, bound, and within reach of the node?
//!
//! Rule: `docs/semantics/scheduler.md` §2 (VolumeBinding). There are no storage classes here, so every claim binds at
//! once or not at all. Source: `pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go`.

use std::rc::Rc;

use crate::sched::affinity::term_matches;
use crate::sched::cache::{NodeInfo, PodInfo};
use crate::sched::fit_error::{Plugin, Rejection};
use crate::store::Store;
use api::kind::Kind;
use api::object::Object;
use api::pod::NodeSelector;

/// The volumes behind a Pod's claims.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    bound: Vec<Rc<Object>>,
}

impl Volumes {
    /// Follows the claims to their volumes.
    ///
    /// # Errors
    /// What the event says before any node is looked at.
    pub fn gather(pod: &PodInfo, store: &Store) -> Result<Volumes, String> {
        let mut volumes = Volumes::default();
        let mut unbound = false;
        for volume in &pod.pod().spec.volumes {
            let Some(name) = claim_name(volume, pod) else { continue };
            let Some(claim) = store.find(Kind::PersistentVolumeClaim, pod.namespace(), &name) else {
                return Err(format!("persistentvolumeclaim \"{name}\" not found"));
            };
            if claim.meta().is_being_deleted() {
                return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
            }
            let volume = claim.value().str_at("spec.volumeName").unwrap_or_default();
            match store.find(Kind::PersistentVolume, "", volume) {
                Some(volume) if claim.value().str_at("status.phase") == Some("Bound") => {
                    volumes.bound.push(Rc::clone(volume));
                }
                _ => unbound = true,
            }
        }
        if unbound {
            return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
        }
        Ok(volumes)
    }

    /// The filter.
    pub fn check(&self, node: &NodeInfo) -> Result<(), Rejection> {
        for volume in &self.bound {
            let required = volume.value().at("spec.nodeAffinity.required");
            if required.is_null() {
                continue;
            }
            let selector: NodeSelector = required.decode().unwrap_or_default();
            if !selector.node_selector_terms.iter().any(|term| term_matches(term, &node.name, node.labels())) {
                let reason = "node(s) didn't match PersistentVolume's node affinity";
                return Err(Rejection::unresolvable(Plugin::VolumeBinding, reason));
            }
        }
        Ok(())
    }
}

/// The claim a volume stands for: named, or made for this Pod alone.
fn claim_name(volume: &values::value::Value, pod: &PodInfo) -> Option<String> {
    if let Some(name) = volume.str_at("persistentVolumeClaim.claimName") {
        return Some(name.to_owned());
    }
    let own = volume.has("ephemeral").then(|| volume.str_at("name"))??;
    Some(format!("{}-{own}", pod.key.name))
}
