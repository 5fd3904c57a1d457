//! `kubectl get --raw`: an address of the API, answered as the server answers it.
//!
//! Rule: objects and lists are one line of JSON in the order of Go's structs. What has no such answer here is not found, as with
//! a server that lacks it. Source: `apiserver/pkg/endpoints/installer.go`, `apiserver/pkg/server/routes`.

use crate::kubectl::{Call, Outcome, common, resource, version};
use crate::printing::format::shown;
use crate::printing::json;
use api::kind::{KINDS, KindInfo};
use api::selector::{Fields, Labels};
use values::object;
use values::value::Value;

/// Answers the address of `--raw`.
pub fn get(call: &mut Call<'_, '_>, address: &str) -> Outcome {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let text = match parts.as_slice() {
        ["healthz" | "livez" | "readyz"] => Some("ok".to_owned()),
        ["version"] => Some(version::server_text()),
        ["api"] => Some(versions_of_core()),
        ["api", "v1", rest @ ..] => objects(call, ("", "v1"), rest, query),
        ["apis", group, version, rest @ ..] => objects(call, (group, version), rest, query),
        _ => None,
    };
    match text {
        Some(text) => {
            call.io.out(&text);
            Outcome::Exit(0)
        }
        None => call.refuse(&common::no_such_resource()),
    }
}

fn versions_of_core() -> String {
    let addresses = vec![object! { "clientCIDR" => "0.0.0.0/0", "serverAddress" => "172.18.0.2:6443" }];
    let value = object! {
        "kind" => "APIVersions", "versions" => vec![Value::from("v1")], "serverAddressByClientCIDRs" => addresses,
    };
    json::in_order(&value, &["kind", "versions", "serverAddressByClientCIDRs"])
}

/// `namespaces/default/pods/x`, `namespaces/default`, `pods`, `nodes/x`
fn objects(call: &mut Call<'_, '_>, (group, version): (&str, &str), parts: &[&str], query: &str) -> Option<String> {
    let (namespace, parts) = match parts {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && *rest != ["status"] => (Some(*namespace), rest),
        other => (None, other),
    };
    let (plural, name) = match parts {
        [plural] => (plural, None),
        [plural, name] | [plural, name, "status"] => (plural, Some(*name)),
        _ => return None,
    };
    let info = KINDS.iter().find(|kind| kind.group == group && kind.version == version && kind.plural == *plural)?;
    if info.namespaced && namespace.is_none() && name.is_some() || (!info.namespaced && namespace.is_some()) {
        return None;
    }
    let store = call.desk.cluster.store();
    match name {
        Some(name) => match resource::get(store, info.kind, namespace.unwrap_or_default(), name) {
            Ok(object) => Some(format!("{}\n", json::line_of_struct(&shown(&object)))),
            Err(error) => {
                call.refuse(&error);
                Some(String::new())
            }
        },
        None => list(call, info, namespace, query),
    }
}

fn list(call: &Call<'_, '_>, info: &KindInfo, namespace: Option<&str>, query: &str) -> Option<String> {
    let given = |name: &str| {
        let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
        Some(value.replace("%3D", "=").replace("%3d", "=").replace("%2C", ",").replace("%2c", ","))
    };
    let labels = Labels::parse(&given("labelSelector").unwrap_or_default()).ok()?;
    let fields = Fields::parse(&given("fieldSelector").unwrap_or_default(), info.kind).ok()?;
    let store = call.desk.cluster.store();
    let limit = given("limit").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let chosen = store.list(info.kind).filter(|object| {
        namespace.is_none_or(|namespace| object.namespace() == namespace)
            && labels.matches(&object.meta().labels)
            && fields.matches(object)
    });
    // The items of a typed list do not say what they are.
    let items = chosen.take(limit).map(|object| {
        let mut value = shown(object);
        value.remove("kind");
        value.remove("apiVersion");
        value
    });
    let list = object! {
        "kind" => format!("{}List", info.name), "apiVersion" => info.api_version(),
        "metadata" => object! { "resourceVersion" => store.revision().to_string() }, "items" => Value::list(items),
    };
    Some(format!("{}\n", json::line_of_struct(&list)))
}
