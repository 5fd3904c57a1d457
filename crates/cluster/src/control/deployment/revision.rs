//! Revisions of a Deployment: which ReplicaSet is the new one, what it is called, and the notes it carries.
//!
//! Source: `pkg/controller/deployment/util/deployment_util.go` (`FindNewReplicaSet`, `SetNewReplicaSetAnnotations`,
//! `SetReplicasAnnotations`).

use std::rc::Rc;

use api::object::Object;
use values::value::Value;

pub const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
pub const HASH_LABEL: &str = "pod-template-hash";

/// Annotations of the Deployment that its sets do not get.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// A ReplicaSet of the Deployment as a sync sees it.
#[derive(Clone, Debug)]
pub struct Set {
    pub object: Rc<Object>,
    /// `spec.replicas`, kept up while the sync scales it.
    pub replicas: i32,
}

impl Set {
    pub fn new(object: Rc<Object>) -> Set {
        Set { replicas: object.replica_set().spec.replicas.unwrap_or(1), object }
    }

    pub fn available(&self) -> i32 {
        self.object.replica_set().status.available_replicas
    }

    pub fn revision(&self) -> i64 {
        annotation(&self.object, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// What the Deployment's size was when this set was last scaled.
    pub fn desired(&self) -> Option<i32> {
        annotation(&self.object, DESIRED)?.parse().ok()
    }

    /// How many Pods all sets together were allowed then.
    pub fn max(&self) -> Option<i32> {
        annotation(&self.object, MAX)?.parse().ok()
    }
}

pub fn annotation<'o>(object: &'o Object, key: &str) -> Option<&'o str> {
    object.value().at_keys(["metadata", "annotations", key]).as_str()
}

/// A set's template as the Deployment wrote it.
fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.at_mut("metadata.labels") {
        labels.map_mut().remove(HASH_LABEL);
    }
    template
}

/// The oldest set with the Deployment's template. `sets` are sorted by age.
pub fn find_new(deployment: &Object, sets: &[Set]) -> Option<usize> {
    let template = without_hash(deployment.value().at("spec.template"));
    sets.iter().position(|set| without_hash(set.object.value().at("spec.template")) == template)
}

/// Brings a new set's annotations up to date: the Deployment's, and the revision with its history.
pub fn annotate(deployment: &Object, set: &mut Value, revision: i64, existed: bool) {
    let mut notes = set.at("metadata.annotations").clone();
    let notes_map = notes.map_mut();
    if let Some(own) = deployment.value().map_at("metadata.annotations") {
        for (key, value) in own.iter().filter(|(key, _)| !OWN.contains(key)) {
            notes_map.insert(key, value.clone());
        }
    }
    let before = notes_map.get(REVISION).and_then(Value::as_str).map(str::to_owned);
    let before_number: i64 = before.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
    if before_number < revision {
        notes_map.insert(REVISION, revision.to_string());
        if let Some(before) = before.filter(|_| existed) {
            let history = match notes_map.get(HISTORY).and_then(Value::as_str) {
                Some(history) if !history.is_empty() => format!("{history},{before}"),
                _ => before,
            };
            notes_map.insert(HISTORY, history);
        }
    }
    set.set("metadata.annotations", notes);
}

/// Notes on a set how large the Deployment is and may become.
pub fn annotate_sizes(set: &mut Value, desired: i32, max: i32) {
    let mut notes = set.at("metadata.annotations").clone();
    notes.map_mut().insert(DESIRED, desired.to_string());
    notes.map_mut().insert(MAX, max.to_string());
    set.set("metadata.annotations", notes);
}
