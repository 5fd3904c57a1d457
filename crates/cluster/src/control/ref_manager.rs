//! Who manages whom: controllers take in orphans that match their selector and let go of what no longer does.
//!
//! Rules: `docs/semantics/replicaset.md` §3, `docs/semantics/job.md` §2 step 6; recorded in `manual-selector`.
//! Source: `pkg/controller/controller_ref_manager.go`.

use crate::store::Api;
use api::meta::{Key, LabelSelector, ObjectMeta};
use api::object::Object;
use api::status::{ApiError, Reason};
use values::object;
use values::value::{Text, Value};

/// What a controller does with an object it might manage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It is the controller's own.
    Keep,
    /// Nobody manages it and it matches: the controller becomes its owner.
    Adopt,
    /// It is the controller's own but matches no more: the controller lets it go.
    Release,
    /// It is no business of the controller.
    Ignore,
}

/// Decides about `object` (of the controller's namespace) for a controller with `selector`.
///
/// A controller that is being deleted neither adopts nor releases, and nobody adopts what is being deleted.
pub fn claim(controller: &ObjectMeta, selector: &LabelSelector, object: &ObjectMeta) -> Claim {
    let matches = selector.matches(&object.labels);
    match object.controller() {
        Some(owner) if owner.uid != controller.uid => Claim::Ignore,
        Some(_) if matches => Claim::Keep,
        Some(_) if controller.is_being_deleted() => Claim::Ignore,
        Some(_) => Claim::Release,
        None if !matches || controller.is_being_deleted() || object.is_being_deleted() => Claim::Ignore,
        None => Claim::Adopt,
    }
}

/// The entry of `ownerReferences` by which `owner` manages an object.
pub fn controller_reference(owner: &Object) -> Value {
    object! {
        "apiVersion" => owner.kind().info().api_version(), "kind" => Text::Known(owner.kind().name()), "name" => owner.name(),
        "uid" => owner.uid(), "controller" => true, "blockOwnerDeletion" => true,
    }
}

/// Makes `owner` the manager of the object at `key`, which also gets `finalizer`, if one is named.
///
/// # Errors
/// What the API answers to the patch, such as NotFound if the object has gone.
pub fn adopt(api: &mut Api<'_>, key: &Key, owner: &Object, finalizer: Option<&str>) -> Result<(), ApiError> {
    let reference = controller_reference(owner);
    api.update(key, |value| {
        let mut owners = value.list_at("metadata.ownerReferences").to_vec();
        // A reference that does not manage is replaced: the patch merges owners by uid.
        owners.retain(|owner| owner.str_at("uid") != reference.str_at("uid"));
        owners.push(reference);
        value.set("metadata.ownerReferences", owners);
        let mut finalizers = value.list_at("metadata.finalizers").to_vec();
        if let Some(name) = finalizer.filter(|name| !finalizers.iter().any(|f| f.as_str() == Some(name))) {
            finalizers.push(name.into());
            value.set("metadata.finalizers", finalizers);
        }
    })
    .map(drop)
}

/// Takes `owner_uid` out of the object's owners, and `finalizer` off it. An object that has gone is as good.
///
/// # Errors
/// What the API answers to the patch.
pub fn release(api: &mut Api<'_>, key: &Key, owner_uid: &str, finalizer: Option<&str>) -> Result<(), ApiError> {
    let patched = api.update(key, |value| {
        keep_in_list(value, "metadata.ownerReferences", |owner| owner.str_at("uid") != Some(owner_uid));
        if let Some(name) = finalizer {
            keep_in_list(value, "metadata.finalizers", |f| f.as_str() != Some(name));
        }
    });
    match patched {
        Err(error) if error.reason != Reason::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Keeps the items of a list that pass; a list that ends up empty is taken out.
fn keep_in_list(value: &mut Value, path: &'static str, keep: impl Fn(&Value) -> bool) {
    let rest: Vec<Value> = value.list_at(path).iter().filter(|item| keep(item)).cloned().collect();
    if rest.is_empty() {
        value.remove(path);
    } else {
        value.set(path, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::meta::OwnerReference;
    use values::time::SimTime;

    fn meta(uid: &str, label: &str, owner: Option<&str>, deleted: bool) -> ObjectMeta {
        ObjectMeta {
            uid: uid.into(),
            labels: [("app".into(), label.into())].into(),
            owner_references: owner
                .map(|uid| OwnerReference { uid: uid.into(), controller: Some(true), ..OwnerReference::default() })
                .into_iter()
                .collect(),
            deletion_timestamp: deleted.then_some(SimTime::EPOCH),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn claims() {
        let selector = LabelSelector { match_labels: [("app".into(), "a".into())].into(), ..LabelSelector::default() };
        for (label, owner, object_deleted, controller_deleted, expected) in [
            ("a", Some("me"), false, false, Claim::Keep),
            ("a", Some("me"), true, true, Claim::Keep),
            ("b", Some("me"), false, false, Claim::Release),
            ("b", Some("me"), false, true, Claim::Ignore),
            ("a", Some("other"), false, false, Claim::Ignore),
            ("a", None, false, false, Claim::Adopt),
            ("a", None, true, false, Claim::Ignore),
            ("a", None, false, true, Claim::Ignore),
            ("b", None, false, false, Claim::Ignore),
        ] {
            let controller = meta("me", "", None, controller_deleted);
            let object = meta("pod", label, owner, object_deleted);
            assert_eq!(claim(&controller, &selector, &object), expected, "{label} {owner:?}");
        }
    }
}
