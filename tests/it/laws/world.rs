//! What a watcher of everything knows: the objects as the changes tell them, and the past that laws ask for.

use std::collections::BTreeMap;
use std::rc::Rc;

use batchyard::api::kind::{KINDS, Kind};
use batchyard::api::meta::Key;
use batchyard::api::object::Object;
use batchyard::cluster::store::{Change, ChangeType};
use batchyard::run::Sim;
use batchyard::values::time::SimTime;

/// The objects, after the latest change.
#[derive(Default)]
pub struct World {
    pub objects: BTreeMap<Key, Rc<Object>>,
    /// Objects that went, by uid, and when.
    pub gone: BTreeMap<String, SimTime>,
    /// Who asked for a deletion, by the uid of the object.
    pub deleters: BTreeMap<String, &'static str>,
    pub now: SimTime,
}

impl World {
    /// What stands in the cluster before the run begins.
    pub fn of(sim: &Sim) -> World {
        let mut world = World { now: sim.now(), ..World::default() };
        for info in KINDS {
            world.objects.extend(sim.cluster().store().list(info.kind).map(|object| (object.key(), Rc::clone(object))));
        }
        world
    }

    pub fn take(&mut self, change: &Change, broken: &mut Vec<String>) {
        let (key, object) = (change.object.key(), &change.object);
        if change.at < self.now {
            broken.push(format!("time went back from {} to {}", self.now, change.at));
        }
        self.now = change.at;
        let before = self.objects.get(&key);
        let follows = match (change.change, before, &change.previous) {
            (ChangeType::Added, None, None) => true,
            (ChangeType::Modified | ChangeType::Deleted, Some(before), Some(previous)) => Rc::ptr_eq(before, previous),
            _ => false,
        };
        if !follows {
            broken.push(format!("{:?} of {key:?} does not follow from what the watch told before", change.change));
        }
        if change.starts_deletion() || change.change == ChangeType::Deleted {
            self.deleters.entry(object.uid().to_owned()).or_insert(change.actor);
        }
        if change.change == ChangeType::Deleted {
            self.objects.remove(&key);
            self.gone.insert(object.uid().to_owned(), change.at);
        } else {
            self.objects.insert(key, Rc::clone(object));
        }
    }

    pub fn list(&self, kind: Kind) -> impl Iterator<Item = &Rc<Object>> {
        self.objects.values().filter(move |object| object.kind() == kind)
    }

    /// The objects of a kind that `uid` controls.
    pub fn controlled_by<'w>(&'w self, kind: Kind, uid: &'w str) -> impl Iterator<Item = &'w Rc<Object>> {
        self.list(kind).filter(move |object| object.meta().is_controlled_by(uid))
    }

    /// The Job that controls a Pod, if it is there.
    pub fn job_of(&self, pod: &Object) -> Option<&Rc<Object>> {
        let owner = pod.meta().controller().filter(|owner| owner.kind == "Job")?;
        let job = self.objects.get(&Key::new(Kind::Job, pod.namespace(), &owner.name))?;
        Some(job).filter(|job| job.uid() == owner.uid)
    }
}
