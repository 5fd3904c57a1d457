//! What the API server itself changes in an object that is written.
//!
//! Source: `pkg/registry/*/strategy.go` (`PrepareForUpdate`), `pkg/registry/core/pod/storage` (binding, eviction). What
//! creation adds is in `api::defaults::create`.

use api::kind::Kind;
use values::value::Value;

/// Raises the generation when the spec changed.
pub(super) fn prepare_for_update(kind: Kind, value: &mut Value, current: &Value) {
    if kind.info().has_generation && value.at("spec") != current.at("spec") {
        value.set("metadata.generation", current.i64_at("metadata.generation").unwrap_or(0) + 1);
    }
}
