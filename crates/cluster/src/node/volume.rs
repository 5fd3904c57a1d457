//! A Pod's volumes as files.
//!
//! Rule: ConfigMap, Secret, projected and downward API volumes are read when the Pod starts (later changes of their objects do
//! not reach running Pods here; a real kubelet brings them in within a minute or two); what is missing and not optional is a
//! failed mount. Claims and host paths outlive the Pod. Source: `pkg/volume/{configmap,secret,projected,downwardapi}`.

use crate::node::env::{Facts, field, object_data, resource};
use crate::program::files::{FileTree, Mount};
use crate::store::Store;
use api::kind::Kind;
use api::pod::Pod;
use values::sorted::SortedMap;
use values::time::SimTime;
use values::value::Value;

/// All volumes of a Pod.
#[derive(Clone, Debug, Default)]
pub struct Mounted {
    pub trees: SortedMap<String, FileTree>,
    /// Name in the Pod, and what it is known as on the cluster.
    pub shared: Vec<(String, String)>,
}

/// A volume that cannot be mounted, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MountFailure {
    pub volume: String,
    pub why: String,
}

/// Mounts the Pod's volumes.
///
/// # Errors
/// All volumes that cannot be mounted yet.
pub fn mount_all(store: &Store, pod: &Pod, facts: Facts<'_>, now: SimTime) -> Result<Mounted, Vec<MountFailure>> {
    let mut mounted = Mounted::default();
    let mut failures = Vec::new();
    for volume in &pod.spec.volumes {
        let name = volume.str_at("name").unwrap_or_default().to_owned();
        if let Some(shared) = shared_name(pod, volume) {
            mounted.shared.push((name, shared));
            continue;
        }
        match fill(store, pod, volume, facts, now) {
            Ok(tree) => {
                mounted.trees.insert(name, tree);
            }
            Err(why) => failures.push(MountFailure { volume: name, why }),
        }
    }
    if failures.is_empty() { Ok(mounted) } else { Err(failures) }
}

/// What a volume that outlives its Pod is known as.
fn shared_name(pod: &Pod, volume: &Value) -> Option<String> {
    if let Some(claim) = volume.str_at("persistentVolumeClaim.claimName") {
        return Some(format!("claim/{}/{claim}", pod.metadata.namespace));
    }
    if let Some(path) = volume.str_at("hostPath.path") {
        return Some(format!("host/{}/{path}", pod.spec.node_name));
    }
    volume
        .map_at("ephemeral")
        .map(|_| format!("claim/{}/{}-{}", pod.metadata.namespace, pod.metadata.name, volume.at("name")))
}

fn fill(store: &Store, pod: &Pod, volume: &Value, facts: Facts<'_>, now: SimTime) -> Result<FileTree, String> {
    let mut tree = FileTree::default();
    for (field, kind) in [("configMap", Kind::ConfigMap), ("secret", Kind::Secret)] {
        if volume.map_at(field).is_some() {
            add_object(&mut tree, store, pod, kind, volume.at(field), now)?;
            return Ok(tree.read_only());
        }
    }
    if volume.map_at("downwardAPI").is_some() {
        add_fields(&mut tree, pod, volume.at("downwardAPI"), facts, now);
        return Ok(tree.read_only());
    }
    if volume.map_at("projected").is_some() {
        for source in volume.list_at("projected.sources") {
            add_source(&mut tree, store, pod, source, facts, now)?;
        }
        return Ok(tree.read_only());
    }
    Ok(tree)
}

fn add_source(
    tree: &mut FileTree,
    store: &Store,
    pod: &Pod,
    source: &Value,
    facts: Facts<'_>,
    now: SimTime,
) -> Result<(), String> {
    // The root certificate and the token come with every cluster; their objects are not simulated.
    if source.str_at("configMap.name") == Some("kube-root-ca.crt") {
        tree.put("/ca.crt", b"-----BEGIN CERTIFICATE-----\n", false, now);
        return Ok(());
    }
    if let Some(path) = source.str_at("serviceAccountToken.path") {
        tree.put(&format!("/{path}"), b"token", false, now);
        return Ok(());
    }
    if source.map_at("configMap").is_some() {
        return add_object(tree, store, pod, Kind::ConfigMap, source.at("configMap"), now);
    }
    if source.map_at("secret").is_some() {
        return add_object(tree, store, pod, Kind::Secret, source.at("secret"), now);
    }
    if source.map_at("downwardAPI").is_some() {
        add_fields(tree, pod, source.at("downwardAPI"), facts, now);
    }
    Ok(())
}

fn add_object(
    tree: &mut FileTree,
    store: &Store,
    pod: &Pod,
    kind: Kind,
    source: &Value,
    now: SimTime,
) -> Result<(), String> {
    let name = source.str_at("name").or(source.str_at("secretName")).unwrap_or_default();
    let optional = source.bool_at("optional") == Some(true);
    let word = if kind == Kind::Secret { "secret" } else { "configmap" };
    let Some(object) = store.find(kind, &pod.metadata.namespace, name) else {
        return if optional { Ok(()) } else { Err(format!("{word} {name:?} not found")) };
    };
    let data = object_data(kind, object.value());
    let items = source.list_at("items");
    if items.is_empty() {
        for (key, bytes) in data {
            tree.put(&format!("/{key}"), &bytes, false, now);
        }
        return Ok(());
    }
    for item in items {
        let key = item.str_at("key").unwrap_or_default();
        let path = item.str_at("path").unwrap_or(key);
        match data.iter().find(|(k, _)| k == key) {
            Some((_, bytes)) => tree.put(&format!("/{path}"), bytes, false, now),
            None if optional => {}
            None if kind == Kind::Secret => {
                return Err(format!("references non-existent secret key: {key}"));
            }
            None => return Err(format!("references non-existent config key: {key}")),
        }
    }
    Ok(())
}

fn add_fields(tree: &mut FileTree, pod: &Pod, source: &Value, facts: Facts<'_>, now: SimTime) {
    for item in source.list_at("items") {
        let path = item.str_at("path").unwrap_or_default();
        let text = match item.str_at("fieldRef.fieldPath") {
            Some(field_path) => field(pod, field_path, facts).unwrap_or_default(),
            None => {
                let reference = item.at("resourceFieldRef");
                let name = reference.str_at("containerName").unwrap_or_default();
                let container = pod.spec.containers.iter().find(|c| c.name == name);
                container.map(|c| resource(c, reference, facts)).unwrap_or_default()
            }
        };
        tree.put(&format!("/{path}"), text.as_bytes(), false, now);
    }
}

/// Where a container's volumes stand.
pub fn mounts_of(pod: &Pod, container: &api::pod::Container) -> Vec<Mount> {
    let mounts = container.volume_mounts.iter().map(|mount| Mount {
        path: mount.mount_path.trim_end_matches('/').to_owned(),
        volume: mount.name.to_string(),
        sub_path: if mount.sub_path.is_empty() {
            String::new()
        } else {
            format!("/{}", mount.sub_path.trim_matches('/'))
        },
        read_only: mount.read_only,
    });
    let known = |mount: &Mount| pod.spec.volumes.iter().any(|v| v.str_at("name") == Some(mount.volume.as_str()));
    mounts.filter(|mount| known(mount) && !mount.path.is_empty()).collect()
}
