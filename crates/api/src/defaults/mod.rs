//! What the API server fills in: defaults of every kind, what creation and admission add.
//!
//! Rule: `SetDefaults_*` of each kind, which run whenever an object is decoded; then, on creation only, the kind's strategy
//! ([`create`]) and, for Pods, the admission plugins ([`admit`]). All of them change nothing on an object that has
//! everything, and then copy nothing either. Sources: `pkg/apis/{core,batch,apps,scheduling}/v1/defaults.go`,
//! `pkg/apis/discovery/v1/defaults.go`.

pub mod admit;
mod access;
mod batch;
pub mod create;
mod edit;
mod image;
mod pod;
mod service;
mod storage;
mod workload;

use values::value::Value;

pub use admit::{PodAdmission, admit_pod};
pub use pod::qos_class;
pub use service::allocate_addresses;

use edit::{default_in, each, update};

/// Makes a decoded object a new one: its defaults, and what its kind's strategy does on creation. The name and the uid must
/// be set.
pub fn create(kind: &str, object: &mut Value) {
    if kind == "Job" {
        // A Job without own labels shows all of its template's, also the generated ones, as the server's shared map does.
        create::prepare(kind, object);
        apply(kind, object);
    } else {
        apply(kind, object);
        create::prepare(kind, object);
    }
}

/// Fills in the defaults of an object of `kind`. Kinds without defaults are left as they are.
pub fn apply(kind: &str, object: &mut Value) {
    match kind {
        "Job" => batch::job(object),
        "CronJob" => batch::cron_job(object),
        "Pod" => update(object, "spec", pod::pod),
        "PodTemplate" => update(object, "template", pod::template),
        "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" => workload::apply(kind, object),
        "Service" => update(object, "spec", service::spec),
        "PersistentVolumeClaim" => storage::claim(object),
        "PersistentVolume" => storage::volume(object),
        "Secret" => default_in(object, "type", || "Opaque".into()),
        "Namespace" => namespace(object),
        "PriorityClass" => default_in(object, "preemptionPolicy", || "PreemptLowerPriority".into()),
        "StorageClass" => {
            default_in(object, "reclaimPolicy", || "Delete".into());
            default_in(object, "volumeBindingMode", || "Immediate".into());
        }
        "RoleBinding" | "ClusterRoleBinding" => access::binding(object),
        "LimitRange" => update(object, "spec", |spec| each(spec, "limits", limit)),
        "Endpoints" => each(object, "subsets", |subset| each(subset, "ports", protocol)),
        "EndpointSlice" => each(object, "ports", |port| {
            default_in(port, "name", || "".into());
            protocol(port);
        }),
        _ => {}
    }
}

fn protocol(port: &mut Value) {
    default_in(port, "protocol", || "TCP".into());
}

fn namespace(object: &mut Value) {
    update(object, "status", |status| default_in(status, "phase", || "Active".into()));
    let name = object.str_at("metadata.name").unwrap_or("").to_string();
    let label = "kubernetes.io/metadata.name";
    let labelled = object.at_keys(["metadata", "labels", label]).as_str() == Some(&name);
    if !name.is_empty() && !labelled {
        update(object, "metadata", |metadata| {
            if metadata.at("labels").is_null() {
                metadata.set("labels", Value::map());
            }
            update(metadata, "labels", |labels| {
                labels.map_mut().insert(label, name);
            });
        });
    }
}

/// A container's limits: the default limit is the maximum, the default request is the default limit or the minimum.
fn limit(item: &mut Value) {
    if item.str_at("type") != Some("Container") {
        return;
    }
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
        let source: Vec<(String, Value)> = match item.map_at(from) {
            Some(map) => map.iter().map(|(k, v)| (k.to_string(), v.clone())).collect(),
            None => continue,
        };
        for (name, amount) in source {
            if item.at_keys([to, &*name]).is_null() {
                if item.at(to).is_null() {
                    item.set(to, Value::map());
                }
                update(item, to, |map| {
                    map.map_mut().insert(name, amount);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
