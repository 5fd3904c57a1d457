//! Protection of claims and volumes in use: takes their finalizer off once nobody needs them.
//!
//! Rule: a claim is needed by every Pod with a node that mounts it and has not ended; a volume by the claim it is bound to.
//! Source: `pkg/controller/volume/{pvcprotection,pvprotection}`.

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::time::{SimTime, Span};

/// From a change to the look it leads to.
const WATCH_DELAY: Span = Span::ms(9);

/// persistentvolumeclaim-protection-controller and its like for volumes.
#[derive(Clone, Debug, Default)]
pub struct VolumeProtection {
    queue: WorkQueue<Key>,
}

impl VolumeProtection {
    pub fn new() -> VolumeProtection {
        VolumeProtection::default()
    }
}

fn claims(pod: &Object) -> impl Iterator<Item = &str> {
    pod.value().list_at("spec.volumes").iter().filter_map(|v| v.str_at("persistentVolumeClaim.claimName"))
}

fn uses(pod: &Object, claim: &str) -> bool {
    let placed = !pod.value().at("spec.nodeName").is_empty();
    placed && !pod.pod().is_terminal() && claims(pod).any(|name| name == claim)
}

impl Actor for VolumeProtection {
    fn name(&self) -> &'static str {
        "persistentvolumeclaim-protection-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let cause = change.cause();
        let at = change.at + WATCH_DELAY;
        let object = &change.object;
        match change.kind() {
            Kind::PersistentVolumeClaim if change.change == ChangeType::Deleted => {
                let volume = object.value().str_at("spec.volumeName").unwrap_or_default();
                if let Some(volume) = store.find(Kind::PersistentVolume, "", volume) {
                    self.queue.add(volume.key(), at, cause);
                }
            }
            Kind::PersistentVolumeClaim | Kind::PersistentVolume if object.meta().is_being_deleted() => {
                self.queue.add(object.key(), at, cause);
            }
            Kind::Pod if change.change == ChangeType::Deleted || object.pod().is_terminal() => {
                for name in claims(object) {
                    self.queue.add(Key::new(Kind::PersistentVolumeClaim, object.namespace(), name), at, cause);
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
        let Some(object) = api.get(&due.key).filter(|o| o.meta().is_being_deleted()) else { return };
        let (finalizer, needed) = if object.kind() == Kind::PersistentVolumeClaim {
            let mut pods = api.store().list_in(Kind::Pod, object.namespace());
            ("kubernetes.io/pvc-protection", pods.any(|pod| uses(pod, object.name())))
        } else {
            let reference = object.value().at("spec.claimRef");
            let text = |field: &str| reference.str_at(field).unwrap_or_default();
            let claim = api.store().find(Kind::PersistentVolumeClaim, text("namespace"), text("name"));
            ("kubernetes.io/pv-protection", claim.is_some_and(|claim| claim.uid() == text("uid")))
        };
        if !needed {
            api.set_cause(due.cause.rule(Rule::VolumeUnused));
            let removed = api.remove_finalizer(&due.key, finalizer);
            debug_assert!(removed.is_ok(), "the object is there: {removed:?}");
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        for kind in [Kind::PersistentVolume, Kind::PersistentVolumeClaim] {
            for object in store.list(kind).filter(|o| o.meta().is_being_deleted()) {
                self.queue.add(object.key(), now + WATCH_DELAY, cause);
            }
        }
    }
}
