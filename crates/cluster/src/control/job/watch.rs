//! What the controller knows of Pods without asking: which of them still matter to which Job, and which have no owner.
//!
//! Rule: a Pod that has ended and lost its finalizer is counted for good. A sync that looked at all of them again would
//! make a Job of ten thousand completions quadratic; so only the others are kept here.
//! Source: the Pod informer's index by controller in `pkg/controller/job/job_controller.go`.

use std::rc::Rc;

use crate::control::job::pods::JobPod;
use crate::store::{Change, ChangeType, Store};
use api::batch::JOB_TRACKING_FINALIZER;
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::sorted::{SortedMap, SortedSet};

/// Pods by the uid of the Job that manages them, without those that are done; and Pods that nobody manages.
#[derive(Clone, Debug, Default)]
pub(super) struct PodIndex {
    by_job: SortedMap<String, SortedMap<Key, Rc<Object>>>,
    unmanaged: SortedSet<Key>,
    /// Pods among those of a Job that are done, and are to be looked at once more.
    recalled: SortedSet<Key>,
}

/// Where a Pod stands in the index.
#[derive(PartialEq)]
enum Belongs<'p> {
    OfJob(&'p str),
    Unmanaged,
    Nowhere,
}

impl PodIndex {
    /// The index of a store as it stands.
    pub(super) fn read(store: &Store) -> PodIndex {
        let mut index = PodIndex::default();
        for pod in store.list(Kind::Pod) {
            index.insert(pod);
        }
        index
    }

    pub(super) fn observe(&mut self, change: &Change) {
        let pod = Some(&change.object).filter(|_| change.change != ChangeType::Deleted);
        let before = change.previous.as_ref().map_or(Belongs::Nowhere, |before| place(before));
        if pod.map_or(Belongs::Nowhere, |pod| place(pod)) != before || !self.recalled.is_empty() {
            change.previous.iter().for_each(|previous| self.remove(previous));
        }
        pod.into_iter().for_each(|pod| self.insert(pod));
        // A counted Pod matters once more when its labels change: the Job may have to let go of it.
        let relabeled = !change.keeps_metadata()
            && change.previous.as_ref().is_some_and(|old| old.meta().labels != change.object.meta().labels);
        if !relabeled {
            return;
        }
        if let Some(pod) = pod.filter(|pod| is_done(pod))
            && let Some(uid) = job_uid(pod)
        {
            self.of(uid).insert(pod.key(), Rc::clone(pod));
            self.recalled.insert(pod.key());
        }
    }

    /// The Pods of the Job that still matter, by name.
    pub(super) fn of_job(&self, uid: &str) -> impl Iterator<Item = JobPod> + use<'_> {
        let pods = self.by_job.get(uid).into_iter().flat_map(|pods| pods.values());
        pods.map(|object| JobPod::new(Rc::clone(object)))
    }

    fn of(&mut self, uid: &str) -> &mut SortedMap<Key, Rc<Object>> {
        if !self.by_job.contains_key(uid) {
            self.by_job.insert(uid.to_owned(), SortedMap::new());
        }
        self.by_job.get_mut(uid).expect("just inserted")
    }

    /// The Pods of a namespace that nobody manages, by name.
    pub(super) fn unmanaged<'s>(
        &self,
        namespace: &str,
        store: &'s Store,
    ) -> impl Iterator<Item = &'s Rc<Object>> + use<'_, 's> {
        let start = Key::new(Kind::Pod, namespace, "");
        let namespace = Rc::clone(&start.namespace);
        let keys = self.unmanaged.range(start..).take_while(move |key| key.namespace == namespace);
        keys.filter_map(|key| store.get(key))
    }

    /// Forgets the Pods of a Job that were looked at once more.
    pub(super) fn forget_recalled(&mut self, uid: &str) {
        let Some(pods) = self.by_job.get_mut(uid) else { return };
        self.recalled.retain(|key| pods.remove(key).is_none());
        if pods.is_empty() {
            self.by_job.remove(uid);
        }
    }

    fn insert(&mut self, pod: &Rc<Object>) {
        match place(pod) {
            Belongs::OfJob(uid) => {
                self.of(uid).insert(pod.key(), Rc::clone(pod));
            }
            Belongs::Unmanaged => {
                self.unmanaged.insert(pod.key());
            }
            Belongs::Nowhere => {}
        }
    }

    fn remove(&mut self, pod: &Rc<Object>) {
        let key = pod.key();
        self.unmanaged.remove(&key);
        self.recalled.remove(&key);
        if let Some(uid) = job_uid(pod)
            && let Some(pods) = self.by_job.get_mut(uid)
        {
            pods.remove(&key);
            if pods.is_empty() {
                self.by_job.remove(uid);
            }
        }
    }
}

fn place(pod: &Object) -> Belongs<'_> {
    match job_uid(pod) {
        Some(uid) if !is_done(pod) => Belongs::OfJob(uid),
        None if pod.meta().controller().is_none() => Belongs::Unmanaged,
        _ => Belongs::Nowhere,
    }
}

/// Ended and counted.
fn is_done(pod: &Object) -> bool {
    pod.pod().is_terminal() && !pod.meta().has_finalizer(JOB_TRACKING_FINALIZER)
}

/// The uid of the Job that manages the Pod, if one does.
pub(super) fn job_uid(pod: &Object) -> Option<&str> {
    let owner = pod.meta().controller().filter(|owner| owner.kind == "Job" && owner.api_version == "batch/v1")?;
    Some(&owner.uid)
}

/// Where the Job that manages the Pod is, or was.
pub(super) fn job_key(pod: &Object) -> Key {
    Key::new(Kind::Job, pod.namespace(), job_name(pod))
}

fn job_name(pod: &Object) -> &str {
    pod.meta().controller().map(|owner| owner.name.as_str()).unwrap_or_default()
}

/// The Job that manages the Pod, if it (and not one of the same name) is still there.
pub(super) fn find_job<'s>(uid: &str, pod: &Object, store: &'s Store) -> Option<&'s Rc<Object>> {
    store.find(Kind::Job, pod.namespace(), job_name(pod)).filter(|job| job.uid() == uid)
}

/// True if the Pod's labels or its manager changed.
pub(super) fn changed_hands(change: &Change) -> bool {
    change.previous.as_ref().is_some_and(|before| {
        let (before, after) = (before.meta(), change.object.meta());
        before.labels != after.labels || before.controller() != after.controller()
    })
}
