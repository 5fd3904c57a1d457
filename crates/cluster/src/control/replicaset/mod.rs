//! The ReplicaSet controller: keeps a number of Pods of one template.
//!
//! Rules: `docs/semantics/replicaset.md` §1. Reacts at once to every change of the set and its Pods. The status is
//! written from the Pods seen at the start of a sync, so a set that just made Pods counts them in its next one. Source:
//! `pkg/controller/replicaset/replica_set.go`.

pub mod rank;
pub mod status;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::actor::{Actor, Retry, WorkQueue};
use crate::control::ref_manager::{self, Claim};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, EventType, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::Pod;
use values::object;
use values::rng::Rng;
use values::sorted::SortedSet;
use values::time::{SimTime, Span};
use values::value::Value;

use status::Trouble;

/// From a change to the sync it leads to.
const SYNC_MS: (i64, i64) = (6, 16);
/// The most Pods that are created or deleted in one sync (`BurstReplicas`).
const BURST: usize = 500;

/// replicaset-controller.
#[derive(Clone, Debug)]
pub struct ReplicaSetController {
    rng: Rng,
    queue: WorkQueue<Key>,
    /// Pods that nobody manages; mostly none.
    loose: SortedSet<Key>,
}

impl ReplicaSetController {
    pub fn new(rng: Rng) -> ReplicaSetController {
        ReplicaSetController { rng, queue: WorkQueue::new(), loose: SortedSet::new() }
    }

    fn enqueue(&mut self, key: Key, at: SimTime, cause: Cause) {
        let delay = self.rng.between("replicaset-sync", &format!("{}/{at}", key.name), SYNC_MS.0, SYNC_MS.1);
        self.queue.add(key, at + Span::ms(delay), cause);
    }

    fn observe_pod(&mut self, change: &Change, store: &Store, cause: Cause) {
        let pod = &change.object;
        let gone = change.change == ChangeType::Deleted;
        // A Pod that changes hands concerns both sides.
        let before = change.previous.as_ref().and_then(|before| managing_set(before));
        let after = managing_set(pod);
        for key in before.iter().chain(after.iter().filter(|after| Some(*after) != before.as_ref())) {
            self.enqueue(key.clone(), change.at, cause);
        }
        if gone || has_controller(pod) {
            self.loose.remove(&pod.key());
            return;
        }
        self.loose.insert(pod.key());
        let matching: Vec<Key> = store
            .list_in(Kind::ReplicaSet, pod.namespace())
            .filter(|set| set.replica_set().spec.selector.matches(&pod.meta().labels))
            .map(|set| set.key())
            .collect();
        for key in matching {
            self.enqueue(key, change.at, cause);
        }
    }

    /// The set's Pods, after taking in and letting go.
    fn claim(&self, api: &mut Api<'_>, set: &Object) -> Vec<Rc<Object>> {
        let own = api.store().owned_by(set.uid()).filter(|o| o.kind() == Kind::Pod).map(|o| o.key());
        let loose = self.loose.iter().filter(|key| *key.namespace == *set.namespace()).cloned();
        let keys: SortedSet<Key> = own.chain(loose).collect();
        let mut pods = Vec::new();
        for key in keys {
            let Some(pod) = api.get(&key) else { continue };
            api.because(Rule::ReplicaSetSelector);
            match ref_manager::claim(set.meta(), &set.replica_set().spec.selector, pod.meta()) {
                Claim::Keep => pods.push(pod),
                Claim::Adopt => {
                    if ref_manager::adopt(api, &key, set, None).is_ok() {
                        pods.extend(api.get(&key));
                    }
                }
                Claim::Release => {
                    // What could not be let go now is tried again with the next change.
                    let _later = ref_manager::release(api, &key, set.uid(), None);
                }
                Claim::Ignore => {}
            }
        }
        pods
    }

    fn sync(&mut self, api: &mut Api<'_>, key: &Key, cause: Cause) {
        let Some(object) = api.get(key) else { return self.queue.forget(key) };
        let set = object.replica_set();
        let now = api.now();
        let pods = self.claim(api, &object);
        let active: Vec<&Rc<Object>> = pods.iter().filter(|pod| pod.pod().is_active()).collect();
        let terminating = pods.iter().filter(|pod| pod.meta().is_being_deleted() && !pod.pod().is_terminal()).count();
        let wanted = usize::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
        let mut trouble = None;
        if !set.metadata.is_being_deleted() {
            trouble = match wanted.checked_sub(active.len()) {
                Some(missing) if missing > 0 => create_pods(api, &object, missing.min(BURST)).err(),
                Some(_) => None,
                None => Self::delete_pods(api, &object, &active, (active.len() - wanted).min(BURST)).err(),
            };
        }
        let typed: Vec<&Pod> = active.iter().map(|pod| &**pod.pod()).collect();
        let status = status::calculate(set, &typed, terminating, trouble.as_ref(), now);
        api.because(Rule::ReplicaSetStatus);
        // The set may have gone while its Pods were made.
        let _gone = api.update_status(key, Value::encode(&status));
        if trouble.is_some() {
            self.queue.retry(key.clone(), now, Retry::CONTROLLER, cause);
        } else {
            self.queue.forget(key);
        }
        if set.spec.min_ready_seconds > 0 && status.ready_replicas != status.available_replicas {
            let again = now + Span::secs(i64::from(set.spec.min_ready_seconds));
            self.queue.add(key.clone(), again, cause);
        }
    }

    fn delete_pods(api: &mut Api<'_>, set: &Object, active: &[&Rc<Object>], count: usize) -> Result<(), Trouble> {
        let related = related_pods(api.store(), set);
        let related: Vec<&Pod> = related.iter().map(|pod| &**pod.pod()).collect();
        let active: Vec<&Pod> = active.iter().map(|pod| &**pod.pod()).collect();
        let victims: Vec<Key> = rank::pods_to_delete(&active, &related, count, api.now())
            .into_iter()
            .map(|pod| Key::new(Kind::Pod, &pod.metadata.namespace, &pod.metadata.name))
            .collect();
        let wanted = i64::from(set.replica_set().spec.replicas.unwrap_or(1));
        api.because_of(Rule::ReplicaSetTooMany, [wanted, wanted + count as i64]);
        let mut trouble = Ok(());
        for key in victims {
            match api.delete(&key, &DeleteOptions::default()) {
                Ok(()) => {
                    let message = format!("Deleted pod: {}", key.name);
                    api.event(set, EventType::Normal, "SuccessfulDelete", &message);
                }
                Err(error) => {
                    let message = format!("Error deleting: {error}");
                    api.event(set, EventType::Warning, "FailedDelete", &message);
                    trouble = Err(Trouble { reason: "FailedDelete", message: error.to_string() });
                }
            }
        }
        trouble
    }
}

/// Creates Pods in batches of 1, 2, 4 …; the first batch with an error is the last.
fn create_pods(api: &mut Api<'_>, set: &Object, count: usize) -> Result<(), Trouble> {
    let wanted = i64::from(set.replica_set().spec.replicas.unwrap_or(1));
    api.because_of(Rule::ReplicaSetTooFew, [wanted, wanted - count as i64]);
    let (mut left, mut batch) = (count, 1);
    while left > 0 {
        let mut trouble = Ok(());
        for _ in 0..batch.min(left) {
            match api.create(new_pod(set)) {
                Ok(pod) => {
                    let message = format!("Created pod: {}", pod.name());
                    api.event(set, EventType::Normal, "SuccessfulCreate", &message);
                }
                // In a namespace that is going nothing more is made, and nothing said.
                Err(error) if error.message.ends_with("because it is being terminated") => return Ok(()),
                Err(error) => {
                    api.event(set, EventType::Warning, "FailedCreate", &format!("Error creating: {error}"));
                    trouble = Err(Trouble { reason: "FailedCreate", message: error.to_string() });
                }
            }
        }
        trouble?;
        left -= batch.min(left);
        batch *= 2;
    }
    Ok(())
}

/// A Pod of the set's template.
fn new_pod(set: &Object) -> Value {
    let template = set.value().at("spec.template");
    let mut metadata = object! {
        "generateName" => format!("{}-", set.name()), "namespace" => set.namespace(),
        "ownerReferences" => vec![ref_manager::controller_reference(set)],
    };
    for field in ["labels", "annotations", "finalizers"] {
        let value = template.at_keys(["metadata", field]);
        if !value.is_empty() {
            metadata.set(field, value.clone());
        }
    }
    object! { "apiVersion" => "v1", "kind" => "Pod", "metadata" => metadata, "spec" => template.at("spec").clone() }
}

/// The Pods of this set and of those that belong to the same owner.
fn related_pods(store: &Store, set: &Object) -> Vec<Rc<Object>> {
    let mut uids = vec![set.uid().to_owned()];
    if let Some(owner) = set.meta().controller() {
        let siblings = store.owned_by(&owner.uid).filter(|o| o.kind() == Kind::ReplicaSet && o.uid() != set.uid());
        uids.extend(siblings.map(|o| o.uid().to_owned()));
    }
    let pods = uids.iter().flat_map(|uid| store.owned_by(uid)).filter(|o| o.kind() == Kind::Pod);
    pods.cloned().collect()
}

fn has_controller(pod: &Object) -> bool {
    pod.meta().controller().is_some()
}

/// The ReplicaSet that manages the Pod, if one does.
fn managing_set(pod: &Object) -> Option<Key> {
    let owner = pod.meta().controller().filter(|owner| owner.kind == "ReplicaSet")?;
    Some(Key::new(Kind::ReplicaSet, pod.namespace(), &owner.name))
}

impl Actor for ReplicaSetController {
    fn name(&self) -> &'static str {
        "replicaset-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let cause = change.cause();
        match change.kind() {
            Kind::ReplicaSet if change.change == ChangeType::Deleted => self.queue.remove(&change.object.key()),
            Kind::ReplicaSet if change.changes_spec() => self.enqueue(change.object.key(), change.at, cause),
            Kind::Pod => self.observe_pod(change, store, cause),
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        api.set_cause(due.cause);
        self.sync(api, &due.key, due.cause);
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        self.loose = store.list(Kind::Pod).filter(|pod| !has_controller(pod)).map(|pod| pod.key()).collect();
        for set in store.list(Kind::ReplicaSet) {
            self.enqueue(set.key(), now, cause);
        }
    }
}
