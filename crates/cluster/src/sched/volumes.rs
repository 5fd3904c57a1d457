//! The claims a Pod mounts: are they there, bound, and within reach of the node?
//!
//! Rule: `docs/semantics/scheduler.md` §2 (VolumeBinding). A claim whose class waits for its first consumer holds no Pod
//! back: once a node is chosen the claim is told so, and the binding waits until it has its volume.
//! Source: `pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go`.

use std::rc::Rc;

use crate::sched::affinity::term_matches;
use crate::sched::cache::{NodeInfo, PodInfo};
use crate::sched::fit_error::{Plugin, Rejection};
use crate::store::claims::{SELECTED_NODE, annotate_with, waits_for_consumer};
use crate::store::{Api, Store};
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
                _ if is_delayed(store, claim) => {}
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

/// Whether a claim waits for a Pod, or is being provisioned for one.
fn is_delayed(store: &Store, claim: &Object) -> bool {
    let chosen = claim.value().at_keys(["metadata", "annotations", SELECTED_NODE]);
    waits_for_consumer(store, claim) || (!chosen.is_null() && claim.value().str_at("status.phase") != Some("Lost"))
}

/// What a binding finds when it looks at the Pod's claims.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claims {
    Bound,
    /// Their volumes are being made.
    Awaited,
    /// One is gone.
    Gone,
}

/// Tells the claims that wait for this Pod which node it was given.
pub fn settle(api: &mut Api<'_>, pod: &PodInfo, node: &str) -> Claims {
    let mut claims = Claims::Bound;
    for volume in &pod.pod().spec.volumes {
        let Some(name) = claim_name(volume, pod) else { continue };
        let Some(claim) = api.find(Kind::PersistentVolumeClaim, pod.namespace(), &name) else { return Claims::Gone };
        if claim.value().str_at("status.phase") == Some("Bound") {
            continue;
        }
        claims = Claims::Awaited;
        if waits_for_consumer(api.store(), &claim) {
            // The claim is there: it was read above.
            let _ = api.update(&claim.key(), |value| annotate_with(value, SELECTED_NODE, node));
        }
    }
    claims
}

/// The claim a volume stands for: named, or made for this Pod alone.
fn claim_name(volume: &values::value::Value, pod: &PodInfo) -> Option<String> {
    if let Some(name) = volume.str_at("persistentVolumeClaim.claimName") {
        return Some(name.to_owned());
    }
    let own = volume.has("ephemeral").then(|| volume.str_at("name"))??;
    Some(format!("{}-{own}", pod.key.name))
}
