//! The garbage collector: what becomes of objects whose owners go.
//!
//! Rule: `docs/semantics/ttl.md` §2. An object is deleted when all its owners are absent; an owner is its uid, so a
//! namesake does not count. Foreground: dependents first. Orphan: dependents lose the reference. An owner in another
//! namespace reads as absent (its `OwnerRefInvalidNamespace` event is not made). Source:
//! `pkg/controller/garbagecollector/{garbagecollector,graph_builder}.go`.

use std::rc::Rc;

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, Propagation, Rule, Store};
use api::kind::Kind;
use api::meta::{Key, OwnerReference};
use api::object::Object;
use values::rng::Rng;
use values::time::{SimTime, Span};
use values::value::{Text, Value};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// From the end of an owner to the deletion of a dependent.
const BACKGROUND_MS: (i64, i64) = (14, 50);
/// From the mark on an owner to the deletion of its first dependents.
const FOREGROUND_MS: (i64, i64) = (12, 24);
/// From the mark on an owner, or the end of its last dependent, to the owner's next look.
const OWNER_MS: (i64, i64) = (5, 12);
/// From the last dependent set free to the end of its former owner.
const ORPHANED_DELAY: Span = Span::ms(18);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Work {
    /// Look at one object: are its owners there, do its dependents hold it?
    Look(Key),
    /// Set the dependents of this object free.
    Orphan(Key),
    /// The dependents are free: let the object go.
    Release(Key),
}

/// garbage-collector-controller.
#[derive(Clone, Debug)]
pub struct GarbageCollector {
    rng: Rng,
    queue: WorkQueue<Work>,
}

/// How the owners of an object are.
#[derive(Default)]
struct Owners {
    solid: Vec<OwnerReference>,
    absent: Vec<OwnerReference>,
    /// Being deleted in the foreground, waiting for this object among others.
    waiting: Vec<OwnerReference>,
}

impl GarbageCollector {
    pub fn new(rng: Rng) -> GarbageCollector {
        GarbageCollector { rng, queue: WorkQueue::new() }
    }

    fn add(&mut self, work: Work, at: SimTime, range_ms: (i64, i64), cause: Cause) {
        let (Work::Look(key) | Work::Orphan(key) | Work::Release(key)) = &work;
        let delay = self.rng.between("gc", &format!("{}/{}/{at}", key.kind, key.name), range_ms.0, range_ms.1);
        self.queue.add(work, at + Span::ms(delay), cause);
    }

    fn observe_deleted(&mut self, change: &Change, store: &Store, cause: Cause) {
        let dependents: Vec<Key> = store.owned_by(change.object.uid()).map(|o| o.key()).collect();
        for key in dependents {
            self.add(Work::Look(key), change.at, BACKGROUND_MS, cause);
        }
        for reference in &owner_references(&change.object) {
            if let Some(owner) = find_owner(store, change.object.namespace(), reference)
                && is_deleting_dependents(owner)
            {
                self.add(Work::Look(owner.key()), change.at, OWNER_MS, cause);
            }
        }
    }

    fn observe_written(&mut self, change: &Change, store: &Store, cause: Cause) {
        if change.keeps_metadata() {
            return;
        }
        let object = &change.object;
        if is_being_deleted(object) {
            let was = change.previous.as_ref().is_some_and(|before| is_being_deleted(before));
            if has_finalizer(object, ORPHAN) && !was {
                self.add(Work::Orphan(object.key()), change.at, OWNER_MS, cause);
            } else if has_finalizer(object, FOREGROUND) && !was {
                self.add(Work::Look(object.key()), change.at, OWNER_MS, cause);
            }
        }
        let references = object.value().at("metadata.ownerReferences");
        let same = change.previous.as_ref().is_some_and(|b| b.value().at("metadata.ownerReferences") == references);
        if !same && self.sort_owners(object, store).solid.len() < owner_references(object).len() {
            self.add(Work::Look(object.key()), change.at, BACKGROUND_MS, cause);
        }
    }

    fn sort_owners(&self, object: &Object, store: &Store) -> Owners {
        let mut owners = Owners::default();
        for reference in owner_references(object) {
            match find_owner(store, object.namespace(), &reference) {
                None => owners.absent.push(reference),
                Some(owner) if is_deleting_dependents(owner) => owners.waiting.push(reference),
                Some(_) => owners.solid.push(reference),
            }
        }
        owners
    }

    fn look(&mut self, api: &mut Api<'_>, key: &Key) {
        let Some(object) = api.get(key) else { return };
        if is_deleting_dependents(&object) {
            return self.go_on_in_foreground(api, &object);
        }
        if is_being_deleted(&object) {
            return;
        }
        let owners = self.sort_owners(&object, api.store());
        if owners.absent.is_empty() && owners.waiting.is_empty() {
            return;
        }
        if !owners.solid.is_empty() {
            api.because(Rule::GcDropAbsentOwners);
            let gone: Vec<Text> = owners.absent.into_iter().chain(owners.waiting).map(|r| r.uid).collect();
            drop_references(api, key, &gone);
            return;
        }
        let has_dependents = api.store().owned_by(object.uid()).next().is_some();
        let propagation = if has_finalizer(&object, ORPHAN) {
            Propagation::Orphan
        } else if has_finalizer(&object, FOREGROUND) || (!owners.waiting.is_empty() && has_dependents) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        let options = DeleteOptions {
            propagation: Some(propagation),
            grace_period_seconds: None,
            precondition_uid: Some(object.uid().to_owned()),
        };
        api.because(Rule::GcOwnersGone);
        let deleted = api.delete(key, &options);
        debug_assert!(deleted.is_ok(), "the object is there: {deleted:?}");
    }

    /// An owner that goes last: ask for the dependents that hold it, or let it go.
    fn go_on_in_foreground(&mut self, api: &mut Api<'_>, owner: &Object) {
        let holds = |dependent: &&Rc<Object>| {
            let references = owner_references(dependent);
            references.iter().any(|r| r.uid == owner.uid() && r.block_owner_deletion == Some(true))
        };
        let blocking: Vec<Key> = api.store().owned_by(owner.uid()).filter(holds).map(|o| o.key()).collect();
        if blocking.is_empty() {
            api.because(Rule::GcDependentsGone);
            let removed = api.remove_finalizer(&owner.key(), FOREGROUND);
            debug_assert!(removed.is_ok(), "the owner is there: {removed:?}");
            return;
        }
        let all: Vec<Key> = api.store().owned_by(owner.uid()).map(|o| o.key()).collect();
        for key in all {
            self.add(Work::Look(key), api.now(), FOREGROUND_MS, api.cause());
        }
    }

    fn orphan(&mut self, api: &mut Api<'_>, key: &Key) {
        let Some(owner) = api.get(key).filter(|o| is_being_deleted(o) && has_finalizer(o, ORPHAN)) else { return };
        let dependents: Vec<Key> = api.store().owned_by(owner.uid()).map(|o| o.key()).collect();
        api.because(Rule::GcOrphan);
        for dependent in dependents {
            drop_references(api, &dependent, &[owner.uid().into()]);
        }
        self.queue.add(Work::Release(key.clone()), api.now() + ORPHANED_DELAY, api.cause());
    }
}

fn owner_references(object: &Object) -> Vec<OwnerReference> {
    object.value().at("metadata.ownerReferences").decode().unwrap_or_default()
}

fn has_finalizer(object: &Object, finalizer: &str) -> bool {
    object.value().list_at("metadata.finalizers").iter().any(|f| f.as_str() == Some(finalizer))
}

fn is_being_deleted(object: &Object) -> bool {
    object.value().has("metadata.deletionTimestamp")
}

fn is_deleting_dependents(object: &Object) -> bool {
    is_being_deleted(object) && has_finalizer(object, FOREGROUND)
}

/// The owner a reference means: in the same namespace, and with the same uid.
fn find_owner<'s>(store: &'s Store, namespace: &str, reference: &OwnerReference) -> Option<&'s Rc<Object>> {
    let kind = Kind::find(&reference.api_version, &reference.kind)?;
    store.find(kind, namespace, &reference.name).filter(|owner| owner.uid() == reference.uid)
}

fn drop_references(api: &mut Api<'_>, key: &Key, gone: &[Text]) {
    let written = api.update(key, |object| {
        let is_gone = |r: &Value| gone.iter().any(|uid| r.str_at("uid") == Some(uid));
        let kept: Vec<Value> =
            object.list_at("metadata.ownerReferences").iter().filter(|r| !is_gone(r)).cloned().collect();
        if kept.is_empty() {
            object.remove("metadata.ownerReferences");
        } else {
            object.set("metadata.ownerReferences", kept);
        }
    });
    debug_assert!(written.is_ok(), "references may always go: {written:?}");
}

impl Actor for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if change.kind() == Kind::Event {
            return;
        }
        let cause = change.cause();
        if change.change == ChangeType::Deleted {
            self.observe_deleted(change, store, cause);
        } else {
            self.observe_written(change, store, cause);
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        api.set_cause(due.cause);
        match due.key {
            Work::Look(key) => self.look(api, &key),
            Work::Orphan(key) => self.orphan(api, &key),
            Work::Release(key) => {
                api.because(Rule::GcOrphaned);
                // If someone took it away meanwhile there is nothing left to do.
                let _gone = api.remove_finalizer(&key, ORPHAN);
            }
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        for kind in api::kind::KINDS.iter().map(|info| info.kind).filter(|kind| *kind != Kind::Event) {
            for object in store.list(kind) {
                if is_being_deleted(object) && has_finalizer(object, ORPHAN) {
                    self.add(Work::Orphan(object.key()), now, OWNER_MS, cause);
                } else if is_deleting_dependents(object) || !owner_references(object).is_empty() {
                    self.add(Work::Look(object.key()), now, OWNER_MS, cause);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    fn stage() -> Stage {
        Stage::new(vec![Box::new(GarbageCollector::new(Rng::new(3)))])
    }

    fn owner(stage: &mut Stage, name: &str) -> String {
        let json = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}}}}"#);
        stage.create(&json).uid().to_owned()
    }

    /// A Secret with these owners (name and uid).
    fn dependent(stage: &mut Stage, name: &str, owners: &[(&str, &str)]) {
        let references: Vec<String> = owners
            .iter()
            .map(|(name, uid)| {
                format!(
                    r#"{{"apiVersion":"v1","kind":"ConfigMap","name":"{name}","uid":"{uid}","controller":false,
                    "blockOwnerDeletion":true}}"#
                )
            })
            .collect();
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{name}","ownerReferences":[{}]}}}}"#,
            references.join(",")
        ));
    }

    fn delete(stage: &mut Stage, name: &str, propagation: Propagation) {
        let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
        stage.api(|api| api.delete(&Key::new(Kind::ConfigMap, "default", name), &options)).unwrap();
    }

    #[test]
    fn background_deletion_takes_the_dependents_after_the_owner() {
        let mut stage = stage();
        let uid = owner(&mut stage, "a");
        dependent(&mut stage, "child", &[("a", &uid)]);
        delete(&mut stage, "a", Propagation::Background);
        assert!(stage.find(Kind::ConfigMap, "a").is_none());
        assert!(stage.find(Kind::Secret, "child").is_some());
        stage.run_for(Span::secs(1));
        assert!(stage.find(Kind::Secret, "child").is_none());
        let gone = stage.first_time(Kind::Secret, "child", |c| c.change == ChangeType::Deleted).unwrap();
        assert!((10..100).contains(&gone), "{gone}");
    }

    #[test]
    fn foreground_deletion_takes_the_dependents_first() {
        let mut stage = stage();
        let uid = owner(&mut stage, "a");
        dependent(&mut stage, "child", &[("a", &uid)]);
        delete(&mut stage, "a", Propagation::Foreground);
        assert!(stage.get(Kind::ConfigMap, "a").meta().has_finalizer(FOREGROUND));
        stage.run_for(Span::secs(1));
        let gone = |kind, name| stage.first_time(kind, name, |c| c.change == ChangeType::Deleted).unwrap();
        assert!(gone(Kind::Secret, "child") < gone(Kind::ConfigMap, "a"));
    }

    #[test]
    fn orphans_stay_without_their_owner() {
        let mut stage = stage();
        let uid = owner(&mut stage, "a");
        dependent(&mut stage, "child", &[("a", &uid)]);
        delete(&mut stage, "a", Propagation::Orphan);
        stage.run_for(Span::secs(1));
        assert!(stage.find(Kind::ConfigMap, "a").is_none());
        assert!(stage.get(Kind::Secret, "child").meta().owner_references.is_empty());
    }

    #[test]
    fn one_living_owner_is_enough_and_a_namesake_is_none() {
        let mut stage = stage();
        let (a, b) = (owner(&mut stage, "a"), owner(&mut stage, "b"));
        dependent(&mut stage, "shared", &[("a", &a), ("b", &b)]);
        dependent(&mut stage, "stranger", &[("a", "00000000-0000-4000-8000-000000000000")]);
        delete(&mut stage, "a", Propagation::Background);
        stage.run_for(Span::secs(1));
        let owners = stage.get(Kind::Secret, "shared").meta().owner_references.clone();
        assert_eq!(owners.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["b"]);
        assert!(stage.find(Kind::Secret, "stranger").is_none());
    }
}
