//! What the API server itself puts into an object when it is created or changed.
//!
//! Source: `pkg/registry/batch/job/strategy.go` (`generateSelector`), `pkg/registry/core/pod/strategy.go`,
//! `pkg/registry/core/service/storage` and the `PrepareForCreate`/`PrepareForUpdate` of each kind.

use crate::api::kind::Kind;
use crate::base::time::SimTime;
use crate::base::value::Value;
use crate::object;
use crate::store::Api;

/// Fields a client cannot choose: generation, an empty status, the Job's selector, the Service's address.
pub(super) fn prepare_for_create(api: &Api<'_>, kind: Kind, value: &mut Value) {
    if kind.info().has_generation {
        value.set("metadata.generation", 1);
    }
    match kind {
        Kind::Job => {
            value.set("status", Value::map());
            generate_job_selector(value);
        }
        Kind::CronJob | Kind::Deployment => value.set("status", Value::map()),
        Kind::ReplicaSet => value.set("status", object! { "replicas" => 0 }),
        Kind::Pod => {
            let class = crate::api::pod::qos_class(value);
            value.set("status", object! { "phase" => "Pending", "qosClass" => class });
            set_scheduling_gated(value);
        }
        Kind::Service => allocate_cluster_ip(api, value),
        Kind::Namespace => {
            value.set_default("spec.finalizers", vec![Value::from("kubernetes")]);
            value.set("status", object! { "phase" => "Active" });
        }
        Kind::PersistentVolumeClaim => {
            protect(value, "kubernetes.io/pvc-protection");
            value.set("status", object! { "phase" => "Pending" });
        }
        Kind::PersistentVolume => {
            protect(value, "kubernetes.io/pv-protection");
            value.set("status", object! { "phase" => "Pending" });
        }
        _ => {}
    }
}

/// Raises the generation when the spec changed.
pub(super) fn prepare_for_update(kind: Kind, value: &mut Value, current: &Value) {
    if kind.info().has_generation && value.at("spec") != current.at("spec") {
        value.set("metadata.generation", current.i64_at("metadata.generation").unwrap_or(0) + 1);
    }
}

/// Adds the labels by which a Job's Pods are found, to the template and, where the Job has no labels of its own, to the
/// Job: its labels were defaulted from the template's and stay the same map (`semantics/job.md` §12).
fn generate_job_selector(value: &mut Value) {
    if value.bool_at("spec.manualSelector") == Some(true) {
        return;
    }
    let shared = value.at("metadata.labels") == value.at("spec.template.metadata.labels");
    let uid = value.str_at("metadata.uid").unwrap_or_default().to_owned();
    let name = value.str_at("metadata.name").unwrap_or_default().to_owned();
    let generated = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    let mut labels = value.at("spec.template.metadata.labels").clone();
    for (key, text) in generated {
        if !labels.map_mut().contains_key(key) {
            labels.map_mut().insert(key, text);
        }
    }
    if shared {
        value.set("metadata.labels", labels.clone());
    }
    value.set("spec.template.metadata.labels", labels);
    let mut selector = value.at("spec.selector").clone();
    selector.map_mut();
    let mut match_labels = selector.at("matchLabels").clone();
    match_labels.map_mut().insert("batch.kubernetes.io/controller-uid", uid);
    selector.set("matchLabels", match_labels);
    value.set("spec.selector", selector);
}

/// Keeps a claim or volume from going while it is in use (admission `StorageObjectInUseProtection`).
fn protect(value: &mut Value, finalizer: &str) {
    let mut finalizers = value.list_at("metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f.as_str() == Some(finalizer)) {
        finalizers.push(finalizer.into());
        value.set("metadata.finalizers", finalizers);
    }
}

fn set_scheduling_gated(value: &mut Value) {
    if value.list_at("spec.schedulingGates").is_empty() {
        return;
    }
    let message = "Scheduling is blocked due to non-empty scheduling gates";
    let condition = object! {
        "type" => "PodScheduled", "status" => "False", "reason" => "SchedulingGated", "message" => message,
        "lastProbeTime" => Value::Null, "lastTransitionTime" => Value::Null,
    };
    value.set("status.conditions", vec![condition]);
}

/// A Service gets an address of its own unless it names one, is headless or points elsewhere.
fn allocate_cluster_ip(api: &Api<'_>, value: &mut Value) {
    let headless = value.str_at("spec.clusterIP") == Some("None");
    if value.str_at("spec.type") == Some("ExternalName") {
        return;
    }
    if value.str_at("spec.clusterIP").unwrap_or_default().is_empty() {
        let key = format!("{}/{}", value.str_at("metadata.namespace").unwrap_or_default(), value.at("metadata.name"));
        let mut stream = api.rng().stream("cluster-ip", &key);
        let ip = loop {
            let ip = format!("10.96.{}.{}", stream.between(0, 255), stream.between(2, 254));
            let taken = api.store().list(Kind::Service).any(|s| s.value().str_at("spec.clusterIP") == Some(&ip));
            if !taken {
                break ip;
            }
        };
        value.set("spec.clusterIP", ip.as_str());
    }
    let ip = value.at("spec.clusterIP").clone();
    if !headless || !value.has("spec.clusterIPs") {
        value.set("spec.clusterIPs", vec![ip]);
    }
    value.set_default("status", object! { "loadBalancer" => Value::map() });
}

/// Sets one of a Pod's conditions; the transition time moves only with the status.
pub(super) fn set_pod_condition(
    value: &mut Value,
    kind: &str,
    status: &str,
    now: SimTime,
    reason: &str,
    message: &str,
) {
    let mut conditions = value.list_at("status.conditions").to_vec();
    let old = conditions.iter().position(|c| c.str_at("type") == Some(kind));
    let since = old
        .map(|i| &conditions[i])
        .filter(|c| c.str_at("status") == Some(status))
        .map(|c| c.at("lastTransitionTime").clone());
    let mut condition = object! {
        "type" => kind, "status" => status, "lastProbeTime" => Value::Null,
        "lastTransitionTime" => since.unwrap_or_else(|| now.into()),
    };
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition.set(field, text);
        }
    }
    match old {
        Some(i) => conditions[i] = condition,
        None => conditions.push(condition),
    }
    value.set("status.conditions", conditions);
}
