//! etcd and the API server: the objects, their versions, and the log of changes.
//!
//! Rule: whatever happens, happens as a write to the store; everyone else reads it, or learns of it from the change
//! log (the watch). Controllers, scheduler and kubelet meet nowhere else.
//! Source: `apiserver/pkg/registry/generic/registry/store.go`, `apiserver/pkg/registry/rest/{create,update,delete}.go`.

mod admission;
mod access;
mod events;
mod objects;
pub mod quota;
mod strategy;
mod write;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::sorted::SortedMap;
use values::time::SimTime;
use values::value::{Text, Value};
use values::zone::ZoneTable;

pub use access::Api;
use events::Lease;
pub use events::{Correlator, EventType};
use objects::Objects;
pub use write::{DeleteOptions, Propagation};

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeType {
    Added,
    Modified,
    Deleted,
}

impl ChangeType {
    /// As a watch writes it.
    pub fn name(self) -> &'static str {
        match self {
            ChangeType::Added => "ADDED",
            ChangeType::Modified => "MODIFIED",
            ChangeType::Deleted => "DELETED",
        }
    }
}

/// Why a write was made: the change that woke the writer, and the rule it followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// The `revision` of the change that led here; none for a user's own act or a clock.
    pub revision: Option<u64>,
    /// The rule's name in our own words (`job/backoff`), for explanations; empty if the actor says enough.
    pub rule: &'static str,
}

/// One entry of the log: a watch event with its cause.
#[derive(Clone, Debug)]
pub struct Change {
    /// The `resourceVersion` the write got. Deletions have one too.
    pub revision: u64,
    pub at: SimTime,
    pub change: ChangeType,
    /// The object after the write; for a deletion its last state.
    pub object: Rc<Object>,
    /// The object before, if there was one.
    pub previous: Option<Rc<Object>>,
    /// Who wrote: `job-controller`, `kubelet`, `user` …
    pub actor: &'static str,
    pub cause: Cause,
}

impl Change {
    /// What follows from this change is caused by it.
    pub fn cause(&self) -> Cause {
        Cause { revision: Some(self.revision), rule: "" }
    }

    pub fn kind(&self) -> Kind {
        self.object.kind()
    }

    /// True if the object's deletion began with this change.
    pub fn starts_deletion(&self) -> bool {
        let deleting = |o: &Rc<Object>| o.meta().is_being_deleted();
        deleting(&self.object) && !self.previous.as_ref().is_some_and(deleting)
    }

    /// True if the metadata are what they were, but for the `resourceVersion`.
    pub fn keeps_metadata(&self) -> bool {
        self.previous.as_ref().is_some_and(|before| Rc::ptr_eq(before.meta(), self.object.meta()))
    }

    /// True if `metadata.generation` moved, that is, the spec changed.
    pub fn changes_spec(&self) -> bool {
        self.previous.as_ref().is_none_or(|before| before.meta().generation != self.object.meta().generation)
    }
}

/// How many changes a watch may fall behind, as etcd keeps a window of revisions until it compacts.
const RECENT_MAX: usize = 1024;

/// All objects, and the changes nobody has been told of yet.
#[derive(Clone, Debug, Default)]
pub struct Store {
    objects: Objects,
    /// Objects by the uid of each of their owners.
    by_owner: SortedMap<String, BTreeSet<Key>>,
    /// Last `resourceVersion` given.
    revision: u64,
    /// How many names were generated, so that each draw differs.
    names_generated: u64,
    untold: Vec<Change>,
    /// The latest changes, for watches that follow from a revision on.
    recent: VecDeque<Change>,
    correlator: Correlator,
    /// Writes of events, in the order in which they make the events expire.
    leases: VecDeque<Lease>,
    /// What the time zones of CronJobs are checked with.
    zones: ZoneTable,
}

impl Store {
    pub fn new() -> Store {
        // A real cluster has had some writes before anyone looks.
        Store { revision: 1000, ..Store::default() }
    }

    /// Gives the time zones by which CronJobs are checked from now on. A new store has those linked into the program, if
    /// any.
    pub fn set_zones(&mut self, zones: ZoneTable) {
        self.zones = zones;
    }

    pub fn get(&self, key: &Key) -> Option<&Rc<Object>> {
        self.objects.get(key)
    }

    /// The object `kind`/`namespace`/`name`.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Rc<Object>> {
        self.objects.find(kind, namespace, name)
    }

    /// All objects of a kind, by namespace and name.
    pub fn list(&self, kind: Kind) -> impl Iterator<Item = &Rc<Object>> {
        self.objects.list(kind)
    }

    /// The objects of a kind in one namespace, by name.
    pub fn list_in(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Rc<Object>> + use<'_> {
        self.objects.names(kind, namespace).into_iter().flat_map(BTreeMap::values)
    }

    /// The objects that name `uid` among their owners.
    pub fn owned_by(&self, uid: &str) -> impl Iterator<Item = &Rc<Object>> {
        self.by_owner.get(uid).into_iter().flatten().filter_map(|key| self.objects.get(key))
    }

    /// The newest `resourceVersion`.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn len(&self) -> usize {
        self.objects.len()
    }

    pub fn is_empty(&self) -> bool {
        self.objects.len() == 0
    }

    /// Hands over the changes since the last call, oldest first. Whoever drives the cluster tells them to everyone.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.untold)
    }

    /// The changes after `revision`, oldest first. A watch that comes back too late has missed those that were forgotten.
    pub fn changes_since(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let start = self.recent.partition_point(|change| change.revision <= revision);
        self.recent.range(start..)
    }

    /// When the next event is to be forgotten.
    pub fn next_expiry(&self) -> Option<SimTime> {
        self.leases.front().map(|lease| lease.until)
    }

    /// Writes a new version, or takes the object away (`None`), and logs it. All writes end here.
    fn commit(&mut self, key: Key, value: Option<Value>, at: SimTime, actor: &'static str, cause: Cause) -> Rc<Object> {
        self.revision += 1;
        let (revision, kind) = (self.revision, key.kind);
        let place = self.objects.beside(&key).entry(key.name);
        let previous = if let Entry::Occupied(place) = &place { Some(Rc::clone(place.get())) } else { None };
        let change = match (&previous, &value) {
            (_, None) => ChangeType::Deleted,
            (None, Some(_)) => ChangeType::Added,
            (Some(_), Some(_)) => ChangeType::Modified,
        };
        let owners = |value: &Value| value.at("metadata.ownerReferences").clone();
        let keeps_owners = previous.as_ref().zip(value.as_ref()).is_some_and(|(p, v)| owners(p.value()) == owners(v));
        if let Some(previous) = previous.as_ref().filter(|_| !keeps_owners) {
            index_owners(&mut self.by_owner, previous, false);
        }
        let gone = value.is_none();
        let mut value =
            value.or_else(|| previous.as_ref().map(|p| p.value().clone())).expect("only what exists is deleted");
        value.set("metadata.resourceVersion", Text::from(revision));
        let object = Rc::new(match &previous {
            Some(previous) => previous.renewed(value, revision),
            None => Object::new(kind, value, revision),
        });
        if !gone && !keeps_owners {
            index_owners(&mut self.by_owner, &object, true);
        }
        match place {
            Entry::Occupied(place) if gone => drop(place.remove()),
            Entry::Occupied(mut place) => drop(place.insert(Rc::clone(&object))),
            Entry::Vacant(place) => {
                place.insert(Rc::clone(&object));
            }
        }
        let change = Change { revision, at, change, object: Rc::clone(&object), previous, actor, cause };
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(change.clone());
        self.untold.push(change);
        object
    }

    /// Puts what a recorded watch event says into the store as it is, past the API, and tells nobody. For tests that print
    /// what a real cluster held.
    ///
    /// # Panics
    /// If the value has no kind that is known.
    pub fn replay(&mut self, at: SimTime, change: &str, value: Value) {
        let name = value.str_at("kind").unwrap_or_default();
        let kind = Kind::named(name).expect("recordings hold known kinds");
        let text = |path: &str| value.str_at(path).unwrap_or_default().to_owned();
        let key = Key::new(kind, &text("metadata.namespace"), &text("metadata.name"));
        match change {
            "DELETED" if self.objects.get(&key).is_some() => self.commit(key, None, at, "recording", Cause::default()),
            _ => self.commit(key, Some(value), at, "recording", Cause::default()),
        };
        self.untold.clear();
    }
}

fn index_owners(by_owner: &mut SortedMap<String, BTreeSet<Key>>, object: &Object, add: bool) {
    for owner in object.value().list_at("metadata.ownerReferences") {
        let Some(uid) = owner.str_at("uid") else { continue };
        if add {
            by_owner.entry(uid.to_owned()).or_default().insert(object.key());
        } else if let Some(keys) = by_owner.get_mut(uid) {
            keys.remove(&object.key());
            if keys.is_empty() {
                by_owner.remove(uid);
            }
        }
    }
}
