//! The objects of a manifest, brought into the cluster and taken out of it.
//!
//! Source: `helm/pkg/kube/client.go`, `helm/pkg/action/validate.go`. Errors of several objects are told together, as
//! `go-multierror` prints them.

use super::release::Release;
use super::render::{rank, split};
use api::decode::{FieldValidation, decode};
use api::kind::Kind;
use api::meta::Key;
use api::patch::{Shape, strategic, three_way};
use cluster::Cluster;
use cluster::store::DeleteOptions;
use values::sort::sort_by;
use values::value::Value;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// An object of a manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    pub key: Key,
    pub value: Value,
}

/// Reads a manifest's objects, checked as the API server's schema does.
///
/// # Errors
/// Helm's text.
pub fn build(manifest: &str, namespace: &str) -> Result<Vec<Wanted>, String> {
    let mut objects = Vec::new();
    for part in split(manifest) {
        let value = super::chart::read_yaml(&part, "error parsing")?;
        let (version, name) = (value.str_at("apiVersion").unwrap_or(""), value.str_at("kind").unwrap_or(""));
        let Some(kind) = Kind::find(version, name) else {
            let object = value.str_at("metadata.name").unwrap_or_default();
            return Err(format!(
                "resource mapping not found for name: \"{object}\" namespace: \"\" from \"\": no matches for kind \
                 \"{name}\" in version \"{version}\"\nensure CRDs are installed first"
            ));
        };
        let decoded = decode(&value, FieldValidation::Strict)
            .map_err(|refusal| format!("error validating \"\": error validating data: {}", refusal.text))?;
        let mut value = decoded.object;
        let namespace = value.str_at("metadata.namespace").unwrap_or(namespace).to_owned();
        if kind.info().namespaced {
            value.set("metadata.namespace", namespace.as_str());
        }
        let key = Key::new(kind, &namespace, value.str_at("metadata.name").unwrap_or_default());
        objects.push(Wanted { key, value });
    }
    Ok(objects)
}

/// Marks objects as the release's own.
pub fn own(objects: &mut [Wanted], release: &Release) {
    for object in objects {
        let mut put = |map: &'static str, key: &str, value: &str| {
            let mut entries = object.value.at(map).clone();
            entries.map_mut().insert(key, value);
            object.value.set(map, entries);
        };
        put("metadata.labels", MANAGED_BY, "Helm");
        put("metadata.annotations", RELEASE_NAME, &release.name);
        put("metadata.annotations", RELEASE_NAMESPACE, &release.namespace);
    }
}

/// What stands in the way: objects that are there and belong to somebody else.
///
/// # Errors
/// Helm's text, without `Unable to continue with …`.
pub fn check_free(cluster: &Cluster, objects: &[Wanted], release: &Release) -> Result<(), String> {
    for wanted in objects {
        let Some(object) = cluster.store().get(&wanted.key) else { continue };
        let mut wrong = Vec::new();
        for (map, what, key, want) in [
            ("labels", "label", MANAGED_BY, "Helm"),
            ("annotations", "annotation", RELEASE_NAME, release.name.as_str()),
            ("annotations", "annotation", RELEASE_NAMESPACE, release.namespace.as_str()),
        ] {
            match object.value().at_keys(["metadata", map, key]).as_str() {
                Some(found) if found == want => {}
                Some(found) => wrong.push(format!(
                    "{what} validation error: key \"{key}\" must equal \"{want}\": current value is \"{found}\""
                )),
                None => {
                    wrong.push(format!("{what} validation error: missing key \"{key}\": must be set to \"{want}\""))
                }
            }
        }
        if !wrong.is_empty() {
            let key = &wanted.key;
            return Err(format!(
                "{} \"{}\" in namespace \"{}\" exists and cannot be imported into the current release: invalid ownership \
                 metadata; {}",
                key.kind,
                key.name,
                key.namespace,
                wrong.join("; ")
            ));
        }
    }
    Ok(())
}

/// Creates all of them.
///
/// # Errors
/// Every refusal.
pub fn create(cluster: &mut Cluster, objects: &[Wanted]) -> Result<(), String> {
    let mut errors = Vec::new();
    for wanted in objects {
        if let Err(error) = cluster.api("helm", |api| api.create(wanted.value.clone())) {
            errors.push(error.message);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(multierror(&errors)) }
}

/// Makes the cluster what `target` says: creates, patches by what was `before`, and deletes what is no longer wanted.
///
/// # Errors
/// The first refusal.
pub fn update(cluster: &mut Cluster, before: &[Wanted], target: &[Wanted]) -> Result<(), String> {
    for wanted in target {
        let key = &wanted.key;
        let Some(current) = cluster.store().get(key).cloned() else {
            let created = cluster.api("helm", |api| api.create(wanted.value.clone()));
            created.map_err(|error| format!("failed to create resource: {}", error.message))?;
            continue;
        };
        let shape = Shape::of_kind(&key.kind.info().api_version(), key.kind.name());
        let original = before.iter().find(|old| old.key == *key).map_or_else(Value::map, |old| old.value.clone());
        let patch = three_way(&original, &wanted.value, current.value(), shape);
        if patch.is_empty() {
            continue;
        }
        let mut changed = current.value().clone();
        strategic(&mut changed, &patch, shape);
        let refused = |text: String| format!("cannot patch \"{}\" with kind {}: {text}", key.name, key.kind);
        let changed = decode(&changed, FieldValidation::Strict).map_err(|refusal| refused(refusal.text))?.object;
        let written = cluster.api("helm", |api| api.update(key, |value| *value = changed));
        written.map_err(|error| refused(error.message))?;
    }
    let gone: Vec<Wanted> = before.iter().filter(|old| !target.iter().any(|new| new.key == old.key)).cloned().collect();
    delete(cluster, &gone);
    Ok(())
}

/// Deletes objects that are not to be kept (`helm.sh/resource-policy: keep`), the last created kind first; those that are
/// kept.
pub fn delete(cluster: &mut Cluster, objects: &[Wanted]) -> Vec<Key> {
    let (mut kept, mut order) = (Vec::new(), objects.to_vec());
    sort_by(&mut order, |a, b| rank(b.key.kind.name()).cmp(&rank(a.key.kind.name())));
    for object in order {
        let policy = object.value.at_keys(["metadata", "annotations", "helm.sh/resource-policy"]).as_str();
        if policy == Some("keep") {
            kept.push(object.key);
            continue;
        }
        // What is gone already needs no deletion.
        let _ = cluster.api("helm", |api| api.delete(&object.key, &DeleteOptions::background()));
    }
    kept
}

/// Whether `--wait` may stop waiting for an object.
pub fn is_ready(cluster: &Cluster, key: &Key, for_jobs: bool) -> Result<bool, String> {
    let Some(object) = cluster.store().get(key) else { return Ok(false) };
    let value = object.value();
    let number = |path: &str| value.i64_at(path).unwrap_or(0);
    let wants = value.i64_at("spec.replicas").unwrap_or(1);
    Ok(match key.kind {
        Kind::Pod => object.pod().is_ready(),
        Kind::Job if for_jobs => match ended(value) {
            Some(Err(why)) => return Err(format!("job is failed: {why}")),
            ended => ended.is_some(),
        },
        Kind::ReplicaSet => number("status.readyReplicas") >= wants,
        Kind::Deployment => {
            number("status.observedGeneration") >= number("metadata.generation")
                && number("status.updatedReplicas") >= wants
                && number("status.readyReplicas") >= wants
        }
        Kind::PersistentVolumeClaim => value.str_at("status.phase") == Some("Bound"),
        _ => true,
    })
}

/// How a Job or a bare Pod ended; none if it has not. An error is the reason.
pub fn ended(value: &Value) -> Option<Result<(), String>> {
    if value.str_at("kind") == Some("Pod") {
        return match value.str_at("status.phase") {
            Some("Succeeded") => Some(Ok(())),
            Some("Failed") => Some(Err(String::new())),
            _ => None,
        };
    }
    value.list_at("status.conditions").iter().find_map(|condition| {
        let holds = condition.str_at("status") == Some("True");
        match condition.str_at("type").filter(|_| holds)? {
            "Complete" => Some(Ok(())),
            "Failed" => Some(Err(condition.str_at("reason").unwrap_or_default().to_owned())),
            _ => None,
        }
    })
}

/// `go-multierror`'s list.
pub fn multierror(errors: &[String]) -> String {
    let count =
        if errors.len() == 1 { "1 error occurred".to_owned() } else { format!("{} errors occurred", errors.len()) };
    let list: String = errors.iter().map(|error| format!("\n\t* {error}")).collect();
    format!("{count}:{list}\n\n")
}
