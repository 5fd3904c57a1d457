//! What admission plugins add to a new Pod: its service account and token, tolerations, priority.
//!
//! Sources: `plugin/pkg/admission/serviceaccount/admission.go`, `plugin/pkg/admission/defaulttolerationseconds`,
//! `plugin/pkg/admission/priority`.

use values::object;
use values::value::{Text, Value};

use super::edit::{each, update};

/// Where a Pod finds the token of its service account.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What the names of token volumes begin with.
const TOKEN_VOLUME: &str = "kube-api-access-";
/// How long a token is good for: an hour, and a little so that it is renewed before.
const TOKEN_SECONDS: i32 = 3607;
/// How long a Pod stays on a node that is not ready or not reachable.
const STAY_SECONDS: i32 = 300;

/// What the cluster knows and admission needs.
#[derive(Clone, Copy, Debug)]
pub struct PodAdmission<'a> {
    /// The five letters of the token volume's name.
    pub token_suffix: &'a str,
    /// False if the service account says that its token is not mounted.
    pub automount: bool,
    /// The value of the Pod's priority class, or of the default class, or 0.
    pub priority: i32,
    /// The preemption policy of that class.
    pub preemption_policy: &'a str,
    /// The default priority class, if there is one and the Pod names none.
    pub default_class: Option<&'a str>,
}

impl<'a> PodAdmission<'a> {
    /// A cluster without priority classes, and a service account that mounts its token.
    pub fn plain(token_suffix: &'a str) -> PodAdmission<'a> {
        PodAdmission {
            token_suffix,
            automount: true,
            priority: 0,
            preemption_policy: "PreemptLowerPriority",
            default_class: None,
        }
    }
}

/// Adds to a Pod, whose defaults are filled in, what admission adds. A Pod that has it all is left as it is.
pub fn admit_pod(pod: &mut Value, admission: &PodAdmission<'_>) {
    update(pod, "spec", |spec| {
        service_account(spec, admission);
        stay_on_failed_nodes(spec);
        if spec.at("priority").is_null() {
            spec.set("priority", admission.priority);
        }
        if spec.at("preemptionPolicy").is_null() {
            spec.set("preemptionPolicy", admission.preemption_policy);
        }
        if let Some(class) = admission.default_class {
            spec.set_default("priorityClassName", class);
        }
    });
}

fn service_account(spec: &mut Value, admission: &PodAdmission<'_>) {
    if spec.str_at("serviceAccountName").is_none_or(str::is_empty) {
        spec.set("serviceAccountName", Text::Known("default"));
        spec.set("serviceAccount", Text::Known("default"));
    }
    if !spec.bool_at("automountServiceAccountToken").unwrap_or(admission.automount) {
        return;
    }
    let mut volumes = spec.list_at("volumes").iter().filter_map(|v| v.str_at("name"));
    let existing = volumes.find(|name| name.starts_with(TOKEN_VOLUME)).map(Text::from);
    let name = existing.clone().unwrap_or_else(|| format!("{TOKEN_VOLUME}{}", admission.token_suffix).into());
    let has_mount = |c: &Value| c.list_at("volumeMounts").iter().any(|m| m.str_at("mountPath") == Some(TOKEN_PATH));
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        if spec.list_at(list).iter().all(has_mount) {
            continue;
        }
        mounted = true;
        each(spec, list, |container| {
            if !has_mount(container) {
                let mount = object! { "mountPath" => Text::Known(TOKEN_PATH), "name" => &name, "readOnly" => true };
                append(container, "volumeMounts", mount);
            }
        });
    }
    if mounted && existing.is_none() {
        append(spec, "volumes", token_volume(&name));
    }
}

fn append(parent: &mut Value, key: &'static str, item: Value) {
    let mut items = parent.list_at(key).to_vec();
    items.reserve_exact(1);
    items.push(item);
    parent.set(key, items);
}

fn token_volume(name: &Text) -> Value {
    let file = |key: &'static str| object! { "key" => Text::Known(key), "path" => Text::Known(key) };
    let namespace = object! {
        "fieldRef" => object! { "apiVersion" => Text::Known("v1"), "fieldPath" => Text::Known("metadata.namespace") },
        "path" => Text::Known("namespace"),
    };
    let token = object! { "expirationSeconds" => TOKEN_SECONDS, "path" => Text::Known("token") };
    let certificates = object! {
        "items" => Value::list([file("ca.crt")]), "name" => Text::Known("kube-root-ca.crt"),
    };
    let sources = [
        object! { "serviceAccountToken" => token },
        object! { "configMap" => certificates },
        object! { "downwardAPI" => object! { "items" => Value::list([namespace]) } },
    ];
    let projected = object! { "defaultMode" => 0o644, "sources" => Value::list(sources) };
    object! { "name" => name, "projected" => projected }
}

/// A Pod that does not say how long it stays on a failed node stays five minutes.
fn stay_on_failed_nodes(spec: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = spec.list_at("tolerations").iter().any(|t| {
            let fits = |field: &str, wanted: &str| t.str_at(field).is_none_or(|v| v.is_empty() || v == wanted);
            fits("key", key) && fits("effect", "NoExecute")
        });
        if !tolerated {
            let toleration = object! {
                "effect" => Text::Known("NoExecute"),
                "key" => Text::Known(key),
                "operator" => Text::Known("Exists"),
                "tolerationSeconds" => STAY_SECONDS,
            };
            append(spec, "tolerations", toleration);
        }
    }
}
