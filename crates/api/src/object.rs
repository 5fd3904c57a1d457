//! An object as the store keeps it: the tree, and the types read out of it, at most once each.
//!
//! Rule: an object never changes; a write makes a new one. So what was decoded once stays true, also for the next version
//! as far as that is the same.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::apps::{Deployment, ReplicaSet};
use crate::batch::{CronJob, Job};
use crate::core::{Node, Service};
use crate::kind::Kind;
use crate::meta::{Key, ObjectMeta};
use crate::pod::{Pod, PodSpec, PodStatus};
use values::value::{Record, Text, Value};

/// One version of one object.
#[derive(Clone, Debug)]
pub struct Object {
    key: Key,
    uid: Rc<str>,
    value: Value,
    resource_version: u64,
    meta: OnceCell<Rc<ObjectMeta>>,
    /// Of a Pod, which is written many times with the same spec.
    pod_spec: OnceCell<Rc<PodSpec>>,
    pod_status: OnceCell<Rc<PodStatus>>,
    typed: OnceCell<Typed>,
}

#[derive(Clone, Debug)]
enum Typed {
    Pod(Rc<Pod>),
    Job(Rc<Job>),
    CronJob(Rc<CronJob>),
    ReplicaSet(Rc<ReplicaSet>),
    Deployment(Rc<Deployment>),
    Node(Rc<Node>),
    Service(Rc<Service>),
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.kind() == other.kind() && self.value == other.value
    }
}

macro_rules! typed {
    ($($method:ident -> $type:ident by $read:ident: $doc:literal),* $(,)?) => {
        $(#[doc = $doc]
        ///
        /// # Panics
        /// If the object is of another kind.
        pub fn $method(&self) -> &Rc<$type> {
            assert_eq!(self.kind(), Kind::$type, "read as another kind");
            match self.typed.get_or_init(|| Typed::$type(Rc::new(self.$read()))) {
                Typed::$type(typed) => typed,
                _ => unreachable!("the kind was checked"),
            }
        })*
    };
}

impl Object {
    pub fn new(kind: Kind, value: Value, resource_version: u64) -> Object {
        let metadata = value.at("metadata");
        let text = |field: &str| metadata.at(field).as_text().map(Text::shared).unwrap_or_default();
        let namespace = if kind.info().namespaced { text("namespace") } else { Rc::default() };
        let key = Key { kind, namespace, name: text("name") };
        Object::of(key, text("uid"), value, resource_version)
    }

    fn of(key: Key, uid: Rc<str>, value: Value, resource_version: u64) -> Object {
        Object {
            key,
            uid,
            value,
            resource_version,
            meta: OnceCell::new(),
            pod_spec: OnceCell::new(),
            pod_status: OnceCell::new(),
            typed: OnceCell::new(),
        }
    }

    /// The next version of this object. What is the same in both need not be decoded again.
    pub fn renewed(&self, value: Value, resource_version: u64) -> Object {
        let next = Object::of(self.key.clone(), Rc::clone(&self.uid), value, resource_version);
        if let Some(meta) =
            self.meta.get().filter(|_| same_but(&self.value, &next.value, "metadata", "resourceVersion"))
        {
            next.meta.get_or_init(|| Rc::clone(meta));
        }
        if let Some(spec) = self.pod_spec.get() {
            if self.value.at("spec") == next.value.at("spec") {
                next.pod_spec.get_or_init(|| Rc::clone(spec));
            } else if same_but(&self.value, &next.value, "spec", "nodeName") {
                let node_name = next.value.at("spec.nodeName").as_text().cloned().unwrap_or_default();
                next.pod_spec.get_or_init(|| Rc::new(PodSpec { node_name, ..(**spec).clone() }));
            }
        }
        if let Some(status) = self.pod_status.get().filter(|_| self.value.at("status") == next.value.at("status")) {
            next.pod_status.get_or_init(|| Rc::clone(status));
        }
        next
    }

    pub fn kind(&self) -> Kind {
        self.key.kind
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn resource_version(&self) -> u64 {
        self.resource_version
    }

    pub fn meta(&self) -> &Rc<ObjectMeta> {
        self.meta.get_or_init(|| Rc::new(self.value.at("metadata").decode().unwrap_or_default()))
    }

    pub fn name(&self) -> &str {
        &self.key.name
    }

    pub fn namespace(&self) -> &str {
        &self.key.namespace
    }

    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The uid, to be kept somewhere.
    pub fn shared_uid(&self) -> Rc<str> {
        Rc::clone(&self.uid)
    }

    pub fn key(&self) -> Key {
        self.key.clone()
    }

    typed! {
        pod -> Pod by read_pod: "The Pod's spec and status.",
        job -> Job by read: "The Job's spec and status.",
        cron_job -> CronJob by read: "The CronJob's spec and status.",
        replica_set -> ReplicaSet by read: "The ReplicaSet's spec and status.",
        deployment -> Deployment by read: "The Deployment's spec and status.",
        node -> Node by read: "The Node's spec and status.",
        service -> Service by read: "The Service's spec.",
    }

    fn read_pod(&self) -> Pod {
        let spec = self.pod_spec.get_or_init(|| Rc::new(self.read_at("spec")));
        let status = self.pod_status.get_or_init(|| Rc::new(self.read_at("status")));
        Pod { metadata: Rc::clone(self.meta()), spec: Rc::clone(spec), status: Rc::clone(status) }
    }

    /// Whoever wrote this Pod's status knows it by type: then nobody needs to read it out of the tree.
    pub fn know_pod_status(&self, status: Rc<PodStatus>) {
        debug_assert_eq!(self.read_at::<PodStatus>("status"), *status, "the status of {} as written", self.name());
        self.pod_status.get_or_init(|| status);
    }

    fn read<T: Record>(&self) -> T {
        self.decoded(&self.value)
    }

    fn read_at<T: Record>(&self, path: &str) -> T {
        self.decoded(self.value.at(path))
    }

    /// What passed the schema decodes; a tree that does not is our own mistake and reads as empty.
    fn decoded<T: Record>(&self, value: &Value) -> T {
        let read = value.decode();
        debug_assert!(read.is_ok(), "{}: {:?}", self.name(), read.as_ref().err());
        read.unwrap_or_default()
    }
}

/// True if the maps at `path` are the same in both versions, but for one field that is often written alone.
fn same_but(before: &Value, after: &Value, path: &str, field: &str) -> bool {
    let (Some(before), Some(after)) = (before.map_at(path), after.map_at(path)) else { return false };
    before.same_but(after, field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_share_what_is_the_same_in_them() {
        let json = r#"{"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"1","labels":{"x":"1"}},
            "spec":{"restartPolicy":"Never"},"status":{"phase":"Pending"}}"#;
        let first = Object::new(Kind::Pod, Value::from_json(json).expect("it is JSON"), 1);
        assert_eq!(first.pod().status.phase, "Pending");
        let changed = |before: &Object, version: u64, path: &str, to: &str| {
            let mut value = before.value().clone();
            value.set("metadata.resourceVersion", version.to_string());
            value.put(path, to);
            before.renewed(value, version)
        };
        let running = changed(&first, 2, "status.phase", "Running");
        assert_eq!(running.pod().status.phase, "Running");
        assert!(Rc::ptr_eq(&running.pod().spec, &first.pod().spec));
        assert!(Rc::ptr_eq(running.meta(), first.meta()));
        let bound = changed(&running, 3, "spec.nodeName", "node-1");
        assert_eq!(bound.pod().spec.node_name, "node-1");
        assert!(Rc::ptr_eq(bound.meta(), first.meta()));
        let marked = changed(&bound, 4, "metadata.generateName", "a-");
        assert_eq!(marked.meta().generate_name, "a-");
        assert!(Rc::ptr_eq(&marked.pod().spec, &bound.pod().spec));
    }
}
