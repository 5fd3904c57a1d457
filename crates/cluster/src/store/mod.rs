//! etcd and the API server: the objects, their versions, and the log of changes.
//!
//! Rule: whatever happens, happens as a write to the store; everyone else reads it, or learns of it from the change
//! log (the watch). Controllers, scheduler and kubelet meet nowhere else.
//! Source: `apiserver/pkg/registry/generic/registry/store.go`, `apiserver/pkg/registry/rest/{create,update,delete}.go`.

mod admission;
mod access;
pub mod budget;
mod cause;
pub mod claims;
mod events;
mod happening;
mod limits;
mod objects;
pub mod quota;
pub mod rbac;
mod rule;
mod strategy;
mod write;

use std::collections::btree_map;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::{Text, Value};
use values::zone::ZoneTable;

pub use access::Api;
use access::Author;
pub use cause::{Cause, EntryId, Origin};
use events::Lease;
pub use events::{Correlator, EventType};
pub use happening::{Entry, Happened, Happening, ProbeKind, Subject};
use objects::Objects;
pub use rule::{Field, Rule, RuleFacts};
pub use write::{DeleteOptions, Propagation};

/// Happened happened to an object.
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

/// A write: a watch event with its cause.
#[derive(Clone, Debug)]
pub struct Change {
    pub entry: EntryId,
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
    /// The document it was written from, if it was written by hand.
    pub origin: Option<Rc<Origin>>,
}

impl Change {
    /// What follows from this change is caused by it.
    pub fn cause(&self) -> Cause {
        Cause::by(self.entry)
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

/// How far a watch may fall behind, as etcd keeps a window of revisions until it compacts: this many changes, and all that
/// are younger than this. One act can change thousands of objects at once, and whoever watches is polled right after it.
const RECENT_MIN: usize = 1024;
const RECENT_FOR: Span = Span::secs(1);

/// A watch came back too late: changes that it has not read are forgotten (410 Gone, reason `Expired`). It lists anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expired;

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
    untold: Vec<Entry>,
    /// Entries of the journal so far.
    entries: u64,
    /// The latest changes, for watches that follow from a revision on.
    recent: VecDeque<Change>,
    /// The revision of the newest change that is not among them any more.
    compacted: u64,
    correlator: Correlator,
    /// Writes of events, in the order in which they make the events expire.
    leases: VecDeque<Lease>,
    /// Who of the users' clients set which field, of the objects that such clients wrote (`metadata.managedFields`).
    managers: SortedMap<Key, Value>,
    /// Happened the time zones of CronJobs are checked with.
    zones: ZoneTable,
    /// The account in whose name is asked at this moment, if it is none that may do everything.
    acting: Option<rbac::Account>,
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

    /// What the users' clients noted about who set which field.
    pub fn managers(&self, key: &Key) -> &Value {
        self.managers.get(key).unwrap_or(&Value::Null)
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

    /// Hands over what was written and noted since the last call, oldest first. Whoever drives the cluster tells the
    /// changes to everyone.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.untold)
    }

    /// The changes among [`Store::take_entries`].
    pub fn take_changes(&mut self) -> Vec<Change> {
        let changes = |entry| match entry {
            Entry::Change(change) => Some(change),
            Entry::Happening(_) => None,
        };
        self.take_entries().into_iter().filter_map(changes).collect()
    }

    /// The number of the newest entry of the journal.
    pub fn last_entry(&self) -> Option<EntryId> {
        EntryId::new(self.entries)
    }

    fn next_entry(&mut self) -> EntryId {
        self.entries += 1;
        EntryId::new(self.entries).expect("one more than some number is not 0")
    }

    /// Notes something that happened without a write.
    fn happen(
        &mut self,
        at: SimTime,
        actor: &'static str,
        about: Option<Subject>,
        what: Happened,
        cause: Cause,
    ) -> EntryId {
        let entry = self.next_entry();
        self.untold.push(Entry::Happening(Happening { entry, at, actor, about, what, cause }));
        entry
    }

    /// The changes after `revision`, oldest first.
    ///
    /// # Errors
    /// Some of them are forgotten.
    pub fn changes_since(&self, revision: u64) -> Result<impl Iterator<Item = &Change>, Expired> {
        if revision < self.compacted {
            return Err(Expired);
        }
        let start = self.recent.partition_point(|change| change.revision <= revision);
        Ok(self.recent.range(start..))
    }

    /// Keeps a change for watches, and forgets those that nobody waits for any more.
    fn remember(&mut self, change: Change) {
        let old = |front: &Change| front.at + RECENT_FOR < change.at;
        while self.recent.len() >= RECENT_MIN && self.recent.front().is_some_and(old) {
            self.compacted = self.recent.pop_front().map_or(self.compacted, |forgotten| forgotten.revision);
        }
        self.recent.push_back(change);
    }

    /// When the next event is to be forgotten.
    pub fn next_expiry(&self) -> Option<SimTime> {
        self.leases.front().map(|lease| lease.until)
    }

    /// Writes a new version, or takes the object away (`None`), and logs it. All writes end here.
    fn commit(&mut self, key: Key, value: Option<Value>, at: SimTime, author: &Author) -> Rc<Object> {
        self.revision += 1;
        let entry = self.next_entry();
        let (revision, kind) = (self.revision, key.kind);
        let place = self.objects.beside(&key).entry(key.name);
        let previous = if let btree_map::Entry::Occupied(place) = &place { Some(Rc::clone(place.get())) } else { None };
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
            btree_map::Entry::Occupied(place) if gone => {
                let object = place.remove();
                if !self.managers.is_empty() {
                    self.managers.remove(&object.key());
                }
            }
            btree_map::Entry::Occupied(mut place) => drop(place.insert(Rc::clone(&object))),
            btree_map::Entry::Vacant(place) => {
                place.insert(Rc::clone(&object));
            }
        }
        let Author { actor, cause, origin } = author.clone();
        let change = Change { entry, revision, at, change, object: Rc::clone(&object), previous, actor, cause, origin };
        self.remember(change.clone());
        self.untold.push(Entry::Change(change));
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
            "DELETED" if self.objects.get(&key).is_some() => self.commit(key, None, at, &Author::of("recording")),
            _ => self.commit(key, Some(value), at, &Author::of("recording")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    fn write(stage: &mut Stage, count: usize) {
        for _ in 0..count {
            let n = stage.store.revision();
            stage.create(&format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c{n}"}}}}"#));
        }
    }

    #[test]
    fn a_watch_reads_every_change_of_a_moment_or_is_told_that_it_is_too_late() {
        let mut stage = Stage::new(Vec::new());
        let read_until = stage.store.revision();
        write(&mut stage, 3000);
        let unread = |stage: &Stage| stage.store.changes_since(read_until).map(Iterator::count);
        assert_eq!(unread(&stage), Ok(3000));
        stage.run_for(Span::secs(2));
        assert_eq!(unread(&stage), Ok(3000), "nothing is forgotten before something new comes");
        write(&mut stage, 1);
        assert_eq!(unread(&stage), Err(Expired));
        let late = stage.store.revision() - 1000;
        assert_eq!(stage.store.changes_since(late).map(Iterator::count), Ok(1000));
    }
}
