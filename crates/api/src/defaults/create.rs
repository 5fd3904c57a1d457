//! What a kind's strategy does when an object is created.
//!
//! Rule: status is cleared, generation begins at 1, a Job gets its generated selector and labels, a Pod its first status, a
//! Secret's `stringData` goes into `data`. [`super::create`] calls it at the right moment. Sources:
//! `pkg/registry/{batch/job,core/pod,core/namespace}/strategy.go`, `pkg/apis/core/v1/conversion.go`.

use values::object;
use values::value::{Map, Text, Value};

use super::edit::update;
use super::pod::qos_class;

/// Prepares a new Job: clears its status, gives it its selector and labels.
pub fn prepare_job(job: &mut Value) {
    prepare("Job", job);
}

/// Prepares a new object of `kind`.
pub(super) fn prepare(kind: &str, object: &mut Value) {
    match kind {
        "Job" => {
            object.set("metadata.generation", 1);
            object.set("status", Value::map());
            if object.bool_at("spec.manualSelector") != Some(true) {
                generate_selector(object);
            }
        }
        "CronJob" => {
            object.set("metadata.generation", 1);
            object.set("status", Value::map());
        }
        "ReplicaSet" => {
            object.set("metadata.generation", 1);
            object.set("status", object! { "replicas" => 0 });
        }
        "Deployment" => {
            object.set("metadata.generation", 1);
            object.set("status", Value::map());
        }
        "StatefulSet" => {
            object.set("metadata.generation", 1);
            object.set("status", object! { "replicas" => 0, "availableReplicas" => 0 });
        }
        "DaemonSet" => {
            object.set("metadata.generation", 1);
            let none = ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"];
            object.set("status", Value::map());
            update(object, "status", |status| none.into_iter().for_each(|field| status.set(field, 0)));
        }
        "PodDisruptionBudget" => object.set("metadata.generation", 1),
        "Pod" => first_status(object),
        "Service" => object.set("status", object! { "loadBalancer" => Value::map() }),
        "PersistentVolumeClaim" => object.set("status", object! { "phase" => "Pending" }),
        "Namespace" => {
            object.set("spec", object! { "finalizers" => Value::list(["kubernetes".into()]) });
            object.set("status", object! { "phase" => "Active" });
        }
        "Secret" => string_data(object),
        _ => {}
    }
}

/// The labels that make a Job's Pods its own, and the selector for them.
fn generate_selector(job: &mut Value) {
    let name = job.str_at("metadata.name").unwrap_or("").to_string();
    let uid = job.str_at("metadata.uid").unwrap_or("").to_string();
    let mut labels: Map = job.map_at("spec.template.metadata.labels").cloned().unwrap_or_default();
    for (label, value) in [
        ("job-name", &name),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/controller-uid", &uid),
    ] {
        if !labels.contains_key(label) {
            labels.insert(label, value);
        }
    }
    job.set("spec.template.metadata.labels", labels);
    let mut selector: Map = job.map_at("spec.selector.matchLabels").cloned().unwrap_or_default();
    if !selector.contains_key("batch.kubernetes.io/controller-uid") {
        selector.insert("batch.kubernetes.io/controller-uid", uid);
    }
    job.set("spec.selector.matchLabels", selector);
}

/// A Pod starts as Pending; one with gates says that it is not looked at.
fn first_status(pod: &mut Value) {
    let mut status = object! { "phase" => Text::Known("Pending"), "qosClass" => qos_class(pod.at("spec")) };
    if !pod.at("spec.schedulingGates").is_empty() {
        let gated = object! {
            "type" => "PodScheduled",
            "status" => "False",
            "reason" => "SchedulingGated",
            "message" => "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime" => Value::Null,
            "lastTransitionTime" => Value::Null,
            "observedGeneration" => 1,
        };
        status.set("conditions", Value::list([gated]));
    }
    pod.set("metadata.generation", 1);
    pod.set("status", status);
}

/// Plain texts become base64 data, and win over data of the same name.
fn string_data(secret: &mut Value) {
    let Some(Value::Map(plain)) = secret.remove("stringData") else { return };
    if secret.at("data").is_null() {
        secret.set("data", Value::map());
    }
    update(secret, "data", |data| {
        for (name, text) in plain.iter() {
            data.map_mut().insert(name, base64(text.as_str().unwrap_or("").as_bytes()));
        }
    });
}

/// RFC 4648 base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let letter = ALPHABET[(group >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn plain_texts_of_a_secret_become_data() {
        let mut secret = Value::from_json(r#"{"stringData":{"a":"foo"},"data":{"a":"eA==","b":"eQ=="}}"#).unwrap();
        prepare("Secret", &mut secret);
        assert_eq!(secret.to_json(), r#"{"data":{"a":"Zm9v","b":"eQ=="}}"#);
    }
}
