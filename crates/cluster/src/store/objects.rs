//! The objects of a store, by kind, namespace and name.
//!
//! Looking one up compares names only, and needs no key of its own; a large run spends a good part of its time here.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::sorted::SortedMap;

/// The objects of one kind in one namespace, by name.
pub(super) type Names = BTreeMap<Rc<str>, Rc<Object>>;

/// All objects. Namespaces stay listed when they are empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    /// By the number of the kind; shorter if the last kinds have none.
    kinds: Vec<SortedMap<Rc<str>, Names>>,
}

impl Objects {
    pub(super) fn get(&self, key: &Key) -> Option<&Rc<Object>> {
        self.find(key.kind, &key.namespace, &key.name)
    }

    pub(super) fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Rc<Object>> {
        self.names(kind, namespace)?.get(name)
    }

    /// The namespace does not matter to kinds that have none.
    pub(super) fn names(&self, kind: Kind, namespace: &str) -> Option<&Names> {
        self.kinds.get(kind as usize)?.get(if kind.info().namespaced { namespace } else { "" })
    }

    /// The objects beside which that of `key` is kept.
    pub(super) fn beside(&mut self, key: &Key) -> &mut Names {
        let at = key.kind as usize;
        if self.kinds.len() <= at {
            self.kinds.resize_with(at + 1, SortedMap::new);
        }
        let namespaces = &mut self.kinds[at];
        if !namespaces.contains_key(&key.namespace) {
            namespaces.insert(Rc::clone(&key.namespace), Names::new());
        }
        namespaces.get_mut(&key.namespace).expect("just inserted")
    }

    /// All objects of a kind, by namespace and name.
    pub(super) fn list(&self, kind: Kind) -> impl Iterator<Item = &Rc<Object>> {
        self.kinds.get(kind as usize).into_iter().flat_map(SortedMap::values).flat_map(BTreeMap::values)
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.iter().flat_map(SortedMap::values).map(BTreeMap::len).sum()
    }
}
