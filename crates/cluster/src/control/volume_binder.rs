//! The persistent volume controller: finds each claim a volume, and keeps both in step.
//!
//! Rules: recorded in `nautobot-manifest`: a claim looks for a volume when it is made or changed, and then every 15 s; a new
//! volume does not call the claims. A claim whose class has a provisioner gets a volume of its own, after a moment; with
//! `WaitForFirstConsumer` only once the scheduler has chosen a node for a Pod that uses it. Every provisioner is taken to be
//! there, but for `kubernetes.io/no-provisioner`.
//! Source: `pkg/controller/volume/persistentvolume/{pv_controller,index}.go`.

use std::rc::Rc;

use crate::actor::{Actor, WorkQueue};
use crate::store::claims::{SELECTED_NODE, annotate_with, waits_for_consumer};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, EventType, Rule, Store};
use api::kind::Kind;
use api::meta::{Key, LabelSelector};
use api::object::Object;
use values::object;
use values::quantity::Quantity;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Value;

/// From a change to the sync it leads to.
const WATCH_DELAY: Span = Span::ms(5);
/// `--pvclaimbinder-sync-period`
const RESYNC: Span = Span::secs(15);

/// The provisioner of classes whose volumes people make themselves.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// How long a provisioner takes.
const PROVISION_MS: (i64, i64) = (1_500, 4_000);
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// persistentvolume-binder-controller. Keys are claims and volumes.
#[derive(Clone, Debug, Default)]
pub struct VolumeBinder {
    queue: WorkQueue<Key>,
    /// Claims for which a volume is being made, and when it will be there.
    provisioning: SortedMap<Key, SimTime>,
}

impl VolumeBinder {
    pub fn new() -> VolumeBinder {
        VolumeBinder::default()
    }

    fn sync_claim(&mut self, api: &mut Api<'_>, claim: &Rc<Object>, cause: Cause) {
        let wanted = claim.value().str_at("spec.volumeName").unwrap_or_default().to_owned();
        if is_bound(claim) {
            if api.find(Kind::PersistentVolume, "", &wanted).is_none() {
                lose(api, claim);
            }
            return;
        }
        if !wanted.is_empty() {
            match api.find(Kind::PersistentVolume, "", &wanted) {
                Some(volume) if is_free_for(&volume, claim) => return bind(api, claim, &volume),
                Some(_) => {
                    let message = format!("volume \"{wanted}\" already bound to a different claim.");
                    api.event(claim, EventType::Warning, "FailedBinding", &message);
                }
                None => {}
            }
        } else if waits_for_consumer(api.store(), claim) {
            let message = "waiting for first consumer to be created before binding";
            api.event(claim, EventType::Normal, "WaitForFirstConsumer", message);
        } else if let Some(volume) = find_volume(api.store(), claim) {
            return bind(api, claim, &volume);
        } else {
            let class = storage_class(claim);
            if let Some(class) = api.find(Kind::StorageClass, "", class) {
                return self.provision(api, claim, &class, cause);
            }
            if class.is_empty() {
                let message = "no persistent volumes available for this claim and no storage class is set";
                api.event(claim, EventType::Normal, "FailedBinding", message);
            } else {
                let message = format!("storageclass.storage.k8s.io \"{class}\" not found");
                api.event(claim, EventType::Warning, "ProvisioningFailed", &message);
            }
        }
        let every = RESYNC.as_ms();
        let next = SimTime::from_millis(api.now().millis().div_euclid(every) * every + every);
        self.queue.add(claim.key(), next, cause);
    }

    /// Has a volume made for a claim; what takes a moment is looked at again when it is over.
    fn provision(&mut self, api: &mut Api<'_>, claim: &Rc<Object>, class: &Object, cause: Cause) {
        let provisioner = class.value().str_at("provisioner").unwrap_or_default().to_owned();
        api.because(Rule::VolumeProvisioned);
        if provisioner == NO_PROVISIONER {
            let every = RESYNC.as_ms();
            let next = SimTime::from_millis(api.now().millis().div_euclid(every) * every + every);
            return self.queue.add(claim.key(), next, cause);
        }
        let Some(ready_at) = self.provisioning.get(&claim.key()).copied() else {
            let takes = Span::ms(api.rng().between("provision", claim.uid(), PROVISION_MS.0, PROVISION_MS.1));
            let written = api.update(&claim.key(), |value| {
                for name in
                    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"]
                {
                    annotate_with(value, name, &provisioner);
                }
            });
            debug_assert!(written.is_ok(), "the claim is there: {written:?}");
            let message = format!(
                "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
                 system administrator. If volume creation is delayed, please verify that the provisioner is running and \
                 correctly registered."
            );
            api.event(claim, EventType::Normal, "ExternalProvisioning", &message);
            self.provisioning.insert(claim.key(), api.now() + takes);
            return self.queue.add(claim.key(), api.now() + takes, cause);
        };
        if api.now() < ready_at {
            return self.queue.add(claim.key(), ready_at, cause);
        }
        self.provisioning.remove(&claim.key());
        let name = format!("pvc-{}", claim.uid());
        let message = format!("Successfully provisioned volume {name}");
        if let Ok(volume) = api.create(volume_for(claim, class, &name)) {
            api.event(claim, EventType::Normal, "ProvisioningSucceeded", &message);
            bind(api, claim, &volume);
        }
    }

    fn sync_volume(&mut self, api: &mut Api<'_>, volume: &Rc<Object>) {
        let claimed = volume.value().at("spec.claimRef");
        let phase = if claimed.is_null() {
            "Available"
        } else {
            let key = claim_of(volume);
            let uid = claimed.str_at("uid").unwrap_or_default();
            match api.get(&key) {
                // Meant for a claim by name only, which has not come yet.
                None if uid.is_empty() => "Available",
                Some(claim) if uid.is_empty() || claim.uid() == uid => return,
                _ => return release(api, volume),
            }
        };
        set_phase(api, volume, phase);
    }
}

fn set_phase(api: &mut Api<'_>, object: &Object, phase: &str) {
    api.because(Rule::VolumePhase);
    let written = api.patch_status(&object.key(), |status| status.set("phase", phase));
    debug_assert!(written.is_ok(), "the object is there: {written:?}");
}

/// The claim is gone: the volume goes, too, or stays with what is on it.
fn release(api: &mut Api<'_>, volume: &Object) {
    set_phase(api, volume, "Released");
    if volume.value().str_at("spec.persistentVolumeReclaimPolicy") == Some("Delete") {
        let deleted = api.delete(&volume.key(), &DeleteOptions::default());
        debug_assert!(deleted.is_ok(), "the volume is there: {deleted:?}");
    }
}

fn lose(api: &mut Api<'_>, claim: &Object) {
    if claim.value().str_at("status.phase") == Some("Lost") {
        return;
    }
    let written = api.patch_status(&claim.key(), |status| {
        *status = object! { "phase" => "Lost" };
    });
    debug_assert!(written.is_ok(), "the claim is there: {written:?}");
    let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    api.event(claim, EventType::Warning, "ClaimLost", message);
}

/// The volume that a provisioner makes.
fn volume_for(claim: &Object, class: &Object, name: &str) -> Value {
    let (claimed, offered) = (claim.value(), class.value());
    let mut annotations = Value::map();
    annotations.map_mut().insert("pv.kubernetes.io/provisioned-by", offered.at("provisioner").clone());
    let mut volume = object! {
        "apiVersion" => "v1", "kind" => "PersistentVolume",
        "metadata" => object! { "name" => name, "annotations" => annotations },
        "spec" => object! {
            "accessModes" => claimed.at("spec.accessModes").clone(),
            "capacity" => object! { "storage" => claimed.at("spec.resources.requests.storage").clone() },
            "claimRef" => object! {
                "apiVersion" => "v1", "kind" => "PersistentVolumeClaim", "namespace" => claim.namespace(),
                "name" => claim.name(), "uid" => claim.uid(),
                "resourceVersion" => claim.resource_version().to_string(),
            },
            "hostPath" => object! { "path" => format!("/var/local-path-provisioner/{name}"), "type" => "DirectoryOrCreate" },
            "persistentVolumeReclaimPolicy" => offered.str_at("reclaimPolicy").unwrap_or("Delete"),
            "storageClassName" => class.name(),
            "volumeMode" => claimed.str_at("spec.volumeMode").unwrap_or("Filesystem"),
        },
    };
    if let Some(node) = claimed.at_keys(["metadata", "annotations", SELECTED_NODE]).as_str() {
        let expression = object! {
            "key" => "kubernetes.io/hostname", "operator" => "In", "values" => Value::list([node.into()]),
        };
        let term = object! { "matchExpressions" => Value::list([expression]) };
        let required = object! { "nodeSelectorTerms" => Value::list([term]) };
        volume.set("spec.nodeAffinity", object! { "required" => required });
    }
    volume
}

fn is_bound(claim: &Object) -> bool {
    !claim.value().at_keys(["metadata", "annotations", BIND_COMPLETED]).is_null()
}

fn storage_class(object: &Object) -> &str {
    object.value().str_at("spec.storageClassName").unwrap_or_default()
}

fn claim_of(volume: &Object) -> Key {
    let reference = volume.value().at("spec.claimRef");
    let text = |field: &str| reference.str_at(field).unwrap_or_default();
    Key::new(Kind::PersistentVolumeClaim, text("namespace"), text("name"))
}

fn is_free_for(volume: &Object, claim: &Object) -> bool {
    let reference = volume.value().at("spec.claimRef");
    if reference.is_null() {
        return true;
    }
    let uid = reference.str_at("uid").unwrap_or_default();
    claim_of(volume) == claim.key() && (uid.is_empty() || uid == claim.uid())
}

fn size(object: &Object, path: &str) -> Quantity {
    object.value().str_at(path).and_then(|text| Quantity::parse(text).ok()).unwrap_or(Quantity::ZERO)
}

/// The volume that was made for the claim, else the smallest that will do.
fn find_volume(store: &Store, claim: &Object) -> Option<Rc<Object>> {
    let wanted = size(claim, "spec.resources.requests.storage");
    let selector: Option<LabelSelector> =
        Some(claim.value().at("spec.selector")).filter(|s| !s.is_null()).and_then(|s| s.decode().ok());
    let modes = claim.value().list_at("spec.accessModes");
    let volume_mode = |o: &Object| o.value().str_at("spec.volumeMode").unwrap_or("Filesystem").to_owned();
    let will_do = |volume: &&Rc<Object>| {
        let reserved = !volume.value().at("spec.claimRef").is_null();
        let offered = volume.value().list_at("spec.accessModes");
        !volume.meta().is_being_deleted()
            && is_free_for(volume, claim)
            && size(volume, "spec.capacity.storage") >= wanted
            && modes.iter().all(|mode| offered.contains(mode))
            && volume_mode(volume) == volume_mode(claim)
            && (reserved
                || (storage_class(volume) == storage_class(claim)
                    && selector.as_ref().is_none_or(|s| s.matches(&volume.meta().labels))))
    };
    let rank = |volume: &&Rc<Object>| {
        let unreserved = volume.value().at("spec.claimRef").is_null();
        (unreserved, size(volume, "spec.capacity.storage"), volume.name().to_owned())
    };
    store.list(Kind::PersistentVolume).filter(will_do).min_by_key(rank).cloned()
}

/// Writes both ends of the bond: volume, its phase, claim, its phase.
fn bind(api: &mut Api<'_>, claim: &Object, volume: &Object) {
    api.because(Rule::VolumeBind);
    let reference = object! {
        "apiVersion" => "v1", "kind" => "PersistentVolumeClaim", "namespace" => claim.namespace(),
        "name" => claim.name(), "uid" => claim.uid(), "resourceVersion" => claim.resource_version().to_string(),
    };
    let chosen = volume.value().at("spec.claimRef").is_null();
    let written = api.update(&volume.key(), |value| {
        value.set("spec.claimRef", reference);
        if chosen {
            annotate(value, BOUND_BY_CONTROLLER);
        }
    });
    debug_assert!(written.is_ok(), "the volume is there: {written:?}");
    set_phase(api, volume, "Bound");
    let chosen = claim.value().at("spec.volumeName").is_empty();
    let written = api.update(&claim.key(), |value| {
        value.set("spec.volumeName", volume.name());
        annotate(value, BIND_COMPLETED);
        if chosen {
            annotate(value, BOUND_BY_CONTROLLER);
        }
    });
    debug_assert!(written.is_ok(), "the claim is there: {written:?}");
    let status = object! {
        "phase" => "Bound", "accessModes" => volume.value().at("spec.accessModes").clone(),
        "capacity" => volume.value().at("spec.capacity").clone(),
    };
    let written = api.update_status(&claim.key(), status);
    debug_assert!(written.is_ok(), "the claim is there: {written:?}");
}

fn annotate(value: &mut Value, key: &str) {
    annotate_with(value, key, "yes");
}

impl Actor for VolumeBinder {
    /// As its events say.
    fn name(&self) -> &'static str {
        "persistentvolume-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let cause = change.cause();
        let at = change.at + WATCH_DELAY;
        let key = change.object.key();
        let gone = change.change == ChangeType::Deleted;
        match change.kind() {
            Kind::PersistentVolumeClaim if gone => {
                self.queue.remove(&key);
                self.provisioning.remove(&key);
                let volume = change.object.value().str_at("spec.volumeName").unwrap_or_default();
                if let Some(volume) = store.find(Kind::PersistentVolume, "", volume) {
                    self.queue.add(volume.key(), at, cause);
                }
            }
            Kind::PersistentVolume if gone => {
                let claim = claim_of(&change.object);
                if store.get(&claim).is_some() {
                    self.queue.add(claim, at, cause);
                }
            }
            Kind::PersistentVolumeClaim | Kind::PersistentVolume => {
                let known = |o: &Rc<Object>| {
                    let chosen = o.value().at_keys(["metadata", "annotations", SELECTED_NODE]);
                    (o.value().at("spec").clone(), chosen.clone())
                };
                if change.previous.as_ref().is_none_or(|before| known(before) != known(&change.object)) {
                    self.queue.add(key, at, cause);
                }
            }
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        let Some(object) = api.get(&due.key) else { return };
        api.set_cause(due.cause);
        if object.meta().is_being_deleted() {
            return;
        }
        match object.kind() {
            Kind::PersistentVolumeClaim => self.sync_claim(api, &object, due.cause),
            _ => self.sync_volume(api, &object),
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        self.provisioning = SortedMap::new();
        for kind in [Kind::PersistentVolume, Kind::PersistentVolumeClaim] {
            for object in store.list(kind) {
                self.queue.add(object.key(), now + WATCH_DELAY, cause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;
    use crate::control::volume_protection::VolumeProtection;

    fn stage() -> Stage {
        Stage::new(vec![Box::new(VolumeBinder::new()), Box::new(VolumeProtection::new())])
    }

    fn claim(stage: &mut Stage, name: &str, spec: &str) {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{{"name":"{name}"}},"spec":{{{spec}
            "accessModes":["ReadWriteOnce"],"resources":{{"requests":{{"storage":"1Gi"}}}}}}}}"#
        ));
    }

    fn volume(stage: &mut Stage, name: &str, size: &str) {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolume","metadata":{{"name":"{name}"}},"spec":{{
            "accessModes":["ReadWriteOnce"],"capacity":{{"storage":"{size}"}},"hostPath":{{"path":"/data"}}}}}}"#
        ));
    }

    fn phase(stage: &Stage, kind: Kind, name: &str) -> String {
        let object = stage.store.find(kind, "default", name);
        object.and_then(|o| o.value().str_at("status.phase").map(str::to_owned)).unwrap_or_default()
    }

    #[test]
    fn a_claim_waits_for_the_next_round_after_its_volume_came() {
        let mut stage = stage();
        claim(&mut stage, "data", "");
        stage.run_for(Span::secs(1));
        assert_eq!(phase(&stage, Kind::PersistentVolumeClaim, "data"), "Pending");
        assert_eq!(
            stage.events("data"),
            ["FailedBinding: no persistent volumes available for this claim and no storage class is set"]
        );
        volume(&mut stage, "small", "500Mi");
        volume(&mut stage, "large", "5Gi");
        volume(&mut stage, "right", "2Gi");
        stage.run_for(Span::secs(5));
        assert_eq!(phase(&stage, Kind::PersistentVolume, "right"), "Available");
        assert_eq!(phase(&stage, Kind::PersistentVolumeClaim, "data"), "Pending");
        stage.run_for(Span::secs(15));
        assert_eq!(phase(&stage, Kind::PersistentVolumeClaim, "data"), "Bound");
        let bound = stage.get(Kind::PersistentVolumeClaim, "data");
        assert_eq!(bound.value().str_at("spec.volumeName"), Some("right"));
        assert_eq!(bound.value().str_at("status.capacity.storage"), Some("2Gi"));
        assert_eq!(phase(&stage, Kind::PersistentVolume, "right"), "Bound");
        assert_eq!(phase(&stage, Kind::PersistentVolume, "large"), "Available");
    }

    #[test]
    fn classes_that_do_not_exist_provision_nothing() {
        let mut stage = stage();
        claim(&mut stage, "data", r#""storageClassName":"fast","#);
        stage.run_for(Span::secs(1));
        assert_eq!(stage.events("data"), ["ProvisioningFailed: storageclass.storage.k8s.io \"fast\" not found"]);
    }

    #[test]
    fn a_claim_in_use_stays_and_its_volume_is_released_after_it() {
        let mut stage = stage();
        volume(&mut stage, "disk", "1Gi");
        claim(&mut stage, "data", "");
        stage.create(
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"user"},"spec":{"nodeName":"node-1",
            "volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}}],
            "containers":[{"name":"main","image":"busybox:1.36"}]}}"#,
        );
        stage.run_for(Span::secs(1));
        for (kind, name) in [(Kind::PersistentVolumeClaim, "data"), (Kind::PersistentVolume, "disk")] {
            let key = Key::new(kind, "default", name);
            stage.api(|api| api.delete(&key, &DeleteOptions::default())).unwrap();
        }
        stage.run_for(Span::secs(1));
        assert!(stage.get(Kind::PersistentVolumeClaim, "data").meta().is_being_deleted());
        stage.patch_status(Kind::Pod, "user", |status| status.set("phase", "Succeeded"));
        stage.run_for(Span::secs(1));
        assert!(stage.find(Kind::PersistentVolumeClaim, "data").is_none());
        assert!(stage.find(Kind::PersistentVolume, "disk").is_none());
    }
}
