//! All Pods on the nodes, by number and by name.
//!
//! Pods that have ended stay for their logs, so there may be thousands. A copy of all of them, as a checkpoint keeps it,
//! shares every worker until it is next worked on.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::node::worker::{PodId, Worker};
use api::meta::Key;
use values::hashed::Hashed;

#[derive(Clone, Debug, Default)]
pub struct Workers {
    /// By number; none while someone works on it.
    by_id: Vec<(PodId, Option<Rc<Worker>>)>,
    /// The newest Pod of each name and namespace.
    by_name: BTreeMap<(Hashed, Rc<str>), PodId>,
}

impl Workers {
    pub fn add(&mut self, worker: Worker) {
        self.by_name.insert(name_of(&worker.key), worker.id);
        debug_assert!(self.by_id.last().is_none_or(|(last, _)| *last < worker.id), "numbers only rise");
        self.by_id.push((worker.id, Some(Rc::new(worker))));
    }

    /// Where the Pod's worker is. Numbers follow each other without a gap until Pods go.
    fn position(&self, id: PodId) -> Option<usize> {
        let (first, _) = self.by_id.first()?;
        let at_most = id.checked_sub(*first)? as usize;
        match self.by_id.get(at_most) {
            Some((there, _)) if *there == id => Some(at_most),
            _ => self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok(),
        }
    }

    pub fn get(&self, id: PodId) -> Option<&Worker> {
        self.by_id[self.position(id)?].1.as_deref()
    }

    pub fn get_mut(&mut self, id: PodId) -> Option<&mut Worker> {
        self.position(id).and_then(|at| self.by_id[at].1.as_mut()).map(Rc::make_mut)
    }

    /// The newest Pod of this name.
    pub fn named(&self, key: &Key) -> Option<PodId> {
        self.by_name.get(&name_of(key)).copied()
    }

    /// The Pod of this name and uid.
    pub fn find(&self, key: &Key, uid: &str) -> Option<PodId> {
        self.named(key).filter(|id| self.get(*id).is_some_and(|worker| *worker.uid == *uid))
    }

    /// Takes a worker out to be worked on beside the others; it is to be [put back](Workers::put).
    pub fn take(&mut self, id: PodId) -> Option<Rc<Worker>> {
        self.position(id).and_then(|at| self.by_id[at].1.take())
    }

    pub fn put(&mut self, worker: Rc<Worker>) {
        if let Some(at) = self.position(worker.id) {
            self.by_id[at].1 = Some(worker);
        }
    }

    /// The Pod is gone.
    pub fn forget(&mut self, worker: &Worker) {
        if let Some(at) = self.position(worker.id) {
            self.by_id.remove(at);
        }
        if self.named(&worker.key) == Some(worker.id) {
            self.by_name.remove(&name_of(&worker.key));
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Worker> {
        self.by_id.iter().filter_map(|(_, worker)| worker.as_ref()).map(|worker| &**worker)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Worker> {
        self.by_id.iter_mut().filter_map(|(_, worker)| worker.as_mut()).map(Rc::make_mut)
    }
}

fn name_of(pod: &Key) -> (Hashed, Rc<str>) {
    (Rc::clone(&pod.name).into(), Rc::clone(&pod.namespace))
}
