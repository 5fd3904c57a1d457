//! Defaults of ReplicaSets, Deployments, StatefulSets and DaemonSets. Source: `pkg/apis/apps/v1/defaults.go`.

use values::value::Value;

use super::edit::{default_in, each, update};
use super::{pod, storage};

pub(super) fn apply(kind: &str, object: &mut Value) {
    update(object, "spec", |spec| {
        if kind != "DaemonSet" {
            default_in(spec, "replicas", || 1.into());
        }
        if kind != "ReplicaSet" {
            default_in(spec, "revisionHistoryLimit", || 10.into());
        }
        match kind {
            "Deployment" => {
                rolling(spec, "strategy", &[("maxSurge", "25%".into()), ("maxUnavailable", "25%".into())]);
                default_in(spec, "progressDeadlineSeconds", || 600.into());
            }
            "DaemonSet" => rolling(spec, "updateStrategy", &[("maxSurge", 0.into()), ("maxUnavailable", 1.into())]),
            "StatefulSet" => {
                default_in(spec, "podManagementPolicy", || "OrderedReady".into());
                rolling(spec, "updateStrategy", &[("partition", 0.into())]);
                default_in(spec, "persistentVolumeClaimRetentionPolicy", Value::map);
                update(spec, "persistentVolumeClaimRetentionPolicy", |policy| {
                    default_in(policy, "whenDeleted", || "Retain".into());
                    default_in(policy, "whenScaled", || "Retain".into());
                });
                each(spec, "volumeClaimTemplates", storage::claim);
            }
            _ => {}
        }
        update(spec, "template", pod::template);
    });
}

/// The strategy under `key`: `RollingUpdate` unless another is named, with its parameters.
fn rolling(spec: &mut Value, key: &'static str, parameters: &[(&'static str, Value)]) {
    default_in(spec, key, Value::map);
    update(spec, key, |strategy| {
        default_in(strategy, "type", || "RollingUpdate".into());
        if strategy.str_at("type") == Some("RollingUpdate") {
            default_in(strategy, "rollingUpdate", Value::map);
            update(strategy, "rollingUpdate", |rolling| {
                for (name, value) in parameters {
                    default_in(rolling, name, || value.clone());
                }
            });
        }
    });
}
