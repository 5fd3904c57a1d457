//! All Pods on the nodes, by number and by name.
//!
//! Pods that have ended stay for their logs, so there may be thousands. A copy of all of them, as a checkpoint keeps it,
//! shares every worker until it is next worked on.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::api::meta::Key;
use crate::base::sorted::SortedMap;
use crate::node::worker::{PodId, Worker};

#[derive(Clone, Debug, Default)]
pub struct Workers {
    /// None while someone works on it.
    by_id: SortedMap<PodId, Option<Rc<Worker>>>,
    /// The newest Pod of each name.
    by_key: BTreeMap<Key, PodId>,
}

impl Workers {
    pub fn add(&mut self, worker: Worker) {
        self.by_key.insert(worker.key.clone(), worker.id);
        self.by_id.insert(worker.id, Some(Rc::new(worker)));
    }

    pub fn get(&self, id: PodId) -> Option<&Worker> {
        self.by_id.get(&id)?.as_deref()
    }

    pub fn get_mut(&mut self, id: PodId) -> Option<&mut Worker> {
        self.by_id.get_mut(&id)?.as_mut().map(Rc::make_mut)
    }

    /// The newest Pod of this name.
    pub fn named(&self, key: &Key) -> Option<PodId> {
        self.by_key.get(key).copied()
    }

    /// The Pod of this name and uid.
    pub fn find(&self, key: &Key, uid: &str) -> Option<PodId> {
        self.named(key).filter(|id| self.get(*id).is_some_and(|worker| *worker.uid == *uid))
    }

    /// Takes a worker out to be worked on beside the others; it is to be [put back](Workers::put).
    pub fn take(&mut self, id: PodId) -> Option<Rc<Worker>> {
        self.by_id.get_mut(&id)?.take()
    }

    pub fn put(&mut self, worker: Rc<Worker>) {
        if let Some(place) = self.by_id.get_mut(&worker.id) {
            *place = Some(worker);
        }
    }

    /// The Pod is gone.
    pub fn forget(&mut self, worker: &Worker) {
        self.by_id.remove(&worker.id);
        if self.by_key.get(&worker.key) == Some(&worker.id) {
            self.by_key.remove(&worker.key);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Worker> {
        self.by_id.values().flatten().map(|worker| &**worker)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Worker> {
        self.by_id.values_mut().flatten().map(Rc::make_mut)
    }
}
