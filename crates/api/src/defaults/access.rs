//! Defaults of bindings. Source: `pkg/apis/rbac/v1/defaults.go`.

use values::value::Value;

use super::edit::{default_in, each, update};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Users and groups are RBAC's own, and so is the role.
pub(super) fn binding(object: &mut Value) {
    update(object, "roleRef", |reference| default_in(reference, "apiGroup", || GROUP.into()));
    each(object, "subjects", |subject| {
        if matches!(subject.str_at("kind"), Some("User" | "Group")) {
            default_in(subject, "apiGroup", || GROUP.into());
        }
    });
}
