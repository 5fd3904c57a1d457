//! An object as the store keeps it: the tree, and the types read out of it, at most once each.
//!
//! Rule: an object never changes; a write makes a new one. So what was decoded once stays true.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::api::apps::{Deployment, ReplicaSet};
use crate::api::batch::{CronJob, Job};
use crate::api::core::{Node, Service};
use crate::api::kind::Kind;
use crate::api::meta::{Key, ObjectMeta};
use crate::api::pod::Pod;
use crate::base::value::{Record, Value};

/// One version of one object.
#[derive(Clone, Debug)]
pub struct Object {
    kind: Kind,
    value: Value,
    resource_version: u64,
    meta: OnceCell<Rc<ObjectMeta>>,
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
        self.kind == other.kind && self.value == other.value
    }
}

macro_rules! typed {
    ($($method:ident -> $type:ident: $doc:literal),* $(,)?) => {
        $(#[doc = $doc]
        ///
        /// # Panics
        /// If the object is of another kind.
        pub fn $method(&self) -> &Rc<$type> {
            assert_eq!(self.kind, Kind::$type, "read as another kind");
            match self.typed.get_or_init(|| Typed::$type(Rc::new(self.read()))) {
                Typed::$type(typed) => typed,
                _ => unreachable!("the kind was checked"),
            }
        })*
    };
}

impl Object {
    pub fn new(kind: Kind, value: Value, resource_version: u64) -> Object {
        Object { kind, value, resource_version, meta: OnceCell::new(), typed: OnceCell::new() }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn resource_version(&self) -> u64 {
        self.resource_version
    }

    pub fn meta(&self) -> &ObjectMeta {
        self.meta.get_or_init(|| Rc::new(self.value.at("metadata").decode().unwrap_or_default()))
    }

    pub fn name(&self) -> &str {
        self.value.str_at("metadata.name").unwrap_or_default()
    }

    pub fn namespace(&self) -> &str {
        self.value.str_at("metadata.namespace").unwrap_or_default()
    }

    pub fn uid(&self) -> &str {
        self.value.str_at("metadata.uid").unwrap_or_default()
    }

    pub fn key(&self) -> Key {
        Key::new(self.kind, self.namespace(), self.name())
    }

    typed! {
        pod -> Pod: "The Pod's spec and status.",
        job -> Job: "The Job's spec and status.",
        cron_job -> CronJob: "The CronJob's spec and status.",
        replica_set -> ReplicaSet: "The ReplicaSet's spec and status.",
        deployment -> Deployment: "The Deployment's spec and status.",
        node -> Node: "The Node's spec and status.",
        service -> Service: "The Service's spec.",
    }

    /// What passed the schema decodes; a tree that does not is our own mistake and reads as empty.
    fn read<T: Record>(&self) -> T {
        let read = self.value.decode();
        debug_assert!(read.is_ok(), "{}: {:?}", self.name(), read.as_ref().err());
        read.unwrap_or_default()
    }
}
