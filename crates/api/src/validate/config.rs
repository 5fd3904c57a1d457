//! ConfigMaps and Secrets.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateConfigMap`, `ValidateSecret` and their updates).

use values::value::Value;

use super::field::{Errors, Path};
use super::read::{entries, flag, get, same, set, text};
use super::{meta, names};

/// All data of a ConfigMap or Secret together, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
const DATA: Path<'static> = Path::root("data");
const BINARY: Path<'static> = Path::root("binaryData");

/// Checks a new ConfigMap.
pub fn config_map(errors: &mut Errors, object: &Value) {
    meta::create(errors, object, true, names::dns_subdomain);
    let binary = get(object, "binaryData");
    let mut size = 0;
    for (key, value) in entries(object, "data") {
        let path = DATA.key(key);
        errors.invalid_each(&path, key, names::config_key(key));
        if set(binary, key).is_some() {
            errors.invalid(&path, key, "duplicate of key present in binaryData");
        }
        size += value.as_str().map_or(0, str::len);
    }
    for (key, value) in entries(object, "binaryData") {
        errors.invalid_each(&BINARY.key(key), key, names::config_key(key));
        size += decoded_bytes(value);
    }
    if size > MAX_BYTES {
        errors.too_long(&Path::root(""), MAX_BYTES);
    }
}

/// Checks a changed ConfigMap.
pub fn config_map_update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    frozen(errors, new, old, &["data", "binaryData"]);
    config_map(errors, new);
}

/// Checks a new Secret, whose `stringData` has become data.
pub fn secret(errors: &mut Errors, object: &Value) {
    meta::create(errors, object, true, names::dns_subdomain);
    let mut size = 0;
    for (key, value) in entries(object, "data") {
        errors.invalid_each(&DATA.key(key), key, names::config_key(key));
        size += decoded_bytes(value);
    }
    if size > MAX_BYTES {
        errors.too_long(&DATA, MAX_BYTES);
    }
    let data = get(object, "data");
    let has = |key: &str| set(data, key).is_some();
    match text(object, "type") {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if text(object.at("metadata.annotations"), key).is_empty() {
                errors.required(&Path::root("metadata.annotations").key(key), "");
            }
        }
        "kubernetes.io/dockercfg" if !has(".dockercfg") => errors.required(&DATA.key(".dockercfg"), ""),
        "kubernetes.io/dockerconfigjson" if !has(".dockerconfigjson") => {
            errors.required(&DATA.key(".dockerconfigjson"), "");
        }
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            errors.required(&DATA.key("username"), "");
            errors.required(&DATA.key("password"), "");
        }
        "kubernetes.io/ssh-auth" if text(data, "ssh-privatekey").is_empty() => {
            errors.required(&DATA.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !has(key) {
                    errors.required(&DATA.key(key), "");
                }
            }
        }
        _ => {}
    }
}

/// Checks a changed Secret.
pub fn secret_update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    meta::immutable(errors, &Path::root("type"), get(new, "type"), get(old, "type"));
    frozen(errors, new, old, &["data"]);
    secret(errors, new);
}

/// `immutable: true` cannot be taken back.
fn frozen(errors: &mut Errors, new: &Value, old: &Value, fields: &[&str]) {
    if !flag(old, "immutable") {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if !flag(new, "immutable") {
        errors.forbidden(&Path::root("immutable"), detail);
    }
    for field in fields {
        if !same(get(new, field), get(old, field)) {
            errors.forbidden(&Path::root(field), detail);
        }
    }
}

/// How many bytes a base64 text stands for.
fn decoded_bytes(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.trim_end_matches('=').len() * 3 / 4)
}
