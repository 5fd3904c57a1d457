//! What scheduler and volume controller tell each other through a claim.
//!
//! Source: `pkg/controller/volume/persistentvolume/volume` (annotations of claims).

use crate::store::Store;
use api::kind::Kind;
use api::object::Object;
use values::value::Value;

/// The node that the scheduler chose for the first Pod that uses a claim.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Whether a claim's class wants a Pod first, and no node has been chosen for one.
pub fn waits_for_consumer(store: &Store, claim: &Object) -> bool {
    let name = claim.value().str_at("spec.storageClassName").unwrap_or_default();
    let class = store.find(Kind::StorageClass, "", name);
    class.is_some_and(|class| class.value().str_at("volumeBindingMode") == Some("WaitForFirstConsumer"))
        && claim.value().at_keys(["metadata", "annotations", SELECTED_NODE]).is_null()
}

/// Sets an annotation.
pub fn annotate_with(value: &mut Value, key: &str, text: &str) {
    let annotations = value.at("metadata.annotations");
    let mut annotations = if annotations.is_null() { Value::map() } else { annotations.clone() };
    annotations.map_mut().insert(key, text);
    value.set("metadata.annotations", annotations);
}
